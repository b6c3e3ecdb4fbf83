"""The outbox of the asynchronous client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, ParamSpec, Protocol, TypeVar
from uuid import UUID

from alyx_client.auth.state import AuthState
from alyx_client.errors import AlyxError
from alyx_client.http.flow import Flow, thread_to_its_end, to_thread
from alyx_client.http.log import logger
from alyx_client.outbox.attempt import Context
from alyx_client.outbox.base import OutboxBase, left_to_wait
from alyx_client.outbox.decisions import Write, token_of
from alyx_client.outbox.entries import Entry, Receipt, SendReport
from alyx_client.runtime.checked_calls import with_checked_calls
from alyx_client.runtime.records import Record

__all__ = ["AsyncOutbox"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class Deliver(Protocol):
    """Runs a flow whose requests are sent once, past the cache."""

    async def __call__(self, flow: Flow[T], timeout: float | None) -> T:
        """Run it."""
        ...


@with_checked_calls
class AsyncOutbox(OutboxBase):
    """Asynchronous version of `Outbox`: its methods are awaited, and use the disk in threads.

    ``async for entry in outbox``, ``await outbox.get(receipt)`` and ``await outbox.count()`` look at the writes in a
    thread; ``for``, ``outbox[receipt]`` and ``len`` do so at once, which is for interactive use.
    """

    def __init__(self, client: Context, auth: AuthState, deliver: Deliver, *, sends: bool = False) -> None:
        super().__init__(client, auth, sends=sends)
        self._deliver = deliver

    async def write(self, method: Callable[P, Awaitable[R]], /, *args: P.args, **kwargs: P.kwargs) -> R | Receipt:
        """Asynchronous version of `Outbox.write`.

        If the task is cancelled, the write either is in the outbox as a whole, as a note of the `CancelledError` and
        the log say, or was not stored.
        """
        call = await to_thread(partial(self._capture, method, args, kwargs))
        entry: Entry | None = None

        def add() -> Entry:
            nonlocal entry
            entry = self._add(call)
            return entry

        sender = self._sender()
        try:
            stored = await thread_to_its_end(add)
            latest = await self._deliver(self._send_new(sender, stored), call.timeout)
            entry = latest or stored
        except AlyxError as error:
            if entry is None:
                raise
            entry = left_to_wait(entry, error)
        except asyncio.CancelledError as error:
            if entry is not None:
                note = f"write {entry.number} stays in the outbox, although its call was cancelled: {entry.receipt}"
                error.add_note(note)
                logger.warning(note)
            raise
        result: R | Receipt = self._result(call, entry, sender)
        return result

    async def edit(
        self, write: Write, method: Callable[P, Awaitable[Any]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Entry:
        """Asynchronous version of `Outbox.edit`."""
        call = await to_thread(partial(self._capture, method, args, kwargs))
        return await thread_to_its_end(partial(self._store.replace, token_of(write), call))

    async def send(self, *, timeout: float | None = None) -> SendReport:
        """Asynchronous version of `Outbox.send`."""
        return await self._deliver(self._sender().send_all(), timeout)

    async def get(self, write: Write) -> Entry:
        """Return a write as it is now; InvalidKeyError if there is none."""
        return await to_thread(partial(self._store.get, token_of(write)))

    async def count(self) -> int:
        """Return how many writes the server has not carried out."""
        return await to_thread(self._store.count)

    async def __aiter__(self) -> AsyncIterator[Entry]:
        for entry in await to_thread(self._store.entries):
            yield entry

    async def drop(self, write: Write) -> Entry:
        """Asynchronous version of `Outbox.drop`."""
        return await thread_to_its_end(partial(self._decisions.drop, write))

    async def resend(self, write: Write, *, anyway: bool = False) -> Entry:
        """Asynchronous version of `Outbox.resend`."""
        return await thread_to_its_end(partial(self._decisions.resend, write, anyway=anyway))

    async def settle(self, write: Write, record: Record | UUID | str) -> Entry:
        """Asynchronous version of `Outbox.settle`."""
        return await thread_to_its_end(partial(self._decisions.settle, write, record))

    async def claim(self, write: Write) -> Entry:
        """Asynchronous version of `Outbox.claim`."""
        return await thread_to_its_end(partial(self._decisions.claim, write))
