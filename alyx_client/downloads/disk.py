"""Writes to the disk: complete ones, and errors for a full or protected disk that say what to do."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
from collections.abc import Callable, Generator
from io import FileIO
from pathlib import Path

from alyx_client.errors import AlyxError, DiskFullError, FileAccessError
from alyx_client.http.log import readable_size

# ENOSPC: the disk is full; EFBIG: a limit of the process (ulimit -f) or of the file system (4 GiB on FAT) is reached;
# EDQUOT: the user's quota is exceeded, which does not exist on Windows.
_FULL_DISK_ERRORS = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_ACCESS_ERRORS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@contextlib.contextmanager
def disk_errors(target: Path, missing: Callable[[], int | None] = lambda: None) -> Generator[None]:
    """Raise DiskFullError where there is no space left, and FileAccessError where the user may not write.

    Parameters
    ----------
    target
        The file that is being written.
    missing
        Returns the number of bytes still to be written; None if that is unknown.
    """
    try:
        yield
    except OSError as error:
        # Several errors of this package derive from OSError, also those of servers that refuse a login.
        if isinstance(error, AlyxError):
            raise
        if error.errno in _FULL_DISK_ERRORS:
            raise disk_full(target, missing(), None) from error
        if error.errno in _ACCESS_ERRORS:
            raise _access_error(target, error) from error
        raise


def require_space(target: Path, needed: int) -> None:
    """Raise an error if the disk has too little space, before anything is fetched for nothing.

    Parameters
    ----------
    target
        The file, in a folder that exists.
    needed
        Number of bytes.

    Raises
    ------
    DiskFullError
        There is too little space.
    """
    free = shutil.disk_usage(target.parent).free
    if needed > free:
        raise disk_full(target, needed, free)


def disk_full(target: Path, needed: int | None, free: int | None) -> DiskFullError:
    """Return the error for a full disk.

    Parameters
    ----------
    target
        The file that does not fit.
    needed, free
        Number of bytes that are missing and that are free; None if that is unknown.
    """
    needed_text = "" if needed is None else f": it needs {readable_size(needed)} more"
    free_text = "" if free is None else f", and {readable_size(free)} are free"
    error = DiskFullError(
        f"There is too little space in {target.parent} for {target.name}{needed_text}{free_text}. Free some space, or "
        "choose another target_dir, and start the download again: it resumes from the bytes received so far."
    )
    error.errno = errno.ENOSPC
    error.filename = str(target)
    return error


def _access_error(target: Path, cause: OSError) -> FileAccessError:
    path = Path(os.fsdecode(cause.filename)) if isinstance(cause.filename, str | bytes) else target
    owner = ""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            owner = "" if os.lstat(path).st_uid == os.geteuid() else ", which belongs to another user"
    error = FileAccessError(
        f"{target} cannot be downloaded: {cause.strerror} for {path}{owner}. Have its owner remove it or make it "
        "writable for you, or choose another target_dir."
    )
    error.errno, error.strerror, error.filename = cause.errno, cause.strerror, str(path)
    return error


def write_all(file: FileIO, content: bytes | memoryview) -> None:
    """Write all bytes to an unbuffered file.

    On a disk that is nearly full, write() takes some of the bytes and reports success; only the next one fails.
    """
    written = file.write(content)
    while written < len(content):
        content = memoryview(content)[written:]
        written = file.write(content)
