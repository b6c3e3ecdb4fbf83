"""Logins with a token, for both clients."""

from __future__ import annotations

from typing import Any

import pytest

from alyx_client.errors import (
    AlyxConnectionError,
    AlyxWarning,
    AuthenticationError,
    MissingCredentialsError,
    NotFoundError,
    ServerError,
    UnexpectedAnswerError,
)
from alyx_client.testing import LocalAlyx
from tests import faults
from tests.auth.clients import NO_SUCH_PAGE, Connect, by_token, newer_alyx, older_alyx
from tests.faults import FaultServer, json_response


def test_token_is_checked_by_the_server_before_it_is_adopted(connect: Connect, alyx: LocalAlyx) -> None:
    client = connect(alyx.url)
    for wrong in ("0" * 40, "nonsense"):
        with pytest.raises(AuthenticationError, match="did not accept the token"):
            client("authenticate", token=wrong)
        assert not client.client.is_logged_in
    client("authenticate", token=alyx.token("olivier"))
    assert client.client.is_logged_in
    assert client.client.user is None
    client("authenticate", "olivier", token={"token": alyx.token("olivier")})
    assert client.client.user == "olivier"


def test_refused_token_does_not_change_the_login(connect: Connect) -> None:
    with newer_alyx({"T1": "ana"}) as server:
        client = connect(server.url, token="T1")
        with pytest.raises(AuthenticationError):
            client("authenticate", token="wrong")
        assert client.client.is_logged_in
        client("get", "/users")
        assert server.tokens[-1] == "T1"


def test_newer_servers_report_the_owner_of_a_token(connect: Connect) -> None:
    with newer_alyx({"T1": "ana", "T2": "miles"}) as server:
        client = connect(server.url)
        client("authenticate", token="T1")
        assert client.client.user == "ana"
        with pytest.warns(AlyxWarning, match="'miles', not to 'olivier'"):
            client("authenticate", "olivier", token="T2")
        assert client.client.user == "miles"
        assert server.paths == ["/me", "/me"]


@pytest.mark.parametrize(
    "me",
    [
        NO_SUCH_PAGE,
        faults.html_response(200, "Your token"),
        faults.html_response(401, "Sign in"),
        faults.html_response(403, "Forbidden"),
        faults.html_response(500),
        json_response({"detail": "Not found."}, status=404),
        json_response({"username": ""}),
        json_response({"username": ["x"]}),
        json_response([]),
        json_response({"detail": "You do not have permission to perform this action."}, status=403),
    ],
)
def test_servers_that_do_not_report_the_owner_are_sent_another_request(connect: Connect, me: faults.Step) -> None:
    with FaultServer(routes={"/me": [me]}, then=by_token({"T1": {"username": "ana"}})) as server:
        client = connect(server.url)
        client("authenticate", "ana", token="T1")
        assert client.client.user == "ana"
        assert server.paths == ["/me", "/users/ana"]
        assert server.tokens == ["T1", "T1"]


def test_unknown_username_is_an_error(connect: Connect, alyx: LocalAlyx) -> None:
    client = connect(alyx.url)
    with pytest.raises(AuthenticationError, match="no user 'oliver'"):
        client("authenticate", "oliver", token=alyx.token("olivier"))
    assert not client.client.is_logged_in


def test_token_of_a_user_without_permission_to_list_users_is_accepted(connect: Connect) -> None:
    refusal = json_response({"detail": "You do not have permission to perform this action."}, status=403)
    with older_alyx(refusal) as server:
        client = connect(server.url)
        client("authenticate", "ana", token="T1")
        assert client.client.is_logged_in


@pytest.mark.parametrize(
    ("step", "error"), [(faults.html_response(200, "Portal"), UnexpectedAnswerError), (NO_SUCH_PAGE, NotFoundError)]
)
def test_token_is_not_accepted_by_other_kinds_of_server(
    connect: Connect, step: faults.Step, error: type[Exception]
) -> None:
    with FaultServer(then=step) as server:
        client = connect(server.url)
        with pytest.raises(error):
            client("authenticate", token="T1")
        assert not client.client.is_logged_in


def test_token_is_not_accepted_by_a_failing_server(connect: Connect) -> None:
    with FaultServer(then=faults.unavailable()) as server:
        client = connect(server.url)
        with pytest.raises(ServerError):
            client("authenticate", token="T1")
        assert not client.client.is_logged_in
    with pytest.raises(AlyxConnectionError):
        connect(f"http://127.0.0.1:{faults.closed_port()}")("authenticate", token="T1")


@pytest.mark.parametrize("token", ["", " ", "two words", "tök", {"token": ""}, {}, {"token": 3}])
def test_invalid_token_is_not_sent(connect: Connect, token: Any) -> None:
    with FaultServer() as server:
        with pytest.raises(MissingCredentialsError, match="copy it again"):
            connect(server.url)("authenticate", token=token)
        assert server.requests == []
