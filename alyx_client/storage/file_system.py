"""The file systems that files are on."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from pathlib import Path
from typing import Literal

__all__ = [
    "file_identity",
    "file_system_of",
    "foreign_access",
    "home_folder",
    "is_network_type",
    "is_networked",
    "read_regular_file",
    "user_folder",
    "user_label",
]

_LARGEST = 2**24
_NO_HOME = Path(os.path.abspath(os.devnull))
_NETWORK_TYPES = (
    r"nfs\d?|cifs|smb\d?|smbfs|lustre|gpfs|beegfs\w*|ceph|afs|9p|glusterfs|pvfs2|virtiofs|vboxsf|vmhgfs|prl_fs|fuse\..*"
)


def read_regular_file(path: Path) -> bytes:
    """Read a file of settings or metadata.

    Raises
    ------
    OSError
        It cannot be read, is larger than such files are, or is not a regular file: a FIFO would wait for a writer,
        perhaps for ever.
    """
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    content = bytearray()
    with open(path, "rb", buffering=0, opener=_open_without_waiting) as file:
        while piece := file.read(2**20):
            content += piece
            if len(content) > _LARGEST:
                raise OSError(errno.EFBIG, f"it has more than {_LARGEST:,} bytes", str(path))
    return bytes(content)


def _open_without_waiting(path: str, flags: int) -> int:
    # Some regular files of the system, below /proc, wait for what they will hold.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def file_identity(path: str | Path) -> tuple[int, int] | None:
    """Return the device and inode of a file, which another file of the same name does not share; None if missing."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def foreign_access(path: Path) -> str | None:
    """Describe how other users may have written a file; None if they cannot, or the system does not tell.

    Raises
    ------
    OSError
        The file does not exist, or its metadata cannot be read.
    """
    status = os.stat(path)
    # On Windows, permissions are not in the mode, and owners are not numbers.
    if sys.platform == "win32":  # pragma: no cover - other operating system
        return None
    if status.st_uid != os.geteuid():
        return "it belongs to another user"
    mode = stat.S_IMODE(status.st_mode)
    return f"other users can write it (mode {mode:04o})" if mode & (stat.S_IWGRP | stat.S_IWOTH) else None


def home_folder() -> Path:
    """Return the user's home folder.

    Without one (an empty ``HOME``, or none and no entry in the list of users), it is a path below which there is
    nothing and nothing can be created, so that what needs no home works, and the rest fails as on a read-only disk.
    """
    # An empty HOME would mean the root of the file system.
    if sys.platform != "win32" and not os.environ.get("HOME", "unset"):
        return _NO_HOME
    try:
        home = Path.home()
    except RuntimeError:
        return _NO_HOME
    return home if home.is_absolute() else _NO_HOME


def user_folder(kind: Literal["cache", "config", "data"]) -> Path:
    """Return the user's folder for the cache, settings or data of this package, as the operating system names it."""
    import platformdirs

    # Without a home, platformdirs raises RuntimeError, or returns a folder below the root of the file system.
    if not os.environ.get(f"XDG_{kind.upper()}_HOME", "").strip() and home_folder() == _NO_HOME:
        return _NO_HOME / "alyx-client" / kind
    match kind:
        case "cache":
            return platformdirs.user_cache_path("alyx-client")
        case "config":
            return platformdirs.user_config_path("alyx-client")
        case "data":  # pragma: no branch - every case is named
            return platformdirs.user_data_path("alyx-client")


def user_label() -> str:
    """Return a text for names of files that is another one for each user of the computer.

    It is a number, where the system has one: users have it in containers, too, where the list of users lacks them.
    """
    if sys.platform != "win32":
        return str(os.geteuid())
    try:
        name = os.getlogin()
    except OSError:
        name = os.environ.get("USERNAME", "")
    return re.sub(r"[^\w.-]+", "_", name.casefold())[:60] or "user"


def is_networked(folder: Path) -> bool:
    """Tell whether other computers may use a folder, as far as the operating system tells."""
    path = os.path.realpath(folder)
    if path.startswith("\\\\"):  # pragma: no cover - other operating system
        return True
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:  # pragma: no cover - other operating system
        return False
    return is_network_type(file_system_of(path, mounts))


def is_network_type(file_system: str) -> bool:
    """Tell whether a type of file system is shared between computers, or with a virtual machine's host."""
    return re.fullmatch(_NETWORK_TYPES, file_system) is not None


def file_system_of(path: str, mounts: str) -> str:
    """Return the type of the file system that a path is on.

    Parameters
    ----------
    path
        An absolute path, without symbolic links.
    mounts
        The text of ``/proc/self/mountinfo``.
    """
    longest, file_system = "", ""
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        fields = left.split(" ")
        if len(fields) < 5 or not right:
            continue
        # Blanks and the like are written as octal codes.
        mount_point = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[4])
        contains = path == mount_point or path.startswith(mount_point.rstrip("/") + "/")
        # Of two mounts at one point the later hides the earlier.
        if contains and len(mount_point) >= len(longest):
            longest, file_system = mount_point, right.split(" ")[0]
    return file_system
