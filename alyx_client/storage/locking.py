"""The system calls that lock files, and what else about open files differs between systems."""

from __future__ import annotations

import errno
import os
import sys
from enum import Enum, auto
from typing import Protocol

__all__ = ["SYSTEM_LOCKING", "LockResult", "Locking", "PosixLocking", "WindowsLocking"]

# Errors of a lock that another process holds; 36 is EDEADLOCK of Windows' C library.
_BUSY_ERRORS = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK, 36})


class LockResult(Enum):
    """The outcome of an attempt to acquire a lock."""

    ACQUIRED = auto()
    BUSY = auto()
    UNSUPPORTED = auto()
    """The file system has no locks, as some network file systems."""


class Locking(Protocol):
    """Locks on open files."""

    can_remove_open_files: bool

    def lock(self, handle: int) -> LockResult:
        """Try to lock an open file, without waiting."""
        ...

    def unlock(self, handle: int) -> None:
        """Unlock an open file; raises OSError if that fails."""
        ...


class FlockCalls(Protocol):
    """The part of the module `fcntl` that is used."""

    @property
    def LOCK_EX(self) -> int: ...  # noqa: N802
    @property
    def LOCK_NB(self) -> int: ...  # noqa: N802
    @property
    def LOCK_UN(self) -> int: ...  # noqa: N802
    def flock(self, fd: int, operation: int, /) -> None: ...


class RegionCalls(Protocol):
    """The part of the module `msvcrt` that is used."""

    @property
    def LK_NBLCK(self) -> int: ...  # noqa: N802
    @property
    def LK_UNLCK(self) -> int: ...  # noqa: N802
    def locking(self, fd: int, mode: int, nbytes: int, /) -> None: ...


class PosixLocking:
    """Locks of whole files, by ``flock``.

    Parameters
    ----------
    calls
        The module `fcntl`.
    """

    can_remove_open_files = True

    def __init__(self, calls: FlockCalls) -> None:
        self._calls = calls

    def lock(self, handle: int) -> LockResult:
        """Try to lock an open file, without waiting."""
        try:
            self._calls.flock(handle, self._calls.LOCK_EX | self._calls.LOCK_NB)
        except OSError as error:
            return _refusal(error)
        return LockResult.ACQUIRED

    def unlock(self, handle: int) -> None:
        """Unlock an open file."""
        # Closing is not enough: a forked child may still have the file open.
        self._calls.flock(handle, self._calls.LOCK_UN)


class WindowsLocking:
    """Locks of the first byte of a file, by the C library of Windows.

    Parameters
    ----------
    calls
        The module `msvcrt`.
    """

    # The last one to close it removes it.
    can_remove_open_files = False

    def __init__(self, calls: RegionCalls) -> None:
        self._calls = calls

    def lock(self, handle: int) -> LockResult:
        """Try to lock an open file, without waiting."""
        try:
            self._first_byte(handle, self._calls.LK_NBLCK)
        except OSError as error:
            return _refusal(error)
        return LockResult.ACQUIRED

    def unlock(self, handle: int) -> None:
        """Unlock an open file."""
        self._first_byte(handle, self._calls.LK_UNLCK)

    def _first_byte(self, handle: int, mode: int) -> None:
        # The region begins at the position in the file.
        os.lseek(handle, 0, os.SEEK_SET)
        self._calls.locking(handle, mode, 1)


def _refusal(error: OSError) -> LockResult:
    return LockResult.BUSY if error.errno in _BUSY_ERRORS else LockResult.UNSUPPORTED


def _of_this_system() -> Locking:
    if sys.platform == "win32":  # pragma: no cover - other operating system
        import msvcrt

        return WindowsLocking(msvcrt)
    import fcntl

    return PosixLocking(fcntl)


SYSTEM_LOCKING = _of_this_system()
