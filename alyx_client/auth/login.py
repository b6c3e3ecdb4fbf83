"""Logging in and out on request, as flows without I/O; see `token_flow` for logins that a request needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import partial
from types import NoneType

from alyx_client.auth.credentials import Credentials
from alyx_client.auth.login_api import LOGIN_ATTEMPTS, login_request, token_from
from alyx_client.auth.state import AuthState
from alyx_client.auth.token import Secret, clean_token, hide
from alyx_client.auth.token_check import check_token
from alyx_client.errors import AlyxError, AuthenticationError
from alyx_client.http.arguments import require, require_text
from alyx_client.http.flow import Acquire, Blocking, Flow, Send
from alyx_client.http.log import logger
from alyx_client.http.message import Response
from alyx_client.http.token_scheme import ALYX_TOKENS
from alyx_client.lazy_dataclasses import dataclass

__all__ = ["LoggedOut", "authenticate", "check_login", "log_out"]


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """The user who was logged out.

    Parameters
    ----------
    user
        The user's name, if it was known.
    identity
        The name under which this user's responses are cached; None if there was no token.
    """

    user: str | None
    identity: str | None


@dataclass(frozen=True, slots=True)
class _Login:
    """A token that the server has issued or accepted.

    Parameters
    ----------
    token
        The token.
    user
        Its owner, if known.
    is_new
        Whether it is to be stored; a stored one is stored already, and the environment's must not be.
    is_explicit
        Whether the token itself was passed or typed.
    password
        The password, if the program passed one.
    prompted
        Whether the login was typed at a prompt.
    """

    token: str = field(repr=False)
    user: str | None
    is_new: bool = True
    is_explicit: bool = False
    password: str | None = field(default=None, repr=False)
    prompted: bool = False


def check_login(username: object, password: object, token: object) -> None:
    """Check the types of the arguments of `authenticate`.

    Raises
    ------
    TypeError, ValueError
        One is of another type, or contains what is not a character.
    """
    require_text("username", username)
    require_text("password", password)
    require("token", token, (str, Mapping, NoneType), "a text, or the server's response")


def authenticate(
    state: AuthState,
    username: str | None = None,
    password: str | None = None,
    *,
    cache_token: bool = True,
    force: bool = False,
    token: str | Mapping[str, str] | None = None,
) -> Flow[str | None]:
    """Log in; until that has succeeded, everything stays as it was.

    A token, passed or stored, is checked with the server. Stored tokens that it refuses are skipped; if it cannot be
    reached, a stored token is accepted unchecked.

    Parameters
    ----------
    state
        The state that all requests of a client share.
    username
        The user; by default the one of the client's arguments, the environment, the settings or ONE, or a prompt. Not
        needed with a token.
    password
        The password; with one, stored tokens are ignored.
    cache_token
        Whether the token may be stored for the next run.
    force
        Whether to ignore stored tokens.
    token
        A token in place of a password; or the server's response as ONE stores it, ``{"token": ...}``.

    Returns
    -------
    str or None
        The user's name; None if the server does not report the token's owner.

    Raises
    ------
    AuthenticationError
        The server refused the password or the token.
    MissingCredentialsError
        There is neither token nor password, and the session is not interactive; nothing was sent.
    AlyxError
        The server could not be reached, or it did not respond as Alyx does.
    """
    password, token = hide(password), hide(token)
    if token is not None and password:
        raise ValueError("Pass a password or a token, not both: either is enough to log in.")
    explicit = clean_token(token, "token=") if token is not None else None
    lock = state.renewal_lock
    yield Acquire(lock)
    try:
        state.warn_if_insecure()
        if explicit is not None:
            login = _Login(explicit, (yield from _checked(state, explicit, username or None)), is_explicit=True)
        else:
            login = yield from _find_login(state, username or None, password or None, force=force)
        yield Blocking(partial(_adopt, state, login, username or None, keep=cache_token))
    finally:
        lock.release()
    return state.user


def log_out(state: AuthState) -> Flow[LoggedOut]:
    """Forget the token, in memory and where it is stored, and use no other one until the next login.

    ONE's files and the environment are left alone; the client ignores them from then on.

    Parameters
    ----------
    state
        The state that all requests of a client share.

    Returns
    -------
    LoggedOut
        The user who was logged out.

    Raises
    ------
    ConfigurationError
        The settings file cannot be read, so that the stored token could not be found. The client is logged out.
    """
    lock = state.renewal_lock
    yield Acquire(lock)
    try:
        logged_out: LoggedOut = yield Blocking(partial(_forget, state))
        return logged_out
    finally:
        lock.release()


def _forget(state: AuthState) -> LoggedOut:
    credentials = state.credentials
    try:
        token, user = state.token or credentials.token(), state.user
    except AlyxError:
        # Even with unreadable settings, the client itself is logged out.
        token, user = state.token, state.owners.get(state.token or "")
    state.token = None
    state.owners, state.issued = {}, set()
    credentials.log_out()
    if token is not None:
        credentials.forget(token)
    return LoggedOut(user, state.identity_of(token) if token is not None else None)


def _find_login(state: AuthState, username: str | None, password: str | None, *, force: bool) -> Flow[_Login]:
    credentials = _login_credentials(state.credentials, username, password, force=force)
    if password is None and not force:
        login = yield from _try_stored(state, credentials, username)
        if login is not None:
            return login
    refusal: AuthenticationError | None = None
    for attempt in range(1, LOGIN_ATTEMPTS + 1):
        try:
            return (yield from _log_in(state, credentials, refusal))
        except AuthenticationError as error:
            # Only what was typed is prompted for again: what the program passed would be refused again.
            if not credentials.prompted or attempt == LOGIN_ATTEMPTS:
                raise
            refusal = error
    raise AssertionError


def _log_in(state: AuthState, credentials: Credentials, refusal: AuthenticationError | None) -> Flow[_Login]:
    """Log in with a password, or with a token that is typed; `refusal` is the error of the login typed before."""
    name_and_password: tuple[str, str] | None = yield Blocking(partial(credentials.login, again=refusal is not None))
    if name_and_password is None:
        typed = credentials.typed_token()
        if typed is None:
            raise refusal or credentials.missing()
        owner = yield from _checked(state, typed[1], typed[0])
        return _Login(typed[1], owner, is_explicit=True, prompted=True)
    if state.scheme.is_basic:
        token = Secret(state.scheme.basic_token(*name_and_password))
        return _Login(token, name_and_password[0], password=credentials.password, prompted=credentials.prompted)
    response: Response = yield Send(login_request(*name_and_password))
    return _Login(
        token_from(response), name_and_password[0], password=credentials.password, prompted=credentials.prompted
    )


def _checked(state: AuthState, token: str, username: str | None = None) -> Flow[str | None]:
    """Return the user of a token as the server reports it; servers that take tokens otherwise than Alyx cannot."""
    return (yield from check_token(token, username)) if state.scheme == ALYX_TOKENS else username


def _login_credentials(current: Credentials, username: str | None, password: str | None, *, force: bool) -> Credentials:
    """Build the credentials of this login: what was passed now comes first, then what the client was made with."""
    is_same_user = username is None or username == current.username
    explicit = current.explicit_token if is_same_user and not force and password is None else None
    return Credentials(
        current.base_url,
        username or current.username,
        password or (current.password if is_same_user else None),
        explicit,
        current.silent,
        current.store,
    )


def _try_stored(state: AuthState, credentials: Credentials, username: str | None) -> Flow[_Login | None]:
    tried: set[str] = set()
    current = state.token if username in {None, state.user} else None
    while (token := current or (yield Blocking(partial(credentials.token, tried)))) is not None:
        current = None
        tried.add(token)
        try:
            owner = yield from _checked(state, token)
        except AuthenticationError:
            state.refused.add(token)
            continue
        except AlyxError as error:
            if not error.unreached:
                raise
            # Offline, the stored token still identifies the user's cached responses.
            logger.info("the stored token could not be checked: %s", error)
            owner = None
        if owner is None or username in {None, owner}:
            return _Login(token, owner, is_new=False)
    return None


def _adopt(state: AuthState, login: _Login, username: str | None, *, keep: bool) -> None:
    credentials = state.credentials
    # Requests that begin now wait for the lock: none may take the new user's name for the former one's.
    state.token = None
    if login.is_new:
        explicit = login.token if login.is_explicit else None
        credentials.log_in_as(login.user, login.password, explicit, keep=keep, prompted=login.prompted)
        if not state.scheme.is_basic:
            credentials.remember(login.token, login.user or "")
    else:
        if username is not None and username != credentials.username:
            credentials.log_in_as(username, None, None, keep=keep, prompted=False)
        credentials.logged_out = False
    # Replaced, not cleared: other threads may be reading them.
    state.owners = {login.token: credentials.user() if login.user is None else login.user}
    is_issued = login.is_new and not login.is_explicit and not state.scheme.is_basic
    state.issued = {login.token} if is_issued else state.issued & {login.token}
    state.token = login.token
    state.logins += 1
    state.refusal = state.timed_out = None
    state.refused.discard(login.token)
