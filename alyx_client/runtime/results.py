"""Lists as sequences: fetched page by page, in order, and whole even where the server's order is not.

Alyx pages by offset over queries that have no total order, so that a database may give one row twice and another not
at all, with nobody writing. Rows that repeat are dropped; where rows are missing at the end of a walk, they are fetched
by ranges of their keys.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import operator
import os
import threading
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator, Sequence
from itertools import zip_longest
from typing import Any, Generic, TypeVar, cast, overload

from alyx_client.runtime.paging import Key, Page, Walk, Want, first_limit, repeats

__all__ = ["AsyncResults", "Page", "Results"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
_KEPT_PAGES = 4


class _Ahead:
    """One call in the background, whose outcome is asked for later."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call
        self._value: Any = None
        self._error: BaseException | None = None
        self._pid = os.getpid()
        context = contextvars.copy_context()  # where the cache is off, it is off here too
        self._thread = threading.Thread(
            target=context.run, args=(self._run,), daemon=True, name="alyx-client: next page"
        )
        self._thread.start()

    def _run(self) -> None:
        try:
            self._value = self._call()
        except BaseException as error:
            self._error = error

    def outcome(self) -> Any:
        if self._pid != os.getpid():
            return self._call()  # a fork takes no threads along
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._value


Fetch = Callable[[int, int | None], Page[T]]
AsyncFetch = Callable[[int, int | None], Awaitable[Page[T]]]


class Results(Sequence[T_co]):
    """The rows of a list: a sequence whose pages are fetched when they are needed.

    Iterating fetches the next page while the rows of the last are used, and holds no more than these two and the first.
    An index or a slice fetches only the pages that it needs. ``len`` is what the server counted; where it gives a row
    several times, or where a long list of keys was split, every row is read to count them.

    Parameters
    ----------
    sources
        Fetch a page of a query by offset and limit; several where a long list of keys was split.
    page_size
        Rows to ask for at a time; the server's own number by default.
    max_items
        The most rows to return.
    key
        What tells one row from another.
    first
        The first page, where it is there already.
    rest
        Fetches all rows by ranges of their keys, for those that paging leaves out.
    """

    def __init__(
        self,
        sources: Sequence[Fetch[Any]],
        *,
        page_size: int | None = None,
        max_items: int | None = None,
        key: Key | None = None,
        first: Page[Any] | None = None,
        rest: Callable[[], Iterator[list[Any]]] | None = None,
    ) -> None:
        self._first_limit = first_limit(page_size, max_items)
        self._sources = list(sources)
        self._page_size = page_size
        self._max_items = max_items
        self._key = key
        self._first = first
        self._rest = rest
        self._pages: OrderedDict[int, list[Any]] = OrderedDict()
        self._pages_lock = threading.Lock()
        self._repeats: bool | None = None
        # Rows of several queries can only be counted by reading them.
        self._whole: list[Any] | None = [] if not self._sources else None

    @property
    def total(self) -> int:
        """How many rows the server counted, whatever `max_items` is."""
        if len(self._sources) != 1:
            return len(self._load())
        return self._first_page().count

    def __len__(self) -> int:
        if self._by_rows():
            return len(self._load())
        return self.total if self._max_items is None else min(self.total, self._max_items)

    def __bool__(self) -> bool:
        return any(True for _ in self)

    def __iter__(self) -> Iterator[T_co]:
        if self._whole is not None:
            return iter(self._whole)
        return self._walk_and_keep() if self._by_rows() else self._walk()

    def _walk_and_keep(self) -> Generator[T_co]:
        rows: list[Any] = []
        for row in self._walk():
            rows.append(row)
            yield row
        self._whole = rows

    def _walk(self) -> Generator[T_co]:
        walk: Walk[Any] = Walk(len(self._sources), self._page_size, self._max_items, self._key)
        wanted = walk.want
        page = None if wanted is None else self._first_page()
        if page is not None and self._rest is not None and walk.is_blind(page):
            for rows in self._rest():
                yield from walk.fresh(rows)
            return
        while page is not None:
            rows = walk.accept(page)
            wanted = walk.want
            ahead: _Ahead | None = None
            page = None
            for place, row in enumerate(rows):
                # Who stops at the first row has no use for a second page.
                if place == 1 and wanted is not None:
                    ahead = _Ahead(self._fetcher(wanted))
                yield row
            if ahead is not None:
                page = ahead.outcome()
            elif wanted is not None:
                page = self._fetcher(wanted)()
        if walk.missing and self._rest is not None:
            for rows in self._rest():
                yield from walk.fresh(rows)
                if not walk.missing:
                    break
        walk.warn_of_missing()

    def _fetcher(self, wanted: Want) -> Callable[[], Page[Any]]:
        fetch = self._sources[wanted.source]
        return lambda: fetch(wanted.offset, wanted.limit)

    def _first_page(self) -> Page[Any]:
        if self._first is None:
            self._first = self._sources[0](0, self._first_limit)
        return self._first

    def _by_rows(self) -> bool:
        """Return whether only the rows themselves tell how many there are.

        Several queries may give the same row. So does one query that Alyx joins over other tables, and then its count
        counts repetitions.
        """
        if self._whole is not None or len(self._sources) != 1:
            return True
        if self._repeats is None:
            key = self._key
            self._repeats = key is not None and repeats([key(row) for row in self._first_page().rows])
        return self._repeats

    def _load(self) -> list[T_co]:
        if self._whole is None:
            self._whole = list(self._walk())
        return self._whole

    @overload
    def __getitem__(self, index: int) -> T_co: ...
    @overload
    def __getitem__(self, index: slice) -> list[T_co]: ...
    def __getitem__(self, index: int | slice) -> T_co | list[T_co]:
        if self._by_rows():
            return self._load()[index]
        if isinstance(index, slice):
            places = range(*index.indices(len(self)))
            return list(self) if places == range(len(self)) else [row for place in places for row in self._row(place)]
        place = _place(index, len(self))
        for row in self._row(place):
            return row
        raise _gone(place)

    def __reversed__(self) -> Iterator[T_co]:
        if self._by_rows():
            return iter(self._load()[::-1])
        return (row for place in reversed(range(len(self))) for row in self._row(place))

    def _row(self, place: int) -> list[T_co]:
        """Return the row at a place, or nothing where the server has none there any more."""
        first = self._first_page()
        if place < len(first.rows):
            return first.rows[place : place + 1]
        size = len(first.rows) or 1
        start = place - place % size
        rows = self._pages.get(start)
        if rows is None:
            rows = self._sources[0](start, size).rows
        with self._pages_lock:
            self._pages[start] = rows
            self._pages.move_to_end(start)
            while len(self._pages) > _KEPT_PAGES:
                self._pages.popitem(last=False)
        return rows[place - start : place - start + 1]

    def __contains__(self, value: object) -> bool:
        return any(row is value or row == value for row in self)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Sequence) or isinstance(other, str | bytes):
            return NotImplemented
        # By rows and not by length: the server's count may be of another moment, or count repetitions.
        pairs = zip_longest(self, cast("Sequence[object]", other), fillvalue=object())
        return all(mine is theirs or mine == theirs for mine, theirs in pairs)

    __hash__ = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        # Nothing is fetched to be shown: debuggers show objects at their own will.
        if self._whole is None and self._first is None:
            return "Results(not fetched yet)"
        if self._whole is None and self._by_rows():
            return "Results(not counted yet)"
        count = len(self)
        rows = self._first_page().rows if self._whole is None else self._whole
        shown = [f"  {row!r}," for row in rows[: min(3, count)]]
        more = [f"  ... {count - len(shown)} more"] if count > len(shown) else []
        return "\n".join([f"Results({count} rows):", *shown, *more])

    def __reduce__(self) -> tuple[Any, ...]:
        # A pickle holds the rows themselves: another process may have no client.
        return (_unpickle, (list(self),))


def _unpickle(rows: list[T]) -> Results[T]:
    page = Page(len(rows), rows, False)
    return Results([lambda offset, limit: Page(len(rows), rows[offset:], False)], first=page)


def _place(index: int, length: int) -> int:
    place = operator.index(index)
    place = place + length if place < 0 else place
    if not 0 <= place < length:
        raise IndexError(f"there is no row {index}: the list has {length}")
    return place


def _gone(place: int) -> IndexError:
    return IndexError(f"row {place} is not there any more; the list changed on the server")


class AsyncResults(Generic[T_co]):
    """The rows of a list, for ``async for``; ``await`` it for the first page, and ``len`` works.

    The next page is fetched while the rows of the last are used.

    Parameters
    ----------
    sources, page_size, max_items, key, first, rest
        As for `Results`.
    """

    def __init__(
        self,
        sources: Sequence[AsyncFetch[Any]],
        *,
        page_size: int | None = None,
        max_items: int | None = None,
        key: Key | None = None,
        first: Page[Any] | None = None,
        rest: Callable[[], AsyncIterator[list[Any]]] | None = None,
    ) -> None:
        self._first_limit = first_limit(page_size, max_items)
        self._sources = list(sources)
        self._page_size = page_size
        self._max_items = max_items
        self._key = key
        self._rest = rest
        self._first = first
        self._page: tuple[int, list[Any]] | None = None
        self._whole: list[Any] | None = [] if not self._sources else None

    def __await__(self) -> Generator[Any, Any, AsyncResults[T_co]]:
        return self._fetched().__await__()

    async def _fetched(self) -> AsyncResults[T_co]:
        if await self._by_rows():
            await self.all()
        return self

    async def _by_rows(self) -> bool:
        if self._whole is not None or len(self._sources) != 1:
            return True
        rows = (await self._first_page()).rows
        return self._key is not None and repeats([self._key(row) for row in rows])

    async def _first_page(self) -> Page[Any]:
        if self._first is None:
            self._first = await self._sources[0](0, self._first_limit)
        return self._first

    @property
    def total(self) -> int:
        """How many rows the server counted, whatever `max_items` is; known once it was awaited."""
        if self._first is not None and len(self._sources) == 1:
            return self._first.count
        if self._whole is None:
            raise RuntimeError("the number of rows is known after `await`: results = await client.….list(...)")
        return len(self._whole)

    def __len__(self) -> int:
        if self._whole is not None:
            return len(self._whole)
        return self.total if self._max_items is None else min(self.total, self._max_items)

    def __bool__(self) -> bool:
        return len(self) > 0

    async def __aiter__(self) -> AsyncIterator[T_co]:
        kept: list[Any] | None = [] if self._whole is None and await self._by_rows() else None
        async with contextlib.aclosing(self._walk()) as rows:
            async for row in rows:
                if kept is not None:
                    kept.append(row)
                yield row
        if kept is not None:
            self._whole = kept

    async def _walk(self) -> AsyncGenerator[T_co]:
        for row in self._whole or ():
            yield row
        if self._whole is not None:
            return
        walk: Walk[Any] = Walk(len(self._sources), self._page_size, self._max_items, self._key)
        wanted = walk.want
        page = None if wanted is None else await self._first_page()
        if page is not None and self._rest is not None and walk.is_blind(page):
            async for rows in self._rest():
                for row in walk.fresh(rows):
                    yield row
            return
        ahead: asyncio.Future[Page[Any]] | None = None
        try:
            while page is not None:
                rows = walk.accept(page)
                wanted = walk.want
                page = None
                for place, row in enumerate(rows):
                    if place == 1 and wanted is not None:
                        ahead = asyncio.ensure_future(self._sources[wanted.source](wanted.offset, wanted.limit))
                        ahead.add_done_callback(_notice)
                    yield row
                if ahead is not None:
                    page = await ahead
                elif wanted is not None:
                    page = await self._sources[wanted.source](wanted.offset, wanted.limit)
                ahead = None
        finally:
            if ahead is not None:
                ahead.cancel()
        if walk.missing and self._rest is not None:
            async for rows in self._rest():
                for row in walk.fresh(rows):
                    yield row
                if not walk.missing:
                    break
        walk.warn_of_missing()

    async def all(self) -> list[T_co]:
        """Return every row."""
        if self._whole is None:
            self._whole = [row async for row in self._walk()]
        return list(self._whole)

    async def first(self) -> T_co | None:
        """Return the first row, or None where there is none."""
        if self._max_items == 0:
            return None
        for source in [] if self._whole is not None else self._sources:
            page = await (self._first_page() if source is self._sources[0] else source(0, 1))
            if page.rows:
                return cast("T_co", page.rows[0])
        return cast("T_co", self._whole[0]) if self._whole else None

    async def get(self, index: int) -> T_co:
        """Return the row at a place, which may be negative; only its page is fetched.

        Raises
        ------
        IndexError
            There is no such row.
        """
        await self
        if self._whole is not None:
            return cast("T_co", self._whole[index])
        place = _place(index, len(self))
        rows = (await self._first_page()).rows
        start = place - place % (len(rows) or 1)
        if start:
            if self._page is None or self._page[0] != start:
                self._page = (start, (await self._sources[0](start, len(rows))).rows)
            rows = self._page[1]
        if place - start >= len(rows):
            raise _gone(place)
        return cast("T_co", rows[place - start])

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("AsyncResults cannot be pickled; pickle the rows: await results.all()")

    def __repr__(self) -> str:
        known = self._whole is not None or (self._first is not None and len(self._sources) == 1)
        return f"AsyncResults({len(self)} rows)" if known else "AsyncResults(not fetched yet)"


def _notice(ahead: asyncio.Future[Any]) -> None:
    """Take note of a failure that nobody may ask for any more, so that asyncio does not report it."""
    if not ahead.cancelled():
        ahead.exception()
