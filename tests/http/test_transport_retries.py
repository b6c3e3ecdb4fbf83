from __future__ import annotations

import logging
import threading

import pytest

from alyx_client.errors import (
    AlyxConnectionError,
    AlyxError,
    AlyxTimeoutError,
    NotFoundError,
    RateLimitError,
    ServerError,
)
from alyx_client.http.message import Request
from alyx_client.http.retry import Retries
from alyx_client.testing import LocalAlyx
from tests import faults
from tests.faults import FaultServer, json_response
from tests.http.transports import CREATE, DELETE, LIST, TransportFactory

BROKEN = {
    "reset before the headers": faults.reset_before_headers(),
    "closed before the headers": faults.close_before_headers(),
    "reset after the headers": faults.reset_after_headers(),
    "reset within the body": faults.reset_mid_body(["x" * 5000]),
    "short body": faults.short_body(["x" * 5000]),
    "502": faults.unavailable(502),
    "504": faults.unavailable(504),
}
UNTOUCHED = {
    "429 with seconds": faults.too_many("0"),
    "429 with a date": faults.too_many(faults.http_date(-5)),
    "429 without a time": faults.too_many(None),
    "503": faults.unavailable(503),
}


@pytest.mark.parametrize("fault", [*BROKEN, *UNTOUCHED])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_idempotent_request_is_retried(connect: TransportFactory, fault: str, method: str) -> None:
    with FaultServer([(BROKEN | UNTOUCHED)[fault], json_response("there")]) as server:
        assert connect(server.url).send(Request(method, "/subjects/a")).content == b'"there"'
        assert server.paths == ["/subjects/a"] * 2


@pytest.mark.parametrize("fault", [*BROKEN, "500"])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_creation_is_never_sent_twice_when_the_server_may_have_acted(
    connect: TransportFactory, fault: str, method: str
) -> None:
    step = BROKEN.get(fault, json_response({"detail": "boom"}, status=500))
    with FaultServer([step], then=json_response({})) as server:
        with pytest.raises(AlyxError):
            connect(server.url).send(Request(method, "/subjects", json=b"{}"))
        assert len(server.requests) == 1


@pytest.mark.parametrize("fault", UNTOUCHED)
def test_creation_is_retried_if_the_server_did_not_process_it(connect: TransportFactory, fault: str) -> None:
    with FaultServer([UNTOUCHED[fault], json_response({}, status=201)]) as server:
        assert connect(server.url).send(CREATE).status == 201
        assert [received.body for received in server.requests] == [CREATE.json] * 2


def test_error_of_an_unanswered_creation_says_that_the_server_may_have_acted(connect: TransportFactory) -> None:
    server = FaultServer([faults.reset_before_headers()])
    with server, pytest.raises(AlyxConnectionError, match="may have acted") as caught:
        connect(server.url).send(CREATE)
    assert caught.value.method == "POST"


def test_refused_connection_is_retried_even_for_a_creation(
    connect: TransportFactory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "alyx_client")
    url = f"http://127.0.0.1:{faults.closed_port()}"
    with pytest.raises(AlyxConnectionError, match=r"127\.0\.0\.1:\d+ cannot be reached .* VPN") as caught:
        connect(url).send(CREATE)
    assert sum("retrying" in line for line in caplog.messages) == 3
    assert isinstance(caught.value, ConnectionError)
    assert caught.value.url == f"{url}/subjects"


def test_server_without_tls_is_named_as_such(connect: TransportFactory, local_alyx: LocalAlyx) -> None:
    """An address without a scheme is taken for https, which a local server does not speak."""
    address = local_alyx.url.replace("http:", "https:")
    with pytest.raises(AlyxConnectionError, match=r"does not speak HTTPS at this port.* http://") as caught:
        connect(address).send(CREATE)
    assert "VPN" not in str(caught.value)


def test_creation_succeeds_once_the_server_is_up_again(connect: TransportFactory) -> None:
    # The port refuses until the first wait is over.
    port = faults.closed_port()
    sender = connect(f"http://127.0.0.1:{port}", retries=Retries(tries=30, base=0.05, cap=0.05))
    started: list[FaultServer] = []

    def start() -> None:
        started.append(FaultServer(then=json_response({}, status=201), port=port))

    timer = threading.Timer(0.1, start)
    timer.start()
    assert sender.send(CREATE).status == 201
    timer.join()
    with started[0] as server:
        assert len(server.requests) == 1


def test_retries_of_503_end_after_the_last_attempt(connect: TransportFactory) -> None:
    with FaultServer(then=faults.unavailable(503)) as server:
        with pytest.raises(ServerError, match="503") as caught:
            connect(server.url).send(LIST)
        assert len(server.requests) == 4
    assert caught.value.status_code == 503


def test_one_try_disables_retries(connect: TransportFactory) -> None:
    with FaultServer([faults.unavailable(503)]) as server:
        with pytest.raises(ServerError):
            connect(server.url, retries=Retries(tries=1)).send(LIST)
        assert len(server.requests) == 1


def test_500_is_not_retried_and_shows_the_servers_detail(connect: TransportFactory) -> None:
    error = json_response({"detail": "Cannot resolve keyword 'nam' into field.", "status_code": 500}, status=500)
    with FaultServer([error]) as server:
        with pytest.raises(ServerError, match=r"Cannot resolve keyword 'nam'.*django=") as caught:
            connect(server.url).send(LIST)
        assert len(server.requests) == 1
    assert caught.value.detail == "Cannot resolve keyword 'nam' into field."


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_wait_beyond_the_limit_raises_at_once(connect: TransportFactory, form: str) -> None:
    retry_after = "3600" if form == "seconds" else faults.http_date(3600)
    with FaultServer([faults.too_many(retry_after)]) as server:
        with pytest.raises(RateLimitError) as caught:
            connect(server.url).send(LIST)
        assert len(server.requests) == 1
    assert caught.value.retry_after == pytest.approx(3600, abs=60)


def test_unavailable_server_that_asks_for_too_long_a_wait_raises_at_once(connect: TransportFactory) -> None:
    with FaultServer([faults.unavailable(503, retry_after="600")]) as server:
        with pytest.raises(ServerError, match="in 600 s") as caught:
            connect(server.url).send(LIST)
        assert len(server.requests) == 1
    assert caught.value.retry_after == 600


def test_404_to_the_retry_of_an_unanswered_deletion_is_success(connect: TransportFactory) -> None:
    gone = json_response({"detail": "Not found."}, status=404)
    with FaultServer([faults.reset_before_headers(), gone]) as server:
        assert connect(server.url).send(DELETE).status == 204
    with FaultServer([gone]) as server, pytest.raises(NotFoundError):
        connect(server.url).send(DELETE)
    with FaultServer([faults.too_many("0"), gone]) as server, pytest.raises(NotFoundError):
        connect(server.url).send(DELETE)


def test_slow_response_is_a_timeout_and_retried(connect: TransportFactory) -> None:
    with FaultServer([faults.silent(), faults.stalled_body(["x" * 100]), json_response([])]) as server:
        assert connect(server.url, read_timeout=0.2).send(LIST).status == 200
        assert len(server.requests) == 3


def test_slow_response_to_a_creation_raises(connect: TransportFactory) -> None:
    with FaultServer([faults.silent()]) as server:
        with pytest.raises(AlyxTimeoutError, match="did not answer POST") as caught:
            connect(server.url, read_timeout=0.2).send(CREATE)
        assert len(server.requests) == 1
    assert isinstance(caught.value, TimeoutError)


def test_unknown_host_is_not_retried(connect: TransportFactory, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "alyx_client")
    with pytest.raises(AlyxConnectionError, match=r"no-such-host\.invalid") as caught:
        connect("http://no-such-host.invalid").send(Request("GET", "/x", authenticate=False))
    # A machine without a resolver cannot tell whether there is such a host.
    if "There is no host" in str(caught.value):
        assert not caplog.messages
