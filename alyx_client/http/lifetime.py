"""Closing while requests are under way: these end normally, and none begins, retries or waits any more."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Final, Generic, TypeVar

from alyx_client.errors import ClientClosedError
from alyx_client.http.deadline import Deadline

__all__ = ["DEFAULT_MAX_REQUESTS", "AsyncLifetime", "Lifetime"]

EventT = TypeVar("EventT", threading.Event, asyncio.Event)

_NOTHING_SENT = "The client is closed, so nothing was sent. Create another one, or open this one again in a with block."
_NOT_REPEATED = "The client was closed, so the request that had failed was not sent again."
DEFAULT_MAX_REQUESTS: Final = 16
"""How many requests of one event loop are under way at a time if nothing else is set."""


class _Closable(Generic[EventT]):
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


class Lifetime(_Closable[threading.Event]):
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
            if depth:
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
            raise ClientClosedError(_NOT_REPEATED)


class AsyncLifetime(_Closable[asyncio.Event]):
    """The requests of a transport that are under way in one event loop, and those that wait for their turn.

    Parameters
    ----------
    max_requests
        How many may be under way at a time. Connection pools take much longer for each of hundreds.
    """

    def __init__(self, max_requests: int) -> None:
        super().__init__(asyncio.Event())
        self._slots = asyncio.Semaphore(max_requests)
        self._waiting = 0
        self._under_way = 0
        self._close_later: list[Callable[[], Awaitable[None]]] = []

    async def aclose(self, close_connections: Callable[[], Awaitable[None]]) -> None:
        """Let no request begin any more; the connections are closed now, or after the last request under way."""
        self._closed.set()
        for _ in range(self._waiting):
            # For each one that waits, which wakes up and sees that it is closed.
            self._slots.release()
        if self._under_way:
            self._close_later.append(close_connections)
        else:
            await close_connections()

    async def begin(self, deadline: Deadline) -> None:
        """Begin a request, in the order of the calls; `end` must follow.

        Parameters
        ----------
        deadline
            The call's deadline. The time until its turn does not count: the server has not been asked.

        Raises
        ------
        ClientClosedError
            It is closed; nothing was sent.
        """
        self.require_open()
        if self._slots.locked():
            self._waiting += 1
            try:
                with deadline.paused():
                    await self._slots.acquire()
            finally:
                self._waiting -= 1
            self.require_open()
        else:
            await self._slots.acquire()
        self._under_way += 1

    async def end(self) -> None:
        """End a request that has begun."""
        self._slots.release()
        self._under_way -= 1
        if not self._under_way:
            closing, self._close_later = self._close_later, []
            for close_connections in closing:
                await close_connections()

    async def sleep(self, seconds: float) -> None:
        """Wait, unless it is closed meanwhile; errors as for `Lifetime.sleep`."""
        try:
            await asyncio.wait_for(self._closed.wait(), seconds)
        except TimeoutError:
            return
        raise ClientClosedError(_NOT_REPEATED)
