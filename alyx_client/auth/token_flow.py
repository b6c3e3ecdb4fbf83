"""Token authentication as a flow without I/O: a stale token is renewed once, by one thread or task for all."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import partial

from alyx_client.auth.login_api import LOGIN_ATTEMPTS, is_stale, login_request, token_from
from alyx_client.auth.state import AuthState
from alyx_client.auth.token import Secret
from alyx_client.errors import DeadlineExceededError
from alyx_client.http.deadline import LOGIN_TIMEOUT
from alyx_client.http.failure import LoginRefused, Unanswered
from alyx_client.http.flow import Acquire, Blocking, Flow, Send
from alyx_client.http.log import logger
from alyx_client.http.message import Request, Response

__all__ = ["TokenAuth"]


class TokenAuth:
    """Add the token to requests, and log in where there is none or the server does not accept it.

    It is the `alyx_client.http.flow.Authenticator` of the clients.

    Parameters
    ----------
    state
        The state that all requests of a client share.
    login_timeout
        Time limit for a login, in seconds.
    """

    def __init__(self, state: AuthState, login_timeout: float = LOGIN_TIMEOUT) -> None:
        self.state = state
        self.login_timeout = login_timeout

    def authenticate(self, request: Request, token: str | None = None) -> Flow[Response]:
        """Send a request, and send it again with a new token if the response says that the token is stale.

        Parameters
        ----------
        request
            The request.
        token
            A token to send as it is, whatever the response.

        Returns
        -------
        Response
            The response, of any status; its `sender` is the user of the token that was sent.

        Raises
        ------
        MissingCredentialsError
            There is neither a token nor a login.
        LoginRefused
            The login failed.
        Unanswered
            The request, or the login that it needed, got no response.
        """
        state = self.state
        if token is not None:
            state.warn_if_insecure()
            response: Response = yield Send(request, token)
            return response
        renewal = _Renewal(state, self.login_timeout)
        next_token = state.token or (yield from renewal.renew())
        if next_token is None:
            raise state.credentials.missing()
        while True:
            state.warn_if_insecure()
            # Before the request is sent: another thread may log in as another user until the response is here.
            sender = state.sender(next_token)
            response = replace((yield Send(request, next_token)), sender=sender)
            if not is_stale(response):
                renewal.accepted(next_token, response)
                return response
            state.refused.add(next_token)
            # A token fresh from a login is refused for another reason, such as a deactivated user: no second login.
            next_token = None if renewal.has_logged_in else (yield from renewal.renew(next_token))
            if next_token is None:
                return response


class _Renewal:
    """The tokens that one request tries, in order: the shared one, stored ones, and one from a login."""

    def __init__(self, state: AuthState, login_timeout: float) -> None:
        self.has_logged_in = False
        self._state = state
        self._login_timeout = login_timeout
        self._refused: set[str] = set()
        self._typed: tuple[str, str] | None = None
        self._prompts = 0

    def renew(self, refused: str | None = None) -> Flow[str | None]:
        """Return another token than those that were refused; None if there is none."""
        if refused is not None:
            self._refused.add(refused)
        state = self._state
        logins, lock = state.logins, state.renewal_lock
        yield Acquire(lock)
        try:
            if state.logins != logins and state.refusal is not None:
                # While this request waited, another one logged in and was refused: a repetition might lock the account.
                raise LoginRefused(login_request("", ""), state.refusal)
            if state.logins != logins and state.timed_out is not None:
                # Likewise, or the waiting requests would one after the other wait for a server that does not respond.
                raise Unanswered(copy.copy(state.timed_out), sent=False, retryable=False)
            token = state.token if state.token not in self._refused else None
            # Settings files and keyrings are read and prompts are shown without blocking an event loop.
            token = token or (yield Blocking(partial(state.find_token, self._refused)))
            token = token or (yield from self._log_in())
            if token is not None:
                state.token = token
            return token
        finally:
            lock.release()

    def accepted(self, token: str, response: Response) -> None:
        """Note that the server has accepted a token."""
        self._state.refused.discard(token)
        # A token that was typed at a prompt is stored only now that it is known to be right, unless another user has
        # logged in meanwhile, or this one has logged out.
        is_current = token == self._state.token
        is_typed = self._typed is not None and token == self._typed[1] and not self._state.scheme.is_basic
        if self._typed and is_typed and is_current and 200 <= response.status < 300:
            self._state.credentials.remember(token, self._typed[0])

    def _log_in(self) -> Flow[str | None]:
        """Return a token of a login; one that was typed and refused is prompted for again, a few times."""
        credentials = self._state.credentials
        refusal: LoginRefused | None = None
        while self._prompts < LOGIN_ATTEMPTS:
            login = yield Blocking(partial(credentials.login, again=self._prompts > 0))
            self._prompts += credentials.prompted
            if login is None:
                self._typed = credentials.typed_token()
                if self._typed is None:
                    break
                self._state.owners[self._typed[1]] = self._typed[0] or None
                return self._typed[1]
            try:
                return (yield from self._exchange(*login))
            except LoginRefused as outcome:
                refusal = outcome
            # What the program passed would be refused again.
            if not credentials.prompted or self._state.refusal is None:
                break
        if refusal is not None:
            raise refusal
        return None

    def _exchange(self, username: str, password: str) -> Flow[str | None]:
        """Return the token that the server issues for a password; None if it has refused the password itself."""
        state = self._state
        if state.scheme.is_basic:
            # The login itself is sent with each request, and never stored.
            state.logins, state.refusal, state.timed_out = state.logins + 1, None, None
            login = Secret(state.scheme.basic_token(username, password))
            state.owners[login] = username
            self.has_logged_in = True
            return None if login in self._refused else login
        state.warn_if_insecure()
        request = login_request(username, password)
        try:
            response: Response = yield Send(request, login_timeout=self._login_timeout)
        except Unanswered as failure:
            if isinstance(failure.error, DeadlineExceededError) and failure.error.setting == "login_timeout":
                state.logins, state.refusal, state.timed_out = state.logins + 1, None, failure.error
            # Whatever became of the login, the request itself was not sent, and may be retried.
            raise Unanswered(failure.error, sent=False, retryable=failure.retryable) from failure
        state.logins += 1
        state.refusal, state.timed_out = response if response.status in {400, 401, 403} else None, None
        if not 200 <= response.status < 300:
            raise LoginRefused(request, response)
        token = token_from(response)
        yield Blocking(partial(state.credentials.remember, token, username))
        state.owners[token] = username
        state.issued.add(token)
        logger.debug("logged in to %s as %s", state.credentials.base_url, username)
        self.has_logged_in = True
        return token
