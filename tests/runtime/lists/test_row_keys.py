"""Rows of a list are told apart by certain keys alone: nothing within a page is dropped for a name."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.errors import SchemaDriftWarning
from alyx_client.runtime.lists.row_keys import KeyReader, distinct_rows, has_twice
from tests.faults import FaultServer, json_response
from tests.runtime.lists.support import no_warnings

KEY = "b2f1c6de-7f4a-4a3b-8c6e-2f1d3c4b5a69"
URL = f"https://alyx.example.org/weighings/{KEY}"


@pytest.mark.parametrize(
    ("names", "fields", "key"),
    [
        (["id"], {"id": KEY, "name": "a", "url": URL}, KEY),
        (["id"], {"id": UUID(KEY)}, UUID(KEY)),
        (["id"], {"id": 5, "name": "a"}, 5),
        (["id"], {"id": 0}, 0),
        (["id"], {"id": "17"}, "17"),
        (["id"], {"id": True}, None),
        (["id"], {"id": "rig-1"}, None),
        (["id"], {"id": None, "url": URL}, None),
        (["id", "url"], {"id": None, "url": URL}, KEY),
        (["id", "url"], {"url": f"{URL}/"}, KEY),
        (["url"], {"url": "https://alyx.example.org/alyx/weighings/17"}, "17"),
        (["url"], {"url": f"https://alyx.example.org/sessions/{KEY}"}, None),
        (["url"], {"url": "https://alyx.example.org/weighings/first"}, None),
        (["url"], {"url": "https://alyx.example.org/"}, None),
        (["url"], {"url": 5.0}, None),
        (["pk"], {"pk": 5, "name": "a"}, 5),
        (["pk"], {"name": "a"}, None),
        ([], {"id": KEY, "url": URL, "name": "a"}, None),
    ],
)
def test_key_of_a_row(names: list[str], fields: dict[str, object], key: object) -> None:
    assert KeyReader(names, "/weighings")(fields) == key


def key_of(row: dict[str, Any]) -> object:
    return row.get("id")


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        ([{"id": 1, "a": 1}, {"id": 1, "a": 1}, {"id": 2, "a": 1}], 2),
        # A key that different rows of one page share identifies nothing, whatever the schema says.
        ([{"id": 1, "a": 1}, {"id": 1, "a": 2}, {"id": 1, "a": 1}], 3),
        ([{"id": None, "a": 1}, {"id": None, "a": 1}], 2),
        ([{"a": 1}, {"a": 1}, {"id": 1}, {"id": 1}], 3),
    ],
)
def test_rows_are_dropped_only_if_they_are_equal(rows: list[dict[str, Any]], count: int) -> None:
    assert len(distinct_rows(rows, key_of)) == count
    assert len(distinct_rows(rows, None)) == len(rows)


LOCATIONS = [{"name": f"rig-{number % 47}", "lab": "cortexlab", "json": None} for number in range(75)]


class Listing:
    """Answers a list page by page, 50 rows at once unless a limit is requested."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    def __call__(self, received: Any, connection: Any) -> bool:
        query = dict(pair.split("=") for pair in received.target.partition("?")[2].split("&") if pair)
        offset, limit = int(query.get("offset", 0)), min(1000, int(query.get("limit", 50)))
        page = self.rows[offset : offset + limit]
        following = "http://elsewhere/" if offset + limit < len(self.rows) else None
        body = {"count": len(self.rows), "next": following, "previous": None, "results": page}
        return json_response(body)(received, connection)


@pytest.mark.parametrize("limit", [None, 1, 2, 7, 74, 75, 1000])
def test_rows_of_the_same_name_and_lab_are_all_returned(limit: int | None) -> None:
    with FaultServer(then=Listing(LOCATIONS)) as server, no_warnings():
        client = AlyxClient(server.url, token="t", cache_rest=None)
        rows = client.locations.list(page_size=limit)
        assert len(rows) == rows.total == len(list(rows)) == 75
        assert [row.name for row in rows] == [row["name"] for row in LOCATIONS]
        assert rows[74].name == LOCATIONS[74]["name"]
        by_name = client.get("/locations" if limit is None else f"/locations?limit={limit}")
        assert list(by_name) == LOCATIONS
        assert len(by_name) == 75


@pytest.mark.parametrize("limit", [None, 2, 1000])
async def test_rows_of_the_same_name_and_lab_are_all_returned_by_asyncio(limit: int | None) -> None:
    with FaultServer(then=Listing(LOCATIONS)) as server, no_warnings():
        async with AsyncAlyxClient(server.url, token="t", cache_rest=None) as client:
            rows = await client.locations.list(page_size=limit)
            assert len(rows) == rows.total == len(await rows.all()) == 75


@pytest.mark.parametrize(
    "rows",
    [
        [{"pk": number, "name": "a"} for number in range(60)],
        [{"pk": number, "url": "https://example.org/manual"} for number in range(60)],
        [{"slug": f"s{number % 3}"} for number in range(60)],
        [{"url": "https://example.org/items/a"}] * 60,
        [{"id": number // 2, "name": str(number)} for number in range(60)],
    ],
)
def test_rows_of_unknown_lists_are_all_returned(rows: list[dict[str, Any]]) -> None:
    with FaultServer(then=Listing(rows)) as server, no_warnings():
        assert list(AlyxClient(server.url, token="t").get("/items")) == rows


def test_rows_that_a_join_repeats_are_returned_once() -> None:
    rows = [{"url": f"https://example.org/weighings/{number // 2:032x}"} for number in range(6)]
    with FaultServer(then=Listing(rows)) as server, no_warnings():
        assert list(AlyxClient(server.url, token="t").get("/weighings")) == rows[::2]


@pytest.mark.parametrize("sent", [{}, {"id": None}])
def test_key_of_a_row_that_only_its_url_has_is_its_id(sent: dict[str, Any]) -> None:
    fields = {"lab": None, "number": 1, "projects": [], "start_time": None, "subject": "flowers", "task_protocol": ""}
    rows = [{**fields, **sent, "url": f"https://alyx.example.org/sessions/{number:032x}"} for number in range(120)]
    with FaultServer(then=Listing(rows)) as server:
        client = AlyxClient(server.url, token="t", cache_rest=None)
        with pytest.warns(SchemaDriftWarning, match=r"sessions.*\bid\b"):
            sessions = list(client.sessions.list())
        assert [session.id for session in sessions] == [UUID(int=number) for number in range(120)]
        rows[:] = [{**fields, "url": "https://alyx.example.org/sessions/first"}]
        assert client.sessions.list()[0].id is None


@pytest.mark.parametrize(
    ("keys", "expected"),
    [([], False), ([None, None], False), ([1, None, 2], False), ([1, 1], True), ([1, None, None, 1], True)],
)
def test_rows_without_a_key_are_no_repetitions(keys: list[object], expected: bool) -> None:
    assert has_twice(keys) == expected
