"""Lifetimes, and writes that make responses stale, over real HTTP."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alyx_client.errors import (
    AlyxError,
)
from alyx_client.http.cache.response_cache import ResponseCache
from alyx_client.http.message import Request
from tests import faults
from tests.faults import FaultServer, Received
from tests.http.cache.clients import CREATE, MOMENT, SESSIONS, SUBJECTS, WEEK, Connect, body, echo


def test_lifetime_applies_to_later_calls(connect: Connect, server: FaultServer) -> None:
    client = connect(server, default_expiry=timedelta(0))
    client(SUBJECTS, expires=WEEK)
    client(SUBJECTS)
    assert len(server.requests) == 1
    for _ in range(2):
        client(SESSIONS)
    assert len(server.requests) == 3


def test_expired_response_is_requested_again(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(SUBJECTS, expires=MOMENT)
    client(SUBJECTS)
    client(SUBJECTS)
    assert len(server.requests) == 2


def test_call_may_require_a_younger_response(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(SUBJECTS, expires=WEEK)
    client(SUBJECTS, expires=MOMENT)
    assert len(server.requests) == 2


def test_expires_true_stores_nothing_fresh(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(SUBJECTS, expires=True)
    client(SUBJECTS, expires=False)
    client(SUBJECTS, expires=True)
    assert len(server.requests) == 2


def test_bypassing_the_cache_stores_the_response(connect: Connect, server: FaultServer) -> None:
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
def test_invalid_expiry_is_refused(folder: Path, expiry: Any, error: type[Exception]) -> None:
    cache = ResponseCache(folder, "https://alyx.example.org")
    with pytest.raises(error, match="default_expiry"):
        cache.default_expiry = expiry
    with pytest.raises(error, match="expires"):
        cache.begin(SUBJECTS, "alice", expires=expiry)


def test_response_from_the_future_is_not_fresh(
    connect: Connect, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect(server)
    with monkeypatch.context() as clock:
        clock.setattr("time.time", lambda: 2e12)
        client(SUBJECTS)
    client(SUBJECTS)
    assert len(server.requests) == 2


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("mode", ["GET", "*", None])
def test_read_after_a_write_is_requested(connect: Connect, server: FaultServer, method: str, mode: str) -> None:
    reader, writer = connect(server), connect(server, mode=mode)
    for request in (SUBJECTS, SESSIONS):
        reader(request, expires=WEEK)
    writer(Request(method, "/subjects/flowers", json=b"{}"))
    for request in (SUBJECTS, SESSIONS):
        reader(request)
        reader(request)
    assert len(server.requests) == 5


def test_read_after_another_users_write_is_requested(connect: Connect, server: FaultServer) -> None:
    alice, bob = connect(server, user="alice"), connect(server, user="bob")
    alice(SUBJECTS)
    bob(CREATE)
    alice(SUBJECTS)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "step", [faults.json_response({}, status=500), faults.json_response({}, status=400), faults.reset_before_headers()]
)
def test_read_after_a_failed_write_is_requested(connect: Connect, step: faults.Step) -> None:
    with FaultServer([echo, step], then=echo) as server:
        client = connect(server)
        client(SUBJECTS)
        with pytest.raises(AlyxError):
            client(CREATE)
        client(SUBJECTS)
        assert len(server.requests) == 3


def test_read_during_an_interrupted_write_is_stale_after_it(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    call = client.cache.begin(CREATE, "alice")
    client(SUBJECTS)
    call.close()  # as in a finally, without store() or fallback() before
    client(SUBJECTS)
    assert len(server.requests) == 2


def test_login_does_not_count_as_a_write(connect: Connect, server: FaultServer) -> None:
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
    """A server that responds with the number of its writes; to a slow read, late and with an early number."""

    def __init__(self) -> None:
        self.writes = 0
        self.begun, self.may_respond = threading.Event(), threading.Event()

    def __call__(self, request: Received, connection: socket.socket) -> bool:
        count = self.writes
        if request.method == "POST":
            self.writes += 1
            count = self.writes
        if "slow" in request.target:
            self.begun.set()
            assert self.may_respond.wait(30)
        return faults.json_response({"writes": count})(request, connection)


SLOW = Request("GET", "/subjects", (("slow", "1"),))


def test_slow_read_overtaken_by_a_write_in_a_thread_is_not_stored(connect: Connect) -> None:
    database = Database()
    with FaultServer(then=database) as server, ThreadPoolExecutor(1) as pool:
        client = connect(server)
        slow = pool.submit(client, SLOW)
        assert database.begun.wait(30)
        client(CREATE)
        database.may_respond.set()
        assert body(slow.result())["writes"] == 0
        assert body(client(SLOW))["writes"] == 1
        assert body(client(SLOW))["writes"] == 1
        assert len(server.requests) == 3


def test_slow_read_overtaken_by_a_write_of_another_process_is_not_stored(connect: Connect, folder: Path) -> None:
    database = Database()
    with FaultServer(then=database) as server, ThreadPoolExecutor(1) as pool:
        client = connect(server)
        slow = pool.submit(client, SLOW)
        assert database.begun.wait(30)
        code = (
            "import sys; from pathlib import Path; from tests.http.cache.clients import *;"
            "Client(Path(sys.argv[1]), sys.argv[2], mode=None)(CREATE)"
        )
        command = [sys.executable, "-c", code, str(folder), server.url]
        subprocess.run(command, check=True, cwd=Path(__file__).parents[3])
        database.may_respond.set()
        assert body(slow.result())["writes"] == 0
        assert body(client(SLOW))["writes"] == 1


def test_threads_and_processes_never_read_older_than_their_own_write(folder: Path) -> None:
    # Every client writes and then reads several endpoints: every response must include the client's own write.
    code = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tests.http.cache.clients import *
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
    lock = threading.Lock()
    database = Database()

    def step(request: Received, connection: socket.socket) -> bool:
        with lock:
            if request.method == "POST":
                database.writes += 1
            count = database.writes
        return faults.json_response({"writes": count})(request, connection)

    with FaultServer(then=step) as server:
        command = [sys.executable, "-c", code, str(folder), server.url]
        processes = [
            subprocess.Popen(command, cwd=Path(__file__).parents[3], stderr=subprocess.PIPE, text=True)
            for _ in range(4)
        ]
        for process in processes:
            _, errors = process.communicate(timeout=120)
            assert process.returncode == 0, errors
        assert database.writes == 4 * 3 * 15
        reads = sum(request.method == "GET" for request in server.requests)
        assert reads < 4 * 3 * 15 * 5  # the others were served from the cache
