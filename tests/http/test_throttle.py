"""Requests that wait for their turn: deadlines, closing, cancellation, and folders that cannot be shared."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alyx_client.auth.credentials import Credentials
from alyx_client.errors import AlyxConnectionError, ClientClosedError, DeadlineExceededError
from alyx_client.http.async_transport import AsyncTransport
from alyx_client.http.message import Request
from alyx_client.http.rate import Rate
from alyx_client.http.retry import Retries
from alyx_client.http.throttle import limit_file
from alyx_client.http.transport import SyncTransport
from alyx_client.storage.locking import LockResult
from alyx_client.storage.shared_file import SharedFile
from tests.faults import FaultServer, closed_port, json_response
from tests.http.transports import LIST, TransportFactory, authentication, with_password

ONE_A_MINUTE, ONE_AN_HOUR = Rate(1, 60.0), Rate(1, 3600.0)
REFUSAL = json_response({"detail": "Request was throttled."}, status=429, headers={"Retry-After": "30"})


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer(then=json_response([])) as server:
        yield server


def test_turn_after_the_deadline_is_an_error_at_once(server: FaultServer, connect: TransportFactory) -> None:
    client = connect(server.url, rate_limit=ONE_A_MINUTE, call_timeout=20.0)
    client.send(LIST)
    with pytest.raises(DeadlineExceededError, match=r"turn would come in \d+ s, since the limit is 1/minute") as caught:
        client.send(LIST)
    error = caught.value
    assert (error.attempts, error.may_have_acted, error.unreached, error.method) == (0, False, True, "GET")
    assert server.count("/subjects") == 1


def test_refusal_holds_back_other_calls(server: FaultServer, connect: TransportFactory) -> None:
    server.script("/subjects", REFUSAL)
    client = connect(server.url, call_timeout=20.0)
    with pytest.raises(DeadlineExceededError, match="attempt 1 failed, and the next one would follow in 3"):
        client.send(LIST)
    for other in (client, connect(server.url, call_timeout=20.0)):
        with pytest.raises(DeadlineExceededError, match="the server refused requests"):
            other.send(LIST)
    assert server.count("/subjects") == 1


def test_refusal_in_words_holds_back_other_calls(server: FaultServer, connect: TransportFactory) -> None:
    detail = "Request was throttled. Expected available in 42 seconds."
    server.script("/subjects", json_response({"detail": detail}, status=429))
    client = connect(server.url, call_timeout=20.0, retries=Retries(tries=1))
    for _ in range(2):
        with pytest.raises(Exception, match=r"Too many requests|turn would come in 42 s"):
            client.send(LIST)
    assert server.count("/subjects") == 1


def test_logins_and_schemas_are_not_paced(server: FaultServer, connect: TransportFactory) -> None:
    server.script("/auth-token", json_response({"token": "abc"}))
    server.script("/api/schema", REFUSAL)
    schema = Request("GET", "/api/schema", endpoint="api/schema", action="read")
    client = connect(server.url, credentials=with_password(server.url), call_timeout=20.0)
    with pytest.raises(DeadlineExceededError):
        client.send(schema)
    client.send(LIST)
    limited = connect(server.url, rate_limit=ONE_A_MINUTE, call_timeout=20.0, credentials=with_password(server.url))
    server.script("/auth-token", json_response({"token": "def"}))
    limited.send(LIST)
    assert limited.send(schema).status == 200


def test_request_that_was_not_sent_takes_nobodys_turn(connect: TransportFactory) -> None:
    client = connect(f"http://127.0.0.1:{closed_port()}", rate_limit=ONE_AN_HOUR, retries=Retries(tries=1))
    for _ in range(2):
        with pytest.raises(AlyxConnectionError):
            client.send(LIST)


def test_states_of_earlier_starts_and_tokens_are_removed_after_two_days(server: FaultServer) -> None:
    former, recent = (Path(limit_file(server.url, token)) for token in ("former-token", "recent-token"))
    for file in (former, recent):
        SharedFile(file).update(lambda content: b"{}")
    os.utime(former, (0, time.time() - 3 * 86400))
    with SyncTransport(server.url, authentication(with_token(server)), rate_limit=ONE_A_MINUTE) as transport:
        transport.send(LIST)
    assert (former.exists(), recent.exists()) == (False, True)


def test_retries_wait_for_their_turns_too(server: FaultServer, connect: TransportFactory) -> None:
    server.script("/subjects", json_response({}, status=503))
    client = connect(server.url, rate_limit=ONE_A_MINUTE, call_timeout=20.0)
    with pytest.raises(DeadlineExceededError, match="attempt 2; the one before failed") as caught:
        client.send(LIST)
    assert (caught.value.attempts, caught.value.unreached) == (1, False)
    assert server.count("/subjects") == 1


def test_closing_ends_the_wait(server: FaultServer) -> None:
    transport = SyncTransport(server.url, authentication(with_token(server)), rate_limit=ONE_A_MINUTE)
    transport.send(LIST)
    errors: list[Exception] = []

    def call() -> None:
        try:
            transport.send(LIST)
        except ClientClosedError as error:
            errors.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    wait_until(lambda: turns(server) == 2)
    transport.close()
    thread.join(10)
    assert "waiting for its turn, so it was not sent" in str(errors[0])
    assert (server.count("/subjects"), turns(server)) == (1, 1)


async def test_closing_and_cancelling_end_the_wait_of_tasks(server: FaultServer) -> None:
    transport = AsyncTransport(server.url, authentication(with_token(server)), rate_limit=ONE_A_MINUTE)
    await transport.send(LIST)
    closed, cancelled = (asyncio.ensure_future(transport.send(LIST)) for _ in range(2))
    while turns(server) < 3:
        await asyncio.sleep(0.01)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert turns(server) == 2
    await transport.aclose()
    with pytest.raises(ClientClosedError, match="waiting for its turn"):
        await closed
    assert (server.count("/subjects"), turns(server)) == (1, 1)


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
def test_interrupt_ends_the_wait_and_gives_up_the_turn(server: FaultServer) -> None:
    transport = SyncTransport(server.url, authentication(with_token(server)), rate_limit=ONE_A_MINUTE)
    transport.send(LIST)

    def interrupt() -> None:
        wait_until(lambda: turns(server) == 2)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        transport.send(LIST)
    thread.join()
    assert turns(server) == 1


def test_tasks_that_wait_for_a_slot_do_not_lose_their_time_to_others(server: FaultServer) -> None:
    async def main() -> list[object]:
        transport = AsyncTransport(
            server.url, authentication(with_token(server)), rate_limit=Rate(2, 1.0), max_requests=2, call_timeout=1.5
        )
        outcomes = await asyncio.gather(*(transport.send(LIST) for _ in range(5)), return_exceptions=True)
        await transport.aclose()
        return list(outcomes)

    # Five requests take two seconds, of which each one waits one at most.
    assert [getattr(outcome, "status", outcome) for outcome in asyncio.run(main())] == [200] * 5


def test_pickled_client_keeps_the_rate(server: FaultServer) -> None:
    transport = SyncTransport(server.url, authentication(with_token(server)), rate_limit=ONE_A_MINUTE)
    transport.send(LIST)
    copy = pickle.loads(pickle.dumps(transport))
    with pytest.raises(DeadlineExceededError, match="1/minute"):
        copy.send(LIST, timeout=5.0)


def no_locks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoLocks:
        can_remove_open_files = True

        def lock(self, handle: int) -> LockResult:
            return LockResult.UNSUPPORTED

        def unlock(self, handle: int) -> None:
            raise OSError

    monkeypatch.setattr("alyx_client.http.limiter.SharedFile", lambda path: SharedFile(path, NoLocks()))


def open_to_others(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o777)


def a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.parent.mkdir(parents=True)
    folder.touch()


def a_link(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder.parent / "elsewhere").mkdir(parents=True)
    folder.symlink_to(folder.parent / "elsewhere")


def no_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "")
    monkeypatch.delenv("XDG_CACHE_HOME")


@pytest.mark.parametrize(
    "obstacle",
    [
        pytest.param(open_to_others, marks=pytest.mark.skipif(sys.platform == "win32", reason="POSIX")),
        pytest.param(a_link, marks=pytest.mark.skipif(sys.platform == "win32", reason="POSIX")),
        pytest.param(no_home, marks=pytest.mark.skipif(sys.platform == "win32", reason="POSIX")),
        a_file,
        no_locks,
    ],
)
def test_process_paces_itself_where_no_file_can_be_shared(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch, obstacle: Callable[[Path, pytest.MonkeyPatch], None]
) -> None:
    obstacle(Path(limit_file(server.url, "secret-token")).parent, monkeypatch)
    clients = [
        SyncTransport(server.url, authentication(with_token(server)), rate_limit=ONE_AN_HOUR, call_timeout=5.0)
        for _ in range(2)
    ]
    clients[0].send(LIST)
    for client in clients:
        with pytest.raises(DeadlineExceededError, match="1/hour"):
            client.send(LIST)
    assert server.count("/subjects") == 1


def test_lock_that_is_held_for_ever_holds_nobody_up(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alyx_client.storage.shared_file._PATIENCE", 0.05)
    transport = SyncTransport(server.url, authentication(with_token(server)), rate_limit=Rate(100, 60.0))
    transport.send(LIST)
    inside, leave = threading.Event(), threading.Event()

    def hold(content: bytes) -> bytes:
        inside.set()
        leave.wait(20)
        return content

    holder = threading.Thread(target=SharedFile(Path(limit_file(server.url, "secret-token"))).update, args=(hold,))
    holder.start()
    inside.wait(10)
    assert transport.send(LIST).status == 200
    leave.set()
    holder.join()


def with_token(server: FaultServer) -> Credentials:
    return Credentials(server.url, explicit_token="secret-token")


def turns(server: FaultServer) -> int:
    """Return how many requests are counted in the file."""
    try:
        _, counts = json.loads(Path(limit_file(server.url, "secret-token")).read_text().partition("\n")[0])
    except ValueError:  # while it is written
        return -1
    return sum(count for _, count in counts)


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")
