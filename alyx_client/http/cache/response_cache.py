"""The response cache of a client: its settings, and the decision whether a response is served from it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from logging import DEBUG
from pathlib import Path
from typing import Any

from alyx_client.errors import OfflineError
from alyx_client.http.arguments import shown
from alyx_client.http.cache.call import CachedCall, Lookup, warn_of_age
from alyx_client.http.cache.entry import CachedResponse
from alyx_client.http.cache.key import CacheKey, CacheRequest
from alyx_client.http.cache.store import CacheStore
from alyx_client.http.log import logger
from alyx_client.http.message import Request, Response
from alyx_client.http.read_ahead import ReadAhead

__all__ = ["ResponseCache"]

_DEFAULT_EXPIRY = timedelta(minutes=5)
_MAX_BYTES = 512 * 2**20
# The markers of the caches that are disabled in this thread or task: one entry per active `disabled` block.
_DISABLED: ContextVar[tuple[object, ...]] = ContextVar("alyx_client_disabled_caches", default=())


class ResponseCache:
    """The response cache of one client, and its settings.

    A response is served for the same request of the same user only: user, method, URL and body. A write makes all
    cached responses of the server stale, since a record is also part of other endpoints' responses: a new weighing
    changes its subject. Those of the written endpoint are deleted; all others are kept for when the
    server cannot be reached.

    Creating one touches no file, and an unusable file never breaks a query. It may be used in several threads, after a
    fork, and pickled; a pickle holds the settings only.

    Parameters
    ----------
    folder
        The folder for the cache file.
    base_url
        The server, in its normal form.
    mode
        The requests whose responses are cached: ``"GET"``; ``"*"`` for every method; None for none.
    default_expiry
        How long a response is served without asking the server; 0 for never.
    offline
        Serve from the cache only, and refuse other requests.
    max_bytes
        The maximum size of the cache; the least recently used responses make room for new ones.
    headers
        A digest of the header fields that the client sends with each request.

    Raises
    ------
    ValueError
        `mode` is none of the three, or `default_expiry` is negative.
    TypeError
        `default_expiry` is not a timedelta.
    """

    def __init__(
        self,
        folder: Path,
        base_url: str,
        *,
        mode: str | None = "GET",
        default_expiry: timedelta = _DEFAULT_EXPIRY,
        offline: bool = False,
        max_bytes: int = _MAX_BYTES,
        headers: bytes = b"",
    ) -> None:
        self._headers = headers
        self._folder, self._base_url, self._max_bytes = folder, base_url, max_bytes
        self.mode = mode
        self.default_expiry = default_expiry
        self.offline = offline
        self._store = CacheStore(folder, base_url, max_bytes)
        # Not the cache itself, which the context variable would keep alive in every task that copied it.
        self._marker = object()

    @property
    def mode(self) -> str | None:
        """The requests whose responses are cached: ``"GET"``, ``"*"`` or None."""
        return self._mode

    @mode.setter
    def mode(self, mode: object) -> None:
        normalised = mode.upper() if isinstance(mode, str) else mode
        if normalised is not None and normalised not in ("GET", "*"):
            raise ValueError(f"The cache's mode is 'GET', '*' or None, not {shown(mode)}.")
        self._mode = normalised

    @property
    def default_expiry(self) -> timedelta:
        """Lifetime of a response, within which it is served without asking the server."""
        return self._default_expiry

    @default_expiry.setter
    def default_expiry(self, expiry: timedelta) -> None:
        self._default_expiry = timedelta(seconds=_seconds(expiry, "default_expiry"))

    def begin(
        self,
        request: Request,
        identity: str | None,
        *,
        username: str | None = None,
        expires: timedelta | bool | None = None,
        bypass_cache: bool = False,
    ) -> CachedCall:
        """Begin a request: look up its response, or for a write, make the stored responses stale.

        Parameters
        ----------
        request
            The request.
        identity
            An opaque name of the user whose responses may be served; None before the login.
        username
            The user's name, by which the responses are found if the user cannot log in.
        expires
            The lifetime of the response; True for none; None or False for `default_expiry`. A timedelta is also the
            maximum age at which a cached response is served.
        bypass_cache
            Whether to ask the server even if the response is cached.

        Returns
        -------
        CachedCall
            The response, or what to do with the server's.

        Raises
        ------
        OfflineError
            The client is offline, and the cache does not hold the response.
        ValueError, TypeError
            `expires` is negative, or none of the above.
        """
        lifetime = self._lifetime(expires)
        # A response cached by a call with a longer lifetime may be too old for this one.
        max_age = lifetime if isinstance(expires, timedelta) else None
        call_request = CacheRequest.of(request, self._base_url, self._headers)
        is_cacheable = call_request.is_cacheable(None if self._marker in _DISABLED.get() else self.mode)
        if self.offline:
            _refuse_offline(call_request, is_cacheable=is_cacheable, bypass_cache=bypass_cache)
            return CachedCall(
                self._store, call_request, response=self._load_offline(call_request, identity, username, max_age)
            )
        key, generation, cached = None, None, None
        if is_cacheable:
            owner = None if bypass_cache else self._owner(identity, username)
            key = None if owner is None else call_request.key(owner)
            generation, cached = self._find(key, request.read_ahead)
            # A name without a token does not prove who the user is: the client logs in first, and uses the response
            # only if the server cannot be reached.
            if cached is not None and identity is not None and cached.is_fresh(max_age):
                if logger.isEnabledFor(DEBUG):
                    logger.debug("%s from the cache", call_request.label)
                return CachedCall(self._store, call_request, response=cached.response)
        # A write that did not reach the server must fail, not return an earlier response.
        lookup = Lookup(key, generation, None if call_request.is_write else cached)
        call = CachedCall(self._store, call_request, lifetime=lifetime, lookup=lookup)
        if call_request.is_write:
            call.begin_write()
        return call

    @contextmanager
    def disabled(self) -> Generator[None]:
        """Neither serve nor store responses in a ``with`` block, in this thread or task only."""
        _DISABLED.set((*_DISABLED.get(), self._marker))
        try:
            yield
        finally:
            # Blocks of several caches need not end in reverse order, so that a token of the variable would not do.
            markers = list(_DISABLED.get())
            if self._marker in markers:
                markers.remove(self._marker)
            _DISABLED.set(tuple(markers))

    def clear(self, identity: str | None = None) -> None:
        """Delete all cached responses of this server, or one user's."""
        self._store.clear(identity)

    def mark_stale(self) -> None:
        """Make all cached responses of this server stale."""
        self._store.new_generation()

    def close(self) -> None:
        """Close the file; the next request opens it again."""
        self._store.close()

    def __getstate__(self) -> dict[str, object]:
        # Connections and locks cannot be pickled; each process opens the file for itself.
        settings: dict[str, object] = {
            "mode": self.mode,
            "default_expiry": self.default_expiry,
            "offline": self.offline,
        }
        settings |= {"max_bytes": self._max_bytes, "headers": self._headers}
        return {"folder": self._folder, "base_url": self._base_url, **settings}

    def __setstate__(self, state: dict[str, Any]) -> None:
        ResponseCache.__init__(self, **state)

    def _owner(self, identity: str | None, username: str | None) -> str | None:
        return identity or (self._store.identity_of(username) if username else None)

    def _find(
        self, key: CacheKey | None, ahead: ReadAhead | None, *, create: bool = True
    ) -> tuple[bytes | None, CachedResponse | None]:
        if key is None or ahead is None or not ahead.is_useful:
            return self._store.find(key, create=create)

        def keys_of(requests: Sequence[Request]) -> list[CacheKey]:
            return [CacheRequest.of(each, self._base_url, self._headers).key(key.identity) for each in requests]

        return self._store.find_with_following(key, ahead, keys_of, create=create)

    def _lifetime(self, expires: timedelta | bool | None) -> float:
        if expires is None or expires is False:
            return self.default_expiry.total_seconds()
        return 0.0 if expires is True else _seconds(expires, "expires")

    def _load_offline(
        self, request: CacheRequest, identity: str | None, username: str | None, max_age: float | None
    ) -> Response:
        owner = self._owner(identity, username)
        if owner is None and username:
            raise _offline_error(
                request, f"and the cache does not know the user {username!r}. Log in once while the server is reachable"
            )
        if owner is None:
            raise _offline_error(request, "and it is not known whose responses may be served. Pass username=")
        _, cached = self._find(request.key(owner), request.request.read_ahead, create=False)
        if cached is None:
            raise _offline_error(
                request, "and the cache does not hold the response. Make the call once while the server is reachable"
            )
        if not cached.is_fresh(max_age):
            warn_of_age("The client is offline", request, cached)
        return cached.response


def _refuse_offline(request: CacheRequest, *, is_cacheable: bool, bypass_cache: bool) -> None:
    if request.is_write:
        raise _offline_error(request, "and nothing can be written. Do this while the server is reachable")
    if not is_cacheable:
        raise _offline_error(
            request, "and the cache is disabled for this request. Enable it (mode 'GET', outside of no_cache)"
        )
    if bypass_cache:
        raise _offline_error(request, "and the cache was to be bypassed. Leave out no_cache or clobber")


def _offline_error(request: CacheRequest, reason: str) -> OfflineError:
    return OfflineError(
        f"{request.label} was not sent: the client is offline, {reason}, or set offline to False.",
        method=request.request.method,
        url=request.url,
    )


def _seconds(duration: object, name: str) -> float:
    if not isinstance(duration, timedelta):
        raise TypeError(f"{name}={shown(duration)}: a timedelta is needed, for instance timedelta(minutes=5).")
    if duration < timedelta(0):
        raise ValueError(f"{name}={duration!r} is negative; timedelta(0) means to ask the server each time.")
    return duration.total_seconds()
