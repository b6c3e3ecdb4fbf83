"""Types that type checkers must infer; run by mypy and pyright, not by pytest."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, assert_type
from uuid import UUID

import polars

from alyx_client import AlyxClient, AsyncAlyxClient, AsyncResults, BulkResults, Receipt, Results
from alyx_client.models import (
    Channel,
    ChannelRecord,
    Dataset,
    DatasetRecord,
    DatasetSummary,
    FileRecord,
    Lab,
    LabRecord,
    Note,
    NoteRecord,
    ProbeInsertion,
    ProbeInsertionRecord,
    ProbeInsertionSummary,
    RegisteredDatasetRecord,
    RegisterFile,
    Session,
    SessionRecord,
    SessionSummary,
    Subject,
    SubjectRecord,
    SubjectSummary,
    Tag,
    TagRecord,
    Task,
    TaskRecord,
    TrajectoryEstimate,
    TrajectoryEstimateRecord,
    UserRecord,
    Weighing,
    WeighingRecord,
)
from alyx_client.runtime.query import Condition, DateField, TextField
from alyx_client.webclient import no_cache


async def tables(client: AlyxClient, aio: AsyncAlyxClient, frame: object) -> None:
    assert_type(client.subjects.list().to_polars(columns=["id"], json="object"), polars.DataFrame)
    assert_type(await aio.subjects.list().to_polars(), polars.DataFrame)
    assert_type(client.subjects.read_many(["x"]).to_polars(), polars.DataFrame)
    client.subjects.list().to_pandas(columns=("id", "lab"), index="id", json="text")
    assert_type(Subject.from_frame(frame), list[Subject])
    client.subjects.create_many(Subject.from_frame(frame))


async def writes_that_wait(client: AlyxClient, aio: AsyncAlyxClient, image: Path) -> None:
    subject = client.outbox.write(client.subjects.create, Subject(nickname="x", lab="y"), timeout=3)
    assert_type(subject, SubjectSummary | Receipt)
    session = client.outbox.write(client.sessions.create, Session(subject=subject, number=1))
    assert_type(client.outbox.write(client.sessions.partial_update, session, qc="PASS"), SessionRecord | Receipt)
    if isinstance(session, Receipt):
        client.outbox.edit(session, client.sessions.create, Session(subject=subject))
        client.outbox.write(client.notes.create, Note(user="x", content_type="y", object_id=session), image=image)
        Weighing(subject=session.id.hex, weight=1.0)
    written = await aio.outbox.write(aio.weighings.create, Weighing(subject=subject, weight=1.0))
    assert_type(written, WeighingRecord | Receipt)


def subjects(client: AlyxClient) -> None:
    assert_type(client.subjects.list(lab="cortexlab", alive=True, stock=False), Results[SubjectSummary])
    assert_type(client.subjects.list()[0], SubjectSummary)
    assert_type(client.subjects.list()[:2], list[SubjectSummary])
    assert_type(client.subjects.read("437"), SubjectRecord)
    assert_type(client.subjects.read("437").alive, bool)
    assert_type(client.subjects.read("437").death_date, date | None)
    assert_type(client.subjects.create(Subject(nickname="x", lab="y")), SubjectSummary)
    assert_type(client.subjects.update("x", Subject(nickname="x", lab="y", birth_date=date(2020, 1, 1))), SubjectRecord)
    assert_type(client.subjects.partial_update("x", death_date=None, sex="F"), SubjectRecord)
    assert_type(client.subjects.partial_update("x", nickname="z"), SubjectRecord)
    assert_type(client.subjects.delete("x"), None)


def sessions(client: AlyxClient, key: UUID) -> None:
    rows = client.sessions.list(
        subject="x",
        date_range=(date(2020, 1, 12), "2020-01-16"),
        dataset_types=["spikes.times", "spikes.clusters"],
        id=[key, "0b12ba9e-01e3-4784-8c35-d7bb1bab414f"],
        django={"start_time__date__gte": date(2020, 1, 1)},
        page_size=100,
        max_items=5,
    )
    assert_type(rows, Results[SessionSummary])
    for row in rows:
        assert_type(row.start_time, datetime | None)
        assert_type(client.sessions.read(row.id), SessionRecord)
    assert_type(client.sessions.create(Session(subject="x", start_time=datetime(2020, 1, 1))), SessionRecord)
    assert_type(client.sessions.update(key, Session(subject="x", narrative="y")), SessionRecord)
    assert_type(client.sessions.partial_update(key, qc="PASS", extended_qc={"dlc": 0.9}), SessionRecord)
    assert_type(client.sessions.delete(key), None)


def insertions(client: AlyxClient, key: UUID) -> None:
    assert_type(client.insertions.list(session=key, name="probe00"), Results[ProbeInsertionSummary])
    assert_type(client.insertions.read(key), ProbeInsertionRecord)
    assert_type(client.insertions.create(ProbeInsertion(name="probe00", session=key)), ProbeInsertionSummary)
    assert_type(client.insertions.partial_update(key, json={"qc": "PASS"}), ProbeInsertionRecord)


def records_as_keys(client: AlyxClient) -> None:
    session, subject, user = client.sessions.list()[0], client.subjects.read("x"), client.users.read("y")
    users = [user]
    assert_type(client.sessions.read(session), SessionRecord)
    assert_type(client.sessions.partial_update(session, subject=subject, users=users), SessionRecord)
    assert_type(client.sessions.update(session, Session(subject=subject, users=client.users.list())), SessionRecord)
    assert_type(client.sessions.list(id=[session], subject=subject, users=users), Results[SessionSummary])
    assert_type(client.datasets.list(session=session, created_by=user), Results[DatasetSummary])
    assert_type(client.sessions.read(client.insertions.list()[0].session_info or session), SessionRecord)
    assert_type(client.water_requirement.read(client.water_restricted_subjects.list()[0]).subject, str)
    client.sessions.json_field_update(session, "json", {})
    client.sessions.delete(session)
    Note(user=user, content_type="actions.session", object_id=session, text="x")


def trajectories(client: AlyxClient, key: UUID) -> None:
    rows = client.trajectories.list(provenance="Ephys aligned histology track", probe_insertion=key, x=1.5)
    assert_type(rows, Results[TrajectoryEstimateRecord])
    sent = TrajectoryEstimate(provenance="Planned", x=None, y=1, depth=2.5, theta=0, phi=None)
    assert_type(client.trajectories.create(sent), TrajectoryEstimateRecord)
    assert_type(client.trajectories.read(key).x, float | None)


def many(client: AlyxClient, key: UUID, keys: list[UUID], executor: Executor) -> None:
    read = client.sessions.read_many(keys, max_workers=4, on_error="return", executor=executor)
    assert_type(read, BulkResults[SessionRecord])
    assert_type(read[0], SessionRecord)
    assert_type(read[1:], list[SessionRecord])
    assert_type(read.failures.keys, list[Any])
    assert_type([one.id for one in client.sessions.read_many(client.sessions.list())], list[UUID])
    client.sessions.read_many(str(number) for number in range(3))
    assert_type(client.subjects.create_many([Subject(nickname="x", lab="y")]), BulkResults[SubjectSummary])
    assert_type(
        client.sessions.partial_update_many({key: {"qc": "PASS", "narrative": "x"}}), BulkResults[SessionRecord]
    )
    client.sessions.partial_update_many({str(one): {"qc": "PASS"} for one in keys})
    client.sessions.partial_update_many([(one, {"qc": "PASS"}) for one in read])
    contents = {one: Session(subject="x") for one in keys}
    client.sessions.update_many(contents)
    assert_type(client.channels.create_many([Channel(trajectory_estimate=key)]), BulkResults[ChannelRecord])
    assert_type(client.sessions.delete_many(read), BulkResults[None])


async def many_asynchronously(client: AsyncAlyxClient, keys: list[UUID]) -> None:
    assert_type(await client.sessions.read_many(keys), BulkResults[SessionRecord])
    assert_type(
        await client.sessions.partial_update_many({one: {"qc": "PASS"} for one in keys}), BulkResults[SessionRecord]
    )


def channels(client: AlyxClient, key: UUID) -> None:
    one, several = (
        Channel(trajectory_estimate=key, brain_region=8),
        [Channel(trajectory_estimate=key, axial=20), Channel(trajectory_estimate=key)],
    )
    assert_type(client.channels.create(one), ChannelRecord)
    assert_type(client.channels.create(several), list[ChannelRecord])
    assert_type(client.channels.list(trajectory_estimate=key), Results[ChannelRecord])


def datasets(client: AlyxClient, key: UUID) -> None:
    assert_type(client.datasets.list(session=key, collection="alf", exists=True), Results[DatasetSummary])
    assert_type(client.datasets.list()[0].protected, int)
    assert_type(client.datasets.list()[0].id, UUID)
    assert_type(client.datasets.read(key), DatasetRecord)
    assert_type(client.datasets.create(Dataset(name="a.b.npy", dataset_type="a.b", subject="x")), DatasetRecord)
    assert_type(client.datasets.partial_update(key, tags=["t"]), DatasetRecord)


def files(client: AlyxClient, key: UUID) -> None:
    assert_type(client.files.partial_update(key, exists=True), FileRecord)
    assert_type(client.files.delete(key), None)


def labs(client: AlyxClient) -> None:
    assert_type(client.labs.list(), Results[LabRecord])
    assert_type(client.labs.create(Lab(name="x")), LabRecord)


def notes(client: AlyxClient, key: UUID) -> None:
    note = Note(user="x", content_type="actions.session", object_id=key, text="y", json={"a": 1}, width="orig")
    assert_type(client.notes.create(note, image=Path("brain.png")), NoteRecord)
    assert_type(client.notes.create(note, image=b"..."), NoteRecord)
    with Path("brain.png").open("rb") as file:
        assert_type(client.notes.create(note, image=file), NoteRecord)
    assert_type(client.notes.list(django="object_id,x"), Results[NoteRecord])
    assert_type(client.notes.partial_update(key, text="z"), NoteRecord)


def tags(client: AlyxClient) -> None:
    assert_type(client.tags.read("2021_Q1"), TagRecord)
    assert_type(client.tags.create(Tag(name="2021_Q1", public=True)), TagRecord)
    assert_type(client.tags.delete("2021_Q1"), None)


def tasks(client: AlyxClient, key: UUID) -> None:
    assert_type(client.tasks.list(status="Waiting", lab="x"), Results[TaskRecord])
    assert_type(client.tasks.create(Task(executable="a.b", status="Waiting", session=key)), TaskRecord)
    assert_type(client.tasks.partial_update(key, status="Complete"), TaskRecord)


def weighings(client: AlyxClient, key: UUID) -> None:
    assert_type(
        client.weighings.create(Weighing(subject="x", weight=20.5, date_time="2020-01-01T10:00:00")), WeighingRecord
    )
    assert_type(client.weighings.read(key).weight, float)
    assert_type(client.weighings.delete(key), None)


def the_rest(client: AlyxClient) -> None:
    assert_type(client.users.read("olivier"), UserRecord)
    assert_type(client.brain_regions.read(0).parent, int | None)
    assert_type(client.cache_info.read("tag").min_api_version, str)
    assert_type(client.cache_zip.read(), bytes)
    registered = client.register_file.create(RegisterFile(path="x/2020-01-01/001/alf", filenames=["a.b.npy"]))
    assert_type(registered, list[RegisteredDatasetRecord])
    values: Sequence[SubjectSummary] = client.subjects.list()
    assert_type(values[0].json, Any)


def json_fields(client: AlyxClient, key: UUID) -> None:
    client.sessions.json_field_update(key, "extended_qc", {"a": 1})
    client.sessions.json_field_remove_key(key, "json", "a")
    client.subjects.json_field_write("flowers", "json", [1, 2])
    assert_type(client.data_repository.json_field_delete("here", "json"), None)
    client.tasks.json_field_update(uuid=key, field_name="arguments", data={"a": 1})


def by_name(client: AlyxClient) -> None:
    assert_type(client.rest("subjects", "list", alive=True), Any)
    assert_type(client.is_logged_in(), bool)
    assert_type(client.rest_schemes.endpoints, list[str])
    with no_cache(client) as same:
        assert_type(same, AlyxClient)


async def asynchronous(client: AsyncAlyxClient, key: UUID) -> None:
    results = client.sessions.list(subject="x")
    assert_type(results, AsyncResults[SessionSummary])
    async for row in results:
        assert_type(row, SessionSummary)
    assert_type(await client.sessions.read(key), SessionRecord)
    assert_type(await client.sessions.create(Session(subject="x")), SessionRecord)
    assert_type(await client.sessions.partial_update(key, qc="FAIL"), SessionRecord)
    assert_type(await client.channels.create([Channel(trajectory_estimate=key)]), list[ChannelRecord])
    assert_type(await client.sessions.delete(key), None)


def conditions(client: AlyxClient) -> None:
    s = client.sessions.fields
    where = (
        (s.start_time.date >= date(2020, 1, 1))
        & s.subject.nickname.in_(["KS005", "flowers"])
        & s.projects.name.icontains("brain")
        & ~(s.json["qc"] == "CRITICAL")
        & (s.extended_qc["dlc"]["left"][0] >= 0.9)
        & s.narrative.ne("")
        & s.parent_session.is_null()
        & (s.number > 1)
    )
    assert_type(where, Condition[Literal["Session"]])
    assert_type(s.start_time.date, DateField[Literal["Session"]])
    assert_type(s.subject.line.name, TextField[Literal["Session"]])
    assert_type(client.sessions.list(where=where), Results[SessionSummary])
    client.sessions.list(where=s.subject == client.subjects.list()[0], lab="cortexlab", django={"number": 1})
    client.sessions.list(where=(s.qc >= "FAIL") & s.users.in_([client.users.list()[0]]))
    client.datasets.list(where=client.datasets.fields.session.start_time.year == 2020)


async def conditions_of_the_asynchronous_client(client: AsyncAlyxClient) -> None:
    assert_type(client.tasks.list(where=client.tasks.fields.status == "Held"), AsyncResults[TaskRecord])
