"""The asynchronous transport: as `transport`, for any number of tasks and event loops."""

from __future__ import annotations

import asyncio
import time
import weakref
from functools import partial
from typing import Self

import httpx2

from alyx_client.http.async_lifetime import AsyncLifetime
from alyx_client.http.body import BodyRefusedError, DamagedEncodingError
from alyx_client.http.connection import httpx_errors
from alyx_client.http.deadline import Deadline
from alyx_client.http.flow import Send, adrive
from alyx_client.http.loop_pool import LoopPool
from alyx_client.http.message import Request, Response
from alyx_client.http.network import open_async_pool
from alyx_client.http.surplus import drop_surplus
from alyx_client.http.transport import Transport

__all__ = ["AsyncTransport"]


async def _drop_surplus(pool: httpx2.AsyncClient, event: str, _: object) -> None:
    drop_surplus(event, pool)


class AsyncTransport(Transport):
    """Send requests from any number of tasks over one connection pool for each event loop.

    Its parameters are those of `Transport`.
    """

    _pools: dict[asyncio.AbstractEventLoop, LoopPool[httpx2.AsyncClient]]

    async def send(
        self,
        request: Request,
        *,
        fail_fast: bool = False,
        token: str | None = None,
        timeout: float | Deadline | None = None,
    ) -> Response:
        """Send a request; parameters, result and errors as for `SyncTransport.send`."""
        deadline = Deadline.of(timeout, self.call_timeout)
        flow = self._exchange(request, token, fail_fast, deadline)
        lifetime = self._lifetime()
        send_once = partial(self._send_once, deadline=deadline, lifetime=lifetime)
        return await adrive(flow, send_once, deadline, lifetime.sleep)

    async def _send_once(self, step: Send, *, deadline: Deadline, lifetime: AsyncLifetime) -> Response:
        await lifetime.begin(deadline)
        try:
            send = partial(self._send_now, deadline=deadline)
            return await adrive(self._throttle.send(step, deadline), send, deadline, lifetime.sleep)
        finally:
            await lifetime.end()

    async def _send_now(self, step: Send, *, deadline: Deadline) -> Response:
        return await self._send_over(await self._open_pool(), step, deadline)

    async def _send_over(self, pool: httpx2.AsyncClient, step: Send, deadline: Deadline) -> Response:
        deadline, started = deadline.within(step.login_timeout, "login_timeout"), time.perf_counter()
        try:
            built = self._build(step, deadline)
            built.extensions["trace"] = partial(_drop_surplus, pool)
            received = await pool.send(built, auth=None, stream=True)
            try:
                content = await self._read(step.request, received)
            finally:
                await received.aclose()
        except httpx_errors(DamagedEncodingError, BodyRefusedError) as error:
            raise self._failed(step.request, error, started, deadline) from error
        return self._received(step.request, received, content, started)

    async def _read(self, request: Request, received: httpx2.Response) -> bytes:
        body = self._body(request, received)
        async for piece in received.aiter_raw():
            if not body.add(piece):
                return body.beginning()
        return body.content()

    async def _open_pool(self) -> httpx2.AsyncClient:
        loop = asyncio.get_running_loop()
        with self._lock:
            if loop in self._pools:
                return self._pools[loop].pool
            # A pool refers to its loop, so that loops that have ended would never leave the dictionary otherwise.
            for ended in [known for known in self._pools if known.is_closed()]:
                self._pools.pop(ended).forget()
            new = self._pools[loop] = LoopPool(open_async_pool(self._pool_settings()), self)
        return await new.open()

    def _forget_pools(self) -> None:
        self._pools = {}
        self._lifetimes: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncLifetime] = (
            weakref.WeakKeyDictionary()
        )

    def _lifetime(self) -> AsyncLifetime:
        loop = asyncio.get_running_loop()
        with self._lock:
            lifetime = self._lifetimes.get(loop)
            if lifetime is None:
                lifetime = self._lifetimes[loop] = AsyncLifetime(self.max_requests)
            return lifetime

    def require_open(self) -> None:
        """Check that the transport is open in this event loop.

        Raises
        ------
        ClientClosedError
            It is closed.
        """
        self._lifetime().require_open()

    @property
    def is_closed(self) -> bool:
        """True after `aclose` in this event loop."""
        return self._lifetime().is_closed

    async def aclose(self) -> None:
        """Close this event loop's connections.

        Requests under way end normally; others raise `ClientClosedError` from now on, in this event loop.
        """
        self._reset_after_fork()
        with self._lock:
            pool = self._pools.pop(asyncio.get_running_loop(), None)

        async def close_connections() -> None:
            if pool is not None:
                await pool.aclose()

        await self._lifetime().aclose(close_connections)

    async def __aenter__(self) -> Self:
        self._reset_after_fork()
        self._lifetime().open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
