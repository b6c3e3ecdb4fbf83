"""Refusal of names that something else than a regular file has: a pipe, a socket, a device, a link."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from alyx_client.downloads.names import companions, own_infix
from alyx_client.errors import NotARegularFileError

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a folder",
}


def require_regular_files(target: Path) -> None:
    """Raise an error unless a file, its partial download and what belongs to that are regular files or missing.

    Opening a pipe would wait for its other end, a device would be written to, and a link would lead to a file that
    nobody named. Only the target may be a link to a regular file, which is replaced, not followed.

    Parameters
    ----------
    target
        The file's final path.

    Raises
    ------
    IsADirectoryError
        There is a folder of this name.
    NotARegularFileError
        There is something else of this name, or of the name of the partial download.
    """
    kind = _kind(target, follow_links=True)
    if kind == stat.S_IFDIR:
        raise IsADirectoryError(f"{target} is a folder, so that no file can have this name.")
    _refuse(target, kind)
    for path in (*companions(target), *companions(target, own_infix())):
        _refuse(path, _kind(path, follow_links=False))


def _refuse(path: Path, kind: int) -> None:
    if kind != stat.S_IFREG:
        raise NotARegularFileError(
            f"{path} is {_KINDS.get(kind, 'no regular file')}: nothing was fetched or written. Remove it, or choose "
            "another target_dir."
        )


def _kind(path: Path, *, follow_links: bool) -> int:
    try:
        return stat.S_IFMT(os.stat(path, follow_symlinks=follow_links).st_mode)
    except OSError:
        # Missing, or out of reach: writing it reports the error.
        return stat.S_IFREG
