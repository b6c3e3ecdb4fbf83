"""Lists of an endpoint as sequences: each query's pages, and the rows that paging leaves out by ranges of keys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from alyx_client.http.message import Params
from alyx_client.runtime.action import KeyRanges
from alyx_client.runtime.paging import Key, Page
from alyx_client.runtime.results import AsyncResults, Results

__all__ = ["async_results", "results"]

T = TypeVar("T")


def results(
    fetch: Callable[[Params, int, int | None], Page[T]],
    queries: Sequence[Params],
    *,
    key: Key,
    by_uuid: bool,
    page_size: int | None = None,
    max_items: int | None = None,
    first: Page[T] | None = None,
) -> Results[T]:
    """Make the sequence of a list's rows.

    Parameters
    ----------
    fetch
        Fetches a page of a query by offset and limit.
    queries
        The query parameters; several where a long list of keys was split.
    key
        What tells one row from another.
    by_uuid
        Whether the server can be asked for ranges of the rows' UUIDs.
    page_size, max_items, first
        As for `Results`.
    """

    def ranges() -> Iterator[list[T]]:
        split = KeyRanges(queries[0])
        while (params := split.want) is not None:
            yield split.accept(fetch(params, 0, KeyRanges.LIMIT))

    return Results(
        [partial(fetch, params) for params in queries],
        page_size=page_size,
        max_items=max_items,
        key=key,
        first=first,
        rest=ranges if _fits(queries, by_uuid) else None,
    )


def async_results(
    fetch: Callable[[Params, int, int | None], Awaitable[Page[T]]],
    queries: Sequence[Params],
    *,
    key: Key,
    by_uuid: bool,
    page_size: int | None = None,
    max_items: int | None = None,
    first: Page[T] | None = None,
) -> AsyncResults[T]:
    """Make the asynchronous sequence of a list's rows; parameters as for `results`."""

    async def ranges() -> AsyncIterator[list[T]]:
        split = KeyRanges(queries[0])
        while (params := split.want) is not None:
            yield split.accept(await fetch(params, 0, KeyRanges.LIMIT))

    return AsyncResults(
        [partial(fetch, params) for params in queries],
        page_size=page_size,
        max_items=max_items,
        key=key,
        first=first,
        rest=ranges if _fits(queries, by_uuid) else None,
    )


def _fits(queries: Sequence[Params], by_uuid: bool) -> bool:
    return by_uuid and len(queries) == 1 and KeyRanges.fit(queries[0])
