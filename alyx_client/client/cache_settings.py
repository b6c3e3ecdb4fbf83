"""The settings of a client's response cache."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta

from alyx_client.errors import OfflineError
from alyx_client.http.cache.response_cache import ResponseCache
from alyx_client.runtime.checked_calls import with_checked_calls

__all__ = ["CacheSettings"]


@with_checked_calls
class CacheSettings:
    """The settings of the response cache; a part of the client."""

    _cache: ResponseCache

    @property
    def cache_mode(self) -> str | None:
        """The responses that are cached: ``"GET"``, ``"*"`` or None; it can be set."""
        return self._cache.mode

    @cache_mode.setter
    def cache_mode(self, mode: str | None) -> None:
        self._cache.mode = mode

    @property
    def default_expiry(self) -> timedelta:
        """Lifetime of a response in the cache; it can be set."""
        return self._cache.default_expiry

    @default_expiry.setter
    def default_expiry(self, expiry: timedelta) -> None:
        self._cache.default_expiry = expiry

    @property
    def offline(self) -> bool:
        """True if only the cache answers; it can be set."""
        return self._cache.offline

    @offline.setter
    def offline(self, offline: bool) -> None:
        self._cache.offline = offline

    def clear_rest_cache(self) -> None:
        """Delete this server's cached responses."""
        self._cache.clear()

    def mark_stale(self) -> None:
        """Make this server's cached responses stale: they serve only while the server cannot be reached.

        The client does so by itself for what it writes. Other computers may write, too.
        """
        self._cache.mark_stale()

    def cache_disabled(self) -> AbstractContextManager[None]:
        """Return a context in which this thread or task neither reads the cache nor stores responses in it."""
        return self._cache.disabled()

    def _refuse_login_offline(self) -> None:
        if self.offline:
            raise OfflineError("The client is offline, so it cannot log in. Set client.offline = False first.")
