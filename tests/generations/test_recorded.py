"""Older generations of Alyx, as real servers of each behave."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import pytest

from alyx_client.errors import InvalidFieldError

PREFIX = "alyx-client-test"
START = datetime(2031, 2, 3, 4, 5, 6)
OLD = ("2.1.1", "1.17.0")
"""Servers that describe themselves in CoreAPI."""

pytestmark = pytest.mark.vcr


class Session:
    """A subject and a session of it, which are deleted at the end."""

    def __init__(self, client: Any, models: Any, stack: ExitStack) -> None:
        self.client, self.models, self.stack = client, models, stack
        self.lab = client.labs.list(page_size=1, max_items=1)[0]
        self.subject = self.create("subjects", models.Subject(nickname=PREFIX, lab=self.lab, birth_date="2030-01-01"))
        self.record = self.create(
            "sessions", models.Session(subject=self.subject, start_time=START, number=1, users=[], task_protocol="x")
        )

    def create(self, endpoint: str, body: Any) -> Any:
        actions = getattr(self.client, endpoint)
        record = actions.create(body)
        self.stack.callback(actions.delete, record)
        return record


@pytest.fixture
def session(client: Any, models: Any) -> Iterator[Session]:
    with ExitStack() as stack:
        yield Session(client, models, stack)


def test_lists_and_records_are_typed(client: Any, generation: str) -> None:
    listed = ("datasets", "fields_of_view", "fov_location", "insertions", "labs", "projects", "sessions", "subjects")
    for name in (*listed, "surgeries", "tasks", "trajectories", "weighings"):
        endpoint = getattr(client, name)
        rows = list(endpoint.list(page_size=2, max_items=3))
        assert len(rows) == 3 or name == "projects", name
        if hasattr(endpoint, "read"):
            record = endpoint.read(rows[-1])
            assert type(record).__name__.endswith("Record")
            assert endpoint.read(rows[-1].url) == record if hasattr(rows[-1], "url") else True
    assert len(client.drift) == 0


def test_records_of_a_session_are_created_changed_and_deleted(
    session: Session, client: Any, models: Any, generation: str
) -> None:
    assert session.record.id == client.sessions.read(session.record.url).id
    changed = client.sessions.partial_update(session.record, task_protocol="y", narrative="two words")
    assert (changed.task_protocol, changed.narrative) == ("y", "two words")
    assert client.sessions.json_field_update(session.record.id, "json", {"a": 1}) == {"a": 1}

    weighing = session.create("weighings", models.Weighing(subject=session.subject, weight=20.5, date_time=START))
    assert client.weighings.read(weighing).weight == 20.5
    arguments: dict[str, Any] = {"arguments": {}} if generation == "2.1.1" else {}
    task = session.create("tasks", models.Task(name=PREFIX, session=session.record, status="Waiting", **arguments))
    assert client.tasks.partial_update(task, status="Complete").status == "Complete"
    assert len(client.drift) == 0


def test_insertion_and_trajectory(session: Session, client: Any, models: Any, generation: str) -> None:
    insertion = session.create(
        "insertions", models.ProbeInsertion(session=session.record, name="probe00", json={"a": 1})
    )
    place: dict[str, Any] = dict.fromkeys(("x", "y", "z", "depth", "theta", "phi", "roll"), 1.5)
    # Where it must be sent, null says that there is none.
    chronic: dict[str, Any] = {"chronic_insertion": None} if generation == "2.1.1" else {}
    trajectory = session.create(
        "trajectories",
        models.TrajectoryEstimate(
            probe_insertion=insertion, provenance="Planned", coordinate_system="IBL-Allen", **place, **chronic
        ),
    )
    changed = client.trajectories.partial_update(trajectory, depth=2.5)
    assert (changed.depth, changed.probe_insertion) == (2.5, insertion.id)
    assert len(client.drift) == 0


@pytest.mark.parametrize("field", ["labs", "projects"])
def test_lists_that_the_server_splits_as_text(session: Session, client: Any, models: Any, field: str) -> None:
    # Both name labs, whose repositories the files are in.
    names: dict[str, Any] = {field: [session.lab]}
    path = f"{PREFIX}/{START:%Y-%m-%d}/001"
    registered = client.register_file.create(models.RegisterFile(path=path, filenames=["spikes.times.npy"], **names))
    for dataset in registered:
        session.stack.callback(client.datasets.delete, dataset.id)
    assert [dataset.name for dataset in registered] == ["spikes.times.npy"]
    assert len(client.drift) == 0


def test_field_that_the_document_omits_and_the_server_requires(session: Session, client: Any, models: Any) -> None:
    plane = session.create("fields_of_view", models.FOV(session=session.record, imaging_type="mesoscope", name=PREFIX))
    location = client.fov_location.create(
        models.FOVLocation(
            field_of_view=plane,
            provenance="L",
            coordinate_system="IBL-Allen",
            x=[1.0, 2.0, 3.0, 4.0],
            y=[1.0, None, 3.0, 4.0],
            z=[1.0] * 4,
            n_xyz=[512, None, 1],
            brain_region=[0],
        )
    )
    assert (location.field_of_view, location.n_xyz) == (plane.id, [512, None, 1])
    assert len(client.drift) == 0


def test_null_where_the_generation_stores_it(client: Any, models: Any, generation: str) -> None:
    if generation not in OLD:
        for refused in (
            lambda: models.Dataset(dataset_type="a", version=None),
            lambda: client.surgeries.partial_update("0" * 32, start_time=None),
        ):
            with pytest.raises(InvalidFieldError):
                refused()
        return
    dataset = client.datasets.list(page_size=1, max_items=1)[0]
    assert client.datasets.partial_update(dataset, version=None).version is None
    client.datasets.partial_update(dataset, version=dataset.version)
    surgery = client.surgeries.list(page_size=1, max_items=1)[0]
    assert client.surgeries.partial_update(surgery, start_time=None).start_time is None
    client.surgeries.partial_update(surgery, start_time=surgery.start_time)
    with pytest.raises(InvalidFieldError, match="session: "):
        models.Task(name=PREFIX, session=None, arguments={}, status="Waiting")


def test_value_that_the_generation_would_ignore_is_refused(models: Any, generation: str) -> None:
    assert ("implant_weight" in models.Surgery.model_fields) == (generation not in OLD)


def test_what_only_the_generation_requires(models: Any, generation: str) -> None:
    assert models.Session.model_fields["users"].is_required() == (generation in OLD)
