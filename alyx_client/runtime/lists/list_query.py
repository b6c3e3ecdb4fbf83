"""A list of an endpoint as a value, and the state of its fetching that both kinds of results share; sans-I/O."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar
from uuid import UUID

from alyx_client.errors import IncompleteResultsWarning
from alyx_client.http.flow import Flow, Send
from alyx_client.http.log import warn
from alyx_client.http.message import Params, Request, Response
from alyx_client.http.read_ahead import ReadAhead
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.runtime.lists.key_ranges import KeyRanges
from alyx_client.runtime.lists.next_pager import NextPager
from alyx_client.runtime.lists.offset_pager import OffsetPager
from alyx_client.runtime.lists.paging import ALYX_PAGING, Page, PageRequest, Paging, first_limit
from alyx_client.runtime.lists.row_keys import RowKey, SeenRows, as_uuid, has_repeats
from alyx_client.runtime.rows import Make

__all__ = ["ListQuery", "ListState", "gone", "to_position", "warn_of_order"]

T = TypeVar("T")

_MOST_BELIEVED = 10**8  # far above the rows of any table of Alyx


@dataclass(frozen=True, slots=True)
class ListQuery(Generic[T]):
    """The query for a list: what to send, and how to tell its rows apart.

    Parameters
    ----------
    page_step
        Returns the step that requests one page, by query parameters, offset and limit.
    read_page
        Reads a page from its response.
    param_sets
        The query parameters, without paging; several sets if a long list of keys was split.
    row_key
        Returns the key that identifies a row; None if nothing certainly does.
    has_uuids
        Whether the server can be asked for ranges of the rows' UUIDs.
    page_size
        Rows per page; the server's default if None.
    max_items
        The most rows to return.
    first_page
        The first page, if it has been fetched already.
    paging
        How the list is divided into pages.
    url_step
        Returns the step that requests a page by its URL, where pages are named by one.
    make
        Makes the record of a row of a page; None if rows are returned as they are.
    parallel
        How many pages are fetched at a time.
    longest_page
        Rows of the pages after the first one if `page_size` is None; None for as many as the first one has.
    """

    page_step: Callable[[Params, int, int | None], Send]
    read_page: Callable[[Response], Page[Any]]
    param_sets: Sequence[Params]
    row_key: RowKey | None
    has_uuids: bool
    page_size: int | None = None
    max_items: int | None = None
    first_page: Page[Any] | None = None
    paging: Paging = ALYX_PAGING
    url_step: Callable[[str], Send] | None = None
    make: Make | None = None
    parallel: int = 1
    longest_page: int | None = None

    def fetch_page(
        self, params: Params, offset: int, limit: int | None, ahead: ReadAhead | None = None
    ) -> Flow[Page[Any]]:
        """Fetch one page.

        Parameters
        ----------
        params
            The query parameters, without paging.
        offset, limit
            The position of the page's first row, and its size.
        ahead
            The requests that are going to follow.
        """
        step = self.page_step(params, offset, limit)
        response: Response = yield replace(step, request=replace(step.request, read_ahead=ahead)) if ahead else step
        return self.read_page(response)

    def fetch_url(self, url: str) -> Flow[Page[Any]]:
        """Fetch the page at a URL."""
        assert self.url_step is not None
        response: Response = yield self.url_step(url)
        return self.read_page(response)

    def requests(self, pages: Iterable[PageRequest]) -> list[Request]:
        """Return the requests for pages that have a position."""
        steps = (self.page_step(self.param_sets[page.query], page.offset, page.limit) for page in pages)
        return [step.request for step in steps]

    def fetch_first_page(self) -> Flow[Page[Any] | None]:
        """Fetch the first page; None if nothing can match the query, so that nothing is sent."""
        limit = first_limit(self.page_size, self.max_items)
        return (yield from self.fetch_page(self.param_sets[0], 0, limit)) if self.param_sets else None

    @property
    def has_key_ranges(self) -> bool:
        """True if the query can be split into ranges of UUIDs."""
        # A split list of keys needs none: the rows of each part fit on one page, as a rule.
        return self.has_uuids and len(self.param_sets) == 1 and KeyRanges.can_split(self.param_sets[0])

    def key_ranges(self) -> KeyRanges:
        """Split the query into ranges of UUIDs."""
        return KeyRanges(self.param_sets[0])

    def uuids_of(self, rows: Sequence[Any]) -> Iterator[UUID]:
        """Yield the UUIDs of the rows that have one."""
        if self.row_key is not None:
            yield from filter(None, map(as_uuid, map(self.row_key, rows)))


class ListState(Generic[T]):
    """The fetched part of a list, and the decisions that follow from it; sans-I/O.

    Parameters
    ----------
    query_count
        The number of queries.
    page_size, max_items, row_key
        As for `OffsetPager`.
    first_page
        The first page, if it has been fetched already.
    paging
        How the list is divided into pages.
    longest_page
        As for `OffsetPager`.
    """

    def __init__(
        self,
        query_count: int,
        page_size: int | None,
        max_items: int | None,
        row_key: RowKey | None,
        first_page: Page[T] | None,
        paging: Paging = ALYX_PAGING,
        longest_page: int | None = None,
    ) -> None:
        self.first_limit = first_limit(page_size, max_items)
        self.first_page = first_page
        self._first_rows: tuple[Page[T], list[T]] | None = None
        self.all_rows: list[T] | None = None if query_count else []
        self._query_count = query_count
        self._page_size = page_size
        self._max_items = max_items
        self._row_key = row_key
        self._paging = paging
        self._longest_page = longest_page
        self._first_page_repeats: bool | None = None
        self._start_of_key: dict[object, int] = {}
        self._has_warned = False
        self.is_unstable = False
        """True if a row was at two positions."""

    def first_rows(self, first_page: Page[T]) -> list[T]:
        """Return the rows of the first page in a list of their own, in which records may take their places.

        Rows of pages are compared with each other as they came.
        """
        if self._first_rows is None or self._first_rows[0] is not first_page:
            self._first_rows = first_page, list(first_page.rows)
        return self._first_rows[1]

    @property
    def has_server_count(self) -> bool:
        """True if the server counts the rows; those of several queries can only be counted by reading them."""
        first = self.first_page
        return self._query_count == 1 and (first is None or first.is_counted or not first.has_next)

    def fetched_rows(self) -> tuple[Sequence[T], int | None]:
        """Return the rows that are stored, and the number of all of them, None if it is not known."""
        if self.all_rows is not None:
            return self.all_rows, len(self.all_rows)
        first = self.first_page
        if first is None:
            return (), None
        is_counted = self.has_server_count and not self.has_no_true_count(first)
        return first.rows[: self.length(len(first.rows))], self.length(first.count) if is_counted else None

    @property
    def is_known(self) -> bool:
        """True if the number of rows is known without fetching anything."""
        return self.all_rows is not None or (self.first_page is not None and self.has_server_count)

    @property
    def is_empty_by_request(self) -> bool:
        """True if ``max_items=0`` was passed."""
        return self._max_items == 0

    def has_no_true_count(self, first_page: Page[T]) -> bool:
        """Return whether the server's count is missing or wrong: rows of joined tables repeatedly, or an absurd one."""
        # list() reserves memory for as many rows as len() says, before it reads them.
        if first_page.count > _MOST_BELIEVED or (first_page.has_next and not first_page.is_counted):
            return True
        return self._has_repeats(first_page)

    def _has_repeats(self, first_page: Page[T]) -> bool:
        # Judged by the first page: a query that joins other tables repeats rows there already, as a rule.
        if self._first_page_repeats is None:
            self._first_page_repeats = has_repeats(first_page.rows, self._row_key)
        return self._first_page_repeats

    def repeats_rows(self, start: int, rows: Sequence[T]) -> bool:
        """Return whether a page has a row of another page that was read: then there are others that no page has.

        Parameters
        ----------
        start
            The position of the page's first row.
        rows
            The rows.
        """
        pages = [(start, rows)]
        if not self._start_of_key and self.first_page is not None:
            pages.insert(0, (0, self.first_page.rows))
        known = self._start_of_key.setdefault
        keys = [(key, at) for at, page in pages for key in self.seen_rows().keys_of(page)]
        # All of them, not until the first: each is needed for the pages to come.
        if sum(known(key, at) != at for key, at in keys if key is not None):
            self.is_unstable = True
        return self.is_unstable

    def warn_of_change(self, page: Page[T]) -> None:
        """Warn once if a page that was read by position counts other rows than the first one: positions have moved."""
        first = self.first_page
        if first is None or page.count == first.count or self._has_warned:
            return
        self._has_warned = True
        warn(
            f"Rows of this list are read by position, and it has changed on the server ({first.count} rows, now "
            f"{page.count}), so that rows may be skipped. Iterate over the list, which returns each row once.",
            IncompleteResultsWarning,
        )

    def seen_rows(self) -> SeenRows[T]:
        """Return a record of returned rows, none as yet."""
        return SeenRows(self._row_key, None)

    def length(self, total: int) -> int:
        """Return the number of rows to return, of those that the server counted."""
        return total if self._max_items is None else min(total, self._max_items)

    def has_in_first_page(self, index: int | slice, first_page: Page[T]) -> bool:
        """Return whether the rows at an index, or of a slice, are certainly on the first page."""
        if self._query_count != 1 or self._has_repeats(first_page):
            return False
        length = len(first_page.rows) if self._max_items is None else min(len(first_page.rows), self._max_items)
        if not isinstance(index, slice):
            return 0 <= operator.index(index) < length
        if index.stop is None or (index.step is not None and operator.index(index.step) <= 0):
            return False
        return operator.index(index.start or 0) >= 0 and 0 <= operator.index(index.stop) <= length

    @property
    def is_sequential(self) -> bool:
        """True if pages are read in their order alone."""
        return self._paging.style != "offset"

    def pager(self, *, has_ranges: bool) -> OffsetPager[T] | NextPager[T]:
        """Return a pager at the beginning of the list; `has_ranges` is whether it can be read by ranges of keys."""
        if self.is_sequential:
            return NextPager(self._query_count, self._paging, self._page_size, self._max_items, self._row_key)
        return OffsetPager(
            self._query_count,
            self._page_size,
            self._max_items,
            self._row_key,
            longest_page=self._longest_page,
            has_ranges=has_ranges,
        )


def warn_of_order() -> None:
    """Warn that rows which were read by their position may be repeated or missing."""
    warn(
        "Rows of this list were read by position, and the server has returned one of them at two positions: its order "
        "changes, or the list did. All rows are read once now; those read by position before may be repeated. "
        "Iterate over the list, which returns each row once.",
        IncompleteResultsWarning,
    )


def to_position(index: int, length: int) -> int:
    """Return the position of an index, which may be negative.

    Raises
    ------
    IndexError
        There is no such row.
    """
    position = operator.index(index)
    position = position + length if position < 0 else position
    if not 0 <= position < length:
        raise IndexError(f"there is no row {index}: the list has {length}")
    return position


def gone(position: int) -> IndexError:
    """Return the error for a row that the server counted, but does not have any more."""
    return IndexError(f"row {position} is not there any more; the list changed on the server")
