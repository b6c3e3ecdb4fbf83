"""Pausing Python's garbage collector while responses are parsed."""

from __future__ import annotations

import gc
import threading
from typing import Final

from alyx_client.storage import fork

__all__ = ["COLLECTOR_PAUSE", "CollectorPause"]


class CollectorPause:
    """A pause of the garbage collector, which would scan thousands of new rows repeatedly and free none.

    Threads may pause it at the same time. It is enabled after the last one if it was enabled before the first, and
    in a fork, where the threads that paused it do not exist.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._pauses = 0
        self._was_enabled = False
        fork.register(self)

    def __enter__(self) -> None:
        with self._lock:
            if not self._pauses:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._pauses += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._end(self._pauses - 1)

    def _end(self, pauses: int) -> None:
        """Take note of how many pauses remain."""
        if self._pauses and not pauses and self._was_enabled:
            gc.enable()
        self._pauses = pauses

    def before_fork(self) -> None:
        """Wait until no other thread begins or ends a pause."""
        self._lock.acquire()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """End the pauses of the threads that do not exist here."""
        self._end(0)
        self._lock.release()


COLLECTOR_PAUSE: Final = CollectorPause()
