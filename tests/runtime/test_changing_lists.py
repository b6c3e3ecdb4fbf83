"""Lists that change while they are read: no row that was there all the time is missing or repeated without a warning.

The pager is run against a simulated table, in which records are deleted and created between any two pages.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alyx_client.errors import IncompleteResultsWarning
from alyx_client.runtime.offset_pager import OffsetPager
from alyx_client.runtime.paging import Page, PageRequest, RowKey
from tests.runtime.lists import ReadRows, Server, identity, no_warnings

CREATED = 1000
"""The first of the created records."""

Change = tuple[str, int]
"""Deletes or creates a record at a position, counted from the front, or, if negative, from the end."""

DELETE = ("delete",)
CREATE = ("create",)


class ChangingTable:
    """A list in a fixed order that pages as Alyx does; `changes` holds those before each request."""

    def __init__(self, size: int, changes: Sequence[Sequence[Change]], *, default: int = 2, cap: int = 6) -> None:
        self.rows = list(range(size))
        self.lasting = set(self.rows)
        self.changes = iter(changes)
        self.default, self.cap = default, cap
        self.created = CREATED
        self.requests: list[PageRequest] = []

    def change(self, change: Change) -> None:
        kind, position = change
        position = position if position >= 0 else len(self.rows) + 1 + position
        if kind == "create":
            self.rows.insert(max(0, position), self.created)
            self.created += 1
        elif self.rows:
            self.lasting.discard(self.rows.pop(max(0, min(position, len(self.rows) - 1))))

    def fetch(self, request: PageRequest) -> Page[int]:
        self.requests.append(request)
        assert len(self.requests) < 500
        for change in next(self.changes, ()):
            self.change(change)
        end = request.offset + min(request.limit or self.default, self.cap)
        return Page(len(self.rows), self.rows[request.offset : end], end < len(self.rows))


def read(
    fetch: Callable[[PageRequest], Page[int]],
    *,
    page_size: int | None = None,
    max_items: int | None = None,
    row_key: RowKey | None = identity,
) -> tuple[list[int], bool]:
    """Return the rows, and whether there was a warning."""
    pager: OffsetPager[int] = OffsetPager(1, page_size, max_items, row_key)
    rows: list[int] = []
    while (request := pager.next_page) is not None:
        rows += pager.add_page(fetch(request))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pager.warn_of_missing_rows()
    return rows, bool(caught)


def check(table: ChangingTable, rows: Sequence[int], has_warned: bool) -> None:
    if not has_warned:
        assert table.lasting <= set(rows)
        assert len(set(rows)) == len(rows)


POSITIONS = (0, 2, 4, -1)
SINGLE: list[list[Change]] = [[(kind, position)] for kind in ("delete", "create") for position in POSITIONS]
BALANCED: list[list[Change]] = [
    [("delete", deleted)] * number + [("create", created)] * number
    for deleted, created, number in itertools.product((0, 1, 3), (0, 3, -1), (1, 3))
]
EVENTS: list[list[Change]] = [[], *SINGLE, *BALANCED]


def event_orders() -> Iterator[tuple[list[Change], ...]]:
    """Yield every order of events before the second, third and fourth request."""
    for events in itertools.product(EVENTS, repeat=3):
        yield ([], *events)


@pytest.mark.parametrize("size", [5, 8])
@pytest.mark.parametrize("row_key", [identity, None])
def test_every_order_of_changes_between_pages(size: int, row_key: RowKey | None) -> None:
    for changes in event_orders():
        table = ChangingTable(size, changes)
        rows, has_warned = read(table.fetch, row_key=row_key)
        check(table, rows, has_warned)
        # With keys, what changes between few pages is repaired; a warning would be of no use.
        if row_key is identity and not any(kind == "create" for event in changes for kind, _ in event):
            assert not has_warned
            assert table.lasting <= set(rows)


change = st.tuples(st.sampled_from(["delete", "create"]), st.integers(-12, 40))


@settings(max_examples=400, deadline=None)
@given(
    size=st.integers(0, 60),
    changes=st.lists(st.lists(change, max_size=12), max_size=40),
    page_size=st.none() | st.integers(1, 12),
    default=st.integers(1, 12),
    cap=st.integers(1, 20),
    has_keys=st.booleans(),
)
def test_any_changes_between_pages(
    size: int, changes: list[list[Change]], page_size: int | None, default: int, cap: int, has_keys: bool
) -> None:
    table = ChangingTable(size, changes, default=min(default, cap), cap=cap)
    rows, has_warned = read(table.fetch, page_size=page_size, row_key=identity if has_keys else None)
    check(table, rows, has_warned)


@pytest.mark.parametrize("row_key", [identity, None])
@pytest.mark.parametrize("page_size", [None, 1, 2, 3, 7])
@pytest.mark.parametrize("size", range(0, 23))
def test_list_that_does_not_change_needs_no_more_requests(
    size: int, page_size: int | None, row_key: RowKey | None
) -> None:
    table = ChangingTable(size, (), default=4, cap=1000)
    assert read(table.fetch, page_size=page_size, row_key=row_key) == (list(range(size)), False)
    assert len(table.requests) == max(1, -(-size // (page_size or 4)))


async def test_as_many_deleted_as_created_loses_no_rows(read_rows: ReadRows) -> None:
    server = Server(list(range(1650)))
    lasting = set(range(100, 1650))

    def change() -> None:
        server.rows = [*server.rows[100:], *range(5000, 5100)]

    server.before = {3: change}
    with no_warnings():
        rows = await read_rows(server, page_size=20)
    assert lasting <= set(rows)
    assert len(set(rows)) == len(rows)


async def test_rows_without_keys_that_moved_are_warned_about(read_rows: ReadRows) -> None:
    server = Server(list(range(30)))
    server.before = {2: lambda: server.rows.pop(0), 3: lambda: server.rows.append(50)}
    with pytest.warns(IncompleteResultsWarning, match="may be missing or repeated"):
        await read_rows(server, key=None)


@pytest.mark.parametrize("row_key", [identity, None])
def test_server_whose_pages_have_no_room_for_an_overlap(row_key: RowKey | None) -> None:
    changes: list[list[Change]] = [*([] for _ in range(6)), [("delete", 0), ("create", -1)]]
    table = ChangingTable(12, changes, default=1, cap=1)
    rows, has_warned = read(table.fetch, row_key=row_key)
    check(table, rows, has_warned)
