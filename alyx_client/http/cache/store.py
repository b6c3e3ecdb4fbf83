"""Where answers are kept: their rows, whose they are, how long they are fresh, and how much room they take."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import urlsplit

from alyx_client.http.log import logger
from alyx_client.http.message import Response
from alyx_client.storage.sqlite import CacheDamagedError, CacheFile, CacheUnavailableError

if TYPE_CHECKING:
    from sqlite3 import Connection

T = TypeVar("T")

_VERSION = 1
_SCHEMA = (
    "CREATE TABLE state (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), generation BLOB NOT NULL)",
    "INSERT INTO state VALUES (1, randomblob(16))",
    "CREATE TABLE answers (key BLOB PRIMARY KEY, user TEXT NOT NULL, endpoint TEXT NOT NULL, generation BLOB NOT NULL, "
    "received REAL NOT NULL, lifetime REAL NOT NULL, used REAL NOT NULL, size INTEGER NOT NULL, digest BLOB NOT NULL, "
    "head BLOB NOT NULL, body BLOB NOT NULL)",
    "CREATE INDEX answers_by_use ON answers (used, size)",
    "CREATE INDEX answers_by_endpoint ON answers (endpoint)",
    "CREATE INDEX answers_by_user ON answers (user)",
    "CREATE TABLE names (name TEXT PRIMARY KEY, user TEXT NOT NULL)",
)
_FIND = (
    "SELECT state.generation, key, user, endpoint, answers.generation, received, lifetime, used, size, digest, head, "
    "body FROM state LEFT JOIN answers ON key = ?"
)
_KEEP = (
    "INSERT OR REPLACE INTO answers (key, user, endpoint, generation, received, lifetime, used, size, digest, head, "
    "body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
# How exactly the last use of an answer is known, in seconds.
_USE_STEP = 60.0
# After a failure nothing is kept for so long, in seconds: a lock that is never given up would delay every query.
_PAUSE = 30.0
# The generation of what writes do not concern.
_LASTING = b""
_WORTH_PACKING = 1024
_ROW = 512
_PAGE = 4096
_HEADERS = ("content-type", "allow", "link")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer belongs.

    Parameters
    ----------
    key
        A digest of what was asked, and by whom.
    user
        Whose answer it is.
    endpoint
        What a write makes it out of date by.
    lasting
        Whether writes do not concern it, as with the schema.
    """

    key: bytes
    user: str
    endpoint: str
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer from the cache.

    Parameters
    ----------
    response
        The answer.
    received
        When it came, in seconds since 1970.
    lifetime
        For how many seconds it counts as fresh.
    current
        Whether nothing was written since it was asked for.
    """

    response: Response
    received: float
    lifetime: float
    current: bool


class Row(NamedTuple):
    """An answer as it lies in the file."""

    key: bytes
    user: str
    endpoint: str
    generation: bytes
    received: float
    lifetime: float
    used: float
    size: int
    digest: bytes
    head: bytes
    body: bytes


class Cache:
    """The answers of one server, in one file. None of its methods raises: at worst nothing is found and kept.

    The file has a *generation*, a random name that every write replaces. An answer is kept with the generation in which
    it was asked for, and is current only in that one, so that no answer asked for before a write is current after it.

    Parameters
    ----------
    folder
        Where the file goes.
    server
        The server's address.
    max_bytes
        How large the content of the file may grow; those answers go first that were not used for longest.
    """

    def __init__(self, folder: Path, server: str, max_bytes: int) -> None:
        self._file = CacheFile(folder, _name(server), _SCHEMA, _VERSION)
        self._max_bytes = max_bytes
        self._paused_until = 0.0
        self._warned = False

    def find(self, place: Place | None, *, create: bool = True) -> tuple[bytes | None, Kept | None]:
        """Look for an answer.

        Parameters
        ----------
        place
            Which one; None for the generation alone.
        create
            Whether the file is made where there is none, so that there is a generation to keep the answer with.

        Returns
        -------
        tuple
            The generation, None where nothing can be kept; and the answer, None where there is none.
        """
        create = create and not self._pausing()
        work = partial(_find, place, time.time())
        return self._try(partial(self._file.run, work, create=create)) or (None, None)

    def keep(self, place: Place, response: Response, *, lifetime: float, generation: bytes) -> None:
        """Keep an answer, unless something was written since it was asked for.

        Parameters
        ----------
        place
            Which one.
        response
            The answer.
        lifetime
            For how many seconds it counts as fresh.
        generation
            The file's generation when the answer was asked for.
        """
        if self._pausing():
            return
        row = _row(place, response, time.time(), lifetime, _LASTING if place.lasting else generation)
        # A larger one would push out most of the others.
        if row.size <= self._max_bytes // 2:
            work = partial(_keep, row, self._max_bytes)
            self._try(partial(self._file.run, work, create=False))

    def change(self, endpoint: str | None = None) -> tuple[bytes, bytes] | None:
        """Begin another generation.

        Parameters
        ----------
        endpoint
            What was written to: its answers are dropped.

        Returns
        -------
        tuple or None
            The generation before and the one after; None where there is no file.
        """
        where, values = ("0", ()) if endpoint is None else ("endpoint = ?", (endpoint,))
        return self._try(partial(self._file.run_surely, partial(_change, where, values)))

    def clear(self, user: str | None = None) -> None:
        """Drop all answers, or those of one user, and give the room back."""
        import sqlite3

        where, values = ("1", ()) if user is None else ("user = ?", (user,))

        def work(connection: Connection) -> bool:
            _change(where, values, connection)
            connection.execute(f"DELETE FROM names WHERE {where}", values)
            with contextlib.suppress(sqlite3.OperationalError):
                connection.executescript("PRAGMA incremental_vacuum")  # execute() would take its first step alone
            return True

        self._try(partial(self._file.run_surely, work))

    def note_name(self, name: str, user: str, *, replace: bool) -> None:
        """Remember whose user name this is, so that the answers are found where the server cannot be asked."""
        how = "REPLACE" if replace else "IGNORE"

        def work(connection: Connection) -> bool:
            known = connection.execute("SELECT user FROM names WHERE name = ?", (name,)).fetchall()
            if known != [(user,)] and (replace or not known):
                connection.execute(f"INSERT OR {how} INTO names VALUES (?, ?)", (name, user))
            return True

        if not self._pausing():
            self._try(partial(self._file.run, work))

    def user_of(self, name: str) -> str | None:
        """Return whose user name this is, as far as it was noted."""

        def work(connection: Connection) -> str | None:
            found = connection.execute("SELECT user FROM names WHERE name = ?", (name,)).fetchall()
            return found[0][0] if found else None

        return self._try(partial(self._file.run, work, create=False))

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        self._file.close()

    def _try(self, work: Callable[[], T | None]) -> T | None:
        try:
            return work()
        except CacheUnavailableError as error:
            self._paused_until = time.monotonic() + _PAUSE
            (logger.debug if self._warned else logger.warning)("answers are not kept: %s", error)
            self._warned = True
            return None

    def _pausing(self) -> bool:
        return time.monotonic() < self._paused_until


def _find(place: Place | None, now: float, connection: Connection) -> tuple[bytes, Kept | None]:
    if place is None:
        return _generation(connection), None
    found = connection.execute(_FIND, (place.key,)).fetchall()
    if not found:
        raise CacheDamagedError("its generation is lost")
    current, *fields = found[0]
    if fields[0] is None:
        return current, None
    row = Row(*fields)
    expected = (place.key, place.user, place.endpoint, _LASTING if place.lasting else row.generation)
    if row[:4] != expected or row.digest != _digest(row):
        raise CacheDamagedError("an answer in it is not the one that was kept")
    if not 0 <= now - row.used < _USE_STEP:
        _note_use(connection, place.key, now)
    current_row = row.generation in {_LASTING, current}
    return current, Kept(_response(row.head, row.body), row.received, row.lifetime, current_row)


def _note_use(connection: Connection, key: bytes, now: float) -> None:
    import sqlite3

    # Reading waits for nobody who is writing just now, so nor does this.
    timeout = connection.execute("PRAGMA busy_timeout").fetchall()[0][0]
    connection.execute("PRAGMA busy_timeout=0").fetchall()
    try:
        with contextlib.suppress(sqlite3.OperationalError):
            connection.execute("UPDATE answers SET used = ? WHERE key = ?", (now, key))
    finally:
        connection.execute(f"PRAGMA busy_timeout={timeout}").fetchall()


def _keep(row: Row, max_bytes: int, connection: Connection) -> bool:
    connection.execute("BEGIN IMMEDIATE")
    if row.generation not in {_LASTING, _generation(connection)}:
        return False
    connection.execute("DELETE FROM answers WHERE key = ?", (row.key,))
    needed = row.size + _PAGE
    kept = _make_room(connection, needed, max_bytes)
    if kept:
        connection.execute(_KEEP, row)
    connection.execute("COMMIT")
    return kept


def _change(where: str, values: tuple[str, ...], connection: Connection) -> tuple[bytes, bytes]:
    after = os.urandom(16)
    connection.execute("BEGIN IMMEDIATE")
    before = _generation(connection)
    connection.execute("UPDATE state SET generation = ?", (after,))
    connection.execute(f"DELETE FROM answers WHERE {where}", values)
    connection.execute("COMMIT")
    return before, after


def _generation(connection: Connection) -> bytes:
    found = connection.execute("SELECT generation FROM state").fetchall()
    if not found:
        raise CacheDamagedError("its generation is lost")
    generation: bytes = found[0][0]
    return generation


def _make_room(connection: Connection, needed: int, max_bytes: int) -> bool:
    """Drop what was not used for longest where the file would grow too large; return whether there is room now."""
    if _content(connection) + needed <= max_bytes:
        return True
    while (excess := _content(connection) + needed - max_bytes * 9 // 10) > 0:
        oldest = connection.execute("SELECT rowid, size FROM answers ORDER BY used LIMIT 1000").fetchall()
        if not oldest:
            break
        sizes = accumulate((size for _, size in oldest), initial=0)
        dropped = [(row,) for (row, _), before in zip(oldest, sizes, strict=False) if before < excess]
        connection.executemany("DELETE FROM answers WHERE rowid = ?", dropped)
    return _content(connection) + needed <= max_bytes


def _content(connection: Connection) -> int:
    """Return how many bytes of the file are in use."""
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchall()[0][0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def _row(place: Place, response: Response, received: float, lifetime: float, generation: bytes) -> Row:
    body, packed = response.content, len(response.content) > _WORTH_PACKING
    if packed:
        body = zlib.compress(body, 1)
    headers = {name: response.headers[name] for name in _HEADERS if name in response.headers}
    head = json.dumps([response.status, headers, response.method, response.url, packed]).encode()
    size = len(head) + len(body) + _ROW
    row = Row(
        place.key, place.user, place.endpoint, generation, received, lifetime, received, size, b"", head, body
    )  # fmt: skip
    return row._replace(digest=_digest(row))


def _response(head: bytes, body: bytes) -> Response:
    status, headers, method, url, packed = json.loads(head)
    return Response(status, headers, zlib.decompress(body) if packed else body, method, url)


def _digest(row: Row) -> bytes:
    """Digest all of a row but when it was used, which changes."""
    times = struct.pack(">dd", row.received, row.lifetime)
    digest = hashlib.blake2b(digest_size=16)
    for part in (row.key, row.user.encode(), row.endpoint.encode(), row.generation, times, row.head, row.body):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


def _name(server: str) -> str:
    """Make a file name that tells a reader which server it is of, and differs for every server."""
    parts = urlsplit(server)
    readable = re.sub(r"[^a-z0-9.-]+", "_", f"{parts.netloc}{parts.path}".lower())[:60]
    return f"rest{_VERSION}-{readable}-{hashlib.blake2b(server.encode(), digest_size=6).hexdigest()}"
