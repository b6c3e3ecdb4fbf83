"""Entries of the cache file that are held in memory as long as nothing in the file has changed."""

from __future__ import annotations

import time

from alyx_client.http.cache.entry import CachedResponse
from alyx_client.http.cache.key import CacheKey
from alyx_client.http.message import Response
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.storage.log_state import LogState

__all__ = ["EntryMemory", "HeldEntry"]

_MOST_BYTES = 4 * 2**20
# Parsing a larger response takes so long that the file makes no difference.
_LARGEST = 2**18
# What an entry takes in addition to its body: the objects, its key, its URL and its headers.
_OVERHEAD = 2048
# Seconds without another attempt, after one in which the file was not settled.
_PAUSE = 0.1


class EntryMemory:
    """Entries of the file in one of its states, of which the first ones make room for others.

    `find` may be called by any thread at any time; the other methods by the one that has the database.

    Parameters
    ----------
    most_bytes
        How much memory the entries take at most.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._paused_until = 0.0
        self._held: tuple[LogState | None, dict[bytes, HeldEntry]] = (None, {})
        self._bytes = 0

    @property
    def is_empty(self) -> bool:
        """True if no entry is held."""
        return not self._held[1]

    @property
    def is_paused(self) -> bool:
        """True if the file was not settled a moment ago."""
        return time.monotonic() < self._paused_until

    @property
    def state(self) -> LogState | None:
        """The state in which the file has the entries."""
        return self._held[0]

    def find(self, key: CacheKey, state: LogState | None) -> HeldEntry | None:
        """Return an entry; None if it is not held in this state of the file.

        Parameters
        ----------
        key
            The entry's key.
        state
            The present state of the file.
        """
        # Both at once, since another thread may begin with another state.
        state_of_entries, entries = self._held
        if state is None or state != state_of_entries:
            return None
        held = entries.get(key.digest)
        return held if held is not None and held.identity == key.identity else None

    def begin(self, state: LogState | None) -> bool:
        """Forget the entries of other states than this settled one; returns False if there is none."""
        if state is None:
            self.clear()
            self._paused_until = time.monotonic() + _PAUSE
            return False
        if state != self.state:
            self._held, self._bytes = (state, {}), 0
        return True

    def add(self, key: CacheKey, generation: bytes, cached: CachedResponse, used: float) -> None:
        """Hold an entry that was read after `begin`.

        Parameters
        ----------
        key
            Its key.
        generation
            The file's generation.
        cached
            The response.
        used
            The time of the entry's last use that is in the file, in seconds since 1970.
        """
        held = HeldEntry(key.identity, generation, _copy(cached), used)
        if held.size > min(_LARGEST, self._most_bytes):
            return
        entries = self._held[1]
        replaced = entries.pop(key.digest, None)
        self._bytes += held.size - (0 if replaced is None else replaced.size)
        entries[key.digest] = held
        # Another thread may have closed the file, and forgotten its entries, meanwhile.
        while self._bytes > self._most_bytes and entries:
            self._bytes -= entries.pop(next(iter(entries))).size

    def clear(self) -> None:
        """Forget all entries."""
        self._held, self._bytes = (None, {}), 0


@dataclass(frozen=True, slots=True)
class HeldEntry:
    """An entry that is held; `add` has the parameters."""

    identity: str
    generation: bytes
    cached: CachedResponse
    used: float

    @property
    def size(self) -> int:
        """How many bytes of memory it takes."""
        return len(self.cached.response.content) + _OVERHEAD

    def response(self) -> CachedResponse:
        """Return the response, as an object of the caller's own."""
        return _copy(self.cached)


def _copy(cached: CachedResponse) -> CachedResponse:
    # The dictionary of headers can be changed.
    response = cached.response
    own = Response(response.status, dict(response.headers), response.content, response.method, response.url)
    return CachedResponse(own, cached.received, cached.lifetime, cached.current)
