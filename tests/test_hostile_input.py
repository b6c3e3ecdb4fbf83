"""What comes from outside, of any form: only errors of this package come out, and nothing hangs."""

from __future__ import annotations

import asyncio
import json
import math
import os
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient, AlyxError, AsyncAlyxClient, Retries
from alyx_client.config import find_settings, servers_file
from alyx_client.downloads.response_headers import parse_file_headers
from alyx_client.errors import ConfigurationError, InvalidFieldError, SchemaDriftWarning, UnexpectedAnswerError
from alyx_client.http.cache import entry
from alyx_client.http.cache.entry import Row, pack, unpack
from alyx_client.http.headers import deprecation_notice, http_date, retry_after
from alyx_client.http.json_body import decode_or_none, parse_json
from alyx_client.storage.file_system import read_regular_file
from tests.faults import FaultServer, json_response, response
from tests.http.cache.stores import key
from tests.http.cache.stores import response as stored_response

DEEP = 100_000
HOSTILE_JSON = {
    "arrays": b"[" * DEEP + b"]" * DEEP,
    "objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "unclosed": b"[" * DEEP,
    "less_deep": b'{"detail":' * 900 + b"1" + b"}" * 900,
    "digits": b'{"count": ' + b"9" * 5000 + b"}",
    "in_a_page": b'{"count": 1, "next": null, "previous": null, "results": [' + b"[" * 900 + b"]" * 900 + b"]}",
}
hostile_json = pytest.mark.parametrize("content", HOSTILE_JSON.values(), ids=HOSTILE_JSON)
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")


def connect(server: FaultServer, **settings: Any) -> AlyxClient:
    options = {"token": "t", "cache_rest": None, "silent": True, "retries": Retries(tries=1), **settings}
    return AlyxClient(server.url, **options)


@hostile_json
@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.get("/subjects"),
        lambda client: client.post("/subjects", {"a": 1}),
        lambda client: client.rest("subjects", "list"),
        lambda client: client.subjects.list(),
        lambda client: client.subjects.read("a"),
        lambda client: client.check_schema(),
        lambda client: client.authenticate("user", "password"),
        lambda client: client.download_cache_tables(),
    ],
    ids=["get", "post", "rest", "list", "read", "check_schema", "password", "tables"],
)
@pytest.mark.parametrize("status", [200, 400, 403])
def test_hostile_json_in_a_response(content: bytes, call: Callable[[AlyxClient], object], status: int) -> None:
    with FaultServer(then=response(content, status=status)) as server, connect(server) as client:
        with pytest.raises(AlyxError) as caught:
            call(client)
        assert len(str(caught.value)) < 2000


@hostile_json
def test_hostile_json_in_an_asynchronous_client(content: bytes) -> None:
    async def read(url: str) -> None:
        async with AsyncAlyxClient(url, token="t", cache_rest=None, silent=True) as client:
            await client.subjects.read("a")

    with FaultServer(then=response(content)) as server, pytest.raises(UnexpectedAnswerError):
        asyncio.run(read(server.url))


@hostile_json
def test_hostile_json_is_not_decoded(content: bytes) -> None:
    assert decode_or_none(content) is None
    for form in (content, content.decode()):
        with pytest.raises(ValueError, match=r"nested too deeply|Expecting|digits"):
            parse_json(form)


def test_json_of_reasonable_depth_is_decoded() -> None:
    nested = b"[" * 150 + b"]" * 150
    flat = json.dumps([{"a": ["["] * 10, "b": {}}] * 500).encode()
    assert parse_json(nested) == json.loads(nested)
    assert parse_json(flat) == json.loads(flat)


@pytest.mark.parametrize("count", ["many", None, -1, 1e30, 2.5, True, 10**30, [], {}])
@pytest.mark.parametrize("further", [None, "next"])
def test_count_that_is_no_number_of_rows(count: object, further: str | None) -> None:
    page = {"count": count, "next": further, "previous": None, "results": []}
    with FaultServer(then=json_response(page)) as server, connect(server) as client:
        with pytest.raises(UnexpectedAnswerError):
            client.get("/labs")
        if further is not None:
            with pytest.raises(UnexpectedAnswerError):
                client.labs.list()


def test_count_that_is_a_truth_value_loses_no_rows() -> None:
    page = {"count": True, "next": None, "previous": None, "results": [{"name": "a"}, {"name": "b"}]}
    with FaultServer(then=json_response(page)) as server, connect(server) as client:
        with pytest.warns(SchemaDriftWarning):
            rows = client.labs.list()
        assert (len(rows), rows[1].name) == (2, "b")


@pytest.mark.parametrize("digits", ["9" * 5000, "9" * 20, "٣", "-5", ""])
def test_numbers_in_headers(digits: str) -> None:
    ranged = parse_file_headers(206, {"content-range": f"bytes {digits}-{digits}/{digits}"}, "a")
    assert (ranged.first, ranged.last, ranged.total) == (None, None, None)
    assert parse_file_headers(206, {"content-range": f"bytes 0-1/{digits}"}, "a").total is None
    assert parse_file_headers(200, {"content-length": digits}, "a").total is None
    assert (retry_after({"retry-after": digits}, 0.0) or 0.0) >= 0
    assert deprecation_notice({"deprecation": f"@{digits}", "sunset": digits or "x"}, "/a")
    assert (http_date(f"Thu, 01 Jan {digits} 00:00:00 GMT") or 0.0) >= 0


HALF = "\ud800"


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.get(f"/subjects/{HALF}"),
        lambda client: client.get(f"/subjects?nickname={HALF}"),
        lambda client: client.post("/subjects", {"a": 1}, files={HALF: b"x"}),
        lambda client: client.post("/subjects", {HALF: HALF}, files={"a": b"x"}),
        lambda client: client.post("/subjects", {"a": 1}, files={"a": (HALF, b"x")}),
        lambda client: client.subjects.read(HALF),
        lambda client: client.subjects.list(nickname=HALF),
        lambda client: client.subjects.list(extra_params={HALF: 1}),
        lambda client: client.subjects.list(django={"nickname": HALF}),
        lambda client: client.download_file(f"{client.base_url}/{HALF}.npy"),
        lambda client: client.rel_path2url(HALF),
        lambda client: client.download_cache_tables(f"{client.base_url}/{HALF}.zip"),
        lambda client: AlyxClient(f"https://x.org/{HALF}"),
        lambda client: AlyxClient(f"https://{HALF}.org"),
    ],
)
def test_half_a_surrogate_pair_is_refused(call: Callable[[AlyxClient], object]) -> None:
    with FaultServer(then=json_response({})) as server, connect(server) as client:
        with pytest.raises((AlyxError, ValueError)) as caught:
            call(client)
        assert not isinstance(caught.value, UnicodeError)
        assert not server.requests


def recursive() -> list[object]:
    value: list[object] = []
    value.append(value)
    return value


@pytest.mark.parametrize("data", [{"a": recursive()}, recursive(), "[" * DEEP, "9" * 5000])
def test_data_that_json_cannot_express(data: object) -> None:
    client = AlyxClient("http://127.0.0.1:9", token="t", cache_rest=None)
    with pytest.raises(InvalidFieldError):
        client.post("/subjects", data)


# --- rows of the cache


def forge(**columns: object) -> Row:
    row = pack(key("a"), stored_response("a", 5000), received=5.0, lifetime=60.0, generation=b"g")
    row = row._replace(**columns)  # type: ignore[arg-type]
    try:
        return row._replace(digest=entry._checksum(row))  # pyright: ignore[reportPrivateUsage]
    except Exception:
        return row


@pytest.mark.parametrize(
    "columns",
    [
        *(
            {"head": head}
            for head in (b"", b"{}", b"[]", b"[1,2,3,4,5]", b"null", b"[" * DEEP, b"\xff", "text", None, 5)
        ),
        {"head": b'["200", {}, "GET", "/", false]'},
        {"head": b'[200, [], "GET", "/", false]'},
        {"head": b'[200, {}, null, "/", true]'},
        *({"body": body} for body in (b"", b"\x78\x9c", b"x" * 2000, "text", None, 5, zlib.compress(bytes(2**27), 1))),
        *({"received": time} for time in (math.nan, math.inf, -math.inf, "now", None, b"")),
        *({"lifetime": time} for time in (math.nan, math.inf, "long", None, 10**400)),
        *({name: value} for name in ("user", "endpoint") for value in (None, b"alice", 5)),
        *({name: value} for name in ("used", "size", "digest") for value in (None, "x", [])),
        {"generation": None},
        {"generation": "g"},
    ],
)
def test_forged_row_is_not_served(columns: dict[str, object]) -> None:
    row = forge(**columns)
    if "digest" in columns:
        row = row._replace(digest=columns["digest"])  # type: ignore[arg-type]
    assert unpack(row, key("a"), b"g") is None


def test_row_is_served() -> None:
    cached = unpack(forge(), key("a"), b"g")
    assert cached is not None
    assert cached.response == stored_response("a", 5000)


# --- files of settings


def make_fifo(file: Path) -> None:
    os.mkfifo(file)


@pytest.mark.parametrize(
    "content",
    [
        b"a = " + b"[" * 10_000 + b"]" * 10_000,
        b"a = " + b"[" * 300 + b"]" * 300,
        b"a" + b".a" * 10_000 + b" = 1",
        b"[a" + b".a" * 10_000 + b"]",
        b"a = " + b"9" * 5000,
        b'a = "\0"',
        b"\0" * 100,
        b'[servers."https://alyx.example.org"]\ncache_dir = "/a\\u0000b"',
        b'[servers."https://alyx.example.org"]\ncache_dir = "~nobody-of-this-name/b"',
        b'[servers."https://a\\u0000b"]',
    ],
)
def test_hostile_settings_file_is_an_error_that_names_it(isolated_settings: Path, content: bytes) -> None:
    file = servers_file()
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"servers\.toml"):
        find_settings("https://alyx.example.org")


@posix
def test_fifo_as_settings_file_is_an_error(isolated_settings: Path) -> None:
    file = servers_file()
    file.parent.mkdir(parents=True)
    make_fifo(file)
    with pytest.raises(ConfigurationError, match="not a regular file"):
        find_settings("https://alyx.example.org")
    with pytest.raises(OSError, match="not a regular file"):
        read_regular_file(file)


@pytest.mark.parametrize("name", [".caches", ".alyx.example.org"])
@pytest.mark.parametrize("content", [b"[" * 10_000, b'{"a":' * 300 + b"1" + b"}" * 300, b"\0", b"9" * 5000, None])
def test_hostile_files_of_one_are_ignored(isolated_settings: Path, name: str, content: bytes | None) -> None:
    file = isolated_settings / ".one" / name
    file.parent.mkdir()
    if content is not None:
        file.write_bytes(content)
    elif sys.platform != "win32":
        make_fifo(file)
    assert find_settings("https://alyx.example.org").username is None


@pytest.mark.parametrize("folder", ["~nobody-of-this-name/data", "/a\0b", 5, None, ["/a"]])
def test_unusable_folder_of_one_is_ignored(isolated_settings: Path, folder: object) -> None:
    file = isolated_settings / ".one" / ".caches"
    file.parent.mkdir()
    file.write_text(json.dumps({"CLIENT_MAP": {"alyx.example.org": folder}}))
    assert find_settings("https://alyx.example.org").sources["cache_dir"] == "default"


# --- homes

_WITHOUT_HOME = """
import os, pwd, sys
if sys.argv[2] == "unset":
    os.environ.pop("HOME", None)
    def missing(*_):
        raise KeyError("no entry")
    pwd.getpwuid = pwd.getpwnam = missing
else:
    os.environ["HOME"] = sys.argv[2].removeprefix("=")
from alyx_client import AlyxClient
with AlyxClient(sys.argv[1], token="t", silent=True) as client:
    assert client.get("/subjects") == [], client
    assert client.user is None
    client.authenticate(token="t")
    client.logout()
    try:
        client.download_file(sys.argv[1] + "/a.npy")
    except OSError:
        print("refused")
with AlyxClient(sys.argv[1], token="t", silent=True, cache_dir="data") as client:
    print(client.download_file(sys.argv[1] + "/a.npy").name)
"""


@posix
@pytest.mark.parametrize("home", ["unset", "=", "=relative"])
def test_without_a_home_everything_works_that_needs_none(home: str, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    with FaultServer(then=json_response([])) as server:
        command = [sys.executable, "-c", _WITHOUT_HOME, server.url, home]
        folder = tmp_path / "work"
        folder.mkdir()
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["refused", "a.npy"]
    assert [path.name for path in folder.iterdir()] == ["data"]
