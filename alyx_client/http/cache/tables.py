"""The tables of the cache file, and the statements on them; each function is one transaction at most.

The names of tables and columns are those of the file format's first version: other names would need a new version of
the file, and with it every cached response would be lost.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from alyx_client.http.cache.entry import NO_GENERATION, CachedResponse, Row, unpack
from alyx_client.http.cache.key import CacheKey
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.storage.sqlite import CacheDamagedError

if TYPE_CHECKING:
    from sqlite3 import Connection

__all__ = [
    "SCHEMA",
    "VERSION",
    "Found",
    "Owner",
    "clear",
    "current_generation",
    "find_identity",
    "find_several",
    "insert",
    "is_use_old",
    "new_generation",
]

VERSION = 1
SCHEMA = (
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
# One statement, so that entry and generation are of the same moment.
_FIND = (
    "SELECT state.generation, key, user, endpoint, answers.generation, received, lifetime, used, size, digest, head, "
    "body FROM state LEFT JOIN answers ON key = ?"
)
_INSERT = (
    "INSERT OR REPLACE INTO answers (key, user, endpoint, generation, received, lifetime, used, size, digest, head, "
    "body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
# The resolution in seconds of the time of an entry's last use: most reads write nothing.
_USE_RESOLUTION = 60.0
# The most bytes of an entry that is read before it is needed: a page of a thousand rows takes 50 to 200 kB.
_MOST_AHEAD = 2**19
# Room for the pages that an insertion adds to the tables' and indexes' trees.
_PAGE = 4096


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome of looking up several entries at one moment.

    Parameters
    ----------
    generation
        The generation.
    cached
        The response of the first entry; None if there is none.
    others
        The other entries, by their keys; they are not checked yet.
    used
        The time of the first entry's last use that was in the file, in seconds since 1970.
    """

    generation: bytes
    cached: CachedResponse | None
    others: dict[bytes, Row]
    used: float = 0.0


def find_several(key: CacheKey, others: Sequence[bytes], now: float, connection: Connection) -> Found:
    """Look up an entry, and others that are going to be needed after it, unless they are large.

    Parameters
    ----------
    key
        The key of the entry.
    others
        Those of the others, as digests.
    now
        The time, in seconds since 1970.
    connection
        The connection.
    """
    if others:
        places = ",".join("?" * len(others))
        condition = f"(key = ? OR (key IN ({places}) AND size <= {_MOST_AHEAD}))"
        rows = connection.execute(_FIND.replace("key = ?", condition), (key.digest, *others)).fetchall()
    else:
        rows = connection.execute(_FIND, (key.digest,)).fetchall()
    if not rows or not isinstance(rows[0][0], bytes):
        raise CacheDamagedError("its generation is lost")
    generation: bytes = rows[0][0]
    entries = {row.key: row for row in (Row(*columns) for _, *columns in rows if columns[0] is not None)}
    own = entries.pop(key.digest, None)
    cached = None if own is None else unpack(own, key, generation)
    if own is not None and cached is None:
        raise CacheDamagedError("an entry is not the one that was stored")
    used = [row for row in (own, *entries.values()) if row is not None and is_use_old(row.used, now)]
    if used:
        _update_use(connection, used, now)
    return Found(generation, cached, entries, 0.0 if own is None else own.used)


def is_use_old(used: object, now: float) -> bool:
    """Return whether the time of an entry's last use is to be updated; both in seconds since 1970."""
    # An entry that was not checked yet may hold anything.
    return not isinstance(used, float) or not 0 <= now - used < _USE_RESOLUTION


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner of an entry, by whose name entries are found when nobody can log in.

    Parameters
    ----------
    username
        The user's name.
    identity
        The user's identity, under which entries are stored.
    replace
        Whether to replace another identity stored for the name.
    """

    username: str
    identity: str
    replace: bool


def insert(row: Row, max_bytes: int, owner: Owner | None, connection: Connection) -> bool:
    """Store an entry, unless its generation has ended or there is no room; returns whether it was stored."""
    connection.execute("BEGIN IMMEDIATE")
    if owner is not None:
        _insert_owner(owner, connection)
    # Within the transaction: a write that comes now, of any process, waits.
    if row.generation not in (NO_GENERATION, current_generation(connection)):
        connection.execute("COMMIT")
        return False
    connection.execute("DELETE FROM answers WHERE key = ?", (row.key,))
    has_room = _make_room(connection, row.size + _PAGE, max_bytes)
    if has_room:
        connection.execute(_INSERT, row)
    connection.execute("COMMIT")
    return has_room


def new_generation(endpoint: str | None, connection: Connection) -> tuple[bytes, bytes]:
    """Begin a new generation, and delete an endpoint's entries; returns the generations before and after."""
    where, values = ("0", ()) if endpoint is None else ("endpoint = ?", (endpoint,))
    return _replace_generation(where, values, connection)


def clear(identity: str | None, connection: Connection) -> bool:
    """Delete all entries and user names, or one user's, and shrink the file."""
    import sqlite3

    where, values = ("1", ()) if identity is None else ("user = ?", (identity,))
    _replace_generation(where, values, connection)
    connection.execute(f"DELETE FROM names WHERE {where}", values)
    with contextlib.suppress(sqlite3.OperationalError):
        # execute() would take only the first step of this statement, which frees one page.
        connection.executescript("PRAGMA incremental_vacuum")
    return True


def find_identity(username: str, connection: Connection) -> str | None:
    """Return the identity last stored for a user name."""
    rows = connection.execute("SELECT user FROM names WHERE name = ?", (username,)).fetchall()
    if rows and not isinstance(rows[0][0], str):
        raise CacheDamagedError("a user's identity is not a text")
    return rows[0][0] if rows else None


def _insert_owner(owner: Owner, connection: Connection) -> None:
    stored = find_identity(owner.username, connection)
    if stored is None or (owner.replace and stored != owner.identity):
        connection.execute("INSERT OR REPLACE INTO names VALUES (?, ?)", (owner.username, owner.identity))


def current_generation(connection: Connection) -> bytes:
    """Return the present generation."""
    rows = connection.execute("SELECT generation FROM state").fetchall()
    if not rows or not isinstance(rows[0][0], bytes):
        raise CacheDamagedError("its generation is lost")
    generation: bytes = rows[0][0]
    return generation


def _replace_generation(where: str, values: tuple[str, ...], connection: Connection) -> tuple[bytes, bytes]:
    # Random rather than counted: a file made anew must not repeat a generation of the one before.
    after = os.urandom(16)
    connection.execute("BEGIN IMMEDIATE")
    before = current_generation(connection)
    connection.execute("UPDATE state SET generation = ?", (after,))
    connection.execute(f"DELETE FROM answers WHERE {where}", values)
    connection.execute("COMMIT")
    return before, after


def _update_use(connection: Connection, rows: Sequence[Row], now: float) -> None:
    import sqlite3

    # A read never waits for a writer, so its update of this column must not either.
    timeout = connection.execute("PRAGMA busy_timeout").fetchall()[0][0]
    connection.execute("PRAGMA busy_timeout=0").fetchall()
    try:
        with contextlib.suppress(sqlite3.OperationalError):
            places = ",".join("?" * len(rows))
            keys = (row.key for row in rows)
            connection.execute(f"UPDATE answers SET used = ? WHERE key IN ({places})", (now, *keys))
    finally:
        connection.execute(f"PRAGMA busy_timeout={timeout}").fetchall()


def _make_room(connection: Connection, needed: int, max_bytes: int) -> bool:
    """Delete the least recently used entries if the file would grow too large; returns whether there is room."""
    if _used_bytes(connection) + needed <= max_bytes:
        return True
    # A tenth more than needed, so that not every insertion into a full cache has to make room.
    while (excess := _used_bytes(connection) + needed - max_bytes * 9 // 10) > 0:
        oldest = connection.execute(
            "SELECT rowid, CAST(size AS INTEGER) FROM answers ORDER BY used LIMIT 1000"
        ).fetchall()
        if not oldest:
            break
        sums = accumulate((size for _, size in oldest), initial=0)
        deleted = [(rowid,) for (rowid, _), freed in zip(oldest, sums, strict=False) if freed < excess]
        connection.executemany("DELETE FROM answers WHERE rowid = ?", deleted)
    return _used_bytes(connection) + needed <= max_bytes


def _used_bytes(connection: Connection) -> int:
    """Return the size of the file without its free pages, which insertions use first."""
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchall()[0][0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size
