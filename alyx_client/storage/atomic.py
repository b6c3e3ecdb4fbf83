"""Small private files that are replaced as a whole."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from alyx_client.storage.lock import FileLock, Taken

_TRIES = 10
_PATIENCE = 5.0  # seconds


def write_private(file: Path, text: str) -> None:
    """Write a file that its owner alone can read (mode 0600); other processes see the old or the new one, whole.

    Parameters
    ----------
    file
        Where to; a symbolic link stays one. Its folder is made if there is none.
    text
        The content, written as UTF-8 with the line ends that it has.

    Raises
    ------
    OSError
        It cannot be written; the old file is as it was.
    """
    import tempfile  # slow to import, and seldom needed

    file = file.resolve()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkstemp makes the file readable by its owner alone.
    handle, unfinished = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode())
        _replace(unfinished, file)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(unfinished)
        raise


def _replace(source: str, target: Path) -> None:
    """Rename; Windows refuses that for the moment in which another process reads the target."""
    for _ in range(_TRIES if sys.platform == "win32" else 1):
        try:
            return os.replace(source, target)
        except PermissionError:
            if sys.platform != "win32":
                raise
            time.sleep(0.02)
    return os.replace(source, target)


@contextmanager
def alone(file: Path) -> Generator[None]:
    """Let one process after the other read a file and write it anew, so that no change is lost.

    Where files cannot be locked, or the lock is not given up in time, it goes on without.

    Parameters
    ----------
    file
        The file that is to be changed.
    """
    file = file.resolve()
    lock = FileLock(file.with_name(f".{file.name}.lock"))
    with contextlib.suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        deadline = time.monotonic() + _PATIENCE
        while lock.take() is Taken.NO and time.monotonic() < deadline:
            time.sleep(0.01)
    try:
        yield
    finally:
        lock.give()
