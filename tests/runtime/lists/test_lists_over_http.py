from __future__ import annotations

import asyncio
import inspect
import json
import threading
import urllib.request
import warnings
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.errors import IncompleteResultsWarning, SchemaDriftError, SchemaDriftWarning, ServerError
from alyx_client.runtime.lists.async_results import AsyncResults
from alyx_client.runtime.lists.key_ranges import KeyRanges
from alyx_client.runtime.lists.paging import Page
from alyx_client.runtime.lists.results import Results
from tests.faults import FaultServer, Received, json_response
from tests.runtime.lists.support import Server, identity, no_logged_errors, no_warnings


class Handler(BaseHTTPRequestHandler):
    """Answers pages of JSON from the server's rows; `moves` change them before a request, by its number."""

    def do_GET(self) -> None:
        table: Server = self.server.table  # type: ignore[attr-defined]
        query = {name: int(values[0]) for name, values in parse_qs(urlsplit(self.path).query).items()}
        page = table.page(query.get("offset", 0), query.get("limit"))
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
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as response:
                body = json.load(response)
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
        rows = list(Results([over_http(table)], key=identity))
        assert [row for row in rows if row >= 0] == list(range(97))
        assert len(set(rows)) == len(rows)

    def test_several_threads(self, over_http: Any) -> None:
        results: Results[int] = Results([over_http(Server(list(range(60))))], key=identity, page_size=7)
        equal: list[bool] = []
        threads = [threading.Thread(target=lambda: equal.append(results == list(range(60)))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert equal == [True] * 4

    async def test_rows_are_read_by_async_for(self, over_http: Any) -> None:
        fetch = over_http(Server(list(range(45))))

        async def fetch_later(offset: int, limit: int | None) -> Page[int]:
            return await asyncio.to_thread(fetch, offset, limit)

        assert await AsyncResults([fetch_later], key=identity, page_size=1000).all() == list(range(45))


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

    def __init__(self, listed: Sequence[int], stored: Sequence[int] = ()) -> None:
        self.listed, self.stored = listed, stored or listed
        self.refuse_from: int | None = None

    def __call__(self, received: Received, connection: Any) -> bool:
        query = {name: values[-1] for name, values in parse_qs(urlsplit(received.target).query).items()}
        offset, limit = int(query.get("offset", 0)), min(int(query.get("limit", 250)), 1000)
        if self.refuse_from is not None and offset >= self.refuse_from:
            return json_response({"detail": "broken"}, status=500)(received, connection)
        numbers = self.listed
        if "id__gte" in query.get("django", ""):
            low, high = (int(bound.replace("-", ""), 16) for bound in query["django"].split(",")[1::2])
            numbers = [number for number in self.stored if low <= number <= high]
        rows = [weighing(number) for number in numbers[offset : offset + limit]]
        following = "http://elsewhere.example.org/weighings?limit=9&offset=9" if offset + limit < len(numbers) else None
        body = {"count": len(numbers), "next": following, "previous": None, "results": rows}
        return json_response(body)(received, connection)


def serving(answers: Weighings) -> FaultServer:
    return FaultServer(then=answers)


def ids(rows: Sequence[Any]) -> list[int]:
    return [row.id.int for row in rows]


def test_list_is_read_over_one_connection_and_a_foreign_next_link_is_not_followed() -> None:
    with serving(Weighings(range(1, 600))) as server:
        rows = AlyxClient(server.url, token="t").weighings.list()
        assert len(rows) == 599
        assert ids(rows) == list(range(1, 600))
        assert [received.target for received in server.requests] == [
            "/weighings",
            "/weighings?limit=1000&offset=200",
        ]
        assert server.connections <= 2


class MeetingWeighings(Weighings):
    """Responds to pages after the first one only when several of them have been requested."""

    def __init__(self, listed: Sequence[int], parties: int) -> None:
        super().__init__(listed)
        self.barrier = threading.Barrier(parties)

    def __call__(self, received: Received, connection: Any) -> bool:
        if "offset" in received.target:
            self.barrier.wait(30)
        return super().__call__(received, connection)


def test_pages_are_fetched_several_at_a_time() -> None:
    with serving(MeetingWeighings(range(1, 3900), 4)) as server, no_warnings():
        client = AlyxClient(server.url, token="t")
        assert ids(client.weighings.list()) == list(range(1, 3900))
        assert len(server.requests) == 5


async def test_pages_are_fetched_several_at_a_time_by_asyncio_and_by_name() -> None:
    with serving(MeetingWeighings(range(1, 3900), 4)) as server, no_warnings():
        async with AsyncAlyxClient(server.url, token="t") as client:
            assert ids(await client.weighings.list().all()) == list(range(1, 3900))
        rows = AlyxClient(server.url, token="t", cache_rest=None).get("/weighings")
        assert [row["url"] for row in rows] == [weighing(number)["url"] for number in range(1, 3900)]
        assert len(server.requests) == 10


@pytest.mark.parametrize(("stop", "requests"), [(1, 1), (200, 2), (251, 5)])
def test_loop_that_stops_early_has_not_fetched_everything(stop: int, requests: int) -> None:
    with serving(Weighings(range(1, 20_000))) as server:
        for position, _ in enumerate(AlyxClient(server.url, token="t").weighings.list(), 1):
            if position == stop:
                break
        for thread in threading.enumerate():
            if thread.name.startswith("alyx-client"):
                thread.join(30)
        assert len(server.requests) == requests


class DriftingWeighings(Weighings):
    """Sends a weight that is a text on the pages after the first one."""

    def __call__(self, received: Received, connection: Any) -> bool:
        if "offset" not in received.target:
            return super().__call__(received, connection)
        rows = [{**weighing(number), "weight": "heavy"} for number in self.listed[200:]]
        body = {"count": len(self.listed), "next": None, "previous": None, "results": rows}
        return json_response(body)(received, connection)


async def test_warning_about_a_page_that_was_fetched_ahead_points_at_the_users_line() -> None:
    with serving(DriftingWeighings(range(1, 400))) as server:
        with pytest.warns(SchemaDriftWarning, match="weight") as caught:
            rows = list(AlyxClient(server.url, token="t").weighings.list())
        async with AsyncAlyxClient(server.url, token="t") as client:
            with pytest.warns(SchemaDriftWarning, match="weight") as caught_later:
                assert ids(rows) == ids(await client.weighings.list().all()) == list(range(1, 400))
    drift = [warning for warning in (*caught, *caught_later) if warning.category is SchemaDriftWarning]
    assert [warning.filename for warning in drift] == [__file__, __file__]


def test_drift_of_a_page_that_was_fetched_ahead_is_an_error_of_a_strict_client() -> None:
    with serving(DriftingWeighings(range(1, 400))) as server:
        iterator = iter(AlyxClient(server.url, token="t", strict=True).weighings.list())
        assert [next(iterator).id.int for _ in range(250)] == list(range(1, 251))
        with pytest.raises(SchemaDriftError, match="weight"):
            next(iterator)


def test_pages_are_fetched_one_after_the_other_if_so_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALYX_PARALLEL_PAGES", "1")
    with serving(Weighings(range(1, 3900))) as server:
        rows = AlyxClient(server.url, token="t").weighings.list()
        assert ids(rows) == list(range(1, 3900))
        offsets = [int(parse_qs(urlsplit(received.target).query)["offset"][0]) for received in server.requests[1:]]
        assert offsets == sorted(offsets)
        assert server.connections <= 2


@pytest.mark.parametrize("value", [0, -1, 1.5, "2"])
def test_number_of_parallel_pages_is_checked(value: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="parallel_pages"):
        AlyxClient("http://127.0.0.1:9", token="t", parallel_pages=value)


def test_limit_above_the_cap_over_real_sockets() -> None:
    with serving(Weighings(range(1, 2300))) as server:
        rows = AlyxClient(server.url, token="t").weighings.list(page_size=5000)
        assert ids(rows) == list(range(1, 2300))
        assert rows[-1].id.int == 2299
        assert len(server.requests) == 4


def test_rows_that_paging_loses_are_found_by_ranges_of_keys() -> None:
    stored = range(2**100, 2**128, 2**128 // 1500)
    listed = [*stored[:400], *stored[100:]][: len(stored)]
    with serving(Weighings(listed, stored)) as server, no_warnings():
        rows = AlyxClient(server.url, token="t").weighings.list(page_size=300)
        assert sorted(ids(rows)) == list(stored)
        assert ids(rows)[:400] == list(stored)[:400]
        assert any("id__gte" in received.target for received in server.requests)


async def test_async_rows_that_paging_loses_are_found_by_ranges_of_keys() -> None:
    stored = range(2**100, 2**128, 2**128 // 1500)
    listed = [*stored[:400], *stored[100:]][: len(stored)]
    with serving(Weighings(listed, stored)) as server, no_warnings():
        async with AsyncAlyxClient(server.url, token="t") as client:
            assert sorted(ids(await client.weighings.list(page_size=300).all())) == list(stored)


def test_query_with_its_own_key_range_is_not_split() -> None:
    with serving(Weighings([*range(1, 1300), *range(1, 11)])) as server:
        rows = AlyxClient(server.url, token="t").weighings.list(django={"~id__lte": "x", "~pk__lte": "x"})
        with pytest.warns(IncompleteResultsWarning, match="counted 1309 rows and sent 1299"):
            assert len(list(rows)) == 1299


def test_ranges_are_divided_until_they_fit() -> None:
    ranges = KeyRanges((("lab", "x"), ("django", "qc,10")))
    stored = [2**127 + number for number in range(10)]
    read: list[int] = []
    request_count = 0
    while (params := ranges.next_params) is not None:
        request_count += 1
        assert params[0] == ("lab", "x")
        low, high = (int(bound.replace("-", ""), 16) for bound in params[1][1].split(",")[3::2])
        fitting = [number for number in stored if low <= number <= high]
        read += ranges.add_page(Page(len(fitting), fitting[:3], False))
    assert read == stored
    assert request_count < 300


def test_server_error_in_the_middle_is_raised_at_its_row() -> None:
    answers = Weighings(range(1, 600))
    answers.refuse_from = 200
    with serving(answers) as server:
        iterator = iter(AlyxClient(server.url, token="t").weighings.list())
        assert [next(iterator).id.int for _ in range(250)] == list(range(1, 251))
        with pytest.raises(ServerError, match="broken"):
            next(iterator)


async def test_async_loop_left_early_over_real_sockets_logs_nothing() -> None:
    with serving(Weighings(range(1, 3000))) as server, no_logged_errors(asyncio.get_running_loop()):
        async with AsyncAlyxClient(server.url, token="t") as client:
            async for row in client.weighings.list():
                assert row.weight == 20.5
                break
            assert len(await client.weighings.list()) == 2999


def test_wrong_filter_raises_where_the_list_is_requested() -> None:
    answers = Weighings([])
    answers.refuse_from = 0
    with serving(answers) as server, pytest.raises(ServerError, match="broken"):
        AlyxClient(server.url, token="t").weighings.list(django="no_such_field,1")


def test_empty_list_of_keys_sends_nothing() -> None:
    with serving(Weighings(range(5))) as server:
        client = AlyxClient(server.url, token="t")
        assert client.weighings.list(id=[]) == []
        assert list(client.weighings.list(id=[], page_size=5, max_items=2)) == []
        assert server.requests == []


def test_rows_without_a_readable_address_are_still_rows() -> None:
    broken = [{**weighing(1), "url": url} for url in (None, 5, "", ["x"], "not an address")]
    body = {"count": 5, "next": None, "previous": None, "results": broken}
    with FaultServer(then=json_response(body)) as server, pytest.warns(SchemaDriftWarning, match="weighings"):
        rows = list(AlyxClient(server.url, token="t").weighings.list())
    assert [row.url for row in rows] == [None, 5, "", ["x"], "not an address"]
    assert not any(hasattr(row, "id") for row in rows)
    with pytest.raises(AttributeError, match="no id: its url is None"):
        _ = rows[0].id


def test_limit_is_the_former_name_of_the_page_size() -> None:
    with serving(Weighings(range(5))) as server:
        client = AlyxClient(server.url, token="t")
        for method in (client.weighings.list, AsyncAlyxClient(server.url, token="t").weighings.list):
            assert {"page_size", "max_items"} <= set(inspect.signature(method).parameters)
            assert "limit" not in inspect.signature(method).parameters
            with pytest.warns(DeprecationWarning, match="max_items is the most rows to return") as caught:
                rows: Any = method(limit=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
            assert caught[0].filename == __file__
            with pytest.raises(TypeError, match="pass page_size alone"):
                method(limit=2, page_size=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        assert ids(client.weighings.list(page_size=2)) == list(range(5))
        assert ids(client.weighings.list(page_size=2, max_items=3)) == [0, 1, 2]
        with pytest.raises(TypeError, match="has no filter 'limits'"):
            client.weighings.list(limits=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        assert rows is not None
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            client.weighings.list(page_size=2)


def test_offset_is_the_clients_own() -> None:
    with serving(Weighings(range(5))) as server:
        client = AlyxClient(server.url, token="t")
        with pytest.raises(ValueError, match="slice the results"):
            client.weighings.list(extra_params={"offset": 10})
        with pytest.raises(ValueError, match="not 0"):
            client.weighings.list(page_size=0)
        assert server.requests == []
        assert ids(client.weighings.list(extra_params={"limit": 2})) == list(range(5))
