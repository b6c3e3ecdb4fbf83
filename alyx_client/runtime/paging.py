"""Pages of a list: requests for them, and the keys of their rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from alyx_client.http.message import Params

__all__ = ["Page", "PageRequest", "RowKey", "first_limit", "has_repeats", "key_of", "page_params"]

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
    """Return the key that identifies a row with these fields; None if no field certainly does.

    Names do not: records of the same name, even in the same lab, are different records.
    """
    identifier = fields.get("id")
    if isinstance(identifier, str | int | UUID):
        return identifier
    url = fields.get("url")
    return url if isinstance(url, str) and _ends_in_primary_key(url, fields.get("pk")) else None


def _ends_in_primary_key(url: str, primary_key: object) -> bool:
    # A URL may also be a link to something else, or end in a name.
    segment = url.rstrip("/").rpartition("/")[2]
    if primary_key is not None:
        return segment == str(primary_key)
    try:
        UUID(segment)
    except ValueError:
        return False
    return True


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
