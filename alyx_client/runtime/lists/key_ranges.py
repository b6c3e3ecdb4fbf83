"""Fetching a list by ranges of UUIDs, for the rows that paging leaves out."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import TypeVar
from uuid import UUID

from alyx_client.http.message import Params
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.runtime.lists.paging import LONGEST_PAGE, Page

__all__ = ["KeyRanges", "RangesUnfinishedError"]

T = TypeVar("T")

_FREE_REQUESTS = 300
_MOST_PARTS = 4096
_MOST_TRIES = 3
# Random keys are spread evenly: of the parts with this many rows on average, few have too many for a page.
_ROWS_PER_RANGE = 850


class RangesUnfinishedError(Exception):
    """Raised inside this package, where the ranges of a list end before all were read."""


@dataclass(slots=True)
class _Whole:
    """A range that was divided: the rows that its parts may still have, by its own count."""

    uncounted: int
    tolerance: int


@dataclass(slots=True)
class _Range:
    low: int
    high: int
    whole: _Whole | None = None
    tries: int = 0


class KeyRanges:
    """Splits a query into ranges of UUIDs that each fit in one page; sans-I/O.

    A record is in one range for as long as it exists, and each range is read at one moment, so that no record that was
    there all the time is missing. Requests that bring no rows have a budget.

    Parameters
    ----------
    params
        The query parameters.
    """

    LIMIT = LONGEST_PAGE

    def __init__(self, params: Params) -> None:
        self._params = params
        self._lookup = _free_lookup(params)
        self._ranges = [_Range(0, 2**128 - 1)]
        # Keys that differ in their last digits alone take 128 divisions; keys at random take few.
        self._budget = _FREE_REQUESTS
        self._longest_page = 0
        self.is_complete = True
        """False if reading ended early: the server does not apply the ranges, or its counts contradict each other."""

    @staticmethod
    def can_split(params: Params) -> bool:
        """Return whether ranges can be added to a query: Alyx refuses the same lookup twice."""
        return bool(_free_lookup(params))

    @property
    def next_params(self) -> Params | None:
        """The query parameters of the next range, or None at the end."""
        return next(iter(self.upcoming(1)), None)

    def upcoming(self, most: int) -> list[Params]:
        """Return the query parameters of the next range and those that follow it, unless it is split; at most so many.

        Each record is in one range, so that it does not matter which of them is read first.
        """
        return [self._params_of(part) for part in reversed(self._ranges[-most:])]

    def _params_of(self, part: _Range) -> Params:
        low, high = UUID(int=part.low), UUID(int=part.high)
        # The server reads one parameter of this name alone, so that the user's own lookups go into it, too.
        own = [value for name, value in self._params if name == "django"]
        others = [pair for pair in self._params if pair[0] != "django"]
        bounds = f"{self._lookup}__gte,{low},{self._lookup}__lte,{high}"
        return (*others, ("django", ",".join([*own, bounds])))

    def add_page(self, page: Page[T], keys: Iterable[UUID] = ()) -> list[T]:
        """Take the page of the next range, and return its rows; a range with too many is split, and gives none yet.

        Parameters
        ----------
        page
            The page.
        keys
            The keys of its rows, if known; they lie in the range unless the server ignores its bounds.
        """
        done = self._ranges.pop()
        keys = list(keys)
        is_whole = page.count <= len(page.rows) < self.LIMIT
        # Ranges that bring rows pay for themselves.
        self._budget += 1 if is_whole and page.rows else -1
        # A page that was cut off has as many rows as any other; one with fewer than counted lost some at that moment.
        is_short = not is_whole and len(page.rows) < self._longest_page
        self._longest_page = max(self._longest_page, len(page.rows))
        is_ignored = (
            any(not done.low <= key.int <= done.high for key in keys) if keys else self._contradicts(done, page)
        )
        is_stuck = not is_whole and (done.low == done.high or done.tries >= _MOST_TRIES)
        if is_ignored or is_stuck or self._budget < 0:
            self.is_complete = False
            self._ranges.clear()
        elif is_short:
            done.tries += 1
            self._ranges.append(done)
        elif not is_whole:
            self._insert(done, _divide(done, page.count))
            return []
        return page.rows

    def _contradicts(self, done: _Range, page: Page[T]) -> bool:
        """Return whether the parts of a range have more rows than the range has, as if the bounds were ignored."""
        if done.whole is None or done.tries:
            return False
        done.whole.uncounted -= page.count
        return done.whole.uncounted < -done.whole.tolerance

    def _insert(self, done: _Range, parts: list[_Range]) -> None:
        place = len(self._ranges)
        # If this part has all rows of the divided range, the others have none, unless the server ignores the bounds:
        # they are read first, since dividing would go on for as many times as a key has bits.
        if done.whole is not None and done.whole.uncounted <= 0:
            while place and self._ranges[place - 1].whole is done.whole:
                place -= 1
        self._ranges[place:place] = parts


def _free_lookup(params: Params) -> str:
    """Return the name of the key that the user's own lookups leave free; empty if they use both."""
    own = ",".join(value for name, value in params if name == "django")
    return next((name for name in ("id", "pk") if f"{name}__gte" not in own and f"{name}__lte" not in own), "")


def _divide(done: _Range, count: int) -> list[_Range]:
    low, high = done.low, done.high
    parts = min(max(2, -(-count // _ROWS_PER_RANGE)), _MOST_PARTS, high - low + 1)
    bounds = [low + (high - low + 1) * part // parts for part in range(parts + 1)]
    whole = _Whole(count, max(2, count // 10))  # others may create records meanwhile
    return [_Range(start, end - 1, whole) for start, end in pairwise(bounds)][::-1]
