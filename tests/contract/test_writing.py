from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from alyx_client.errors import BadRequestError, NotFoundError

from .bench import PREFIX, Bench, first_row
from .endpoints import ENDPOINTS, LISTED, is_readable
from .package import PACKAGE, AlyxClient, models, new_session
from .targets import Target

MORNING = datetime(2020, 1, 12, 9, 0)
EVENING = "2020-01-12T18:30:00"


@dataclass(frozen=True)
class Cycle:
    """What is created, what replaces it, and what is changed of that; and what is changed back to null."""

    make: Callable[[Bench], Any]
    replace: Callable[[Bench], Any] | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    to_null: str | None = None
    written_only: tuple[str, ...] = ()


CYCLES: dict[str, Cycle] = {
    "channels": Cycle(
        lambda b: models.Channel(
            trajectory_estimate=b.trajectory.id, brain_region=8, axial=20, lateral=43.5, json={"a": 1}
        ),
        lambda b: models.Channel(trajectory_estimate=b.trajectory.id, brain_region=997, axial=40, x=-1.5),
        {"z": -300.25, "axial": 60},
        to_null="json",
    ),
    "chronic_insertions": Cycle(
        lambda b: models.ChronicInsertion(
            name="probe00",
            subject=b.subject.nickname,
            lab=b.lab.name,
            model="3A",
            serial="19051017292",
            start_time=MORNING,
            json={"cement": "blue"},
        ),
        lambda b: models.ChronicInsertion(name="probe01", subject=b.subject.nickname, start_time=EVENING),
        {"serial": "19051017293"},
        to_null="json",
    ),
    "data_formats": Cycle(
        lambda b: models.DataFormat(name=f"{PREFIX}-format", file_extension=".alyxtest", json=[1, 2]),
        lambda b: models.DataFormat(name=f"{PREFIX}-format", file_extension=".alyxtest2", description="None of yours"),
        {"python_loader_function": "np.load"},
        to_null="json",
    ),
    "data_notices": Cycle(
        lambda b: models.DataNotice(
            name=f"{PREFIX} notice",
            importance=50,
            description="**Bold**",
            affected_date_start=date(2020, 1, 1),
            affected_date_end="2020-02-01",
            datasets=[str(b.dataset.id)],
            version_affected="1.0",
        ),
        lambda b: models.DataNotice(name=f"{PREFIX} notice 2", importance=20, created_by=b.me),
        {"affected_date_start": date(2019, 1, 1)},
        to_null="created_by",
    ),
    "data_repository": Cycle(
        lambda b: models.DataRepository(
            name=f"{PREFIX}-repository",
            globus_path="/data/",
            globus_endpoint_id=UUID(int=7),
            globus_is_personal=True,
            data_url="https://data.example.org",
            hostname="alyx-client-test",
            timezone="Europe/London",
            json={"status": "active"},
        ),
        lambda b: models.DataRepository(name=f"{PREFIX}-repository", globus_is_personal=False),
        {"json": {"status": "retired", "since": [2020, None]}},
        to_null="globus_is_personal",
    ),
    "data_repository_type": Cycle(
        lambda b: models.DataRepositoryType(name=f"{PREFIX} type", json={"protocol": "http"}),
        lambda b: models.DataRepositoryType(name=f"{PREFIX} type", json={"protocol": "ftp"}),
        {"json": ["x"]},
        to_null="json",
    ),
    "dataset_types": Cycle(
        lambda b: models.DatasetType(name="alyxClientTest.intervals", filename_pattern="*alyxclienttest.intervals*"),
        lambda b: models.DatasetType(name="alyxClientTest.intervals", description="Intervals"),
        {"description": "Intervals, in seconds"},
    ),
    "datasets": Cycle(
        lambda b: models.Dataset(
            name="alyxClientTest.times.npy",
            session=b.session.url,
            dataset_type=b.dataset_type.name,
            data_format="npy",
            collection="alf/probe00",
            file_size=1234,
            hash="d41d8cd98f00b204e9800998ecf8427e",
            version="1.5.37",
            created_datetime=MORNING,
            qc="PASS",
            json={"samples": 3},
        ),
        lambda b: models.Dataset(name="alyxClientTest.times.npy", dataset_type=b.dataset_type.name, collection="alf"),
        {"qc": "WARNING", "file_size": 5678, "default_dataset": False},
        to_null="file_size",
    ),
    "fields_of_view": Cycle(
        lambda b: models.FOV(name="FOV_00", session=b.session.id, imaging_type="mesoscope", json={"depth": 200}),
        lambda b: models.FOV(name="FOV_01", session=b.session.id, imaging_type="mesoscope", json=[1]),
        {"name": "FOV_02", "datasets": []},
        to_null="json",
    ),
    "files": Cycle(
        lambda b: models.File(
            dataset=b.dataset.url,
            data_repository=b.repository.name,
            relative_path=f"{b.lab.name}/Subjects/alyx-client-test-mouse/2020-01-12/001/alf/alyxClientTest.times.npy",
            exists=True,
        ),
        lambda b: models.File(
            dataset=b.dataset.url,
            data_repository=b.repository.name,
            relative_path="alyx-client-test-mouse/2020-01-12/001/alf/alyxClientTest.times.npy",
            json={"moved": True},
        ),
        {"exists": True},
        to_null="json",
    ),
    "fov_location": Cycle(
        lambda b: models.FOVLocation(
            field_of_view=b.field_of_view.id,
            provenance="E",
            coordinate_system="IBL-Allen",
            x=[1, 2.5, 3, 4],
            y=[1, None, 3, 4],
            z=[0, 0, 0, 0],
            n_xyz=[512, 512, 1],
            brain_region=[8, 997],
        ),
        lambda b: models.FOVLocation(
            field_of_view=b.field_of_view.id,
            provenance="L",
            coordinate_system="IBL-Allen",
            x=[1, 2, 3, 5],
            y=[1, 2, 3, 4],
            z=[0, 0, 0, -1],
            n_xyz=[256, 256, 1],
            json={"fit": 0.5},
        ),
        {"brain_region": [315]},
        to_null="json",
    ),
    "insertions": Cycle(
        lambda b: models.ProbeInsertion(
            name="probe00", session=b.session.id, model="3A", serial="1", json={"qc": "PASS"}
        ),
        lambda b: models.ProbeInsertionUpdate(
            name="probe01", session=b.session.id, chronic_insertion=b.chronic_insertion.id, serial="2"
        ),
        {"json": {"qc": "CRITICAL", "extended_qc": {"drift": 0.5}}},
        to_null="chronic_insertion",
    ),
    "labs": Cycle(
        lambda b: models.Lab(
            name="alyx_client_test_lab",
            institution="Institute of Mazes",
            timezone="Europe/London",
            reference_weight_pct=0.85,
            repositories=[b.repository.name],
        ),
        lambda b: models.Lab(name="alyx_client_test_lab", address="Under the roof", zscore_weight_pct=0.5),
        {"json": {"rooms": 3}, "repositories": []},
        to_null="json",
    ),
    "notes": Cycle(
        lambda b: models.Note(
            user=b.me,
            content_type="actions.session",
            object_id=b.session.id,
            text="slice 12",
            date_time=MORNING,
            json={"a": [1]},
        ),
        lambda b: models.Note(user=b.me, content_type="subjects.subject", object_id=b.subject.id, text="slice 13"),
        {"text": "slice 14"},
        to_null="json",
    ),
    "projects": Cycle(
        lambda b: models.Project(name=f"{PREFIX}-project", description="First steps", users=[]),
        lambda b: models.Project(name=f"{PREFIX}-project", description="More steps", users=[b.me]),
        {"users": []},
    ),
    "revisions": Cycle(
        lambda b: models.Revision(name="alyx-client-test-revision", created_datetime=MORNING, description="Better"),
        lambda b: models.Revision(name="alyx-client-test-revision", json={"reason": "drift"}),
        {"description": "Better still"},
        to_null="json",
    ),
    "sessions": Cycle(
        lambda b: models.Session(
            subject=b.subject.nickname,
            users=[b.me],
            lab=b.lab.name,
            type="Experiment",
            task_protocol="_tests_choice_world_6.4.2",
            number=1,
            start_time=MORNING,
            end_time=EVENING,
            narrative="auto-generated session",
            n_trials=300,
            n_correct_trials=200,
            qc="PASS",
            extended_qc={"dlc": 0.5},
            json={"rig": 1},
        ),
        lambda b: new_session(subject=b.subject.nickname, start_time=MORNING, number=2, narrative="by hand"),
        {"qc": "WARNING", "extended_qc": {"dlc": 0.9, "ok": True}, "n_trials": 10},
        to_null="end_time",
    ),
    "subjects": Cycle(
        lambda b: models.Subject(
            nickname=f"{PREFIX}-flowers.02",
            lab=b.lab.name,
            sex="F",
            birth_date=date(2019, 8, 1),
            description="A subject with a dot in its name",
            json={"cage": 12},
        ),
        lambda b: models.Subject(nickname=f"{PREFIX}-flowers.02", lab=b.lab.name, responsible_user=b.me, sex="M"),
        {"death_date": date(2020, 12, 1), "json": {"cage": None}},
        to_null="death_date",
    ),
    "tags": Cycle(
        lambda b: models.Tag(name=f"{PREFIX} tag, with 100%?", description="one", public=True),
        lambda b: models.Tag(name=f"{PREFIX} tag, with 100%?", protected=True, hash="c0ffee"),
        {"public": False, "json": {"until": 2022}},
        to_null="hash",
    ),
    "tasks": Cycle(
        lambda b: models.Task(
            name="alyx-client-test",
            executable="ibllib.pipes.Task",
            session=b.session.id,
            status="Waiting",
            priority=10,
            arguments={"force": True},
            version="1.0",
            data_repository=b.repository.name,
        ),
        lambda b: models.Task(
            name="alyx-client-test", executable="ibllib.pipes.Task", session=b.session.id, status="Started", gpu=1
        ),
        {"status": "Complete", "time_elapsed_secs": 12.5, "log": "done"},
        to_null="log",
    ),
    "trajectories": Cycle(
        lambda b: models.TrajectoryEstimate(
            probe_insertion=b.insertion.id,
            provenance="Micro-manipulator",
            x=-1000.5,
            y=2,
            z=0,
            depth=3500,
            theta=15,
            phi=180,
            roll=0,
            coordinate_system="IBL-Allen",
        ),
        lambda b: models.TrajectoryEstimate(
            probe_insertion=b.insertion.id, provenance="Planned", x=None, y=2, depth=3000, theta=0, phi=None
        ),
        {"json": {"uploads": 1}, "x": 5},
        to_null="json",
    ),
    "users": Cycle(
        lambda b: models.User(
            username="alyx-client-test.user@lab", email="a@example.org", subjects_responsible=[], allowed_users=[]
        ),
        lambda b: models.User(
            username="alyx-client-test.user@lab",
            subjects_responsible=[b.subject.nickname],
            allowed_users=[b.me],
            is_stock_manager=False,
        ),
        {"email": "b@example.org"},
    ),
    "water_administrations": Cycle(
        lambda b: models.WaterAdministration(
            subject=b.subject.nickname,
            session=b.session.id,
            user=b.me,
            water_type="Water",
            water_administered=1.25,
            date_time=MORNING,
        ),
        lambda b: models.WaterAdministration(subject=b.subject.nickname, date_time=EVENING, water_administered=0),
        {"adlib": True, "water_administered": 0.5},
        to_null="water_administered",
    ),
    "weighings": Cycle(
        lambda b: models.Weighing(subject=b.subject.nickname, user=b.me, weight=20.5, date_time=MORNING),
    ),
}
CHANGED_ONLY = ["brain_regions", "locations", "surgeries", "downloads"]
CREATED_ONLY = ["imaging_stack", "procedures", "water_type"]
APART = {"register_file", "new_download", "sync_file_status"}  # in test_services


def test_every_writable_endpoint_has_a_cycle() -> None:
    writable = {name for name, declared in ENDPOINTS.items() if declared.actions.keys() - {"read", "list"}}
    covered = {*CYCLES, *CHANGED_ONLY, *CREATED_ONLY, *APART}
    assert writable == (covered & ENDPOINTS.keys() if PACKAGE else covered)


@pytest.mark.parametrize("name", [name for name in CYCLES if not PACKAGE or name in ENDPOINTS])
def test_record_is_created_replaced_changed_and_deleted(name: str, client: AlyxClient, bench: Bench) -> None:
    cycle, declared, endpoint = CYCLES[name], ENDPOINTS[name], getattr(client, name)

    model = cycle.make(bench)
    created = bench.create(name, model)
    key = declared.key(created)
    assert_kept(model, created)
    record = endpoint.read(key)
    assert_kept(model, record)

    if cycle.replace is not None:
        replacement = cycle.replace(bench)
        replaced = endpoint.update(key, replacement)
        assert_kept(replacement, replaced)
        assert declared.key(replaced) == key

        changed = endpoint.partial_update(key, **cycle.changes)
        assert_kept(cycle.changes, changed)
        others = {name: value for name, value in replacement.model_dump().items() if name not in cycle.changes}
        assert_kept(others, changed)
        record = endpoint.read(key)
        assert_kept(cycle.changes, record)

    if cycle.to_null is not None:
        assert getattr(endpoint.partial_update(key, **{cycle.to_null: None}), cycle.to_null) is None
        assert getattr(endpoint.read(key), cycle.to_null) is None

    bench.delete(name, record.url if hasattr(record, "url") else key)
    with pytest.raises(NotFoundError):
        endpoint.read(key)


def test_description_of_brain_region_is_changed_and_restored(client: AlyxClient, bench: Bench) -> None:
    before = client.brain_regions.read(8)
    bench.later("before", lambda: client.brain_regions.partial_update(8, description=before.description))

    assert client.brain_regions.partial_update(8, description="a test").description == "a test"
    assert client.brain_regions.update(8, models.BrainRegion(description="another")).description == "another"
    assert client.brain_regions.read(8) == before.model_copy(update={"description": "another"})


def test_location_is_changed_and_restored(client: AlyxClient, bench: Bench) -> None:
    before = first_row(client.locations, where=lambda row: is_readable(row.name))
    bench.later("before", lambda: client.locations.partial_update(before.name, json=before.json))

    assert client.locations.partial_update(before.name, json={"a": 1}).json == {"a": 1}
    updated = client.locations.update(before.name, models.LabLocation(name=before.name, lab=before.lab, json=[2]))
    assert updated == before.model_copy(update={"json": [2]})


def test_surgery_is_changed_and_restored(client: AlyxClient, bench: Bench) -> None:
    before = first_row(client.surgeries)
    bench.later("before", lambda: client.surgeries.partial_update(before.id, narrative=before.narrative))

    assert client.surgeries.partial_update(before.id, narrative="a test").narrative == "a test"
    same = resent(before, models.Surgery, narrative="another")
    assert client.surgeries.update(before.id, same) == client.surgeries.read(before.id)
    assert client.surgeries.read(before.id).narrative == "another"


def test_count_of_download_is_changed_and_restored(client: AlyxClient, bench: Bench) -> None:
    before = first_row(client.downloads, where=lambda row: row.user)
    bench.later("before", lambda: client.downloads.partial_update(before.id, count=before.count))

    assert client.downloads.partial_update(before.id, count=before.count + 1).count == before.count + 1
    updated = client.downloads.update(before.id, resent(before, models.Download, count=before.count + 2))
    assert updated.count == before.count + 2
    assert client.downloads.read(before.id).dataset == before.dataset


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("imaging_stack", models.ImagingStack(name=f"{PREFIX} stack", json={"planes": 2})),
        ("procedures", models.ProcedureType(name=f"{PREFIX} procedure", description="a test", json={"room": 4})),
        ("water_type", models.WaterType(name=f"{PREFIX} water", json={"sugar": 0.1})),
    ],
    ids=CREATED_ONLY,
)
def test_record_that_cannot_be_deleted_is_created(name: str, shape: Any, client: AlyxClient, target: Target) -> None:
    if not target.is_disposable:
        pytest.skip("it would stay on the live server")
    assert_kept(shape, getattr(client, name).create(shape))


def test_second_water_type_of_same_name_is_refused(client: AlyxClient, writable: None) -> None:
    taken = first_row(client.water_type).name
    with pytest.raises(BadRequestError) as refusal:
        client.water_type.create(models.WaterType(name=taken))
    assert refusal.value.fields.keys() == {"name"}


@pytest.mark.parametrize("name", [name for name in LISTED if "create" not in ENDPOINTS[name].actions])
def test_endpoint_without_create_has_no_such_method(name: str) -> None:
    assert not hasattr(getattr(AlyxClient("http://localhost"), name), "create")


def test_omitted_null_and_value_differ(client: AlyxClient, bench: Bench) -> None:
    client.sessions.partial_update(bench.session.id, n_trials=5, narrative="long")

    changed = client.sessions.partial_update(bench.session.id, n_trials=None)
    assert (changed.n_trials, changed.narrative) == (None, "long")


def test_null_json_field_is_stored_as_null(client: AlyxClient, bench: Bench) -> None:
    client.subjects.partial_update(bench.subject.nickname, json={"cage": 1})
    assert client.subjects.partial_update(bench.subject.nickname, json=None).json is None


def test_list_of_channels_is_created_in_one_request(client: AlyxClient, bench: Bench) -> None:
    sent = [
        models.Channel(trajectory_estimate=bench.trajectory.id, axial=axial, brain_region=8) for axial in (20, 40.5)
    ]

    created = bench.create("channels", sent)

    assert [channel.axial for channel in created] == [20, 40.5]
    rows = client.channels.list(trajectory_estimate=bench.trajectory.id)
    assert {row.id for row in rows} == {channel.id for channel in created}


def test_change_of_trajectory_keeps_its_insertion(client: AlyxClient, bench: Bench) -> None:
    """Alyx would set both parents to null that a change leaves out."""
    changed = client.trajectories.partial_update(bench.trajectory.id, json={"a": 1})

    assert changed.probe_insertion == bench.insertion.id
    assert changed.session is not None
    assert client.trajectories.read(bench.trajectory.id).probe_insertion == bench.insertion.id
    assert client.trajectories.partial_update(bench.trajectory.id, probe_insertion=None).probe_insertion is None


def test_dataset_is_tagged_and_untagged(client: AlyxClient, bench: Bench) -> None:
    tag = bench.create("tags", models.Tag(name=f"{PREFIX}-release", protected=True))

    assert client.datasets.partial_update(bench.dataset.id, tags=[tag.name]).tags == [tag.name]
    (row,) = client.datasets.list(tag=tag.name)
    assert (row.id, row.protected, row.public) == (bench.dataset.id, 1, 0)
    assert client.datasets.partial_update(bench.dataset.id, tags=[]).tags == []


def test_user_transfers_all_subjects(client: AlyxClient, bench: Bench) -> None:
    name = "alyx-client-test.user"
    mouse = bench.subject.nickname
    bench.create("users", models.User(username=name, subjects_responsible=[], allowed_users=[]))
    client.users.partial_update(name, subjects_responsible=[mouse])

    assert client.users.partial_update(name, subjects_responsible=[]).subjects_responsible == []
    assert client.subjects.read(mouse).responsible_user is None


def assert_kept(sent: Any, record: Any) -> None:
    """Check that a record has every value that was sent, as far as the record has such a field."""
    values = sent.model_dump() if hasattr(sent, "model_dump") else sent
    got = {name: plain(name, getattr(record, name)) for name in values if name in type(record).model_fields}
    assert got == {name: plain(name, value) for name, value in values.items() if name in got}


def plain(name: str, value: Any) -> Any:
    if isinstance(value, list):
        # Related records come back in an order of the server's own.
        related = name == "brain_region" or all(isinstance(item, str | UUID) for item in value)
        return sorted(map(str, value)) if related else value
    if isinstance(value, date):
        return value.isoformat()
    text = str(value) if isinstance(value, UUID) else value
    return urlsplit(text).path if isinstance(text, str) and text.startswith("http") else text


def resent(record: Any, shape: type[Any], **changes: Any) -> Any:
    """Make the shape that replaces a record by itself, but for the changes."""
    values = {name: getattr(record, name, None) for name in shape.model_fields}
    return shape(**{name: value for name, value in values.items() if value is not None} | changes)
