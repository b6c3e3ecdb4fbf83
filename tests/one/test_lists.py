"""Lists of several pages are ONE's: by position, with callbacks, and complete."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from typing import Any
from weakref import WeakMethod

import pytest

import alyx_client.one
from alyx_client.errors import IncompleteResultsWarning
from alyx_client.testing import LocalAlyx
from tests.one.conftest import MakeOne

webclient: Any = pytest.importorskip("one.webclient", reason="ONE-api is not installed")
pytest.importorskip("one.api", reason="ONE-api is not installed")


@pytest.fixture
def lists(new_one: MakeOne) -> list[Any]:
    """Return the same list from both clients."""
    return [new_one(client).alyx.rest("datasets", "list", limit=7, no_cache=True) for client in ("theirs", "ours")]


def test_rows_are_those_of_one(lists: list[Any]) -> None:
    theirs, ours = lists
    assert isinstance(ours, Mapping)
    assert isinstance(ours, webclient._PaginatedResponse)
    assert (len(ours), ours.count, ours.limit) == (len(theirs), theirs.count, theirs.limit)
    assert ours._cache == theirs._cache
    for index in (0, 6, 7, -1, slice(5, 9), slice(0, 3), slice(-4, None, 2)):
        assert ours[index] == theirs[index]
    assert ours._cache == theirs._cache
    assert list(ours) == list(theirs)
    assert ours._cache == theirs._cache
    assert theirs[0] in ours
    assert {} not in ours
    for index in (len(ours), -len(ours) - 1):
        for rows in lists:
            with pytest.raises(IndexError):
                rows[index]


def test_clients_from_before_make_lists_of_their_own(new_one: MakeOne) -> None:
    alyx = new_one("theirs").alyx
    alyx_client.one.install()
    rows = alyx.rest("datasets", "list", limit=7)
    assert type(rows) is webclient._PaginatedResponse
    assert len(list(rows)) == len(rows)


def test_slices_without_a_start_work(lists: list[Any]) -> None:
    theirs, ours = lists
    assert ours[:10] == list(theirs)[:10]
    assert ours[::-1] == list(theirs)[::-1]


class Listener:
    def __init__(self) -> None:
        self.pages: list[int] = []

    def note(self, rows: list[Any]) -> None:
        self.pages.append(len(rows))


def test_callbacks_get_each_page_that_is_fetched(lists: list[Any]) -> None:
    for rows in lists:
        listener, forgotten = Listener(), Listener()
        rows.add_callback(WeakMethod(listener.note))
        rows.add_callback(WeakMethod(forgotten.note))
        with pytest.raises(TypeError):
            rows.add_callback("nothing")
        assert rows[8]
        assert listener.pages == [7]
        del forgotten
        gc.collect()
        assert rows[15]
        assert listener.pages == [7, 7]


def test_iterating_calls_back_in_the_same_thread(one: Any) -> None:
    rows = one.alyx.rest("datasets", "list", limit=7)
    listener = Listener()
    rows.add_callback(listener.note)
    assert len(list(rows)) == len(rows)
    # Pages overlap, so that rows that moved meanwhile are noticed.
    assert sum(listener.pages) >= len(rows) - 7
    assert rows._callbacks == set()


@pytest.mark.parametrize("client", ["theirs", "ours"])
def test_changed_number_of_rows_is_warned_about(client: str, new_one: MakeOne) -> None:
    alyx = new_one(client).alyx
    rows = alyx.rest("tags", "list", limit=1, no_cache=True)
    before = len(rows)
    alyx.rest("tags", "create", data={"name": "one more", "description": "", "protected": False, "public": True})
    with pytest.warns(RuntimeWarning):
        assert rows[1]
    assert len(rows) == before + 1


def test_rows_that_the_server_repeats_come_once(new_one: MakeOne, local_alyx: LocalAlyx) -> None:
    """The server's order is not total: here, its second page begins with the last rows of the first one."""
    alyx = new_one("ours").alyx
    rows = alyx.rest("datasets", "list", limit=7, no_cache=True)
    names = [row["url"] for row in alyx.rest("datasets", "list", no_cache=True)]
    moved, other = rows._cache[6], names[7]
    local_alyx.faults.add("/datasets", "replace", old=other, new=moved["url"])
    with pytest.warns(IncompleteResultsWarning, match="at two positions"):
        assert rows[8]
    assert sorted(row["url"] for row in rows) == sorted(names)
    assert [rows[position]["url"] for position in range(len(rows))] == [row["url"] for row in rows]


def test_expired_and_bypassed_pages_are_requested_again(one: Any, local_alyx: LocalAlyx) -> None:
    for bypass, sent in ((False, 1), (True, 2)):
        local_alyx.requests.clear()
        for _ in range(2):
            assert one.alyx.rest("datasets", "list", limit=7, no_cache=bypass)[8]
        pages = [request for request in local_alyx.requests if "offset=7" in str(request)]
        assert len(pages) == sent


def test_one_page_is_a_list(one: Any) -> None:
    assert type(one.alyx.rest("labs", "list")) is list
    assert type(one.alyx.get("/labs")) is list


def test_search_over_several_pages_updates_the_cache_of_one(new_one: MakeOne) -> None:
    found = []
    for client in ("theirs", "ours"):
        one = new_one(client)
        eids = one.search(limit=2, query_type="remote")
        sizes = [len(eids), len(one._cache.sessions)]
        assert eids[-1] in one._cache.sessions.index
        sizes.append(len(one._cache.sessions))
        found.append((sizes, list(eids), len(one._cache.sessions)))
    assert found[0] == found[1]
