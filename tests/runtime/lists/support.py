from __future__ import annotations

import asyncio
import contextlib
import gc
import warnings
import weakref
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from alyx_client.runtime.lists.async_results import AsyncResults
from alyx_client.runtime.lists.paging import Page
from alyx_client.runtime.lists.results import Results

CAP = 20


DEFAULT = 10

REPEATING = (*range(21), *range(5, 24))
"""A list as a database without a total order may send it: 40 rows counted, some repeated, others not there at all."""


def identity(row: Any) -> object:
    return row


@dataclass
class Server:
    """A list that pages as Alyx does, and changes between requests as told."""

    rows: list[int]
    before: dict[int, Callable[[], object]] = field(default_factory=dict)  # by the number of the request, from 1
    requests: list[tuple[int, int | None]] = field(default_factory=list)

    def page(self, offset: int, limit: int | None) -> Page[int]:
        self.requests.append((offset, limit))
        self.before.get(len(self.requests), lambda: None)()
        end = offset + min(limit or DEFAULT, CAP)
        return Page(len(self.rows), self.rows[offset:end], end < len(self.rows))

    async def page_async(self, offset: int, limit: int | None) -> Page[int]:
        await asyncio.sleep(0)
        return self.page(offset, limit)

    def results(self, **settings: Any) -> Results[int]:
        return Results([self.page], **{"key": identity, **settings})

    def async_results(self, **settings: Any) -> AsyncResults[int]:
        return AsyncResults([self.page_async], **{"key": identity, **settings})


ReadRows = Callable[..., Awaitable[list[int]]]


class Row:
    """A row that can be watched: the number of those alive tells how many pages are held."""

    alive: ClassVar[weakref.WeakSet[Row]] = weakref.WeakSet()

    def __init__(self, name: int) -> None:
        self.name = name
        Row.alive.add(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Row) and other.name == self.name

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"Row({self.name})"


class Table:
    """A list on a server with a page size of its own and a cap, as Alyx has."""

    def __init__(self, names: Sequence[int] | int, *, size: int = 10, cap: int = 20) -> None:
        self.names = list(range(names)) if isinstance(names, int) else list(names)
        self.size, self.cap = size, cap
        self.calls: list[tuple[int, int | None]] = []
        self.before: dict[int, Callable[[], None]] = {}

    def __call__(self, offset: int, limit: int | None) -> Page[Row]:
        self.calls.append((offset, limit))
        if change := self.before.pop(len(self.calls), None):
            change()
        return self.page(offset, limit)

    def page(self, offset: int, limit: int | None) -> Page[Row]:
        end = offset + min(self.size if limit is None else limit, self.cap)
        return Page(len(self.names), [Row(name) for name in self.names[offset:end]], end < len(self.names))

    async def later(self, offset: int, limit: int | None) -> Page[Row]:
        await asyncio.sleep(0)
        return self(offset, limit)


def name_of(row: Any) -> object:
    return row.name


def results(*tables: Table, **options: Any) -> Results[Row]:
    return Results(tables, **{"key": name_of, **options})


def names(rows: Sequence[Row] | Iterator[Row]) -> list[int]:
    return [row.name for row in rows]


@contextlib.contextmanager
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@contextlib.contextmanager
def no_logged_errors(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    errors: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: errors.append(context))
    yield
    gc.collect()
    assert errors == []
