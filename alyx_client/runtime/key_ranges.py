"""Fetching a list by ranges of UUIDs, for the rows that paging leaves out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar
from uuid import UUID

from alyx_client.http.message import Params
from alyx_client.runtime.paging import Page

__all__ = ["KeyRanges", "RangesUnfinishedError"]

T = TypeVar("T")


class RangesUnfinishedError(Exception):
    """Raised inside this package, where the ranges of a list end before all were read."""


@dataclass(slots=True)
class _Split:
    """A range that was divided; the rows that its parts may still have, by its own count."""

    uncounted: int
    tolerance: int


@dataclass(frozen=True, slots=True)
class _Range:
    low: int
    high: int
    split: _Split | None = None


class KeyRanges:
    """Splits a query into ranges of UUIDs that each fit in one page; sans-I/O.

    Parameters
    ----------
    params
        The query parameters.
    """

    LIMIT = 1000  # Alyx sends no more rows than this at once, whatever the limit
    _MOST_PARTS = 4096
    # Keys that differ in their last digits alone take 128 divisions; keys at random take few.
    _FREE_REQUESTS = 300

    def __init__(self, params: Params) -> None:
        self._params = params
        self._ranges = [_Range(0, 2**128 - 1)]
        self._budget = self._FREE_REQUESTS
        self._longest_page = 0
        self.is_complete = True
        """False if reading ended early: the server does not apply the ranges, or its counts contradict each other."""

    @staticmethod
    def can_split(params: Params) -> bool:
        """Return whether ranges can be added to a query: Alyx refuses the same lookup twice."""
        return not any(name == "django" and ("id__gte" in value or "id__lte" in value) for name, value in params)

    @property
    def next_params(self) -> Params | None:
        """The query parameters of the next range, or None at the end."""
        if not self._ranges:
            return None
        low, high = (str(UUID(int=bound)) for bound in (self._ranges[-1].low, self._ranges[-1].high))
        # The server reads one parameter of this name alone, so that the user's own lookups go into it, too.
        own = [value for name, value in self._params if name == "django"]
        others = [pair for pair in self._params if pair[0] != "django"]
        return (*others, ("django", ",".join([*own, f"id__gte,{low},id__lte,{high}"])))

    def add_page(self, page: Page[T]) -> list[T]:
        """Take the page of the next range, and return its rows; a range with too many is split, and gives none yet."""
        done = self._ranges.pop()
        is_whole = page.count <= len(page.rows) or done.low == done.high
        # Ranges that bring rows pay for themselves.
        self._budget += 1 if page.rows and page.count <= len(page.rows) else -1
        # A page that is cut off has as many rows as any other.
        is_cut_short = not is_whole and len(page.rows) < self._longest_page
        self._longest_page = max(self._longest_page, len(page.rows))
        if self._contradicts(done, page) or is_cut_short or self._budget < 0:
            self.is_complete = False
            self._ranges.clear()
            return page.rows
        if is_whole:
            return page.rows
        self._insert(done, self._divide(done, page.count))
        return []

    def _insert(self, done: _Range, parts: list[_Range]) -> None:
        place = len(self._ranges)
        # If this part has all rows of the divided range, the others have none, unless the server ignores the bounds:
        # they are read first, since that would go on for as many divisions as a key has bits.
        if done.split is not None and done.split.uncounted <= 0:
            while place and self._ranges[place - 1].split is done.split:
                place -= 1
        self._ranges[place:place] = parts

    def _contradicts(self, done: _Range, page: Page[T]) -> bool:
        """Return whether the parts of a range have more rows than the range has, as if the bounds were ignored."""
        if done.split is None:
            return False
        done.split.uncounted -= page.count
        return done.split.uncounted < -done.split.tolerance

    def _divide(self, done: _Range, count: int) -> list[_Range]:
        low, high = done.low, done.high
        # Random UUIDs are spread evenly: with half a page expected in each part, few parts have to be split again.
        parts = min(max(2, -(-count // (self.LIMIT // 2))), self._MOST_PARTS, high - low + 1)
        bounds = [low + (high - low + 1) * part // parts for part in range(parts + 1)]
        split = _Split(count, max(2, count // 10))  # others may create records meanwhile
        return [_Range(start, end - 1, split) for start, end in pairwise(bounds)][::-1]
