"""Rows of a list are told apart by certain keys alone: nothing within a page is dropped for a name."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.runtime.paging import key_of
from tests.faults import FaultServer, json_response
from tests.runtime.lists import no_warnings

KEY = "b2f1c6de-7f4a-4a3b-8c6e-2f1d3c4b5a69"
URL = f"https://alyx.example.org/weighings/{KEY}"


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"id": KEY, "name": "a", "url": URL}, KEY),
        ({"id": UUID(KEY)}, UUID(KEY)),
        ({"id": 5, "name": "a"}, 5),
        ({"id": 0}, 0),
        ({"url": URL, "name": "a"}, URL),
        ({"url": URL + "/"}, URL + "/"),
        ({"pk": 5, "url": "https://example.org/items/5/"}, "https://example.org/items/5/"),
        ({"pk": 5, "url": "https://example.org/items/15"}, None),
        ({"pk": 5, "url": URL}, None),
        ({"pk": 5, "name": "a"}, None),
        ({"url": "https://example.org/water-type/Water", "name": "Water"}, None),
        ({"url": "https://example.org/", "name": "a"}, None),
        ({"name": "rig", "lab": "cortexlab"}, None),
        ({"name": 5}, None),
        ({"id": None, "url": None}, None),
        ({"id": [], "url": 5}, None),
        ({}, None),
    ],
)
def test_key_is_certain_or_none(fields: dict[str, object], key: object) -> None:
    assert key_of(fields) == key


def listing(rows: list[dict[str, Any]]) -> FaultServer:
    return FaultServer(then=json_response({"count": len(rows), "next": None, "previous": None, "results": rows}))


LOCATIONS = [{"name": f"rig-{number % 47}", "lab": "cortexlab", "json": None} for number in range(75)]


def test_rows_of_the_same_name_and_lab_are_all_returned() -> None:
    with listing(LOCATIONS) as server, no_warnings():
        rows = AlyxClient(server.url, token="t").locations.list()
        assert len(rows) == rows.total == len(list(rows)) == 75
        assert rows[74].name == LOCATIONS[74]["name"]


async def test_rows_of_the_same_name_and_lab_are_all_returned_by_asyncio() -> None:
    with listing(LOCATIONS) as server, no_warnings():
        async with AsyncAlyxClient(server.url, token="t") as client:
            rows = await client.locations.list()
            assert len(rows) == rows.total == len(await rows.all()) == 75


@pytest.mark.parametrize(
    "rows",
    [
        LOCATIONS,
        [{"pk": number, "name": "a"} for number in range(6)],
        [{"pk": number, "url": "https://example.org/manual"} for number in range(6)],
        [{"url": "https://example.org/items/a"}] * 3,
    ],
)
def test_rows_by_address_are_all_returned(rows: list[dict[str, Any]]) -> None:
    with listing(rows) as server, no_warnings():
        assert list(AlyxClient(server.url, token="t").get("/locations")) == rows


def test_rows_that_a_join_repeats_are_returned_once() -> None:
    rows = [{"url": f"https://example.org/weighings/{number // 2:032x}"} for number in range(6)]
    with listing(rows) as server, no_warnings():
        assert list(AlyxClient(server.url, token="t").get("/weighings")) == rows[::2]
