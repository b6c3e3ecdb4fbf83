"""A bundled surface, compare with the schema of a live server."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from alyx_client.schema.check import compare_with_document
from alyx_client.schema.extract import surface_of
from alyx_client.schema.surface import ActionName, Surface
from alyx_client.schema.surface_text import dump, load

from .changes import EVERY
from .edits import (
    Document,
    changes_of,
    edited,
    field,
    server,
)


def core_api(**endpoints: Document) -> Document:
    return {"_type": "document", "_meta": {}, **endpoints}


def link(action: str, url: str, *fields: Document) -> Document:
    return {"_type": "link", "url": url, "action": action, "fields": list(fields)}


def core_field(name: str, place: str, kind: str = "string", **more: Any) -> Document:
    return {"name": name, "location": place, "schema": {"_type": kind}, **more}


def legacy() -> Document:
    """Return the inline server as one before Alyx 3.3 tells of itself, with one filter and one field more and less."""
    fields = ("kind", "weight", "count", "secret", "born", "either", "tags", "pinned", "old")
    form = [core_field("name", "form", required=True), *(core_field(name, "form") for name in fields)]
    key = core_field("name", "path", required=True)
    patch = [{**field, "required": False} for field in form]
    return core_api(
        labs={
            "list": link("get", "/labs", core_field("city", "query"), core_field("limit", "query", "integer")),
            "create": link("post", "/labs", *form),
            "read": link("get", "/labs/{name}", key),
            "update": link("put", "/labs/{name}", key, *form),
            "partial_update": link("patch", "/labs/{name}", key, *patch),
            "delete": link("delete", "/labs/{name}", key),
        },
        **{"water-type": {"list": link("get", "/water-type")}, "docs": {"read": link("get", "/docs/")}},
    )


def bundled(document: Document) -> Surface:
    return load(dump(surface_of(document)))


def test_unchanged_server_has_no_changes() -> None:
    report = compare_with_document(bundled(server()), server())

    assert not report
    assert report.text().startswith("client -> server: nothing changed")
    assert "before any correction" in report.notes[0]


def test_changes_have_the_names_of_the_client() -> None:
    names = {"GET /labs/{}": ActionName("labs", "read", "", "Laboratory")}
    surface = load(dump(surface_of(server(), names)))

    report = compare_with_document(surface, edited(field("url", nullable=True)))

    assert {change.name for change in report.changes} == {"Laboratory.url", "LabRecord.url"}


def test_coreapi_server_is_compared_as_far_as_its_document_goes() -> None:
    report = compare_with_document(bundled(server()), legacy())

    assert changes_of(report) == [
        ("breaking", "client.labs.list(size=)", EVERY),
        ("harmless", "client.labs.create(Lab(old=…))", "new, optional"),
    ]
    assert report.changes[1].actions == ("create", "update", "partial_update")
    assert any("does not describe responses" in note for note in report.notes)


def test_two_coreapi_documents_are_compared() -> None:
    newer = legacy()
    newer["labs"]["list"]["fields"].append(core_field("size", "query", "integer"))
    del newer["water-type"]

    report = compare_with_document(bundled(legacy()), newer)

    assert [(change.group, change.name) for change in report.changes] == [
        ("breaking", "client.water_type"),
        ("harmless", "client.labs.list(size=)"),
    ]
    assert not compare_with_document(bundled(legacy()), legacy())


def test_body_missing_from_coreapi_is_not_compared() -> None:
    silent = legacy()
    silent["labs"]["create"]["fields"] = []

    assert [change.actions for change in compare_with_document(bundled(server()), silent).changes] == [
        ("list",),
        ("update", "partial_update"),
    ]


def test_coreapi_create_has_the_fields_of_update() -> None:
    described = legacy()
    fields = [field for field in described["labs"]["create"]["fields"] if field["name"] in ("name", "kind")]
    described["labs"]["create"]["fields"] = [{**field, "required": True} for field in fields]

    report = compare_with_document(bundled(server()), described)

    assert changes_of(report) == changes_of(compare_with_document(bundled(server()), legacy()))


def test_importing_the_client_does_not_load_the_comparison() -> None:
    code = "import json, sys, alyx_client.endpoints; print(json.dumps(list(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not {"alyx_client.schema.diff", "alyx_client.schema.surface"} & {*json.loads(ran.stdout)}
