"""The store of cached responses: one file for each server, shared by all processes."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from alyx_client.errors import AlyxWarning
from alyx_client.http.cache import tables
from alyx_client.http.cache.entry import CachedResponse, pack
from alyx_client.http.cache.key import CacheKey
from alyx_client.http.log import logger, warn
from alyx_client.http.message import Response
from alyx_client.storage.sqlite import (
    CacheDatabase,
    CacheInaccessibleError,
    CacheInterruptedError,
    CacheLockedError,
    CacheUnavailableError,
)

__all__ = ["CacheStore"]

T = TypeVar("T")

# Seconds after a failure in which nothing is stored: waiting for a lock that is never released would delay every query.
_PAUSE = 30.0


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

    def __init__(self, folder: Path, base_url: str, max_bytes: int) -> None:
        self._database = CacheDatabase(folder, _file_name(base_url), tables.SCHEMA, tables.VERSION)
        self._max_bytes = max_bytes
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
        if self._is_left_aside():
            return None, None
        statements = partial(tables.find, key, time.time())
        # While paused, an existing file is still read: reading waits for nobody.
        create = create and not self._is_paused()
        return self._guard(partial(self._database.run, statements, create=create)) or (None, None)

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
        return self._guard(partial(self._database.run_or_discard, partial(tables.new_generation, endpoint)))

    def clear(self, identity: str | None = None) -> None:
        """Delete all entries, or one user's, and shrink the file."""
        self._guard(partial(self._database.run_or_discard, partial(tables.clear, identity)))

    def identity_of(self, username: str) -> str | None:
        """Return the identity stored for a user name."""
        if self._is_left_aside():
            return None
        return self._guard(partial(self._database.run, partial(tables.find_identity, username), create=False))

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        self._database.close()

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
