"""The order of tokens and logins, without I/O: the flow is driven by hand, and each request has a scripted response."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from alyx_client.auth.credentials import Credentials
from alyx_client.auth.login_api import login_request
from alyx_client.auth.state import AuthState
from alyx_client.auth.token import Secret, hide, identity
from alyx_client.auth.token_flow import TokenAuth
from alyx_client.errors import AlyxConnectionError, AlyxError, DeadlineExceededError
from alyx_client.http.failure import LoginRefused, Unanswered
from alyx_client.http.flow import Acquire, Blocking, Send
from alyx_client.http.message import Request, Response, TokenUser
from alyx_client.http.token_scheme import ALYX_TOKENS, TokenScheme

URL = "https://alyx.example.org"
LIST = Request("GET", "/subjects")
OK, STALE, FORBIDDEN = Response(200, {}, b"[]"), Response(401, {}, b""), Response(403, {}, b"{}")
WRONG = Response(400, {}, b"{}")
BASIC = TokenScheme("Basic")


def token(text: str) -> Response:
    return Response(200, {}, f'{{"token": "{text}"}}'.encode())


def state(scheme: TokenScheme = ALYX_TOKENS, **settings: Any) -> AuthState:
    settings = {"username": "olivier", "password": "secret", "store": False, "silent": True, **settings}
    return AuthState(Credentials(URL, **settings), scheme=scheme)


def play(
    auth: AuthState,
    *script: Response | Unanswered,
    waiting: Callable[[], None] = lambda: None,
    token: str | None = None,
) -> tuple[Response | Exception, list[str]]:
    """Return how a request ended, and what was sent: "login", or the token; `waiting` runs before the lock is had."""
    flow = TokenAuth(auth, login_timeout=7.0).authenticate(LIST, token)
    sent, remaining = [], iter(script)
    outcome: Any = None
    try:
        while True:
            step = flow.throw(outcome) if isinstance(outcome, Exception) else flow.send(outcome)
            outcome = None
            if isinstance(step, Send):
                is_login = step.request.path == "/auth-token"
                assert step.request == (login_request("olivier", "secret") if is_login else LIST)
                assert step.login_timeout == (7.0 if is_login else None)
                sent.append("login" if is_login else str(step.token))
                outcome = next(remaining)
            elif isinstance(step, Blocking):
                outcome = step.function()
            elif isinstance(step, Acquire):
                waiting()
                assert step.lock.acquire(blocking=False)
    except StopIteration as end:
        result: Response | Exception = end.value
    except (LoginRefused, Unanswered, AlyxError) as error:
        result = error
    assert not auth.renewal_lock.locked()
    assert next(remaining, None) is None
    return result, sent


@pytest.mark.parametrize(
    ("first", "script", "sent", "status"),
    [
        (None, [token("T1"), OK], ["login", "T1"], 200),
        ("T0", [OK], ["T0"], 200),
        ("T0", [STALE, token("T1"), OK], ["T0", "login", "T1"], 200),
        ("T0", [STALE, token("T1"), STALE], ["T0", "login", "T1"], 401),
        ("T0", [FORBIDDEN], ["T0"], 403),
        (None, [token("T1"), STALE], ["login", "T1"], 401),
    ],
)
def test_requests_of_a_renewal(first: str | None, script: list[Response], sent: list[str], status: int) -> None:
    auth = state()
    auth.token = first
    end, requests = play(auth, *script)
    assert requests == sent
    assert isinstance(end, Response)
    last = sent[-1]
    assert (end.status, end.sender) == (
        status,
        TokenUser(identity(last), end.sender and end.sender.username, "login" in sent),
    )
    assert auth.is_logged_in == (status != 401)


@pytest.mark.parametrize(("status", "sent"), [(200, 1), (401, 1)])
def test_basic_login_is_sent_with_each_request_and_never_twice_after_it_was_refused(status: int, sent: int) -> None:
    auth = state(BASIC)
    login = BASIC.basic_token("olivier", "secret")
    end, requests = play(auth, Response(status, {}, b""))
    assert isinstance(end, Response)
    assert (end.status, requests) == (status, [login] * sent)
    assert auth.owners[login] == "olivier"
    assert auth.logins == 1
    again, requests = play(auth, Response(status, {}, b""))
    assert (isinstance(again, Response), requests) == (True, [login])


def test_each_login_is_counted() -> None:
    auth = state()
    for number in (1, 2, 3):
        play(auth, *([] if number == 1 else [STALE]), token(f"T{number}"), OK)
        assert (auth.logins, auth.token, auth.user) == (number, f"T{number}", "olivier")
    assert auth.issued == {"T1", "T2", "T3"}
    assert auth.refused == {"T1", "T2"}


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
def test_refused_login_is_not_repeated_by_requests_that_waited_for_it(status: int) -> None:
    auth, response = state(), Response(status, {}, b"{}")
    end, sent = play(auth, response)
    assert isinstance(end, LoginRefused)
    assert (end.response, sent, auth.logins) == (response, ["login"], 1)
    is_final = status in {400, 401, 403}
    assert (auth.refusal is response) == is_final

    def another_was_refused() -> None:
        auth.logins += 1

    end, sent = play(auth, *([] if is_final else [token("T1"), OK]), waiting=another_was_refused)
    assert isinstance(end, LoginRefused) == is_final
    assert sent == ([] if is_final else ["login", "T1"])
    # A request that comes later tries again.
    auth.token = None
    end, sent = play(auth, token("T1"), OK)
    assert sent == ["login", "T1"]
    assert auth.refusal is None


@pytest.mark.parametrize("retryable", [True, False])
@pytest.mark.parametrize("setting", ["login_timeout", "timeout", None])
def test_login_without_a_response_sent_no_request(retryable: bool, setting: str | None) -> None:
    auth = state()
    error: AlyxError = AlyxConnectionError("") if setting is None else DeadlineExceededError("")
    if isinstance(error, DeadlineExceededError) and setting:
        error.setting = setting
    end, sent = play(auth, Unanswered(error, sent=True, retryable=retryable))
    assert isinstance(end, Unanswered)
    assert (end.error, end.sent, end.retryable, sent) == (error, False, retryable, ["login"])
    is_slow_login = setting == "login_timeout"
    assert (auth.timed_out is error, auth.logins) == (is_slow_login, int(is_slow_login))

    def another_login_timed_out() -> None:
        auth.logins += 1

    end, sent = play(auth, *([] if is_slow_login else [token("T1"), OK]), waiting=another_login_timed_out)
    assert (len(sent) == 0) == is_slow_login
    if is_slow_login:
        assert isinstance(end, Unanswered)
        assert (type(end.error), end.sent, end.retryable) == (DeadlineExceededError, False, False)
        # Of its own, since the other request's may get another message.
        assert end.error is not error


def test_token_of_another_login_is_used_by_requests_that_waited_for_it() -> None:
    auth = state()
    auth.token = "T0"

    def another_logged_in() -> None:
        auth.token, auth.logins = "T1", auth.logins + 1

    end, sent = play(auth, STALE, OK, waiting=another_logged_in)
    assert (isinstance(end, Response), sent) == (True, ["T0", "T1"])


@pytest.mark.parametrize("scheme", [ALYX_TOKENS, BASIC, TokenScheme("", "X-Key")])
@pytest.mark.parametrize("pickle_token", [True, False])
def test_copies_for_other_processes_have_no_password_and_the_token_only_if_it_may_travel(
    scheme: TokenScheme, pickle_token: bool
) -> None:
    auth = state(scheme, pickle_token=pickle_token)
    auth.token = "T1"
    auth.refused.add("T0")
    worker = pickle.loads(pickle.dumps(auth))
    assert (worker.token, worker.scheme) == ("T1" if pickle_token else None, scheme)
    assert (worker.credentials.password, worker.refused, worker.logins) == (None, set(), 0)
    twin = copy.deepcopy(auth)
    assert (twin.token, twin.scheme, twin.credentials.password) == ("T1", scheme, "secret")
    assert twin.credentials is not auth.credentials
    assert twin.renewal_lock is not auth.renewal_lock


@pytest.mark.parametrize("reentrant", [True, False])
def test_copies_are_reentrant_if_the_original_is(reentrant: bool) -> None:
    auth = AuthState(Credentials(URL, explicit_token="T1"), reentrant=reentrant)
    for one in (auth, pickle.loads(pickle.dumps(auth)), copy.deepcopy(auth)):
        assert one.renewal_lock.acquire(blocking=False)
        assert one.renewal_lock.acquire(blocking=False) == reentrant
        assert one.renewal_lock.locked() != reentrant  # to its own thread, a reentrant one is free


def test_token_that_was_passed_is_sent_as_it_is_whatever_the_response() -> None:
    auth = state()
    end, sent = play(auth, STALE, token="T9")
    assert (end, sent) == (STALE, ["T9"])
    assert (auth.token, auth.refused) == (None, set())


@pytest.mark.parametrize("place", ["argument", "environment"])
def test_refused_token_is_not_found_again(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if place == "environment":
        monkeypatch.setenv("ALYX_TOKEN", "T0")
    auth = state(username=None, password=None, explicit_token="T0" if place == "argument" else None)
    end, sent = play(auth, STALE)
    assert isinstance(end, Response)
    assert (end.status, sent) == (401, ["T0"])
    assert not auth.is_logged_in


def test_token_of_a_login_is_stored_under_its_user() -> None:
    play(state(store=True), token("T1"), OK)
    assert Credentials(URL).token() == Credentials(URL, username="olivier").token() == "T1"
    assert Credentials(URL).user() == "olivier"
    assert Credentials(URL, username="miles").token() is None


def test_present_token_is_known_without_waiting_for_a_renewal() -> None:
    auth = state(username=None, explicit_token="T0")
    lock = auth.renewal_lock
    assert lock.acquire(blocking=False)
    assert (auth.known_token(), auth.identity, auth.is_logged_in) == (None, None, False)
    lock.release()
    assert (auth.known_token(), auth.identity, auth.is_logged_in) == ("T0", identity("T0"), True)
    assert not lock.locked()


def test_responses_to_a_basic_login_have_a_name_that_is_slow_to_guess() -> None:
    login = BASIC.basic_token("olivier", "secret")
    assert state(BASIC).identity_of(login) == identity(login, is_password=True) != identity(login)
    auth = state()
    assert [auth.identity_of(one) for one in ("T1", "T1", "T2")] == [identity(one) for one in ("T1", "T1", "T2")]


@pytest.mark.parametrize("value", ["secret", Secret("secret"), None, {"token": "secret"}])
def test_text_is_hidden_and_stays_the_same_text(value: object) -> None:
    hidden = hide(value)
    assert hidden == value
    assert (repr(hidden) == "'***'") == isinstance(value, str)


@pytest.mark.parametrize(("status", "is_stored"), [(200, True), (404, False)])
def test_token_that_was_typed_is_stored_under_its_user_once_a_request_succeeds(
    replies: list[str], status: int, is_stored: bool
) -> None:
    replies += ["ana", "", "T1"]
    auth = state(username=None, password=None, silent=False, store=True)
    _, sent = play(auth, Response(status, {}, b"{}"))
    assert (sent, auth.user, auth.logins) == (["T1"], "ana", 0)
    assert Credentials(URL).token() == Credentials(URL, username="ana").token() == ("T1" if is_stored else None)
