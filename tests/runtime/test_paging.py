from __future__ import annotations

import asyncio
import gc
import json
import os
import pickle
import threading
import urllib.request
import warnings
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from alyx_client.errors import IncompleteResultsWarning
from alyx_client.runtime.async_results import AsyncResults
from alyx_client.runtime.paging import Page
from alyx_client.runtime.results import Results

CAP = 20
DEFAULT = 10


def identity(row: Any) -> object:
    return row


@dataclass
class Server:
    """A list that pages as Alyx does, and changes between requests as told."""

    rows: list[int]
    before: dict[int, Callable[[], object]] = field(default_factory=dict)  # by the number of the request, from 1
    asked: list[tuple[int, int | None]] = field(default_factory=list)

    def page(self, offset: int, limit: int | None) -> Page[int]:
        self.asked.append((offset, limit))
        self.before.get(len(self.asked), lambda: None)()
        end = offset + min(limit or DEFAULT, CAP)
        return Page(len(self.rows), self.rows[offset:end], end < len(self.rows))

    async def page_later(self, offset: int, limit: int | None) -> Page[int]:
        await asyncio.sleep(0)
        return self.page(offset, limit)

    def results(self, **settings: Any) -> Results[int]:
        return Results([self.page], **{"key": identity, **settings})

    def async_results(self, **settings: Any) -> AsyncResults[int]:
        return AsyncResults([self.page_later], **{"key": identity, **settings})


Walked = Callable[..., Awaitable[list[int]]]


@pytest.fixture(params=["sync", "async"])
def walked(request: pytest.FixtureRequest) -> Walked:
    """Reads a list to its end, with either kind of result."""

    async def walk(server: Server, **settings: Any) -> list[int]:
        if request.param == "sync":
            return list(iter(server.results(**settings)))
        return [row async for row in server.async_results(**settings)]

    return walk


class TestWalking:
    async def test_all_rows_come_in_order(self, walked: Walked) -> None:
        server = Server(list(range(35)))
        assert await walked(server) == server.rows
        assert server.asked == [(0, None), (10, None), (20, None), (30, None)]

    async def test_limit_is_the_page_size(self, walked: Walked) -> None:
        server = Server(list(range(9)))
        assert await walked(server, page_size=4) == server.rows
        assert server.asked == [(0, 4), (4, 4), (8, 4)]

    async def test_limit_that_the_server_caps_loses_no_rows(self, walked: Walked) -> None:
        server = Server(list(range(50)))
        assert await walked(server, page_size=1000) == server.rows
        assert [offset for offset, _ in server.asked] == [0, 20, 40]

    async def test_max_items_caps_the_whole_and_what_is_asked_for(self, walked: Walked) -> None:
        server = Server(list(range(50)))
        assert await walked(server, page_size=4, max_items=6) == list(range(6))
        assert server.asked == [(0, 4), (4, 2)]

    async def test_max_items_zero_is_no_rows_of_a_known_number(self, walked: Walked) -> None:
        assert await walked(Server([1, 2]), max_items=0) == []
        results = Server([1, 2]).results(max_items=0)
        assert (len(results), results.total) == (0, 2)

    async def test_empty_list(self, walked: Walked) -> None:
        assert await walked(Server([])) == []

    async def test_exactly_one_full_page_needs_one_request(self, walked: Walked) -> None:
        server = Server(list(range(10)))
        assert await walked(server) == server.rows
        assert len(server.asked) == 1


class TestMovingCount:
    async def test_records_added_in_front_repeat_no_row(self, walked: Walked) -> None:
        server = Server(list(range(25)))
        server.before = {2: lambda: server.rows.insert(0, -1), 3: lambda: server.rows.insert(0, -2)}
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # new records need not be among the rows
            assert await walked(server) == list(range(25))

    async def test_records_added_at_the_end_are_read(self, walked: Walked) -> None:
        server = Server(list(range(25)))
        server.before = {3: lambda: server.rows.extend(range(25, 40))}
        assert await walked(server) == list(range(40))

    @pytest.mark.parametrize("request_number", [2, 3])
    async def test_records_deleted_in_front_hide_no_other(self, walked: Walked, request_number: int) -> None:
        server = Server(list(range(25)))
        server.before = {request_number: lambda: server.rows.__delitem__(slice(0, 3))}
        assert await walked(server) == list(range(25))

    async def test_records_deleted_behind_are_left_out(self, walked: Walked) -> None:
        server = Server(list(range(25)))
        server.before = {2: lambda: server.rows.__delitem__(slice(20, 25))}
        assert await walked(server) == list(range(20))

    async def test_deletions_before_every_request_still_end(self, walked: Walked) -> None:
        server = Server(list(range(30)))
        server.before = {number: lambda: server.rows.pop(0) for number in range(2, 40)}
        rows = await walked(server, page_size=5)
        assert len(set(rows)) == len(rows)
        assert set(server.rows) <= set(rows)

    async def test_max_items_is_reached_after_deletions(self, walked: Walked) -> None:
        server = Server(list(range(30)))
        server.before = {2: lambda: server.rows.__delitem__(slice(0, 3))}
        assert await walked(server, page_size=5, max_items=6) == list(range(6))

    async def test_random_changes_hide_no_lasting_record(self, walked: Walked) -> None:
        random = Random(1)
        for _ in range(200):
            server = Server(list(range(random.randrange(60))))
            lasting = set(server.rows)

            def change(server: Server = server, lasting: set[int] = lasting) -> None:
                if server.rows and random.random() < 0.7:
                    lasting.discard(server.rows.pop(random.randrange(len(server.rows))))

            server.before = dict.fromkeys(range(2, 200), change)
            rows = await walked(server, page_size=random.randrange(4, 12))
            assert len(set(rows)) == len(rows)
            assert lasting <= set(rows)

    async def test_everything_deleted_meanwhile_ends_the_walk(self, walked: Walked) -> None:
        server = Server(list(range(25)))
        server.before = {2: lambda: server.rows.clear()}
        assert await walked(server) == list(range(10))

    async def test_rows_without_a_key_are_all_kept(self, walked: Walked) -> None:
        server = Server([1, 1, 2, 2] * 5)
        assert await walked(server, page_size=3, key=None) == server.rows


class TestUnstableOrder:
    """The database gives a row twice and another not at all."""

    LOST = (*range(10), *range(5, 15))

    async def test_repeated_rows_come_once_and_missing_ones_are_told(self, walked: Walked) -> None:
        with pytest.warns(IncompleteResultsWarning, match="counted 20 rows and sent 15"):
            assert await walked(Server(list(self.LOST))) == list(range(15))

    def test_missing_rows_are_fetched_otherwise(self) -> None:
        rest = iter([list(range(12)), list(range(12, 20))])
        assert list(iter(Server(list(self.LOST)).results(by_key_ranges=lambda: rest))) == list(range(20))

    async def test_missing_rows_are_fetched_otherwise_asynchronously(self) -> None:
        async def rest() -> Any:
            yield list(range(12))
            yield list(range(12, 20))

        assert await Server(list(self.LOST)).async_results(by_key_ranges=rest).all() == list(range(20))

    async def test_max_items_reached_is_nothing_missing(self, walked: Walked) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert await walked(Server(list(self.LOST)), max_items=12) == list(range(12))

    def test_list_whose_first_page_repeats_is_counted_by_its_rows(self) -> None:
        results: Results[int] = Results([lambda offset, limit: Page(2, [1, 1, 1, 2][offset:], False)], key=identity)
        assert len(results) == 2
        assert results[1] == 2
        assert results[-1] == 2


class TestSequence:
    def test_length_needs_the_first_page_alone(self) -> None:
        server = Server(list(range(35)))
        assert len(server.results()) == 35
        assert server.results(max_items=5).total == 35
        assert len(server.results(max_items=5)) == 5
        assert {offset for offset, _ in server.asked} == {0}

    def test_given_first_page_is_not_asked_for_again(self) -> None:
        server = Server(list(range(15)))
        results = server.results(first=server.page(0, None))
        assert list(results) == server.rows
        assert [offset for offset, _ in server.asked] == [0, 10]

    @pytest.mark.parametrize("place", [0, 9, 10, 34, -1, -35])
    def test_index_fetches_its_page(self, place: int) -> None:
        server = Server(list(range(35)))
        assert server.results()[place] == server.rows[place]
        assert len(server.asked) <= 2

    @pytest.mark.parametrize("place", [35, -36])
    def test_index_out_of_range(self, place: int) -> None:
        with pytest.raises(IndexError, match="35"):
            Server(list(range(35))).results()[place]

    def test_index_must_be_an_integer(self) -> None:
        with pytest.raises(TypeError):
            Server([1]).results()["a"]  # type: ignore[call-overload]

    @pytest.mark.parametrize("page_size", [None, 3, 1000])
    @pytest.mark.parametrize(
        "part",
        [slice(None), slice(3), slice(8, 13), slice(-3, None), slice(None, None, -1), slice(1, 30, 7), slice(9, 2)],
    )
    def test_slice_is_that_of_a_list(self, page_size: int | None, part: slice) -> None:
        server = Server(list(range(25)))
        assert server.results(page_size=page_size)[part] == server.rows[part]

    def test_slice_fetches_only_its_pages(self) -> None:
        server = Server(list(range(100)))
        assert server.results()[42:55] == list(range(42, 55))
        assert [offset for offset, _ in server.asked] == [0, 40, 50]

    def test_pages_are_as_long_as_the_server_makes_them(self) -> None:
        server = Server(list(range(100)))
        assert server.results(page_size=1000)[50] == 50
        assert server.asked[1:] == [(40, CAP)]

    def test_few_pages_are_kept(self) -> None:
        server = Server(list(range(200)))
        results = server.results()
        for _ in range(2):
            for place in (15, 25, 35):
                assert results[place] == place
        assert len(server.asked) == 4
        for place in range(200):
            assert results[place] == place
        assert results[15] == 15
        assert len(server.asked) > 20

    def test_row_that_is_gone_is_an_index_error_and_missing_in_slices(self) -> None:
        server = Server(list(range(35)))
        results = server.results()
        assert len(results) == 35
        del server.rows[15:]
        with pytest.raises(IndexError, match="list changed"):
            results[30]
        assert results[12:30] == [12, 13, 14]
        assert list(reversed(results)) == list(reversed(range(15)))

    def test_reversed_and_contains_and_position(self) -> None:
        results = Server(list(range(25))).results()
        assert list(reversed(results)) == list(reversed(range(25)))
        assert 24 in results
        assert 25 not in results
        assert results.index(17) == 17
        assert results.count(3) == 1

    def test_contains_stops_at_the_row(self) -> None:
        server = Server(list(range(100)))
        assert 0 in server.results()
        assert len(server.asked) == 1

    def test_truth_needs_one_page(self) -> None:
        server = Server(list(range(100)))
        assert server.results()
        assert len(server.asked) == 1
        assert not Server([]).results()
        assert not Results([])

    def test_equals_any_sequence_of_the_same_rows(self) -> None:
        results = Server(list(range(25))).results()
        assert results == list(range(25))
        assert results == tuple(range(25))
        assert list(range(25)) == results
        assert results == Server(list(range(25))).results(page_size=3)
        assert results != list(range(24))
        assert results != list(range(26))
        assert results != "text"
        assert results != 25

    def test_iterates_twice_and_nested(self) -> None:
        results = Server(list(range(15))).results()
        assert list(results) == list(results)
        assert len([1 for _ in results for _ in results]) == 225

    def test_no_queries_are_no_rows(self) -> None:
        results: Results[int] = Results([])
        assert (len(results), list(results), results[:], results.total, results == []) == (0, [], [], 0, True)

    def test_repr_shows_count_and_first_rows_and_fetches_nothing(self) -> None:
        server = Server(list(range(25)))
        results = server.results()
        assert repr(results) == "Results(not fetched yet)"
        assert server.asked == []
        assert results
        assert repr(results) == "Results(25 rows):\n  0,\n  1,\n  2,\n  ... 22 more"
        assert len(server.asked) == 1

    @pytest.mark.parametrize("settings", [{"page_size": 0}, {"max_items": -1}])
    def test_impossible_sizes_are_refused(self, settings: dict[str, int]) -> None:
        with pytest.raises(ValueError, match=r"limit|max_items"):
            Results([], **settings)  # type: ignore[arg-type]

    def test_pickle_holds_the_rows(self) -> None:
        copy = pickle.loads(pickle.dumps(Server(list(range(25))).results()))
        assert copy == list(range(25))
        assert (len(copy), copy[-1], copy[3:5]) == (25, 24, [3, 4])
        assert pickle.loads(pickle.dumps(copy)) == copy
        assert pickle.loads(pickle.dumps(Results([]))) == []


class TestSeveralQueries:
    def servers(self) -> list[Server]:
        return [Server([1, 2, 3]), Server([]), Server([3, 4]), Server(list(range(4, 16)))]

    def test_come_as_one_list_in_order_without_repetitions(self) -> None:
        results: Results[int] = Results([each.page for each in self.servers()], key=identity)
        assert list(iter(results)) == list(range(1, 16))
        assert (len(results), results.total, results[3], results[-1]) == (15, 15, 4, 15)
        assert results == list(range(1, 16))

    def test_max_items_spans_queries(self) -> None:
        servers = self.servers()
        assert list(Results([each.page for each in servers], key=identity, max_items=4)) == [1, 2, 3, 4]
        assert servers[-1].asked == []

    def test_truth_reads_no_more_than_it_must(self) -> None:
        servers = self.servers()
        assert Results([each.page for each in servers], key=identity)
        assert [len(each.asked) for each in servers] == [1, 0, 0, 0]

    async def test_asynchronously(self) -> None:
        results: AsyncResults[int] = await AsyncResults([each.page_later for each in self.servers()], key=identity)
        assert len(results) == 15
        assert await results.all() == list(range(1, 16))


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
        assert len(server.asked) == 2
        assert list(rows) == list(range(2, 30))

    def test_who_stops_at_the_first_row_fetches_one_page(self) -> None:
        server = Server(list(range(30)))
        for _ in server.results():
            break
        assert len(server.asked) == 1

    def test_leaving_the_loop_leaves_no_thread(self) -> None:
        server = Server(list(range(100)))
        for row in server.results():
            if row == 15:
                break
        for thread in background_threads():
            thread.join(10)
            assert not thread.is_alive()
        assert len(server.asked) <= 3

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

    async def test_failure_comes_after_the_rows_before_it(self, walked: Walked) -> None:
        server = Server(list(range(30)))

        def fail() -> None:
            raise ConnectionError("lost")

        server.before = {2: fail}
        rows: list[int] = []
        with pytest.raises(ConnectionError, match="lost"):
            rows.extend(iter(server.results()))
        assert rows == list(range(10))
        server.asked.clear()
        with pytest.raises(ConnectionError, match="lost"):
            await walked(server)

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
        found: list[list[int]] = []

        def read() -> None:
            walked = list(iter(results))
            found.append(walked if [results[place] for place in range(0, 200, 7)] == walked[::7] else [])

        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert found == [list(range(200))] * 8

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    def test_fork_in_the_middle_goes_on_in_both_processes(self) -> None:
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


class TestAsynchronous:
    async def test_awaited_it_has_a_length(self) -> None:
        server = Server(list(range(25)))
        results = server.async_results(max_items=12)
        with pytest.raises(RuntimeError, match="await"):
            len(results)
        assert repr(results) == "AsyncResults(not fetched yet)"
        assert await results is results
        assert (len(results), results.total, bool(results)) == (12, 25, True)
        assert len(server.asked) == 1
        assert repr(results) == "AsyncResults(12 rows)"

    async def test_awaited_twice_or_walked_after_asks_for_the_first_page_once(self) -> None:
        server = Server(list(range(15)))
        results = await server.async_results()
        await results
        assert [row async for row in results] == server.rows
        assert [offset for offset, _ in server.asked] == [0, 10]

    async def test_first_and_get_fetch_what_they_need(self) -> None:
        server = Server(list(range(35)))
        results = server.async_results()
        assert await results.first() == 0
        assert len(server.asked) == 1
        assert [await results.get(place) for place in (-1, 30, 3)] == [34, 30, 3]
        assert len(server.asked) == 2
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

    async def test_pickle_is_refused_with_the_way(self) -> None:
        with pytest.raises(TypeError, match="all"):
            pickle.dumps(Server([1]).async_results())


class Handler(BaseHTTPRequestHandler):
    """Answers pages of JSON from the server's rows; `moves` change them before a request, by its number."""

    def do_GET(self) -> None:
        table: Server = self.server.table  # type: ignore[attr-defined]
        asked = {name: int(values[0]) for name, values in parse_qs(urlsplit(self.path).query).items()}
        page = table.page(asked.get("offset", 0), asked.get("limit"))
        body = {"count": page.count, "next": "http://elsewhere/" if page.has_next else None, "results": page.rows}
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def over_http() -> Iterator[Callable[[Server], Callable[[int, int | None], Page[int]]]]:
    servers: list[ThreadingHTTPServer] = []

    def serve(table: Server) -> Callable[[int, int | None], Page[int]]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.table = table  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)

        def fetch(offset: int, limit: int | None) -> Page[int]:
            query = f"offset={offset}" + (f"&limit={limit}" if limit is not None else "")
            url = f"http://127.0.0.1:{server.server_address[1]}/rows?{query}"
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as answer:
                body = json.load(answer)
            return Page(body["count"], body["results"], body["next"] is not None)

        return fetch

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


class TestOverHTTP:
    def test_whole_list(self, over_http: Any) -> None:
        results: Results[int] = Results([over_http(Server(list(range(105))))], key=identity)
        assert list(results) == list(range(105))
        assert results[-5:] == list(range(100, 105))

    def test_counts_that_move_both_ways(self, over_http: Any) -> None:
        table = Server(list(range(95)))
        table.before = {
            2: lambda: table.rows.insert(0, -1),
            4: lambda: table.rows.__delitem__(slice(1, 5)),
            7: lambda: table.rows.extend([95, 96]),
        }
        assert list(Results([over_http(table)], key=identity)) == list(range(97))

    def test_several_threads(self, over_http: Any) -> None:
        results: Results[int] = Results([over_http(Server(list(range(60))))], key=identity, page_size=7)
        found: list[bool] = []
        threads = [threading.Thread(target=lambda: found.append(results == list(range(60)))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert found == [True] * 4

    async def test_asynchronously(self, over_http: Any) -> None:
        fetch = over_http(Server(list(range(45))))

        async def fetch_later(offset: int, limit: int | None) -> Page[int]:
            return await asyncio.to_thread(fetch, offset, limit)

        assert await AsyncResults([fetch_later], key=identity, page_size=1000).all() == list(range(45))


def test_rows_without_keys_are_fetched_by_ranges_where_there_is_more_than_one_page() -> None:
    rows = list(range(30))
    calls: list[int] = []

    def page(offset: int, limit: int | None) -> Page[int]:
        calls.append(offset)
        # As a database without a total order: the second page repeats the first.
        return Page(30, rows[:10] if offset < 20 else rows[20:], offset < 20)

    def rest() -> Iterator[list[int]]:
        yield rows[15:]
        yield rows[:15]

    results = Results([page], key=lambda row: None, by_key_ranges=rest)
    assert sorted(results) == rows
    assert calls == [0]
    assert list(Results([page], key=lambda row: None, by_key_ranges=rest, max_items=5)) == rows[:5]
