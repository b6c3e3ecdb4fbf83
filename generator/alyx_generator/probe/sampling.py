"""Samples from all over a list."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def page_offsets(count: int, page_size: int, rows: int) -> list[int]:
    """Return the offsets of the pages after the first one.

    Parameters
    ----------
    count
        The number of rows of the list.
    page_size
        The number of rows of a page.
    rows
        The number of rows to read. The pages of a longer list are spread all over it.
    """
    pages = min(math.ceil(rows / page_size), math.ceil(count / page_size)) - 1
    if count <= rows:
        return [page_size * (page + 1) for page in range(pages)]
    return [page_size + (count - 2 * page_size) * page // max(1, pages - 1) for page in range(pages)]


def sample(items: Sequence[T], size: int) -> Sequence[T]:
    """Return some items, evenly spaced; all if there are no more than that."""
    return items if len(items) <= size else [items[index * len(items) // size] for index in range(size)]
