"""Positions and sizes of the pages of one query, and how many rows they have in common; sans-I/O."""

from __future__ import annotations

__all__ = ["PageWindow"]


class PageWindow:
    """The place in a query up to which its rows were read, and the pages that follow there.

    Parameters
    ----------
    page_size
        Rows per page; the server's default if None.
    longest_page
        Rows of the pages after the first one if `page_size` is None; None for as many as the first one has.
    longest
        The most rows that the server sends at once, as far as is known.
    """

    def __init__(self, page_size: int | None, longest_page: int | None, longest: int) -> None:
        self._page_size = page_size
        self._longest_page = longest_page
        self.longest = longest
        """The most rows that the server sends at once, as far as its pages have shown."""
        self.end = 0
        """The position after the last row read."""
        self.overlap = 0
        """How many rows in front of it the next page fetches again."""
        self.margin = 1
        """The overlap of pages that need no repair."""
        self._first_length = 0

    def next_page(self, remaining: int | None) -> tuple[int, int | None]:
        """Return the offset and the limit of the next page, which needs no more rows than remain."""
        overlap = min(self.end, self.overlap)
        return self.end - overlap, self._limit(overlap, remaining)

    def following(
        self, page: tuple[int, int | None], count: int, remaining: int | None, most: int
    ) -> list[tuple[int, int]]:
        """Return the offsets and limits of the pages after the next one, at most so many, as long as nothing changes.

        Parameters
        ----------
        page
            The offset and the limit of the next page.
        count
            The number of rows that the server counts.
        remaining
            How many rows are still wanted; None for all.
        most
            The most pages to return.
        """
        offset, limit = page
        overlap = self.end - offset
        pages: list[tuple[int, int]] = []
        while len(pages) < most and limit is not None:
            if remaining is not None:
                remaining -= limit - overlap
            end = offset + limit
            if end >= count or (remaining is not None and remaining <= 0) or limit <= self.margin:
                break
            overlap = self.margin
            offset, limit = end - overlap, self._limit(overlap, remaining)
            if limit is not None:
                pages.append((offset, limit))
        return pages

    def _limit(self, overlap: int, remaining: int | None) -> int | None:
        """Return the limit of a page.

        It has room for the overlap, and for one more row, whose absence tells that the page is the last one: a list
        that does not change needs no more requests than without an overlap.
        """
        size = self._page_size
        if self.end:
            # Without a page size, the first page is as long as the server makes it, and the others as long as it can.
            size = size or max(self._first_length, min(self._longest_page or 0, self.longest))
            size = min(size + overlap + 1, max(size, self.longest))
        if remaining is None:
            return size
        return remaining + overlap if size is None else min(size, remaining + overlap)

    def pages_of(self, rows: int) -> int:
        """Return how many pages so many rows may fill."""
        return rows // max(1, self._first_length) + 1

    def note_cap(self, length: int) -> None:
        """Take note that the server sends no more rows at once."""
        self.longest = min(self.longest, length)
        # The overlap that costs long pages nothing may be half of a short one.
        self.margin = min(self.margin, max(1, self.longest // 20))

    def step_back(self, deleted: int, *, is_first: bool) -> None:
        """Let the next page begin nearer to the front.

        Parameters
        ----------
        deleted
            By how much the count fell.
        is_first
            Whether this explains the change: if one step back was not enough, deletions and creations balance.
        """
        size = self._page_size or self._first_length
        overlap = self.overlap + deleted if deleted > 0 and is_first else max(size, 2 * self.overlap)
        self.overlap = min(self.end, overlap)
        # The pages that follow overlap more: the list may shrink all the time, and where it has no order, a page of the
        # same offset and limit would start with the same row again.
        self.margin = min(2 * self.margin, max(1, size // 2))

    def advance(self, end: int, length: int, *, is_back: bool) -> None:
        """Take note of a page.

        Parameters
        ----------
        end
            The position after its last row.
        length
            The number of its rows.
        is_back
            Whether reading goes on behind it, although rows behind it were read.
        """
        self.end = end if is_back else max(self.end, end)
        self._first_length = self._first_length or length

    def widen_margin(self) -> None:
        """Let long pages overlap by more rows, at no cost: they show a changed order, and outlast some deletions."""
        if self._longest_page and self._page_size is None:
            self.margin = max(self.margin, min(self.longest // 20, self._first_length // 2))
