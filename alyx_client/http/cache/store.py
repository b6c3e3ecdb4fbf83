"""The store of cached responses: one file for each server, shared by all processes."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple, TypeVar
from urllib.parse import urlsplit

from alyx_client.errors import AlyxWarning
from alyx_client.http.cache import tables
from alyx_client.http.cache.entry import CachedResponse, Row, pack, unpack
from alyx_client.http.cache.key import CacheKey
from alyx_client.http.cache.memory import EntryMemory
from alyx_client.http.log import logger, warn
from alyx_client.http.message import Request, Response
from alyx_client.http.read_ahead import ReadAhead
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.storage.sqlite import (
    CacheDatabase,
    CacheInaccessibleError,
    CacheInterruptedError,
    CacheLockedError,
    CacheUnavailableError,
)

if TYPE_CHECKING:
    from sqlite3 import Connection

__all__ = ["CacheStore"]

T = TypeVar("T")

# Seconds after a failure in which nothing is stored: waiting for a lock that is never released would delay every query.
_PAUSE = 30.0


# Seconds for which entries that were looked up together count as those of the file.
_MOMENT = 1.0


@dataclass(frozen=True, slots=True)
class _Moment:
    time: float
    writes: int

    def follows(self, other: _Moment) -> bool:
        """Return whether what was in the file at the other moment counts as being there now."""
        return self.writes == other.writes and self.time - other.time < _MOMENT


class _Known(NamedTuple):
    row: Row
    generation: bytes
    moment: _Moment


class CacheStore:
    """The cached responses of one server. Its methods never raise: an unusable file finds and stores nothing.

    The file has a *generation*, a random name that every write to the server replaces. An entry is stored with the
    generation in which its request was sent, and is current in that one only, so that no response requested before a
    write is current after it.

    Parameters
    ----------
    folder
        The folder of the file.
    base_url
        The server.
    max_bytes
        The maximum size of the file's content; the least recently used entries make room for new ones.
    """

    # The writes of this process, to any server: writes are rare beside reads.
    _writes: ClassVar[int] = 0

    def __init__(self, folder: Path, base_url: str, max_bytes: int) -> None:
        self._database = CacheDatabase(folder, _file_name(base_url), tables.SCHEMA, tables.VERSION)
        self._max_bytes = max_bytes
        self._memory = EntryMemory()
        self._paused_until = 0.0
        self._warned = self._is_locked = False

    def find(self, key: CacheKey | None, *, create: bool = True) -> tuple[bytes | None, CachedResponse | None]:
        """Look up a response.

        Parameters
        ----------
        key
            Its key; None for the generation only.
        create
            Whether to create a missing file, so that there is a generation to store the response with.

        Returns
        -------
        tuple
            The generation, None if nothing can be stored; and the response, None if there is none.
        """
        now = time.time()
        if key is not None and not self._memory.is_empty:
            held = self._memory.find(key, self._database.state())
            if held is not None and not tables.is_use_old(held.used, now):
                return held.generation, held.response()
        if self._is_left_aside():
            return None, None
        statements = partial(self._find, key, now)
        # While paused, an existing file is still read: reading waits for nobody.
        create = create and not self._is_paused()
        return self._guard(partial(self._database.run, statements, create=create)) or (None, None)

    def find_with_following(
        self,
        key: CacheKey,
        ahead: ReadAhead,
        keys_of: Callable[[Sequence[Request]], Sequence[CacheKey]],
        *,
        create: bool = True,
    ) -> tuple[bytes | None, CachedResponse | None]:
        """Look up a response together with those to the requests that follow; parameters and result as for `find`.

        What was found together is used for a second at most, in which other processes may write, and not after a write
        of this process.

        Parameters
        ----------
        ahead
            The requests that follow.
        keys_of
            Returns their keys.
        """
        with ahead.lock:
            moment = _Moment(time.monotonic(), CacheStore._writes)
            known = ahead.found.pop(key.digest, None)
            if known is not None and moment.follows(known.moment):
                cached = unpack(known.row, key, known.generation)
                if cached is not None:
                    return known.generation, cached
            if self._is_left_aside():
                return None, None
            # Another thread may have found meanwhile that the cache does not have the pages.
            requests = ahead.following() if ahead.is_useful else ()
            following = [other.digest for other in keys_of(requests) if other.digest != key.digest]
            statements = partial(tables.find_several, key, following, time.time())
            create = create and not self._is_paused()
            found = self._guard(partial(self._database.run, statements, create=create))
            ahead.found.clear()
            ahead.is_useful = ahead.is_useful and found is not None and found.cached is not None
            if found is None:
                return None, None
            if ahead.is_useful:
                ahead.found |= {digest: _Known(row, found.generation, moment) for digest, row in found.others.items()}
            return found.generation, found.cached

    def store(
        self,
        key: CacheKey,
        response: Response,
        *,
        lifetime: float,
        generation: bytes,
        owner: tables.Owner | None = None,
    ) -> None:
        """Store a response, unless there was a write since its request was sent.

        Parameters
        ----------
        key
            Its key.
        response
            The response.
        lifetime
            For how many seconds it counts as fresh.
        generation
            The file's generation when the request was sent.
        owner
            The user's name and identity, stored with the response.
        """
        if self._is_paused():
            return
        row = pack(key, response, received=time.time(), lifetime=lifetime, generation=generation)
        # A larger one would push out most of the others.
        if row.size <= self._max_bytes // 2:
            statements = partial(tables.insert, row, self._max_bytes, owner)
            self._guard(partial(self._database.run, statements, create=False))

    def new_generation(self, endpoint: str | None = None) -> tuple[bytes, bytes] | None:
        """Make all entries stale.

        Parameters
        ----------
        endpoint
            The endpoint that was written to, whose entries are deleted.

        Returns
        -------
        tuple or None
            The generations before and after; None if there is no file.
        """
        CacheStore._writes += 1
        return self._guard(partial(self._database.run_or_discard, partial(tables.new_generation, endpoint)))

    def clear(self, identity: str | None = None) -> None:
        """Delete all entries, or one user's, and shrink the file."""
        CacheStore._writes += 1
        self._guard(partial(self._database.run_or_discard, partial(tables.clear, identity)))

    def identity_of(self, username: str) -> str | None:
        """Return the identity stored for a user name."""
        if self._is_left_aside():
            return None
        return self._guard(partial(self._database.run, partial(tables.find_identity, username), create=False))

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        self._database.close()
        self._memory.clear()

    def _find(
        self, key: CacheKey | None, now: float, connection: Connection
    ) -> tuple[bytes | None, CachedResponse | None]:
        if key is None:
            return tables.current_generation(connection), None
        memory = self._memory
        # Before the entry is read, which may then be newer than the state, but not older.
        is_settled = not memory.is_paused and memory.begin(self._database.settled_state(connection, memory.state))
        found = tables.find_several(key, (), now, connection)
        if is_settled and found.cached is not None:
            memory.add(key, found.generation, found.cached, found.used)
        return found.generation, found.cached

    def _guard(self, operation: Callable[[], T | None]) -> T | None:
        try:
            result = operation()
        except CacheInterruptedError:
            return None
        except CacheUnavailableError as error:
            self._paused_until = time.monotonic() + _PAUSE
            if isinstance(error, CacheLockedError):
                # Waited for once; from now on, the file is used again as soon as it is free.
                self._is_locked, self._database.waits = True, False
            self._report(error)
            return None
        if self._is_locked:
            self._is_locked, self._database.waits, self._paused_until = False, True, 0.0
            logger.info("responses are cached again")
        return result

    def _is_left_aside(self) -> bool:
        """Return whether not even reading is tried, since another program had the file locked a moment ago."""
        return self._is_locked and self._is_paused()

    def _report(self, error: CacheUnavailableError) -> None:
        # Once per client: a full disk would otherwise warn with every query.
        warned, self._warned = self._warned, True
        (logger.debug if warned else logger.warning)("responses are not cached: %s", error)
        if not warned and isinstance(error, CacheInaccessibleError):
            warn(
                f"Responses are not cached: {error}. Make it writable for you alone or remove it, choose another "
                "folder (cache_dir=, ALYX_CACHE_DIR), or turn the cache off (cache_rest=None).",
                AlyxWarning,
            )
        elif not warned and isinstance(error, CacheLockedError):
            warn(
                f"Responses are not cached for the moment: another program has locked the cache ({error}). It is used "
                "again once it is free.",
                AlyxWarning,
            )

    def _is_paused(self) -> bool:
        return time.monotonic() < self._paused_until


def _file_name(base_url: str) -> str:
    """Return a file name that shows the server to a reader, and is different for every server."""
    parts = urlsplit(base_url)
    readable = re.sub(r"[^a-z0-9.-]+", "_", f"{parts.netloc}{parts.path}".lower())[:60]
    return f"rest{tables.VERSION}-{readable}-{hashlib.blake2b(base_url.encode(), digest_size=6).hexdigest()}"
