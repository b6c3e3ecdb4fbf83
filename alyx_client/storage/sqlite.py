"""A SQLite database for a cache, shared by processes: opened lazily, recreated when corrupt, refused when unusable."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import threading
import weakref
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from alyx_client.storage import fork
from alyx_client.storage.file_system import file_identity, is_networked
from alyx_client.storage.log_state import LogState, log_files, log_state, settled_state
from alyx_client.storage.private_folder import (
    create_private_folder,
    require_private_files,
    require_private_folder,
)
from alyx_client.storage.sqlite_connection import (
    BUSY_SECONDS,
    CacheDamagedError,
    CacheInaccessibleError,
    CacheInterruptedError,
    CacheLockedError,
    CacheUnavailableError,
    is_damage,
    open_database,
    patience,
    prepare,
    set_patience,
    unavailable,
    waiting_at_most,
)

if TYPE_CHECKING:
    from sqlite3 import Connection

__all__ = [
    "CacheDamagedError",
    "CacheDatabase",
    "CacheInaccessibleError",
    "CacheInterruptedError",
    "CacheLockedError",
    "CacheUnavailableError",
    "waiting_at_most",
]

T = TypeVar("T")

# The package's logger, by its name: `http.log`, which configures it, is above this layer.
logger = logging.getLogger("alyx_client")

# How often work is repeated on another file before the cache is refused.
_MAX_TRIES = 5


class CacheDatabase:
    """A SQLite database in a folder of the user alone, for data that may be lost.

    Links and what belongs to another user are neither read nor written: the content could be that user's choice, and
    the file anybody's.

    A corrupt file is not repaired: the next number takes its place, so that no name ever stands for two databases, and
    a process that still has the old one open does no harm. The highest number is the current one.

    Parameters
    ----------
    folder
        The folder; created with mode 0700 when something is first written.
    name
        The file's name, without number and suffix.
    schema
        The SQL statements that create the tables.
    version
        The schema's version, above 0.

    Attributes
    ----------
    waits
        Whether statements wait for locks of other processes; it can be set.
    """

    def __init__(self, folder: Path, name: str, schema: Sequence[str], version: int) -> None:
        self.folder = folder
        self._name = name
        self._base = str(folder / name)
        self._schema = schema
        self._version = version
        # Reentrant, so that a signal handler does not wait for the call that it interrupts.
        self._lock = threading.RLock()
        self._is_working = self._is_catching_up = False
        self._postponed: list[Callable[[Connection], object]] = []
        self.waits = True
        self._patience = BUSY_SECONDS
        self._forking_thread: int | None = None
        self._connection: Connection | None = None
        self._closing: weakref.finalize[..., CacheDatabase] | None = None
        self._number = -1  # not known yet
        self._identity: tuple[int, int] | None = None
        self._logs: object = None
        fork.register(self)

    def run(self, work: Callable[[Connection], T], *, create: bool = True) -> T | None:
        """Run statements on the database; whatever they leave uncommitted is rolled back.

        Parameters
        ----------
        work
            The statements, which are repeated on a new file if the present one turns out to be corrupt.
        create
            Whether to create a missing file.

        Returns
        -------
        object
            The result of `work`; None if there is no file and none was to be created.

        Raises
        ------
        CacheLockedError
            Another process has locked the file.
        CacheUnavailableError
            The file cannot be used.
        """
        problem: Exception | None = None
        for _ in range(_MAX_TRIES):  # pragma: no branch - race of threads or processes
            with self._exclusively():
                # Here, because a signal handler that interrupts the import would find half of the module.
                try:
                    import sqlite3
                except ImportError as error:
                    raise CacheUnavailableError(str(error)) from error
                try:
                    connection = self._connect(create)
                    return None if connection is None else _run(connection, work)
                except (sqlite3.Error, CacheDamagedError, OSError) as error:
                    problem = error
                    if not self._recover(error):
                        break
        raise unavailable(problem, self._base, self.folder) from problem

    def run_or_discard(self, work: Callable[[Connection], T]) -> T | None:
        """Run statements on an existing file that other processes must not miss; if they fail, discard the file.

        Parameters
        ----------
        work
            The statements.

        Returns
        -------
        object
            The result of `work`; None if there is no file any more.

        Raises
        ------
        CacheUnavailableError
            The file can be neither written nor discarded; this process does not use it any more.
        """
        try:
            if self._postpone(work):
                return None
            # Another process may put a new file in place while the statements run on the old one.
            with self._lock:
                for _ in range(_MAX_TRIES):  # pragma: no branch - race of threads or processes
                    result = self.run(work, create=False)
                    if result is None or self._is_current():
                        return result
            raise CacheUnavailableError(f"{self._base} is replaced again and again")
        except CacheUnavailableError as error:
            with self._lock:
                if self._replace():
                    logger.info("the cache was discarded: %s", error)
                    return None
            _ABANDONED.add(self._base)
            raise

    def state(self) -> LogState | None:
        """Return the present state of the file, see `log_state`; None if it is unknown. It waits for nothing."""
        # Not while statements run or are left to run: this call may be the one that interrupts them.
        if self._is_working or self._postponed or self._number < 0 or self._base in _ABANDONED:
            return None
        path = self._path(self._number)
        identity = file_identity(path)
        return None if identity is None else log_state(path, identity)

    def settled_state(self, connection: Connection, known: LogState | None) -> LogState | None:
        """Return the present state, if `state` differs from it after any later write; None if that is not certain.

        Parameters
        ----------
        connection
            The connection that statements have received, which read the content of this state from now on.
        known
            A state that was settled.
        """
        # The file was compared with its identity when the work began.
        return self._identity and settled_state(self._path(self._number), self._identity, connection, known)

    @contextlib.contextmanager
    def _exclusively(self) -> Generator[None]:
        if not self._lock.acquire(timeout=patience(waits=True)):
            raise CacheInterruptedError(f"{self._base} is used by a call that waits for another process")
        try:
            if self._is_working:
                raise CacheInterruptedError(f"{self._base} is used by the call that this one interrupts")
            # Left behind by a call that was interrupted once more.
            self._run_postponed()
            self._is_working = True
            try:
                yield
            finally:
                self._is_working = False
                # Also if the signal handler has raised an exception, and before another thread has the lock.
                self._run_postponed()
        finally:
            self._lock.release()

    def _postpone(self, work: Callable[[Connection], object]) -> bool:
        """Leave statements to the call that this one interrupts, if it does; that runs them before anybody else can."""
        with self._lock:
            if self._is_working:
                self._postponed.append(work)
            return self._is_working

    def _run_postponed(self) -> None:
        if self._is_catching_up:
            return
        self._is_catching_up = True
        try:
            while self._postponed:
                with contextlib.suppress(CacheUnavailableError):
                    self.run_or_discard(self._postponed[0])
                # Only now, since until then `state` is not that of the content.
                self._postponed.pop(0)
        finally:
            self._is_catching_up = False

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        with self._lock:
            if not self._is_working:
                self._disconnect()

    def before_fork(self) -> None:
        """Close the connection, since SQLite's locks would be wrong in both processes."""
        if self._lock.acquire(timeout=2 * BUSY_SECONDS):
            self._forking_thread = threading.get_ident()
            if not self._is_working:
                self._disconnect()

    def after_fork_in_parent(self) -> None:
        """Release the lock that was acquired before."""
        if self._forking_thread == threading.get_ident():
            self._forking_thread = None
            self._lock.release()

    def after_fork_in_child(self) -> None:  # pragma: no cover - runs in a child process
        """Forget the parent's lock, which may be held by a thread that does not exist here."""
        self._lock, self._is_working, self._is_catching_up = threading.RLock(), False, False
        self._forking_thread = None
        if self._connection is not None:
            # A thread of the parent held the lock for too long, so that the connection is still open. Closing the
            # parent's file, even by garbage collection, would release the parent's locks.
            _PARENT_CONNECTIONS.append(self._connection)
            if self._closing is not None:
                self._closing.detach()
            self._connection, self._closing = None, None

    def _path(self, number: int) -> str:
        return f"{self._base}-{number}.sqlite"

    def _connect(self, create: bool) -> Connection | None:
        if self._base in _ABANDONED:
            raise CacheUnavailableError(f"{self._base} could not be written and is not used any more")
        if self._connection is not None:
            if self._is_current():
                self._limit_waits(self._connection)
                return self._connection
            is_in_place = self._is_in_place()
            self._disconnect()
            if is_in_place:
                # Processes that have the removed files see no writes of those that have others in their place.
                raise CacheDamagedError("its log was removed while it was open")
        self._number = -1
        if not self._is_private_folder() and create:
            create_private_folder(self.folder)
            # Somebody else may have been faster.
            self._is_private_folder()
        numbers = self._numbers()
        if not numbers and not create:
            return None
        self._number = max(numbers, default=0)
        for number in numbers - {self._number}:
            self._remove(number)
        return self._open(self._path(self._number))

    def _limit_waits(self, connection: Connection) -> None:
        """Let a connection wait for locks as long as the present call can."""
        seconds = patience(waits=self.waits)
        if seconds != self._patience:
            set_patience(connection, seconds)
            self._patience = seconds

    def _is_private_folder(self) -> bool:
        exists = require_private_folder(self.folder)
        if exists:
            require_private_files(self.folder, f"{self._name}-")
        return exists

    def _open(self, path: str) -> Connection:
        # Read before the file is opened: if another file takes its place in between, the next use notices.
        identity = file_identity(path)
        seconds = patience(waits=self.waits)
        connection = open_database(path, seconds)
        try:
            networked = is_networked(self.folder)
            prepare(connection, self._schema, self._version, networked=networked, seconds=seconds)
        except BaseException:
            connection.close()
            raise
        self._connection, self._patience = connection, seconds
        self._identity, self._logs = identity or file_identity(path), log_files(path)
        self._closing = weakref.finalize(self, connection.close)
        return connection

    def _recover(self, error: Exception) -> bool:
        """Make another attempt possible after an error; returns whether one makes sense."""
        if self._is_replaced():  # pragma: no cover - race of threads or processes
            # By another process, in the middle of the work here, which can look like any error.
            self._disconnect()
            return True
        if not is_damage(error):
            return False
        logger.warning("the cache %s is corrupt (%s); it is recreated", self._path(self._number), error)
        return self._replace()

    def _numbers(self) -> set[int]:
        pattern = re.compile(rf"{re.escape(self._name)}-(\d{{1,9}})\.sqlite")
        try:
            with os.scandir(self.folder) as entries:
                matches = [pattern.fullmatch(entry.name) for entry in entries]
        except (FileNotFoundError, NotADirectoryError):
            return set()
        return {int(match[1]) for match in matches if match}

    def _is_current(self) -> bool:
        return self._is_in_place() and log_files(self._path(self._number)) == self._logs

    def _is_in_place(self) -> bool:
        identity = file_identity(self._path(self._number))
        return identity is not None and identity == self._identity and not self._has_successor()

    def _is_replaced(self) -> bool:
        if self._number < 0:
            return False
        return self._has_successor() or not os.path.lexists(self._path(self._number))

    def _has_successor(self) -> bool:
        return os.path.exists(f"{self._base}-{self._number + 1}.sqlite")

    def _replace(self) -> bool:
        """Put a new, empty file in place of this one; returns whether no process uses this one from now on."""
        self._disconnect()
        if self._number < 0:
            return False
        with contextlib.suppress(Exception):
            open_database(self._path(self._number + 1)).close()
        self._remove(self._number)
        return self._is_replaced()

    def _remove(self, number: int) -> None:
        for suffix in ("", "-wal", "-shm", "-journal"):
            # Windows cannot remove a file that another process has open; whoever opens the cache later removes it.
            with contextlib.suppress(OSError):
                os.unlink(self._path(number) + suffix)

    def _disconnect(self) -> None:
        closing, self._connection, self._closing = self._closing, None, None
        if closing is not None:
            with contextlib.suppress(Exception):
                closing()


def _run(connection: Connection, work: Callable[[Connection], T]) -> T:
    try:
        return work(connection)
    finally:
        if connection.in_transaction:
            connection.rollback()


# Files that could be neither written nor discarded. What they hold is out of date, so that no use is safe.
_ABANDONED: set[str] = set()
_PARENT_CONNECTIONS: list[Connection] = []
