"""Locks between processes, which the operating system releases when their holder dies."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from alyx_client.storage.locking import SYSTEM_LOCKING, Locking, LockResult

__all__ = ["FileLock", "LockResult", "exclusive_lock"]

_MAX_TRIES = 100


class FileLock:
    """An exclusive lock on a file of its own, between processes and between threads.

    The file is created when the lock is acquired and removed when it is released. A file left behind by a killed
    process locks nothing.

    Parameters
    ----------
    path
        The lock's file.
    locking
        The system calls.
    """

    def __init__(self, path: Path, locking: Locking = SYSTEM_LOCKING) -> None:
        self.path = path
        self._locking = locking
        self._handle: int | None = None

    def acquire(self) -> LockResult:
        """Try to acquire the lock, without waiting.

        Raises
        ------
        OSError
            The file cannot be created.
        """
        while True:
            try:
                handle = _open(self.path, self._locking)
            except PermissionError:
                # Windows refuses to open a file that is being removed.
                if not self._locking.can_remove_open_files and self.path.exists():
                    return LockResult.BUSY
                raise
            result = self._locking.lock(handle)
            if result is LockResult.ACQUIRED and not self._is_current(handle):
                # The former holder removed the file between the opening and the locking here: a third process would
                # lock another file of the same name. Try again with that one.
                self._unlock(handle)
                os.close(handle)
                continue
            if result is LockResult.ACQUIRED:
                self._handle = handle
            else:
                os.close(handle)
            return result

    def release(self) -> None:
        """Release the lock, if it is held, and remove its file."""
        handle, self._handle = self._handle, None
        if handle is None:
            return
        if self._locking.can_remove_open_files:
            # Removed while it is still locked; otherwise another process might lock it in between, in vain.
            self._remove()
        self._unlock(handle)
        os.close(handle)
        if not self._locking.can_remove_open_files:
            self._remove()

    def _unlock(self, handle: int) -> None:
        with contextlib.suppress(OSError):
            self._locking.unlock(handle)

    def _remove(self) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self.path)

    def _is_current(self, handle: int) -> bool:
        """Tell whether the path still names the open file."""
        if not self._locking.can_remove_open_files:
            return True
        try:
            named = os.stat(self.path)
        except FileNotFoundError:  # pragma: no cover - race of threads or processes
            return False
        opened = os.fstat(handle)
        return (named.st_ino, named.st_dev) == (opened.st_ino, opened.st_dev)


@contextmanager
def exclusive_lock(
    file: Path, *, timeout: float = 5.0, poll: float = 0.01, wait: Callable[[float], object] = time.sleep
) -> Generator[LockResult]:
    """Let one process at a time read and rewrite a file, so that no update is lost.

    The block runs in any case: where files cannot be locked, or the lock stays busy, without the lock.

    Parameters
    ----------
    file
        The file to be updated; the lock is a hidden file beside it. A missing folder is created.
    timeout
        Seconds to wait for a busy lock.
    poll
        Seconds between two attempts.
    wait
        Waits for this many seconds between two attempts; may raise an error to stop waiting.

    Yields
    ------
    LockResult
        Whether the lock is held.
    """
    file = file.resolve()
    lock = FileLock(file.with_name(f".{file.name}.lock"))
    deadline = time.monotonic() + timeout
    while (result := _acquire(lock)) is LockResult.BUSY and time.monotonic() < deadline:
        wait(poll)
    try:
        yield result
    finally:
        lock.release()


def _open(path: Path, locking: Locking) -> int:
    # A link would lead to any file, and a pipe would wait for its other end.
    flags = sum(getattr(os, name, 0) for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK"))
    for _ in range(_MAX_TRIES):
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | flags, 0o666)
        except PermissionError:
            if not locking.can_remove_open_files or not os.path.lexists(path):
                raise
        # A file of another user can be locked if it can be read. (Linux also refuses O_CREAT for such a file in a
        # folder with the sticky bit.) Its holder may remove it meanwhile.
        with contextlib.suppress(FileNotFoundError):
            return os.open(path, os.O_RDONLY | flags)
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def _acquire(lock: FileLock) -> LockResult:
    try:
        lock.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return lock.acquire()
    except OSError:
        # There is no lock in a folder that cannot be written; the caller's own writing reports the error.
        return LockResult.UNSUPPORTED
