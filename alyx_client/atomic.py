"""Small private files that are replaced as a whole."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

_TRIES = 10


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
