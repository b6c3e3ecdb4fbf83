from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from alyx_generator.model.build import build_api
from alyx_generator.package.compare import bundled_surface, compare, names_of, surface
from alyx_generator.source.normalise import normalise
from alyx_generator.source.overlay import Correction, correct, read_overlay
from alyx_generator.source.paths import data_folder

from alyx_client.schema.check import compare_with_document
from alyx_client.schema.diff import compare_surfaces
from alyx_client.schema.extract import surface_of
from alyx_client.schema.routes import NOT_ENDPOINTS
from alyx_client.schema.surface_text import dump, fingerprint, load

from .inline import key, resource

SCHEMAS: Path = data_folder("schemas")
CORRECTIONS = read_overlay(SCHEMAS / "alyx.overlay.yaml")

Document = dict[str, Any]


def snapshot(name: str) -> Document:
    document: Document = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    return document


UPGRADE = """\
3.3.1 -> 3.6.1: 2 break callers, 0 break type checks, 1 harmless

Breaks callers (2)
  client.subjects.list(cull_method=)  removed: the server silently ignores it and returns every row
  client.subjects.list(reduced=)      removed: the server silently ignores it and returns every row

Harmless (1)
  client.data_notices  endpoint added, with create, delete, list, partial_update, read, update"""


@pytest.mark.parametrize("corrections", [(), CORRECTIONS], ids=["raw", "corrected"])
def test_the_upgrade_from_3_3_1_to_3_6_1(corrections: tuple[Correction, ...]) -> None:
    report = compare(snapshot("alyx-3.3.1"), snapshot("alyx-3.6.1"), corrections, called=("3.3.1", "3.6.1"))

    assert report.text() == UPGRADE
    assert report.fails("breaking")


def test_the_upgrade_is_all_that_differs_between_the_documents() -> None:
    old, new = snapshot("alyx-3.3.1"), snapshot("alyx-3.6.1")
    listed = new["paths"]["/subjects"]["get"]
    removed = [one for one in old["paths"]["/subjects"]["get"]["parameters"] if one not in listed["parameters"]]

    assert [parameter["name"] for parameter in removed] == ["cull_method", "reduced"]
    listed["parameters"] = old["paths"]["/subjects"]["get"]["parameters"]
    for path in ("/data-notices", "/data-notices/{id}"):
        del new["paths"][path]
    for name in ("DataNotice", "PatchedDataNotice", "PaginatedDataNoticeList", "ImportanceEnum"):
        del new["components"]["schemas"][name]
    assert new == old


def test_the_way_back_is_the_mirror() -> None:
    report = compare(snapshot("alyx-3.6.1"), snapshot("alyx-3.3.1"))

    assert [(change.group, change.name, change.words) for change in report.changes] == [
        (
            "breaking",
            "client.data_notices",
            "endpoint removed, with create, delete, list, partial_update, read, update",
        ),
        ("harmless", "client.subjects.list(cull_method=)", "new, optional"),
        ("harmless", "client.subjects.list(reduced=)", "new, optional"),
    ]


CORRECTED = [
    "BrainRegionRecord.parent | may now be null",
    "ChannelRecord.trajectory_estimate | may now be null",
    "DatasetRecord.experiment_number | now integer, was text",
    "DatasetRecord.protected | no longer returned",
    "DatasetRecord.file_records[].data_url | may now be null",
    "FOVLocationRecord.x | now list of (number or null), was list of anything",
    "ImagingStackRecord.slices[].location[].n_xyz | now list of (integer or null), was list of anything",
    "SessionSummary.lab | may now be null",
    "SessionRecord.qc | now one of 'CRITICAL', 'FAIL', 'NOT_SET', 'PASS', 'WARNING'",
    "SubjectRecord.alive | now boolean, was text",
    "SubjectSummary.genotype | now list of text, was list of anything",
    "UserRecord.lab | now list of text, was text",
    "client.channels.create | a list of records is also accepted",
    "client.channels.create(Channel(trajectory_estimate=…)) | now required",
    "client.datasets.create(Dataset(hash=…)) | null is no longer accepted",
    "client.notes.create(Note(image=…)) | accepts file, no longer text",
    "client.notes.create(Note(width=…)) | new, optional",
    "client.subjects.create(Subject(genotype=…)) | now read-only: the server silently ignores what is sent",
    "client.tasks.create(Task(status=…)) | now required",
    "client.water_requirement.read(nickname) | now returns record, was anything",
]


def test_surface_changes_where_the_overlay_corrects() -> None:
    raw = normalise(snapshot("alyx-3.6.1"))
    corrected = correct(raw, CORRECTIONS).document

    report = compare_surfaces(surface_of(raw), surface_of(corrected))

    lines = {f"{change.name} | {change.words}" for change in report.changes}
    assert [line for line in CORRECTED if line not in lines] == []


def nullable_fields(document: Document) -> set[tuple[str, str]]:
    """Return which fields of which components may be null in answers, read without the client's help."""
    return {
        (component, name)
        for component, schema in document["components"]["schemas"].items()
        for name, declared in schema.get("properties", {}).items()
        if {**declared, **declared.get("x-answered", {})}.get("nullable")
    }


def test_as_many_fields_become_null_as_are_corrected_so() -> None:
    raw = normalise(snapshot("alyx-3.6.1"))
    corrected = correct(raw, CORRECTIONS).document
    declared = {(c, n) for c, schema in raw["components"]["schemas"].items() for n in schema.get("properties", {})}
    expected = {name for component, name in (nullable_fields(corrected) - nullable_fields(raw)) & declared}

    report = compare_surfaces(surface_of(raw), surface_of(corrected))

    null = {change.name.rpartition(".")[2] for change in report.changes if change.words == "may now be null"}
    assert null == expected
    assert len(null) == 20


@pytest.mark.parametrize("name", ["alyx-3.3.1", "alyx-3.6.1"])
def test_the_core_names_things_as_the_generator_does(name: str) -> None:
    corrected = correct(normalise(snapshot(name)), CORRECTIONS, strict=False).document

    assert surface_of(corrected).names == names_of(build_api(corrected))


def test_client_and_generator_exclude_the_same_paths() -> None:
    document = normalise(snapshot("alyx-3.6.1"))
    paths = {path for path in document["paths"] if path.rstrip("/") in NOT_ENDPOINTS}

    findings = {finding.action.partition(" ")[2]: finding.reason for finding in build_api(document).findings}

    assert paths
    assert {path: findings[path] for path in paths} == {
        path: f"no method: {NOT_ENDPOINTS[path.rstrip('/')]}" for path in paths
    }
    assert not paths & {action.path for action in surface_of(document).actions.values()}


def test_the_update_of_a_subject_is_named_by_its_own_class() -> None:
    new = snapshot("alyx-3.6.1")
    for component in ("SubjectDetail", "PatchedSubjectDetail"):
        new["components"]["schemas"][component]["properties"]["sex"] = {"type": "integer"}

    report = compare(snapshot("alyx-3.6.1"), new, CORRECTIONS)

    assert "client.subjects.update(SubjectUpdate(sex=…))" in {change.name for change in report.changes}


def test_corrections_are_applied_to_both_sides() -> None:
    old = resource({"lab": {"type": "string"}, "note": {"type": "string"}})
    new = resource({"lab": {"type": "string"}, "note": {"type": "string", "nullable": True}})
    path = "$.components.schemas.Thing.properties.lab"
    correction = Correction(path, "Seen null.", {"x-answered": {"nullable": True}})
    missed = Correction("$.components.schemas.Other", "Not here.", {"type": "object"})

    report = compare(old, new, (correction, missed))

    assert {change.name for change in report.changes} == {"ThingRecord.note", "client.things.create(Thing(note=…))"}
    assert surface(old, (correction,)).actions["GET /things/{}"].response_fields["lab"].nullable


def test_correction_that_fits_only_one_side_is_reported() -> None:
    old = resource({"label": {"type": "string"}})
    new = json.loads(json.dumps(old).replace("#/components/schemas/Thing", "#/components/schemas/Item"))
    new["components"]["schemas"]["Item"] = new["components"]["schemas"].pop("Thing")
    target = "$.components.schemas.Thing.properties.label"
    corrections = (Correction(target, "seen", {"x-answered": {"nullable": True}}),)
    report = compare(old, new, corrections)
    assert [note for note in report.notes if target in note]
    assert not compare(old, old, corrections).notes


def test_a_method_whose_key_may_be_left_out_is_two_operations() -> None:
    document = resource({"a": {"type": "string"}})
    one = {"responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}}}
    document["paths"] = {"/info": {"get": one}, "/info/{tag}": {"get": {**key("tag"), **one}}}

    names = surface(document).names

    assert [names[route].qualified for route in ("GET /info", "GET /info/{}")] == [
        "client.info.read",
        "client.info.read(tag)",
    ]
    assert names == surface_of(document).names


def test_a_package_carries_the_published_schema_under_its_own_names() -> None:
    raw = snapshot("alyx-3.6.1")
    api = build_api(correct(normalise(raw), CORRECTIONS).document)

    text = dump(bundled_surface(raw, api))
    surface = load(text)

    assert fingerprint(surface) == fingerprint(surface_of(raw))
    assert not compare_with_document(surface, raw)
    # Neither is a correction a change, nor a name that the generator chose.
    moved = copy.deepcopy(raw)
    moved["components"]["schemas"]["ProbeInsertionDetail"]["properties"]["name"]["nullable"] = True
    names = [change.name for change in compare_with_document(surface, moved).changes]
    assert "ProbeInsertionRecord.name" in names
    assert "client.insertions.update(ProbeInsertionUpdate(name=…))" in names


def legacy() -> Document:
    fields = [{"name": "name", "location": "form", "required": True, "schema": {"_type": "string"}}]
    lab = {"name": "name", "location": "path", "required": True, "schema": {"_type": "string"}}
    return {
        "_type": "document",
        "labs": {
            "list": {"_type": "link", "url": "/labs", "action": "get"},
            "create": {"_type": "link", "url": "/labs", "action": "post", "fields": fields},
            "read": {"_type": "link", "url": "/labs/{name}", "action": "get", "fields": [lab]},
        },
    }


@pytest.mark.parametrize("legacy_is_old", [True, False])
def test_a_legacy_document_is_compared_without_corrections(legacy_is_old: bool) -> None:
    new = snapshot("alyx-3.6.1")
    new["paths"] = {path: item for path, item in new["paths"].items() if path.startswith("/labs")}
    sides = (legacy(), new) if legacy_is_old else (new, legacy())

    report = compare(*sides, (*CORRECTIONS, Correction("$.paths['/labs'].get", "Not here.", remove=True)))

    actions = [change for change in report.changes if change.kind == "action"]
    assert [change.name for change in actions] == [
        f"client.labs.{name}" for name in ("delete", "partial_update", "update")
    ]
    assert not [change for change in report.changes if change.kind == "answer"]
    assert any("CoreAPI" in note for note in report.notes)
