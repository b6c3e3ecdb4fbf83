"""Connection pools that close with their event loop, where nobody closes them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import weakref
from collections.abc import AsyncGenerator
from typing import Any, Generic, Protocol, TypeVar

__all__ = ["LoopPool"]


class _Pool(Protocol):
    async def aclose(self) -> None: ...


PoolT = TypeVar("PoolT", bound=_Pool)


class LoopPool(Generic[PoolT]):
    """A connection pool of the running event loop.

    Parameters
    ----------
    pool
        The pool, which is new.
    owner
        The object whose pool it is. If it is collected while the event loop runs, the pool is closed.
    """

    def __init__(self, pool: PoolT, owner: object) -> None:
        self.pool = pool
        self._until_loop_ends = _closed_in_the_end(pool)
        loop = asyncio.get_running_loop()
        self._finalizer: weakref.finalize[..., Any] = weakref.finalize(
            owner, _close_in_own_loop, self._until_loop_ends, loop, os.getpid()
        )
        self._finalizer.atexit = False

    async def open(self) -> PoolT:
        """Return the pool, after its event loop knows of it."""
        await anext(self._until_loop_ends)
        return self.pool

    async def aclose(self) -> None:
        """Close the pool."""
        self.forget()
        await self._until_loop_ends.aclose()

    def forget(self) -> None:
        """Release the pool of an event loop that has ended."""
        self._finalizer.detach()


async def _closed_in_the_end(pool: _Pool) -> AsyncGenerator[None]:
    # When an event loop ends, it closes the asynchronous generators that were started in it. Later, no connection of
    # the loop could be closed any more.
    try:
        yield
    finally:
        await pool.aclose()


def _close_in_own_loop(until_loop_ends: AsyncGenerator[None], loop: asyncio.AbstractEventLoop, pid: int) -> None:
    if os.getpid() == pid and not loop.is_closed():  # pragma: no cover - race of threads or processes
        # The owner may be collected in any thread.
        with contextlib.suppress(RuntimeError):  # the loop was closed at this moment
            loop.call_soon_threadsafe(lambda: loop.create_task(until_loop_ends.aclose()))
