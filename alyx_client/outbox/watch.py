"""Whether the outbox of a server is worth a look after a call; imported by every client, and so without the outbox."""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from alyx_client.storage.file_system import user_folder

__all__ = ["FILE_NAME", "Watch", "folder_of", "watch_of"]

FILE_NAME = "outbox.sqlite"
"""The name of an outbox's file."""
_FOLDER_VARIABLES = ("HOME", "XDG_DATA_HOME", "LOCALAPPDATA", "USERPROFILE")
_PAUSE_SECONDS = 60.0
_TICK_NANOSECONDS = 10**9


def folder_of(base_url: str) -> Path:
    """Return the folder of a server's outbox, which is not that of the cache: that may be deleted."""
    return _folder_of(base_url, *map(os.environ.get, _FOLDER_VARIABLES))


@cache
def _folder_of(base_url: str, *_environment: str | None) -> Path:
    # Every call asks for it, and finding the user's folder takes as long as parsing a small response.
    label = re.sub(r"[^\w.-]+", "_", urlsplit(base_url).netloc)[:60]
    return user_folder("data") / "outbox" / f"{label}-{hashlib.sha256(base_url.encode()).hexdigest()[:8]}"


class Watch:
    """What this process knows of an outbox that it is to send, or to remind its user of.

    Parameters
    ----------
    folder
        The folder of the outbox.

    Attributes
    ----------
    lock
        Held by the thread that looks; the others go on.
    has_reminded
        Whether the user was told what waits.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.Lock()
        self.has_reminded = False
        self._file = os.fspath(folder / FILE_NAME)
        self._settled: tuple[int, ...] | None = None
        self._paused_until = self._unreached_until = float("-inf")

    @property
    def is_paused(self) -> bool:
        """True after a failure to send what waits, for a minute: a rig must not wait for that at each of its calls."""
        return time.monotonic() < self._paused_until

    @property
    def is_away(self) -> bool:
        """True after a write could not be sent, for a minute, or until a call has reached the server."""
        return self.is_paused or time.monotonic() < self._unreached_until

    def is_worth_a_look(self) -> bool:
        """Return whether writes may wait that can be sent; costs one call of the system."""
        signature = self._signature()
        return signature is not None and signature != self._settled and not self.is_paused

    def settle(self, look: Callable[[], bool]) -> bool:
        """Look, and note if nothing is to be done until the file changes; to be called with the lock.

        Parameters
        ----------
        look
            Returns whether something is to be done.
        """
        # Taken before, so that a change meanwhile is noticed.
        signature = self._signature()
        is_due = look()
        # Two changes within one tick of the clock of files leave the same time.
        if not is_due and signature is not None and abs(time.time_ns() - signature[-1]) > _TICK_NANOSECONDS:
            self._settled = signature
        return is_due

    def pause(self) -> None:
        """Note that what waits could not be sent, although the server can be reached."""
        self._paused_until = time.monotonic() + _PAUSE_SECONDS

    def note_away(self) -> None:
        """Note that a write could not be sent."""
        self._unreached_until = time.monotonic() + _PAUSE_SECONDS

    def note_reached(self) -> None:
        """Note that what waits was sent."""
        self._paused_until = self._unreached_until = float("-inf")

    def _signature(self) -> tuple[int, ...] | None:
        try:
            status = os.stat(self._file)
        except OSError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns


def watch_of(base_url: str, user: str | None) -> Watch:
    """Return this process's watch on the writes of a user in the outbox of a server."""
    # A forked process has not the parent's threads, one of which may have held the lock.
    return _watch(os.getpid(), folder_of(base_url), user)


@cache
def _watch(process: int, folder: Path, user: str | None) -> Watch:
    return Watch(folder)
