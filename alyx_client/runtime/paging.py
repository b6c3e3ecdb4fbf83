"""Walking a list from page to page: which page comes next, and which of its rows are new; without any I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from alyx_client.errors import IncompleteResultsWarning
from alyx_client.http.log import warn
from alyx_client.http.message import Params

__all__ = ["Key", "Page", "Walk", "Want", "first_limit", "key_of", "page_params", "repeats"]

T = TypeVar("T")
Key = Callable[[Any], object]
"""Tells one row of a list from another; None for rows that cannot be told apart."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list.

    Parameters
    ----------
    count
        How many rows the server says there are in all.
    rows
        The rows of this page.
    has_next
        Whether the server says that another page follows.
    """

    count: int
    rows: list[T]
    has_next: bool


@dataclass(frozen=True, slots=True)
class Want:
    """A page that a walk needs next: which query, from which row, how many rows."""

    source: int
    offset: int
    limit: int | None


class Walk(Generic[T]):
    """The order in which pages are fetched, and which of their rows are new; without any I/O.

    Parameters
    ----------
    sources
        How many queries there are: several where a long list of keys was split.
    page_size
        Rows to ask for at a time; the server's own number by default.
    max_items
        The most rows to return.
    key
        What tells one row from another; None for rows that cannot be told apart.
    """

    def __init__(self, sources: int, page_size: int | None, max_items: int | None, key: Key | None) -> None:
        self._sources = sources
        self._page_size = page_size
        self._left = max_items
        self._key = key
        self._seen: set[object] = set()
        self._source = 0
        self._end = 0  # the rows before it were read
        self._overlap = 0  # how many of them are asked for again, in case that some are deleted
        self._longest = 0
        self._stepped_back = False
        self._count: int | None = None
        self._fewest = 0
        self._unnamed = False
        self._repeated = False

    @property
    def want(self) -> Want | None:
        """The next page, or None at the end."""
        if self._source >= self._sources or self._left == 0:
            return None
        left = None if self._left is None else self._left + min(self._end, self._overlap)
        sizes = [size for size in (self._page_size, left) if size is not None]
        return Want(self._source, max(0, self._end - self._overlap), min(sizes, default=None))

    def is_blind(self, first: Page[T]) -> bool:
        """Return whether rows lost or repeated on later pages would go unnoticed, since rows have no keys."""
        more = first.count > len(first.rows) and (self._left is None or self._left > len(first.rows))
        return more and any(self._key is None or self._key(row) is None for row in first.rows)

    @property
    def missing(self) -> bool:
        """Whether the server counted more rows than it sent, at the end of a walk over one query.

        Records that were added meanwhile need not be among those that were sent, so the lowest count holds.
        """
        if self._sources != 1 or self._left == 0 or self._unnamed or self._count is None:
            return False
        return self._fewest > len(self._seen)

    def accept(self, page: Page[T]) -> list[T]:
        """Take the page that was wanted, and return its new rows."""
        shrunk = 0 if self._count is None else self._count - page.count
        self._fewest = page.count if self._count is None else min(self._fewest, page.count)
        self._count = page.count
        if shrunk > self._overlap and not self._unnamed and not self._stepped_back:
            # Records that were deleted meanwhile moved the later ones up: some of them now lie before this page. It is
            # asked for again from there, but not twice in a row, so that a walk ends on a list that shrinks all the
            # time; the overlap then keeps it from missing any.
            self._end = max(0, self._end - shrunk)
            self._overlap = min(2 * shrunk, self._longest // 2)
            self._stepped_back = True
            return []
        self._stepped_back = False
        self._longest = max(self._longest, len(page.rows))
        end = max(0, self._end - self._overlap) + len(page.rows)
        if end <= self._end:
            self._overlap = 0
        self._end = max(self._end, end)
        if not page.rows or end >= page.count:
            self._source += 1
            self._end = self._overlap = self._longest = 0
            if self._source < self._sources:
                self._count = None
        return self.fresh(page.rows)

    def fresh(self, rows: list[T]) -> list[T]:
        """Return the rows that were not seen yet, no more than are still wanted."""
        new: list[T] = []
        names = [None if self._key is None else self._key(row) for row in rows]
        self._repeated = self._repeated or repeats(names)
        for row, name in zip(rows, names, strict=True):
            if name is None:
                self._unnamed = True
            elif name in self._seen:
                continue
            else:
                self._seen.add(name)
            new.append(row)
        if self._left is not None:
            new = new[: self._left]
            self._left -= len(new)
        return new

    def warn_of_missing(self) -> None:
        """Say that rows are missing, unless the count is too high because it counts repetitions."""
        if not self.missing or self._repeated:
            return
        warn(
            f"The server counted {self._fewest} rows and sent {len(self._seen)} different ones: its order is not "
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
        The page size, in rows; None for the server's own.
    """
    paging = [] if limit is None else [("limit", str(limit))]
    if offset:
        paging.append(("offset", str(offset)))
    return (*params, *paging)


def key_of(fields: Mapping[str, object]) -> object:
    """Return what tells a row with these fields from another; None for rows that have no key."""
    for name in ("id", "url", "name"):
        value = fields.get(name)
        if isinstance(value, str | int | UUID):
            # Two labs may have a location of the same name.
            return (value, fields["lab"]) if name == "name" and isinstance(fields.get("lab"), str) else value
    return None


def repeats(names: list[Any]) -> bool:
    """Return whether one page has a row twice, as it has where Alyx joins a query over other tables."""
    return None not in names and len(set(names)) < len(names)


def first_limit(page_size: int | None, max_items: int | None) -> int | None:
    """Return how many rows to ask for first.

    Raises
    ------
    ValueError
        One of the numbers is too small.
    """
    if page_size is not None and page_size < 1:
        raise ValueError(f"limit is the number of rows fetched at a time, at least 1; not {page_size}")
    if max_items is not None and max_items < 0:
        raise ValueError(f"max_items cannot be negative: {max_items}")
    # Without rows to return, one is asked for all the same: their number is known then.
    return min((max(size, 1) for size in (page_size, max_items) if size is not None), default=None)
