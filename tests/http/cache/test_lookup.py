"""Responses that are stored and served, by request and user, over real HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alyx_client.errors import (
    AlyxConnectionError,
    AlyxHTTPError,
    OfflineError,
)
from alyx_client.http.cache import policy
from alyx_client.http.cache.response_cache import ResponseCache
from alyx_client.http.message import FilePart, Request, Response, TokenUser
from tests import faults
from tests.faults import FaultServer
from tests.http.cache.clients import CREATE, SUBJECTS, Client, Connect, body, echo


def test_fresh_response_is_served_without_a_request(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    first, again = client(SUBJECTS), client(SUBJECTS)
    assert (again.status, again.content, again.method, again.url) == (200, first.content, "GET", first.url)
    assert again.headers["content-type"] == first.headers["content-type"]
    assert len(server.requests) == 1


def test_another_client_is_served_too(connect: Connect, server: FaultServer) -> None:
    connect(server)(SUBJECTS)
    assert body(connect(server)(SUBJECTS))["target"] == "/subjects"
    assert len(server.requests) == 1


def test_query_and_its_order_are_part_of_the_key(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    for params in [(), (("a", "1"),), (("a", "1"), ("b", "2")), (("b", "2"), ("a", "1")), (("a", "1&b=2"),)]:
        expected = "&".join(f"{name}={value.replace('&', '%26').replace('=', '%3D')}" for name, value in params)
        for _ in range(2):
            assert body(client(Request("GET", "/x", params)))["target"].partition("?")[2] == expected
    assert len(server.requests) == 5


def test_absolute_url_has_the_key_of_its_path(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(Request("GET", "/subjects", (("lab", "a b"),)))
    client(Request("GET", f"{server.url}/subjects?lab=a%20b"))
    client(Request("GET", "/subjects?lab=a%20b"))
    assert len(server.requests) == 1


def test_base_path_differs_from_a_path_with_the_same_beginning(folder: Path, server: FaultServer) -> None:
    client = Client(folder, f"{server.url}/alyx")
    for path in ("/subjects", f"{server.url}/alyx/subjects", f"{server.url}/alyxsubjects", f"{server.url}/subjects"):
        client(Request("GET", path))
    assert server.paths == ["/alyx/subjects", "/alyxsubjects", "/subjects"]
    client.close()


def test_accept_header_is_part_of_the_key(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(Request("GET", "/docs", accept="application/coreapi+json"))
    client(Request("GET", "/docs", accept="application/json"))
    assert len(server.requests) == 2


def test_user_is_never_served_another_users_response(connect: Connect, server: FaultServer) -> None:
    alice, bob = connect(server, user="alice"), connect(server, user="bob")
    for _ in range(2):
        assert body(alice(SUBJECTS))["sender"] == "alice"
        assert body(bob(SUBJECTS))["sender"] == "bob"
    assert server.tokens == ["alice", "bob"]


def test_user_is_never_served_another_users_response_offline(connect: Connect, server: FaultServer) -> None:
    connect(server, user="alice")(SUBJECTS, username="alice")
    server.close()
    bob = connect(server, user="bob")
    with pytest.raises(AlyxConnectionError):
        bob(SUBJECTS, username="alice")
    bob.cache.offline = True
    with pytest.raises(OfflineError):
        bob(SUBJECTS, username="alice")


def test_unknown_user_is_served_nothing(connect: Connect, server: FaultServer) -> None:
    connect(server, user="alice")(SUBJECTS, username="olivier")
    late = connect(server, user=None)
    assert body(late(SUBJECTS, username="olivier"))["sender"] == "late"
    # The response after the login belongs to its own user.
    assert body(connect(server, user="late")(SUBJECTS))["sender"] == "late"
    assert body(connect(server, user="alice")(SUBJECTS))["sender"] == "alice"
    assert server.tokens == ["alice", "late"]


def test_mode_get_stores_responses_to_get_only(connect: Connect, server: FaultServer) -> None:
    client = connect(server, mode="get")
    assert client.cache.mode == "GET"
    for method in ("POST", "PUT", "PATCH", "HEAD", "OPTIONS"):
        for _ in range(2):
            client(Request(method, "/subjects"))
    assert len(server.requests) == 10


def test_method_is_part_of_the_key(connect: Connect, server: FaultServer) -> None:
    client = connect(server, mode="*")
    for method in ("GET", "POST", "PUT", "PATCH", "GET", "POST"):
        assert body(client(Request(method, "/subjects")))["method"] == method


def test_body_is_part_of_the_key(connect: Connect, server: FaultServer) -> None:
    client = connect(server, mode="*")
    one, two = FilePart("image", "a.png", b"one"), FilePart("image", "a.png", b"two")
    requests = [
        Request("POST", "/notes", json=None),
        Request("POST", "/notes", json=b""),
        Request("POST", "/notes", json=b"[1]"),
        Request("POST", "/notes", json=b"[2]"),
        Request("POST", "/notes", form=(("text", "a"),), files=(one,)),
        Request("POST", "/notes", form=(("text", "b"),), files=(one,)),
        Request("POST", "/notes", form=(("text", "a"),), files=(two,)),
        Request("POST", "/notes", form=(("text", "a"),), files=(one, two)),
        Request("POST", "/notes", form=(("text", "a"),), files=(FilePart("image", "b.png", b"one"),)),
    ]
    for request in requests:
        call = client.cache.begin(request, "alice")
        assert call.response is None
        name = str(requests.index(request)).encode()
        call.store(Response(201, {"content-type": "application/json"}, name, "POST", sender=TokenUser("alice")))
        call.close()
        again = client.cache.begin(request, "alice").response
        assert again is not None
        assert again.content == name


def test_mode_all_serves_a_write_until_the_next_write(connect: Connect, server: FaultServer) -> None:
    client = connect(server, mode="*")
    other = Request("POST", "/sessions", json=b"{}")
    for request in (CREATE, CREATE, other, other, CREATE):
        assert body(client(request))["target"] == request.path
    assert server.paths == ["/subjects", "/sessions", "/subjects"]


def test_mode_all_does_not_store_a_write_that_another_overtook(connect: Connect, server: FaultServer) -> None:
    client = connect(server, mode="*")
    call = client.cache.begin(CREATE, "alice")
    client(Request("DELETE", "/subjects/flowers"))
    call.store(Response(201, {"content-type": "application/json"}, b"{}", "POST", sender=TokenUser("alice")))
    call.close()
    assert client.cache.begin(CREATE, "alice").response is None


def test_write_served_from_the_cache_makes_no_read_stale(connect: Connect, server: FaultServer) -> None:
    client = connect(server, mode="*")
    for request in (CREATE, SUBJECTS, CREATE, SUBJECTS):
        client(request)
    assert [request.method for request in server.requests] == ["POST", "GET"]


def test_mode_none_neither_serves_nor_stores(connect: Connect, server: FaultServer, folder: Path) -> None:
    client = connect(server, mode=None)
    client(SUBJECTS)
    client(CREATE)
    client(SUBJECTS)
    assert not folder.exists()
    connect(server)(SUBJECTS)
    client(SUBJECTS)
    assert len(server.requests) == 5


@pytest.mark.parametrize("mode", ["", "POST", "all", True, 1, []])
def test_other_modes_are_refused(folder: Path, mode: Any) -> None:
    cache = ResponseCache(folder, "https://alyx.example.org")
    for set_mode in (
        lambda: ResponseCache(folder, "https://alyx.example.org", mode=mode),
        lambda: setattr(cache, "mode", mode),
    ):
        with pytest.raises(ValueError, match=r"'GET', '\*' or None"):
            set_mode()
    assert cache.mode == "GET"


@pytest.mark.parametrize(
    ("step", "request_"),
    [
        (faults.response(b"<html>", content_type="text/html"), SUBJECTS),
        (faults.response(b"PK", content_type="application/zip"), SUBJECTS),
        (echo, Request("GET", "/subjects", authenticate=False)),
        (echo, Request("GET", "/auth-token")),
        (echo, Request("POST", "/auth-token", json=b"{}", authenticate=False)),
        (echo, Request("POST", "/auth-token", json=b"{}")),
        (echo, Request("POST", "/%61uth-token", json=b"{}")),
    ],
    ids=["html", "zip", "without_token", "get_auth_token", "login", "login_with_token", "encoded"],
)
def test_response_is_not_stored(connect: Connect, step: faults.Step, request_: Request) -> None:
    with FaultServer(then=step) as server:
        client = connect(server, mode="*")
        client(request_)
        client(request_)
        assert len(server.requests) == 2


@pytest.mark.parametrize("status", [304, 400, 404, 500])
def test_error_response_is_not_stored(connect: Connect, status: int) -> None:
    with FaultServer([faults.json_response({}, status=status)], then=echo) as server:
        client = connect(server)
        with pytest.raises(AlyxHTTPError):
            client(SUBJECTS)
        assert client(SUBJECTS).status == 200


def test_response_that_is_too_large_is_not_stored(folder: Path) -> None:
    cache = ResponseCache(folder, "https://alyx.example.org")
    for size, is_stored in ((64 * 2**20, True), (64 * 2**20 + 1, False)):
        request = Request("GET", f"/{size}")
        call = cache.begin(request, "alice")
        call.store(Response(200, {"content-type": "application/json"}, b" " * size, sender=TokenUser("alice")))
        assert (cache.begin(request, "alice").response is not None) is is_stored
    cache.close()


def test_response_is_served_byte_for_byte(connect: Connect) -> None:
    content = json.dumps({"name": "Žofia ☃"}, ensure_ascii=False).encode() + bytes(range(256))
    with FaultServer(then=faults.response(content, headers={"Allow": "GET, POST", "X-Notice": "now"})) as server:
        client = connect(server)
        client(SUBJECTS)
        again = client(SUBJECTS)
        assert again.content == content
        assert again.headers == {"content-type": "application/json", "allow": "GET, POST"}


@pytest.mark.parametrize(
    "request_",
    [
        Request("POST", "/auth-token", json=b"{}"),
        Request("GET", "/auth-token/"),
        Request("POST", "/AUTH-TOKEN/", json=b"{}"),
        Request("POST", "/%61uth-token", json=b"{}"),
        Request("POST", "/labs/../auth-token", json=b"{}"),
        Request("POST", "/alyx/auth-token/", json=b"{}"),
        Request("GET", "/rest-auth/user"),
        Request("POST", "/rest-auth/login/", json=b"{}"),
        Request("PATCH", "/users/me", json=b'{"new_password": "x"}'),
        Request("POST", "/x", json=b'{"a": [{"api_key" : "x"}]}'),
        Request("POST", "/x", form=(("Password", "x"),)),
        Request("GET", "/labs", authenticate=False),
    ],
    ids=lambda request: f"{request.method} {request.path}",
)
def test_logins_and_secrets_are_not_stored(request_: Request) -> None:
    for mode in ("GET", "*"):
        assert not policy.is_cacheable(request_, request_.path, mode)


@pytest.mark.parametrize(
    ("content", "is_stored"),
    [
        (b'{"token": "abc"}', False),
        (b'[{"user": {"auth_token":"abc"}}]', False),
        (b'{"password" :\n"abc"}', False),
        (b'{"token": {"type": "string"}, "name": "token"}', True),
        (b'{"token": "", "token_count": "3"}', True),
    ],
)
def test_write_that_returns_a_secret_is_not_stored(content: bytes, is_stored: bool) -> None:
    response = Response(200, {"content-type": "application/json"}, content, "POST", "http://x/x")
    assert policy.is_storable(response) is is_stored
