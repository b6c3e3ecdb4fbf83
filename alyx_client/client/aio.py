"""The asynchronous client, without the endpoints that a generated client adds."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import AsyncIterable, Callable, Generator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack, cast

from alyx_client.auth.token import hide
from alyx_client.auth.token_flow import TokenAuth
from alyx_client.client.async_by_name import AsyncCallsByName
from alyx_client.client.base import CACHE_INFO, ClientBase
from alyx_client.client.waiting_writes import Requests, after_call
from alyx_client.errors import AlyxError
from alyx_client.http.arguments import require, require_folder, require_text
from alyx_client.http.deadline import Deadline
from alyx_client.http.flow import Expires, Flow, Send, adrive, to_thread
from alyx_client.http.json_body import read_json
from alyx_client.http.message import Request, Response
from alyx_client.http.transport_options import TransportOptions
from alyx_client.runtime.checked_calls import with_checked_calls
from alyx_client.storage.sqlite import waiting_at_most

if TYPE_CHECKING:
    from alyx_client.downloads.options import DownloadOptions
    from alyx_client.http.async_transport import AsyncTransport
    from alyx_client.outbox.aio import AsyncOutbox
    from alyx_client.runtime.action import Action
    from alyx_client.runtime.bulk_options import BulkArguments
    from alyx_client.runtime.bulk_results import BulkResults
    from alyx_client.schema.report import Report

__all__ = ["AsyncBaseClient"]

T = TypeVar("T")


@with_checked_calls
class AsyncBaseClient(AsyncCallsByName, ClientBase):  # noqa: D101 - the next line documents it
    __doc__ = ClientBase.__doc__

    _transport: AsyncTransport

    def _open(self, auth: TokenAuth, **options: Unpack[TransportOptions]) -> None:
        # Programs without an asynchronous client import neither this nor asyncio, which takes long.
        from alyx_client.http.async_transport import AsyncTransport

        self._transport = AsyncTransport(self.base_url, auth, **options)

    async def send(
        self,
        request: Request,
        *,
        expires: Expires = None,
        bypass_cache: bool = False,
        timeout: float | Deadline | None = None,
    ) -> Response:
        """Asynchronous version of `BaseClient.send`."""
        deadline = Deadline.of(timeout, self.timeout)
        self._transport.require_open()
        with waiting_at_most(deadline.longest_wait):
            # The cache reads and writes a file, which must not block the event loop.
            call = await to_thread(self._begin, request, expires, bypass_cache)
            try:
                if call.response is not None:
                    return call.response
                response = await self._transport.send(request, fail_fast=call.fail_fast, timeout=deadline)
                response = await to_thread(call.store, response)
            except AlyxError as error:
                return call.fallback(error)
            finally:
                call.close()
                if self._transport.is_closed:
                    self._cache.close()
        # A deadline is that of the call that this request is a part of.
        if not isinstance(timeout, Deadline):
            requests = Requests()
            requests.add(request, response)
            await self._after_call(requests, deadline)
        return response

    async def run(self, flow: Flow[T], timeout: float | None = None) -> T:
        """Asynchronous version of `BaseClient.run`."""
        require("flow", flow, Generator, "a flow")
        deadline = Deadline.of(timeout, self.timeout)
        requests = Requests()
        result = await adrive(flow, partial(self._send_step, deadline, requests), deadline)
        await self._after_call(requests, deadline)
        return result

    async def run_many(self, action: Action[Any], items: object, **options: Unpack[BulkArguments]) -> BulkResults[Any]:
        """Asynchronous version of `BaseClient.run_many`."""
        from alyx_client.bulk.aio import run_many

        self._transport.require_open()
        return await run_many(self, action, items, **options)

    @property
    def outbox(self) -> AsyncOutbox:
        """The writes that wait for the server: ``client.outbox.write(client.weighings.create, ...)``."""
        # Most programs do without.
        from alyx_client.outbox.aio import AsyncOutbox

        return AsyncOutbox(self, self._auth, self._deliver, sends=self._settings.send_outbox)

    async def authenticate(
        self,
        username: str | None = None,
        password: str | None = None,
        cache_token: bool = True,
        force: bool = False,
        token: str | Mapping[str, str] | None = None,
    ) -> None:
        """Asynchronous version of `BaseClient.authenticate`."""
        password, token = hide(password), hide(token)
        from alyx_client.auth.login import authenticate, check_login

        check_login(username, password, token)
        flow = authenticate(self._auth, username, password, cache_token=cache_token, force=force, token=token)
        deadline = Deadline(self._login_timeout, "login_timeout")
        await adrive(flow, partial(self._send_login, deadline), deadline)

    async def ensure_token(self) -> None:
        """Asynchronous version of `BaseClient.ensure_token`."""
        if self._settings.pickle_token and not self.offline and self._auth.known_token() is None:
            await self.authenticate()

    async def logout(self) -> None:
        """Asynchronous version of `BaseClient.logout`."""
        from alyx_client.auth.login import log_out

        deadline = Deadline(self._login_timeout, "login_timeout")
        logged_out = await adrive(log_out(self._auth), partial(self._send_login, deadline), deadline)
        if logged_out.identity is not None:
            await to_thread(self._cache.clear, logged_out.identity)

    async def download_file(self, url: Any, **options: Unpack[DownloadOptions]) -> Any:
        """Asynchronous version of `BaseClient.download_file`; cancelling it stops the downloads.

        The list may be an asynchronous one, such as that of an endpoint.
        """
        self._transport.require_open()
        if isinstance(url, AsyncIterable):
            url = [source async for source in cast("AsyncIterable[object]", url)]
        return await _in_thread(partial(self._downloader.download, url, **options))

    async def download_cache_tables(
        self, source: str | None = None, destination: str | os.PathLike[str] | None = None
    ) -> list[Path]:
        """Asynchronous version of `BaseClient.download_cache_tables`; cancelling it stops the download."""
        require_text("source", source)
        require_folder("destination", destination)
        self._transport.require_open()
        info = read_json(await self.send(CACHE_INFO, bypass_cache=True)) if source is None else None
        return await _in_thread(partial(self._downloader.download_cache_tables, source, destination, info=info))

    async def check_schema(self) -> Report:
        """Asynchronous version of `BaseClient.check_schema`."""
        from alyx_client.schema.check import compare_with_server, load_bundled_surface

        surface = await to_thread(load_bundled_surface, self._surface)
        document = await self.run(self._calls.document())
        return await to_thread(compare_with_server, surface, self._surface, document, self.base_url)

    async def aclose(self) -> None:
        """Close the connections of this event loop; calls end and are refused as described at `BaseClient.close`."""
        await self._transport.aclose()
        self._cache.close()
        self._close_downloader()

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _deliver(self, flow: Flow[T], timeout: float | None) -> T:
        """Asynchronous version of `BaseClient._deliver`."""
        deadline = Deadline.of(timeout, self.timeout)
        return await adrive(flow, partial(self._deliver_step, deadline), deadline)

    async def _deliver_step(self, deadline: Deadline, step: Send) -> Response:
        return await self._transport.send(step.request, fail_fast=True, token=step.token, timeout=deadline)

    async def _after_call(self, requests: Requests, deadline: Deadline) -> None:
        if due := after_call(self, self._auth, requests, deadline, sends=self._settings.send_outbox):
            await self._deliver(*due)

    async def _send_step(self, deadline: Deadline, requests: Requests, step: Send) -> Response:
        request = step.request
        response = await self.send(request, expires=step.expires, bypass_cache=step.bypass_cache, timeout=deadline)
        requests.add(request, response)
        return response

    async def _send_login(self, deadline: Deadline, step: Send) -> Response:
        # A login goes past the cache: it is about the token by which cached responses are found.
        self._refuse_login_offline()
        return await self._transport.send(step.request, token=step.token, timeout=deadline)


async def _in_thread(work: Callable[..., T]) -> T:
    """Call a function in a thread, which is told to stop, and waited for, when the task is cancelled."""
    import asyncio

    cancelled = threading.Event()
    running = to_thread(work, cancelled=cancelled)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        cancelled.set()
        # The files are left in a state that a later call can resume from.
        with contextlib.suppress(Exception):
            await running
        raise
