"""Fetching a list by ranges of UUIDs, for the rows that paging leaves out."""

from __future__ import annotations

from itertools import pairwise
from typing import TypeVar
from uuid import UUID

from alyx_client.http.message import Params
from alyx_client.runtime.paging import Page

__all__ = ["KeyRanges"]

T = TypeVar("T")


class KeyRanges:
    """Splits a query into ranges of UUIDs that each fit in one page; sans-I/O.

    Parameters
    ----------
    params
        The query parameters.
    """

    LIMIT = 1000  # Alyx sends no more rows than this at once, whatever the limit

    def __init__(self, params: Params) -> None:
        self._params = params
        self._ranges = [(0, 2**128 - 1)]

    @staticmethod
    def can_split(params: Params) -> bool:
        """Return whether ranges can be added to a query: Alyx refuses the same lookup twice."""
        return not any(name == "django" and ("id__gte" in value or "id__lte" in value) for name, value in params)

    @property
    def next_params(self) -> Params | None:
        """The query parameters of the next range, or None at the end."""
        if not self._ranges:
            return None
        low, high = (str(UUID(int=bound)) for bound in self._ranges[-1])
        # The server reads one parameter of this name alone, so that the user's own lookups go into it, too.
        own = [value for name, value in self._params if name == "django"]
        others = [pair for pair in self._params if pair[0] != "django"]
        return (*others, ("django", ",".join([*own, f"id__gte,{low},id__lte,{high}"])))

    def add_page(self, page: Page[T]) -> list[T]:
        """Take the page of the next range, and return its rows; a range with too many is split, and gives none yet."""
        low, high = self._ranges.pop()
        if page.count <= len(page.rows) or low == high:
            return page.rows
        # Random UUIDs are spread evenly: with half a page expected in each part, few parts have to be split again.
        parts = min(max(2, -(-page.count // (self.LIMIT // 2))), high - low + 1)
        bounds = [low + (high - low + 1) * part // parts for part in range(parts + 1)]
        self._ranges += [(start, end - 1) for start, end in pairwise(bounds)][::-1]
        return []
