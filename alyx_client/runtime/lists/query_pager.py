"""Paging through one query, sans-I/O: which page comes next, and what the pages prove; the package tells how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from alyx_client.runtime.lists.key_set import KeySet
from alyx_client.runtime.lists.page_window import PageWindow
from alyx_client.runtime.lists.paging import LONGEST_PAGE, Page
from alyx_client.runtime.lists.row_keys import SeenRows, has_twice

__all__ = ["REPAIR_REQUESTS", "QueryPager"]

T = TypeVar("T")

REPAIR_REQUESTS = 10
"""Requests of one query that may bring no new rows, besides as many as those that bring some."""

_REPAIRS_BEFORE_RANGES = 2
_MOST_REPAIRS_FOR_GROWTH = 1000


class QueryPager(Generic[T]):
    """The order in which the pages of one query are fetched, and which of their rows are new; sans-I/O.

    Parameters
    ----------
    seen
        The rows returned so far, of other queries among them.
    page_size
        Rows per page; the server's default if None.
    longest_page
        Rows of the pages after the first one if `page_size` is None; None for as many as the first one has.
    has_ranges
        Whether the list can be read by ranges of its keys in the end.
    is_only_query
        Whether all rows returned are those of this query.
    """

    def __init__(
        self,
        seen: SeenRows[T],
        page_size: int | None,
        *,
        longest_page: int | None = None,
        has_ranges: bool,
        is_only_query: bool = True,
    ) -> None:
        self._seen = seen
        self._window = PageWindow(page_size, longest_page, LONGEST_PAGE)
        self._has_ranges = has_ranges
        self.is_finished = False
        """True if no further page of this query is to be fetched."""
        self._count: int | None = None
        self._lowest_count = 0
        self._keys = seen.keys if is_only_query else KeySet()
        self._rows_without_key = 0
        self._is_keyless = False  # pages brought rows without a key
        self._is_whole = False  # all rows were read at one moment
        self._is_unproven = False  # rows may be missing or repeated for all that the pages tell
        self._has_changed = False  # the count changed
        self._is_displaced = False  # pages did not overlap as they should
        self._is_disordered = False  # a row that was read came behind a new one
        self._edges: tuple[list[T], list[T]] = [], []  # the first and the last row of the last page
        self._reads_whole = False
        self._is_bringing_rows = True
        self._is_stepping_back = False
        # Ranges of keys find everything in the end; a few requests before may find it in the list's own order.
        is_repaired_in_the_end = has_ranges and seen.remaining is None
        self._budget = _REPAIRS_BEFORE_RANGES if is_repaired_in_the_end else REPAIR_REQUESTS
        self._growth_budget: int = _MOST_REPAIRS_FOR_GROWTH

    @property
    def next_page(self) -> tuple[int, int | None]:
        """The offset and the limit of the page to fetch next."""
        if self._reads_whole:
            return 0, self._limit_of_all(self._window.longest)
        # After a page of rows that were read before, it takes more than a page of the rows that are still wanted.
        return self._window.next_page(self._seen.remaining if self._is_bringing_rows else None)

    def following(self, most: int) -> list[tuple[int, int]]:
        """Return the offsets and limits of the pages after the next one, at most so many, as long as nothing changes.

        They may be fetched before the next one: a page shows by the row that it starts with that all rows in front of
        it were read, whichever of the two is older.
        """
        if self._count is None or not self._window.end or self._reads_whole or self._is_stepping_back:
            return []
        return self._window.following(self.next_page, self._count, self._seen.remaining, most)

    def _limit_of_all(self, limit: int) -> int:
        """Return how many rows from the first one on are wanted, at most as many as the limit."""
        remaining = self._seen.remaining
        return limit if remaining is None else min(limit, remaining + self._row_count)

    @property
    def may_miss_rows(self) -> bool:
        """True if other requests might bring further rows."""
        # Rows without a key that pages brought would come again.
        if self._is_whole or self._is_keyless:
            return False
        return self._is_unproven or self._has_changed or self._is_displaced or self._counted_more

    @property
    def doubts(self) -> list[str]:
        """Reasons why rows may be missing or repeated."""
        # Who asked for no more rows misses none.
        if self._is_whole or (self._seen.remaining == 0 and not self._is_keyless):
            return []
        # In an order that holds, each page shows that all rows in front of it were read, whatever changed.
        if self._is_unproven or (self._has_changed and self._is_disordered):
            return [
                "The list changed on the server while it was read, or its pages contradict its count: rows may be "
                f"missing or repeated ({self._lowest_count} rows counted)."
            ]
        # A count of joined rows is too high.
        if self._counted_more and not self._seen.has_repeats and self.is_finished:
            return [
                f"The server counted {self._lowest_count} rows and sent {self._row_count} different ones: its order is "
                "not stable from page to page."
            ]
        return []

    @property
    def _counted_more(self) -> bool:
        # Records that were created meanwhile need not be among the rows, so the lowest count decides.
        return self._lowest_count > self._row_count

    @property
    def _row_count(self) -> int:
        return len(self._keys) + self._rows_without_key

    def add_range(self, rows: Sequence[T]) -> list[T]:
        """Take the rows of a range of keys, and return those that are new."""
        return self._new_rows(rows, self._seen.keys_of(rows))

    def confirm(self) -> None:
        """Take note that all rows were read, each at a moment at which no other row could take its place."""
        self._is_whole = True

    def add_page(self, page: Page[T]) -> list[T]:
        """Take the page requested last, and return its new rows; none if other pages have to be fetched first."""
        offset, limit = self.next_page
        growth = self._note_count(page, limit)
        keys = self._seen.keys_of(page.rows)
        if self._reads_whole:
            self._reads_whole, self._is_stepping_back = False, True
            if None in keys and page.count > len(page.rows) and self._has_ranges:
                return self._leave_to_ranges()
            return self._accept(page, keys, offset, limit)
        if not self._window.end:
            return self._add_first(page, keys, limit)
        is_anchored = self._is_anchored(page, keys, offset)
        if (growth or not is_anchored) and self._repair(growth, is_anchored=is_anchored):
            return []
        return self._accept(page, keys, offset, limit, is_anchored=is_anchored)

    def _repair(self, growth: int, *, is_anchored: bool) -> bool:
        """Take note of a change, and return whether other pages are to be fetched instead of the one that showed it."""
        self._has_changed = self._has_changed or growth != 0
        self._is_displaced = self._is_displaced or not is_anchored
        if self._can_read_whole():
            self._reads_whole = True
            return True
        if not is_anchored and not self._is_keyless and self._spend():
            self._window.step_back(-growth, is_first=not self._is_stepping_back)
            self._is_stepping_back = True
            return True
        self._is_unproven = self._is_unproven or not is_anchored or self._is_keyless
        return False

    def _add_first(self, page: Page[T], keys: Sequence[object], limit: int | None) -> list[T]:
        if None in keys and self._limit_of_all(page.count) > len(page.rows):
            # Without keys, repeated and missing rows could not be told from page to page.
            if self._can_read_whole():
                self._reads_whole = True
                return []
            if self._has_ranges:
                return self._leave_to_ranges()
        return self._accept(page, keys, 0, limit)

    def _leave_to_ranges(self) -> list[T]:
        self._is_unproven = self.is_finished = True
        return []

    def _note_count(self, page: Page[T], limit: int | None) -> int:
        """Take note of a page's count, and return by how much it grew."""
        growth = 0 if self._count is None else page.count - self._count
        self._lowest_count = page.count if self._count is None else min(self._lowest_count, page.count)
        self._count = page.count
        if limit is not None and page.rows and len(page.rows) < limit and page.has_next:
            self._window.note_cap(len(page.rows))
        if growth > 0:
            # Rows created in front move those that were read onto the pages that follow.
            repairs = min(self._window.pages_of(growth), self._growth_budget)
            self._growth_budget -= repairs
            self._budget += repairs
        return growth

    def _can_read_whole(self) -> bool:
        """Return whether one page can replace the pages read so far; it costs one request of the budget."""
        # A page that is as long as the server allows may have been cut off.
        if self._is_keyless or self._count is None or self._limit_of_all(self._count) >= self._window.longest:
            return False
        return self._spend()

    def _is_anchored(self, page: Page[T], keys: Sequence[object], offset: int) -> bool:
        """Return whether no unread row lies in front of a page."""
        if not page.rows:
            return page.count == 0 or offset == self._window.end
        if offset == self._window.end or (offset == 0 and not self._is_keyless):
            return True
        if self._is_keyless:
            return offset == self._window.end - 1 and page.rows[:1] == self._edges[1]
        return keys[0] in self._keys

    def _accept(
        self, page: Page[T], keys: Sequence[object], offset: int, limit: int | None, *, is_anchored: bool = True
    ) -> list[T]:
        is_first = not self._window.end
        self._is_keyless = self._is_keyless or None in keys
        is_repeated = self._is_keyless and (page.rows[:1], page.rows[-1:]) == self._edges
        # Without keys, the rows of the overlap are known by their place.
        skipped = max(0, self._window.end - offset) if self._is_keyless and is_anchored else 0
        # Pages nearer to the front repeat rows on purpose, among those that were created meanwhile.
        beginning = len(page.rows) if self._is_stepping_back else max(0, self._window.end - offset)
        new = self._new_rows(page.rows[skipped:], keys[skipped:], beginning - skipped)
        self._is_whole = self._is_whole or (offset == 0 and page.count <= len(page.rows) < LONGEST_PAGE + is_first)
        self._is_bringing_rows = bool(new) and not is_repeated
        if self._is_bringing_rows:
            self._budget += 1
        elif page.rows and not is_first and not self._is_whole and not self._spend():
            # The server does not apply the offset, or the list moves faster than it can be read.
            self._is_unproven = self.is_finished = True
        self._advance(page, offset, limit)
        return new

    def _new_rows(self, rows: Sequence[T], keys: Sequence[object], beginning: int | None = None) -> list[T]:
        """Return the rows that are new; those from `beginning` on should be."""
        self._rows_without_key += keys.count(None)
        are_known = self._keys.add(keys)
        if beginning is not None and True in are_known[beginning:]:
            self._note_order(keys, are_known, beginning)
        if self._keys is self._seen.keys:
            return self._seen.take(rows, are_known)
        return self._seen.new_rows(rows, keys)

    def _note_order(self, keys: Sequence[object], are_known: Sequence[bool], beginning: int) -> None:
        """Take note of rows of earlier pages that come again where none should."""
        if has_twice(keys):
            # Rows of the page itself that come again say nothing.
            first = dict(zip(reversed(keys), reversed(are_known), strict=True))
            are_known = [first[key] for key in keys]
        were_read = are_known[beginning:]
        if True in were_read:
            self._is_displaced = True
            self._is_disordered = self._is_disordered or (
                False in were_read and True in were_read[were_read.index(False) :]
            )

    def _spend(self) -> bool:
        """Take one request from the budget; False if it is used up."""
        self._budget -= 1
        return self._budget >= 0

    def _advance(self, page: Page[T], offset: int, limit: int | None) -> None:
        end = offset + len(page.rows)
        window = self._window
        has_only_overlap = end <= window.end and not self._is_stepping_back
        window.advance(end, len(page.rows), is_back=self._is_stepping_back)
        self._is_stepping_back = False
        self._edges = page.rows[:1], page.rows[-1:]
        if offset == 0 and not self._is_keyless:
            window.widen_margin()
        if has_only_overlap and page.rows and window.margin and page.has_next and end < page.count:
            window.margin = 0  # the server's pages have no room for an overlap
            self._is_unproven = True
        elif not page.rows or has_only_overlap or (end >= page.count and not self._is_full(page, offset, limit)):
            self._finish()
        window.overlap = window.margin

    def _is_full(self, page: Page[T], offset: int, limit: int | None) -> bool:
        """Return whether a page may lack a row that was created between the server's counting and its reading."""
        return offset > 0 and limit is not None and len(page.rows) >= min(limit, self._window.longest)

    def _finish(self) -> None:
        if self._counted_more and self._can_read_whole():
            self._reads_whole = True
        else:
            self.is_finished = True
