"""The file systems that files are on."""

from __future__ import annotations

import os
import re
from pathlib import Path

__all__ = ["file_system_of", "is_network_type", "is_networked"]

_NETWORK_TYPES = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|lustre|gpfs|beegfs\w*|ceph|afs|9p|glusterfs|pvfs2|virtiofs|vboxsf|vmhgfs|prl_fs|fuse\..*"
)


def is_networked(folder: Path) -> bool:
    """Tell whether other computers may use a folder, as far as the operating system tells."""
    path = os.path.realpath(folder)
    if path.startswith("\\\\"):
        return True
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return False
    return is_network_type(file_system_of(path, mounts))


def is_network_type(file_system: str) -> bool:
    """Tell whether a type of file system is shared between computers, or with a virtual machine's host."""
    return _NETWORK_TYPES.fullmatch(file_system) is not None


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
