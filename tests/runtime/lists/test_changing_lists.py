"""Lists that change while they are read: no row that was there all the time is missing or repeated without a warning.

The results are read from a simulated table, in which records are deleted and created between any two requests;
``test_changing_lists_over_http.py`` does the same over HTTP.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import warnings
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alyx_client.runtime.lists import key_ranges, query_pager
from alyx_client.runtime.lists.key_ranges import KeyRanges, RangesUnfinishedError
from alyx_client.runtime.lists.offset_pager import OffsetPager
from alyx_client.runtime.lists.paging import Page, PageRequest
from alyx_client.runtime.lists.results import Results

Change = tuple[str, int]
"""Deletes or creates a record at a position, counted from the front, or, if negative, from the end."""

CAP = 6
NAMESPACE = UUID(int=5)


def key(number: int) -> UUID:
    return uuid5(NAMESPACE, str(number))


class ChangingTable:
    """A list that pages as Alyx does; `changes` holds those before each request.

    Parameters
    ----------
    size
        The number of rows in the beginning.
    changes
        Changes before each request.
    ties
        The number of neighbouring rows of equal rank, which come in another order for each offset and limit.
    """

    def __init__(self, size: int, changes: Sequence[Sequence[Change]] = (), *, ties: int = 1, default: int = 2) -> None:
        self.rows = [key(number) for number in range(size)]
        self.ranks = {row: number for number, row in enumerate(self.rows)}
        self.lasting = set(self.rows)
        self.changes = iter(changes)
        self.ties, self.default = ties, default
        self.created = 0
        self.requests: list[tuple[int, int | None]] = []
        self.has_changed = False

    def change(self, change: Change) -> None:
        kind, position = change
        self.has_changed = True
        position = position if position >= 0 else len(self.rows) + 1 + position
        if kind == "create":
            self.created += 1
            self.rows.insert(max(0, position), key(10_000 + self.created))
        elif self.rows:
            self.lasting.discard(self.rows.pop(max(0, min(position, len(self.rows) - 1))))

    def tick(self) -> None:
        for change in next(self.changes, ()):
            self.change(change)

    def page(self, offset: int, limit: int | None) -> Page[UUID]:
        self.requests.append((offset, limit))
        assert len(self.requests) < 2000
        self.tick()
        end = offset + min(limit or self.default, CAP)
        rows = self.rows
        if self.ties > 1:
            shuffle = random.Random(f"{offset} {limit}").shuffle
            groups = [rows[start : start + self.ties] for start in range(0, len(rows), self.ties)]
            for group in groups:
                shuffle(group)
            rows = [row for group in groups for row in group]
        return Page(len(rows), rows[offset:end], end < len(rows))

    def by_key_ranges(self) -> Iterator[list[UUID]]:
        ranges = KeyRanges(())
        while (params := ranges.next_params) is not None:
            self.requests.append((0, None))
            assert len(self.requests) < 2000
            self.tick()
            low, high = (UUID(bound) for bound in params[0][1].split(",")[1::2])
            rows = [row for row in self.rows if low <= row <= high]
            page = Page(len(rows), rows[:CAP], len(rows) > CAP)
            yield ranges.add_page(page, page.rows)
        if not ranges.is_complete:
            raise RangesUnfinishedError


@pytest.fixture(params=[CAP, 1000], ids=["cap known", "cap unknown"])
def longest(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """The number of rows that the client believes to be the most of a page, in place of Alyx' 1000."""
    set_longest(monkeypatch, request.param)
    return request.param


def set_longest(monkeypatch: pytest.MonkeyPatch, longest: int) -> None:
    monkeypatch.setattr(query_pager, "LONGEST_PAGE", longest)
    monkeypatch.setattr(key_ranges, "_ROWS_PER_RANGE", max(1, longest - 2))


def read(
    table: ChangingTable,
    *,
    page_size: int | None = None,
    max_items: int | None = None,
    has_keys: bool = True,
    has_ranges: bool = False,
    longest_page: int | None = None,
) -> tuple[list[UUID], bool]:
    """Return the rows, and whether there was a warning."""
    results = Results(
        [table.page],
        page_size=page_size,
        max_items=max_items,
        key=(lambda row: row) if has_keys else None,
        by_key_ranges=table.by_key_ranges if has_ranges else None,
        parallel=3,
        longest_page=longest_page,
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        rows = list(iter(results))
    return rows, bool(caught)


def finish(pager: OffsetPager[UUID], table: ChangingTable, rows: list[UUID]) -> tuple[list[UUID], bool]:
    """Read the ranges that the pages leave; return the rows, and whether there was a warning."""
    if pager.needs_ranges:
        with contextlib.suppress(RangesUnfinishedError):
            for part in table.by_key_ranges():
                rows += pager.add_range(part)
            pager.confirm_ranges()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pager.warn_of_missing_rows()
    return rows, bool(caught)


def page_through(table: ChangingTable, *, has_keys: bool = True, has_ranges: bool = False) -> tuple[list[UUID], bool]:
    """Do as `read` does, but without a thread that fetches the next page."""
    pager = OffsetPager[UUID](1, None, None, (lambda row: row) if has_keys else None, has_ranges=has_ranges)
    rows: list[UUID] = []
    while (request := pager.next_page) is not None:
        rows += pager.add_page(table.page(request.offset, request.limit))
    return finish(pager, table, rows)


def page_ahead(
    table: ChangingTable,
    draw: random.Random | None,
    *,
    most: int = 3,
    page_size: int | None = None,
    has_keys: bool = True,
    has_ranges: bool = False,
    longest_page: int | None = None,
) -> tuple[list[UUID], bool]:
    """Do as `page_through` does, with several pages fetched at a time; the last one first, or in a random order."""
    key = (lambda row: row) if has_keys else None
    pager = OffsetPager[UUID](1, page_size, None, key, longest_page=longest_page, has_ranges=has_ranges)
    rows: list[UUID] = []
    pages: dict[PageRequest, Page[UUID]] = {}
    while (request := pager.next_page) is not None:
        if request not in pages:
            pages.clear()
        ahead = pager.upcoming(most)
        assert len(ahead) <= most
        upcoming = [following for following in ahead if following not in pages]
        assert request in upcoming or request in pages
        for following in reversed(upcoming) if draw is None else draw.sample(upcoming, len(upcoming)):
            pages[following] = table.page(following.offset, following.limit)
        rows += pager.add_page(pages.pop(request))
    return finish(pager, table, rows)


def check(table: ChangingTable, rows: Sequence[UUID], has_warned: bool) -> None:
    if not has_warned:
        assert table.lasting <= set(rows), f"{len(table.lasting - set(rows))} rows are missing"
        assert len(set(rows)) == len(rows)


POSITIONS = (0, 3, -1)
SINGLE: list[list[Change]] = [[(kind, position)] for kind in ("delete", "create") for position in POSITIONS]
BALANCED: list[list[Change]] = [
    [("delete", deleted)] * number + [("create", created)] * number
    for deleted, created, number in itertools.product((0, 3), (0, -1), (1, 3))
]
EVENTS: list[list[Change]] = [[], *SINGLE, *BALANCED]


Orders = Iterable[tuple[list[Change], ...]]


def event_orders() -> Iterator[tuple[list[Change], ...]]:
    """Yield every order of events before the second, third and fourth request."""
    for events in itertools.product(EVENTS, repeat=3):
        yield ([], *events)


def some_orders() -> Iterator[tuple[list[Change], ...]]:
    """Yield a few of them, for tests that are run again and again (make mutation)."""
    return itertools.islice(event_orders(), 0, None, 29)


def check_between_pages(orders: Orders, size: int, way: str) -> None:
    for changes in orders:
        table = ChangingTable(size, changes)
        rows, has_warned = page_through(table, has_keys=way != "neither", has_ranges=way == "ranges")
        check(table, rows, has_warned)
        # With keys, what changes between few pages is repaired; a warning would be of no use.
        if way == "ranges" or (way == "keys" and not any(kind == "create" for event in changes for kind, _ in event)):
            assert not has_warned, changes
            check(table, rows, False)


def check_from_the_last_to_the_first(orders: Orders, size: int, way: str) -> None:
    for changes in orders:
        table = ChangingTable(size, changes)
        rows, has_warned = page_ahead(table, None, page_size=2, has_keys=way != "neither", has_ranges=way == "ranges")
        check(table, rows, has_warned)
        if way == "ranges":
            assert not has_warned, changes


def check_without_an_order(orders: Orders, ties: int) -> None:
    for changes in orders:
        table = ChangingTable(8, changes, ties=ties)
        rows, has_warned = page_through(table, has_ranges=True)
        assert not has_warned
        check(table, rows, False)


@pytest.mark.parametrize("size", [5, 8])
@pytest.mark.parametrize("way", ["ranges", "keys", "neither"])
def test_every_order_of_changes_between_pages(size: int, way: str, longest: int) -> None:
    check_between_pages(event_orders(), size, way)


@pytest.mark.parametrize("size", [8, 14])
@pytest.mark.parametrize("way", ["ranges", "keys", "neither"])
def test_every_order_of_changes_between_pages_that_are_fetched_from_the_last_to_the_first(
    size: int, way: str, longest: int
) -> None:
    check_from_the_last_to_the_first(event_orders(), size, way)


@pytest.mark.parametrize("ties", [3, 100])
def test_every_order_of_changes_in_a_list_without_an_order(ties: int, longest: int) -> None:
    check_without_an_order(event_orders(), ties)


def test_some_orders_of_changes(longest: int) -> None:
    for way in ("ranges", "keys", "neither"):
        check_between_pages(some_orders(), 8, way)
        check_from_the_last_to_the_first(some_orders(), 8, way)
    for ties in (3, 100):
        check_without_an_order(some_orders(), ties)


@pytest.mark.parametrize("created", [1, 2])
def test_rows_created_in_front_of_a_long_list_are_no_reason_for_a_warning(
    created: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_longest(monkeypatch, CAP)
    for moment in range(2, 8):
        table = ChangingTable(40, [*[[]] * moment, [("create", 0)] * created])
        rows, has_warned = page_through(table)
        assert not has_warned
        check(table, rows, False)


@pytest.mark.parametrize("event", [[("delete", 0)] * 3, [*[("delete", 0)] * 3, *[("create", -1)] * 3]])
def test_list_that_moves_faster_than_it_can_be_read_warns(event: list[Change], monkeypatch: pytest.MonkeyPatch) -> None:
    set_longest(monkeypatch, CAP)
    table = ChangingTable(200, [[], [], *[event] * 60])
    rows, has_warned = page_through(table)
    assert not table.lasting <= set(rows)
    assert has_warned


def test_changes_now_and_then_are_repaired_without_ranges_too(monkeypatch: pytest.MonkeyPatch) -> None:
    set_longest(monkeypatch, CAP)
    event = [*[("delete", 0)] * 3, *[("create", -1)] * 3]
    table = ChangingTable(40, [[], [], *[event, []] * 5])
    rows, has_warned = page_through(table)
    assert not has_warned
    check(table, rows, False)


def test_reading_a_list_that_grows_in_front_all_the_time_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    set_longest(monkeypatch, CAP)
    monkeypatch.setattr(query_pager, "_MOST_REPAIRS_FOR_GROWTH", 20)
    table = ChangingTable(60, [[], [], *[[("create", 0)] * 3] * 1000])
    _, has_warned = page_through(table)
    assert has_warned
    assert len(table.requests) < 100


change = st.tuples(st.sampled_from(["delete", "create"]), st.integers(-12, 40))


@settings(max_examples=300, deadline=None)
@given(
    size=st.integers(0, 60),
    changes=st.lists(st.lists(change, max_size=12), max_size=40),
    page_size=st.none() | st.integers(1, 12),
    default=st.integers(1, CAP),
    longest=st.sampled_from([CAP, 1000]),
    has_keys=st.booleans(),
    has_ranges=st.booleans(),
    longest_page=st.none() | st.integers(1, 8),
)
def test_any_changes_between_pages(
    size: int,
    changes: list[list[Change]],
    page_size: int | None,
    default: int,
    longest: int,
    has_keys: bool,
    has_ranges: bool,
    longest_page: int | None,
) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        set_longest(monkeypatch, longest)
        table = ChangingTable(size, changes, default=default)
        rows, has_warned = read(
            table, page_size=page_size, has_keys=has_keys, has_ranges=has_ranges, longest_page=longest_page
        )
        check(table, rows, has_warned)
        table = ChangingTable(size, changes, default=default)
        draw = random.Random(size)
        rows, has_warned = page_ahead(
            table,
            draw,
            most=1 + size % 5,
            page_size=page_size,
            has_keys=has_keys,
            has_ranges=has_ranges,
            longest_page=longest_page,
        )
        check(table, rows, has_warned)


@settings(max_examples=200, deadline=None)
@given(
    size=st.integers(0, 60),
    page_size=st.none() | st.integers(1, 12),
    max_items=st.none() | st.integers(0, 70),
    ties=st.integers(1, 70),
    longest=st.sampled_from([CAP, 1000]),
    longest_page=st.none() | st.integers(1, 8),
)
def test_list_that_does_not_change_is_whole_without_a_warning(
    size: int, page_size: int | None, max_items: int | None, ties: int, longest: int, longest_page: int | None
) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        set_longest(monkeypatch, longest)
        table = ChangingTable(size, ties=ties)
        rows, has_warned = read(
            table, page_size=page_size, max_items=max_items, has_ranges=True, longest_page=longest_page
        )
    assert not has_warned
    assert len(set(rows)) == len(rows) == min(size, size if max_items is None else max_items)


@pytest.mark.parametrize("page_size", [None, 1, 2, 3, 5])
@pytest.mark.parametrize("longest_page", [None, 6])
@pytest.mark.parametrize("max_items", [None, 1, 5, 12])
@pytest.mark.parametrize("size", range(0, 23))
def test_pages_ahead_are_those_that_are_needed(
    size: int, page_size: int | None, max_items: int | None, longest_page: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_longest(monkeypatch, CAP)
    table = ChangingTable(size, default=4)
    pager = OffsetPager[UUID](1, page_size, max_items, lambda row: row, longest_page=longest_page)
    predicted: list[PageRequest] = []
    requested: list[PageRequest] = []
    while (request := pager.next_page) is not None:
        requested.append(request)
        pager.add_page(table.page(request.offset, request.limit))
        predicted = predicted or pager.upcoming(1000)
    # After a page that is as long as it may be, another one may show that it was the last.
    assert predicted == requested[1:][: len(predicted)]
    assert len(requested) - 1 - len(predicted) in (0, 1)


@pytest.mark.parametrize("has_keys", [True, False])
@pytest.mark.parametrize("page_size", [None, 1, 2, 3, 5])
@pytest.mark.parametrize("size", range(0, 23))
def test_list_that_does_not_change_needs_no_more_requests(
    size: int, page_size: int | None, has_keys: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_longest(monkeypatch, CAP)
    table = ChangingTable(size, default=4)
    rows, has_warned = read(table, page_size=page_size, has_keys=has_keys)
    assert (rows, has_warned) == (table.rows, False)
    length = page_size or 4
    assert len(table.requests) <= max(1, -(-size // length)) + (2 if length == 5 and size > 5 else 0)
