"""Paging by offset, sans-I/O: the order in which pages are fetched, and which of their rows are new."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from alyx_client.errors import IncompleteResultsWarning
from alyx_client.http.log import warn
from alyx_client.http.message import Params

__all__ = ["OffsetPager", "Page", "PageRequest", "RowKey", "first_limit", "has_repeats", "key_of", "page_params"]

T = TypeVar("T")
RowKey = Callable[[Any], object]
"""Returns the key that identifies a row of a list; None for rows without one."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list.

    Parameters
    ----------
    count
        The number of rows of the whole list, as the server counts them.
    rows
        The rows of this page.
    has_next
        Whether the server says that another page follows.
    """

    count: int
    rows: list[T]
    has_next: bool


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A page to fetch: the number of the query, the position of the first row, and the page size."""

    query: int
    offset: int
    limit: int | None


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
    """

    def __init__(self, query_count: int, page_size: int | None, max_items: int | None, row_key: RowKey | None) -> None:
        self._query_count = query_count
        self._page_size = page_size
        self._remaining = max_items
        self._row_key = row_key
        self._keys: set[object] = set()
        self._query = 0
        self._end = 0  # the position after the last row read
        self._overlap = 0  # rows before it to fetch again, in case that rows are deleted meanwhile
        self._longest_page = 0
        self._stepped_back = False
        self._last_count: int | None = None
        self._lowest_count = 0
        self._has_unidentified_rows = False
        self._has_repeats = False

    @property
    def next_page(self) -> PageRequest | None:
        """The page to fetch next, or None at the end."""
        if self._query >= self._query_count or self._remaining == 0:
            return None
        # Rows of the overlap are no new rows, so that the limit has to make room for them.
        remaining = None if self._remaining is None else self._remaining + min(self._end, self._overlap)
        sizes = [size for size in (self._page_size, remaining) if size is not None]
        return PageRequest(self._query, max(0, self._end - self._overlap), min(sizes, default=None))

    def has_unidentified_rows(self, first: Page[T]) -> bool:
        """Return whether rows lost or repeated on later pages would go unnoticed, since rows have no keys."""
        # A list of one page is complete, whatever its order.
        has_more = first.count > len(first.rows) and (self._remaining is None or self._remaining > len(first.rows))
        return has_more and any(self._row_key is None or self._row_key(row) is None for row in first.rows)

    @property
    def is_missing_rows(self) -> bool:
        """True if the server counted more rows than it sent, at the end of one query.

        Records that were added meanwhile need not be among the rows, so the lowest count decides.
        """
        if self._query_count != 1 or self._remaining == 0 or self._has_unidentified_rows or self._last_count is None:
            return False
        return self._lowest_count > len(self._keys)

    def add_page(self, page: Page[T]) -> list[T]:
        """Take the page requested last, and return its new rows."""
        deleted = 0 if self._last_count is None else self._last_count - page.count
        self._lowest_count = page.count if self._last_count is None else min(self._lowest_count, page.count)
        self._last_count = page.count
        if deleted > self._overlap and not self._has_unidentified_rows and not self._stepped_back:
            # Deletions move the later records up: some that were not read yet now lie before this page. It is fetched
            # again from there, but not twice in a row, so that the pages of a list that shrinks all the time come to
            # an end; from then on, the overlap makes up for deletions.
            self._end = max(0, self._end - deleted)
            self._overlap = min(2 * deleted, self._longest_page // 2)
            self._stepped_back = True
            return []
        self._stepped_back = False
        self._advance(page)
        return self.new_rows(page.rows)

    def _advance(self, page: Page[T]) -> None:
        self._longest_page = max(self._longest_page, len(page.rows))
        end = max(0, self._end - self._overlap) + len(page.rows)
        if end <= self._end:
            self._overlap = 0  # a page within the overlap would be fetched for ever
        self._end = max(self._end, end)
        # By the count and the rows, and not by `next`: a page without rows ends the list, whatever the server says.
        if not page.rows or end >= page.count:
            self._query += 1
            self._end = self._overlap = self._longest_page = 0
            if self._query < self._query_count:
                self._last_count = None  # the next query has a count of its own

    def new_rows(self, rows: Sequence[T]) -> list[T]:
        """Return the rows that were not seen before, at most as many as remain."""
        new: list[T] = []
        keys = [None if self._row_key is None else self._row_key(row) for row in rows]
        self._has_repeats = self._has_repeats or has_repeats(keys)
        for row, key in zip(rows, keys, strict=True):
            # Rows without a key may be repetitions, but dropping equal rows might drop different records.
            if key is None:
                self._has_unidentified_rows = True
            elif key in self._keys:
                continue
            else:
                self._keys.add(key)
            new.append(row)
        if self._remaining is not None:
            new = new[: self._remaining]
            self._remaining -= len(new)
        return new

    def warn_of_missing_rows(self) -> None:
        """Warn if rows are missing, unless the count is too high because it counts repetitions."""
        if not self.is_missing_rows or self._has_repeats:
            return
        warn(
            f"The server counted {self._lowest_count} rows and sent {len(self._keys)} different ones: its order is not "
            "stable from page to page. Narrow the query down, or fetch larger pages (limit=1000).",
            IncompleteResultsWarning,
        )


def page_params(params: Params, offset: int, limit: int | None) -> Params:
    """Return the query parameters of one page of a list.

    Parameters
    ----------
    params
        The query parameters of the list, without paging.
    offset
        The position of the page's first row.
    limit
        The page size, in rows; the server's default if None.
    """
    paging = [] if limit is None else [("limit", str(limit))]
    if offset:
        paging.append(("offset", str(offset)))
    return (*params, *paging)


def key_of(fields: Mapping[str, object]) -> object:
    """Return the key that identifies a row with these fields; None if there is none."""
    for name in ("id", "url", "name"):
        value = fields.get(name)
        if isinstance(value, str | int | UUID):
            # Two labs may have a location of the same name.
            return (value, fields["lab"]) if name == "name" and isinstance(fields.get("lab"), str) else value
    return None


def has_repeats(keys: Sequence[object]) -> bool:
    """Return whether a page has the same row twice, as it does where Alyx joins other tables without ``distinct``."""
    return None not in keys and len(set(keys)) < len(keys)


def first_limit(page_size: int | None, max_items: int | None) -> int | None:
    """Return the limit of the first page.

    Raises
    ------
    ValueError
        One of the numbers is too small.
    """
    if page_size is not None and page_size < 1:
        raise ValueError(f"limit is the number of rows fetched at a time, at least 1; not {page_size}")
    if max_items is not None and max_items < 0:
        raise ValueError(f"max_items cannot be negative: {max_items}")
    # Even with max_items=0, one row is fetched: its page tells the number of rows.
    return min((max(size, 1) for size in (page_size, max_items) if size is not None), default=None)
