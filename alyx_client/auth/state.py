"""The authentication state that all requests of a client share."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection
from copy import copy

from alyx_client.auth.credentials import Credentials
from alyx_client.auth.token import identity
from alyx_client.errors import AlyxError, InsecureConnectionWarning
from alyx_client.http.flow import FlowLock
from alyx_client.http.log import warn
from alyx_client.http.message import Response, TokenUser
from alyx_client.http.token_scheme import ALYX_TOKENS, TokenScheme
from alyx_client.http.url import is_loopback

__all__ = ["AuthState", "LoginState"]


class LoginState(int):
    """A truth value that can also be called, for ``is_logged_in`` and ``is_logged_in()`` alike.

    It is not ``True`` itself, since ``bool`` cannot be subclassed: compare it with ``==``, or not at all.
    """

    def __new__(cls, value: object = False) -> LoginState:
        """Convert any value by its truth."""
        return super().__new__(cls, bool(value))

    def __call__(self) -> bool:
        """Return the value as a plain bool."""
        return bool(self)

    def __repr__(self) -> str:
        return repr(bool(self))

    __str__ = __repr__


class _ReentrantLock:
    """A lock that its thread can acquire again, in a signal handler."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        return self._lock.acquire(blocking, timeout)

    def release(self) -> None:
        self._lock.release()

    def locked(self) -> bool:
        """Return whether another thread holds it."""
        # RLock.locked() is new in Python 3.14.
        if self._lock.acquire(blocking=False):
            self._lock.release()
            return False
        return True


class AuthState:
    """The token of one client, and the lock for its renewal.

    It can be used from several threads and after a fork, and it can be pickled; the pickle holds the token, unless
    `Credentials.pickle_token` is false, and never the password.

    Parameters
    ----------
    credentials
        Where the token comes from.
    token
        The token, if it is known already.
    reentrant
        Whether a thread may renew the token in the middle of another renewal: a signal handler must not wait for the
        call that it interrupts. Not for tasks, which share a thread.
    scheme
        The way in which the server takes tokens.

    Attributes
    ----------
    logins
        Number of logins so far: a thread that waited for the lock sees by it that another one has logged in.
    refusal
        The server's response to the last login, if it refused that.
    timed_out
        The error of the last login, if its time ran out.
    refused
        Tokens that the server has refused.
    owners
        User names by token, as far as they are known.
    issued
        Tokens that the server has issued to a login, so that they are certain to be their owner's.
    """

    def __init__(
        self,
        credentials: Credentials,
        token: str | None = None,
        *,
        reentrant: bool = False,
        scheme: TokenScheme = ALYX_TOKENS,
    ) -> None:
        self.credentials = credentials
        self.scheme = scheme
        self.token = token
        self.logins = 0
        self.refusal: Response | None = None
        self.timed_out: AlyxError | None = None
        self.refused: set[str] = set()
        self.owners: dict[str, str | None] = {}
        self.issued: set[str] = set()
        self._has_warned = False
        self._identity: tuple[str, str] | None = None
        self._reentrant = reentrant
        self._lock = self._new_lock()
        self._pid = os.getpid()

    # Locks cannot be pickled, and the other attributes belong to this process.
    def __getstate__(self) -> tuple[Credentials, str | None, bool, TokenScheme]:
        token = self.token if self.credentials.pickle_token else None
        return self.credentials.for_worker(), token, self._reentrant, self.scheme

    def __setstate__(self, state: tuple[Credentials, str | None, bool, TokenScheme]) -> None:
        AuthState.__init__(self, *state[:2], reentrant=state[2], scheme=state[3])

    def __deepcopy__(self, memo: dict[int, object]) -> AuthState:
        # Within the process, a copy may have the password.
        return AuthState(copy(self.credentials), self.token, reentrant=self._reentrant, scheme=self.scheme)

    def _new_lock(self) -> FlowLock:
        return _ReentrantLock() if self._reentrant else threading.Lock()

    @property
    def renewal_lock(self) -> FlowLock:
        """The lock that is held while the token is renewed, by one thread or task at a time."""
        # A lock that another thread held at the time of the fork would stay locked in the child.
        if self._pid != os.getpid():  # pragma: no cover - runs in a child process
            self._lock, self._pid = self._new_lock(), os.getpid()
        return self._lock

    def known_token(self) -> str | None:
        """Return the token that the next request would be sent with; None if it would log in first.

        It neither prompts nor sends anything. While another thread renews the token, the present one is returned.
        """
        if self.token is not None:
            return self.token
        lock = self.renewal_lock
        if lock.acquire(blocking=False):
            try:
                self.token = self.find_token()
            finally:
                lock.release()
        return self.token

    def find_token(self, refused: Collection[str] = ()) -> str | None:
        """Find a token as `Credentials.token` does, and note its owner; to be called with the lock held."""
        token = self.credentials.token(refused)
        if token is not None and token not in self.owners:
            self.owners[token] = self.credentials.user()
        return token

    def sender(self, token: str) -> TokenUser:
        """Return the user of a token, to be called when a request is about to be sent with it."""
        return TokenUser(self.identity_of(token), self.owners.get(token), token in self.issued)

    @property
    def identity(self) -> str | None:
        """The name under which the user's responses are cached, derived from the token; None before the login."""
        token = self.known_token()
        return None if token is None else self.identity_of(token)

    @property
    def is_logged_in(self) -> bool:
        """True if there is a token that the server has not refused."""
        token = self.known_token()
        return token is not None and token not in self.refused

    @property
    def user(self) -> str | None:
        """The user's name, as far as it is known without prompting."""
        token, logins, owners = self.token, self.logins, self.owners
        if token is not None and token in owners:
            return owners[token]
        name = self.credentials.user()
        # Remembered, because every request needs it, and settings and keyrings are slow to read; unless another user
        # has logged in meanwhile, whose name it may be.
        if token is not None and (token, logins) == (self.token, self.logins):
            owners[token] = name
        return name

    def warn_if_insecure(self) -> None:
        """Warn once before a secret goes to another machine without encryption."""
        url = self.credentials.base_url
        if not self._has_warned and url.startswith("http://") and not is_loopback(url):
            self._has_warned = True
            warn(f"Passwords and tokens go to {url} without encryption; use https://.", InsecureConnectionWarning)

    def identity_of(self, token: str) -> str:
        """Return the name under which the responses to a token's user are cached."""
        # Hashed once for each token, since every request needs it.
        known = self._identity
        if known is None or known[0] != token:
            known = self._identity = token, identity(token, is_password=self.scheme.is_basic)
        return known[1]
