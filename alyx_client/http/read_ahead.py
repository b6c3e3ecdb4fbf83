"""Requests that are going to follow one, so that the cache looks their responses up together."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alyx_client.http.message import Request

__all__ = ["ReadAhead"]


class ReadAhead:
    """The requests that follow those of a list's page, and what the cache has found for them.

    It belongs to one reader of the list, whose requests several threads may send.
    """

    def __init__(self) -> None:
        self.following: Callable[[], Sequence[Request]] = tuple
        """Returns the requests that are going to follow, and may include those that are under way."""
        self.is_useful = True
        """False once the cache did not have a page: it is then unlikely to have the others."""
        self.found: dict[bytes, Any] = {}
        """Entries of the cache that were not used yet, by their keys."""
        self._lock = threading.Lock()
        self._pid = os.getpid()

    @property
    def lock(self) -> threading.Lock:
        """The lock under which the cache is asked, so that one thread does it for all."""
        if self._pid != os.getpid():  # pragma: no cover - runs in a child process
            # A thread that does not exist in this fork may have held it.
            self._lock, self._pid = threading.Lock(), os.getpid()
        return self._lock
