"""Lists are whole: Alyx pages without a total order, and would give some rows twice and others not at all."""

from __future__ import annotations

from typing import Any

import pytest

from .bench import Bench
from .package import AlyxClient, AsyncAlyxClient, models
from .targets import Target


def test_rows_of_equal_time_appear_once(client: AlyxClient, bench: Bench) -> None:
    nickname = bench.subject.nickname
    channels = [
        bench.create("weighings", models.Weighing(subject=nickname, weight=20 + place, date_time="2020-01-12T10:00:00"))
        for place in range(7)
    ]
    for limit in (2, 3, 1000):
        rows = [row.id for row in client.weighings.list(nickname=nickname, page_size=limit)]
        assert sorted(rows) == sorted(channel.id for channel in channels)


async def test_asynchronous_list_is_complete(async_client: AsyncAlyxClient, bench: Bench) -> None:
    channels = bench.create(
        "channels", [models.Channel(trajectory_estimate=bench.trajectory.id, axial=1) for _ in range(7)]
    )
    rows = await async_client.channels.list(trajectory_estimate=bench.trajectory.id, page_size=2).all()
    assert sorted(row.id for row in rows) == sorted(channel.id for channel in channels)


def test_max_items_limits_rows(client: AlyxClient) -> None:
    rows = client.brain_regions.list(page_size=4, max_items=6)
    assert len(rows) == len(list(rows)) == 6
    assert rows.total > 6


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("datasets", (None, 100, 1000)),
        ("files", (None, 250, 1000)),
        ("sessions", (None, 7, 100)),
        ("imaging_stack", (None, 7, 3)),
        ("fov_location", (7,)),
        ("water_administrations", (7,)),
        ("weighings", (7,)),
        ("tasks", (7,)),
    ],
)
def test_long_list_is_complete_for_each_page_size(
    name: str, limits: tuple[int | None, ...], client: AlyxClient, target: Target
) -> None:
    if target.name not in ("live", "local"):
        pytest.skip("too long to record")
    endpoint: Any = getattr(client, name)
    for limit in limits:
        results = endpoint.list(page_size=limit)
        rows = [row.id for row in results]
        assert len(set(rows)) == len(rows) == results.total, f"limit={limit}"
