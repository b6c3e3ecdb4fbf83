"""Closing while requests of an event loop are under way, and the order of those that wait for their turn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from alyx_client.errors import ClientClosedError
from alyx_client.http.deadline import Deadline
from alyx_client.http.lifetime import NOT_REPEATED, Closable

__all__ = ["AsyncLifetime"]


class AsyncLifetime(Closable[asyncio.Event]):
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
        raise ClientClosedError(NOT_REPEATED)
