"""What the cache gives again, and the faults that it must not have, over real HTTP and with real processes."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import pickle
import random
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
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
from alyx_client.webclient import no_cache
from tests.faults import FaultServer, Received, answer, closed_port, json_answer, reset_mid_body, stale_token

QUICK = Retries(base=0.001, cap=0.001)


class Counting:
    """A server that says how often it was asked, and by whom."""

    def __init__(self, **settings: Any) -> None:
        self.number = 0
        self.server = FaultServer(then=self._answer, **settings)

    def _answer(self, received: Received, connection: socket.socket) -> bool:
        self.number += 1
        body = received.body.decode()
        value = {"n": self.number, "method": received.method, "token": received.token, "body": body}
        return json_answer(value)(received, connection)


@pytest.fixture
def counting() -> Iterator[Counting]:
    it = Counting()
    yield it
    it.server.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "answers"


@pytest.fixture
def client(counting: Counting, folder: Path) -> AlyxClient:
    return make(counting, folder)


def make(counting: Counting, folder: Path, token: str = "a", **settings: Any) -> AlyxClient:
    return AlyxClient(counting.server.url, token=token, cache_dir=folder, silent=True, retries=QUICK, **settings)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Give a function that puts the clock forward by so many seconds."""
    now = time.time
    return lambda seconds: monkeypatch.setattr(time, "time", lambda: now() + seconds)


def elsewhere(client: AlyxClient, folder: Path, code: str) -> str:
    """Run code in another process, with a client of the same user."""
    made = f"from alyx_client import AlyxClient; client = AlyxClient({client.base_url!r}, token='a', "
    made += f"cache_dir={str(folder)!r})"
    return subprocess.run([sys.executable, "-c", f"{made}\n{code}"], capture_output=True, text=True, check=True).stdout


def file_of(client: AlyxClient) -> Path:
    return next((client.cache_dir / ".rest").glob("*.sqlite"))


# --- what is given again


def test_answer_is_given_again(client: AlyxClient, counting: Counting) -> None:
    assert [client.get("/labs")["n"] for _ in range(3)] == [1, 1, 1]
    assert client.get("/labs?name=a")["n"] == 2
    assert client.get(f"{counting.server.url}/labs")["n"] == 1


async def test_answer_is_given_again_to_tasks(counting: Counting, folder: Path) -> None:
    async with AsyncAlyxClient(counting.server.url, token="a", cache_dir=folder) as client:
        assert [(await client.get("/labs"))["n"] for _ in range(3)] == [1, 1, 1]
        assert (await client.post("/labs", {}))["n"] == 2
        assert (await client.get("/labs"))["n"] == 3


def test_typed_records_come_from_the_cache_too(local_alyx: LocalAlyx, folder: Path) -> None:
    client = AlyxClient(local_alyx.url, token=local_alyx.token(), cache_dir=folder)
    first = client.subjects.list()
    again = client.subjects.list()
    assert first == again
    assert len(local_alyx.requests) == 1


def test_another_process_gets_the_answer(client: AlyxClient, counting: Counting, folder: Path) -> None:
    client.get("/labs")
    assert elsewhere(client, folder, "print(client.get('/labs')['n'])") == "1\n"


def test_lifetimes(client: AlyxClient) -> None:
    assert client.get("/labs", expires=True)["n"] == 1
    assert client.get("/labs")["n"] == 2, "an answer that was not to be given again"
    assert client.get("/labs", clobber=True)["n"] == 3
    assert client.get("/labs")["n"] == 3, "an answer that was overwritten"
    assert client.get("/labs", expires=timedelta(days=1))["n"] == 3
    assert client.get("/labs", expires=timedelta(microseconds=1))["n"] == 4, "an answer older than asked for"
    client.default_expiry = timedelta(0)
    assert [client.get("/tags")["n"] for _ in range(2)] == [5, 6]
    client.default_expiry = timedelta(minutes=5)
    client.get("/users", expires=timedelta(microseconds=1))
    assert client.get("/users")["n"] == 8, "the lifetime with which it was kept counts"


def test_expired_answers_are_asked_for_again(client: AlyxClient, later: Callable[[float], None]) -> None:
    client.get("/labs")
    later(400)
    assert client.get("/labs")["n"] == 2


def test_modes(counting: Counting, folder: Path) -> None:
    client = make(counting, folder, cache_rest=None)
    assert [client.get("/labs")["n"] for _ in range(2)] == [1, 2]
    assert not list(client.cache_dir.rglob("*.sqlite"))
    client.cache_mode = "get"
    assert client.cache_mode == "GET"
    assert [client.get("/labs")["n"] for _ in range(2)] == [3, 3]
    client.cache_mode = "*"
    assert [client.post("/labs", {"a": 1})["n"] for _ in range(2)] == [4, 4]
    assert client.post("/labs", {"a": 2})["n"] == 5
    for mode in ("POST", "all"):
        with pytest.raises(ValueError, match="'GET', '\\*' or None"):
            client.cache_mode = mode


@pytest.mark.parametrize("expiry", [timedelta(-1), 5, "5 min"])
def test_default_expiry_is_a_length_of_time(client: AlyxClient, expiry: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"timedelta|negative"):
        client.default_expiry = expiry


def test_cleared_answers_are_gone(client: AlyxClient) -> None:
    client.get("/labs")
    client.clear_rest_cache()
    assert client.get("/labs")["n"] == 2


def test_schema_outlives_writes(local_alyx: LocalAlyx, folder: Path) -> None:
    for _ in range(2):
        client = AlyxClient(local_alyx.url, token=local_alyx.token(), cache_dir=folder)
        client.rest("tags", "list", no_cache=True)
        client.post("/tags", {"name": f"t{random.random()}"})
    assert [request.path for request in local_alyx.requests].count("/api/schema") == 1


def test_what_is_no_json_is_not_kept(folder: Path) -> None:
    with FaultServer(then=answer(b"x", content_type="image/png")) as server:
        client = AlyxClient(server.url, token="a", cache_dir=folder)
        for _ in range(2):
            client.send(Request("GET", "/uploaded/a.png"))
        assert len(server.requests) == 2


# --- one's own users, methods, bodies


def test_users_never_get_each_others_answers(counting: Counting, folder: Path) -> None:
    a, b = make(counting, folder, "a"), make(counting, folder, "b")
    assert [each.get("/labs")["token"] for each in (a, b, a, b)] == ["a", "b", "a", "b"]
    assert counting.number == 2


def test_user_who_logs_in_gets_none_of_the_answers_before(folder: Path) -> None:
    with LocalAlyx() as local:
        for name in ("admin", "olivier"):
            client = AlyxClient(local.url, name, name, cache_dir=folder)
            client.get("/labs")
        assert [request.path for request in local.requests].count("/labs") == 2


def test_post_never_gets_a_gets_answer(counting: Counting, folder: Path) -> None:
    client = make(counting, folder, cache_rest="*")
    client.get("/labs")
    assert client.post("/labs")["method"] == "POST"
    assert client.get("/labs")["method"] == "GET"


def test_bodies_never_share_an_answer(counting: Counting, folder: Path) -> None:
    client = make(counting, folder, cache_rest="*")
    sent = [{"a": 1}, {"a": 2}, [1], {"a": 1, "b": None}]
    assert [json.loads(client.post("/labs", body)["body"]) for body in sent] == sent
    assert (
        client.get("/check-protected", data={"a": 1})["body"] != client.get("/check-protected", data={"a": 2})["body"]
    )


# --- reads after writes


@pytest.mark.parametrize("write", ["post", "put", "patch", "delete"])
def test_read_after_a_write_is_not_stale(client: AlyxClient, write: str) -> None:
    client.get("/subjects/a")
    client.get("/sessions")
    arguments = () if write == "delete" else ({},)
    getattr(client, write)("/weighings/1", *arguments)
    assert client.get("/subjects/a")["n"] == 4, "other endpoints show what was written, too"
    assert client.get("/sessions")["n"] == 5


def test_read_after_a_write_that_failed_is_not_stale(folder: Path) -> None:
    steps = [json_answer({"n": 1}), reset_mid_body({}), json_answer({"n": 2})]
    with FaultServer(steps) as server:
        client = AlyxClient(server.url, token="a", cache_dir=folder, retries=Retries(tries=1))
        assert client.get("/labs")["n"] == 1
        with pytest.raises(AlyxConnectionError):
            client.post("/labs", {})
        assert client.get("/labs")["n"] == 2


def test_read_that_a_write_overtook_is_not_kept(folder: Path) -> None:
    arrived, go = threading.Event(), threading.Event()

    def slow(received: Received, connection: socket.socket) -> bool:
        arrived.set()
        go.wait(10)
        return json_answer({"n": "old"})(received, connection)

    with FaultServer(routes={"/labs": [slow, json_answer({"n": "new"})]}, then=json_answer({})) as server:
        client = AlyxClient(server.url, token="a", cache_dir=folder)
        writer = AlyxClient(server.url, token="a", cache_dir=folder, cache_rest=None)
        reader = threading.Thread(target=client.get, args=("/labs",))
        client.get("/other")
        reader.start()
        assert arrived.wait(10)
        writer.post("/tags", {})
        go.set()
        reader.join()
        assert client.get("/labs")["n"] == "new"


def test_write_of_another_process_counts(client: AlyxClient, counting: Counting, folder: Path) -> None:
    client.get("/labs")
    elsewhere(client, folder, "client.post('/x', {})")
    assert client.get("/labs")["n"] == 3


# --- off for a while


def test_no_cache_is_for_its_block_alone(client: AlyxClient, counting: Counting, folder: Path) -> None:
    other = make(counting, folder, "b")
    client.get("/labs")
    other.get("/labs")
    with no_cache(client) as same:
        assert same is client
        with no_cache(client):
            assert client.get("/labs")["n"] == 3
        assert client.get("/labs")["n"] == 4
        assert other.get("/labs")["n"] == 2
    assert client.get("/labs")["n"] == 1


def test_no_cache_of_one_thread_is_not_anothers(client: AlyxClient) -> None:
    client.get("/labs")
    inside, done = threading.Event(), threading.Event()

    def block() -> None:
        with no_cache(client):
            inside.set()
            done.wait(10)

    thread = threading.Thread(target=block)
    thread.start()
    inside.wait(10)
    assert client.get("/labs")["n"] == 1
    done.set()
    thread.join()


async def test_no_cache_of_one_task_is_not_anothers(counting: Counting, folder: Path) -> None:
    async with AsyncAlyxClient(counting.server.url, token="a", cache_dir=folder) as client:
        await client.get("/labs")

        async def past() -> int:
            with no_cache(client):
                await asyncio.sleep(0)
                return int((await client.get("/labs"))["n"])

        async def plain() -> int:
            return int((await client.get("/labs"))["n"])

        assert await asyncio.gather(past(), plain(), past()) in ([2, 1, 3], [3, 1, 2])


def test_no_cache_reaches_the_pages_fetched_ahead(local_alyx: LocalAlyx, folder: Path) -> None:
    client = AlyxClient(local_alyx.url, token=local_alyx.token(), cache_dir=folder)
    for _ in range(2):
        with no_cache(client):
            list(client.datasets.list(limit=30))
    pages = [request.query for request in local_alyx.requests]
    assert pages[: len(pages) // 2] == pages[len(pages) // 2 :]
    assert not list(client.cache_dir.rglob("*.sqlite"))


# --- without a connection


def gone(counting: Counting) -> None:
    counting.server.close()


def test_older_answer_with_a_warning_when_the_server_is_gone(
    client: AlyxClient, counting: Counting, later: Callable[[float], None]
) -> None:
    client.get("/labs")
    later(7300)
    gone(counting)
    with pytest.warns(RuntimeWarning, match=r"cannot be reached.*GET /labs.*2 hours old") as caught:
        assert client.get("/labs")["n"] == 1
    assert caught[0].category is StaleAnswerWarning
    assert caught[0].filename == __file__


def test_server_that_is_gone_is_an_error_without_an_answer_or_with_clobber(
    client: AlyxClient, counting: Counting
) -> None:
    client.get("/labs")
    gone(counting)
    with pytest.raises(AlyxConnectionError):
        client.get("/tags")
    with pytest.raises(AlyxConnectionError):
        client.get("/labs", clobber=True)


async def test_tasks_get_the_older_answer_too(counting: Counting, folder: Path) -> None:
    async with AsyncAlyxClient(counting.server.url, token="a", cache_dir=folder, retries=QUICK) as client:
        await client.get("/labs")
        client.default_expiry = timedelta(0)
        await client.get("/labs", clobber=True)
        gone(counting)
        with pytest.warns(StaleAnswerWarning):
            assert (await client.get("/labs"))["n"] == 2


def test_host_without_a_name_counts_as_gone(folder: Path) -> None:
    client = AlyxClient("http://alyx.invalid", token="a", cache_dir=folder, retries=QUICK)
    call = client._cache.begin(Request("GET", "/labs"), client._auth.identity)
    body = Response(200, {"content-type": "application/json"}, b'{"n": 1}', "GET", "http://alyx.invalid/labs")
    call.store(body, client._auth.identity)
    client.default_expiry = timedelta(0)
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        assert client.get("/labs", expires=timedelta(microseconds=1))["n"] == 1


@pytest.mark.parametrize("step", [json_answer({"detail": "x"}, status=500), stale_token()])
def test_servers_own_errors_are_no_reason_for_an_older_answer(folder: Path, step: Any) -> None:
    with FaultServer([json_answer({})], then=step) as server:
        client = AlyxClient(server.url, token="a", cache_dir=folder, silent=True)
        client.get("/labs")
        with pytest.raises((ServerError, PermissionError)):
            client.get("/labs", clobber=True)


def test_login_that_is_not_possible_is_no_reason_to_lose_the_answers(folder: Path) -> None:
    with LocalAlyx() as local:
        url = local.url
        AlyxClient(url, "admin", "admin", cache_dir=folder).get("/labs")
    with pytest.warns(StaleAnswerWarning):
        assert AlyxClient(url, "admin", "admin", cache_dir=folder, retries=QUICK).get("/labs")
    with pytest.raises(AlyxConnectionError):
        AlyxClient(url, "olivier", "olivier", cache_dir=folder, retries=QUICK).get("/labs")


def test_offline_answers_from_the_cache_alone(
    client: AlyxClient, counting: Counting, folder: Path, later: Callable[[float], None]
) -> None:
    client.get("/labs")
    offline = make(counting, folder, offline=True)
    assert offline.get("/labs")["n"] == 1
    with pytest.raises(OfflineError, match=r"GET /tags.*offline"):
        offline.get("/tags")
    with pytest.raises(OfflineError, match="not sent"):
        offline.post("/labs", {})
    later(400)
    with pytest.warns(StaleAnswerWarning, match="offline"):
        assert offline.get("/labs")["n"] == 1
    offline.offline = False
    assert offline.get("/labs")["n"] == 2
    assert counting.number == 2


# --- damage


def damages() -> dict[str, Any]:
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


@pytest.mark.parametrize("name", list(damages()))
def test_damaged_file_breaks_no_query(client: AlyxClient, counting: Counting, folder: Path, name: str) -> None:
    for number in range(20):
        client.get(f"/labs/{number}")
    client.close()
    file = file_of(client)
    file.write_bytes(damages()[name](file.read_bytes()))
    for beside in file.parent.glob(f"{file.name}-*"):
        beside.unlink()
    fresh = make(counting, folder)
    for number in [*range(20), *range(20)]:  # a damaged page is noticed when it is read
        assert fresh.get(f"/labs/{number}")["method"] == "GET"
    before = counting.number
    assert [fresh.get(f"/labs/{number}")["method"] for number in range(20)] == ["GET"] * 20
    assert counting.number == before, "the file works again"


def test_body_that_changed_on_disk_is_not_given(client: AlyxClient) -> None:
    client.get("/labs")
    with closing(sqlite3.connect(file_of(client))) as database, database:
        database.execute("UPDATE answers SET body = CAST('{\"n\": 9}' AS BLOB)")
    assert client.get("/labs")["n"] == 2
    assert client.get("/labs")["n"] == 2


def test_file_of_another_version_is_made_anew(client: AlyxClient, counting: Counting, folder: Path) -> None:
    client.get("/labs")
    client.close()
    with closing(sqlite3.connect(file_of(client))) as database:
        database.execute("PRAGMA user_version = 99")
    assert [make(counting, folder).get("/labs")["n"] for _ in range(2)] == [2, 2]


def test_folder_that_cannot_be_written_breaks_no_query(counting: Counting, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file where the folder should be")
    client = make(counting, blocked)
    assert [client.get("/labs")["n"] for _ in range(2)] == [1, 2]
    assert client.post("/labs", {})["n"] == 3
    client.clear_rest_cache()


@pytest.mark.skipif(os.name == "nt" or getattr(os, "geteuid", lambda: 1)() == 0, reason="root may write everywhere")
def test_read_only_folder_breaks_no_query(client: AlyxClient, counting: Counting, folder: Path) -> None:
    client.get("/labs")
    for path in (file_of(client), file_of(folder).parent):
        path.chmod(0o500)
    assert make(counting, folder).get("/labs")["n"] == 2


@pytest.mark.skipif(sys.platform == "win32", reason="the limit is POSIX's")
def test_full_disk_breaks_no_query(counting: Counting, folder: Path) -> None:
    code = f"""
import resource, signal, sys
from alyx_client import AlyxClient
client = AlyxClient({counting.server.url!r}, token="a", cache_dir={str(folder)!r})
client.get("/labs")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
seen = [client.get(f"/labs/{{n}}")["n"] for n in range(60)]
assert seen == list(range(2, 62)), seen
before = client.get("/labs/59")["n"]
client.post("/labs", {{}})
after = client.get("/labs/59")["n"]
assert after > before, (before, after)
print("whole")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "whole\n", done.stderr


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX's")
def test_file_is_its_owners_alone(client: AlyxClient) -> None:
    client.get("/labs")
    for path in file_of(client).parent.glob("*.sqlite*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


# --- many at once


def test_threads_share_a_client(client: AlyxClient, counting: Counting) -> None:
    seen: list[str] = []

    def work(number: int) -> None:
        for step in range(20):
            name = f"/labs/{(number + step) % 5}"
            client.get(name)
            seen.append(name)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 160
    assert counting.number <= 40


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
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


def test_unreachable_server_is_not_tried_for_long_where_there_is_an_answer(folder: Path) -> None:
    port = closed_port()
    with FaultServer(then=json_answer({"n": 1}), port=port) as server:
        client = AlyxClient(server.url, token="a", cache_dir=folder, retries=Retries(tries=5, base=30, cap=30))
        client.get("/labs", expires=True)
    with pytest.warns(StaleAnswerWarning):
        assert client.get("/labs")["n"] == 1
