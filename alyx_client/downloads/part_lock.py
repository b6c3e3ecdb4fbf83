"""The lock of a partial download: one thread of one process writes it, and the others wait."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import threading
import time
from collections.abc import Generator
from pathlib import Path

from alyx_client.downloads.cancellation import sleep
from alyx_client.downloads.names import companions, own_infix
from alyx_client.http.log import logger
from alyx_client.storage.lock import FileLock, LockResult

_POLL_SECONDS = 0.1


@contextlib.contextmanager
def part_lock(target: Path, stop: threading.Event, patience: float) -> Generator[str | None]:
    """Hold the lock of a file's partial download.

    Others wait as long as the partial download grows. If it does not grow for `patience` seconds, the file system has
    no locks, or another file has the lock's name, the caller must write to a file of its own: the holder may be
    suspended, or hang on a dead connection.

    A partial download that another user left behind, and that this user may not write, is left alone: this user's own
    has another name.

    Parameters
    ----------
    target
        The file's final path.
    stop
        Set to cancel.
    patience
        Seconds to wait without progress.

    Yields
    ------
    str or None
        The infix of the name of the partial download whose lock is held; None if none is.

    Raises
    ------
    OSError
        The lock cannot be created.
    """
    with contextlib.ExitStack() as stack:
        for infix in ("", own_infix()):
            part, *metadata, lock_file = companions(target, infix)
            lock = FileLock(lock_file)
            try:
                result = _acquire(lock, part, stop, patience)
            except PermissionError:
                if infix:
                    raise
                continue
            stack.callback(lock.release)
            if result is not LockResult.ACQUIRED:
                yield None
                return
            if all(_is_usable(path) for path in (part, *metadata)):
                yield infix
                return
            logger.info("%s is another user's and is left alone", part)
        yield None


def _acquire(lock: FileLock, part: Path, stop: threading.Event, patience: float) -> LockResult:
    size_and_time = _size_and_time(lock.path)
    if size_and_time and size_and_time[0]:
        # Locks are empty: this is a file of the user's, which releasing the lock would remove.
        return LockResult.UNSUPPORTED
    previous, deadline = None, time.monotonic() + patience
    # Polled: a blocking lock could neither be cancelled nor given up.
    while (result := lock.acquire()) is LockResult.BUSY:
        sleep(_POLL_SECONDS, stop)
        current = _size_and_time(part)
        if current != previous:
            previous, deadline = current, time.monotonic() + patience
        elif time.monotonic() > deadline:
            logger.info("another process holds %s without progress: the file is fetched separately", part)
            break
    return result


def _is_usable(path: Path) -> bool:
    """Return whether this user may write, rename and remove a file; True if it is missing."""
    try:
        status, folder = os.lstat(path), os.stat(path.parent)
    except OSError:
        return True
    if not os.access(path, os.R_OK | os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        return False
    if sys.platform == "win32" or not folder.st_mode & stat.S_ISVTX:  # pragma: no branch - other operating system
        return True
    # There, only owners may rename and remove.
    return os.geteuid() in {0, status.st_uid, folder.st_uid}


def _size_and_time(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
