from __future__ import annotations

import threading
import traceback

import pytest

from alyx_client.auth.credentials import Credentials
from alyx_client.errors import (
    AlyxHTTPError,
    AuthenticationError,
    ForeignURLError,
    MissingCredentialsError,
    UnexpectedAnswerError,
)
from alyx_client.http.message import Request, Response
from tests import faults
from tests.faults import FaultServer, json_response
from tests.http.transports import CREATE, LIST, TransportFactory, with_password


# --- tokens and logins ------------------------------------------------------------------------------------------------
def test_first_request_logs_in(connect: TransportFactory) -> None:
    with FaultServer(
        [json_response([]), json_response([])], routes={"/auth-token": [faults.token_response("T1")]}
    ) as server:
        sender = connect(server.url, credentials=with_password(server.url))
        sender.send(LIST)
        sender.send(LIST)
        assert server.paths == ["/auth-token", "/subjects", "/subjects"]
        assert server.tokens == [None, "T1", "T1"]
        assert server.requests[0].json() == {"username": "olivier", "password": "secret-password"}


@pytest.mark.parametrize("status", [401, 403])
def test_stale_token_is_renewed_once(connect: TransportFactory, status: int) -> None:
    routes = {"/auth-token": [faults.token_response("T2")]}
    with FaultServer([faults.stale_token(status), json_response({}, status=201)], routes=routes) as server:
        sender = connect(server.url, credentials=with_password(server.url, explicit_token="T1"))
        assert sender.send(CREATE).status == 201
        assert server.tokens == ["T1", None, "T2"]
        assert server.requests[0].body == server.requests[2].body == CREATE.json


def test_token_that_stays_stale_is_renewed_once_only(connect: TransportFactory) -> None:
    routes = {"/auth-token": [faults.token_response("T2")]}
    with FaultServer(then=faults.stale_token(), routes=routes) as server:
        with pytest.raises(AuthenticationError):
            connect(server.url, credentials=with_password(server.url, explicit_token="T1")).send(LIST)
        assert server.paths == ["/subjects", "/auth-token", "/subjects"]


def test_stale_token_without_a_password_says_how_to_log_in_again(connect: TransportFactory) -> None:
    with FaultServer([faults.stale_token()]) as server:
        with pytest.raises(AuthenticationError, match="Log in again with username=") as caught:
            connect(server.url).send(LIST)
        assert len(server.requests) == 1
    assert isinstance(caught.value, PermissionError)


def test_missing_permission_does_not_renew_the_token(connect: TransportFactory) -> None:
    refusal = json_response({"detail": "You do not have permission to perform this action."}, status=403)
    with FaultServer([refusal]) as server:
        with pytest.raises(PermissionError, match="You do not have permission"):
            connect(server.url, credentials=with_password(server.url, explicit_token="T1")).send(LIST)
        assert len(server.requests) == 1


def test_without_credentials_nothing_is_sent(connect: TransportFactory) -> None:
    with FaultServer() as server:
        with pytest.raises(MissingCredentialsError, match="ALYX_TOKEN"):
            connect(server.url, credentials=Credentials(server.url)).send(LIST)
        assert server.requests == []


def test_wrong_password_is_an_authentication_error(connect: TransportFactory) -> None:
    with FaultServer(routes={"/auth-token": [faults.wrong_password()]}) as server:
        with pytest.raises(AuthenticationError, match="did not accept the username and password") as caught:
            connect(server.url, credentials=with_password(server.url)).send(LIST)
        assert server.paths == ["/auth-token"]
    assert "secret-password" not in "".join(traceback.format_exception(caught.value))


def test_logins_are_retried_like_other_requests(connect: TransportFactory) -> None:
    logins = [faults.too_many("0"), faults.unavailable(503), faults.reset_before_headers(), faults.token_response("T1")]
    with FaultServer([json_response({}, status=201)], routes={"/auth-token": logins}) as server:
        assert connect(server.url, credentials=with_password(server.url)).send(CREATE).status == 201
        assert server.paths == ["/auth-token"] * 4 + ["/subjects"]


def test_login_response_without_a_token_is_an_error(connect: TransportFactory) -> None:
    server = FaultServer(routes={"/auth-token": [faults.html_response()]})
    with server, pytest.raises(UnexpectedAnswerError, match="contains no token"):
        connect(server.url, credentials=with_password(server.url)).send(LIST)


@pytest.mark.parametrize("known", ["T1", None])
def test_concurrent_requests_log_in_once(connect: TransportFactory, known: str | None) -> None:
    routes = {"/auth-token": [faults.token_response("T2", delay=0.1)]}
    with FaultServer(then=faults.require_token("T2", [], delay=0.02), routes=routes) as server:
        sender = connect(server.url, credentials=with_password(server.url, explicit_token=known))
        outcomes = sender.send_many(LIST, 12)
        assert [outcome.status for outcome in outcomes if isinstance(outcome, Response)] == [200] * 12
        assert server.count("/auth-token") == 1


def test_concurrent_requests_do_not_repeat_a_refused_login(connect: TransportFactory) -> None:
    def slow_refusal(request: faults.Received, connection: object) -> bool:
        threading.Event().wait(0.3)
        return faults.wrong_password()(request, connection)  # type: ignore[arg-type]

    with FaultServer(routes={"/auth-token": [slow_refusal] * 12}) as server:
        outcomes = connect(server.url, credentials=with_password(server.url)).send_many(LIST, 6)
        assert [type(outcome) for outcome in outcomes] == [AuthenticationError] * 6
        assert server.paths == ["/auth-token"]


def test_next_call_after_a_refused_login_logs_in_again(connect: TransportFactory) -> None:
    routes = {"/auth-token": [faults.wrong_password(), faults.token_response("T1")]}
    with FaultServer([json_response([])], routes=routes) as server:
        sender = connect(server.url, credentials=with_password(server.url))
        with pytest.raises(AuthenticationError):
            sender.send(LIST)
        assert sender.send(LIST).status == 200


def test_new_token_is_stored_for_the_next_client(connect: TransportFactory) -> None:
    with FaultServer(then=json_response([]), routes={"/auth-token": [faults.token_response("T1")]}) as server:
        connect(server.url, credentials=with_password(server.url, store=True)).send(LIST)
        connect(server.url, credentials=Credentials(server.url)).send(LIST)
        assert server.tokens == [None, "T1", "T1"]


def test_token_renewed_by_another_process_is_used(connect: TransportFactory) -> None:
    with FaultServer(then=faults.require_token("T2", [])) as server:
        Credentials(server.url, store=True).remember("T1", "olivier")
        sender = connect(server.url, credentials=Credentials(server.url))
        with pytest.raises(AuthenticationError):
            sender.send(LIST)
        Credentials(server.url, store=True).remember("T2", "olivier")
        assert sender.send(LIST).status == 200


# --- the token goes to the configured server alone --------------------------------------------------------------------
def test_url_of_another_server_is_refused_before_anything_is_sent(connect: TransportFactory) -> None:
    with FaultServer(then=json_response([])) as ours, FaultServer(then=json_response([])) as other:
        sender = connect(ours.url)
        for url in (f"{other.url}/subjects/a", ours.url.replace("http:", "https:"), "//evil.example/x"):
            with pytest.raises(ForeignURLError, match="nothing was sent"):
                sender.send(Request("GET", url))
        assert ours.requests == other.requests == []


def test_redirect_on_the_same_server_is_followed_with_the_token(connect: TransportFactory) -> None:
    with FaultServer([faults.redirect("/cache/new.zip?x=1", 301), json_response("there")]) as server:
        response = connect(server.url).send(Request("GET", "/cache.zip"))
        assert response.content == b'"there"'
        assert response.url == f"{server.url}/cache/new.zip?x=1"
        assert server.tokens == ["secret-token"] * 2


def test_redirect_to_another_server_is_refused(connect: TransportFactory) -> None:
    with FaultServer([json_response("elsewhere")]) as other:
        away = faults.redirect(f"{other.url}/bucket/cache.zip?X-Amz-Signature=abc")
        with FaultServer([away]) as server:
            with pytest.raises(AlyxHTTPError, match="another server") as caught:
                connect(server.url).send(Request("GET", "/cache.zip"))
            assert server.tokens == ["secret-token"]
        assert other.requests == []
    assert f"{server.url}/cache.zip" in str(caught.value)
    assert f"{other.url}/bucket/cache.zip," in str(caught.value)
    assert "abc" not in str(caught.value)


def test_redirect_to_another_server_starts_no_login(connect: TransportFactory) -> None:
    with FaultServer([faults.stale_token()]) as other, FaultServer([faults.redirect(f"{other.url}/x")]) as server:
        with pytest.raises(AlyxHTTPError, match="another server"):
            connect(server.url, credentials=with_password(server.url, explicit_token="T1")).send(LIST)
        assert server.paths == ["/subjects"]
        assert other.requests == []


def test_redirected_creation_is_not_repeated_elsewhere(connect: TransportFactory) -> None:
    server = FaultServer([faults.redirect("https://alyx.example.org/subjects", 301)])
    with server, pytest.raises(AlyxHTTPError, match=r"redirected to https://alyx\.example\.org/subjects") as caught:
        connect(server.url).send(CREATE)
    assert caught.value.status_code == 301


def test_circular_redirects_end(connect: TransportFactory) -> None:
    with FaultServer(then=faults.redirect("/subjects")) as server:
        with pytest.raises(AlyxHTTPError, match="redirected"):
            connect(server.url).send(LIST)
        assert len(server.requests) == 11
