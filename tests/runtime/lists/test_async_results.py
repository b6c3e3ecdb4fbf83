from __future__ import annotations

import asyncio
import gc
import pickle
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from alyx_client.errors import IncompleteResultsWarning, ServerError
from alyx_client.runtime.lists.async_results import AsyncResults
from alyx_client.runtime.lists.paging import Page
from tests.runtime.lists.support import (
    REPEATING,
    Row,
    Server,
    Table,
    identity,
    name_of,
    names,
    no_logged_errors,
    no_warnings,
)


class TestAsynchronous:
    async def test_length_is_known_after_await(self) -> None:
        server = Server(list(range(25)))
        results = server.async_results(max_items=12)
        with pytest.raises(RuntimeError, match="await"):
            len(results)
        assert repr(results) == "AsyncResults(not fetched yet)"
        assert await results is results
        assert (len(results), results.total, bool(results)) == (12, 25, True)
        assert len(server.requests) == 1
        assert repr(results) == "AsyncResults(12 rows)"

    async def test_first_page_is_fetched_once_for_several_awaits_and_loops(self) -> None:
        server = Server(list(range(15)))
        results = await server.async_results()
        await results
        assert [row async for row in results] == server.rows
        assert [offset for offset, _ in server.requests] == [0, 9]

    async def test_first_and_get_fetch_what_they_need(self) -> None:
        server = Server(list(range(35)))
        results = server.async_results()
        assert await results.first() == 0
        assert len(server.requests) == 1
        assert [await results.get(place) for place in (-1, 30, 3)] == [34, 30, 3]
        assert len(server.requests) == 2
        with pytest.raises(IndexError, match="35"):
            await results.get(35)
        assert await Server([]).async_results().first() is None

    async def test_row_that_is_gone_is_an_index_error(self) -> None:
        server = Server(list(range(35)))
        results = await server.async_results()
        del server.rows[5:]
        with pytest.raises(IndexError, match="list changed"):
            await results.get(30)

    async def test_list_whose_first_page_repeats_is_counted_by_its_rows(self) -> None:
        async def fetch(offset: int, limit: int | None) -> Page[int]:
            return Page(2, [1, 1, 1, 2][offset:], False)

        results: AsyncResults[int] = await AsyncResults([fetch], key=identity)
        assert (len(results), await results.get(-1)) == (2, 2)

    async def test_no_queries_are_no_rows(self) -> None:
        results: AsyncResults[int] = await AsyncResults([])
        assert (len(results), await results.all(), await results.first()) == (0, [], None)

    async def test_tasks_share_a_result(self) -> None:
        results = Server(list(range(50))).async_results()
        first, second, last = await asyncio.gather(results.all(), results.all(), results.get(49))
        assert (first, second, last) == ([*range(50)], [*range(50)], 49)

    async def test_leaving_the_loop_cancels_the_next_page(self) -> None:
        cancelled = asyncio.Event()

        async def fetch(offset: int, limit: int | None) -> Page[int]:
            if offset:
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    cancelled.set()
                    raise
            return Page(30, list(range(offset, offset + 10)), True)

        rows: Any = aiter(AsyncResults([fetch], key=identity))
        assert [await anext(rows), await anext(rows)] == [0, 1]
        await asyncio.sleep(0)
        await rows.aclose()
        await asyncio.wait_for(cancelled.wait(), 10)

    async def test_failure_that_nobody_waits_for_is_not_logged(self) -> None:
        logged: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: logged.append(context))

        async def fetch(offset: int, limit: int | None) -> Page[int]:
            if offset:
                raise ConnectionError("lost")
            return Page(30, list(range(10)), True)

        rows: Any = aiter(AsyncResults([fetch], key=identity))
        assert [await anext(rows), await anext(rows)] == [0, 1]
        await asyncio.sleep(0.01)
        await rows.aclose()
        gc.collect()
        await asyncio.sleep(0)
        assert logged == []

    async def test_pickle_error_names_the_alternative(self) -> None:
        with pytest.raises(TypeError, match="all"):
            pickle.dumps(Server([1]).async_results())


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
async def test_async_max_items_limits_the_list(most: int) -> None:
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


async def test_async_missing_rows_are_fetched_by_key_ranges_or_warned_about() -> None:
    async def rest() -> AsyncGenerator[list[Row]]:
        yield [Row(number) for number in range(30)]
        yield [Row(number) for number in range(30, 40)]

    table = Table(REPEATING)
    with no_warnings():
        assert names(await later(table, by_key_ranges=rest).all()) == list(range(40))
    with pytest.warns(IncompleteResultsWarning, match="counted 40 rows and sent 24") as caught:
        await later(table).all()
    assert len(caught) == 1


async def test_async_failure_ahead_is_raised_at_its_row() -> None:
    table = Table(30)

    def fail() -> None:
        raise ServerError("broken")

    table.before[2] = fail
    iterator = aiter(later(table))
    assert [(await anext(iterator)).name for _ in range(10)] == list(range(10))
    with pytest.raises(ServerError, match="broken"):
        await anext(iterator)


@pytest.mark.parametrize("failing", [False, True])
@pytest.mark.parametrize("turns", [0, 1, 5])
async def test_async_loop_left_early_leaves_no_task_and_no_log(failing: bool, turns: int) -> None:
    table = Table(1000)

    def fail() -> None:
        raise ServerError("broken")

    if failing:
        table.before[2] = fail
    with no_logged_errors(asyncio.get_running_loop()):
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

    async def iterate() -> None:
        async for _ in later(table):
            started.set()
            await asyncio.sleep(3600)

    with no_logged_errors(asyncio.get_running_loop()):
        task = asyncio.create_task(iterate())
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
    assert all(names(rows) == list(range(45)) for rows in read)
