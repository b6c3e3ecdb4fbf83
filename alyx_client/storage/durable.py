"""A SQLite database for data that must not be lost: every transaction is on the disk when it ends."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from alyx_client.storage.file_system import file_identity
from alyx_client.storage.lock import exclusive_lock
from alyx_client.storage.private_folder import require_private_files, require_private_folder
from alyx_client.storage.sqlite_connection import open_database

if TYPE_CHECKING:
    from sqlite3 import Connection

    Change = str | Callable[[Connection], None]

__all__ = ["DamagedContentError", "DurableDamagedError", "DurableDatabase", "DurableUnavailableError", "sync_file"]

_BUSY_SECONDS = 10.0
# SQLITE_CORRUPT and SQLITE_NOTADB. Nothing else says that the content is wrong.
_DAMAGE_CODES = frozenset({11, 26})
_EXTRA = 3
# Files of this size, in bytes, are checked every so many seconds at most if other processes write them.
_LARGE = 2**20
_CHECK_SECONDS = 10.0
# More free pages than these are returned to the file system.
_FREE_PAGES = 1000


class DurableUnavailableError(Exception):
    """The file cannot be read or written; the message says why."""


class DamagedContentError(Exception):
    """What was read is not what was written; raised in a transaction by whoever reads it."""


class DurableDamagedError(Exception):
    """The file was damaged; it has another name now, and its content is as it was.

    Parameters
    ----------
    aside
        The file's present path.
    reason
        What is wrong with it.
    """

    def __init__(self, aside: Path, reason: str) -> None:
        super().__init__(reason)
        self.aside = aside


class _Known(NamedTuple):
    """A file as this process left it, and when it was last checked."""

    signature: tuple[int, ...]
    checked: float


# By path. Reading a whole file at each use would take longer than the disk.
_KNOWN: dict[str, _Known] = {}


class DurableDatabase:
    """A SQLite database in a folder of the user alone, shared by processes.

    Each transaction opens the file and closes it, so that nothing has to be done about forks, threads and files that
    are replaced. A damaged file is renamed and never written again.

    Parameters
    ----------
    file
        The file; its folder is created with mode 0700, the file with mode 0600.
    versions
        What creates the tables, as SQL statements or functions: the first version, and then the changes to each next
        one. A file of an older version is changed as it is opened; one of a later version is refused.

    Attributes
    ----------
    is_verified
        Whether this process has checked the file before, and it has not been changed by others since.
    """

    def __init__(self, file: Path, versions: Sequence[Sequence[Change]]) -> None:
        self.file = file
        self.is_verified = False
        self._versions = versions

    def exists(self) -> bool:
        """Return whether there is a file."""
        return os.path.lexists(self.file)

    def damaged(self) -> list[Path]:
        """Return the damaged files that were set aside."""
        return sorted(self.file.parent.glob(f"{self.file.stem}-damaged-*{self.file.suffix}"))

    @contextlib.contextmanager
    def transaction(self) -> Generator[Connection]:
        """Run statements that take effect together, or, after an error, not at all.

        Raises
        ------
        DurableDamagedError
            The file was damaged, and was set aside.
        DurableUnavailableError
            The file cannot be read or written, or another process uses it for too long.
        """
        import sqlite3

        identity = None
        try:
            _create_folder(self.file.parent)
            require_private_files(self.file.parent, self.file.name)
            with contextlib.closing(open_database(str(self.file), _BUSY_SECONDS)) as connection:
                identity = file_identity(self.file)
                self._prepare(connection, identity)
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                except BaseException:
                    connection.rollback()
                    raise
                connection.execute("COMMIT")
                _release_space(connection)
                self._note()
        except sqlite3.DatabaseError as error:
            # Without a code, Python itself raises it, for text that is not UTF-8.
            code = getattr(error, "sqlite_errorcode", None)
            if code is None or code & 0xFF in _DAMAGE_CODES:
                raise DurableDamagedError(self._set_aside(identity), str(error)) from error
            raise DurableUnavailableError(f"{self.file}: {error}") from error
        except DamagedContentError as error:
            raise DurableDamagedError(self._set_aside(identity), str(error)) from error
        except OSError as error:
            raise DurableUnavailableError(f"{self.file}: {error.strerror or error}") from error

    def _prepare(self, connection: Connection, identity: tuple[int, int] | None) -> None:
        # A rollback journal, which works on network file systems, too. EXTRA also syncs the folder once the journal is
        # removed: without it, a power cut could bring back the journal, which would undo the transaction.
        for setting in ("trusted_schema=OFF", "journal_mode=DELETE", "synchronous=EXTRA", "fullfsync=ON"):
            connection.execute(f"PRAGMA {setting}").fetchall()
        if _value(connection, "PRAGMA synchronous") != _EXTRA:
            raise DurableUnavailableError(f"{self.file}: this SQLite cannot wait for the disk")
        self.is_verified = self._is_known()
        if not self.is_verified:
            report = _value(connection, "PRAGMA quick_check(1)")
            if report != "ok":
                raise DurableDamagedError(self._set_aside(identity), str(report))
            self._note(checked=True)
        version, latest = _value(connection, "PRAGMA user_version"), len(self._versions)
        if version == 0:
            # Only before the first table is created.
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL").fetchall()
        if isinstance(version, int) and version < latest:
            self._upgrade(connection)
            version = _value(connection, "PRAGMA user_version")
        if version != latest:
            raise DurableUnavailableError(f"{self.file} is of version {version}; use the release that wrote it")

    def _upgrade(self, connection: Connection) -> None:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            # Another process may have done so while this one waited for the lock.
            version = _value(connection, "PRAGMA user_version")
            for change in [change for changes in self._versions[cast("int", version) :] for change in changes]:
                if isinstance(change, str):
                    connection.execute(change)
                else:
                    change(connection)
            if cast("int", version) < len(self._versions):
                connection.execute(f"PRAGMA user_version={len(self._versions)}")

    def _is_known(self) -> bool:
        known, present = _KNOWN.get(os.fspath(self.file)), _signature(self.file)
        if known is None or present is None or known.signature[:2] != present[:2]:
            return False
        is_recent = time.monotonic() - known.checked < _CHECK_SECONDS
        return known.signature == present or (is_recent and present[2] > _LARGE)

    def _note(self, *, checked: bool = False) -> None:
        path, signature = os.fspath(self.file), _signature(self.file)
        known = _KNOWN.get(path)
        if signature is not None and (checked or known is not None):
            moment = time.monotonic() if checked or known is None else known.checked
            _KNOWN[path] = _Known(signature, moment)

    def _set_aside(self, identity: tuple[int, int] | None) -> Path:
        with exclusive_lock(self.file):
            # Another process may have done so, and a new file may be in place.
            if identity is None or file_identity(self.file) != identity:
                return self.damaged()[-1] if self.damaged() else self.file
            stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
            number = 0
            while os.path.lexists(aside := self._aside(stamp, number)):
                number += 1
            # The journal first: without it, the database could be repaired no more.
            journal = Path(f"{self.file}-journal")
            with contextlib.suppress(FileNotFoundError):
                os.rename(journal, f"{aside}-journal")
            os.rename(self.file, aside)
            _sync_folder(self.file.parent)
            return aside

    def _aside(self, stamp: str, number: int) -> Path:
        return self.file.with_name(f"{self.file.stem}-damaged-{stamp}-{number}{self.file.suffix}")


def sync_file(path: Path) -> None:
    """Wait until a file of somebody else is on the disk, as far as that is possible."""
    # Windows only syncs files that are open for writing; a file that is missing, its reader reports.
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _create_folder(folder: Path) -> None:
    missing: list[Path] = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o700)
        # Otherwise a power cut could take the folder away, and all that is in it.
        _sync_folder(path.parent)
    require_private_folder(missing[0] if missing else folder)


def _sync_folder(folder: Path) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows does not open folders, and needs no sync of them
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def _release_space(connection: Connection) -> None:
    import sqlite3

    # Another process may be faster, and what was to be stored is.
    with contextlib.suppress(sqlite3.OperationalError):
        if cast("int", _value(connection, "PRAGMA freelist_count")) > _FREE_PAGES:
            # It frees one page in each step, of which `execute` makes only one.
            connection.executescript("PRAGMA incremental_vacuum")


def _signature(path: Path) -> tuple[int, ...] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _value(connection: Connection, statement: str) -> object:
    return connection.execute(statement).fetchall()[0][0]
