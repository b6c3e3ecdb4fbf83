"""Folders that one user alone reads and writes, perhaps below a folder that several users share."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from pathlib import Path

__all__ = ["NotPrivateError", "create_private_folder", "require_private_files", "require_private_folder"]

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class NotPrivateError(OSError):
    """Another user may have written a file or a folder, or chosen where it is; the message names it."""


def create_private_folder(folder: Path) -> None:
    """Create a folder that only its owner can use (mode 0700), unless it exists; parents get the default mode.

    Raises
    ------
    OSError
        It cannot be created.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def require_private_folder(folder: Path) -> bool:
    """Check that a folder is the user's own; returns False if there is none.

    One that its owner opened to others is closed again, if others cannot have written to it.

    Raises
    ------
    NotPrivateError
        It is a link or belongs to another user, others can write it, or it is not a folder.
    OSError
        Its metadata cannot be read.
    """
    try:
        status = os.lstat(folder)
    except (FileNotFoundError, NotADirectoryError):
        return False
    _require_own(os.fspath(folder), status, stat.S_ISDIR(status.st_mode), "a folder")
    if sys.platform != "win32" and status.st_mode & _OTHERS:
        # On file systems without permissions this changes nothing.
        with contextlib.suppress(OSError):
            os.chmod(folder, stat.S_IMODE(status.st_mode) & ~_OTHERS)
    return True


def require_private_files(folder: Path, prefix: str) -> None:
    """Check that the files of a folder are the user's own.

    Parameters
    ----------
    folder
        The folder.
    prefix
        The beginning of the names of the files.

    Raises
    ------
    NotPrivateError
        One of them is a link or belongs to another user, others can write it, or it is not a regular file.
    """
    with os.scandir(folder) as entries:
        paths = [entry.path for entry in entries if entry.name.startswith(prefix)]
    for path in paths:
        # Another process may remove a file at any time.
        with contextlib.suppress(FileNotFoundError):
            status = os.lstat(path)
            _require_own(path, status, stat.S_ISREG(status.st_mode), "a regular file")
            # Another name of the same file, which may be any database of this user.
            if status.st_nlink > 1:
                raise NotPrivateError(f"{path} is a hard link to another file")


def _require_own(path: str, status: os.stat_result, is_expected: bool, kind: str) -> None:
    if stat.S_ISLNK(status.st_mode) or _is_junction(status):
        raise NotPrivateError(f"{path} is a link")
    if not is_expected:
        raise NotPrivateError(f"{path} is not {kind}")
    # On Windows, permissions are not in the mode, and owners are not numbers.
    if sys.platform == "win32":  # pragma: no cover - other operating system
        return
    if status.st_uid != os.geteuid():
        raise NotPrivateError(f"{path} belongs to another user")
    if status.st_mode & _WRITABLE_BY_OTHERS:
        raise NotPrivateError(f"other users can write {path} (mode {stat.S_IMODE(status.st_mode):04o})")


def _is_junction(status: os.stat_result) -> bool:
    return sys.platform == "win32" and status.st_reparse_tag == stat.IO_REPARSE_TAG_MOUNT_POINT
