from __future__ import annotations

import asyncio

import pytest

from alyx_client.errors import NotFoundError, ServerError

from .bench import PREFIX, Bench
from .endpoints import ENDPOINTS, LISTED, READ_BY_KEY, READABLE, is_readable
from .package import AsyncAlyxClient, models


@pytest.mark.parametrize("name", LISTED)
async def test_list_reads_several_pages(name: str, async_client: AsyncAlyxClient) -> None:
    declared = ENDPOINTS[name]
    assert declared.listing is not None
    results = getattr(async_client, name).list(page_size=2, max_items=3)
    rows = [row async for row in results]
    assert len(rows) == min(3, (await results).total)
    assert all(isinstance(row, declared.listing.parser.row) for row in rows)


@pytest.mark.parametrize("name", READ_BY_KEY)
async def test_record_is_read(name: str, async_client: AsyncAlyxClient) -> None:
    declared = ENDPOINTS[name]
    endpoint = getattr(async_client, name)
    rows = await endpoint.list(max_items=1, **READABLE.get(name, {})).all()
    row = next((row for row in rows if is_readable(declared.key(row))), None)
    if row is None:
        pytest.skip("the server has no such record, and these tests cannot create any")
    record = await endpoint.read(declared.key(row))
    assert declared.key(record) == declared.key(row)


async def test_record_is_created_changed_and_deleted(async_client: AsyncAlyxClient, bench: Bench) -> None:
    tag = await async_client.tags.create(models.Tag(name=f"{PREFIX}-async"))
    bench.keep("tags", tag.name)

    assert (await async_client.tags.partial_update(tag.name, public=True)).public is True
    assert (await async_client.tags.update(tag.name, models.Tag(name=tag.name, description="x"))).description == "x"
    await async_client.tags.delete(tag.name)

    with pytest.raises(NotFoundError):
        await async_client.tags.read(tag.name)
    bench.done(("tags", tag.name))


async def test_partial_update_keeps_fields_that_server_would_lose(async_client: AsyncAlyxClient, bench: Bench) -> None:
    changed = await async_client.trajectories.partial_update(bench.trajectory.id, json={"a": 1})
    assert changed.probe_insertion == bench.insertion.id


async def test_list_is_created_in_one_request(async_client: AsyncAlyxClient, bench: Bench) -> None:
    created = await async_client.channels.create(
        [models.Channel(trajectory_estimate=bench.trajectory.id) for _ in range(2)]
    )
    for channel in created:
        bench.keep("channels", channel.id)
    assert len(await async_client.channels.list(trajectory_estimate=bench.trajectory.id)) == 2


async def test_calls_run_concurrently(async_client: AsyncAlyxClient) -> None:
    lists = [getattr(async_client, name).list(max_items=2) for name in ("labs", "users", "tags")]
    rows = await asyncio.gather(*(results.all() for results in lists))
    assert [len(some) for some in rows] == [min(2, (await results).total) for results in lists]


async def test_unknown_name_in_django_is_a_server_error(async_client: AsyncAlyxClient) -> None:
    with pytest.raises(ServerError):
        await async_client.sessions.list(django={"nonsense": "x"})
