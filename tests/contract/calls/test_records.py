"""Tasks, notes, JSON fields, records by name, and endpoints that a variable names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from alyx_client.errors import BadRequestError, InvalidCallError, NotFoundError
from alyx_client.http.message import Request

from ..bench import PREFIX, Bench
from ..package import AlyxClient, models
from ..test_services import PNG
from .helpers import (
    another_day,
    created,
    key,
    keys,
    refused_read,
)


def test_14_waiting_tasks_string(client: AlyxClient, bench: Bench) -> None:
    lab, repository = bench.lab.name, bench.repository.name
    fields = {
        "executable": "x.Task",
        "session": str(bench.session.id),
        "status": "Waiting",
        "priority": 10,
        "parents": [],
        "arguments": {"force": True},
    }
    here = created(bench, "tasks", {**fields, "name": f"{PREFIX}-here", "data_repository": repository})
    created(bench, "tasks", {**fields, "name": f"{PREFIX}-nowhere"})
    assert {name: here[name] for name in fields} == fields

    lookup = f"session__lab__name__in,['{lab}','none'],data_repository__name,{repository}"
    waiting = {"status": "Waiting", "django": lookup, "no_cache": True}
    assert keys(client.rest("tasks", "list", **waiting)) == [key(here)]
    changed = client.rest("tasks", "partial_update", id=key(here), data={"status": "Complete", "log": "done"})
    assert (changed["status"], changed["log"]) == ("Complete", "done")
    assert client.rest("tasks", "list", **waiting) == []


def test_14_waiting_tasks_typed(client: AlyxClient, bench: Bench) -> None:
    lab, repository = bench.lab.name, bench.repository.name
    fields: dict[str, Any] = {"executable": "x.Task", "session": bench.session.id, "status": "Waiting"}
    here = bench.create("tasks", models.Task(**fields, name=f"{PREFIX}-here", data_repository=repository))
    bench.create("tasks", models.Task(**fields, name=f"{PREFIX}-nowhere"))

    lookup = {"session__lab__name__in": [lab, "none"], "data_repository__name": repository}
    assert keys(client.tasks.list(status="Waiting", django=lookup)) == [str(here.id)]
    changed = client.tasks.partial_update(here.id, status="Complete", log="done")
    assert (changed.status, changed.log) == ("Complete", "done")
    assert keys(client.tasks.list(status="Waiting", django=lookup)) == []


def test_15_notes_are_listed_and_deleted_string(client: AlyxClient, bench: Bench, tmp_path: Path) -> None:
    image = tmp_path / "slice.png"
    image.write_bytes(PNG)
    session = str(bench.session.id)
    fields = {
        "user": bench.me,
        "content_type": "session",
        "object_id": session,
        "text": "Größe of a slice",
        "width": "orig",
        "json": json.dumps({"title": "overview"}),
    }
    with image.open("rb") as file:
        note = created(bench, "notes", fields, files={"image": file})
    assert (note["text"], note["json"]) == ("Größe of a slice", {"title": "overview"})
    assert note["image"].endswith(".png")
    created(bench, "notes", {**{name: fields[name] for name in ("user", "content_type", "object_id")}, "text": "b"})

    (match,) = client.rest("notes", "list", django=f"object_id,{session},text,Größe of a slice")
    assert key(match) == key(note)
    client.rest("notes", "delete", id=key(match))
    assert [row["text"] for row in client.rest("notes", "list", django=f"object_id,{session}")] == ["b"]


def test_15_notes_are_listed_and_deleted_typed(client: AlyxClient, bench: Bench) -> None:
    session = bench.session.id
    about: dict[str, Any] = {"user": bench.me, "content_type": "actions.session", "object_id": session}
    shape = models.Note(**about, text="Größe of a slice", json={"title": "overview"}, width="orig")
    note = bench.create("notes", shape, image=PNG)
    assert (note.text, note.json) == ("Größe of a slice", {"title": "overview"})
    assert note.image is not None
    bench.create("notes", models.Note(**about, text="b"))

    (match,) = client.notes.list(django={"object_id": session, "text": "Größe of a slice"})
    assert match.id == note.id
    client.notes.delete(match.id)
    assert [row.text for row in client.notes.list(django={"object_id": session})] == ["b"]


JSON_FIELDS = {
    "sessions": ("session", "id", "extended_qc"),
    "insertions": ("insertion", "id", "json"),
    "subjects": ("subject", "nickname", "json"),
    "data-repository": ("repository", "name", "json"),
}


def test_17_json_fields_string(client: AlyxClient, bench: Bench) -> None:
    for endpoint, (record, lookup, field) in JSON_FIELDS.items():
        record_id = str(getattr(getattr(bench, record), lookup))

        assert client.json_field_write(endpoint, record_id, field, {"dlc": 0.5, "ok": True}) == {"dlc": 0.5, "ok": True}
        updated = {"dlc": 0.9, "ok": True, "new": [1, None]}
        assert client.json_field_update(endpoint, record_id, field, {"dlc": 0.9, "new": [1, None]}) == updated
        assert client.rest(endpoint, "read", record_id)[field] == updated
        assert client.json_field_remove_key(endpoint, record_id, field, "ok") == {"dlc": 0.9, "new": [1, None]}
        assert client.rest(endpoint, "read", record_id)[field] == {"dlc": 0.9, "new": [1, None]}
        assert client.json_field_delete(endpoint, record_id, field) is None
        assert client.rest(endpoint, "read", record_id)[field] is None


def test_17_json_fields_typed(client: AlyxClient, bench: Bench) -> None:
    for endpoint, (record, lookup, field) in JSON_FIELDS.items():
        record_id = getattr(getattr(bench, record), lookup)
        typed: Any = getattr(client, endpoint.replace("-", "_"))

        typed.partial_update(record_id, **{field: {"dlc": 0.5, "ok": True}})
        updated = {"dlc": 0.9, "ok": True, "new": [1, None]}
        assert typed.json_field_update(record_id, field, {"dlc": 0.9, "new": [1, None]}) == updated
        assert typed.json_field_remove_key(record_id, field, "ok") == {"dlc": 0.9, "new": [1, None]}
        assert getattr(typed.read(record_id), field) == {"dlc": 0.9, "new": [1, None]}
        typed.json_field_delete(record_id, field)
        assert getattr(typed.read(record_id), field) is None


NAMED = {
    "tags": {"name": f"{PREFIX} tag, 100%", "description": "a"},
    "revisions": {"name": "alyx-client-test-revision", "description": "a"},
    "dataset-types": {"name": "alyxClientTest.intervals", "filename_pattern": "*alyxclienttest.intervals*"},
    "data-repository": {"name": f"{PREFIX}-repository", "globus_path": "/data/"},
}


@pytest.mark.parametrize("endpoint", NAMED)
def test_18_records_by_name_string(endpoint: str, client: AlyxClient, bench: Bench) -> None:
    fields = NAMED[endpoint]
    created(bench, endpoint, fields)
    record = client.rest(endpoint, "read", id=fields["name"])
    assert {name: record[name] for name in fields} == fields
    assert client.rest(endpoint, "delete", id=fields["name"]) is None
    refused_read(client, endpoint, fields["name"])


@pytest.mark.parametrize("endpoint", NAMED)
def test_18_records_by_name_typed(endpoint: str, client: AlyxClient, bench: Bench) -> None:
    fields, name = NAMED[endpoint], endpoint.replace("-", "_")
    typed: Any = getattr(client, name)
    shape = {"tags": models.Tag, "revisions": models.Revision, "dataset_types": models.DatasetType}.get(name)
    if shape is None:
        assert bench.repository.name == fields["name"]
    else:
        bench.create(name, shape(**fields))
    assert typed.read(fields["name"]).name == fields["name"]
    typed.delete(fields["name"])
    with pytest.raises(NotFoundError):
        typed.read(fields["name"])


def test_25_endpoint_from_variable_string(client: AlyxClient, bench: Bench) -> None:
    for endpoint in ("sessions", "datasets"):
        record_id = (another_day(bench) if endpoint == "sessions" else bench.dataset).id
        assert client.get(f"/{endpoint}/{record_id}", clobber=True)["qc"] == "NOT_SET"
        assert client.patch(f"/{endpoint}/{record_id}", data={"qc": "PASS"})["qc"] == "PASS"
        assert client.get(f"/{endpoint}/{record_id}")["qc"] == "PASS"
        with pytest.raises(BadRequestError) as refusal:
            client.patch(f"/{endpoint}/{record_id}", data={"qc": "EXCELLENT"})
        assert refusal.value.fields.keys() == {"qc"}


def test_25_endpoint_from_variable_typed(client: AlyxClient, bench: Bench) -> None:
    for endpoint in ("sessions", "datasets"):
        record_id = (another_day(bench) if endpoint == "sessions" else bench.dataset).id
        typed: Any = getattr(client, endpoint)
        assert typed.read(record_id).qc == "NOT_SET"
        assert typed.partial_update(record_id, qc="PASS").qc == "PASS"
        assert typed.read(record_id).qc == "PASS"


MISTAKES = [
    ("insertions", "dataset_type", "spikes.times"),
    ("trajectories", "probe_id", str(UUID(int=1))),
    ("weighings", "date", "2020-01-12"),
    ("datasets", "exist", True),
]


@pytest.mark.parametrize(("endpoint", "name", "value"), MISTAKES, ids=lambda value: None)
def test_unknown_filters_are_not_sent(
    endpoint: str, name: str, value: Any, client: AlyxClient, sent: list[Request]
) -> None:
    client.rest_schemes.endpoints  # noqa: B018 - fetches the schema where it is not there yet
    sent.clear()
    with pytest.raises(InvalidCallError, match=name):
        client.rest(endpoint, "list", **{name: value})
    with pytest.raises(TypeError, match=name):
        getattr(client, endpoint).list(**{name: value})
    assert sent == []
