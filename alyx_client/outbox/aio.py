"""The outbox of the asynchronous client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, ParamSpec, Protocol, TypeVar

from alyx_client.auth.state import AuthState
from alyx_client.errors import AlyxError
from alyx_client.http.flow import Flow, to_thread
from alyx_client.outbox.attempt import Context
from alyx_client.outbox.base import OutboxBase, Write, left_to_wait
from alyx_client.outbox.entries import Entry, Receipt, SendReport

__all__ = ["AsyncOutbox"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class Deliver(Protocol):
    """Runs a flow whose requests are sent once, past the cache."""

    async def __call__(self, flow: Flow[T], timeout: float | None) -> T:
        """Run it."""
        ...


class AsyncOutbox(OutboxBase):
    """Asynchronous version of `Outbox`: `write`, `edit` and `send` are awaited, the others only read the disk."""

    def __init__(self, client: Context, auth: AuthState, deliver: Deliver, *, sends: bool = False) -> None:
        super().__init__(client, auth, sends=sends)
        self._deliver = deliver

    async def write(self, method: Callable[P, Awaitable[R]], /, *args: P.args, **kwargs: P.kwargs) -> R | Receipt:
        """Asynchronous version of `Outbox.write`."""
        call = await to_thread(partial(self._capture, method, args, kwargs))
        entry, sender = await to_thread(partial(self._add, call)), self._sender()
        flow = self._send_new(sender, entry)
        try:
            latest = await self._deliver(flow, call.timeout)
            entry = latest or entry
        except AlyxError as error:
            entry = left_to_wait(entry, error)
        result: R | Receipt = self._result(call, entry, sender)
        return result

    async def edit(
        self, write: Write, method: Callable[P, Awaitable[Any]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Entry:
        """Asynchronous version of `Outbox.edit`."""
        call = await to_thread(partial(self._capture, method, args, kwargs))
        return await to_thread(partial(self._store.replace, self[write].receipt.token, call))

    async def send(self, *, timeout: float | None = None) -> SendReport:
        """Asynchronous version of `Outbox.send`."""
        return await self._deliver(self._sender().send_all(), timeout)
