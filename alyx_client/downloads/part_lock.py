"""The lock of a partial download: one thread of one process writes it, and the others wait."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Generator
from pathlib import Path

from alyx_client.downloads.cancellation import sleep
from alyx_client.downloads.names import part_name
from alyx_client.http.log import logger
from alyx_client.storage.lock import FileLock, LockResult

_POLL_SECONDS = 0.1


@contextlib.contextmanager
def part_lock(target: Path, stop: threading.Event, patience: float) -> Generator[bool]:
    """Hold the lock of a file's partial download.

    Others wait as long as the partial download grows. If it does not grow for `patience` seconds, the file system has
    no locks, or another file has the lock's name, the caller must write to a file of its own: the holder may be
    suspended, or hang on a dead connection.

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
    bool
        Whether the lock is held.
    """
    part = target.with_name(part_name(target.name))
    lock = FileLock(part.with_name(f"{part.name}.lock"))
    size_and_time = _size_and_time(lock.path)
    if size_and_time and size_and_time[0]:
        # Locks are empty: this is a file of the user's, which releasing the lock would remove.
        yield False
        return
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
    try:
        yield result is LockResult.ACQUIRED
    finally:
        lock.release()


def _size_and_time(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
