"""Fetching the next pages of a list in the background, while the rows of the last one are used."""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from alyx_client.runtime.paging import Page, PageRequest

__all__ = ["AsyncPagesAhead", "PagesAhead", "Prefetch"]

T = TypeVar("T")


class Prefetch(Generic[T]):
    """A function called in a thread of its own, whose result is needed later.

    Parameters
    ----------
    function
        The function.
    """

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._results: list[T] = []
        self._error: BaseException | None = None
        self._pid = os.getpid()
        context = contextvars.copy_context()  # `no_cache` blocks apply in the thread, too
        # A daemon: a program that ends in the middle of a list does not wait for the next page.
        self._thread = threading.Thread(
            target=context.run, args=(self._run,), daemon=True, name="alyx-client: next page"
        )
        self._thread.start()

    def _run(self) -> None:
        try:
            self._results.append(self._function())
        except BaseException as error:  # raised where the result is used, and not printed by the thread
            self._error = error

    def result(self) -> T:
        """Return the function's result, or raise its exception.

        Raises
        ------
        Exception
            The function raised it.
        """
        if self._pid != os.getpid():
            return self._function()  # a fork has no threads but the one that forked
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._results[0]


class _Window:
    """How many pages are fetched ahead: fewer after a page that others made useless, which lists that change do."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.size = most

    def note(self, *, was_useful: bool) -> None:
        self.size = min(self._most, self.size + 1) if was_useful else 1


class PagesAhead:
    """Pages of a list that are fetched before they are needed, each in a thread of its own.

    Parameters
    ----------
    fetch
        Fetches a page.
    most
        The number of pages to fetch at a time.
    """

    def __init__(self, fetch: Callable[[PageRequest], Page[Any]], most: int) -> None:
        self._fetch = fetch
        self._window = _Window(most)
        self._pages: dict[PageRequest, Prefetch[Page[Any]]] = {}

    @property
    def size(self) -> int:
        """The number of pages to fetch at a time."""
        return self._window.size

    def begin(self, requests: Sequence[PageRequest]) -> None:
        """Begin to fetch pages, but for those that are under way."""
        for request in requests:
            if request not in self._pages:
                self._pages[request] = Prefetch(partial(self._fetch, request))

    def take(self, request: PageRequest) -> Page[Any]:
        """Return a page: fetched before, or now."""
        page = self._pages.pop(request, None)
        if page is not None or self._pages:
            self._window.note(was_useful=page is not None)
        if page is None:
            self._pages.clear()
            return self._fetch(request)
        return page.result()


class AsyncPagesAhead:
    """Pages of a list that are fetched before they are needed, each in a task of its own; as `PagesAhead`."""

    def __init__(self, fetch: Callable[[PageRequest], Awaitable[Page[Any]]], most: int) -> None:
        self._fetch = fetch
        self._window = _Window(most)
        self._pages: dict[PageRequest, asyncio.Future[Page[Any]]] = {}

    @property
    def size(self) -> int:
        """The number of pages to fetch at a time."""
        return self._window.size

    def begin(self, requests: Sequence[PageRequest]) -> None:
        """Begin to fetch pages, but for those that are under way."""
        for request in requests:
            if request not in self._pages:
                future = self._pages[request] = asyncio.ensure_future(self._fetch(request))
                future.add_done_callback(_retrieve_exception)

    async def take(self, request: PageRequest) -> Page[Any]:
        """Return a page: fetched before, or now."""
        page = self._pages.pop(request, None)
        if page is not None or self._pages:
            self._window.note(was_useful=page is not None)
        if page is None:
            self.cancel()
            return await self._fetch(request)
        try:
            return await page
        finally:
            page.cancel()

    def cancel(self) -> None:
        """Fetch none of the pages any more."""
        for page in self._pages.values():
            page.cancel()
        self._pages.clear()


def _retrieve_exception(future: asyncio.Future[Any]) -> None:
    """Retrieve an exception that nobody may wait for any more; asyncio would log it as never retrieved."""
    if not future.cancelled():
        future.exception()
