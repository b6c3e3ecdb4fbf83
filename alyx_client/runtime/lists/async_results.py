"""Lists for asyncio: the rows of `Results`, awaited."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from alyx_client.http.message import Params, Request
from alyx_client.http.read_ahead import ReadAhead
from alyx_client.runtime.client import AsyncRunner
from alyx_client.runtime.lists.key_ranges import KeyRanges, RangesUnfinishedError
from alyx_client.runtime.lists.list_query import ListQuery, ListState, gone, to_position
from alyx_client.runtime.lists.next_pager import NextPager
from alyx_client.runtime.lists.offset_pager import OffsetPager
from alyx_client.runtime.lists.paging import ALYX_PAGING, Page, PageRequest, Paging
from alyx_client.runtime.lists.prefetch import AsyncPagesAhead, CachedAhead
from alyx_client.runtime.lists.row_keys import RowKey
from alyx_client.runtime.rows import Make, Rows, declared_type
from alyx_client.runtime.tables import AsyncTabular

__all__ = ["AsyncResults"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
AsyncFetchPage = Callable[..., Awaitable[Page[Any]]]
"""Fetches a page of one query, by offset and limit; with the option `ahead` if there is `requests`."""


class AsyncResults(AsyncTabular, Generic[T_co]):
    """The rows of a list, for ``async for``; after ``await`` on it, ``len`` works.

    The next pages are fetched while the rows of the last one are used, several at a time.

    Parameters
    ----------
    fetches, page_size, max_items, key, first, by_key_ranges, paging, fetch_url, make, parallel,
    longest_page, requests
        As for `Results`.
    """

    def __init__(
        self,
        fetches: Sequence[AsyncFetchPage],
        *,
        page_size: int | None = None,
        max_items: int | None = None,
        key: RowKey | None = None,
        first: Page[Any] | None = None,
        by_key_ranges: Callable[[], AsyncGenerator[list[Any]]] | None = None,
        paging: Paging = ALYX_PAGING,
        fetch_url: Callable[[str], Awaitable[Page[Any]]] | None = None,
        make: Make | None = None,
        parallel: int = 1,
        longest_page: int | None = None,
        requests: Callable[[Sequence[PageRequest]], Sequence[Request]] | None = None,
    ) -> None:
        self._fetches = list(fetches)
        self._fetch_url = fetch_url
        self._state: ListState[Any] = ListState(
            len(self._fetches), page_size, max_items, key, first, paging, longest_page
        )
        self._by_key_ranges = by_key_ranges
        self._make = make
        self._parallel = parallel
        self._requests = requests
        self._cached_page: tuple[int, list[Any]] | None = None

    @classmethod
    def from_query(cls, query: ListQuery[T], run: AsyncRunner) -> AsyncResults[T]:
        """Make the rows of a list; parameters as for `Results.from_query`."""

        async def fetch(params: Params, offset: int, limit: int | None, ahead: ReadAhead | None = None) -> Page[Any]:
            return await run(query.fetch_page(params, offset, limit, ahead))

        async def by_key_ranges() -> AsyncGenerator[list[Any]]:
            ranges = query.key_ranges()
            ahead = AsyncPagesAhead(lambda params: fetch(params, 0, KeyRanges.LIMIT), ranges.upcoming, query.parallel)
            try:
                while ranges.next_params is not None:
                    page = await ahead.take()
                    yield ranges.add_page(page, query.uuids_of(page.rows))
            finally:
                ahead.cancel()
            if not ranges.is_complete:
                raise RangesUnfinishedError

        return AsyncResults(
            [partial(fetch, params) for params in query.param_sets],
            page_size=query.page_size,
            max_items=query.max_items,
            key=query.row_key,
            first=query.first_page,
            by_key_ranges=by_key_ranges if query.has_key_ranges else None,
            paging=query.paging,
            fetch_url=None if query.url_step is None else lambda url: run(query.fetch_url(url)),
            make=query.make,
            parallel=query.parallel,
            longest_page=query.longest_page,
            requests=query.requests,
        )

    def __await__(self) -> Generator[Any, Any, AsyncResults[T_co]]:
        return self._fetch_count().__await__()

    async def _fetch_count(self) -> AsyncResults[T_co]:
        if await self._must_read_all():
            await self.all()
        return self

    async def _must_read_all(self) -> bool:
        """Return whether the number of rows is known from the rows alone."""
        if self._state.all_rows is not None or not self._state.has_server_count:
            return True
        return self._state.has_no_true_count(await self._first_page())

    async def _first_page(self) -> Page[Any]:
        if self._state.first_page is None:
            self._state.first_page = await self._fetches[0](0, self._state.first_limit)
        return self._state.first_page

    @property
    def total(self) -> int:
        """The number of rows that the server counted, whatever `max_items` is; known after ``await``."""
        state = self._state
        if state.first_page is not None and state.has_server_count:
            return state.first_page.count
        if state.all_rows is None:
            raise RuntimeError("the number of rows is known after `await`: results = await client.….list(...)")
        return len(state.all_rows)

    def __len__(self) -> int:
        rows = self._state.all_rows
        return self._state.length(self.total) if rows is None else len(rows)

    def __bool__(self) -> bool:
        return len(self) > 0

    async def __aiter__(self) -> AsyncIterator[T_co]:
        # If counting needs all rows, these are stored, so that they are read once.
        rows: list[Any] | None = [] if self._state.all_rows is None and await self._must_read_all() else None
        async with contextlib.aclosing(self._iterate()) as iterator:
            async for row in iterator:
                record = row if self._make is None else self._make(row)
                if rows is not None:
                    rows.append(record)
                yield record
        if rows is not None:
            self._state.all_rows = rows

    def _rows(self, rows: list[Any]) -> Rows[T_co]:
        return Rows(rows, self._make)

    async def _iterate(self) -> AsyncGenerator[Any]:
        if self._state.all_rows is not None:
            for row in self._rows(self._state.all_rows):
                yield row
            return
        pager = self._state.pager(has_ranges=self._by_key_ranges is not None)
        if pager.next_page is not None:
            first = await self._first_page()
            # Closed at once if the loop is left early: otherwise the event loop closes it some time later (PEP 525),
            # and the next page is fetched for nobody.
            async with contextlib.aclosing(self._iterate_pages(pager, first)) as pages:
                async for row in pages:
                    yield row
            if self._by_key_ranges is not None and isinstance(pager, OffsetPager) and pager.needs_ranges:
                async with contextlib.aclosing(self._iterate_missing(pager, self._by_key_ranges())) as missing:
                    async for row in missing:
                        yield row
        pager.warn_of_missing_rows()

    async def _iterate_pages(self, pager: OffsetPager[Any] | NextPager[Any], first: Page[Any]) -> AsyncGenerator[Any]:
        cached = self._cached_ahead(pager)
        ahead = AsyncPagesAhead(
            partial(self._fetch, cached), pager.upcoming if cached is None else cached.upcoming, self._parallel
        )
        page: Page[Any] | None = first
        is_first = True
        try:
            while page is not None:
                rows = pager.add_page(page)
                has_next = pager.next_page is not None
                page = None  # no page is held longer than its rows are used
                for position, row in enumerate(rows):
                    # A caller who stops at the first row has no use for a second page, nor on the first page for many.
                    if position == 1 and has_next:
                        ahead.begin(1 if is_first else None)
                    yield row
                is_first = False
                if has_next:
                    page = await ahead.take()
        finally:
            ahead.cancel()

    async def _iterate_missing(self, pager: OffsetPager[Any], ranges: AsyncGenerator[list[Any]]) -> AsyncGenerator[Any]:
        try:
            async with contextlib.aclosing(ranges):
                async for rows in ranges:
                    for row in pager.add_range(rows):
                        yield row
                    if not pager.needs_ranges:
                        return
        except RangesUnfinishedError:
            return
        pager.confirm_ranges()

    def _cached_ahead(self, pager: OffsetPager[Any] | NextPager[Any]) -> CachedAhead | None:
        # Pages that are named by the one before them cannot be looked up before that is there.
        if self._requests is None or not isinstance(pager, OffsetPager):
            return None
        return CachedAhead(pager.upcoming, self._requests)

    def _fetch(self, cached: CachedAhead | None, request: PageRequest) -> Awaitable[Page[Any]]:
        if request.url is not None and self._fetch_url is not None:
            return self._fetch_url(request.url)
        options = {} if cached is None else {"ahead": cached.read_ahead}
        return self._fetches[request.query](request.offset, request.limit, **options)

    async def all(self) -> list[T_co]:
        """Return every row."""
        if self._state.all_rows is None:
            self._state.all_rows = [row async for row in self._iterate()]
        return self._rows(self._state.all_rows)[:]

    async def _table_rows(self) -> tuple[Sequence[Any], object]:
        if self._state.all_rows is None and await self._must_read_all():
            self._state.all_rows = [row async for row in self._iterate()]
        stored = self._state.all_rows
        rows = [row async for row in self._iterate()] if stored is None else stored
        return rows, declared_type(self._make)

    async def first(self) -> T_co | None:
        """Return the first row, or None if there is none."""
        if self._state.is_empty_by_request:
            return None
        if self._state.all_rows is not None:
            return self._rows(self._state.all_rows)[0] if self._state.all_rows else None
        first = await self._first_page()
        if first.rows:
            return self._rows(self._state.first_rows(first))[0]
        for fetch in self._fetches[1:]:
            page = await fetch(0, 1)
            if page.rows:
                return self._rows(page.rows)[0]
        return None

    async def get(self, index: int) -> T_co:
        """Return the row at an index, which may be negative; only its page is fetched.

        Raises
        ------
        IndexError
            There is no such row.
        """
        state = self._state
        if state.is_sequential and state.all_rows is None:
            first = await self._first_page()
            if state.has_in_first_page(index, first):
                return self._rows(state.first_rows(first))[index]
            return (await self.all())[index]
        await self
        if self._state.all_rows is not None:
            return self._rows(self._state.all_rows)[index]
        position = to_position(index, len(self))
        rows = state.first_rows(await self._first_page())
        start = position - position % (len(rows) or 1)
        if start:
            if self._cached_page is None or self._cached_page[0] != start:
                self._cached_page = (start, (await self._fetches[0](start, len(rows))).rows)
            rows = self._cached_page[1]
        if position - start >= len(rows):
            raise gone(position)
        return self._rows(rows)[position - start]

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("AsyncResults cannot be pickled; pickle the rows: await results.all()")

    def _fetched_rows(self) -> tuple[Sequence[Any], int | None, object]:
        return *self._state.fetched_rows(), declared_type(self._make)

    def __repr__(self) -> str:
        # repr() must not perform I/O: debuggers call it at any time.
        return f"AsyncResults({len(self)} rows)" if self._state.is_known else "AsyncResults(not fetched yet)"
