"""The deadline of a call: whatever a server does, the call ends, and its error says what it was doing."""

from __future__ import annotations

import contextlib
import itertools
import math
import pickle
import socket
import ssl
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from alyx_client.errors import AlyxTimeoutError, DeadlineExceededError, RateLimitError
from alyx_client.http.deadline import Deadline
from alyx_client.http.flow import Acquire, Flow, Sleep, adrive, drive
from alyx_client.http.message import Request
from alyx_client.http.retry import Retries
from tests import faults
from tests.faults import FaultServer, Received, Step, json_response, response_head
from tests.http.certificates import make_certificate
from tests.http.transports import CREATE, LIST, TransportFactory, with_password

SHORT = 0.5
# For what must happen before the time runs out, also on a busy machine.
LONGER = 2.0


def drip(data: Iterator[bytes], pause: float = 0.02) -> Step:
    """Send pieces slowly, until there are no more or the client has gone."""

    def step(request: Received, connection: socket.socket) -> bool:
        for piece in data:
            connection.sendall(piece)
            time.sleep(pause)
        return False

    return step


def _letters() -> Iterator[bytes]:
    return itertools.repeat(b"x")


HEAD = response_head(200, {"Content-Type": "application/json", "Content-Length": "1000000"})
ENDLESS: dict[str, Callable[[], Step]] = {
    "silence": lambda: faults.silent(600),
    "a stalled body": lambda: faults.stalled_body(["x" * 5000], 600),
    "a body, one byte at a time": lambda: drip(itertools.chain([HEAD], _letters())),
    "a chunked body without end": lambda: drip(
        itertools.chain(
            [response_head(200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"})],
            itertools.repeat(b"1\r\nx\r\n"),
        )
    ),
    "headers, one byte at a time": lambda: drip(itertools.chain([b"HTTP/1.1 200 OK\r\nA: "], _letters())),
    "informational responses": lambda: drip(itertools.repeat(b"HTTP/1.1 103 Early Hints\r\n\r\n")),
    "an unfinished status line": lambda: drip(itertools.chain([b"HTTP/1.1 20"], _letters())),
    "503 again and again": lambda: faults.unavailable(503),
    "429 that asks for a minute": lambda: faults.too_many("50"),
}


@pytest.mark.parametrize("fault", ENDLESS)
def test_read_ends_at_the_deadline(connect: TransportFactory, fault: str) -> None:
    retries = Retries(tries=10**6, base=0.01, cap=0.01)
    with FaultServer(then=ENDLESS[fault]()) as server:
        sender = connect(server.url, retries=retries, call_timeout=SHORT)
        with pytest.raises(DeadlineExceededError, match=rf"did not end within timeout={SHORT} s: .*timeout=") as caught:
            sender.send(LIST)
    error = caught.value
    assert isinstance(error, AlyxTimeoutError)
    assert error.attempts >= 1
    assert error.seconds > 0
    assert "GET" in error.message
    assert "check before sending it again" not in error.message


@pytest.mark.parametrize("fault", ["silence", "a stalled body", "headers, one byte at a time"])
def test_unanswered_write_may_have_been_carried_out(connect: TransportFactory, fault: str) -> None:
    with FaultServer(then=ENDLESS[fault]()) as server:
        with pytest.raises(DeadlineExceededError, match="may have acted on it: check before") as caught:
            connect(server.url, call_timeout=LONGER).send(CREATE)
        assert len(server.requests) == 1
    assert caught.value.may_have_acted
    assert caught.value.method == "POST"


def test_write_that_was_never_sent_has_not_been_carried_out(connect: TransportFactory) -> None:
    with FaultServer(then=faults.too_many("50")) as server:
        with pytest.raises(DeadlineExceededError) as caught:
            connect(server.url, call_timeout=10).send(CREATE)
        assert len(server.requests) == 1
    assert not caught.value.may_have_acted
    assert "may have acted" not in caught.value.message


def test_wait_beyond_the_deadline_fails_at_once_with_the_reason(connect: TransportFactory) -> None:
    with FaultServer(then=faults.too_many("50")) as server:
        with pytest.raises(
            DeadlineExceededError, match=r"attempt 1 failed, and the next one would follow in"
        ) as caught:
            connect(server.url, call_timeout=49).send(LIST)
        assert len(server.requests) == 1
    assert caught.value.retry_after == 50
    assert caught.value.status_code == 429
    assert isinstance(caught.value.__cause__, RateLimitError)


def test_attempts_before_the_deadline_are_named(connect: TransportFactory) -> None:
    server = FaultServer([faults.unavailable(503)], then=faults.silent(600))
    words = r"This was attempt 2; the one before failed: .*503"
    with server, pytest.raises(DeadlineExceededError, match=words) as caught:
        connect(server.url, call_timeout=LONGER).send(LIST)
    assert caught.value.attempts == 2


def test_slow_but_steady_server_is_waited_for(connect: TransportFactory) -> None:
    body = b'"' + b"x" * 20 + b'"'
    head = response_head(200, {"Content-Type": "application/json", "Content-Length": str(len(body))})
    with FaultServer([drip(itertools.chain([head], (body[n : n + 1] for n in range(len(body)))))]) as server:
        assert connect(server.url, read_timeout=5, call_timeout=math.inf).send(LIST).content == body


def test_no_limit_is_none(connect: TransportFactory) -> None:
    with FaultServer(then=json_response([])) as server:
        sender = connect(server.url, call_timeout=math.inf, read_timeout=math.inf, connect_timeout=1e12)
        assert sender.send(LIST).status == 200


@contextlib.contextmanager
def listener(backlog: int = 8) -> Generator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=backlog) as server:
        yield server


def test_hung_connection_ends_at_the_deadline(connect: TransportFactory) -> None:
    # A full backlog: further connections are neither accepted nor refused.
    with listener(backlog=0) as server, contextlib.ExitStack() as stack:
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
        with pytest.raises(DeadlineExceededError, match="there was no connection to") as caught:
            connect(f"http://127.0.0.1:{server.getsockname()[1]}", call_timeout=SHORT).send(LIST)
    assert caught.value.unreached


def test_hung_handshake_ends_at_the_deadline(connect: TransportFactory) -> None:
    with listener() as server, pytest.raises(DeadlineExceededError, match="there was no connection to"):
        connect(f"https://127.0.0.1:{server.getsockname()[1]}", call_timeout=SHORT).send(LIST)


@pytest.mark.parametrize("address", ["http://alyx.invalid", "https://alyx.invalid"])
@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_hung_proxy_ends_at_the_deadline(
    connect: TransportFactory, monkeypatch: pytest.MonkeyPatch, scheme: str, address: str
) -> None:
    with listener() as server:
        monkeypatch.setenv("ALL_PROXY", f"{scheme}://127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(DeadlineExceededError):
            connect(address, call_timeout=SHORT).send(LIST)


def test_hung_handshake_through_an_encrypted_proxy_ends_at_the_deadline(
    connect: TransportFactory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificate = make_certificate(tmp_path)
    context = ssl.create_default_context(cafile=str(certificate.path))

    def tunnel(request: Received, connection: socket.socket) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        return drip(itertools.repeat(b"\x16"), 0.05)(request, connection)

    with FaultServer(then=tunnel, tls=certificate.serving) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"https://localhost:{proxy.port}")
        with pytest.raises(DeadlineExceededError):
            connect("https://alyx.invalid", call_timeout=SHORT, verify=context).send(LIST)


def test_hung_resolver_ends_at_the_deadline(connect: TransportFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        released.wait(600)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    try:
        with pytest.raises(DeadlineExceededError, match="there was no connection"):
            connect("http://alyx.invalid", call_timeout=SHORT, retries=Retries(tries=1)).send(LIST)
    finally:
        released.set()


def test_server_that_does_not_read_ends_at_the_deadline(connect: TransportFactory) -> None:
    request = Request("POST", "/uploads", json=b"x" * 50_000_000, endpoint="uploads", action="create")
    with listener() as server, pytest.raises(DeadlineExceededError, match="may have acted"):
        connect(f"http://127.0.0.1:{server.getsockname()[1]}", call_timeout=LONGER).send(request)


# --- logins


def test_hung_login_has_a_limit_of_its_own(connect: TransportFactory) -> None:
    with FaultServer(routes={"/auth-token": [faults.silent(600)] * 9}, then=json_response([])) as server:
        sender = connect(server.url, credentials=with_password(server.url), login_timeout=SHORT)
        with pytest.raises(
            DeadlineExceededError, match=rf"POST .*/auth-token did not end within login_timeout={SHORT}"
        ):
            sender.send(LIST)
        assert server.paths == ["/auth-token"]


def test_login_counts_towards_the_call(connect: TransportFactory) -> None:
    with FaultServer(routes={"/auth-token": [faults.silent(600)] * 9}, then=json_response([])) as server:
        sender = connect(server.url, credentials=with_password(server.url), call_timeout=SHORT)
        with pytest.raises(DeadlineExceededError, match=rf"did not end within timeout={SHORT}"):
            sender.send(LIST)
        assert server.paths == ["/auth-token"]


def test_requests_that_wait_for_a_hung_login_share_its_failure(connect: TransportFactory) -> None:
    with FaultServer(routes={"/auth-token": [faults.silent(600)] * 99}, then=json_response([])) as server:
        sender = connect(server.url, credentials=with_password(server.url), login_timeout=1.0)
        outcomes = sender.send_many(LIST, 8)
        assert all(isinstance(outcome, DeadlineExceededError) for outcome in outcomes)
        # Those that began after the first login had failed may try once more, all others share.
        assert server.count("/auth-token") < 8


# --- flows


def _acquiring(lock: threading.Lock) -> Flow[None]:
    yield Acquire(lock)


def _sleeping() -> Flow[None]:
    yield Sleep(600)


@pytest.mark.parametrize("flow", [lambda: _acquiring(_locked()), _sleeping], ids=["lock", "sleep"])
async def test_flow_does_not_wait_beyond_its_deadline(flow: Callable[[], Flow[None]]) -> None:
    def send(_: object) -> object:
        raise AssertionError

    with pytest.raises(DeadlineExceededError):
        drive(flow(), send, Deadline(0.05))  # type: ignore[arg-type]
    with pytest.raises(DeadlineExceededError):
        await adrive(flow(), send, Deadline(0.05))  # type: ignore[arg-type]


def _locked() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


def test_time_at_a_prompt_does_not_count() -> None:
    deadline = Deadline(0.05)
    with deadline.paused():
        time.sleep(0.1)
    assert not deadline.is_over


@pytest.mark.parametrize(
    ("value", "error"), [(0, ValueError), (-1, ValueError), (math.nan, ValueError), ("5", TypeError), (True, TypeError)]
)
def test_deadline_is_a_positive_number(value: float, error: type[Exception]) -> None:
    with pytest.raises(error, match="timeout"):
        Deadline.of(value, 1.0)


def test_error_survives_pickling(connect: TransportFactory) -> None:
    with FaultServer(then=faults.silent(600)) as server, pytest.raises(DeadlineExceededError) as caught:
        connect(server.url, call_timeout=LONGER).send(CREATE)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.message, copy.attempts, copy.may_have_acted) == (caught.value.message, 1, True)
