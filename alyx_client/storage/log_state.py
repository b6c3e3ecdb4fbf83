"""The state of a SQLite database with a write-ahead log, from which processes see that nobody has written."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from alyx_client.storage.file_system import file_identity

if TYPE_CHECKING:
    from sqlite3 import Connection

__all__ = ["LogState", "log_files", "log_state", "settled_state"]

# The system's clock for times of files ticks at least this often, in seconds.
_TICK = 0.1
_MILLISECOND = 1_000_000


class LogState(NamedTuple):
    """The identity of a database file, and of its write-ahead log with its size and the time of the last write.

    Every transaction writes to the log, and makes its content visible to others afterwards.
    """

    database: tuple[int, int]
    log: tuple[int, int]
    size: int
    written: int


def log_files(path: str) -> object:
    """Return the identity of a database's write-ahead log and of its index, which stay while a connection is open."""
    # Windows removes no file that is open.
    return None if sys.platform == "win32" else (file_identity(f"{path}-wal"), file_identity(f"{path}-shm"))


def log_state(path: str, database: tuple[int, int]) -> LogState | None:
    """Return the present state of a database; None without a log, and where its times say too little.

    Parameters
    ----------
    path
        The database file.
    database
        Its device and inode.
    """
    # NTFS may note the time of a write when the file is closed.
    if sys.platform == "win32":  # pragma: no cover - other operating system
        return None
    try:
        status = os.stat(f"{path}-wal")
    except OSError:
        return None
    written = status.st_mtime_ns
    # Some file systems have times of seconds only, within which several writes look like one.
    if written % _MILLISECOND == 0:
        return None
    return LogState(database, (status.st_dev, status.st_ino), status.st_size, written)


def settled_state(
    path: str, database: tuple[int, int], connection: Connection, known: LogState | None
) -> LogState | None:
    """Return the present state if every later write will lead to another one; None if that is not certain.

    What the connection reads from now on is then the content of the database for as long as its state is the same.

    Parameters
    ----------
    path, database
        As for `log_state`.
    connection
        A connection to the database.
    known
        A state that was settled.
    """
    now = time.time()
    state = log_state(path, database)
    if state is None or state == known:
        return state
    # Another write in the same tick would leave no trace; and the content of one that is under way, which has written
    # to the log already, becomes visible without a further one.
    if now - state.written / 1e9 < _TICK or _has_writer(connection):
        return None
    return state


def _has_writer(connection: Connection) -> bool:
    """Return whether another connection may be in the middle of a write."""
    import sqlite3

    ((patience,),) = connection.execute("PRAGMA busy_timeout").fetchall()
    connection.execute("PRAGMA busy_timeout=0").fetchall()
    try:
        with suppress(sqlite3.OperationalError):
            # The lock of writers; nothing is written.
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
            return False
    finally:
        connection.execute(f"PRAGMA busy_timeout={patience}").fetchall()
    return True
