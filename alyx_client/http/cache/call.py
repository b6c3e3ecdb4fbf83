"""One request on its way through the cache."""

from __future__ import annotations

from alyx_client.errors import AlyxError, StaleAnswerWarning
from alyx_client.http.cache.entry import CachedResponse
from alyx_client.http.cache.key import CacheKey, CacheRequest
from alyx_client.http.cache.policy import is_storable
from alyx_client.http.cache.store import CacheStore
from alyx_client.http.cache.tables import Owner
from alyx_client.http.log import warn
from alyx_client.http.message import Response
from alyx_client.lazy_dataclasses import dataclass

__all__ = ["CachedCall", "Lookup", "warn_of_age"]


@dataclass(frozen=True, slots=True)
class Lookup:
    """The outcome of looking a response up.

    Parameters
    ----------
    key
        The key that was looked up.
    generation
        The store's generation when the request began; None if the response is not to be stored.
    stale
        A stale response, to be served if the server cannot be reached.
    """

    key: CacheKey | None = None
    generation: bytes | None = None
    stale: CachedResponse | None = None


_NO_LOOKUP = Lookup()


class CachedCall:
    """A request that was looked up in the cache, and what the cache must learn of its outcome.

    The client uses the `response` if there is one. Otherwise it sends the request and calls `store` with the response,
    or `fallback` with the error; and `close` at the end in any case.

    Parameters
    ----------
    store
        The store.
    request
        The request.
    response
        The response, if the server need not be asked.
    lifetime
        For how many seconds the response counts as fresh.
    lookup
        The outcome of looking the response up.
    """

    def __init__(
        self,
        store: CacheStore,
        request: CacheRequest,
        *,
        response: Response | None = None,
        lifetime: float = 0.0,
        lookup: Lookup | None = None,
    ) -> None:
        self.response = response
        self._store = store
        self._request = request
        self._lifetime = lifetime
        lookup = lookup or _NO_LOOKUP
        self._key, self._generation, self._stale = lookup.key, lookup.generation, lookup.stale
        self._is_writing = self._unreached = False

    @property
    def fail_fast(self) -> bool:
        """True if there is a stale response: it is not worth retrying a server that cannot be reached."""
        return self._stale is not None

    def begin_write(self) -> None:
        """Make the stored responses stale before the write is sent.

        Since the server may process the write at any time until its response is here, they are made stale once more
        then: what other clients read and stored in the meantime may or may not include the write.
        """
        self._is_writing = True
        generations = self._store.new_generation()
        if self._generation is not None:
            self._generation = generations[1] if generations else None

    def store(self, response: Response) -> Response:
        """Store the server's response for the user with whose token its request was sent, if it may be stored.

        That may be another user than the one whose responses were looked up: one who logged in since.

        Parameters
        ----------
        response
            The response.

        Returns
        -------
        Response
            The same response.
        """
        generation = self._end_write() if self._is_writing else self._generation
        sender = response.sender
        if generation is None or sender is None or not is_storable(response):
            return response
        key = self._key
        if key is None or key.identity != sender.identity:
            key = self._request.key(sender.identity)
        # A name gets another identity only after a login: a token that was passed may be another user's.
        owner = Owner(sender.username, sender.identity, replace=sender.is_proven) if sender.username else None
        self._store.store(key, response, lifetime=self._lifetime, generation=generation, owner=owner)
        return response

    def fallback(self, error: AlyxError) -> Response:
        """Return the stale response if the server could not be reached; does no I/O.

        Parameters
        ----------
        error
            The failure.

        Returns
        -------
        Response
            The stale response; a `StaleAnswerWarning` tells its age.

        Raises
        ------
        AlyxError
            `error`, if the server was reached or there is no stale response.
        """
        # No I/O here: the asynchronous client calls this on its event loop.
        self._unreached = error.unreached
        if self._stale is None or not error.unreached:
            raise error
        warn_of_age("The server cannot be reached", self._request, self._stale)
        return self._stale.response

    def close(self) -> None:
        """End the call, whatever its outcome: to be called in a ``finally``."""
        if self._is_writing:
            self._end_write()

    def _end_write(self) -> bytes | None:
        """Return the generation to store the write's own response with; None if another write came in between."""
        # A write that never reached the server must not cost the responses that serve while it cannot be reached.
        generations = self._store.new_generation(None if self._unreached else self._request.endpoint)
        self._is_writing = False
        if generations is None or generations[0] != self._generation:
            return None
        return generations[1]


def warn_of_age(reason: str, request: CacheRequest, cached: CachedResponse) -> None:
    """Warn that a stale response is served.

    Parameters
    ----------
    reason
        The reason, as the beginning of a sentence.
    request
        The request.
    cached
        The response.
    """
    age = _readable_duration(cached.age)
    warn(f"{reason}: {request.label} is served from the cache, {age} old.", StaleAnswerWarning)


def _readable_duration(seconds: float) -> str:
    """Format a duration in its largest unit: ``3 hours``."""
    amount, unit = max(1, int(seconds)), "second"
    for size, larger in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            amount, unit = int(seconds // size), larger
            break
    return f"{amount} {unit}{'' if amount == 1 else 's'}"
