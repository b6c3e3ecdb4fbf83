"""Mistakes that type checkers must find: each line has an ignore comment, and an unused one is an error.

Run by mypy and pyright, not by pytest.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from datetime import date
from uuid import UUID

from alyx_client import AlyxClient
from alyx_client.models import Dataset, Lab, Note, Session, Subject, TrajectoryEstimate, Weighing


def wrong_filters(client: AlyxClient) -> None:
    client.insertions.list(dataset_type="spikes.times")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.trajectories.list(probe_id="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.datasets.list(exist=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.subjects.list(alive="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def missing_required_fields() -> None:
    Subject(nickname="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Weighing(subject="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    TrajectoryEstimate(provenance="Planned")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def wrong_values(client: AlyxClient, key: UUID) -> None:
    Session(subject="x", qc="GOOD")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Session(subject=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.sessions.partial_update(key, qc="GOOD")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.sessions.partial_update(key, qcc="PASS")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.subjects.create({"nickname": "x"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def records_of_other_endpoints(client: AlyxClient) -> None:
    session, subject = client.sessions.list()[0], client.subjects.list()[0]
    client.sessions.read(subject)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.sessions.list(subject=session)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.sessions.list(id=[subject])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    Session(subject=session)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.sessions.partial_update(session, users=[session])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def many(client: AlyxClient, key: UUID) -> None:
    client.sessions.read_many(client.subjects.list())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.sessions.create_many([Subject(nickname="x", lab="y")])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    client.sessions.partial_update_many({key: {"qcc": "PASS"}})  # type: ignore[typeddict-unknown-key]  # pyright: ignore[reportArgumentType]
    client.surgeries.create_many  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def writes_that_wait(client: AlyxClient) -> None:
    client.outbox.write(client.labs.create, Subject(nickname="x", lab="y"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.outbox.write(client.labs.create)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.outbox.write(client.labs.partial_update, "x", nam="y")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.outbox.write(client.labs.create, Lab(name="x")).name  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def read_only_fields(key: UUID) -> None:
    Session(subject="x", id=key)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Dataset(name="x", dataset_type="y", file_records=[])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Note(id=key, user="x", content_type="y", object_id=key)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def fields_of_another_shape(client: AlyxClient, key: UUID) -> None:
    client.sessions.list()[0].narrative  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    client.datasets.read(key).protected  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    client.subjects.list()[0].weighings  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def methods_that_the_server_lacks(client: AlyxClient) -> None:
    client.surgeries.create  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    client.water_restriction.read  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    client.probes  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def fields_that_are_no_json(client: AlyxClient, key: UUID) -> None:
    client.sessions.json_field_update(key, "narrative", {})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.sessions.json_field_update(7, "json", {})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.weighings.json_field_write  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def wrong_conditions(client: AlyxClient) -> None:
    s, subject = client.sessions.fields, client.subjects.fields
    s.strat_time  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    s.subject.nicknam  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    s.number.icontains  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    str(s.number >= "3")  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnknownArgumentType]
    str(s.start_time >= date(2020, 1, 1))  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnknownArgumentType]
    s.number.in_(["a"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    str((s.number > 1) | (s.number < 2))  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnknownArgumentType]
    str((s.number > 1) & (subject.nickname == "x"))  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnknownArgumentType]
    client.sessions.list(where=s.number == "3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.sessions.list(where=s.start_time == 5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.sessions.list(where=s.qc == "GOOD")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.sessions.list(where=s.json["a"] == {"b": 1})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.sessions.list(where=s.subject == client.sessions.list()[0])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.sessions.list(where=subject.nickname == "x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.sessions.list(where="number,1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.sessions.list(where=s)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
