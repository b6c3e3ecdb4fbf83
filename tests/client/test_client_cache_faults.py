"""The cache of a client for unreachable servers and unusable files, and in several threads and processes."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import random
import sqlite3
import stat
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.errors import AlyxConnectionError, OfflineError, ServerError, StaleAnswerWarning
from alyx_client.http.message import Request, Response
from alyx_client.http.retry import Retries
from alyx_client.testing import LocalAlyx
from tests.client.cached_clients import QUICK, CountingServer, cache_file, connect
from tests.faults import FaultServer, closed_port, json_response, stale_token


def stop(counting_server: CountingServer) -> None:
    counting_server.server.close()


def test_stale_response_is_served_with_a_warning_for_an_unreachable_server(
    client: AlyxClient, counting_server: CountingServer, advance_clock: Callable[[float], None]
) -> None:
    client.get("/labs")
    advance_clock(7300)
    stop(counting_server)
    with pytest.warns(RuntimeWarning, match=r"cannot be reached.*GET /labs.*2 hours old") as caught:
        assert client.get("/labs")["n"] == 1
    assert caught[0].category is StaleAnswerWarning
    assert caught[0].filename == __file__


def test_unreachable_server_is_an_error_without_a_response_or_with_clobber(
    client: AlyxClient, counting_server: CountingServer
) -> None:
    client.get("/labs")
    stop(counting_server)
    with pytest.raises(AlyxConnectionError):
        client.get("/tags")
    with pytest.raises(AlyxConnectionError):
        client.get("/labs", clobber=True)


async def test_tasks_are_served_stale_responses(counting_server: CountingServer, folder: Path) -> None:
    async with AsyncAlyxClient(counting_server.server.url, token="a", cache_dir=folder, retries=QUICK) as client:
        await client.get("/labs")
        client.default_expiry = timedelta(0)
        await client.get("/labs", clobber=True)
        stop(counting_server)
        with pytest.warns(StaleAnswerWarning):
            assert (await client.get("/labs"))["n"] == 2


def test_unknown_host_counts_as_unreachable(folder: Path) -> None:
    client = AlyxClient("http://alyx.invalid", token="a", cache_dir=folder, retries=QUICK)
    call = client._cache.begin(Request("GET", "/labs"), client._auth.identity)
    headers, url = {"content-type": "application/json"}, "http://alyx.invalid/labs"
    call.store(Response(200, headers, b'{"n": 1}', "GET", url, sender=client._auth.sender("a")))
    client.default_expiry = timedelta(0)
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        assert client.get("/labs", expires=timedelta(microseconds=1))["n"] == 1


@pytest.mark.parametrize("step", [json_response({"detail": "x"}, status=500), stale_token()])
def test_stale_response_is_not_served_for_an_error_response(folder: Path, step: Any) -> None:
    with FaultServer([json_response({})], then=step) as server:
        client = AlyxClient(server.url, token="a", cache_dir=folder, silent=True)
        client.get("/labs")
        with pytest.raises((ServerError, PermissionError)):
            client.get("/labs", clobber=True)


def test_stale_response_is_served_if_the_login_is_unreachable(folder: Path) -> None:
    with LocalAlyx() as local:
        url = local.url
        AlyxClient(url, "admin", "admin", cache_dir=folder).get("/labs")
    with pytest.warns(StaleAnswerWarning):
        assert AlyxClient(url, "admin", "admin", cache_dir=folder, retries=QUICK).get("/labs")
    with pytest.raises(AlyxConnectionError):
        AlyxClient(url, "olivier", "olivier", cache_dir=folder, retries=QUICK).get("/labs")


def test_offline_client_is_served_from_the_cache_only(
    client: AlyxClient, counting_server: CountingServer, folder: Path, advance_clock: Callable[[float], None]
) -> None:
    client.get("/labs")
    offline = connect(counting_server, folder, offline=True)
    assert offline.get("/labs")["n"] == 1
    with pytest.raises(OfflineError, match=r"GET /tags.*offline"):
        offline.get("/tags")
    with pytest.raises(OfflineError, match="not sent"):
        offline.post("/labs", {})
    advance_clock(400)
    with pytest.warns(StaleAnswerWarning, match="offline"):
        assert offline.get("/labs")["n"] == 1
    offline.offline = False
    assert offline.get("/labs")["n"] == 2
    assert counting_server.number == 2


def corruptions() -> dict[str, Any]:
    def cut(part: float) -> Any:
        return lambda content: content[: int(len(content) * part)]

    cuts = {f"cut at {part}": cut(part) for part in (0.0, 0.01, 0.1, 0.3, 0.5, 0.9, 0.99)}
    return {
        **cuts,
        "noise": lambda content: random.Random(1).randbytes(len(content)),
        "text": lambda content: b"not a database at all",
        "zeros in the middle": lambda content: content[:4096] + bytes(8192) + content[12288:],
        "zeros at the start": lambda content: bytes(200) + content[200:],
    }


@pytest.mark.parametrize("name", list(corruptions()))
def test_corrupt_file_breaks_no_query(
    client: AlyxClient, counting_server: CountingServer, folder: Path, name: str
) -> None:
    for number in range(20):
        client.get(f"/labs/{number}")
    client.close()
    file = cache_file(client)
    file.write_bytes(corruptions()[name](file.read_bytes()))
    for beside in file.parent.glob(f"{file.name}-*"):
        beside.unlink()
    fresh = connect(counting_server, folder)
    for number in [*range(20), *range(20)]:  # a corrupt page is noticed when it is read
        assert fresh.get(f"/labs/{number}")["method"] == "GET"
    before = counting_server.number
    assert [fresh.get(f"/labs/{number}")["method"] for number in range(20)] == ["GET"] * 20
    assert counting_server.number == before, "the recreated file works"


def test_body_altered_on_disk_is_not_served(client: AlyxClient) -> None:
    client.get("/labs")
    with closing(sqlite3.connect(cache_file(client))) as database, database:
        database.execute("UPDATE answers SET body = CAST('{\"n\": 9}' AS BLOB)")
    assert client.get("/labs")["n"] == 2
    assert client.get("/labs")["n"] == 2


def test_file_of_another_version_is_recreated(
    client: AlyxClient, counting_server: CountingServer, folder: Path
) -> None:
    client.get("/labs")
    client.close()
    with closing(sqlite3.connect(cache_file(client))) as database:
        database.execute("PRAGMA user_version = 99")
    assert [connect(counting_server, folder).get("/labs")["n"] for _ in range(2)] == [2, 2]


def test_unusable_folder_breaks_no_query(counting_server: CountingServer, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file where the folder should be")
    client = connect(counting_server, blocked)
    assert [client.get("/labs")["n"] for _ in range(2)] == [1, 2]
    assert client.post("/labs", {})["n"] == 3
    client.clear_rest_cache()


@pytest.mark.skipif(os.name == "nt" or getattr(os, "geteuid", lambda: 1)() == 0, reason="permissions do not bind root")
def test_read_only_folder_breaks_no_query(client: AlyxClient, counting_server: CountingServer, folder: Path) -> None:
    client.get("/labs")
    for path in (cache_file(client), cache_file(client).parent):
        path.chmod(0o500)
    other = connect(counting_server, folder)
    assert other.get("/labs")["n"] in (1, 2)  # SQLite may read the file as long as another connection is open
    other.post("/labs", {"name": "a"})
    assert other.get("/labs")["n"] == counting_server.number
    assert connect(counting_server, folder).get("/labs")["n"] == counting_server.number


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")
def test_full_disk_breaks_no_query(counting_server: CountingServer, folder: Path) -> None:
    code = f"""
import resource, signal, sys
from alyx_client import AlyxClient
client = AlyxClient({counting_server.server.url!r}, token="a", cache_dir={str(folder)!r})
client.get("/labs")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
numbers = [client.get(f"/labs/{{n}}")["n"] for n in range(60)]
assert numbers == list(range(2, 62)), numbers
before = client.get("/labs/59")["n"]
client.post("/labs", {{}})
after = client.get("/labs/59")["n"]
assert after > before, (before, after)
print("whole")
"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.stdout == "whole\n", process.stderr


@pytest.mark.skipif(os.name == "nt", reason="POSIX only")
def test_file_is_readable_by_its_owner_only(client: AlyxClient) -> None:
    client.get("/labs")
    for path in cache_file(client).parent.glob("*.sqlite*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_threads_share_a_client(client: AlyxClient, counting_server: CountingServer) -> None:
    paths: list[str] = []

    def work(number: int) -> None:
        for step in range(20):
            path = f"/labs/{(number + step) % 5}"
            client.get(path)
            paths.append(path)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(paths) == 160
    assert counting_server.number <= 40


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_client_works_on_both_sides_of_a_fork(client: AlyxClient) -> None:
    client.get("/labs")
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(_read_lab, [client] * 4) == [1] * 4
    assert client.get("/labs")["n"] == 1
    client.post("/labs", {})
    assert client.get("/labs")["n"] == 3


def _read_lab(client: AlyxClient) -> int:
    return int(client.get("/labs")["n"])


def test_client_and_its_cache_are_pickled(client: AlyxClient) -> None:
    client.get("/labs")
    assert pickle.loads(pickle.dumps(client)).get("/labs")["n"] == 1


def test_unreachable_server_is_not_retried_if_there_is_a_stale_response(folder: Path) -> None:
    port = closed_port()
    with FaultServer(then=json_response({"n": 1}), port=port) as server:
        client = AlyxClient(server.url, token="a", cache_dir=folder, retries=Retries(tries=5, base=30, cap=30))
        client.get("/labs", expires=True)
    with pytest.warns(StaleAnswerWarning):
        assert client.get("/labs")["n"] == 1
