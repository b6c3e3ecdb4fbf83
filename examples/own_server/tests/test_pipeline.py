from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from alyx_client.testing import LocalAlyx
from lab_alyx import Client
from lab_alyx.models import Subject, Weighing

from lab_pipeline import warn_of_losses

DAY = date(2024, 5, 2)


@pytest.fixture
def client(local_alyx: LocalAlyx) -> Iterator[Client]:
    with Client(
        local_alyx.url, "olivier", "olivier", silent=True, cache_rest=None
    ) as client:
        yield client


def weigh(client: Client, nickname: str, *weights: float) -> None:
    client.subjects.create(Subject(nickname=nickname, lab="cortexlab"))
    for hour, weight in enumerate(weights):
        client.weighings.create(
            Weighing(
                subject=nickname, date_time=f"2024-05-01T{hour:02}:00:00", weight=weight
            )
        )


def test_animals_that_lose_weight_get_one_note_a_day(client: Client) -> None:
    weigh(client, "light", 25.0, 20.0)
    weigh(client, "steady", 25.0, 24.0)
    warned = warn_of_losses(client, "cortexlab", DAY)
    assert "light" in warned
    assert "steady" not in warned
    assert warn_of_losses(client, "cortexlab", DAY) == []
    (note,) = client.notes.list(
        where=client.notes.fields.object_id == client.subjects.read("light").id
    )
    assert note.text == "2024-05-02: 20.0 g, 80% of its first weight"


def test_a_server_that_fails_once_is_asked_again(
    client: Client, local_alyx: LocalAlyx
) -> None:
    weigh(client, "light", 25.0, 20.0)
    local_alyx.faults.add("/weighings", "status", status=503, method="GET")
    assert "light" in warn_of_losses(client, "cortexlab", DAY)


def test_nothing_differs_from_the_schema(client: Client) -> None:
    warn_of_losses(client, "cortexlab", DAY)
    assert not client.drift
    assert not client.check_schema()
