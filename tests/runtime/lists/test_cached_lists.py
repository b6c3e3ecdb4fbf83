"""Lists that are in the cache are read with one look-up for all pages after the first, and are as fresh as before."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient, Retries
from alyx_client.errors import OfflineError, StaleAnswerWarning
from alyx_client.http.cache import store, tables
from tests.faults import FaultServer, json_response
from tests.runtime.lists.test_lists_over_http import Weighings, weighing

ROWS = 4000
# The first page, and pages of a thousand that overlap by fifty.
PAGES = 5


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer(then=Weighings(range(1, ROWS + 1))) as running:
        yield running


@pytest.fixture
def lookups(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of entries that each look-up is for."""
    sizes: list[int] = []
    find = tables.find_several

    def count(key: Any, others: Any, *arguments: Any) -> Any:
        sizes.append(1 + len(others))
        return find(key, others, *arguments)

    monkeypatch.setattr(tables, "find_several", count)
    return sizes


Read = Callable[[FaultServer, Path], list[str]]


def connect(server: FaultServer, folder: Path, **settings: Any) -> AlyxClient:
    return AlyxClient(server.url, token="t", cache_dir=folder, silent=True, **settings)


def typed(server: FaultServer, folder: Path) -> list[str]:
    with connect(server, folder) as client:
        return [str(row.url) for row in client.weighings.list()]


def by_name(server: FaultServer, folder: Path) -> list[str]:
    with connect(server, folder) as client:
        return [row["url"] for row in client.get("/weighings")]


def typed_async(server: FaultServer, folder: Path) -> list[str]:
    async def read() -> list[str]:
        async with AsyncAlyxClient(server.url, token="t", cache_dir=folder, silent=True) as client:
            return [str(row.url) async for row in client.weighings.list()]

    return asyncio.run(read())


def by_name_async(server: FaultServer, folder: Path) -> list[str]:
    async def read() -> list[str]:
        async with AsyncAlyxClient(server.url, token="t", cache_dir=folder, silent=True) as client:
            return [row["url"] for row in await (await client.get("/weighings")).all()]

    return asyncio.run(read())


URLS = [str(weighing(number)["url"]) for number in range(1, ROWS + 1)]


@pytest.mark.parametrize("read", [typed, by_name, typed_async, by_name_async])
def test_list_in_the_cache_needs_one_look_up_for_all_pages_after_the_first(
    read: Read, server: FaultServer, tmp_path: Path, lookups: list[int]
) -> None:
    assert read(server, tmp_path) == URLS
    sent = len(server.requests)
    # Not found: the others are unlikely to be there.
    assert sum(size > 1 for size in lookups) <= 1
    lookups.clear()
    assert read(server, tmp_path) == URLS
    assert len(server.requests) == sent
    assert [size for size in lookups if size > 1] == [PAGES - 1]
    assert len(lookups) == 2


def test_index_and_length_need_no_other_pages(server: FaultServer, tmp_path: Path, lookups: list[int]) -> None:
    typed(server, tmp_path)
    lookups.clear()
    with connect(server, tmp_path) as client:
        rows = client.weighings.list()
        assert (len(rows), rows[3].url, next(iter(rows)).url) == (ROWS, URLS[3], URLS[0])
    assert lookups == [1]


def test_long_list_is_looked_up_part_by_part(server: FaultServer, tmp_path: Path, lookups: list[int]) -> None:
    with connect(server, tmp_path) as client:
        assert len([*client.weighings.list(page_size=40)]) == ROWS
        lookups.clear()
        sent = len(server.requests)
        assert [row.url for row in client.weighings.list(page_size=40)] == URLS
        assert len(server.requests) == sent
    assert len(lookups) <= 4


def test_entries_too_large_to_be_held_are_looked_up_one_by_one(
    server: FaultServer, tmp_path: Path, lookups: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(server, tmp_path)
    monkeypatch.setattr(tables, "_MOST_AHEAD", 600)
    lookups.clear()
    sent = len(server.requests)
    assert typed(server, tmp_path) == URLS
    assert len(server.requests) == sent
    assert len(lookups) == PAGES


def test_write_of_this_process_ends_what_was_looked_up(server: FaultServer, tmp_path: Path) -> None:
    typed(server, tmp_path)
    sent = len(server.requests)
    with connect(server, tmp_path, parallel_pages=1) as client, connect(server, tmp_path) as other:
        rows = iter(client.weighings.list())
        assert [next(rows).url for _ in range(300)] == URLS[:300]
        server.script("/notes", json_response({}, status=201))
        other.post("/notes", data={})
        assert [row.url for row in rows] == URLS[300:]
    # The second page had been read, and the third one was under way.
    assert server.paths[sent:].count("/weighings") in (PAGES - 3, PAGES - 2)


def test_write_of_another_process_ends_what_was_looked_up_after_a_moment(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_MOMENT", -1.0)
    typed(server, tmp_path)
    sent = len(server.requests)
    with connect(server, tmp_path, parallel_pages=1) as client:
        rows = iter(client.weighings.list())
        assert [next(rows).url for _ in range(300)] == URLS[:300]
        _change(tmp_path, "UPDATE state SET generation = randomblob(16)")
        assert [row.url for row in rows] == URLS[300:]
    assert len(server.requests) - sent in (PAGES - 3, PAGES - 2)


def test_what_was_looked_up_is_looked_up_again_after_a_moment(
    server: FaultServer, tmp_path: Path, lookups: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_MOMENT", -1.0)
    typed(server, tmp_path)
    lookups.clear()
    assert typed(server, tmp_path) == URLS
    assert len(lookups) == PAGES


def test_page_that_expired_is_fetched(server: FaultServer, tmp_path: Path) -> None:
    with connect(server, tmp_path) as client:
        assert len([*client.weighings.list()]) == ROWS
        _change(tmp_path, "DELETE FROM answers WHERE CAST(head AS TEXT) LIKE '%offset=3050%'")
        client.default_expiry = timedelta(microseconds=1)  # of this page alone, as the others were stored before
        assert len([*client.weighings.list()]) == ROWS
        client.default_expiry = timedelta(minutes=5)
        sent = len(server.requests)
        assert [row.url for row in client.weighings.list()] == URLS
    assert [received.target.partition("offset=")[2] for received in server.requests[sent:]] == ["3050"]


def test_damaged_page_is_noticed_and_fetched(server: FaultServer, tmp_path: Path) -> None:
    typed(server, tmp_path)
    _change(tmp_path, "UPDATE answers SET body = body || x'00' WHERE head LIKE '%offset=2100%'")
    assert typed(server, tmp_path) == URLS
    sent = len(server.requests)
    assert typed(server, tmp_path) == URLS
    assert len(server.requests) - sent <= PAGES


def test_pages_that_are_missing_are_fetched(server: FaultServer, tmp_path: Path) -> None:
    typed(server, tmp_path)
    sent = len(server.requests)
    _change(tmp_path, "DELETE FROM answers WHERE CAST(head AS TEXT) LIKE '%offset=2100%'")
    assert typed(server, tmp_path) == URLS
    assert len(server.requests) - sent == 1


def test_list_is_read_offline(server: FaultServer, tmp_path: Path, lookups: list[int]) -> None:
    typed(server, tmp_path)
    lookups.clear()
    sent = len(server.requests)
    with connect(server, tmp_path, offline=True) as client:
        assert [row.url for row in client.weighings.list()] == URLS
        assert len(lookups) == 2
        _change(tmp_path, "DELETE FROM answers WHERE CAST(head AS TEXT) LIKE '%offset=2100%'")
        with pytest.raises(OfflineError, match="does not hold the response"):
            list(client.weighings.list())
    assert len(server.requests) == sent


def test_stale_list_is_served_if_the_server_cannot_be_reached(tmp_path: Path) -> None:
    with FaultServer(then=Weighings(range(1, ROWS + 1))) as server:
        with connect(server, tmp_path) as client:
            client.default_expiry = timedelta(microseconds=1)
            assert len([*client.weighings.list()]) == ROWS
        server.close()
        with (
            connect(server, tmp_path, retries=Retries(tries=1)) as client,
            warnings.catch_warnings(record=True) as caught,
        ):
            warnings.simplefilter("always")
            assert [row.url for row in client.weighings.list()] == URLS
    assert {warning.category for warning in caught} == {StaleAnswerWarning}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_reading_continues_in_both_processes_after_a_fork(server: FaultServer, tmp_path: Path) -> None:
    typed(server, tmp_path)
    with connect(server, tmp_path) as client:
        rows = iter(client.weighings.list())
        urls = [next(rows).url for _ in range(260)]
        child = os.fork()
        if child == 0:
            os._exit(0 if [*urls, *(row.url for row in rows)] == URLS else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert [*urls, *(row.url for row in rows)] == URLS


def test_other_user_gets_none_of_the_pages(server: FaultServer, tmp_path: Path) -> None:
    typed(server, tmp_path)
    sent = len(server.requests)
    with AlyxClient(server.url, token="other", cache_dir=tmp_path, silent=True) as client:
        rows = [*client.weighings.list()]
    assert len(rows) == ROWS
    assert len(server.requests) - sent == PAGES


def _change(folder: Path, statement: str) -> None:
    (file,) = folder.rglob("rest*.sqlite")
    connection = sqlite3.connect(file)
    with connection:
        connection.execute(statement)
    connection.close()
