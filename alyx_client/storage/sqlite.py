"""A SQLite file that processes share: opened late, made anew where it is damaged, done without where it must be."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from sqlite3 import Connection

T = TypeVar("T")

# The package's logger, by its name: `http.log`, which configures it, is above this layer.
logger = logging.getLogger("alyx_client")

_TRIES = 5
_BUSY = 5.0
# The rest of a write-ahead log that is kept for reuse, in bytes.
_LOG_SIZE = 8 * 2**20
# SQLite's codes for a file that lacks the tables, is damaged, is none of its own, or breaks the rules of its tables.
_DAMAGE = frozenset({1, 11, 19, 20, 26})
_NETWORKED = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|lustre|gpfs|beegfs\w*|ceph|afs|9p|glusterfs|pvfs2|virtiofs|vboxsf|vmhgfs|prl_fs|fuse\..*"
)


class CacheUnavailableError(Exception):
    """The file cannot be read or written; the message says why."""


class CacheDamagedError(Exception):
    """What was read from the file is not what was written there."""


class CacheFile:
    """A database of this user that all processes share.

    A file found damaged is not repaired: the next number takes its place, so that a name never stands for two
    databases and a process that still has the old one open can harm nobody. The highest number is the current one.

    Parameters
    ----------
    folder
        Where the file goes; made with mode 0700 when something is first written.
    name
        The file's name, without number and suffix.
    schema
        The SQL statements that make its tables.
    version
        The schema's version, above 0.
    """

    def __init__(self, folder: Path, name: str, schema: Sequence[str], version: int) -> None:
        self.folder = folder
        self._name = name
        self._schema = schema
        self._version = version
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._closing: weakref.finalize[..., CacheFile] | None = None
        self._number = -1  # not known yet
        self._identity: tuple[int, int] | None = None
        _FILES[id(self)] = self

    def run(self, work: Callable[[Connection], T], *, create: bool = True) -> T | None:
        """Run statements on the database; what they leave uncommitted is rolled back.

        Parameters
        ----------
        work
            The statements. It is run again on a new file where the old one proves to be damaged.
        create
            Whether the file is made where there is none.

        Returns
        -------
        object
            What `work` returned; None where there is no file and none was to be made.

        Raises
        ------
        CacheUnavailableError
            The file cannot be used.
        """
        try:
            import sqlite3
        except ImportError as error:
            raise CacheUnavailableError(str(error)) from error
        problem: Exception | None = None
        for _ in range(_TRIES):
            with self._lock:
                try:
                    connection = self._connected(create)
                    return None if connection is None else _run(connection, work)
                except (sqlite3.Error, CacheDamagedError, OSError) as error:
                    problem = error
                    if self._is_gone():
                        # Another process replaced it meanwhile, which looks like any error.
                        self._disconnect()
                    elif not _is_damage(error):
                        break
                    else:
                        logger.warning("the cache %s is damaged (%s); it is made anew", self._path(self._number), error)
                        if not self._replace():
                            break
        raise CacheUnavailableError(f"{self._base}: {problem}") from problem

    def run_surely(self, work: Callable[[Connection], T]) -> T | None:
        """Run statements that must not be lost, if there is a file: where they fail, the file is given up.

        Parameters
        ----------
        work
            The statements.

        Returns
        -------
        object
            What `work` returned; None where there is no file any more.

        Raises
        ------
        CacheUnavailableError
            The file can neither be written nor replaced; this process does not use it any more.
        """
        try:
            # Another process may put a new file in place while the statements run on the old one.
            for _ in range(_TRIES):
                result = self.run(work, create=False)
                if result is None or self._is_current():
                    return result
            raise CacheUnavailableError(f"{self._base} is replaced again and again")
        except CacheUnavailableError as error:
            with self._lock:
                if self._replace():
                    logger.info("the cache was given up: %s", error)
                    return None
            _GIVEN_UP.add(self._base)
            raise

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        with self._lock:
            self._disconnect()

    @property
    def _base(self) -> str:
        return str(self.folder / self._name)

    def _path(self, number: int) -> str:
        return f"{self._base}-{number}.sqlite"

    def _connected(self, create: bool) -> Connection | None:
        if self._base in _GIVEN_UP:
            raise CacheUnavailableError(f"{self._base} could not be written and is not used any more")
        if self._connection is not None:
            if self._is_current():
                return self._connection
            self._disconnect()
        self._number = -1
        numbers = self._numbers()
        if not numbers and not create:
            return None
        if create:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._number = max(numbers, default=0)
        for number in numbers - {self._number}:
            self._remove(number)
        # Taken before the file is opened: if another takes its place in between, the next use notices.
        identity = _identity(self._path(self._number))
        connection = _open(self._path(self._number))
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self._identity = identity or _identity(self._path(self._number))
        self._closing = weakref.finalize(self, connection.close)
        return connection

    def _prepare(self, connection: Connection) -> None:
        """Make the tables of a new file, and check that those of an old one are ours."""
        for setting in (f"busy_timeout={_BUSY * 1000:.0f}", "trusted_schema=OFF", "synchronous=NORMAL"):
            connection.execute(f"PRAGMA {setting}").fetchall()
        version = _value(connection, "PRAGMA user_version")
        networked = _is_networked(self.folder)
        if version == 0:
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL").fetchall()
        if version == 0 or networked:
            # The memory that processes share for a write-ahead log is not shared between computers.
            _set_journal(connection, "delete" if networked else "wal")
        connection.execute(f"PRAGMA journal_size_limit={_LOG_SIZE}").fetchall()
        if version == 0:
            version = _run(connection, self._create)
        if version != self._version:
            raise CacheDamagedError(f"its version is {version}")

    def _create(self, connection: Connection) -> object:
        connection.execute("BEGIN IMMEDIATE")
        # Another process may have been faster.
        if _value(connection, "PRAGMA user_version") == 0:
            for statement in self._schema:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={self._version}")
        connection.execute("COMMIT")
        return _value(connection, "PRAGMA user_version")

    def _numbers(self) -> set[int]:
        name = re.compile(rf"{re.escape(self._name)}-(\d{{1,9}})\.sqlite")
        try:
            with os.scandir(self.folder) as entries:
                found = [name.fullmatch(entry.name) for entry in entries]
        except (FileNotFoundError, NotADirectoryError):
            return set()
        return {int(each[1]) for each in found if each}

    def _is_current(self) -> bool:
        identity = _identity(self._path(self._number))
        return identity is not None and identity == self._identity and not self._is_gone()

    def _is_gone(self) -> bool:
        if self._number < 0:
            return False
        return os.path.exists(self._path(self._number + 1)) or not os.path.lexists(self._path(self._number))

    def _replace(self) -> bool:
        """Put a new, empty file in the place of this one; return whether this one is given up by all processes."""
        self._disconnect()
        if self._number < 0:
            return False
        with contextlib.suppress(Exception):
            _open(self._path(self._number + 1)).close()
        self._remove(self._number)
        return self._is_gone()

    def _remove(self, number: int) -> None:
        for suffix in ("", "-wal", "-shm", "-journal"):
            # Windows does not remove a file that another process has open; then a later opening does.
            with contextlib.suppress(OSError):
                os.unlink(self._path(number) + suffix)

    def _disconnect(self) -> None:
        closing, self._connection, self._closing = self._closing, None, None
        if closing is not None:
            with contextlib.suppress(Exception):
                closing()

    def _before_fork(self) -> bool:
        """Close the connection, for its locks would be wrong in both processes; return whether the lock is held now."""
        held = self._lock.acquire(timeout=2 * _BUSY)
        if held:
            self._disconnect()
        return held

    def _after_fork(self) -> None:
        self._lock = threading.Lock()
        if self._connection is not None:
            # Forked by foreign code that announced nothing. The connection is the parent's: not even closed here.
            _LEFT_ALONE.append(self._connection)
            if self._closing is not None:
                self._closing.detach()
            self._connection, self._closing = None, None


_FILES: weakref.WeakValueDictionary[int, CacheFile] = weakref.WeakValueDictionary()
_GIVEN_UP: set[str] = set()
_LEFT_ALONE: list[Connection] = []
_HELD: list[CacheFile] = []


def _files() -> list[CacheFile]:
    # Threads may add to it meanwhile, so it is copied in one step.
    return [file for file in (known() for known in _FILES.valuerefs()) if file is not None]


def _before_fork() -> None:
    _HELD.extend(file for file in _files() if file._before_fork())  # pyright: ignore[reportPrivateUsage]


def _after_fork_in_parent() -> None:
    while _HELD:
        _HELD.pop()._lock.release()  # pyright: ignore[reportPrivateUsage]


def _after_fork_in_child() -> None:
    _HELD.clear()
    for file in _files():
        file._after_fork()  # pyright: ignore[reportPrivateUsage]


if sys.platform != "win32":
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)


def _run(connection: Connection, work: Callable[[Connection], T]) -> T:
    try:
        return work(connection)
    finally:
        if connection.in_transaction:
            connection.rollback()


def _open(path: str) -> Connection:
    import sqlite3

    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_BUSY)
    try:
        # Opening and closing the file by other means than SQLite's would drop its locks.
        if os.stat(path).st_size == 0:
            os.chmod(path, 0o600)
    except BaseException:
        connection.close()
        raise
    return connection


def _set_journal(connection: Connection, mode: str) -> None:
    """Choose the journal; SQLite waits for nobody there, so the waiting is done here."""
    import sqlite3

    end = time.monotonic() + _BUSY
    while True:
        try:
            found = _value(connection, f"PRAGMA journal_mode={mode}")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise
            found = None
        if found == mode or (mode == "wal" and found is not None):
            return
        if time.monotonic() > end:
            raise CacheUnavailableError("on a network file system, and another computer uses it as if it were its own")
        time.sleep(0.01)


def _value(connection: Connection, statement: str) -> object:
    return connection.execute(statement).fetchall()[0][0]


def _is_damage(error: Exception) -> bool:
    """Tell damage from a file that cannot be read or written just now."""
    import sqlite3

    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        # Python's own OperationalError tells of a text that is no UTF-8.
        return isinstance(error, (CacheDamagedError, sqlite3.OperationalError))
    return code & 0xFF in _DAMAGE


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_networked(folder: Path) -> bool:
    """Tell whether other computers may use the folder, as far as the system says."""
    where = os.path.realpath(folder)
    if where.startswith("\\\\"):
        return True
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return False
    return bool(_NETWORKED.fullmatch(_file_system(where, mounts)))


def _file_system(path: str, mounts: str) -> str:
    """Find the type of the file system that a path is on, in the text of ``/proc/self/mountinfo``."""
    longest, kind = "", ""
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        fields = left.split(" ")
        if len(fields) < 5 or not right:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[4])
        # Of two mounts on one point the later hides the earlier.
        if len(point) >= len(longest) and (path == point or path.startswith(point.rstrip("/") + "/")):
            longest, kind = point, right.split(" ")[0]
    return kind
