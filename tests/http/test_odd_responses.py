"""Odd redirects, statuses and header fields, over real HTTP."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient, AlyxError, AsyncAlyxClient, Retries
from alyx_client.errors import AlyxConnectionError, AlyxHTTPError, RateLimitError, UnexpectedAnswerError
from alyx_client.http.headers import readable_wait, retry_after
from tests.faults import FaultServer, Received, Step, http_date, json_response


def raw(status: str, *fields: str, content: bytes = b"[]") -> Step:
    """Send a response whose header fields are as they are."""

    def step(request: Received, connection: socket.socket) -> bool:
        lines = [f"HTTP/1.1 {status}", *fields, f"Content-Length: {len(content)}", "", ""]
        connection.sendall("\r\n".join(lines).encode() + content)
        return True

    return step


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


def client_of(server: FaultServer, **options: Any) -> AlyxClient:
    settings: dict[str, Any] = {"retries": Retries(tries=3, base=0), "cache_rest": None, "silent": True}
    return AlyxClient(server.url, token="t" * 40, **{**settings, **options})


CALLS: dict[str, Callable[[AlyxClient, Path], object]] = {
    "get": lambda client, folder: client.get("/labs"),
    "list": lambda client, folder: list(client.labs.list()),
    "read": lambda client, folder: client.labs.read("x"),
    "post": lambda client, folder: client.post("/labs", data={"name": "x"}),
    "login": lambda client, folder: client.authenticate("x", "y"),
    "schema": lambda client, folder: client.rest_schemes.keys(),
    "download": lambda client, folder: client.download_file(f"{client.base_url}/f", target_dir=folder),
}
ODD_TARGETS = [
    "http://[",
    "http://[::1",
    "http://127.0.0.1:1:2/",
    "javascript:alert(1)",
    "data:,x",
    "mailto:x",
    "file:///x",
]
ODD_TARGETS += ["/\t/x", f"/{'a' * 70_000}", "http://xn--a/", "", " ", "http://127.0.0.1:99999/"]
ANYWHERE = {"/\t/x", "http://xn--a/", f"/{'a' * 70_000}"}


@pytest.mark.parametrize(
    ("target", "name"),
    # Downloads may be redirected to any server.
    [(target, name) for target in ODD_TARGETS for name in CALLS if name != "download" or target not in ANYWHERE],
    ids=lambda text: ascii(text[:30]),
)
def test_redirect_to_what_is_no_address_is_named(server: FaultServer, tmp_path: Path, target: str, name: str) -> None:
    server.then = raw("302 Found", f"Location: {target}")
    with client_of(server) as client, pytest.raises(AlyxError, match=r"redirected|status 302") as raised:
        CALLS[name](client, tmp_path)
    assert raised.value.status_code == 302
    assert "may have acted" not in str(raised.value)
    assert len(server.requests) == len(set(server.paths))  # the schema may be at several paths


async def test_redirect_of_an_asynchronous_call_is_named(server: FaultServer) -> None:
    server.then = raw("302 Found", "Location: http://[")
    async with AsyncAlyxClient(server.url, token="t" * 40, cache_rest=None, silent=True) as client:
        with pytest.raises(AlyxHTTPError, match="redirected"):
            await client.get("/labs")
    assert len(server.requests) == 1


@pytest.mark.parametrize("target", ["", "?x=1", "labs", "/labs#f", "//127.0.0.1:{port}/labs", "http:labs"])
def test_circles_of_redirects_are_named(server: FaultServer, target: str) -> None:
    target = target.format(port=server.port) or server.url + "/labs"
    server.then = raw("301 Moved", f"Location: {target}")
    with client_of(server) as client, pytest.raises(AlyxHTTPError, match="again, after 10 redirects"):
        client.get("/labs")
    assert len(server.requests) == 11


@pytest.mark.parametrize("targets", [("/a", "/b"), ("/a", "http://127.0.0.1:1/")])
def test_two_different_targets_are_not_followed(server: FaultServer, targets: tuple[str, str]) -> None:
    server.then = raw("302 Found", *(f"Location: {target}" for target in targets))
    with client_of(server) as client, pytest.raises(AlyxHTTPError, match="which was not followed"):
        client.get("/labs")
    assert server.paths == ["/labs"]


def test_target_that_is_there_twice_is_followed(server: FaultServer) -> None:
    server.script("/labs", raw("302 Found", "Location: /a", "Location: /a"))
    server.script("/a", json_response([1]))
    with client_of(server) as client:
        assert client.get("/labs") == [1]


def test_secrets_in_fragments_of_redirects_are_not_shown(server: FaultServer) -> None:
    server.then = raw("302 Found", "Location: https://user:word@portal.example/login#access_token=secret")
    with client_of(server) as client, pytest.raises(AlyxHTTPError, match=r"https://portal\.example/login, ") as raised:
        client.get("/labs")
    assert "secret" not in str(raised.value)
    assert "word" not in str(raised.value)


@pytest.mark.parametrize("status", [300, 304, 305, 306, 399])
def test_status_that_is_no_redirect_is_not_called_one(server: FaultServer, status: int) -> None:
    server.then = raw(f"{status} X", "Location: /other")
    with client_of(server) as client, pytest.raises(AlyxHTTPError, match=f"with status {status}"):
        client.get("/labs")


@pytest.mark.parametrize("name", ["get", "list", "read", "post", "schema"])
def test_part_of_a_response_does_not_pass_for_the_whole(server: FaultServer, tmp_path: Path, name: str) -> None:
    part = raw("206 Partial Content", "Content-Type: application/json", "Content-Range: bytes 0-1/100")
    server.then = part
    with client_of(server, cache_rest="GET") as client:
        with pytest.raises(UnexpectedAnswerError, match="answered 206"):
            CALLS[name](client, tmp_path)
        server.then = json_response([1])
        assert client.get("/labs") == [1]


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        (["0", "500"], 500),
        (["500", "0"], 500),
        (["7, 3"], 7),
        (["1.5"], 1.5),
        (["9" * 400], 1e9),
        (["Thu, 01 Jan 1970 00:00:09 GMT", "Thu, 01 Jan 1970 00:00:04 GMT"], 9),
        (["Thursday, 01-Jan-70 00:00:09 GMT, 3"], 9),
        (["Fri, 31 Dec 9999 23:59:59 GMT"], 1e9),
        (["x", "5"], 5),
        (["-1"], None),
        (["nan"], None),
        (["\u0661"], None),
        ([","], None),
        ([""], None),
    ],
)
def test_longest_of_several_waits_counts(fields: list[str], seconds: float | None) -> None:
    assert retry_after({"retry-after": ", ".join(fields)}, now=0.0) == seconds


def test_server_that_asks_for_two_waits_is_given_the_longer_one(server: FaultServer) -> None:
    server.then = raw("429 X", "Retry-After: 0", "Retry-After: 90000", f"Date: {http_date(0)}")
    with client_of(server) as client, pytest.raises(RateLimitError, match="wait more than a day"):
        client.get("/labs")
    assert len(server.requests) == 1


def test_waits_are_readable() -> None:
    assert [readable_wait(wait, "later", "in ") for wait in (None, 0, 3600, 1e9)] == [
        "later",
        "in 0 s",
        "in 3600 s",
        "in more than a day",
    ]


@pytest.mark.parametrize(
    "head",
    [
        "HTTP/1.1 200 OK\r\nContent-Length: +2",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity",
        "HTTP/1.1 1000 OK\r\nContent-Length: 2",
        "HTTP/1.1 200 OK\r\na b: c",
        "ICY 200 OK",
        "SSH-2.0-OpenSSH_9.6",
    ],
)
@pytest.mark.parametrize("name", ["get", "post", "login", "download"])
def test_response_that_is_not_http_is_called_so(server: FaultServer, tmp_path: Path, head: str, name: str) -> None:
    def step(request: Received, connection: socket.socket) -> bool:
        connection.sendall(f"{head}\r\n\r\n[]".encode())
        return False

    server.then = step
    with (
        client_of(server, data_server=server.url) as client,
        pytest.raises(AlyxConnectionError, match="is not valid HTTP") as raised,
    ):
        CALLS[name](client, tmp_path)
    assert ("may have acted" in str(raised.value)) is (name in ("post", "login"))
    assert len(server.requests) == (1 if name in ("post", "login") else 3)
