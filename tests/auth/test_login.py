"""Logins with a password or at a prompt, and the state of the login, for both clients."""

from __future__ import annotations

import pickle
import traceback
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient
from alyx_client.auth.state import LoginState
from alyx_client.errors import (
    AlyxError,
    AuthenticationError,
    MissingCredentialsError,
    UnexpectedAnswerError,
)
from alyx_client.http.retry import Retries
from alyx_client.testing import LocalAlyx
from tests import faults
from tests.auth.clients import Connect, newer_alyx
from tests.auth.stored_settings import stored_tokens
from tests.faults import FaultServer, page, token_response

USERS = page([{"username": "ana"}])


# --- with a password


def test_login_with_a_password(connect: Connect, alyx: LocalAlyx) -> None:
    client = connect(alyx.url)
    assert not client.client.is_logged_in
    client("authenticate", "olivier", "olivier")
    assert client.client.is_logged_in
    assert client.client.user == "olivier"
    assert client("get", "/users/olivier")["username"] == "olivier"


def test_wrong_password_changes_nothing(connect: Connect, alyx: LocalAlyx) -> None:
    client = connect(alyx.url, username="olivier", password="olivier")
    client("authenticate")
    for user in ("olivier", "admin", "nobody"):
        with pytest.raises(AuthenticationError, match="username and password"):
            client("authenticate", user, "wrong")
        assert (client.client.user, bool(client.client.is_logged_in)) == ("olivier", True)
        assert client("get", "/users/olivier")["username"] == "olivier"


def test_password_forces_a_new_login(connect: Connect) -> None:
    with FaultServer(routes={"/auth-token": [token_response("T1"), token_response("T2")]}, then=USERS) as server:
        client = connect(server.url)
        client("authenticate", "ana", "p")
        client("authenticate", "ana", "p")
        client("get", "/users")
        assert server.paths == ["/auth-token", "/auth-token", "/users"]
        assert server.tokens[-1] == "T2"


def test_another_user_replaces_the_first(connect: Connect, alyx: LocalAlyx) -> None:
    client = connect(alyx.url, username="olivier", password="olivier")
    client("authenticate")
    client("authenticate", "admin", "admin")
    assert client.client.user == "admin"
    alyx.revoke("admin")
    try:
        # A stale token is also renewed by the new user's login.
        assert client("get", "/users", clobber=True)
        assert client.client.user == "admin"
        assert client.client._auth.token == alyx.token("admin")
    finally:
        alyx.reset()


@pytest.mark.parametrize("password", [None, ""])
@pytest.mark.parametrize("username", [None, "ana", ""])
def test_silent_client_without_credentials_sends_nothing(
    connect: Connect, username: str | None, password: str | None
) -> None:
    with FaultServer() as server:
        client = connect(server.url)
        with pytest.raises(MissingCredentialsError, match="nothing was sent"):
            client("authenticate", username, password)
        with pytest.raises(MissingCredentialsError, match="nothing was sent"):
            connect(server.url, username=username, password=password)("get", "/users")
        assert server.requests == []
        assert not client.client.is_logged_in


def test_password_of_one_user_is_not_used_for_another(connect: Connect) -> None:
    with FaultServer() as server:
        with pytest.raises(MissingCredentialsError, match="'miles'"):
            connect(server.url, username="ana", password="p")("authenticate", "miles")
        assert server.requests == []


def test_password_and_token_together_are_an_error(connect: Connect) -> None:
    with FaultServer() as server:
        with pytest.raises(ValueError, match="either is enough"):
            connect(server.url)("authenticate", "ana", "p", token="t")
        assert server.requests == []


def test_response_without_a_token_changes_nothing(connect: Connect) -> None:
    with FaultServer([faults.html_response(200)], then=USERS) as server:
        client = connect(server.url, token="T1")
        with pytest.raises(UnexpectedAnswerError, match="contains no token"):
            client("authenticate", "ana", "p")
        client("get", "/users")
        assert server.tokens[-1] == "T1"


def test_renewal_lock_is_released_after_every_failure(connect: Connect) -> None:
    with FaultServer([faults.wrong_password(), faults.html_response(200)], then=USERS) as server:
        client = connect(server.url)
        for credentials in (("ana", "p"), ("ana", "p"), ()):
            with pytest.raises((AuthenticationError, UnexpectedAnswerError, MissingCredentialsError)):
                client("authenticate", *credentials)
            assert not client.client._auth.renewal_lock.locked()


# --- at a prompt


def test_prompt_requests_what_is_missing(connect: Connect, replies: list[str], alyx: LocalAlyx) -> None:
    replies += ["olivier", "olivier"]
    client = connect(alyx.url, silent=False)
    client("authenticate")
    assert (client.client.user, replies) == ("olivier", [])
    replies += ["admin"]
    client("authenticate", "admin")
    assert (client.client.user, replies) == ("admin", [])


@pytest.mark.parametrize("call", ["authenticate", "get"])
def test_user_without_a_password_can_enter_a_token(
    connect: Connect, replies: list[str], isolated_settings: Path, call: str
) -> None:
    with newer_alyx({"T1": "ana"}) as server:
        replies += ["ana", "", " T1 "]
        client = connect(server.url, silent=False)
        client(call, *([] if call == "authenticate" else ["/users"]))
        assert (client.client.user, replies) == ("ana", [])
        assert "T1" in stored_tokens(isolated_settings)
        assert connect(server.url).client.is_logged_in


def test_wrong_token_entered_at_a_prompt_is_not_stored(
    connect: Connect, replies: list[str], isolated_settings: Path
) -> None:
    with newer_alyx({}) as server:
        for call in (("authenticate",), ("get", "/users")):
            replies += ["ana", "", "T1", "", "", ""]
            client = connect(server.url, silent=False)
            with pytest.raises((AuthenticationError, MissingCredentialsError)):
                client(*call)
            assert not client.client.is_logged_in
            replies.clear()
        assert stored_tokens(isolated_settings) == ""


PROMPTED_CALLS = {"authenticate": ("authenticate",), "get": ("get", "/users")}


@pytest.mark.parametrize("call", PROMPTED_CALLS)
def test_wrong_password_is_prompted_for_again(
    connect: Connect, replies: list[str], call: str, alyx: LocalAlyx, capsys: pytest.CaptureFixture[str]
) -> None:
    replies += ["olivier", "wrong", "oliver", "olivier", "olivier", "olivier", "left"]
    client = connect(alyx.url, silent=False)
    client(*PROMPTED_CALLS[call])
    assert (client.client.user, replies) == ("olivier", ["left"])
    assert capsys.readouterr().out.count(f"{alyx.url} did not accept this login. Please try again.") == 2


@pytest.mark.parametrize("call", PROMPTED_CALLS)
def test_prompts_for_a_wrong_password_end(connect: Connect, replies: list[str], call: str, alyx: LocalAlyx) -> None:
    client = connect(alyx.url, username="olivier", silent=False)
    # Of a user that is known, only the password is prompted for.
    replies += ["wrong", "wrong", "wrong", "left"]
    with pytest.raises(AuthenticationError, match="username and password"):
        client(*PROMPTED_CALLS[call])
    assert replies == ["left"]
    # The user gives up.
    replies[:] = ["wrong", "", "", "left"]
    with pytest.raises(AuthenticationError, match="username and password"):
        client(*PROMPTED_CALLS[call])
    assert replies == ["left"]
    replies[:] = ["olivier"]
    client(*PROMPTED_CALLS[call])
    assert client.client.user == "olivier"


@pytest.mark.parametrize("call", PROMPTED_CALLS)
def test_prompts_for_a_wrong_token_end(connect: Connect, replies: list[str], call: str) -> None:
    with newer_alyx({"T1": "ana"}) as server:
        replies += ["ana", "", "T0", "ana", "", "T1", "left"]
        client = connect(server.url, silent=False)
        client(*PROMPTED_CALLS[call])
        assert (client.client.user, replies) == ("ana", ["left"])
    with newer_alyx({}) as server:
        replies[:] = [*["ana", "", "T0"] * 3, "left"]
        client = connect(server.url, silent=False)
        with pytest.raises(AuthenticationError, match="the token"):
            client(*PROMPTED_CALLS[call])
        assert replies == ["left"]


@pytest.mark.parametrize("call", PROMPTED_CALLS)
@pytest.mark.parametrize("source", ["argument", "environment"])
def test_wrong_password_of_the_program_is_not_prompted_for(
    connect: Connect, replies: list[str], call: str, source: str, alyx: LocalAlyx, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = {"username": "olivier", "password": "wrong"}
    if source == "environment":
        monkeypatch.setenv("ALYX_USERNAME", "olivier")
        monkeypatch.setenv("ALYX_PASSWORD", "wrong")
        login = {}
    replies += ["olivier", "olivier"]
    with pytest.raises(AuthenticationError, match="username and password"):
        connect(alyx.url, silent=False, **login)(*PROMPTED_CALLS[call])
    assert replies == ["olivier", "olivier"]


def test_failure_of_the_server_is_not_prompted_for_again(connect: Connect, replies: list[str]) -> None:
    with FaultServer(then=faults.unavailable(503)) as server:
        for call in PROMPTED_CALLS.values():
            replies[:] = ["ana", "right", "left"]
            with pytest.raises(AlyxError):
                connect(server.url, silent=False, retries=Retries(tries=1))(*call)
            assert replies == ["left"]


# --- login state


def test_login_state_is_value_and_call() -> None:
    assert LoginState(True)
    assert LoginState(True)()
    assert LoginState(True) == True  # noqa: E712
    assert not LoginState(False)
    assert LoginState("")() is False
    assert (repr(LoginState(True)), str(LoginState(False)), f"{LoginState(True)}") == ("True", "False", "True")
    assert pickle.loads(pickle.dumps(LoginState(True))) == LoginState(True)
    assert {True: "in"}[LoginState(True)] == "in"


def test_is_logged_in_sends_nothing_and_reflects_refusals(connect: Connect) -> None:
    with newer_alyx({"T1": "ana"}) as server:
        client = connect(server.url, token="stale")
        assert client.client.is_logged_in
        assert client.client.is_logged_in()
        assert server.requests == []
        for _ in range(2):
            with pytest.raises(AuthenticationError):
                client("get", "/users")
            assert not client.client.is_logged_in


@pytest.mark.parametrize("source", ["argument", "environment", "token"])
@pytest.mark.parametrize(
    "step",
    [faults.wrong_password(), faults.reset_before_headers(), faults.html_response(), faults.unavailable(500)],
    ids=["refused", "broken", "page", "failed"],
)
def test_tracebacks_with_local_variables_show_no_secret(
    source: str, step: faults.Step, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    login: dict[str, Any] = (
        {"token": "the-secret"} if source == "token" else {"username": "u", "password": "the-secret"}
    )
    if source == "environment":
        monkeypatch.setenv("ALYX_USERNAME", "u")
        monkeypatch.setenv("ALYX_PASSWORD", "the-secret")
        login = {}
    with FaultServer(then=step) as server:
        client = AlyxClient(server.url, **login, silent=True, cache_dir=tmp_path, retries=Retries(tries=1))
        for call in (client.authenticate, lambda: client.authenticate(**login), lambda: client.get("/labs")):
            with pytest.raises(AlyxError) as caught:
                call()
            report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
            # The caller's own variables are the caller's.
            frames = [frame for frame in report.stack if "alyx_client" in Path(frame.filename).parts]
            assert frames
            assert not [frame for frame in frames if "the-secret" in repr(frame.locals)]
