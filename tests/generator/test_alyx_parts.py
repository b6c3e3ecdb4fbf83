"""Corrections and descriptions of Alyx, on Alyx and on servers that share names with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from alyx_generator.model.docs import shipped_docs
from alyx_generator.package.pipeline import Generated, generate_client
from alyx_generator.package.report import report, report_json
from alyx_generator.source.alyx_parts import AlyxParts
from alyx_generator.source.fetch import fetch
from alyx_generator.source.normalise import normalise
from alyx_generator.source.overlay import Correction, shipped_corrections

from .foreign_parts import TEXT
from .inline import body, document, key, page, query, ref, resource, returns

JSON = dict[str, Any]
LEGACY = Path(__file__).with_name("alyx-legacy.coreapi.json")


def endpoint(path: str, name: str) -> JSON:
    django = query({"name": "django", "schema": TEXT})
    return {
        path: {
            "get": {**returns(ref(f"Paginated{name}List")), **django},
            "post": {**body(ref(name)), **returns(ref(name), "201")},
        },
        f"{path}/{{id}}": {
            "get": {**key(), **returns(ref(name))},
            "patch": {**key(), **body(ref(name)), **returns(ref(name))},
        },
    }


def to_do_list() -> JSON:
    fields = {
        "Task": {
            "id": {"type": "integer", "readOnly": True},
            "title": TEXT,
            "status": TEXT,
            "name": TEXT,
            "priority": TEXT,
        },
        "Note": {
            "id": {"type": "integer", "readOnly": True},
            "text": TEXT,
            "image": {"type": "string", "format": "uri"},
        }
        | {"user": TEXT, "date_time": {"type": "string", "format": "date-time"}},
        "User": {"id": {"type": "integer", "readOnly": True}, "username": TEXT, "email": TEXT},
    }
    components = {name: {"type": "object", "properties": properties} for name, properties in fields.items()}
    pages = {f"Paginated{name}List": page(name) for name in fields}
    token = {"type": "object", "properties": {"username": TEXT, "password": TEXT, "token": TEXT}}
    paths = {path: item for name in fields for path, item in endpoint(f"/{name.lower()}s", name).items()}
    paths["/auth-token"] = {"post": {**body(ref("AuthToken")), **returns(ref("AuthToken"))}}
    return document(paths, {**components, **pages, "AuthToken": token})


def generated(schema: JSON) -> Generated:
    return generate_client(schema, shipped_corrections(), docs=shipped_docs(), strict=False)


@pytest.mark.parametrize("names", [("Task", "Note", "User"), ("Note",), ("Task",), ("User",)])
def test_nothing_of_alyx_applies_to_a_to_do_list(names: tuple[str, ...]) -> None:
    schema = to_do_list()
    paths = {
        path: item
        for path, item in schema["paths"].items()
        if path.split("/")[1] in [f"{name.lower()}s" for name in names]
    }
    result = generated({**schema, "paths": paths})
    assert result.corrected.changes == ()
    assert result.corrected.document == normalise({**schema, "paths": paths})
    plain = generate_client({**schema, "paths": paths}, ())
    assert result.files == plain.files


def test_its_own_fields_can_be_sent() -> None:
    files = generated(to_do_list()).files
    assert "title: str = UNSET" in files["tasks.py"]
    assert "image: str = UNSET" in files["notes.py"]
    assert "Upload" not in files["notes.py"]


@pytest.mark.parametrize("name", ["3.6.1", "3.3.1", str(LEGACY)])
def test_all_of_alyx_is_recognised(name: str) -> None:
    schema = normalise(fetch(name))
    alyx = AlyxParts(schema)
    assert alyx.is_alyx
    assert [path for path in schema["paths"] if not alyx.has_path(path)] == []
    assert [name for name in schema["components"]["schemas"] if not alyx.has_component(name)] == ["AuthToken"]


def test_fork_of_alyx_with_other_applications_beside_it() -> None:
    schema: JSON = fetch("3.6.1")
    schema["components"]["schemas"]["SubjectDetail"]["properties"]["favourite_food"] = TEXT
    own = to_do_list()
    # Its own tasks stand in place of Alyx's.
    schema["components"]["schemas"] |= {"Task": own["components"]["schemas"]["Task"], "PaginatedTaskList": page("Task")}
    schema["paths"] |= {path: item for path, item in own["paths"].items() if path.startswith("/tasks")}
    del schema["paths"]["/labs"]
    result = generated(schema)
    targets = {change.correction.target for change in result.corrected.changes}
    missed = {correction.target for correction in result.corrected.missed}
    assert "$.components.schemas['SubjectList', 'SubjectDetail'].properties.responsible_user" in targets
    assert "$.components.schemas.Task.properties.data_repository" in missed
    assert "title: str = UNSET" in result.files["tasks.py"]
    assert "$.components.schemas.Lab.properties.json" not in missed


def test_reports_name_each_correction_and_its_endpoints() -> None:
    result = generated(fetch("3.6.1"))
    text = report(result)
    assert "  $.components.schemas.Task.properties.data_repository (tasks)" in text.splitlines()
    own = (Correction("$.components.schemas.Thing.properties.a", "Seen.", {"nullable": True}),)
    foreign = generate_client(resource({"a": TEXT}), (*shipped_corrections(), *own), strict=False)
    applied = json.loads(report_json(foreign, own))["corrections_applied"]
    assert [(one["target"], one["own"], one["endpoints"]) for one in applied] == [(own[0].target, True, ["things"])]


def test_each_applied_correction_is_listed_once() -> None:
    result = generated(fetch("3.6.1"))
    listed = json.loads(report_json(result))["corrections_applied"]
    # Those with a condition are about older servers.
    expected = [correction.target for correction in shipped_corrections() if not correction.when]
    assert [one["target"] for one in listed] == expected
    assert {len(one["endpoints"]) for one in listed[:1]} == {41}  # facts about the server hold for all of them
    assert ["brain_regions"] in [one["endpoints"] for one in listed]
