"""Closing while requests are under way: these end normally, and none begins, retries or waits any more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from alyx_client.errors import ClientClosedError

if TYPE_CHECKING:
    import asyncio

__all__ = ["DEFAULT_MAX_REQUESTS", "NOT_REPEATED", "Closable", "Lifetime"]

EventT = TypeVar("EventT", threading.Event, "asyncio.Event")

_NOTHING_SENT = "The client is closed, so nothing was sent. Create another one, or open this one again in a with block."
NOT_REPEATED = "The client was closed, so the request that had failed was not sent again."
DEFAULT_MAX_REQUESTS: Final = 25
"""How many requests of one event loop, or of one call for many records, are under way at a time by default."""


class Closable(Generic[EventT]):
    """The state of a transport, open or closed; the event is set while it is closed."""

    def __init__(self, closed: EventT) -> None:
        self._closed: EventT = closed

    @property
    def is_closed(self) -> bool:
        """True while no request may begin."""
        return self._closed.is_set()

    def open(self) -> None:
        """Let requests begin again."""
        self._closed.clear()

    def require_open(self) -> None:
        """Check that requests may begin.

        Raises
        ------
        ClientClosedError
            It is closed.
        """
        if self._closed.is_set():
            raise ClientClosedError(_NOTHING_SENT)


class Lifetime(Closable[threading.Event]):
    """The requests of a transport that are under way, in any thread.

    A signal handler may send a request while it interrupts another one of the same thread, at any point of it.
    """

    def __init__(self) -> None:
        super().__init__(threading.Event())
        # Reentrant, as are all locks that are held where a signal handler may come in between.
        self._lock = threading.RLock()
        self._threads: dict[int, int] = {}
        self._close_later: list[Callable[[], None]] = []

    def close(self, close_connections: Callable[[], None]) -> None:
        """Let no request begin any more; the connections are closed now, or after the last request under way."""
        with self._lock:
            self._closed.set()
            if self._threads:
                self._close_later.append(close_connections)
                return
        close_connections()

    @contextmanager
    def request(self) -> Generator[bool]:
        """Enclose one request; the value tells whether it interrupts another one of this thread.

        Raises
        ------
        ClientClosedError
            It is closed; nothing was sent.
        """
        thread = threading.get_ident()
        with self._lock:
            self.require_open()
            depth = self._threads.get(thread, 0)
            self._threads[thread] = depth + 1
        try:
            yield depth > 0
        finally:
            self._end(thread, depth)

    def _end(self, thread: int, depth: int) -> None:
        with self._lock:
            if depth:  # pragma: no cover - runs in a child process
                self._threads[thread] = depth
                return
            del self._threads[thread]
            closing: list[Callable[[], None]] = []
            if not self._threads:
                closing, self._close_later = self._close_later, []
        for close_connections in closing:
            close_connections()

    def sleep(self, seconds: float) -> None:
        """Wait, unless it is closed meanwhile.

        Raises
        ------
        ClientClosedError
            It was closed; the request is not repeated.
        """
        if self._closed.wait(seconds):
            raise ClientClosedError(NOT_REPEATED)
