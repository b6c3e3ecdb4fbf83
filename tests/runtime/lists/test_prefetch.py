from __future__ import annotations

import gc
import multiprocessing
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from alyx_client.errors import ServerError
from tests.runtime.lists.support import ReadRows, Row, Server, Table, names, results


def background_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("alyx-client")]


class TestFetchingAhead:
    def test_next_page_is_fetched_while_rows_are_used(self) -> None:
        server = Server(list(range(30)))
        fetched = threading.Event()
        server.before = {2: fetched.set}
        rows = iter(server.results())
        assert [next(rows), next(rows)] == [0, 1]
        assert fetched.wait(10)
        assert len(server.requests) == 2
        assert list(rows) == list(range(2, 30))

    def test_loop_that_stops_at_the_first_row_fetches_one_page(self) -> None:
        server = Server(list(range(30)))
        for _ in server.results():
            break
        assert len(server.requests) == 1

    def test_leaving_the_loop_leaves_no_thread(self) -> None:
        server = Server(list(range(100)))
        for row in server.results():
            if row == 15:
                break
        for thread in background_threads():
            thread.join(10)
            assert not thread.is_alive()
        assert len(server.requests) <= 3

    def test_background_thread_does_not_keep_the_interpreter_alive(self) -> None:
        server = Server(list(range(30)))
        hold = threading.Event()
        server.before = {2: lambda: hold.wait(10)}
        rows = iter(server.results())
        assert [next(rows), next(rows)] == [0, 1]
        threads = background_threads()
        assert threads
        assert all(thread.daemon for thread in threads)
        hold.set()

    async def test_failure_comes_after_the_rows_before_it(self, read_rows: ReadRows) -> None:
        server = Server(list(range(30)))

        def fail() -> None:
            raise ConnectionError("lost")

        server.before = {2: fail}
        rows: list[int] = []
        with pytest.raises(ConnectionError, match="lost"):
            rows.extend(iter(server.results()))
        assert rows == list(range(10))
        server.requests.clear()
        with pytest.raises(ConnectionError, match="lost"):
            await read_rows(server)

    def test_failure_can_be_tried_again(self) -> None:
        server = Server(list(range(30)))

        def fail() -> None:
            raise ConnectionError("lost")

        server.before = {2: fail}
        results = server.results()
        with pytest.raises(ConnectionError):
            list(results)
        assert list(results) == list(range(30))

    def test_threads_share_a_result(self) -> None:
        results = Server(list(range(200))).results()
        outcomes: list[list[int]] = []

        def read() -> None:
            rows = list(iter(results))
            outcomes.append(rows if [results[place] for place in range(0, 200, 7)] == rows[::7] else [])

        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert outcomes == [list(range(200))] * 8

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    def test_iteration_continues_in_both_processes_after_a_fork(self) -> None:
        server = Server(list(range(30)))
        hold = threading.Event()
        server.before = {2: lambda: hold.wait(10)}
        rows = iter(server.results())
        assert [next(rows), next(rows)] == [0, 1]
        child = os.fork()
        if child == 0:
            server.before = {}
            os._exit(0 if list(rows) == list(range(2, 30)) else 1)
        hold.set()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert list(rows) == list(range(2, 30))


def prefetching() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("alyx-client")]


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
    assert most <= 3 * (table.size + 2)  # pages after the first one overlap


def test_pages_that_a_change_made_useless_are_not_held() -> None:
    # The server's pages turn out to be shorter than those that were requested, so that others are needed.
    table = Table(400, size=20, cap=20)
    most = 0
    gc.collect()
    before = len(Row.alive)
    for _ in results(table, parallel=4, longest_page=100):
        for thread in prefetching():
            thread.join(10)
        most = max(most, len(Row.alive) - before)
    assert most <= 20 * (1 + 1 + 4)  # the first page, that in use, and those ahead


@pytest.mark.parametrize("cap", [20, 100])
@pytest.mark.parametrize("page_size", [1, 2, 3, 10, None])
def test_no_page_is_fetched_twice(page_size: int | None, cap: int) -> None:
    table = Table(150, cap=cap)
    assert names(results(table, page_size=page_size, parallel=4, longest_page=100)) == list(range(150))
    assert len(set(table.calls)) == len(table.calls)


def test_pages_of_a_server_that_sends_short_ones_hardly_overlap() -> None:
    table = Table(2000, size=100, cap=100)
    assert names(results(table, longest_page=1000)) == list(range(2000))
    assert len(table.calls) <= 24


def test_failure_ahead_is_raised_at_its_row() -> None:
    table = Table(30)

    def fail() -> None:
        raise ServerError("broken")

    table.before[2] = fail
    rows = results(table)
    iterator = iter(rows)
    assert [next(iterator).name for _ in range(10)] == list(range(10))
    with pytest.raises(ServerError, match="broken"):
        next(iterator)
    assert names(rows) == list(range(30))


def test_threads_may_share_results() -> None:
    rows = results(Table(300))
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda number: rows[number * 37 % 300].name, range(300)))
        whole = list(pool.map(lambda _: names(rows), range(8)))
    assert read == [number * 37 % 300 for number in range(300)]
    assert all(rows == list(range(300)) for rows in whole)


def _rest_of(rows: Iterator[Row], connection: Any) -> None:
    connection.send(names(rows))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_iteration_continues_in_a_forked_process() -> None:
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
