"""A small file that several processes of one user read and rewrite, one at a time."""

from __future__ import annotations

import os
import stat
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from alyx_client.storage.locking import SYSTEM_LOCKING, Locking, LockResult
from alyx_client.storage.private_folder import NotPrivateError, create_private_folder, require_private_folder

__all__ = ["SharedFile"]

_LARGEST = 2**20
_PATIENCE = 1.0  # seconds
_FIRST_PAUSE, _LONGEST_PAUSE = 0.0002, 0.01


class SharedFile:
    """A file in a private folder, for data that may be lost.

    It is opened for each update, so that nothing of it crosses a fork, and locked by the operating system, which
    releases the lock of a process that dies.

    Parameters
    ----------
    path
        The file; its folder is created with mode 0700.
    locking
        The system calls.
    """

    def __init__(self, path: Path, locking: Locking = SYSTEM_LOCKING) -> None:
        self.path = path
        self._locking = locking
        # Threads wait for each other without polling. Reentrant, so that a signal handler does not wait for ever.
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._is_checked = False

    def update(self, change: Callable[[bytes], bytes | None]) -> None:
        """Replace the content by what a function makes of it, while no other process can.

        Parameters
        ----------
        change
            Receives the present content, empty for a new file; returns None to leave it as it is.

        Raises
        ------
        OSError
            The file cannot be used: the folder is read-only or not private, the file system has no locks, or another
            process, which may be suspended, holds the lock for too long.
        """
        if self._pid != os.getpid():  # pragma: no cover - runs in a child process
            # A thread of the parent may have held the lock.
            self._lock, self._pid = threading.RLock(), os.getpid()
        deadline = time.monotonic() + _PATIENCE
        if not self._lock.acquire(timeout=_PATIENCE):
            raise TimeoutError(f"{self.path} is in use by another thread")
        try:
            handle = self._open()
            try:
                self._lock_file(handle, deadline)
                try:
                    _rewrite(handle, change)
                finally:
                    self._locking.unlock(handle)
            finally:
                os.close(handle)
        finally:
            self._lock.release()

    def _open(self) -> int:
        names = ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_BINARY")
        flags = os.O_RDWR | os.O_CREAT | sum(getattr(os, name, 0) for name in names)
        if not self._is_checked:
            create_private_folder(self.path.parent)
            require_private_folder(self.path.parent)
            self._is_checked = True
        try:
            handle = os.open(self.path, flags, 0o600)
        except FileNotFoundError:  # the folder was removed meanwhile
            create_private_folder(self.path.parent)
            handle = os.open(self.path, flags, 0o600)
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode) or (sys.platform != "win32" and status.st_uid != os.geteuid()):
                raise NotPrivateError(f"{self.path} is not a file of this user")
        except BaseException:
            os.close(handle)
            raise
        return handle

    def _lock_file(self, handle: int, deadline: float) -> None:
        pause = _FIRST_PAUSE
        while (result := self._locking.lock(handle)) is LockResult.BUSY:
            # Not a blocking call: its holder may be suspended, and Ctrl-C would not end it on every system.
            if time.monotonic() >= deadline:
                raise TimeoutError(f"{self.path} is locked by another process")
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        if result is LockResult.UNSUPPORTED:
            raise OSError(f"the file system of {self.path} has no locks")


def _rewrite(handle: int, change: Callable[[bytes], bytes | None]) -> None:
    os.lseek(handle, 0, os.SEEK_SET)
    before = os.read(handle, _LARGEST)
    content = change(before)
    if content is None:
        return
    after = memoryview(content)
    length = len(after)
    os.lseek(handle, 0, os.SEEK_SET)
    while after:
        after = after[os.write(handle, after) :]
    if length < len(before):
        os.ftruncate(handle, length)
