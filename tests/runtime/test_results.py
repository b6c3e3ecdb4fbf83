from __future__ import annotations

import asyncio
import contextlib
import gc
import multiprocessing
import pickle
import threading
import warnings
import weakref
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.errors import IncompleteResultsWarning, SchemaDriftWarning, ServerError
from alyx_client.runtime.async_results import AsyncResults
from alyx_client.runtime.key_ranges import KeyRanges
from alyx_client.runtime.paging import Page
from alyx_client.runtime.results import Results
from tests.faults import FaultServer, Received, json_answer


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


def numbers(*ranges: range) -> list[int]:
    return [number for each in ranges for number in each]


@contextlib.contextmanager
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def prefetching() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("alyx-client")]


# --- a sequence


@pytest.mark.parametrize("size", [1, 3, 10, 100])
@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 35])
def test_results_are_the_list_that_the_server_has(count: int, size: int) -> None:
    whole = list(range(count))
    with no_warnings():
        rows = results(Table(count), page_size=size)
        assert len(rows) == rows.total == count
        assert bool(rows) == bool(count)
        assert names(rows) == names(rows) == whole
        assert names(reversed(rows)) == whole[::-1]
        for index in range(-count, count):
            assert rows[index].name == whole[index]
        for index in (-count - 1, count):
            with pytest.raises(IndexError, match=f"no row {index}: the list has {count}"):
                rows[index]
        for cut in (slice(None), slice(2, 7), slice(-3, None), slice(None, None, -2), slice(8, 100), slice(5, 2)):
            part = rows[cut]
            assert isinstance(part, list)
            assert names(part) == whole[cut]
        assert rows == [Row(name) for name in whole]
        assert rows != [Row(name) for name in [*whole, 5]]
        if whole:
            assert rows != [Row(-1) for _ in whole]
            assert Row(whole[-1]) in rows
            assert rows.index(Row(whole[-1])) == count - 1
        assert Row(-1) not in rows
        assert rows.count(Row(-1)) == 0


def test_comparison_with_what_is_no_sequence() -> None:
    rows = results(Table(2))
    assert rows == rows
    assert rows == results(Table(2), page_size=1)
    assert rows != "ab"
    assert rows != 5
    with pytest.raises(TypeError):
        hash(rows)


def test_length_and_an_index_fetch_no_more_than_they_need() -> None:
    table = Table(100)
    rows = results(table)
    assert len(rows) == 100
    assert rows[3].name == 3
    assert table.calls == [(0, None)]
    assert rows[-1].name == 99
    assert rows[95].name == 95
    assert names(rows[14:16]) == [14, 15]
    assert table.calls == [(0, None), (90, 10), (10, 10)]


def test_pages_advance_by_the_rows_that_came() -> None:
    table = Table(50, cap=20)
    rows = results(table, page_size=30)
    assert names(rows) == list(range(50))
    assert table.calls == [(0, 30), (20, 30), (40, 30)]
    assert rows[45].name == 45


@pytest.mark.parametrize("most", [0, 1, 9, 10, 11, 25, 100])
@pytest.mark.parametrize("size", [None, 7])
def test_max_items_caps_the_whole(most: int, size: int | None) -> None:
    table = Table(35)
    rows = results(table, page_size=size, max_items=most)
    expected = list(range(min(35, most)))
    assert len(rows) == len(expected)
    assert rows.total == 35
    assert names(rows) == expected
    assert names(rows[:]) == expected
    assert bool(rows) == bool(most)
    assert sum(1 for _ in rows) == len(expected)
    assert all(limit is None or 1 <= limit <= (size or most or 1) for _, limit in table.calls)
    if expected:
        assert rows[-1].name == expected[-1]
    with pytest.raises(IndexError):
        rows[len(expected)]


@pytest.mark.parametrize("options", [{"page_size": 0}, {"page_size": -1}, {"max_items": -1}])
def test_sizes_that_make_no_sense(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=str(next(iter(options.values())))):
        results(Table(3), **options)
    with pytest.raises(ValueError, match=str(next(iter(options.values())))):
        AsyncResults([Table(3).later], **options)


def test_no_queries_have_no_rows() -> None:
    rows: Results[Row] = Results([])
    assert (len(rows), rows.total, list(rows), rows[:], bool(rows)) == (0, 0, [], [], False)
    assert rows == []
    assert repr(rows) == "Results(0 rows):"


def test_first_page_that_is_there_already_is_not_fetched_again() -> None:
    table = Table(15)
    rows = results(table, first=table.page(0, None))
    assert names(rows) == list(range(15))
    assert table.calls == [(10, None)]


# --- fetching ahead


def test_next_page_is_fetched_while_rows_are_used() -> None:
    table = Table(30)
    second = threading.Event()
    table.before[2] = second.set
    rows = iter(results(table))
    next(rows)
    next(rows)  # who stops at the first row has no use for a second page
    assert second.wait(10)
    assert len(table.calls) == 2


def test_loop_that_is_left_early_leaves_no_thread() -> None:
    table = Table(1000)
    for row in results(table):
        if row.name == 5:
            break
    for thread in prefetching():
        thread.join(10)
    assert prefetching() == []
    assert len(table.calls) <= 2


def test_iterating_holds_no_more_than_the_first_page_and_two() -> None:
    table = Table(200)
    most = 0
    gc.collect()
    before = len(Row.alive)
    for _ in results(table):
        for thread in prefetching():
            thread.join(10)
        most = max(most, len(Row.alive) - before)
    assert most <= 3 * table.size


def test_failure_ahead_is_raised_at_its_row() -> None:
    table = Table(30)

    def fail() -> None:
        raise ServerError("broken")

    table.before[2] = fail
    rows = results(table)
    walk = iter(rows)
    assert [next(walk).name for _ in range(10)] == list(range(10))
    with pytest.raises(ServerError, match="broken"):
        next(walk)
    assert names(rows) == list(range(30))


def test_threads_may_share_results() -> None:
    rows = results(Table(300))
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda number: rows[number * 37 % 300].name, range(300)))
        whole = list(pool.map(lambda _: names(rows), range(8)))
    assert read == [number * 37 % 300 for number in range(300)]
    assert all(each == list(range(300)) for each in whole)


def _rest_of(rows: Iterator[Row], connection: Any) -> None:
    connection.send(names(rows))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_walk_goes_on_in_a_forked_process() -> None:
    rows = iter(results(Table(40)))
    next(rows)
    for thread in prefetching():
        thread.join(10)
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_rest_of, args=(rows, there))
    process.start()
    assert here.poll(30)
    assert here.recv() == list(range(1, 40))
    process.join(10)


# --- a list that changes, or whose order is not stable


def test_records_deleted_meanwhile_hide_no_others() -> None:
    table = Table(40)

    def delete() -> None:
        table.names = [name for name in table.names if name not in (0, 3, 15)]

    table.before[3] = delete
    with no_warnings():
        assert names(results(table)) == list(range(40))


def test_more_records_deleted_than_a_page_has() -> None:
    table = Table(60)

    def delete() -> None:
        table.names = table.names[25:]

    table.before[4] = delete
    with no_warnings():
        read = names(results(table))
    assert read == list(range(60))


def test_all_records_deleted_meanwhile() -> None:
    table = Table(60)
    table.before[3] = table.names.clear
    with no_warnings():
        assert names(results(table)) == list(range(20))


def test_walk_over_a_list_that_shrinks_all_the_time_ends() -> None:
    table = Table(1000)

    class Shrinking(Table):
        def __call__(self, offset: int, limit: int | None) -> Page[Row]:
            del self.names[-1:]
            return super().__call__(offset, limit)

    table = Shrinking(1000)
    assert len(names(results(table))) < 1000
    assert len(table.calls) < 200


def test_records_added_at_the_end_meanwhile_are_read_too() -> None:
    table = Table(25)
    table.before[2] = lambda: table.names.extend(range(25, 45))
    with no_warnings():
        assert names(results(table)) == list(range(45))


def test_records_added_in_front_meanwhile_repeat_no_others() -> None:
    table = Table(range(5, 30))
    table.before[2] = lambda: table.names.insert(0, 4)
    with no_warnings():
        assert names(results(table)) == list(range(5, 30))


def test_rows_repeated_across_pages_are_given_once() -> None:
    table = Table([*range(10), *range(5, 16)])
    with pytest.warns(IncompleteResultsWarning, match="counted 21 rows and sent 16"):
        assert names(results(table)) == list(range(16))


def test_warning_points_at_the_line_that_iterates() -> None:
    with pytest.warns(IncompleteResultsWarning) as caught:
        list(results(Table([*range(12), 3])))
    assert caught[0].filename == __file__


def test_rows_repeated_in_a_page_are_counted_once() -> None:
    table = Table([number // 3 for number in range(66)])
    with no_warnings():
        rows = results(table)
        assert len(rows) == 22
        assert rows.total == 66
        assert names(rows) == list(range(22))
        assert rows[-1].name == 21
        assert rows == [Row(number) for number in range(22)]
        assert names(reversed(rows)) == list(range(21, -1, -1))


def test_counting_by_iterating_reads_once() -> None:
    table = Table([number // 3 for number in range(66)])
    rows = results(table)
    list(rows)
    calls = len(table.calls)
    assert len(rows) == 22
    assert len(table.calls) == calls


def test_more_rows_than_the_count_says() -> None:
    def page(offset: int, limit: int | None) -> Page[Row]:
        return Page(4, [Row(number // 2) for number in range(8)][offset:], False)

    rows = Results([page], key=name_of)
    with no_warnings():
        assert names(rows) == [0, 1, 2, 3]
        assert len(rows) == 4


def test_missing_rows_are_fetched_by_other_means() -> None:
    table = Table([*range(12), 3, 4, *range(12, 18)])
    asked: list[int] = []

    def rest() -> Iterator[list[Row]]:
        for start in range(0, 40, 10):
            asked.append(start)
            yield [Row(number) for number in range(start, start + 10)]

    with no_warnings():
        assert names(results(table, by_key_ranges=rest)) == list(range(20))
    assert asked == [0, 10]


def test_max_items_binds_rows_fetched_by_other_means() -> None:
    table = Table([*range(12), *range(8)])

    def rest() -> Iterator[list[Row]]:
        yield [Row(number) for number in range(100)]
        raise AssertionError("asked for more")

    assert names(results(table, by_key_ranges=rest, max_items=15)) == list(range(15))


def test_rows_that_cannot_be_fetched_at_all_are_told_of() -> None:
    table = Table([*range(12), *range(8)])
    with pytest.warns(IncompleteResultsWarning, match="counted 20 rows and sent 12"):
        assert names(results(table, by_key_ranges=lambda: iter([[Row(3)]]))) == list(range(12))


def test_whole_list_needs_no_other_means() -> None:
    def rest() -> Iterator[list[Row]]:
        raise AssertionError("asked for more")

    assert names(results(Table(35), by_key_ranges=rest)) == list(range(35))


def test_rows_without_a_key_are_all_given() -> None:
    table = Table([1] * 15)
    with no_warnings():
        assert names(results(table, key=None)) == [1] * 15
        assert names(results(table, key=lambda row: None)) == [1] * 15


def test_index_beyond_a_list_that_shrank() -> None:
    table = Table(30)
    rows = results(table)
    assert len(rows) == 30
    del table.names[15:]
    assert rows[14].name == 14
    with pytest.raises(IndexError, match="row 25 is not there any more"):
        rows[25]


def test_plain_array_longer_than_the_page() -> None:
    rows = Results([lambda offset, limit: Page(25, [Row(number) for number in range(25)], False)], page_size=10)
    assert names(rows) == list(range(25))
    assert rows[20].name == 20


# --- several queries


def test_several_queries_are_one_list() -> None:
    tables = Table(range(0, 15)), Table([]), Table(range(12, 30)), Table([29, 3])
    with no_warnings():
        rows = results(*tables)
        assert tables[0].calls == []
        assert names(rows) == list(range(30))
        assert len(rows) == rows.total == 30
        assert rows[-1].name == 29
        assert names(rows[13:16]) == [13, 14, 15]
    assert len(tables[0].calls) == 2


def test_several_queries_are_read_as_far_as_needed() -> None:
    tables = Table(15), Table(range(15, 30)), Table(range(30, 45))
    rows = results(*tables, max_items=18)
    assert names(rows) == list(range(18))
    assert len(rows) == 18
    assert tables[2].calls == []


# --- shown, pickled


def test_repr_shows_the_first_rows_and_fetches_nothing() -> None:
    table = Table(300, size=2)
    rows = results(table)
    assert repr(rows) == "Results(not fetched yet)"
    assert table.calls == []
    len(rows)
    assert repr(rows) == "Results(300 rows):\n  Row(0),\n  Row(1),\n  ... 298 more"
    assert len(table.calls) == 1
    split = results(Table(3), Table(3))
    assert repr(split) == "Results(not fetched yet)"
    assert len(split) == 3
    assert repr(split) == "Results(3 rows):\n  Row(0),\n  Row(1),\n  Row(2),"


def test_pickle_holds_the_rows() -> None:
    rows = results(Table(25), max_items=22)
    again = pickle.loads(pickle.dumps(rows))
    assert isinstance(again, Results)
    assert again == rows
    assert len(again) == again.total == 22
    assert again[-1] == Row(21)
    assert names(again[20:]) == [20, 21]
    assert pickle.loads(pickle.dumps(again)) == rows
    assert pickle.loads(pickle.dumps(Results([]))) == []


# --- asynchronous


def later(*tables: Table, **options: Any) -> AsyncResults[Row]:
    return AsyncResults([table.later for table in tables], **{"key": name_of, **options})


@pytest.mark.parametrize("count", [0, 1, 10, 35])
async def test_async_results_are_the_list_that_the_server_has(count: int) -> None:
    with no_warnings():
        rows = await later(Table(count))
        assert len(rows) == rows.total == count
        assert bool(rows) == bool(count)
        assert [row.name async for row in rows] == list(range(count))
        assert [row.name async for row in rows] == list(range(count))
        assert names(await rows.all()) == list(range(count))
        assert await rows.first() == (Row(0) if count else None)


async def test_async_length_needs_an_await() -> None:
    rows = later(Table(3))
    assert repr(rows) == "AsyncResults(not fetched yet)"
    with pytest.raises(RuntimeError, match="known after `await`"):
        len(rows)
    await rows
    assert repr(rows) == "AsyncResults(3 rows)"


async def test_async_awaiting_twice_fetches_once() -> None:
    table = Table(15)
    rows = later(table)
    assert await rows is rows
    await rows
    assert await rows.first() == Row(0)
    assert table.calls == [(0, None)]


async def test_async_first_row_needs_one_page() -> None:
    table = Table(100)
    assert await later(table).first() == Row(0)
    assert table.calls == [(0, None)]
    assert await later(Table([]), Table([]), Table(3)).first() == Row(0)
    assert await later(Table([]), Table([])).first() is None
    assert await later(Table(3), max_items=0).first() is None
    assert await later().first() is None


@pytest.mark.parametrize("most", [0, 1, 10, 25, 100])
async def test_async_max_items_caps_the_whole(most: int) -> None:
    rows = await later(Table(35), page_size=7, max_items=most)
    assert len(rows) == min(most, 35)
    assert rows.total == 35
    assert [row.name async for row in rows] == list(range(min(most, 35)))


async def test_async_several_queries_are_one_list() -> None:
    rows = later(Table(15), Table([]), Table(range(12, 30)))
    assert [row.name async for row in rows] == list(range(30))
    assert len(rows) == 30
    rows = await later(Table(15), Table(range(12, 30)))
    assert len(rows) == rows.total == 30
    assert len(await later()) == 0


async def test_async_rows_repeated_in_a_page_are_counted_once() -> None:
    with no_warnings():
        rows = await later(Table([number // 3 for number in range(66)]))
        assert len(rows) == 22
        assert rows.total == 66
        assert names(await rows.all()) == list(range(22))


async def test_async_missing_rows_are_fetched_by_other_means_or_told_of() -> None:
    async def rest() -> AsyncIterator[list[Row]]:
        yield [Row(number) for number in range(20)]
        raise AssertionError("asked for more")

    table = Table([*range(12), 3, 4, *range(12, 18)])
    with no_warnings():
        assert names(await later(table, by_key_ranges=rest).all()) == list(range(20))
    with pytest.warns(IncompleteResultsWarning, match="counted 20 rows and sent 18") as caught:
        await later(table).all()
    assert len(caught) == 1


async def test_async_failure_ahead_is_raised_at_its_row() -> None:
    table = Table(30)

    def fail() -> None:
        raise ServerError("broken")

    table.before[2] = fail
    walk = aiter(later(table))
    assert [(await anext(walk)).name for _ in range(10)] == list(range(10))
    with pytest.raises(ServerError, match="broken"):
        await anext(walk)


@contextlib.contextmanager
def no_complaints(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    complaints: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    yield
    gc.collect()
    assert complaints == []


@pytest.mark.parametrize("failing", [False, True])
@pytest.mark.parametrize("turns", [0, 1, 5])
async def test_async_loop_that_is_left_early_leaves_no_task_and_no_noise(failing: bool, turns: int) -> None:
    table = Table(1000)

    def fail() -> None:
        raise ServerError("broken")

    if failing:
        table.before[2] = fail
    with no_complaints(asyncio.get_running_loop()):
        async for _ in later(table):
            for _ in range(turns):
                await asyncio.sleep(0)
            break
        gc.collect()
        for _ in range(5):
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
    assert len(table.calls) <= 2


async def test_async_iterating_task_can_be_cancelled() -> None:
    table = Table(1000)
    started = asyncio.Event()

    async def walk() -> None:
        async for _ in later(table):
            started.set()
            await asyncio.sleep(3600)

    with no_complaints(asyncio.get_running_loop()):
        task = asyncio.create_task(walk())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(5):
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_async_tasks_may_share_results() -> None:
    rows = later(Table(45))
    read = await asyncio.gather(*(rows.all() for _ in range(5)))
    assert all(names(each) == list(range(45)) for each in read)


# --- over real sockets


def weighing(number: int) -> dict[str, object]:
    return {
        "date_time": "2020-01-01T12:00:00",
        "subject": "flowers",
        "url": f"https://alyx.example.org/weighings/{number:032x}",
        "user": "olivier",
        "weight": 20.5,
    }


class Weighings:
    """Answers lists of weighings as Alyx does: 250 rows a page, 1000 at most, and ranges of keys."""

    def __init__(self, shown: Sequence[int], stored: Sequence[int] = ()) -> None:
        self.shown, self.stored = shown, stored or shown
        self.refuse_from: int | None = None

    def __call__(self, received: Received, connection: Any) -> bool:
        query = {name: values[-1] for name, values in parse_qs(urlsplit(received.target).query).items()}
        offset, limit = int(query.get("offset", 0)), min(int(query.get("limit", 250)), 1000)
        if self.refuse_from is not None and offset >= self.refuse_from:
            return json_answer({"detail": "broken"}, status=500)(received, connection)
        numbers = self.shown
        if "id__gte" in query.get("django", ""):
            low, high = (int(bound.replace("-", ""), 16) for bound in query["django"].split(",")[1::2])
            numbers = [number for number in self.stored if low <= number <= high]
        rows = [weighing(number) for number in numbers[offset : offset + limit]]
        following = "http://elsewhere.example.org/weighings?limit=9&offset=9" if offset + limit < len(numbers) else None
        body = {"count": len(numbers), "next": following, "previous": None, "results": rows}
        return json_answer(body)(received, connection)


def serving(answers: Weighings) -> FaultServer:
    return FaultServer(then=answers)


def ids(rows: Sequence[Any]) -> list[int]:
    return [row.id.int for row in rows]


def test_list_is_walked_over_one_connection_and_a_foreign_next_is_not_followed() -> None:
    with serving(Weighings(range(1, 600))) as server:
        rows = AlyxClient(server.url, token="t").weighings.list()
        assert len(rows) == 599
        assert ids(rows) == list(range(1, 600))
        assert [received.target for received in server.requests] == [
            "/weighings",
            "/weighings?offset=250",
            "/weighings?offset=500",
        ]
        assert server.connections <= 2


def test_limit_above_the_cap_over_real_sockets() -> None:
    with serving(Weighings(range(1, 2300))) as server:
        rows = AlyxClient(server.url, token="t").weighings.list(limit=5000)
        assert ids(rows) == list(range(1, 2300))
        assert rows[-1].id.int == 2299
        assert len(server.requests) == 4


def test_rows_that_paging_loses_are_found_by_ranges_of_keys() -> None:
    stored = range(2**100, 2**128, 2**128 // 1500)
    shown = [*stored[:400], *stored[100:]][: len(stored)]
    with serving(Weighings(shown, stored)) as server, no_warnings():
        rows = AlyxClient(server.url, token="t").weighings.list(limit=300)
        assert sorted(ids(rows)) == list(stored)
        assert ids(rows)[:400] == list(stored)[:400]
        assert any("id__gte" in received.target for received in server.requests)


async def test_async_rows_that_paging_loses_are_found_by_ranges_of_keys() -> None:
    stored = range(2**100, 2**128, 2**128 // 1500)
    shown = [*stored[:400], *stored[100:]][: len(stored)]
    with serving(Weighings(shown, stored)) as server, no_warnings():
        async with AsyncAlyxClient(server.url, token="t") as client:
            assert sorted(ids(await client.weighings.list(limit=300).all())) == list(stored)


def test_own_ranges_of_keys_leave_no_room_for_others() -> None:
    with serving(Weighings([*range(1, 300), *range(1, 11)])) as server:
        rows = AlyxClient(server.url, token="t").weighings.list(django={"~id__lte": "x"})
        with pytest.warns(IncompleteResultsWarning, match="counted 309 rows and sent 299"):
            assert len(list(rows)) == 299


def test_ranges_are_divided_until_they_fit() -> None:
    ranges = KeyRanges((("lab", "x"), ("django", "qc,10")))
    stored = [2**127 + number for number in range(10)]
    read: list[int] = []
    asked = 0
    while (params := ranges.next_params) is not None:
        asked += 1
        assert params[0] == ("lab", "x")
        low, high = (int(bound.replace("-", ""), 16) for bound in params[1][1].split(",")[3::2])
        fitting = [number for number in stored if low <= number <= high]
        read += ranges.add_page(Page(len(fitting), fitting[:3], False))
    assert read == stored
    assert asked < 300


def test_server_error_in_the_middle_is_raised_at_its_row() -> None:
    answers = Weighings(range(1, 600))
    answers.refuse_from = 250
    with serving(answers) as server:
        walk = iter(AlyxClient(server.url, token="t").weighings.list())
        assert [next(walk).id.int for _ in range(250)] == list(range(1, 251))
        with pytest.raises(ServerError, match="broken"):
            next(walk)


async def test_async_loop_left_early_over_real_sockets_makes_no_noise() -> None:
    with serving(Weighings(range(1, 3000))) as server, no_complaints(asyncio.get_running_loop()):
        async with AsyncAlyxClient(server.url, token="t") as client:
            async for row in client.weighings.list():
                assert row.weight == 20.5
                break
            assert len(await client.weighings.list()) == 2999


def test_fault_of_a_filter_shows_where_the_list_is_asked_for() -> None:
    answers = Weighings([])
    answers.refuse_from = 0
    with serving(answers) as server, pytest.raises(ServerError, match="broken"):
        AlyxClient(server.url, token="t").weighings.list(django="no_such_field,1")


def test_no_keys_send_nothing() -> None:
    with serving(Weighings(range(5))) as server:
        client = AlyxClient(server.url, token="t")
        assert client.weighings.list(id=[]) == []
        assert list(client.weighings.list(id=[], limit=5, max_items=2)) == []
        assert server.requests == []


def test_rows_without_a_readable_address_are_still_rows() -> None:
    broken = [{**weighing(1), "url": url} for url in (None, 5, "", ["x"], "not an address")]
    body = {"count": 5, "next": None, "previous": None, "results": broken}
    with FaultServer(then=json_answer(body)) as server, pytest.warns(SchemaDriftWarning, match="weighings"):
        rows = list(AlyxClient(server.url, token="t").weighings.list())
    assert [row.url for row in rows] == [None, 5, "", ["x"], "not an address"]
    assert not any(hasattr(row, "id") for row in rows)
    with pytest.raises(AttributeError, match="no id: its url is None"):
        _ = rows[0].id


def test_offset_is_the_clients_own() -> None:
    with serving(Weighings(range(5))) as server:
        client = AlyxClient(server.url, token="t")
        with pytest.raises(ValueError, match="slice the results"):
            client.weighings.list(extra_params={"offset": 10})
        with pytest.raises(ValueError, match="not 0"):
            client.weighings.list(limit=0)
        assert server.requests == []
        assert ids(client.weighings.list(extra_params={"limit": 2})) == list(range(5))
