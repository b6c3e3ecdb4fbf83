from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from alyx_client.errors import IncompleteResultsWarning
from alyx_client.runtime.lists.key_ranges import RangesUnfinishedError
from alyx_client.runtime.lists.paging import Page
from alyx_client.runtime.lists.results import Results
from tests.runtime.lists.support import REPEATING, Row, Table, name_of, names, no_warnings, results

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
        assert names(results(table)) == list(range(21))


def test_paging_a_list_that_shrinks_all_the_time_ends() -> None:
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
        read = names(results(table))
    assert [name for name in read if name != 4] == list(range(5, 30))
    assert len(set(read)) == len(read)


def test_rows_repeated_across_pages_are_returned_once() -> None:
    table = Table(REPEATING)
    with pytest.warns(IncompleteResultsWarning, match="counted 40 rows and sent 24"):
        assert names(results(table)) == list(range(24))


def test_warning_points_at_the_line_that_iterates() -> None:
    with pytest.warns(IncompleteResultsWarning) as caught:
        list(results(Table(REPEATING)))
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


def test_missing_rows_are_fetched_by_key_ranges() -> None:
    table = Table(REPEATING)
    requests: list[int] = []

    def rest() -> Iterator[list[Row]]:
        for start in range(0, 50, 10):
            requests.append(start)
            yield [Row(number) for number in range(start, start + 10)]

    with no_warnings():
        assert names(results(table, by_key_ranges=rest)) == list(range(50))
    assert requests == [0, 10, 20, 30, 40]


def test_max_items_limits_rows_fetched_by_key_ranges() -> None:
    table = Table(REPEATING)

    def rest() -> Iterator[list[Row]]:
        yield [Row(number) for number in range(100)]
        raise AssertionError("requested more")

    assert names(results(table, by_key_ranges=rest, max_items=30)) == list(range(30))


def test_rows_that_cannot_be_fetched_are_warned_about() -> None:
    table = Table(REPEATING)

    def rest() -> Iterator[list[Row]]:
        yield [Row(30)]
        raise RangesUnfinishedError

    with pytest.warns(IncompleteResultsWarning, match="counted 40 rows and sent 25"):
        assert names(results(table, by_key_ranges=rest)) == [*range(24), 30]


def test_complete_list_needs_no_key_ranges() -> None:
    def rest() -> Iterator[list[Row]]:
        raise AssertionError("requested more")

    assert names(results(Table(35), by_key_ranges=rest)) == list(range(35))


def test_rows_without_a_key_are_never_dropped() -> None:
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


# --- rows by position, where the order is not stable


def whole() -> Iterator[list[Row]]:
    yield [Row(number) for number in range(40)]


def test_rows_by_position_are_whole_once_a_row_was_at_two_positions() -> None:
    rows = results(Table(REPEATING), by_key_ranges=whole)
    with pytest.warns(IncompleteResultsWarning, match="read by position") as caught:
        read = [rows[position].name for position in range(40)]
    assert sorted(read) == list(range(40))
    assert len(caught) == 1
    assert sorted(names(rows)) == list(range(40))


def test_rows_are_whole_in_reverse() -> None:
    with pytest.warns(IncompleteResultsWarning, match="read by position"):
        read = names(reversed(results(Table(REPEATING), by_key_ranges=whole)))
    assert sorted(read) == list(range(40))


@pytest.mark.parametrize("part", [slice(5, 35), slice(None, None, -1), slice(1, None), slice(None, None, 2)], ids=str)
def test_slice_over_several_pages_has_no_row_twice(part: slice) -> None:
    with pytest.warns(IncompleteResultsWarning, match="read by position"):
        read = names(results(Table(REPEATING), by_key_ranges=whole)[part])
    assert len(set(read)) == len(read) == len(range(40)[part])


def test_rows_by_position_of_a_list_that_shrinks_from_its_front() -> None:
    table = Table(40)

    def delete() -> None:
        del table.names[:3]

    table.before[3] = delete
    rows = results(table)
    with pytest.warns(IncompleteResultsWarning, match="read by position"):
        read = [rows[position].name for position in (-1, *range(35, 20, -1))]
    assert len(read) == 16


@pytest.mark.parametrize("read", [lambda rows: [rows[position] for position in range(25)], lambda rows: rows[5:25]])
def test_rows_skipped_by_position_are_warned_about(read: Callable[[Results[Row]], list[Row]]) -> None:
    table = Table(40)

    def delete() -> None:
        del table.names[:3]

    table.before[2] = delete
    rows = results(table)
    with pytest.warns(IncompleteResultsWarning, match=r"40 rows, now 37") as caught:
        read(rows)
    assert len(caught) == 1
    with no_warnings():
        assert rows[15].name == 18
        assert names(rows) == list(range(40))


def test_stable_list_is_read_by_position_page_by_page() -> None:
    table = Table(100)
    rows = results(table)
    with no_warnings():
        assert [rows[position].name for position in range(100)] == list(range(100))
        assert names(reversed(rows)) == list(range(99, -1, -1))
        assert names(rows[15:45]) == list(range(15, 45))
    assert max(limit or 0 for _, limit in table.calls) <= 10


def test_rows_without_a_key_are_read_by_position() -> None:
    with no_warnings():
        rows = results(Table([1] * 35), key=None)
        assert [rows[position].name for position in range(35)] == [1] * 35
        list(rows)
        assert names(reversed(rows)) == [1] * 35
