"""Pages of lists, and the requests for them."""

from __future__ import annotations

from typing import Generic, TypeVar

from alyx_client.http.message import Params
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.schema.paging import ALYX_PAGING, Paging

__all__ = ["ALYX_PAGING", "LONGEST_PAGE", "Page", "PageRequest", "Paging", "first_limit", "page_params"]

T = TypeVar("T")

LONGEST_PAGE = 1000
"""The most rows that Alyx sends at once, whatever the limit."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list.

    Parameters
    ----------
    count
        The number of rows of the whole list, as the server counts them; that of this page where it does not.
    rows
        The rows of this page.
    has_next
        Whether the server says that another page follows.
    next_url
        The URL of the page that follows, where pages are fetched by it.
    is_counted
        Whether the server counts the rows.
    """

    count: int
    rows: list[T]
    has_next: bool
    next_url: str | None = None
    is_counted: bool = True

    @property
    def is_whole(self) -> bool:
        """True if the page holds all rows of the list."""
        return len(self.rows) >= self.count and (self.is_counted or not self.has_next)


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A page to fetch: the number of the query, the position of the first row, and the most rows of the page; or a URL.

    For pages with numbers, the position is that of the page.
    """

    query: int
    offset: int
    limit: int | None
    url: str | None = None


def page_params(params: Params, offset: int, limit: int | None, paging: Paging = ALYX_PAGING) -> Params:
    """Return the query parameters of one page of a list.

    Parameters
    ----------
    params
        The query parameters of the list, without paging.
    offset
        The position of the page's first row.
    limit
        The page size, in rows; the server's default if None.
    paging
        How the list is divided into pages.
    """
    selected = [] if limit is None or not paging.size else [(paging.size, str(limit))]
    if offset:
        selected.append((paging.position, str(offset + 1 if paging.style == "number" else offset)))
    return (*params, *selected)


def first_limit(page_size: int | None, max_items: int | None) -> int | None:
    """Return the limit of the first page.

    Raises
    ------
    ValueError
        One of the numbers is too small.
    """
    if page_size is not None and page_size < 1:
        raise ValueError(f"page_size is the number of rows fetched at a time, at least 1; not {page_size}")
    if max_items is not None and max_items < 0:
        raise ValueError(f"max_items cannot be negative: {max_items}")
    # Even with max_items=0, one row is fetched: its page tells the number of rows.
    return min((max(size, 1) for size in (page_size, max_items) if size is not None), default=None)
