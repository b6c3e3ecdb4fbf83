"""Atomic replacement of files: other processes see the old content or the new, never a part."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import sys
import time
from pathlib import Path

__all__ = ["boot_id", "replace_file", "sync_file", "write_atomic", "write_private"]

# fsync on a file system that has no such thing.
_SYNC_UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP})

_WINDOWS_TRIES = 20
_WINDOWS_PAUSE = 0.05  # seconds


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read (mode 0600), atomically.

    Parameters
    ----------
    file
        The file. A symbolic link is followed, not replaced; a missing folder is created, readable by its owner only.
    text
        The content, written as UTF-8 with its line endings unchanged.

    Raises
    ------
    OSError
        The file cannot be written; the old content is unchanged.
    """
    file = file.resolve()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(file, text.encode(), mode=0o600, sync=True)


def write_atomic(file: Path, content: bytes) -> None:
    """Write a file with the permissions of the one it replaces, or the default ones, atomically.

    Parameters
    ----------
    file
        The file. A symbolic link is followed, not replaced; a missing folder is created.
    content
        The content.

    Raises
    ------
    OSError
        The file cannot be written; the old content is unchanged.
    """
    file = file.resolve()
    file.parent.mkdir(parents=True, exist_ok=True)
    _write(file, content, mode=file.stat().st_mode if file.exists() else 0o666 & ~_umask())


def replace_file(source: Path, target: Path) -> None:
    """Rename a file onto another, atomically.

    Parameters
    ----------
    source
        The new file, in a folder of the same file system.
    target
        The file to replace.

    Raises
    ------
    OSError
        The file cannot be replaced.
    """
    # Windows refuses to replace a file while another process has it open, if only to read it.
    for _ in range(_WINDOWS_TRIES if sys.platform == "win32" else 0):
        try:
            return os.replace(source, target)
        except PermissionError:
            time.sleep(_WINDOWS_PAUSE)
    return os.replace(source, target)


def sync_file(path: Path) -> None:
    """Wait until a file's content is on the disk, where it survives a power cut.

    A rename may reach the disk before the content of the renamed file does: then a power cut leaves the name of a
    complete file on one that is empty or has holes.

    Raises
    ------
    OSError
        The content cannot be written.
    """
    # Windows flushes only handles that are open for writing.
    handle = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _SYNC_UNSUPPORTED:
            raise
    finally:
        os.close(handle)


@functools.cache
def boot_id() -> str:
    """Return a text that is another one after each start of the computer."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):  # pragma: no cover - other operating system
        # The time of the start, by a clock that may be adjusted a little: if it was, it passes for another start.
        return str(round(time.time() - time.monotonic(), -1))


def _write(file: Path, content: bytes, *, mode: int, sync: bool = False) -> None:
    import tempfile  # slow to import, and seldom needed

    # In the same folder, since a rename is atomic within one file system only. mkstemp creates files with mode 0600,
    # so that a secret is at no time readable by others.
    try:
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    except OSError as error:
        raise _about(file, error) from None
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        if sync:
            sync_file(unfinished)
        # Some file systems have no permissions to set.
        with contextlib.suppress(OSError):
            os.chmod(unfinished, mode)
        replace_file(unfinished, file)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(unfinished)
        if isinstance(error, OSError) and error.errno:
            raise _about(file, error) from None
        raise


def _about(file: Path, error: OSError) -> OSError:
    """Return the error of a file, which names the temporary one beside it, or none if the disk is full."""
    return type(error)(error.errno, error.strerror, str(file))


def _umask() -> int:
    # It can only be read by setting it.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
