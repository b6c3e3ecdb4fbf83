from __future__ import annotations

import warnings
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from alyx_client.errors import IncompleteResultsWarning
from alyx_client.runtime.lists.paging import Page
from alyx_client.runtime.lists.results import Results
from tests.runtime.lists.support import REPEATING, ReadRows, Server, identity


class TestWalking:
    async def test_all_rows_come_in_order(self, read_rows: ReadRows) -> None:
        server = Server(list(range(35)))
        assert await read_rows(server) == server.rows
        assert server.requests == [(0, None), (9, 12), (20, 12), (31, 12)]

    async def test_limit_is_the_page_size(self, read_rows: ReadRows) -> None:
        server = Server(list(range(9)))
        assert await read_rows(server, page_size=4) == server.rows
        assert server.requests == [(0, 4), (3, 6), (8, 6)]

    async def test_limit_capped_by_the_server_loses_no_rows(self, read_rows: ReadRows) -> None:
        server = Server(list(range(50)))
        assert await read_rows(server, page_size=1000) == server.rows
        assert [offset for offset, _ in server.requests] == [0, 19, 38]

    async def test_max_items_limits_the_list_and_the_page_size(self, read_rows: ReadRows) -> None:
        server = Server(list(range(50)))
        assert await read_rows(server, page_size=4, max_items=6) == list(range(6))
        assert server.requests == [(0, 4), (3, 3)]

    async def test_max_items_zero_returns_no_rows_but_a_total(self, read_rows: ReadRows) -> None:
        assert await read_rows(Server([1, 2]), max_items=0) == []
        results = Server([1, 2]).results(max_items=0)
        assert (len(results), results.total) == (0, 2)

    async def test_empty_list(self, read_rows: ReadRows) -> None:
        assert await read_rows(Server([])) == []

    async def test_exactly_one_full_page_needs_one_request(self, read_rows: ReadRows) -> None:
        server = Server(list(range(10)))
        assert await read_rows(server) == server.rows
        assert len(server.requests) == 1


class TestMovingCount:
    async def test_records_added_in_front_repeat_no_row(self, read_rows: ReadRows) -> None:
        server = Server(list(range(25)))
        server.before = {2: lambda: server.rows.insert(0, -1), 3: lambda: server.rows.insert(0, -2)}
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            rows = await read_rows(server)
        assert [row for row in rows if row >= 0] == list(range(25))  # new records may be among the rows
        assert len(set(rows)) == len(rows)

    async def test_records_added_at_the_end_are_read(self, read_rows: ReadRows) -> None:
        server = Server(list(range(25)))
        server.before = {3: lambda: server.rows.extend(range(25, 40))}
        assert await read_rows(server) == list(range(40))

    @pytest.mark.parametrize("request_number", [2, 3])
    async def test_records_deleted_in_front_hide_no_others(self, read_rows: ReadRows, request_number: int) -> None:
        server = Server(list(range(25)))
        server.before = {request_number: lambda: server.rows.__delitem__(slice(0, 3))}
        assert await read_rows(server) == list(range(25))

    async def test_records_deleted_behind_are_left_out(self, read_rows: ReadRows) -> None:
        server = Server(list(range(25)))
        server.before = {2: lambda: server.rows.__delitem__(slice(20, 25))}
        assert await read_rows(server) == list(range(20))

    async def test_paging_ends_despite_deletions_before_every_request(self, read_rows: ReadRows) -> None:
        server = Server(list(range(30)))
        server.before = {number: lambda: server.rows.pop(0) for number in range(2, 40)}
        rows = await read_rows(server, page_size=5)
        assert len(set(rows)) == len(rows)
        assert set(server.rows) <= set(rows)

    async def test_max_items_is_reached_after_deletions(self, read_rows: ReadRows) -> None:
        server = Server(list(range(30)))
        server.before = {2: lambda: server.rows.__delitem__(slice(0, 3))}
        assert await read_rows(server, page_size=5, max_items=6) == list(range(6))

    async def test_random_changes_hide_no_lasting_record(self, read_rows: ReadRows) -> None:
        random = Random(1)
        for _ in range(200):
            server = Server(list(range(random.randrange(60))))
            lasting = set(server.rows)

            def change(server: Server = server, lasting: set[int] = lasting) -> None:
                if server.rows and random.random() < 0.7:
                    lasting.discard(server.rows.pop(random.randrange(len(server.rows))))

            server.before = dict.fromkeys(range(2, 200), change)
            rows = await read_rows(server, page_size=random.randrange(4, 12))
            assert len(set(rows)) == len(rows)
            assert lasting <= set(rows)

    async def test_paging_ends_when_all_rows_are_deleted(self, read_rows: ReadRows) -> None:
        server = Server(list(range(25)))
        server.before = {2: lambda: server.rows.clear()}
        assert await read_rows(server) == list(range(10))

    async def test_rows_without_a_key_are_all_returned(self, read_rows: ReadRows) -> None:
        server = Server([1, 1, 2, 2] * 5)
        assert await read_rows(server, page_size=3, key=None) == server.rows


class TestUnstableOrder:
    """The database gives a row twice and another not at all."""

    async def test_repeated_rows_are_dropped_and_missing_rows_warned_about(self, read_rows: ReadRows) -> None:
        with pytest.warns(IncompleteResultsWarning, match="counted 40 rows and sent 24"):
            assert await read_rows(Server(list(REPEATING))) == list(range(24))

    def test_missing_rows_are_fetched_by_key_ranges(self) -> None:
        rest = iter([list(range(12)), list(range(12, 40))])
        assert list(iter(Server(list(REPEATING)).results(by_key_ranges=lambda: rest))) == list(range(40))

    async def test_missing_rows_are_fetched_by_key_ranges_asynchronously(self) -> None:
        async def rest() -> Any:
            yield list(range(12))
            yield list(range(12, 40))

        assert await Server(list(REPEATING)).async_results(by_key_ranges=rest).all() == list(range(40))

    async def test_no_warning_when_max_items_is_reached(self, read_rows: ReadRows) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert await read_rows(Server(list(REPEATING)), max_items=22) == list(range(22))

    def test_list_whose_first_page_repeats_is_counted_by_its_rows(self) -> None:
        results: Results[int] = Results([lambda offset, limit: Page(2, [1, 1, 1, 2][offset:], False)], key=identity)
        assert len(results) == 2
        assert results[1] == 2
        assert results[-1] == 2


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
    assert calls == [0, 0]
    assert list(Results([page], key=lambda row: None, by_key_ranges=rest, max_items=5)) == rows[:5]
