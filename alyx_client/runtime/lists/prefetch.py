"""Fetching the next pages of a list in the background, while the rows of the last one are used."""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable, Callable, Hashable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from alyx_client.http.log import context_of_caller
from alyx_client.http.message import Request
from alyx_client.http.read_ahead import ReadAhead
from alyx_client.runtime.lists.paging import Page, PageRequest

if TYPE_CHECKING:
    import asyncio

__all__ = ["AsyncPagesAhead", "CachedAhead", "PagesAhead", "Prefetch"]

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
P = TypeVar("P")

_PAGES_PER_LOOKUP = 64


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
        context = context_of_caller()  # `no_cache` blocks apply in the thread, too
        # A daemon: a program that ends in the middle of a list does not wait for the next page.
        self._thread = threading.Thread(
            target=context.run, args=(self._run,), daemon=True, name="alyx-client: next page"
        )
        try:
            self._thread.start()
        except RuntimeError:  # Python exits, and starts no more threads from 3.12 on
            self._run()

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
        if self._pid != os.getpid():  # pragma: no cover - runs in a child process
            return self._function()  # a fork has no threads but the one that forked
        if self._thread.ident is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error
        return self._results[0]


class CachedAhead:
    """Tells the cache which pages of a list are going to be read, as long as it has them.

    Parameters
    ----------
    upcoming
        Returns the page to fetch next and those that follow it if the list does not change, at most so many.
    requests
        Returns the requests for pages.
    """

    def __init__(
        self,
        upcoming: Callable[[int], Sequence[PageRequest]],
        requests: Callable[[Sequence[PageRequest]], Sequence[Request]],
    ) -> None:
        self._upcoming = upcoming
        self._requests = requests
        self.read_ahead = ReadAhead()
        """What to send with each request."""

    def upcoming(self, most: int) -> Sequence[PageRequest]:
        """Do as the function does that was passed, and take note of the pages that follow."""
        if not self.read_ahead.is_useful:
            return self._upcoming(most)
        pages = self._upcoming(max(most, _PAGES_PER_LOOKUP))
        # Not before they are needed, and not from the pager, which another thread may be about to change.
        self.read_ahead.following = partial(self._requests, pages)
        return pages[:most]


class _Ahead(Generic[K, P]):
    """The pages that are under way, and how many there may be; sans-I/O.

    What a page is requested by is a `PageRequest`, or the query parameters of a range of keys.

    Parameters
    ----------
    upcoming
        Returns the page to fetch next and those that follow it if the list does not change, at most so many.
    most
        The number of pages to fetch at a time.
    """

    def __init__(self, upcoming: Callable[[int], Sequence[K]], most: int) -> None:
        self._upcoming = upcoming
        self._most = most
        self._size = most
        self._pages: dict[K, P] = {}

    def begin(self, most: int | None = None) -> None:
        """Begin to fetch the next pages, but for those that are under way.

        Parameters
        ----------
        most
            The most pages to fetch at a time; as many as seem useful if None.
        """
        self._start(self._select()[:most])

    def _select(self) -> Sequence[K]:
        """Return the pages to fetch, and forget those under way that a change of the list made useless."""
        upcoming = self._upcoming(self._most)
        useless = self._pages.keys() - set(upcoming)
        for request in useless:
            self._discard(self._pages.pop(request))
        # A list that changes makes pages useless again and again.
        if useless:
            self._size = 1
        return upcoming[: self._size]

    def _next(self) -> tuple[K, P | None]:
        """Begin to fetch the pages after the next one, and return that one: its request, and itself if under way."""
        request, *following = self._select()
        page = self._pages.pop(request, None)
        self._start(following)
        self._size = min(self._most, self._size + 1)
        return request, page

    def _start(self, requests: Sequence[K]) -> None:
        for request in requests:
            if request not in self._pages:
                self._pages[request] = self._fetch_ahead(request)

    def _fetch_ahead(self, request: K) -> P:
        raise NotImplementedError

    def _discard(self, page: P) -> None:
        """Take note that nobody will use a page."""


class PagesAhead(_Ahead[K, Prefetch[Page[Any]]]):
    """Pages of a list that are fetched before they are needed, each in a thread of its own.

    Parameters
    ----------
    fetch
        Fetches a page.
    upcoming
        Returns the page to fetch next and those that follow it if the list does not change, at most so many.
    most
        The number of pages to fetch at a time.
    """

    def __init__(self, fetch: Callable[[K], Page[Any]], upcoming: Callable[[int], Sequence[K]], most: int) -> None:
        super().__init__(upcoming, most)
        self._fetch = fetch

    def take(self) -> Page[Any]:
        """Return the next page: fetched before, or now."""
        request, page = self._next()
        return self._fetch(request) if page is None else page.result()

    def _fetch_ahead(self, request: K) -> Prefetch[Page[Any]]:
        return Prefetch(partial(self._fetch, request))


class AsyncPagesAhead(_Ahead[K, "asyncio.Task[Page[Any]]"]):
    """Pages of a list that are fetched before they are needed, each in a task of its own; as `PagesAhead`."""

    def __init__(
        self,
        fetch: Callable[[K], Awaitable[Page[Any]]],
        upcoming: Callable[[int], Sequence[K]],
        most: int,
    ) -> None:
        super().__init__(upcoming, most)
        self._fetch = fetch

    async def take(self) -> Page[Any]:
        """Return the next page: fetched before, or now."""
        request, page = self._next()
        if page is None:
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

    def _fetch_ahead(self, request: K) -> asyncio.Task[Page[Any]]:
        import asyncio

        task = asyncio.get_running_loop().create_task(self._page(request), context=context_of_caller())
        task.add_done_callback(_retrieve_exception)
        return task

    async def _page(self, request: K) -> Page[Any]:
        return await self._fetch(request)

    def _discard(self, page: asyncio.Task[Page[Any]]) -> None:
        page.cancel()


def _retrieve_exception(future: asyncio.Future[Any]) -> None:
    """Retrieve an exception that nobody may wait for any more; asyncio would log it as never retrieved."""
    if not future.cancelled():
        future.exception()
