"""Bodies of responses: decoded as they arrive, and never more than the limit in memory."""

from __future__ import annotations

import gzip
import json
import socket
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from alyx_client import AlyxClient
from alyx_client.errors import (
    AlyxConnectionError,
    NotFoundError,
    ResponseTooLargeError,
    ServerError,
    UnexpectedAnswerError,
)
from tests import faults
from tests.faults import FaultServer, Received, Step, json_response, response, response_head
from tests.http.transports import CREATE, LIST, TransportFactory, with_password

LIMIT = 100_000
ZEROS = bytes(50_000_000)


def raw_deflate(content: bytes) -> bytes:
    coder = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return coder.compress(content) + coder.flush()


ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "GZIP": gzip.compress,
    "deflate": zlib.compress,
    " deflate ": raw_deflate,
    "gzip, gzip": lambda content: gzip.compress(gzip.compress(content)),
    "deflate, gzip": lambda content: gzip.compress(zlib.compress(content)),
    "identity": lambda content: content,
    "": lambda content: content,
}


def encoded(content: bytes, encoding: str, *, status: int = 200, chunked: bool = False) -> Step:
    body = ENCODINGS[encoding](content)
    if not chunked:
        return response(body, status=status, headers={"Content-Encoding": encoding})

    def step(request: Received, connection: socket.socket) -> bool:
        head = {"Content-Type": "application/json", "Transfer-Encoding": "chunked", "Content-Encoding": encoding}
        connection.sendall(response_head(status, head))
        for start in range(0, len(body), 65536):
            piece = body[start : start + 65536]
            connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
        return True

    return step


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_response_of_any_encoding_is_limited(connect: TransportFactory, encoding: str, chunked: bool) -> None:
    exact, longer = json.dumps("x" * (LIMIT - 2)).encode(), json.dumps("x" * (LIMIT - 1)).encode()
    with FaultServer([encoded(body, encoding, chunked=chunked) for body in (exact, longer, ZEROS, b"[]")]) as server:
        sender = connect(server.url, max_response_bytes=LIMIT)
        assert sender.send(LIST).content == exact
        for _ in range(2):
            with pytest.raises(ResponseTooLargeError, match=r"status 200\) has more than 100000 bytes.*max_response_"):
                sender.send(LIST)
        assert sender.send(LIST).content == b"[]"
        # Nothing is retried: the response would be the same.
        assert len(server.requests) == 4


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip", "deflate"])
def test_response_that_is_too_large_takes_no_memory(connect: TransportFactory, encoding: str) -> None:
    with FaultServer([json_response([]), encoded(ZEROS, encoding)]) as server:
        sender = connect(server.url, max_response_bytes=LIMIT)
        sender.send(LIST)
        tracemalloc.start()
        try:
            with pytest.raises(ResponseTooLargeError):
                sender.send(LIST)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    # The server holds the encoded response, since it runs in this process.
    assert peak < 5_000_000


def test_write_whose_response_is_too_large_was_carried_out(connect: TransportFactory) -> None:
    with FaultServer([encoded(ZEROS, "gzip", status=201)]) as server:
        with pytest.raises(ResponseTooLargeError, match="has acted on the request"):
            connect(server.url, max_response_bytes=LIMIT).send(CREATE)
        assert len(server.requests) == 1


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip", "deflate", "identity", "br", "broken"])
@pytest.mark.parametrize(("status", "error"), [(404, NotFoundError), (500, ServerError)])
def test_error_keeps_its_meaning_whatever_its_body(
    connect: TransportFactory, encoding: str, status: int, error: type[Exception]
) -> None:
    step = {
        "br": response(b"\x00" * 100, status=status, headers={"Content-Encoding": "br"}),
        "broken": response(b"no gzip", status=status, headers={"Content-Encoding": "gzip"}),
    }.get(encoding) or encoded(ZEROS, encoding, status=status)
    with FaultServer([step, json_response([])]) as server:
        sender = connect(server.url)
        with pytest.raises(error):
            sender.send(LIST)
        assert sender.send(LIST).content == b"[]"


def test_reasons_of_an_encoded_error_are_read(connect: TransportFactory) -> None:
    body = json.dumps({"detail": "No lab of that name."}).encode()
    server = FaultServer([encoded(body, "gzip", status=404)])
    with server, pytest.raises(NotFoundError, match="No lab of that name"):
        connect(server.url).send(LIST)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br", "gzip, gzip, gzip", "nonsense"])
def test_encoding_that_was_not_requested_is_refused(connect: TransportFactory, encoding: str) -> None:
    with FaultServer([response(b"abc", headers={"Content-Encoding": encoding})]) as server:
        with pytest.raises(UnexpectedAnswerError, match=rf"encoding that was not requested \({encoding}\)"):
            connect(server.url).send(LIST)
        assert len(server.requests) == 1
        assert server.requests[0].headers["accept-encoding"] == "gzip, deflate"


def test_several_members_of_gzip_are_one_body(connect: TransportFactory) -> None:
    body = gzip.compress(b'["a", ') + gzip.compress(b'"b"]') + bytes(20)
    with FaultServer([response(body, headers={"Content-Encoding": "gzip"})]) as server:
        assert connect(server.url).send(LIST).content == b'["a", "b"]'


@pytest.mark.parametrize("damage", [lambda body: body[:-20], lambda body: body[:10] + b"x" * 50 + body[60:]])
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_damaged_encoding_is_a_broken_connection_and_retried(
    connect: TransportFactory, encoding: str, damage: Callable[[bytes], bytes]
) -> None:
    body = damage(ENCODINGS[encoding](json.dumps(list(range(1000))).encode()))
    step = response(body, headers={"Content-Encoding": encoding})
    with FaultServer([step, json_response([])]) as server:
        assert connect(server.url).send(LIST).content == b"[]"
    with FaultServer(then=step) as server, pytest.raises(AlyxConnectionError, match="encoding"):
        connect(server.url).send(LIST)


def test_login_response_has_a_small_limit(connect: TransportFactory) -> None:
    routes = {"/auth-token": [encoded(json.dumps({"token": "x" * 10**6}).encode(), "gzip")]}
    with FaultServer(routes=routes, then=json_response([])) as server:
        with pytest.raises(ResponseTooLargeError, match=r"POST .*/auth-token"):
            connect(server.url, credentials=with_password(server.url)).send(LIST)
        assert server.paths == ["/auth-token"]


def test_slow_body_is_read_to_its_end(connect: TransportFactory) -> None:
    with FaultServer([faults.response(b"[1]", delay=0.05)]) as server:
        assert connect(server.url).send(LIST).content == b"[1]"


def test_login_whose_response_is_too_large_names_the_address() -> None:
    with (
        FaultServer(then=encoded(ZEROS, "gzip")) as server,
        AlyxClient(server.url, silent=True) as client,
        pytest.raises(ResponseTooLargeError, match=r"no such response of Alyx has\.") as raised,
    ):
        client.authenticate("x", "y")
    assert "max_response_bytes" not in str(raised.value)
