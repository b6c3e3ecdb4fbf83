"""Lists as sequences: fetched page by page, in order, and complete even if the server's order is not stable.

Alyx pages by offset over queries without a total order, so that the database may return one row twice and another not
at all, with nobody writing. Repeated rows are dropped; if rows are missing at the end, they are fetched by ranges of
their keys.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from itertools import zip_longest
from typing import Any, TypeVar, cast, overload

from alyx_client.http.message import Params, Request
from alyx_client.http.read_ahead import ReadAhead
from alyx_client.runtime.client import Runner
from alyx_client.runtime.completion import rows_of
from alyx_client.runtime.lists.key_ranges import KeyRanges, RangesUnfinishedError
from alyx_client.runtime.lists.list_query import ListQuery, ListState, gone, to_position, warn_of_order
from alyx_client.runtime.lists.next_pager import NextPager
from alyx_client.runtime.lists.offset_pager import OffsetPager
from alyx_client.runtime.lists.paging import ALYX_PAGING, Page, PageRequest, Paging
from alyx_client.runtime.lists.prefetch import CachedAhead, PagesAhead
from alyx_client.runtime.lists.row_keys import RowKey
from alyx_client.runtime.rows import Make, Rows, RowSchema, declared_type, make_records
from alyx_client.runtime.tables import Tabular

__all__ = ["Results"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
FetchPage = Callable[..., Page[Any]]
"""Fetches a page of one query, by offset and limit; with the option `ahead` if there is `requests`."""

_CACHED_PAGES = 4


class Results(Tabular, Sequence[T_co]):
    """The rows of a list: a sequence whose pages are fetched when they are needed.

    Iterating fetches the next pages while the rows of the last one are used, several at a time, and holds no more than
    these and the first. An index or a slice fetches only the pages that it needs. ``len`` is the server's count; if the
    server repeats rows, or if a long list of keys was split, all rows are read to count them.

    Parameters
    ----------
    fetches
        Functions that fetch a page of a query; several if a long list of keys was split.
    page_size
        Rows per page; the server's default if None.
    max_items
        The most rows to return.
    key
        Returns the key that identifies a row.
    first
        The first page, if it has been fetched already.
    by_key_ranges
        Fetches all rows by ranges of their keys, for those that paging leaves out.
    paging
        How the list is divided into pages.
    fetch_url
        Fetches a page by its URL, where each page has that of the next one.
    make
        Makes the record of a row of a page; None if rows are returned as they are.
    parallel
        How many pages are fetched at a time.
    longest_page
        Rows of the pages after the first one if `page_size` is None; None for as many as the first one has.
    requests
        Returns the requests for pages, so that the cache looks several up at once; None if there is no cache.
    """

    def __init__(
        self,
        fetches: Sequence[FetchPage],
        *,
        page_size: int | None = None,
        max_items: int | None = None,
        key: RowKey | None = None,
        first: Page[Any] | None = None,
        by_key_ranges: Callable[[], Iterator[list[Any]]] | None = None,
        paging: Paging = ALYX_PAGING,
        fetch_url: Callable[[str], Page[Any]] | None = None,
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
        self._pages: OrderedDict[int, list[Any]] = OrderedDict()
        self._pages_lock = threading.RLock()

    @classmethod
    def from_query(cls, query: ListQuery[T], run: Runner) -> Results[T]:
        """Make the sequence of a list's rows.

        Parameters
        ----------
        query
            The query.
        run
            Runs flows.
        """

        def fetch(params: Params, offset: int, limit: int | None, ahead: ReadAhead | None = None) -> Page[Any]:
            return run(query.fetch_page(params, offset, limit, ahead))

        def by_key_ranges() -> Iterator[list[Any]]:
            ranges = query.key_ranges()
            ahead = PagesAhead(lambda params: fetch(params, 0, KeyRanges.LIMIT), ranges.upcoming, query.parallel)
            while ranges.next_params is not None:
                page = ahead.take()
                yield ranges.add_page(page, query.uuids_of(page.rows))
            if not ranges.is_complete:
                raise RangesUnfinishedError

        return rows_of(Results, declared_type(query.make))(
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

    @property
    def total(self) -> int:
        """The number of rows that the server counted, whatever `max_items` is; of those read if it counts none."""
        count = self._first_page().count if self._state.has_server_count else 0
        return count if self._state.has_server_count else len(self._read_all())

    def __len__(self) -> int:
        return len(self._read_all()) if self._must_read_all() else self._state.length(self.total)

    def __bool__(self) -> bool:
        # Not by the length, which may need all rows.
        return any(True for _ in self)

    def __iter__(self) -> Iterator[T_co]:
        if self._state.all_rows is not None:
            return iter(self._rows(self._state.all_rows))
        # Rows are stored only if counting needs them all; otherwise a list of any length fits into memory.
        if self._must_read_all():
            return self._iterate_and_store()
        return self._iterate(self._make)

    def _rows(self, rows: list[Any]) -> Rows[T_co]:
        return Rows(rows, self._make)

    def _iterate_and_store(self) -> Generator[T_co]:
        # list() asks for the length between making this and using it.
        if self._state.all_rows is not None:
            yield from self._rows(self._state.all_rows)
            return
        rows: list[Any] = []
        for row in self._iterate():
            rows.append(row)
            yield self._rows(rows)[-1]
        self._state.all_rows = rows

    def _iterate(self, make: Make | None = None) -> Generator[Any]:
        pager = self._state.pager(has_ranges=self._by_key_ranges is not None)
        if pager.next_page is not None:
            yield from self._iterate_pages(pager, self._first_page(), make)
            if self._by_key_ranges is not None and isinstance(pager, OffsetPager) and pager.needs_ranges:
                yield from self._iterate_missing(pager, self._by_key_ranges(), make)
        pager.warn_of_missing_rows()

    def _iterate_pages(
        self, pager: OffsetPager[Any] | NextPager[Any], first: Page[Any], make: Make | None
    ) -> Generator[Any]:
        cached = self._cached_ahead(pager)
        ahead = PagesAhead(
            partial(self._fetch, cached), pager.upcoming if cached is None else cached.upcoming, self._parallel
        )
        page: Page[Any] | None = first
        is_first = True
        while page is not None:
            rows = make_records(pager.add_page(page), make)
            has_next = pager.next_page is not None
            page = None  # no page is held longer than its rows are used
            for position, row in enumerate(rows):
                # A caller who stops at the first row has no use for a second page, nor on the first page for many.
                if position == 1 and has_next:
                    ahead.begin(1 if is_first else None)
                yield row
            is_first = False
            if has_next:
                page = ahead.take()

    def _iterate_missing(
        self, pager: OffsetPager[Any], ranges: Iterator[list[Any]], make: Make | None
    ) -> Generator[Any]:
        try:
            for rows in ranges:
                yield from make_records(pager.add_range(rows), make)
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

    def _fetch(self, cached: CachedAhead | None, request: PageRequest) -> Page[Any]:
        if request.url is not None and self._fetch_url is not None:
            return self._fetch_url(request.url)
        options = {} if cached is None else {"ahead": cached.read_ahead}
        return self._fetches[request.query](request.offset, request.limit, **options)

    def _first_page(self) -> Page[Any]:
        if self._state.first_page is None:
            self._state.first_page = self._fetches[0](0, self._state.first_limit)
        return self._state.first_page

    def _first_rows(self) -> Rows[T_co]:
        return self._rows(self._state.first_rows(self._first_page()))

    def _must_read_all(self) -> bool:
        """Return whether the number of rows is known from the rows alone."""
        if self._state.all_rows is not None or not self._state.has_server_count:
            return True
        return self._state.has_no_true_count(self._first_page())

    def _read_all(self) -> Rows[T_co]:
        if self._state.all_rows is None:
            self._state.all_rows = list(self._iterate())
        return self._rows(self._state.all_rows)

    def _table_rows(self) -> tuple[Sequence[Any], object]:
        # As for iterating: rows are stored only if counting needs them all.
        if self._must_read_all():
            self._read_all()
        stored = self._state.all_rows
        return list(self._iterate()) if stored is None else stored, declared_type(self._make)

    @overload
    def __getitem__(self, index: int) -> T_co: ...
    @overload
    def __getitem__(self, index: slice) -> list[T_co]: ...
    def __getitem__(self, index: int | slice) -> T_co | list[T_co]:
        self._refuse_column(index)
        if self._state.is_sequential and self._state.all_rows is None:
            is_first = self._state.has_in_first_page(index, self._first_page())
            return (self._first_rows() if is_first else self._read_all())[index]
        if self._must_read_all():
            return self._read_all()[index]
        if isinstance(index, slice):
            positions = range(*index.indices(len(self)))
            if positions == range(len(self)):
                return list(self)
            rows = [row for position in positions for row in self._row(position)]
            # Where a row was at two positions, all rows have been read meanwhile.
            return self._read_all()[index] if self._state.is_unstable else rows
        position = to_position(index, len(self))
        for row in self._row(position):
            return row
        raise gone(position)

    def __reversed__(self) -> Iterator[T_co]:
        if self._state.is_sequential or self._must_read_all():
            return reversed(self._read_all())
        return self._reverse()

    def _reverse(self) -> Generator[T_co]:
        returned = self._state.seen_rows()
        for position in reversed(range(len(self))):
            rows = self._row(position)
            if self._state.is_unstable:
                yield from returned.new_rows(self._read_all()[::-1])
                return
            yield from returned.new_rows(rows)

    def _row(self, position: int) -> list[T_co]:
        """Return the row at a position, or no row if the server does not have it any more."""
        if self._state.all_rows is not None:
            return self._rows(self._state.all_rows)[position : position + 1]
        first = self._first_page()
        if position < len(first.rows):
            return self._first_rows()[position : position + 1]
        size = len(first.rows) or 1  # the server may cap the page size below the one requested
        start = position - position % size
        # Fetched outside the lock, so that threads wait for no page but their own.
        rows = self._pages.get(start)
        if rows is None:
            page = self._fetches[0](start, size)
            self._state.warn_of_change(page)
            rows = page.rows
            if self._state.repeats_rows(start, rows):
                warn_of_order()
                return self._read_all()[position : position + 1]
        with self._pages_lock:
            self._pages[start] = rows
            self._pages.move_to_end(start)
            while len(self._pages) > _CACHED_PAGES:
                self._pages.popitem(last=False)
        return self._rows(rows)[position - start : position - start + 1]

    def __contains__(self, value: object) -> bool:
        return any(row is value or row == value for row in self)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Sequence) or isinstance(other, str | bytes):
            return NotImplemented
        # By rows and not by length: the server's count may be of another moment, or count repetitions.
        pairs = zip_longest(self, cast("Sequence[object]", other), fillvalue=object())
        return all(own is others or own == others for own, others in pairs)

    def _fetched_rows(self) -> tuple[Sequence[Any], int | None, object]:
        return *self._state.fetched_rows(), declared_type(self._make)

    def __repr__(self) -> str:
        # repr() must not perform I/O: debuggers call it at any time.
        state = self._state
        if state.all_rows is None and state.first_page is None:
            return "Results(not fetched yet)"
        if state.all_rows is None and self._must_read_all():
            return "Results(not counted yet)"
        count = len(self)
        rows = self._first_rows() if state.all_rows is None else self._rows(state.all_rows)
        lines = [f"  {row!r}," for row in rows[: min(3, count)]]
        rest = [f"  ... {count - len(lines)} more"] if count > len(lines) else []
        return "\n".join([f"Results({count} rows):", *lines, *rest])

    def __reduce__(self) -> tuple[Any, ...]:
        # A pickle holds the rows themselves: another process may have no client.
        return (_unpickle, (list(self), declared_type(self._make)))


def _unpickle(rows: list[T], declared: Any = None) -> Results[T]:
    def fetch(offset: int, limit: int | None) -> Page[T]:
        return Page(len(rows), rows[offset:], False)

    make = None if declared is None else RowSchema(declared)
    return rows_of(Results, declared)([fetch], first=Page(len(rows), rows, False), make=make)
