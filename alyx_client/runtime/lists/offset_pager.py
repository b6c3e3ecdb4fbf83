"""Paging by offset through the queries of a list, sans-I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from alyx_client.errors import IncompleteResultsWarning
from alyx_client.http.log import warn
from alyx_client.runtime.lists.paging import Page, PageRequest
from alyx_client.runtime.lists.query_pager import QueryPager
from alyx_client.runtime.lists.row_keys import RowKey, SeenRows

__all__ = ["OffsetPager"]

T = TypeVar("T")


class OffsetPager(Generic[T]):
    """The order in which the pages of a list are fetched, and which of their rows are new; sans-I/O.

    Parameters
    ----------
    query_count
        The number of queries: several if a long list of keys was split.
    page_size
        Rows per page; the server's default if None.
    max_items
        The most rows to return.
    row_key
        Returns the key of a row; None if rows have none.
    longest_page
        Rows of the pages after the first one if `page_size` is None; None for as many as the first one has.
    has_ranges
        Whether the list can be read by ranges of its keys in the end.
    """

    def __init__(
        self,
        query_count: int,
        page_size: int | None,
        max_items: int | None,
        row_key: RowKey | None,
        *,
        longest_page: int | None = None,
        has_ranges: bool = False,
    ) -> None:
        self._query_count = query_count
        self._page_size = page_size
        self._longest_page = longest_page
        self._has_ranges = has_ranges
        self._seen = SeenRows[T](row_key, max_items)
        self._query = 0
        self._pager = self._begin_query()
        self._doubts: list[str] = []

    def _begin_query(self) -> QueryPager[T]:
        is_only = self._query_count == 1
        return QueryPager(
            self._seen,
            self._page_size,
            longest_page=self._longest_page,
            has_ranges=self._has_ranges,
            is_only_query=is_only,
        )

    @property
    def next_page(self) -> PageRequest | None:
        """The page to fetch next, or None at the end."""
        if self._query >= self._query_count or self._seen.remaining == 0:
            return None
        return PageRequest(self._query, *self._pager.next_page)

    def upcoming(self, most: int) -> list[PageRequest]:
        """Return the page to fetch next and those that follow it if the list does not change, at most so many."""
        request = self.next_page
        if request is None:
            return []
        return [request, *(PageRequest(self._query, *page) for page in self._pager.following(most - 1))]

    def add_page(self, page: Page[T]) -> list[T]:
        """Take the page requested last, and return its new rows; none if other pages have to be fetched first."""
        rows = self._pager.add_page(page)
        if self._pager.is_finished:
            self._query += 1
            if self._query < self._query_count:
                self._doubts += self._pager.doubts
                self._pager = self._begin_query()
        return rows

    @property
    def needs_ranges(self) -> bool:
        """True if ranges of keys may bring further rows."""
        return self._has_ranges and self._seen.remaining != 0 and self._pager.may_miss_rows

    def add_range(self, rows: Sequence[T]) -> list[T]:
        """Take the rows of a range of keys, and return those that are new."""
        return self._pager.add_range(rows)

    def confirm_ranges(self) -> None:
        """Take note that all ranges of keys were read: each at one moment, and no row is in two of them."""
        self._pager.confirm()

    def warn_of_missing_rows(self) -> None:
        """Warn if rows may be missing or repeated."""
        for doubt in [*self._doubts, *self._pager.doubts][:1]:
            warn(
                f"{doubt} Narrow the query down, or fetch larger pages (page_size=1000, or limit=1000 by name).",
                IncompleteResultsWarning,
            )
