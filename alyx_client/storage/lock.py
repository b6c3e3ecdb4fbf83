"""A lock between processes, which the operating system gives up by itself when its holder dies."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from enum import Enum, auto
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_HELD = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK, 36})


class Taken(Enum):
    """What came of an attempt to take a lock."""

    YES = auto()
    NO = auto()
    UNSUPPORTED = auto()


class FileLock:
    """An exclusive lock on a file of its own, between processes and between threads.

    The file is made where needed and removed at the end; what is left of it by a killed process locks nothing.

    Parameters
    ----------
    path
        The lock's file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def take(self) -> Taken:
        """Try to take the lock, without waiting.

        Raises
        ------
        OSError
            The file cannot be made.
        """
        while True:
            try:
                handle = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
            except PermissionError:
                # Windows refuses to open a file that is just being removed.
                if sys.platform == "win32" and self.path.exists():
                    return Taken.NO
                raise
            taken = _lock(handle)
            if taken is Taken.YES and not self._is_still_there(handle):
                # The one before removed the file after this one had opened it.
                _unlock(handle)
                os.close(handle)
                continue
            if taken is Taken.YES:
                self._handle = handle
            else:
                os.close(handle)
            return taken

    def give(self) -> None:
        """Give the lock up and remove its file."""
        handle, self._handle = self._handle, None
        if handle is None:
            return
        if sys.platform != "win32":
            # While it is still locked, so that nobody takes a lock on a file that is gone.
            with contextlib.suppress(OSError):
                os.unlink(self.path)
        _unlock(handle)
        os.close(handle)
        if sys.platform == "win32":
            # Windows removes no file that another has open: the last one does it.
            with contextlib.suppress(OSError):
                os.unlink(self.path)

    def _is_still_there(self, handle: int) -> bool:
        if sys.platform == "win32":
            return True
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            return False
        mine = os.fstat(handle)
        return (there.st_ino, there.st_dev) == (mine.st_ino, mine.st_dev)


def _lock(handle: int) -> Taken:
    try:
        if sys.platform == "win32":
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return Taken.NO if error.errno in _HELD else Taken.UNSUPPORTED
    return Taken.YES


def _unlock(handle: int) -> None:
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            os.lseek(handle, 0, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)
        else:
            # Explicitly: a forked child may still have the file open.
            fcntl.flock(handle, fcntl.LOCK_UN)
