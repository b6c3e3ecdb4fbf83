"""Stale responses for unreachable servers and offline clients."""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any

import pytest

from alyx_client.errors import (
    AlyxConnectionError,
    AlyxWarning,
    OfflineError,
    ServerError,
    StaleAnswerWarning,
)
from alyx_client.http.cache.call import _readable_duration
from alyx_client.http.message import Request
from tests import faults
from tests.faults import FaultServer, closed_port
from tests.http.cache import clients
from tests.http.cache.clients import CREATE, MOMENT, SESSIONS, SUBJECTS, Connect, body, echo


def test_last_response_and_its_age_are_served_for_an_unreachable_server(
    connect: Connect, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect(server)
    first = client(Request("GET", "/subjects?token=secret"))
    server.close()
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 3 * 3600 + 5)
    with pytest.warns(StaleAnswerWarning) as warned:
        assert client(Request("GET", "/subjects?token=secret")).content == first.content
    message = str(warned[0].message)
    assert "cannot be reached" in message
    assert "GET /subjects" in message
    assert "3 hours old" in message
    assert "secret" not in message
    assert issubclass(StaleAnswerWarning, RuntimeWarning)
    assert issubclass(StaleAnswerWarning, AlyxWarning)
    assert warned[0].filename == clients.__file__


@pytest.mark.parametrize(
    ("seconds", "age"),
    [
        (0.2, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (3599, "59 minutes"),
        (3600, "1 hour"),
        (7199, "1 hour"),
        (86399, "23 hours"),
        (86400, "1 day"),
        (2 * 86400, "2 days"),
        (-100, "1 second"),
    ],
)
def test_age_is_readable(seconds: float, age: str) -> None:
    assert _readable_duration(seconds) == age


def test_expired_responses_are_served_for_an_unreachable_server(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(SUBJECTS, expires=True)
    client(SESSIONS, expires=MOMENT)
    server.close()
    for request in (SUBJECTS, SESSIONS):
        with pytest.warns(StaleAnswerWarning):
            client(request)


def test_call_with_a_stale_response_fails_fast(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    assert not client.cache.begin(SUBJECTS, "alice").fail_fast
    client(SUBJECTS, expires=True)
    assert client.cache.begin(SUBJECTS, "alice").fail_fast
    assert not client.cache.begin(SUBJECTS, "alice", bypass_cache=True).fail_fast


def test_unreachable_server_without_a_response_is_an_error(connect: Connect) -> None:
    with pytest.raises(AlyxConnectionError):
        connect(f"http://127.0.0.1:{closed_port()}")(SUBJECTS)


def test_bypassing_and_disabling_the_cache_serve_no_stale_response(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(SUBJECTS)
    server.close()
    with pytest.raises(AlyxConnectionError):
        client(SUBJECTS, bypass_cache=True)
    client.cache.mode = None
    with pytest.raises(AlyxConnectionError):
        client(SUBJECTS)


def test_other_failures_are_raised(connect: Connect) -> None:
    with FaultServer([echo], then=faults.json_response({}, status=500)) as server:
        client = connect(server)
        client(SUBJECTS, expires=True)
        with pytest.raises(ServerError):
            client(SUBJECTS)
    with FaultServer([echo], then=faults.reset_before_headers()) as server:
        client = connect(server)
        client(SUBJECTS, expires=True)
        with pytest.raises(AlyxConnectionError):
            client(SUBJECTS)


def test_write_is_never_served_a_stale_response(connect: Connect, server: FaultServer) -> None:
    client = connect(server, mode="*")
    client(CREATE, expires=True)
    server.close()
    with pytest.raises(AlyxConnectionError):
        client(CREATE)


def test_write_deletes_the_endpoints_responses(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    for request in (SUBJECTS, SESSIONS):
        client(request)
    client(CREATE)
    server.close()
    with pytest.raises(AlyxConnectionError):
        client(SUBJECTS)
    with pytest.warns(StaleAnswerWarning):
        client(SESSIONS)


def test_write_that_never_reached_the_server_deletes_nothing(connect: Connect, server: FaultServer) -> None:
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
        assert body(client(SUBJECTS, username="olivier"))["sender"] == "alice"
    with pytest.raises(AlyxConnectionError):
        client(SUBJECTS, username="nobody")
    with pytest.raises(AlyxConnectionError):
        client(SUBJECTS)


def test_name_keeps_its_first_identity(connect: Connect, server: FaultServer) -> None:
    connect(server, user="alice")(SUBJECTS, username="olivier")
    connect(server, user="bob")(SUBJECTS, username="olivier")  # a token of another user
    server.close()
    with pytest.warns(StaleAnswerWarning):
        assert body(connect(server, user=None)(SUBJECTS, username="olivier"))["sender"] == "alice"


def test_login_gives_the_name_its_identity(connect: Connect, server: FaultServer) -> None:
    connect(server, user="alice")(SUBJECTS, username="olivier")
    connect(server, user=None)(SUBJECTS, username="olivier")
    server.close()
    with pytest.warns(StaleAnswerWarning):
        assert body(connect(server, user=None)(SUBJECTS, username="olivier"))["sender"] == "late"


def test_offline_serves_from_the_cache_only(connect: Connect, server: FaultServer) -> None:
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
    ("request_", "settings", "message"),
    [
        (Request("GET", "/labs?token=secret"), {}, "does not hold the response"),
        (SUBJECTS, {"bypass_cache": True}, "clobber"),
        (CREATE, {}, "nothing can be written"),
        (Request("DELETE", "/subjects/flowers"), {}, "nothing can be written"),
        (Request("GET", "/subjects", authenticate=False), {}, "cache is disabled"),
    ],
)
def test_offline_miss_says_what_to_do(
    connect: Connect, server: FaultServer, request_: Request, settings: dict[str, Any], message: str
) -> None:
    connect(server)(SUBJECTS)
    client = connect(server, offline=True)
    with pytest.raises(OfflineError, match=message) as raised:
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


def test_offline_with_the_cache_disabled_is_an_error(connect: Connect, server: FaultServer) -> None:
    connect(server)(SUBJECTS)
    client = connect(server, offline=True)
    with client.cache.disabled(), pytest.raises(OfflineError, match="cache is disabled"):
        client(SUBJECTS)
    client.cache.mode = None
    with pytest.raises(OfflineError, match="cache is disabled"):
        client(SUBJECTS)


def test_offline_creates_no_file(connect: Connect, server: FaultServer, folder: Path) -> None:
    with pytest.raises(OfflineError):
        connect(server, offline=True)(SUBJECTS, username="olivier")
    assert not folder.exists()


def test_offline_user_is_found_by_name(connect: Connect, server: FaultServer) -> None:
    connect(server, user="alice")(SUBJECTS, username="olivier")
    client = connect(server, user=None, offline=True)
    assert body(client(SUBJECTS, username="olivier"))["sender"] == "alice"
    with pytest.raises(OfflineError, match="'karolina'"):
        client(SUBJECTS, username="karolina")
    with pytest.raises(OfflineError, match="username="):
        client(SUBJECTS)
