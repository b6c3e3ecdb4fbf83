"""Stand-ins for what is different on Windows, as far as it can be had elsewhere.

No system call of Windows is made: the stand-ins follow the documentation of Windows' C library and of Python. The
workflow in ``.github`` runs all tests on Windows itself.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

# Names that are missing on Windows in the modules that this package, or the standard library below it, uses.
MISSING_IN_OS = (
    *("chown", "fchmod", "fchown", "fork", "forkpty", "getegid", "geteuid", "getgid", "getpgid", "getuid", "killpg"),
    *("lchown", "mkfifo", "nice", "openpty", "register_at_fork", "setuid", "wait3", "O_CLOEXEC"),
    *("O_DIRECTORY", "O_NOFOLLOW"),
)
MISSING_MODULES = ("fcntl", "grp", "pty", "pwd", "resource", "termios", "tty")


class Msvcrt(ModuleType):
    """The part of the module `msvcrt` that locks regions of files.

    A region belongs to the handle that locked it, also within one process, and is locked for all other handles.
    """

    LK_UNLCK, LK_NBLCK = 0, 2

    def __init__(self) -> None:
        super().__init__("msvcrt")
        self._lock = threading.Lock()
        self.regions: dict[tuple[int, int, int], int] = {}

    def locking(self, fd: int, mode: int, nbytes: int, /) -> None:
        """Lock or unlock bytes from the position of the file on."""
        status, start = os.fstat(fd), os.lseek(fd, 0, os.SEEK_CUR)
        region = (status.st_dev, status.st_ino, start)
        assert nbytes == 1
        with self._lock:
            if mode == self.LK_UNLCK:
                if self.regions.get(region) != fd:
                    raise PermissionError(errno.EACCES, "Permission denied")
                del self.regions[region]
            elif mode == self.LK_NBLCK:
                if region in self.regions:
                    raise PermissionError(errno.EACCES, "Permission denied")
                self.regions[region] = fd
            else:
                raise AssertionError(f"mode {mode} waits")


class OpenFiles:
    """Files that are open by `os.open`: Windows neither removes nor replaces them."""

    def __init__(self, patch: Callable[[object, str, object], None] = setattr) -> None:
        self.paths: dict[int, str] = {}
        self.refused = 0
        originals = {name: getattr(os, name) for name in ("open", "close", "unlink", "remove", "replace", "rename")}

        def opened(path: Any, *arguments: Any, **options: Any) -> int:
            handle: int = originals["open"](path, *arguments, **options)
            self.paths[handle] = os.path.abspath(os.fsdecode(path))
            return handle

        def close(handle: int) -> None:
            self.paths.pop(handle, None)
            originals["close"](handle)

        def guarded(name: str) -> Callable[..., None]:
            def call(*paths: Any, **options: Any) -> None:
                for path in paths:
                    if os.path.abspath(os.fsdecode(path)) in self.paths.values():
                        self.refused += 1
                        raise PermissionError(errno.EACCES, "Access is denied", str(path))
                originals[name](*paths, **options)

            return call

        patch(os, "open", opened)
        patch(os, "close", close)
        for name in ("unlink", "remove", "replace", "rename"):
            patch(os, name, guarded(name))


class Status:
    """A result of `os.lstat`, with the attribute that there is on Windows alone."""

    st_reparse_tag = 0

    def __init__(self, status: os.stat_result) -> None:
        self._status = status

    def __getattr__(self, name: str) -> Any:
        return getattr(self._status, name)


def pretend() -> OpenFiles:
    """Make this process look like one on Windows to modules that are imported from now on.

    What the standard library and other packages decide at their import is decided before.
    """
    import asyncio
    import concurrent.futures
    import ctypes
    import getpass
    import multiprocessing
    import sqlite3
    import ssl
    import subprocess
    import sysconfig
    import tempfile

    import httpx2
    import platformdirs
    import pydantic
    import tqdm.auto
    import truststore

    for loaded in (asyncio, concurrent.futures, ctypes, getpass, multiprocessing, sqlite3, ssl, subprocess, tempfile):
        assert loaded
    for package in (httpx2, platformdirs, pydantic, tqdm.auto, truststore):
        assert package
    # Python decides some things later, at the first use.
    sysconfig.get_config_vars()
    asyncio.new_event_loop().close()
    assert not [name for name in sys.modules if name.startswith("alyx_client")]
    for name in MISSING_MODULES:
        sys.modules[name] = None  # type: ignore[assignment]
    sys.modules["msvcrt"] = Msvcrt()
    for name in MISSING_IN_OS:
        if hasattr(os, name):
            delattr(os, name)
    files, lstat = OpenFiles(), os.lstat
    os.lstat = lambda *arguments, **options: Status(lstat(*arguments, **options))  # type: ignore[assignment,return-value]
    stat.IO_REPARSE_TAG_MOUNT_POINT = 0xA0000003  # type: ignore[attr-defined,misc]
    sys.platform = "win32"
    return files
