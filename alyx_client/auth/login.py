"""Logging in and out on purpose: decided here without any I/O, by steps that both clients take."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar, cast
from urllib.parse import quote

from alyx_client.auth.credentials import Credentials, login_request, token_from
from alyx_client.auth.token import clean_token, identity
from alyx_client.auth.token_flow import Session, Turn
from alyx_client.errors import (
    AlyxError,
    AlyxHTTPError,
    AlyxWarning,
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
    UnexpectedAnswerError,
)
from alyx_client.http.log import logger, warn
from alyx_client.http.message import Request, Response

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Call:
    """A step: send a request, as often as the policy allows, and send back the answer, or throw in the `AlyxError`.

    Parameters
    ----------
    request
        What to send.
    token
        The token to send with it, instead of the session's; None sends none.
    """

    request: Request
    token: str | None = field(default=None, repr=False)


Steps = Generator[Turn | Call, Response | None, _T]
Calls = Generator[Call, Response | None, _T]
Send = Callable[[Request, str | None], Response]


class LoginState(int):
    """Whether somebody is logged in: true or false, and it may be called, for ``is_logged_in`` as ``is_logged_in()``.

    Python lets nothing but ``True`` itself be ``True``: compare it with ``==``, or not at all.
    """

    def __new__(cls, value: object = False) -> LoginState:
        """Take any value for its truth."""
        return super().__new__(cls, bool(value))

    def __call__(self) -> bool:
        """Return it as a plain bool."""
        return bool(self)

    def __repr__(self) -> str:
        return repr(bool(self))

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """Who was logged out.

    Parameters
    ----------
    user
        The user's name, if it was known.
    identity
        Under which this user's answers are filed; None if there was no token.
    """

    user: str | None
    identity: str | None


@dataclass(frozen=True, slots=True)
class _Login:
    """A token that the server has given or accepted.

    Parameters
    ----------
    token
        The token.
    user
        Whose it is, if that is known.
    new
        Whether it is to be kept; stored ones are kept already, and the environment's is not to be.
    passed
        Whether it was itself passed or typed in.
    password
        The password, if the program passed one.
    prompted
        Whether the login was typed in.
    """

    token: str = field(repr=False)
    user: str | None
    new: bool = True
    passed: bool = False
    password: str | None = field(default=None, repr=False)
    prompted: bool = False


def authenticate(
    session: Session,
    username: str | None = None,
    password: str | None = None,
    *,
    cache_token: bool = True,
    force: bool = False,
    token: str | Mapping[str, str] | None = None,
) -> Steps[str | None]:
    """Log in; until that has succeeded, everything stays as it was.

    A token, passed or stored, is checked with the server. Stored ones that it refuses are passed over; where it cannot
    be reached, a stored one is taken as it is.

    Parameters
    ----------
    session
        What the requests of a transport share.
    username
        The user; by default who is known from the client's arguments, environment, settings or ONE, or a prompt. Not
        needed with a token.
    password
        The password; with one, stored tokens are not looked at.
    cache_token
        Whether the token may be kept for the next run.
    force
        Whether stored tokens are left aside.
    token
        A token in place of a password; or the server's answer as ONE keeps it, ``{"token": ...}``.

    Returns
    -------
    str or None
        The user's name; None where the token does not tell.

    Raises
    ------
    AuthenticationError
        The server refused the password or the token.
    MissingCredentialsError
        There is neither token nor password, and nobody can be asked; nothing was sent.
    AlyxError
        The server could not be reached, or its answer is not one of Alyx.
    """
    if token is not None and password:
        raise ValueError("Pass a password or a token, not both: either is enough to log in.")
    passed = clean_token(token, "token=") if token is not None else None
    yield Turn.TAKE
    session.warn_if_insecure()
    if passed is not None:
        login = _Login(passed, (yield from check_token(passed, username or None)), passed=True)
    else:
        login = yield from _find(session, username or None, password or None, force=force)
    _adopt(session, login, username or None, keep=cache_token)
    yield Turn.GIVE
    return session.user


def log_out(session: Session) -> Steps[LoggedOut]:
    """Forget the token, in memory and where it is kept, and pick up no other one until the next login.

    What ONE has stored is left alone, as is the environment; this client does not look at them any more.

    Parameters
    ----------
    session
        What the requests of a transport share.

    Returns
    -------
    LoggedOut
        Who that was.

    Raises
    ------
    ConfigurationError
        The settings file cannot be read, so that the kept token could not be found. The client is logged out.
    """
    yield Turn.TAKE
    credentials = session.credentials
    try:
        token, user = session.token or credentials.token(), session.user
    except AlyxError:
        token, user = session.token, session.owners.get(session.token or "")
    session.token = None
    session.owners.clear()
    credentials.log_out()
    if token is not None:
        credentials.forget(token)
    yield Turn.GIVE
    return LoggedOut(user, identity(token) if token is not None else None)


def check_token(token: str, username: str | None = None) -> Calls[str | None]:
    """Ask the server whether it accepts a token, and whose it is.

    Parameters
    ----------
    token
        The token.
    username
        Whose it should be.

    Returns
    -------
    str or None
        The user's name, as the server tells it, or as it was passed; servers before 2026 do not tell.

    Raises
    ------
    AuthenticationError
        The server refuses it, or has no user of that name.
    """
    owner = yield from _ask_owner(token)
    if owner is not None:
        if username and owner != username:
            warn(f"The token is that of {owner!r}, not of {username!r}; {owner!r} is logged in.", AlyxWarning)
        return owner
    path = f"/users/{quote(username, safe='')}" if username else "/users"
    params = () if username else (("limit", "1"),)
    try:
        answer = yield Call(Request("GET", path, params, endpoint="users", action="list"), token)
    except PermissionDeniedError:
        return username
    except NotFoundError as error:
        if username is None or error.body is None:
            raise
        raise AuthenticationError(
            f"The server accepts the token, but has no user {username!r}. Check the name, or leave it out.",
            status_code=error.status_code,
            method=error.method,
            url=error.url,
        ) from error
    assert answer is not None
    if _json(answer) is None:
        raise UnexpectedAnswerError(
            f"The token could not be checked: {answer.url} did not answer as Alyx does. Check the server's address.",
            status_code=answer.status,
            method=answer.method,
            url=answer.url,
        )
    return username


def drive(steps: Steps[_T], send: Send, turn: threading.Lock | None = None) -> _T:
    """Take the steps one after the other, in a thread.

    Parameters
    ----------
    steps
        The steps.
    send
        Sends a request with a token, or without one.
    turn
        The session's turn, for steps that take it.
    """
    held = False
    try:
        step = next(steps)
        while True:
            answer = None
            if isinstance(step, Call):
                try:
                    answer = send(step.request, step.token)
                except AlyxError as error:
                    step = steps.throw(error)
                    continue
            elif turn is not None:
                held = step is Turn.TAKE and turn.acquire()
                if step is Turn.GIVE:
                    turn.release()
            step = steps.send(answer)
    except StopIteration as end:
        return cast("_T", end.value)
    finally:
        if held and turn is not None:
            turn.release()


def _ask_owner(token: str) -> Calls[str | None]:
    """Ask who has this token where the server knows; its word is final only where it is JSON, not a page for people."""
    try:
        answer = yield Call(Request("GET", "/me", endpoint="me", action="read"), token)
    except AuthenticationError as error:
        if error.body is not None:
            raise
        return None
    except AlyxHTTPError as error:
        if error.status_code in {429, 502, 503, 504}:
            raise
        return None
    assert answer is not None
    body = _json(answer)
    name = cast("dict[str, object]", body).get("username") if isinstance(body, dict) else None
    return name if isinstance(name, str) and name else None


def _find(session: Session, username: str | None, password: str | None, *, force: bool) -> Calls[_Login]:
    asked = _asked(session.credentials, username, password, force=force)
    if password is None and not force:
        login = yield from _try_stored(session, asked, username)
        if login is not None:
            return login
    found = asked.login()
    if found is None:
        typed = asked.typed_token()
        if typed is None:
            raise asked.missing()
        owner = yield from check_token(typed[1], typed[0])
        return _Login(typed[1], owner, passed=True, prompted=True)
    answer = yield Call(login_request(*found))
    assert answer is not None
    return _Login(token_from(answer), found[0], password=asked.password, prompted=asked.prompted)


def _asked(known: Credentials, username: str | None, password: str | None, *, force: bool) -> Credentials:
    """Make the credentials of this one login: what was passed now, then what the client was made with."""
    same = username is None or username == known.username
    explicit = known.explicit_token if same and not force and password is None else None
    return Credentials(
        known.base_url,
        username or known.username,
        password or (known.password if same else None),
        explicit,
        known.silent,
        known.store,
    )


def _try_stored(session: Session, asked: Credentials, username: str | None) -> Calls[_Login | None]:
    refused: set[str] = set()
    current = session.token if username in {None, session.user} else None
    while (token := current or asked.token(refused)) is not None:
        current = None
        refused.add(token)
        try:
            owner = yield from check_token(token)
        except AuthenticationError:
            session.refused.add(token)
            continue
        except AlyxError as error:
            if not error.unreached:
                raise
            logger.info("the stored token could not be checked: %s", error)
            owner = None
        if owner is None or username in {None, owner}:
            return _Login(token, owner, new=False)
    return None


def _adopt(session: Session, login: _Login, username: str | None, *, keep: bool) -> None:
    credentials = session.credentials
    if login.new:
        explicit = login.token if login.passed else None
        credentials.log_in_as(login.user, login.password, explicit, keep=keep, prompted=login.prompted)
        credentials.remember(login.token, login.user or "")
    else:
        if username is not None and username != credentials.username:
            credentials.log_in_as(username, None, None, keep=keep, prompted=False)
        credentials.logged_out = False
    session.owners.clear()
    if login.user is not None:
        session.owners[login.token] = login.user
    session.token = login.token
    session.logins += 1
    session.refusal = None
    session.refused.discard(login.token)


def _json(answer: Response) -> object:
    try:
        return json.loads(answer.content)
    except ValueError:
        return None
