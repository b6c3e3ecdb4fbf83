from __future__ import annotations

import pickle

import pytest

from alyx_client.runtime.lists.async_results import AsyncResults
from alyx_client.runtime.lists.results import Results
from tests.runtime.lists.support import CAP, Row, Server, Table, identity, names, no_warnings, results


class TestSequence:
    def test_length_needs_the_first_page_alone(self) -> None:
        server = Server(list(range(35)))
        assert len(server.results()) == 35
        assert server.results(max_items=5).total == 35
        assert len(server.results(max_items=5)) == 5
        assert {offset for offset, _ in server.requests} == {0}

    def test_first_page_passed_in_is_not_fetched_again(self) -> None:
        server = Server(list(range(15)))
        results = server.results(first=server.page(0, None))
        assert list(results) == server.rows
        assert [offset for offset, _ in server.requests] == [0, 9]

    @pytest.mark.parametrize("place", [0, 9, 10, 34, -1, -35])
    def test_index_fetches_its_page(self, place: int) -> None:
        server = Server(list(range(35)))
        assert server.results()[place] == server.rows[place]
        assert len(server.requests) <= 2

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
        assert [offset for offset, _ in server.requests] == [0, 40, 50]

    def test_pages_are_as_long_as_the_server_makes_them(self) -> None:
        server = Server(list(range(100)))
        assert server.results(page_size=1000)[50] == 50
        assert server.requests[1:] == [(40, CAP)]

    def test_few_pages_are_cached(self) -> None:
        server = Server(list(range(200)))
        results = server.results()
        for _ in range(2):
            for place in (15, 25, 35):
                assert results[place] == place
        assert len(server.requests) == 4
        for place in range(200):
            assert results[place] == place
        assert results[15] == 15
        assert len(server.requests) > 20

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
        assert len(server.requests) == 1

    def test_truth_needs_one_page(self) -> None:
        server = Server(list(range(100)))
        assert server.results()
        assert len(server.requests) == 1
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
        assert server.requests == []
        assert results
        assert repr(results) == "Results(25 rows):\n  0,\n  1,\n  2,\n  ... 22 more"
        assert len(server.requests) == 1

    @pytest.mark.parametrize("settings", [{"page_size": 0}, {"max_items": -1}])
    def test_impossible_sizes_are_refused(self, settings: dict[str, int]) -> None:
        with pytest.raises(ValueError, match=r"page_size|max_items"):
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

    def test_rows_of_several_queries_are_one_list_without_repetitions(self) -> None:
        results: Results[int] = Results([server.page for server in self.servers()], key=identity)
        assert list(iter(results)) == list(range(1, 16))
        assert (len(results), results.total, results[3], results[-1]) == (15, 15, 4, 15)
        assert results == list(range(1, 16))

    def test_max_items_spans_queries(self) -> None:
        servers = self.servers()
        assert list(Results([server.page for server in servers], key=identity, max_items=4)) == [1, 2, 3, 4]
        assert servers[-1].requests == []

    def test_truth_reads_no_more_than_it_must(self) -> None:
        servers = self.servers()
        assert Results([server.page for server in servers], key=identity)
        assert [len(server.requests) for server in servers] == [1, 0, 0, 0]

    async def test_rows_are_read_by_async_for(self) -> None:
        results: AsyncResults[int] = await AsyncResults([server.page_async for server in self.servers()], key=identity)
        assert len(results) == 15
        assert await results.all() == list(range(1, 16))


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


def test_comparison_with_other_types() -> None:
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
    assert table.calls == [(0, 30), (19, 30), (38, 30)]
    assert rows[45].name == 45


@pytest.mark.parametrize("most", [0, 1, 9, 10, 11, 25, 100])
@pytest.mark.parametrize("size", [None, 7])
def test_max_items_limits_the_list(most: int, size: int | None) -> None:
    table = Table(35)
    rows = results(table, page_size=size, max_items=most)
    expected = list(range(min(35, most)))
    assert len(rows) == len(expected)
    assert rows.total == 35
    assert names(rows) == expected
    assert names(rows[:]) == expected
    assert bool(rows) == bool(most)
    assert sum(1 for _ in rows) == len(expected)
    assert all(limit is None or 1 <= limit <= (size or most or 1) + 2 for _, limit in table.calls)
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


def test_first_page_passed_in_is_not_fetched() -> None:
    table = Table(15)
    rows = results(table, first=table.page(0, None))
    assert names(rows) == list(range(15))
    assert table.calls == [(9, 12)]


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


# --- repr and pickle


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
