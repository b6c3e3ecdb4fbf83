"""Connections to SQLite databases that processes share: settings, tables, journal, and errors."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from alyx_client.storage.private_folder import NotPrivateError

if TYPE_CHECKING:
    from sqlite3 import Connection

__all__ = [
    "BUSY_SECONDS",
    "CacheDamagedError",
    "CacheInaccessibleError",
    "CacheInterruptedError",
    "CacheLockedError",
    "CacheUnavailableError",
    "is_damage",
    "is_inaccessible",
    "is_locked",
    "open_database",
    "patience",
    "prepare",
    "set_patience",
    "unavailable",
    "waiting_at_most",
]

BUSY_SECONDS = 5.0
"""How long to wait for a lock that another process or thread holds."""

_LEAST_SECONDS = 0.1
_LONGEST_WAIT: ContextVar[Callable[[], float | None] | None] = ContextVar("alyx_client_longest_wait", default=None)
# The size in bytes to which a write-ahead log is truncated; a smaller one is reused as it is.
_LOG_SIZE = 8 * 2**20
# SQLITE_ERROR (a table is missing), SQLITE_CORRUPT, SQLITE_CONSTRAINT, SQLITE_MISMATCH and SQLITE_NOTADB.
_DAMAGE_CODES = frozenset({1, 11, 19, 20, 26})
# SQLITE_BUSY and SQLITE_LOCKED.
_LOCK_CODES = frozenset({5, 6})
# SQLITE_PERM, SQLITE_READONLY and SQLITE_CANTOPEN.
_ACCESS_CODES = frozenset({3, 8, 14})


class CacheUnavailableError(Exception):
    """The file cannot be read or written; the message says why."""


class CacheLockedError(CacheUnavailableError):
    """Another process has locked the file."""


class CacheInterruptedError(CacheUnavailableError):
    """Another call of this process uses the file: one that a signal handler's interrupts, or that waits for a lock."""


class CacheInaccessibleError(CacheUnavailableError):
    """The system does not let this user have the file, or it may not be this user's own; this does not change."""


class CacheDamagedError(Exception):
    """The content of the file is not what was written there."""


class waiting_at_most:  # noqa: N801 - it is used as a function
    """Wait for locks no longer than a call has time, in a ``with`` block of this thread or task.

    Parameters
    ----------
    longest_wait
        Returns how much time is left, in seconds; None for any.
    """

    # A class, since a generator takes twice as long, and every call passes here.
    __slots__ = ("_before", "_longest_wait")

    def __init__(self, longest_wait: Callable[[], float | None]) -> None:
        self._longest_wait = longest_wait

    def __enter__(self) -> None:
        self._before = _LONGEST_WAIT.get()
        _LONGEST_WAIT.set(self._longest_wait)

    def __exit__(self, *_: object) -> None:
        # Not by the variable's token, which a coroutine that is closed elsewhere could not use.
        _LONGEST_WAIT.set(self._before)


def patience(*, waits: bool) -> float:
    """Return how long to wait for a lock, in seconds."""
    longest_wait = _LONGEST_WAIT.get()
    seconds = None if longest_wait is None else longest_wait()
    if not waits or seconds is None:
        return BUSY_SECONDS if waits else 0.0
    # The rest is for the call itself. Locks are usually free in no time, also for a call whose time has run out.
    return min(BUSY_SECONDS, max(seconds / 2, _LEAST_SECONDS))


def set_patience(connection: Connection, seconds: float) -> None:
    """Set how long a connection waits for locks."""
    connection.execute(f"PRAGMA busy_timeout={seconds * 1000:.0f}").fetchall()


def open_database(path: str, seconds: float = 0.0) -> Connection:
    """Open a database file, which is created if it is missing, with mode 0600; `seconds` is as for `prepare`."""
    import sqlite3

    # Not by SQLite: others would have the mode of the process's umask for a moment. An existing file is not opened, for
    # closing it would drop the locks of this process's other connections to it.
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    # Without isolation level, transactions begin and end where the statements say so.
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=seconds)


def prepare(connection: Connection, schema: Sequence[str], version: int, *, networked: bool, seconds: float) -> None:
    """Configure a connection, create the tables of a new file, and check the version of an old one.

    Parameters
    ----------
    connection
        The connection.
    schema
        The SQL statements that create the tables.
    version
        The schema's version.
    networked
        Whether other computers may have the file open.
    seconds
        How long to wait for locks of other processes.

    Raises
    ------
    CacheDamagedError
        The file has another version.
    """
    # A manipulated file must not call functions through its schema (trusted_schema). With a write-ahead log, a power
    # failure costs the last transactions at most (synchronous=NORMAL).
    set_patience(connection, seconds)
    _set(connection, "trusted_schema=OFF")
    present = _value(connection, "PRAGMA user_version")
    if present == 0:
        # An empty file has nothing to lose, and one that a power failure damages is recreated: nothing is worth the
        # wait for the disk, which is longer than a request.
        _set(connection, "synchronous=OFF")
        _set(connection, "auto_vacuum=INCREMENTAL")
    if present == 0 or networked:
        # A write-ahead log needs shared memory, which does not reach across computers.
        _set_journal(connection, "delete" if networked else "wal", seconds)
    _set(connection, f"journal_size_limit={_LOG_SIZE}")
    if present == 0:
        present = _create_tables(connection, schema, version)
    _set(connection, "synchronous=NORMAL")
    if present != version:
        raise CacheDamagedError(f"its version is {present}")


def is_damage(error: Exception) -> bool:
    """Tell a corrupt file from one that cannot be read or written at the moment."""
    import sqlite3

    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        # Without a code, Python itself raises OperationalError: for text that is not UTF-8.
        return isinstance(error, (CacheDamagedError, sqlite3.OperationalError))
    # The low byte is the primary code of an extended one.
    return code & 0xFF in _DAMAGE_CODES


def is_locked(error: Exception) -> bool:
    """Tell a file that another process has locked."""
    code: object = getattr(error, "sqlite_errorcode", None)
    return isinstance(code, int) and code & 0xFF in _LOCK_CODES


def is_inaccessible(error: Exception) -> bool:
    """Tell a file that cannot be had from one that another process uses, or whose disk is full."""
    code: object = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF in _ACCESS_CODES if isinstance(code, int) else isinstance(error, OSError)


def unavailable(problem: Exception | None, base: str, folder: Path) -> CacheUnavailableError:
    """Return the error for work that a problem has ended.

    Parameters
    ----------
    problem
        The problem.
    base, folder
        The file, without number and suffix, and its folder.
    """
    if problem is not None and is_locked(problem):
        return CacheLockedError(f"{base}: {problem}")
    if problem is None or not is_inaccessible(problem):
        return CacheUnavailableError(f"{base}: {problem}")
    reason = getattr(problem, "strerror", None) or str(problem)
    return CacheInaccessibleError(
        reason if isinstance(problem, NotPrivateError) else f"{folder} cannot be used ({reason})"
    )


def _create_tables(connection: Connection, schema: Sequence[str], version: int) -> object:
    # Committed at the end, rolled back after an error.
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        # Another process may have created them while this one waited for the lock.
        if _value(connection, "PRAGMA user_version") == 0:
            for statement in schema:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={version}")
    return _value(connection, "PRAGMA user_version")


def _set_journal(connection: Connection, mode: str, seconds: float) -> None:
    """Set the journal mode. SQLite ignores the busy timeout there, hence the waiting here."""
    import sqlite3

    deadline = time.monotonic() + seconds
    while True:
        try:
            actual = _value(connection, f"PRAGMA journal_mode={mode}")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise
            actual = None
        # Some file systems have no shared memory; SQLite then keeps the old mode instead of "wal", which works, too.
        if actual == mode or (mode == "wal" and actual is not None):
            return
        if time.monotonic() > deadline:
            raise CacheLockedError("on a network file system, and another computer uses it as a local file")
        time.sleep(0.01)


def _set(connection: Connection, setting: str) -> None:
    connection.execute(f"PRAGMA {setting}").fetchall()


def _value(connection: Connection, statement: str) -> object:
    return connection.execute(statement).fetchall()[0][0]
