"""Which answers are kept and given again, over real HTTP."""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
import pickle
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alyx_client.auth.credentials import Credentials
from alyx_client.auth.state import AuthState
from alyx_client.auth.token_flow import TokenAuth
from alyx_client.errors import (
    AlyxConnectionError,
    AlyxError,
    AlyxHTTPError,
    AlyxWarning,
    OfflineError,
    ServerError,
    StaleAnswerWarning,
)
from alyx_client.http.cache.call import _readable_duration
from alyx_client.http.cache.policy import ResponseCache
from alyx_client.http.message import FilePart, Request, Response
from alyx_client.http.retry import Retries
from alyx_client.http.transport import SyncTransport
from tests import faults
from tests.faults import FaultServer, Received, closed_port

WEEK = timedelta(weeks=1)
MOMENT = timedelta(microseconds=1)
SUBJECTS = Request("GET", "/subjects")
SESSIONS = Request("GET", "/sessions")
CREATE = Request("POST", "/subjects", json=b'{"nickname": "flowers"}')


def echo(request: Received, connection: socket.socket) -> bool:
    """Answer with what was asked."""
    said = {"method": request.method, "target": request.target, "token": request.token, "body": request.body.hex()}
    return faults.json_answer(said)(request, connection)


class Client:
    """Asks as the clients do; tokens serve as opaque names of users, too."""

    def __init__(self, folder: Path, url: str, *, user: str | None = "alice", **settings: Any) -> None:
        self.user = user
        self.cache = ResponseCache(folder, url, **settings)
        credentials = Credentials(url, explicit_token=user or "late")
        self.transport = SyncTransport(
            url, TokenAuth(AuthState(credentials)), retries=Retries(tries=2, base=0.001, cap=0.001)
        )

    def __call__(self, request: Request, **settings: Any) -> Response:
        call = self.cache.begin(request, self.user, **settings)
        try:
            if call.response is not None:
                return call.response
            response = self.transport.send(request, fail_fast=call.fail_fast)
            return call.store(response, self.user or "late")
        except AlyxError as error:
            return call.fallback(error)
        finally:
            call.close()

    def close(self) -> None:
        self.transport.close()
        self.cache.close()


Connect = Callable[..., Client]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "rest"


@pytest.fixture
def connect(folder: Path) -> Iterator[Connect]:
    made: list[Client] = []

    def make(server: FaultServer | str, **settings: Any) -> Client:
        made.append(Client(folder, server if isinstance(server, str) else server.url, **settings))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer(then=echo) as made:
        yield made


def body(response: Response) -> dict[str, Any]:
    return json.loads(response.content)


# --- what is given again


def test_fresh_answer_is_given_without_asking(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    first, again = client(SUBJECTS), client(SUBJECTS)
    assert (again.status, again.content, again.method, again.url) == (200, first.content, "GET", first.url)
    assert again.headers["content-type"] == first.headers["content-type"]
    assert len(server.requests) == 1


def test_another_client_gets_it_too(connect: Connect, server: FaultServer) -> None:
    connect(server)(SUBJECTS)
    assert body(connect(server)(SUBJECTS))["target"] == "/subjects"
    assert len(server.requests) == 1


def test_query_and_its_order_are_part_of_the_question(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    for params in [(), (("a", "1"),), (("a", "1"), ("b", "2")), (("b", "2"), ("a", "1")), (("a", "1&b=2"),)]:
        expected = "&".join(f"{name}={value.replace('&', '%26').replace('=', '%3D')}" for name, value in params)
        for _ in range(2):
            assert body(client(Request("GET", "/x", params)))["target"].partition("?")[2] == expected
    assert len(server.requests) == 5


def test_absolute_url_asks_the_same_as_a_path(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(Request("GET", "/subjects", (("lab", "a b"),)))
    client(Request("GET", f"{server.url}/subjects?lab=a%20b"))
    client(Request("GET", "/subjects?lab=a%20b"))
    assert len(server.requests) == 1


def test_base_path_is_told_from_one_that_only_begins_like_it(folder: Path, server: FaultServer) -> None:
    client = Client(folder, f"{server.url}/alyx")
    for path in ("/subjects", f"{server.url}/alyx/subjects", f"{server.url}/alyxsubjects", f"{server.url}/subjects"):
        client(Request("GET", path))
    assert server.paths == ["/alyx/subjects", "/alyxsubjects", "/subjects"]
    client.close()


def test_another_form_of_the_schema_is_another_answer(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(Request("GET", "/docs", accept="application/coreapi+json"))
    client(Request("GET", "/docs", accept="application/json"))
    assert len(server.requests) == 2


def test_user_never_gets_anothers_answer(connect: Connect, server: FaultServer) -> None:
    alice, bob = connect(server, user="alice"), connect(server, user="bob")
    for _ in range(2):
        assert body(alice(SUBJECTS))["token"] == "alice"
        assert body(bob(SUBJECTS))["token"] == "bob"
    assert server.tokens == ["alice", "bob"]


def test_user_never_gets_anothers_answer_offline(connect: Connect, server: FaultServer) -> None:
    connect(server, user="alice")(SUBJECTS, username="alice")
    server.close()
    bob = connect(server, user="bob")
    with pytest.raises(AlyxConnectionError):
        bob(SUBJECTS, username="alice")
    bob.cache.offline = True
    with pytest.raises(OfflineError):
        bob(SUBJECTS, username="alice")


def test_unknown_user_gets_nothing_from_the_cache(connect: Connect, server: FaultServer) -> None:
    connect(server, user="alice")(SUBJECTS, username="olivier")
    late = connect(server, user=None)
    assert body(late(SUBJECTS, username="olivier"))["token"] == "late"
    # What it got after the login is its own.
    assert body(connect(server, user="late")(SUBJECTS))["token"] == "late"
    assert body(connect(server, user="alice")(SUBJECTS))["token"] == "alice"
    assert server.tokens == ["alice", "late"]


def test_mode_get_keeps_get_alone(connect: Connect, server: FaultServer) -> None:
    client = connect(server, mode="get")
    assert client.cache.mode == "GET"
    for method in ("POST", "PUT", "PATCH", "HEAD", "OPTIONS"):
        for _ in range(2):
            client(Request(method, "/subjects"))
    assert len(server.requests) == 10


def test_post_never_gets_the_answer_of_a_get(connect: Connect, server: FaultServer) -> None:
    client = connect(server, mode="*")
    for method in ("GET", "POST", "PUT", "PATCH", "GET", "POST"):
        assert body(client(Request(method, "/subjects")))["method"] == method


def test_two_bodies_never_share_an_answer(connect: Connect, server: FaultServer) -> None:
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
        call.store(Response(201, {"content-type": "application/json"}, name, "POST"), "alice")
        call.close()
        again = client.cache.begin(request, "alice").response
        assert again is not None
        assert again.content == name


def test_mode_all_repeats_a_write_until_another_comes(connect: Connect, server: FaultServer) -> None:
    client = connect(server, mode="*")
    other = Request("POST", "/sessions", json=b"{}")
    for request in (CREATE, CREATE, other, other, CREATE):
        assert body(client(request))["target"] == request.path
    assert server.paths == ["/subjects", "/sessions", "/subjects"]


def test_mode_all_does_not_repeat_a_write_that_another_overtook(connect: Connect, server: FaultServer) -> None:
    client = connect(server, mode="*")
    call = client.cache.begin(CREATE, "alice")
    client(Request("DELETE", "/subjects/flowers"))
    call.store(Response(201, {"content-type": "application/json"}, b"{}", "POST"), "alice")
    call.close()
    assert client.cache.begin(CREATE, "alice").response is None


def test_read_after_a_repeated_write_is_still_given(connect: Connect, server: FaultServer) -> None:
    client = connect(server, mode="*")
    for request in (CREATE, SUBJECTS, CREATE, SUBJECTS):
        client(request)
    assert [request.method for request in server.requests] == ["POST", "GET"]


def test_no_mode_neither_reads_nor_keeps(connect: Connect, server: FaultServer, folder: Path) -> None:
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
        (faults.answer(b"<html>", content_type="text/html"), SUBJECTS),
        (faults.answer(b"PK", content_type="application/zip"), SUBJECTS),
        (echo, Request("GET", "/subjects", authenticate=False)),
        (echo, Request("GET", "/auth-token")),
        (echo, Request("POST", "/auth-token", json=b"{}", authenticate=False)),
        (echo, Request("POST", "/auth-token", json=b"{}")),
    ],
    ids=["html", "zip", "without_token", "get_auth_token", "login", "login_with_token"],
)
def test_not_kept(connect: Connect, step: faults.Step, request_: Request) -> None:
    with FaultServer(then=step) as server:
        client = connect(server, mode="*")
        client(request_)
        client(request_)
        assert len(server.requests) == 2


@pytest.mark.parametrize("status", [304, 400, 404, 500])
def test_failure_is_not_kept(connect: Connect, status: int) -> None:
    with FaultServer([faults.json_answer({}, status=status)], then=echo) as server:
        client = connect(server)
        with pytest.raises(AlyxHTTPError):
            client(SUBJECTS)
        assert client(SUBJECTS).status == 200


def test_answer_that_is_too_large_is_not_kept(folder: Path) -> None:
    cache = ResponseCache(folder, "https://alyx.example.org")
    for size, kept in ((64 * 2**20, True), (64 * 2**20 + 1, False)):
        request = Request("GET", f"/{size}")
        call = cache.begin(request, "alice")
        call.store(Response(200, {"content-type": "application/json"}, b" " * size), "alice")
        assert (cache.begin(request, "alice").response is not None) is kept
    cache.close()


# --- for how long


def test_stored_expiry_holds_for_later_calls(connect: Connect, server: FaultServer) -> None:
    client = connect(server, default_expiry=timedelta(0))
    client(SUBJECTS, expires=WEEK)
    client(SUBJECTS)
    assert len(server.requests) == 1
    for _ in range(2):
        client(SESSIONS)
    assert len(server.requests) == 3


def test_expired_answer_is_asked_for_again(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(SUBJECTS, expires=MOMENT)
    client(SUBJECTS)
    client(SUBJECTS)
    assert len(server.requests) == 2


def test_read_may_want_a_younger_answer(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(SUBJECTS, expires=WEEK)
    client(SUBJECTS, expires=MOMENT)
    assert len(server.requests) == 2


def test_expires_true_keeps_nothing_fresh(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(SUBJECTS, expires=True)
    client(SUBJECTS, expires=False)
    client(SUBJECTS, expires=True)
    assert len(server.requests) == 2


def test_clobber_asks_and_keeps(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(SUBJECTS)
    newer = client(SUBJECTS, bypass_cache=True)
    assert client(SUBJECTS).content == newer.content
    assert len(server.requests) == 2


def test_default_expiry_can_be_set(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    assert client.cache.default_expiry == timedelta(minutes=5)
    client.cache.default_expiry = MOMENT
    client(SUBJECTS)
    client(SUBJECTS)
    assert len(server.requests) == 2


@pytest.mark.parametrize(("expiry", "error"), [(-MOMENT, ValueError), (300, TypeError), ("5 min", TypeError)])
def test_impossible_expiry(folder: Path, expiry: Any, error: type[Exception]) -> None:
    cache = ResponseCache(folder, "https://alyx.example.org")
    with pytest.raises(error, match="default_expiry"):
        cache.default_expiry = expiry
    with pytest.raises(error, match="expires"):
        cache.begin(SUBJECTS, "alice", expires=expiry)


def test_answer_from_the_future_is_not_fresh(
    connect: Connect, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect(server)
    with monkeypatch.context() as clock:
        clock.setattr("time.time", lambda: 2e12)
        client(SUBJECTS)
    client(SUBJECTS)
    assert len(server.requests) == 2


# --- writes


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("mode", ["GET", "*", None])
def test_read_after_a_write_asks_the_server(connect: Connect, server: FaultServer, method: str, mode: str) -> None:
    reader, writer = connect(server), connect(server, mode=mode)
    for request in (SUBJECTS, SESSIONS):
        reader(request, expires=WEEK)
    writer(Request(method, "/subjects/flowers", json=b"{}"))
    for request in (SUBJECTS, SESSIONS):
        reader(request)
        reader(request)
    assert len(server.requests) == 5


def test_write_of_another_user_counts_too(connect: Connect, server: FaultServer) -> None:
    alice, bob = connect(server, user="alice"), connect(server, user="bob")
    alice(SUBJECTS)
    bob(CREATE)
    alice(SUBJECTS)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "step", [faults.json_answer({}, status=500), faults.json_answer({}, status=400), faults.reset_before_headers()]
)
def test_read_after_a_failed_write_asks_the_server(connect: Connect, step: faults.Step) -> None:
    with FaultServer([echo, step], then=echo) as server:
        client = connect(server)
        client(SUBJECTS)
        with pytest.raises(AlyxError):
            client(CREATE)
        client(SUBJECTS)
        assert len(server.requests) == 3


def test_read_during_an_interrupted_write_is_not_current_after_it(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    call = client.cache.begin(CREATE, "alice")
    client(SUBJECTS)
    call.close()  # as a finally does, with no store() or fallback() before
    client(SUBJECTS)
    assert len(server.requests) == 2


def test_login_is_no_write(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(SUBJECTS)
    client(Request("POST", "/auth-token", json=b"{}", authenticate=False))
    client(SUBJECTS)
    assert server.paths == ["/subjects", "/auth-token"]


def test_schema_outlives_writes(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    schemas = [Request("GET", "/api/schema"), Request("GET", "/docs", (("format", "corejson"),))]
    for schema in schemas:
        client(schema, expires=WEEK)
    client(CREATE)
    for schema in schemas:
        client(schema, expires=WEEK)
    assert len(server.requests) == 3


class Database:
    """A server whose answer tells how often it was written to; a slow read answers late with what it saw early."""

    def __init__(self) -> None:
        self.writes = 0
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self, request: Received, connection: socket.socket) -> bool:
        seen = self.writes
        if request.method == "POST":
            self.writes += 1
            seen = self.writes
        if "slow" in request.target:
            self.begun.set()
            assert self.go_on.wait(30)
        return faults.json_answer({"writes": seen})(request, connection)


SLOW = Request("GET", "/subjects", (("slow", "1"),))


def test_slow_read_overtaken_by_a_write_in_a_thread(connect: Connect) -> None:
    database = Database()
    with FaultServer(then=database) as server, ThreadPoolExecutor(1) as pool:
        client = connect(server)
        slow = pool.submit(client, SLOW)
        assert database.begun.wait(30)
        client(CREATE)
        database.go_on.set()
        assert body(slow.result())["writes"] == 0
        assert body(client(SLOW))["writes"] == 1
        assert body(client(SLOW))["writes"] == 1
        assert len(server.requests) == 3


def test_slow_read_overtaken_by_a_write_of_another_process(connect: Connect, folder: Path) -> None:
    database = Database()
    with FaultServer(then=database) as server, ThreadPoolExecutor(1) as pool:
        client = connect(server)
        slow = pool.submit(client, SLOW)
        assert database.begun.wait(30)
        code = (
            "import sys; from tests.http.test_cache_policy import *;"
            "Client(Path(sys.argv[1]), sys.argv[2], mode=None)(CREATE)"
        )
        command = [sys.executable, "-c", code, str(folder), server.url]
        subprocess.run(command, check=True, cwd=Path(__file__).parents[2])
        database.go_on.set()
        assert body(slow.result())["writes"] == 0
        assert body(client(SLOW))["writes"] == 1


def test_threads_and_processes_never_read_older_than_their_own_write(folder: Path) -> None:
    # Every client writes and then reads several endpoints: each answer counts at least the client's own write.
    code = """
import sys
from tests.http.test_cache_policy import *
client = Client(Path(sys.argv[1]), sys.argv[2], user="alice")
def work(number):
    for step in range(15):
        for endpoint in ("subjects", "sessions"):
            client(Request("GET", f"/{endpoint}"))
        own = body(client(Request("POST", f"/{('subjects', 'sessions')[step % 2]}", json=b"{}")))["writes"]
        for endpoint in ("subjects", "sessions", "subjects"):
            assert body(client(Request("GET", f"/{endpoint}")))["writes"] >= own
with ThreadPoolExecutor(3) as pool:
    list(pool.map(work, range(3)))
client.close()
"""
    counted = threading.Lock()
    database = Database()

    def step(request: Received, connection: socket.socket) -> bool:
        with counted:
            if request.method == "POST":
                database.writes += 1
            seen = database.writes
        return faults.json_answer({"writes": seen})(request, connection)

    with FaultServer(then=step) as server:
        command = [sys.executable, "-c", code, str(folder), server.url]
        processes = [
            subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=subprocess.PIPE, text=True)
            for _ in range(4)
        ]
        for process in processes:
            _, wrong = process.communicate(timeout=120)
            assert process.returncode == 0, wrong
        assert database.writes == 4 * 3 * 15
        reads = sum(request.method == "GET" for request in server.requests)
        assert reads < 4 * 3 * 15 * 5  # some came from the cache


# --- out of reach


def test_unreachable_server_gives_the_last_answer_with_its_age(
    connect: Connect, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect(server)
    first = client(Request("GET", "/subjects?token=secret"))
    server.close()
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 3 * 3600 + 5)
    with pytest.warns(StaleAnswerWarning) as warned:
        assert client(Request("GET", "/subjects?token=secret")).content == first.content
    said = str(warned[0].message)
    assert "cannot be reached" in said
    assert "GET /subjects" in said
    assert "3 hours old" in said
    assert "secret" not in said
    assert issubclass(StaleAnswerWarning, RuntimeWarning)
    assert issubclass(StaleAnswerWarning, AlyxWarning)
    assert warned[0].filename == __file__


@pytest.mark.parametrize(
    ("seconds", "age"),
    [
        (0.2, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (7199, "1 hour"),
        (2 * 86400, "2 days"),
        (-100, "1 second"),
    ],
)
def test_age_is_readable(seconds: float, age: str) -> None:
    assert _readable_duration(seconds) == age


def test_expired_answers_serve_an_unreachable_server(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(SUBJECTS, expires=True)
    client(SESSIONS, expires=MOMENT)
    server.close()
    for request in (SUBJECTS, SESSIONS):
        with pytest.warns(StaleAnswerWarning):
            client(request)


def test_unreachable_server_is_not_tried_for_long_where_there_is_an_answer(
    connect: Connect, server: FaultServer
) -> None:
    client = connect(server)
    assert not client.cache.begin(SUBJECTS, "alice").fail_fast
    client(SUBJECTS, expires=True)
    assert client.cache.begin(SUBJECTS, "alice").fail_fast
    assert not client.cache.begin(SUBJECTS, "alice", bypass_cache=True).fail_fast


def test_unreachable_server_and_nothing_kept(connect: Connect) -> None:
    with pytest.raises(AlyxConnectionError):
        connect(f"http://127.0.0.1:{closed_port()}")(SUBJECTS)


def test_clobber_and_no_mode_want_no_older_answer(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(SUBJECTS)
    server.close()
    with pytest.raises(AlyxConnectionError):
        client(SUBJECTS, bypass_cache=True)
    client.cache.mode = None
    with pytest.raises(AlyxConnectionError):
        client(SUBJECTS)


def test_other_failures_are_raised(connect: Connect) -> None:
    with FaultServer([echo], then=faults.json_answer({}, status=500)) as server:
        client = connect(server)
        client(SUBJECTS, expires=True)
        with pytest.raises(ServerError):
            client(SUBJECTS)
    with FaultServer([echo], then=faults.reset_before_headers()) as server:
        client = connect(server)
        client(SUBJECTS, expires=True)
        with pytest.raises(AlyxConnectionError):
            client(SUBJECTS)


def test_write_never_gets_an_older_answer(connect: Connect, server: FaultServer) -> None:
    client = connect(server, mode="*")
    client(CREATE, expires=True)
    server.close()
    with pytest.raises(AlyxConnectionError):
        client(CREATE)


def test_answers_before_a_write_to_the_endpoint_are_gone(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    for request in (SUBJECTS, SESSIONS):
        client(request)
    client(CREATE)
    server.close()
    with pytest.raises(AlyxConnectionError):
        client(SUBJECTS)
    with pytest.warns(StaleAnswerWarning):
        client(SESSIONS)


def test_write_that_never_reached_the_server_costs_no_answer(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(SUBJECTS)
    server.close()
    with pytest.raises(AlyxConnectionError):
        client(CREATE)
    with pytest.warns(StaleAnswerWarning):
        client(SUBJECTS)


def test_user_without_token_is_found_by_name(connect: Connect, server: FaultServer) -> None:
    connect(server, user="alice")(SUBJECTS, username="olivier")
    connect(server, user="bob")(SUBJECTS, username="karolina")
    server.close()
    client = connect(server, user=None)
    with pytest.warns(StaleAnswerWarning):
        assert body(client(SUBJECTS, username="olivier"))["token"] == "alice"
    with pytest.raises(AlyxConnectionError):
        client(SUBJECTS, username="nobody")
    with pytest.raises(AlyxConnectionError):
        client(SUBJECTS)


def test_name_stays_with_whom_it_was_first_seen(connect: Connect, server: FaultServer) -> None:
    connect(server, user="alice")(SUBJECTS, username="olivier")
    connect(server, user="bob")(SUBJECTS, username="olivier")  # a token that is not olivier's
    server.close()
    with pytest.warns(StaleAnswerWarning):
        assert body(connect(server, user=None)(SUBJECTS, username="olivier"))["token"] == "alice"


def test_new_token_takes_the_name(connect: Connect, server: FaultServer) -> None:
    connect(server, user="alice")(SUBJECTS, username="olivier")
    connect(server, user=None)(SUBJECTS, username="olivier")
    server.close()
    with pytest.warns(StaleAnswerWarning):
        assert body(connect(server, user=None)(SUBJECTS, username="olivier"))["token"] == "late"


# --- offline


def test_offline_answers_from_the_cache_alone(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(SUBJECTS)
    client(SESSIONS, expires=True)
    offline = connect(server, offline=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert body(offline(SUBJECTS))["target"] == "/subjects"
    with pytest.warns(StaleAnswerWarning, match=r"offline.*/sessions.* second.* old"):
        offline(SESSIONS)
    with pytest.warns(StaleAnswerWarning):
        offline(SUBJECTS, expires=MOMENT)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("request_", "settings", "said"),
    [
        (Request("GET", "/labs?token=secret"), {}, "does not hold the response"),
        (SUBJECTS, {"bypass_cache": True}, "clobber"),
        (CREATE, {}, "nothing can be written"),
        (Request("DELETE", "/subjects/flowers"), {}, "nothing can be written"),
        (Request("GET", "/subjects", authenticate=False), {}, "cache is disabled"),
    ],
)
def test_offline_miss_says_what_to_do(
    connect: Connect, server: FaultServer, request_: Request, settings: dict[str, Any], said: str
) -> None:
    connect(server)(SUBJECTS)
    client = connect(server, offline=True)
    with pytest.raises(OfflineError, match=said) as raised:
        client(request_, **settings)
    error = raised.value
    assert error.message.startswith(f"{request_.method} {request_.path.partition('?')[0]}")
    assert "set offline to False" in error.message
    assert isinstance(error, ConnectionError)
    assert (error.method, error.url.partition("?")[0]) == (
        request_.method,
        server.url + request_.path.partition("?")[0],
    )
    assert "secret" not in f"{error.message} {error.url}"
    assert len(server.requests) == 1
    client.cache.offline = False
    assert client(SUBJECTS).status == 200


def test_offline_with_the_cache_off(connect: Connect, server: FaultServer) -> None:
    connect(server)(SUBJECTS)
    client = connect(server, offline=True)
    with client.cache.disabled(), pytest.raises(OfflineError, match="cache is disabled"):
        client(SUBJECTS)
    client.cache.mode = None
    with pytest.raises(OfflineError, match="cache is disabled"):
        client(SUBJECTS)


def test_offline_makes_no_file(connect: Connect, server: FaultServer, folder: Path) -> None:
    with pytest.raises(OfflineError):
        connect(server, offline=True)(SUBJECTS, username="olivier")
    assert not folder.exists()


def test_offline_user_is_found_by_name(connect: Connect, server: FaultServer) -> None:
    connect(server, user="alice")(SUBJECTS, username="olivier")
    client = connect(server, user=None, offline=True)
    assert body(client(SUBJECTS, username="olivier"))["token"] == "alice"
    with pytest.raises(OfflineError, match="'karolina'"):
        client(SUBJECTS, username="karolina")
    with pytest.raises(OfflineError, match="username="):
        client(SUBJECTS)


# --- off


def test_off_neither_reads_nor_keeps(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(SUBJECTS)
    with client.cache.disabled():
        client(SUBJECTS)
        client(SESSIONS)
        assert client.cache.mode == "GET"
    client(SUBJECTS)
    client(SESSIONS)
    assert len(server.requests) == 4


def test_off_may_be_nested_and_is_ended_by_an_error(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(SUBJECTS)
    with client.cache.disabled():
        with pytest.raises(KeyError), client.cache.disabled():
            raise KeyError
        client(SUBJECTS)
    client(SUBJECTS)
    assert len(server.requests) == 2


def test_off_concerns_one_client(connect: Connect, server: FaultServer) -> None:
    one, two = connect(server), connect(server)
    one(SUBJECTS)
    first, second = one.cache.disabled(), two.cache.disabled()
    first.__enter__()
    two(SUBJECTS)
    second.__enter__()
    first.__exit__(None, None, None)
    one(SUBJECTS)
    assert len(server.requests) == 1
    two(SUBJECTS)
    assert len(server.requests) == 2
    second.__exit__(None, None, None)
    two(SUBJECTS)
    assert len(server.requests) == 2


def test_off_in_one_thread_leaves_others_alone(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(SUBJECTS)
    inside, done = threading.Event(), threading.Event()

    def other() -> None:
        with client.cache.disabled():
            inside.set()
            assert done.wait(30)
            client(SUBJECTS)

    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(contextvars.Context().run, other)
        assert inside.wait(30)
        client(SUBJECTS)
        assert len(server.requests) == 1
        done.set()
        result.result()
    assert len(server.requests) == 2


async def test_off_in_one_task_leaves_others_alone(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(SUBJECTS)
    inside, done = asyncio.Event(), asyncio.Event()

    async def other() -> None:
        with client.cache.disabled():
            inside.set()
            await done.wait()
            await asyncio.to_thread(client, SUBJECTS)

    task = asyncio.create_task(other())
    await inside.wait()
    await asyncio.to_thread(client, SUBJECTS)
    assert len(server.requests) == 1
    done.set()
    await task
    assert len(server.requests) == 2


# --- one client's share


def test_clear_forgets_all_or_one_users_answers(connect: Connect, server: FaultServer) -> None:
    alice, bob = connect(server, user="alice"), connect(server, user="bob")
    for client in (alice, bob):
        client(SUBJECTS)
    alice.cache.clear("alice")
    alice(SUBJECTS)
    assert len(server.requests) == 3
    server.close()
    alice.cache.clear()
    for client in (alice, bob):
        with pytest.raises(AlyxConnectionError):
            client(SUBJECTS)


def test_settings_are_pickled(folder: Path, server: FaultServer) -> None:
    cache = ResponseCache(folder, server.url, mode="*", default_expiry=WEEK, offline=True, max_bytes=10**6)
    with cache.disabled():
        copy = pickle.loads(pickle.dumps(cache))
    assert (copy.mode, copy.default_expiry, copy.offline) == ("*", WEEK, True)
    assert copy.__getstate__() == cache.__getstate__()


def test_closed_cache_opens_again(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(SUBJECTS)
    client.cache.close()
    client.cache.close()
    client(SUBJECTS)
    assert len(server.requests) == 1


def test_making_one_touches_no_file_and_loads_no_sqlite(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from alyx_client.http.cache.policy import ResponseCache;"
        "cache = ResponseCache(Path(sys.argv[1]), 'https://alyx.example.org'); cache.close();"
        "assert not Path(sys.argv[1]).exists(); assert 'sqlite3' not in sys.modules; assert 'httpx' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)


@pytest.mark.parametrize("content", [b"x" * 10_000, b""])
def test_unusable_cache_disturbs_no_query(
    connect: Connect, server: FaultServer, folder: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    folder.write_bytes(content)
    client = connect(server, mode="*")
    with caplog.at_level(logging.WARNING, "alyx_client"):
        for _ in range(3):
            assert client(SUBJECTS).status == 200
            assert client(CREATE).status == 200
    assert len(caplog.records) == 1
    client.cache.clear()
    server.close()
    with pytest.raises(AlyxConnectionError):
        client(SUBJECTS)


def test_answer_of_other_bytes_than_text_comes_back(connect: Connect) -> None:
    content = json.dumps({"name": "Žofia ☃"}, ensure_ascii=False).encode() + bytes(range(256))
    with FaultServer(then=faults.answer(content, headers={"Allow": "GET, POST", "X-Notice": "now"})) as server:
        client = connect(server)
        client(SUBJECTS)
        again = client(SUBJECTS)
        assert again.content == content
        assert again.headers == {"content-type": "application/json", "allow": "GET, POST"}
