"""Bytes after the end of a response: never taken for the next response, nor in the way of it."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient, Retries
from tests.download_faults import content
from tests.faults import FaultServer, Step, json_response, response, response_head
from tests.http.certificates import make_certificate

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
EVIL = HEAD + b'Content-Length: 11\r\n\r\n{"evil": 1}'
FIRST = {
    "length": HEAD + b'Content-Length: 8\r\n\r\n{"a": 1}',
    "chunks": HEAD + b'Transfer-Encoding: chunked\r\n\r\n8\r\n{"a": 1}\r\n0\r\n\r\n',
}
SURPLUS = {"junk": b"junk", "line": b"\r\n", "response": EVIL, "line and response": b"\r\n" + EVIL}


def send(content: bytes) -> Step:
    return lambda request, connection: (connection.sendall(content), True)[1]


@pytest.mark.parametrize("surplus", SURPLUS.values(), ids=SURPLUS)
@pytest.mark.parametrize("first", FIRST.values(), ids=FIRST)
@pytest.mark.parametrize("write", [False, True])
def test_next_request_has_a_connection_of_its_own(first: bytes, surplus: bytes, write: bool) -> None:
    with FaultServer([send(first + surplus)], then=json_response({"b": 2})) as server:
        settings: dict[str, Any] = {"token": "t", "silent": True, "cache_rest": None, "retries": Retries(tries=1)}
        with AlyxClient(server.url, **settings) as client:
            call: Callable[[str], object] = (lambda path: client.post(path, {})) if write else client.get
            assert call("/labs") == {"a": 1}
            assert call("/labs") == {"b": 2}
            assert call("/labs") == {"b": 2}
        assert server.connections == 2


@pytest.mark.parametrize("surplus", SURPLUS.values(), ids=SURPLUS)
async def test_next_request_of_tasks_has_a_connection_of_its_own(surplus: bytes) -> None:
    with FaultServer([send(FIRST["length"] + surplus)], then=json_response({"b": 2})) as server:
        async with AsyncAlyxClient(server.url, token="t", silent=True, cache_rest=None) as client:
            assert await client.get("/labs") == {"a": 1}
            assert await client.get("/labs") == {"b": 2}
        assert server.connections == 2


@pytest.mark.parametrize("surplus", SURPLUS.values(), ids=SURPLUS)
def test_next_download_has_a_connection_of_its_own(surplus: bytes, tmp_path: Path) -> None:
    with FaultServer([send(FIRST["length"] + surplus)], then=response(b"data")) as server:
        with AlyxClient(server.url, token="t", silent=True, cache_rest=None) as client:
            paths = [client.download_file(f"{server.url}/{name}", target_dir=tmp_path) for name in ("a", "b")]
        assert [path.read_bytes() for path in paths] == [b'{"a": 1}', b"data"]
        assert server.connections == 2


@pytest.mark.parametrize("size", [300_000, 5_000_000])
@pytest.mark.parametrize("surplus", [b"", *SURPLUS.values()], ids=["none", *SURPLUS])
def test_next_download_after_a_large_one_has_a_connection_of_its_own(surplus: bytes, size: int, tmp_path: Path) -> None:
    # Large bodies are read past the parser, which learns how much of its response that was.
    body = content(size)
    steps = [send(response_head(200, {"Content-Length": str(size)}) + body + surplus) for _ in range(2)]
    with FaultServer(steps, then=response(b"data")) as server:
        with AlyxClient(server.url, token="t", silent=True, cache_rest=None) as client:
            paths = [client.download_file(f"{server.url}/{name}", target_dir=tmp_path) for name in ("a", "b", "c")]
        assert [path.read_bytes() for path in paths] == [body, body, b"data"]
        assert server.connections == (3 if surplus else 1)


@pytest.mark.parametrize("surplus", [b"", EVIL])
def test_surplus_behind_encryption_is_noticed(surplus: bytes, tmp_path: Path) -> None:
    # Decrypted with the end of the body, it is no longer in the socket, where httpcore2 looks for it.
    certificate, body = make_certificate(tmp_path), content(300_000)
    first = send(response_head(200, {"Content-Length": "300000"}) + body + surplus)
    with FaultServer([first], then=response(b"data"), tls=certificate.serving) as server:
        trusting = ssl.create_default_context(cafile=certificate.path)
        with AlyxClient(server.url, token="t", silent=True, cache_rest=None, verify=trusting) as client:
            paths = [client.download_file(f"{server.url}/{name}", target_dir=tmp_path) for name in ("a", "b")]
        assert [path.read_bytes() for path in paths] == [body, b"data"]
        assert server.connections == (2 if surplus else 1)


def test_connections_without_surplus_are_reused() -> None:
    with FaultServer(then=json_response({"b": 2})) as server:
        with AlyxClient(server.url, token="t", silent=True, cache_rest=None) as client:
            for _ in range(3):
                client.get("/labs")
        assert server.connections == 1
