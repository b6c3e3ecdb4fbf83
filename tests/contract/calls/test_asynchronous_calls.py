"""Calls by name of the asynchronous client."""

from __future__ import annotations

import pytest

from alyx_client.errors import InvalidCallError, NotFoundError

from ..bench import PREFIX, Bench
from ..package import AsyncAlyxClient
from .helpers import (
    another_day,
    key,
)


async def test_asynchronous_list_of_several_pages_string(async_client: AsyncAlyxClient, bench: Bench) -> None:
    trajectory = str(bench.trajectory.id)
    body = [{"trajectory_estimate": trajectory, "axial": axial} for axial in range(5)]
    for record in await async_client.rest("channels", "create", data=body):
        bench.keep("channels", key(record))
    rows = await async_client.rest("channels", "list", trajectory_estimate=trajectory, limit=2)
    assert len(rows) == 5
    assert sorted([row["axial"] async for row in rows]) == [0, 1, 2, 3, 4]
    whole = await async_client.rest("channels", "list", trajectory_estimate=trajectory)
    assert sorted(row["axial"] for row in whole) == [0, 1, 2, 3, 4]


async def test_asynchronous_record_is_written_string(async_client: AsyncAlyxClient, bench: Bench) -> None:
    name = f"{PREFIX}-async"
    record = await async_client.rest("tags", "create", data={"name": name, "description": "a"})
    bench.keep("tags", name)
    assert await async_client.rest("tags", "read", id=name) == record
    changed = await async_client.rest("tags", "partial-update", id=name, data={"public": True})
    assert (changed["public"], changed["description"]) == (True, "a")
    assert await async_client.get(f"/tags/{name}") == changed
    assert await async_client.rest("tags", "delete", id=name) is None
    with pytest.raises(NotFoundError):
        await async_client.rest("tags", "read", id=name)


async def test_asynchronous_json_field_string(async_client: AsyncAlyxClient, bench: Bench) -> None:
    session = str(another_day(bench).id)
    await async_client.json_field_write("sessions", session, "extended_qc", {"dlc": 0.5, "ok": True})
    updated = await async_client.json_field_update("sessions", session, "extended_qc", {"dlc": 0.9})
    assert updated == {"dlc": 0.9, "ok": True}
    assert await async_client.json_field_remove_key("sessions", session, "extended_qc", "ok") == {"dlc": 0.9}
    assert (await async_client.rest("sessions", "read", session))["extended_qc"] == {"dlc": 0.9}


async def test_asynchronous_unknown_filter_string(async_client: AsyncAlyxClient) -> None:
    with pytest.raises(InvalidCallError, match="'exist'"):
        await async_client.rest("datasets", "list", exist=True)
