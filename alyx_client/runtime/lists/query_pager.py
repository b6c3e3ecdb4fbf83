"""Paging through one query, sans-I/O.

Others may create and delete records while a list is read. Deletions move the unread rows towards the front, past the
position where reading goes on, and the count does not show it if as many rows were created elsewhere. Each page
therefore starts with the last row of the page before: as long as a page starts with a row that was read already, all
rows in front of it were read. If one does not, or if the count changes, then

- a list that fits in one page is fetched as one page: a picture of one moment, in which no row is missing or repeated;
- otherwise pages nearer to the front are fetched until one starts with a row that was read.

That assumes that the rows have an order. Where they have none, the database gives rows of equal rank in another order
for each offset, and only one page, or ranges of keys, show them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from alyx_client.runtime.lists.key_set import KeySet
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
        self._page_size = page_size
        self._longest_page = longest_page
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
        self._end = 0  # the position after the last row read
        self._overlap = 0  # rows before it to fetch again
        self._margin = 1  # the overlap of pages that need no repair
        self._first_length = 0
        self._edges: tuple[list[T], list[T]] = [], []  # the first and the last row of the last page
        self._longest = LONGEST_PAGE
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
            return 0, self._most(self._longest, of_all=True)
        overlap = min(self._end, self._overlap)
        # The limit has room for the overlap, and for one more row, whose absence tells that the page is the last one:
        # a list that does not change needs no more requests than without an overlap.
        extended = self._extended(overlap) if self._end else self._page_size
        # After a page of rows that were read before, it takes more than a page of the rows that are still wanted.
        return self._end - overlap, self._most(extended, overlap) if self._is_bringing_rows else extended

    def following(self, most: int) -> list[tuple[int, int]]:
        """Return the offsets and limits of the pages after the next one, at most so many, as long as nothing changes.

        They may be fetched before the next one: a page shows by the row that it starts with that all rows in front of
        it were read, whichever of the two is older.
        """
        offset, limit = self.next_page
        remaining = self._seen.remaining
        pages: list[tuple[int, int]] = []
        if limit is None or self._count is None or not self._end or self._reads_whole or self._is_stepping_back:
            return pages
        overlap = self._end - offset
        while len(pages) < most:
            end = offset + limit
            if remaining is not None:
                remaining -= limit - overlap
            if end >= self._count or (remaining is not None and remaining <= 0) or limit <= self._margin:
                return pages
            overlap = self._margin
            limit = self._extended(overlap) if remaining is None else min(self._extended(overlap), remaining + overlap)
            offset = end - overlap
            pages.append((offset, limit))
        return pages

    def _extended(self, overlap: int) -> int:
        # Without a page size, the first page is as long as the server makes it, and the others as long as it can.
        size = self._page_size or max(self._first_length, min(self._longest_page or 0, self._longest))
        return min(size + overlap + 1, max(size, self._longest))

    def _most(self, size: int | None, overlap: int = 0, *, of_all: bool = False) -> int | None:
        remaining = self._seen.remaining
        if remaining is None:
            return size
        wanted = remaining + (self._row_count if of_all else overlap)
        return wanted if size is None else min(size, wanted)

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
        if not self._end:
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
            self._step_back(-growth)
            return True
        self._is_unproven = self._is_unproven or not is_anchored or self._is_keyless
        return False

    def _add_first(self, page: Page[T], keys: Sequence[object], limit: int | None) -> list[T]:
        wanted = self._most(page.count)
        if None in keys and wanted is not None and wanted > len(page.rows):
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
            self._longest = min(self._longest, len(page.rows))  # the server sends no more at once
            # The overlap that costs long pages nothing may be half of a short one.
            self._margin = min(self._margin, max(1, self._longest // 20))
        if growth > 0:
            # Rows created in front move those that were read onto the pages that follow.
            repairs = min(growth // max(1, self._first_length) + 1, self._growth_budget)
            self._growth_budget -= repairs
            self._budget += repairs
        return growth

    def _can_read_whole(self) -> bool:
        """Return whether one page can replace the pages read so far; it costs one request of the budget."""
        count = self._most(self._count, of_all=True)
        # A page that is as long as the server allows may have been cut off.
        if self._is_keyless or count is None or count >= self._longest:
            return False
        return self._spend()

    def _is_anchored(self, page: Page[T], keys: Sequence[object], offset: int) -> bool:
        """Return whether no unread row lies in front of a page."""
        if not page.rows:
            return page.count == 0 or offset == self._end
        if offset == self._end or (offset == 0 and not self._is_keyless):
            return True
        if self._is_keyless:
            return offset == self._end - 1 and page.rows[:1] == self._edges[1]
        return keys[0] in self._keys

    def _step_back(self, deleted: int) -> None:
        size = self._page_size or self._first_length
        # As far as the count fell; if that is not enough, deletions and creations balance.
        is_explained = deleted > 0 and not self._is_stepping_back
        self._overlap = min(self._end, self._overlap + deleted if is_explained else max(size, 2 * self._overlap))
        self._is_stepping_back = True
        # The pages that follow overlap more: the list may shrink all the time, and where it has no order, a page of the
        # same offset and limit would start with the same row again.
        self._margin = min(2 * self._margin, max(1, size // 2))

    def _accept(
        self, page: Page[T], keys: Sequence[object], offset: int, limit: int | None, *, is_anchored: bool = True
    ) -> list[T]:
        is_first = not self._end
        self._is_keyless = self._is_keyless or None in keys
        is_repeated = self._is_keyless and (page.rows[:1], page.rows[-1:]) == self._edges
        # Without keys, the rows of the overlap are known by their place.
        skipped = max(0, self._end - offset) if self._is_keyless and is_anchored else 0
        # Pages nearer to the front repeat rows on purpose, among those that were created meanwhile.
        beginning = len(page.rows) if self._is_stepping_back else max(0, self._end - offset)
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
        has_only_overlap = end <= self._end and not self._is_stepping_back
        self._end = end if self._is_stepping_back else max(self._end, end)
        self._is_stepping_back = False
        self._first_length = self._first_length or len(page.rows)
        self._edges = page.rows[:1], page.rows[-1:]
        if offset == 0:
            self._widen_margin()
        if has_only_overlap and page.rows and self._margin and page.has_next and end < page.count:
            self._margin = 0  # the server's pages have no room for an overlap
            self._is_unproven = True
        elif not page.rows or has_only_overlap or (end >= page.count and not self._is_full(page, offset, limit)):
            self._finish()
        self._overlap = self._margin

    def _is_full(self, page: Page[T], offset: int, limit: int | None) -> bool:
        """Return whether a page may lack a row that was created between the server's counting and its reading."""
        return offset > 0 and limit is not None and len(page.rows) >= min(limit, self._longest)

    def _widen_margin(self) -> None:
        """Let long pages overlap by more rows, at no cost: they show a changed order, and outlast some deletions."""
        if self._longest_page and self._page_size is None and not self._is_keyless:
            self._margin = max(self._margin, min(self._longest // 20, self._first_length // 2))

    def _finish(self) -> None:
        if self._counted_more and self._can_read_whole():
            self._reads_whole = True
        else:
            self.is_finished = True
