"""Paging by offset, sans-I/O: the order in which pages are fetched, and which of their rows are new.

Others may create and delete records while a list is read. Deletions move the unread rows towards the front, past the
position where reading goes on, and the count does not show it if as many rows were created elsewhere. Each page
therefore starts with the last row of the page before: as long as a page starts with a row that was read already, all
unread rows lie behind its start. If it does not, pages nearer to the front are fetched until one does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from alyx_client.errors import IncompleteResultsWarning
from alyx_client.http.log import warn
from alyx_client.runtime.paging import Page, PageRequest, RowKey, has_repeats

__all__ = ["OffsetPager"]

T = TypeVar("T")

_LONGEST_PAGE = 1000  # Alyx sends no more rows than this at once; overlaps make no page longer
_FREE_REPAIRS = 8
_MOST_GROWTH_REPAIRS = 1000


class _Budget:
    """The number of requests that may bring no new rows: a few, and as many as those that brought some."""

    def __init__(self) -> None:
        self._remaining = _FREE_REPAIRS
        self._remaining_for_growth: int = _MOST_GROWTH_REPAIRS

    def earn(self) -> None:
        self._remaining += 1

    def earn_for_growth(self, pages: int) -> None:
        """Allow for pages of rows that were read before, and that rows created in front of them moved."""
        pages = min(pages, self._remaining_for_growth)
        self._remaining_for_growth -= pages
        self._remaining += pages

    def spend(self) -> bool:
        """Take one request from the budget; False if it is used up."""
        self._remaining -= 1
        return self._remaining >= 0


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
        self._query_keys: set[object] = self._keys if query_count == 1 else set()  # those of the present query
        self._query = 0
        self._end = 0  # the position after the last row read
        self._overlap = 0  # rows before it to fetch again
        self._margin = 1  # the overlap of pages that need no repair; more in a list that shrinks all the time
        self._last_row: list[T] = []  # the row before the end, if any
        self._first_length = 0
        self._is_repairing = False
        self._last_count: int | None = None
        self._lowest_count = 0
        self._budget = _Budget()
        self._has_changed = False
        self._is_disordered = False
        self._is_unproven = False
        self._has_unidentified_rows = False
        self._has_repeats = False

    @property
    def next_page(self) -> PageRequest | None:
        """The page to fetch next, or None at the end."""
        if self._query >= self._query_count or self._remaining == 0:
            return None
        overlap = min(self._end, self._overlap)
        # Rows of the overlap are no new rows, so that the limits have to make room for them: a list that does not
        # change needs no more requests than without an overlap.
        remaining = None if self._remaining is None else self._remaining + overlap
        size = self._page_size or self._first_length or None
        if size is not None and overlap:
            size = min(size + overlap, max(size, _LONGEST_PAGE))
        elif not self._end:
            size = self._page_size
        sizes = [limit for limit in (size, remaining) if limit is not None]
        return PageRequest(self._query, self._end - overlap, min(sizes, default=None))

    def has_unidentified_rows(self, first: Page[T]) -> bool:
        """Return whether rows lost or repeated on later pages would go unnoticed, since rows have no keys."""
        # A list of one page is complete, whatever its order.
        has_more = first.count > len(first.rows) and (self._remaining is None or self._remaining > len(first.rows))
        return has_more and any(self._key(row) is None for row in first.rows)

    @property
    def is_missing_rows(self) -> bool:
        """True if more rows are wanted, and there are some or may be some."""
        if self._remaining == 0:
            return False
        return self._is_uncertain or self._counted_more

    @property
    def _is_uncertain(self) -> bool:
        # An order that is not stable puts rows that were read behind new ones, and others that are new in front.
        return self._is_unproven or (self._has_changed and self._is_disordered)

    @property
    def _counted_more(self) -> bool:
        """True if the server counted more rows than it sent, at the end of one query.

        Records that were added meanwhile need not be among the rows, so the lowest count decides.
        """
        if self._query_count != 1 or self._has_unidentified_rows or self._last_count is None:
            return False
        return self._lowest_count > len(self._keys)

    def add_page(self, page: Page[T]) -> list[T]:
        """Take the page requested last, and return its new rows; none if an earlier page has to be fetched first."""
        start = self._end - min(self._end, self._overlap)
        deleted = self._count(page)
        is_anchored = self._is_anchored(page, start, deleted)
        if not is_anchored:
            self._has_changed = True
            if not self._has_unidentified_rows and self._budget.spend():
                self._step_back(deleted)
                return []
            self._is_unproven = True
        is_first = not self._first_length
        rows, overlap = page.rows, self._end - start
        if self._has_unidentified_rows:
            rows, overlap = rows[overlap if is_anchored else 0 :], 0
        new = self._take(rows, overlap)
        is_repeated = self._has_unidentified_rows and self._ends_as_before(page)
        self._advance(page, start)
        if new and not is_repeated:
            self._budget.earn()
        elif page.rows and not is_first and not self._budget.spend():
            # The server does not apply the offset, or its count is far too high.
            self._is_unproven = self._is_unproven or self._query < self._query_count
            self._query = self._query_count
        return new

    def _count(self, page: Page[T]) -> int:
        """Take note of a page's count, and return by how much it fell."""
        deleted = 0 if self._last_count is None else self._last_count - page.count
        self._lowest_count = page.count if self._last_count is None else min(self._lowest_count, page.count)
        self._last_count = page.count
        if deleted:
            self._has_changed = True
            # Rows without keys may have moved unnoticed.
            self._is_unproven = self._is_unproven or self._has_unidentified_rows
        if deleted < 0:
            self._budget.earn_for_growth(-deleted // max(1, self._first_length) + 1)
        return deleted

    def _is_anchored(self, page: Page[T], start: int, deleted: int) -> bool:
        """Return whether no unread row can lie in front of a page, since it starts with a row that was read before."""
        if self._end == 0 or (start == 0 and not self._has_unidentified_rows):
            return True
        if not page.rows:
            return page.count == 0 or (start == self._end and deleted == 0)
        if start == self._end:
            return False
        key = self._key(page.rows[0])
        if key is None or self._has_unidentified_rows:
            return start == self._end - 1 and page.rows[:1] == self._last_row
        return key in self._query_keys

    def _step_back(self, deleted: int) -> None:
        size = self._page_size or self._first_length
        # As far as the count fell; if that is not enough, deletions and creations balance.
        is_explained = deleted > 0 and not self._is_repairing
        self._overlap = self._overlap + deleted if is_explained else max(size, 2 * self._overlap)
        self._margin = max(1, self._margin, min(2 * deleted, self._first_length // 2))
        self._is_repairing = True

    def _ends_as_before(self, page: Page[T]) -> bool:
        return self._end > 0 and page.rows[-1:] == self._last_row

    def _advance(self, page: Page[T], start: int) -> None:
        end = start + len(page.rows)
        position = start if self._is_repairing else self._end
        self._is_repairing = False
        self._first_length = self._first_length or len(page.rows)
        if end <= position:
            self._margin = 0  # a page within the overlap would be fetched for ever
        self._end = max(position, end)
        self._overlap = self._margin
        self._last_row = page.rows[-1:]
        # By the count and the rows, and not by `next`: a page without rows ends the list, whatever the server says.
        if not page.rows or end >= page.count:
            if self._has_unidentified_rows and self._end < page.count:
                self._is_unproven = True  # otherwise the keys are counted
            self._query += 1
            if self._query < self._query_count:
                self._begin_query()

    def _begin_query(self) -> None:
        self._end = self._overlap = self._first_length = 0
        self._margin = 1
        self._last_row = []
        self._last_count = None  # each query has a count of its own
        self._query_keys = set()

    def _key(self, row: T) -> object:
        return None if self._row_key is None else self._row_key(row)

    def new_rows(self, rows: Sequence[T]) -> list[T]:
        """Return the rows that were not seen before, at most as many as remain."""
        return self._take(rows, 0)

    def _take(self, rows: Sequence[T], overlap: int) -> list[T]:
        new: list[T] = []
        keys = [self._key(row) for row in rows]
        self._has_repeats = self._has_repeats or has_repeats(keys[overlap:])
        self._is_disordered = self._is_disordered or self._has_read_behind_new(keys)
        for row, key in zip(rows, keys, strict=True):
            # Rows without a key may be repetitions, but dropping equal rows might drop different records.
            if key is None:
                self._has_unidentified_rows = True
            elif key in self._keys:
                self._query_keys.add(key)
                continue
            else:
                self._keys.add(key)
                self._query_keys.add(key)
            new.append(row)
        if self._remaining is not None:
            new = new[: self._remaining]
            self._remaining -= len(new)
        return new

    def _has_read_behind_new(self, keys: Sequence[object]) -> bool:
        has_new = False
        for key in keys:
            is_read = key in self._query_keys
            if has_new and is_read:
                return True
            has_new = has_new or not is_read
        return False

    def expect_ranges(self) -> None:
        """Leave the rows to ranges of keys: without keys, repeated and missing rows of pages cannot be told."""
        self._query = self._query_count
        self._is_unproven = True

    def confirm_ranges(self) -> None:
        """Take note that all ranges of keys were read: no row is in two of them, and each was read at once."""
        self._is_unproven = self._is_disordered = False

    def warn_of_missing_rows(self) -> None:
        """Warn if rows are missing, unless the count is too high because it counts repetitions."""
        if self._is_unproven or (self._is_uncertain and self._remaining != 0):
            reason = (
                "The list changed on the server while it was read, or the server's pages contradict its count: rows "
                f"may be missing or repeated ({self._last_count} rows counted)."
            )
        elif self._remaining != 0 and self._counted_more and not self._has_repeats:
            reason = (
                f"The server counted {self._lowest_count} rows and sent {len(self._keys)} different ones: its order is "
                "not stable from page to page."
            )
        else:
            return
        warn(f"{reason} Narrow the query down, or fetch larger pages (limit=1000).", IncompleteResultsWarning)
