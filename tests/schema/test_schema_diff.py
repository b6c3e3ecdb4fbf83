from __future__ import annotations

import copy
import json
import random
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from alyx_client.schema.check import compare_with_document
from alyx_client.schema.diff import compare_surfaces
from alyx_client.schema.extract import UnreadableDocumentError, surface_of
from alyx_client.schema.report import Report
from alyx_client.schema.surface import ActionName, Surface
from alyx_client.schema.surface_text import dump, fingerprint, load

Document = dict[str, Any]
Edit = Callable[[Document], Any]

TEXT = {"type": "string"}
KEY = {"in": "path", "name": "name", "required": True, "schema": TEXT}


def ref(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


def content(schema: Document) -> Document:
    return {"content": {"application/json": {"schema": schema}}}


def server() -> Document:
    """Return a server with one endpoint, whose records hold a field of every kind."""
    detail = {
        "type": "object",
        "required": ["name", "url"],
        "properties": {
            "url": {"type": "string", "format": "uri", "readOnly": True},
            "name": {"type": "string", "maxLength": 50},
            "kind": {"type": "string", "enum": ["cell", "fish"]},
            "weight": {"type": "number"},
            "count": {"type": "integer", "nullable": True},
            "secret": {"type": "string", "writeOnly": True},
            "born": {"type": "string", "format": "date"},
            "either": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
            "tags": {"type": "array", "items": {"type": "string"}},
            "pinned": {"enum": ["a", 1]},
            "parts": {"type": "array", "readOnly": True, "items": ref("Part")},
        },
    }
    row = {"type": "object", "properties": {"name": {"type": "string"}}}
    page = {"properties": {"count": {"type": "integer"}, "results": {"type": "array", "items": ref("LabList")}}}
    body = {"requestBody": content(ref("LabDetail"))}
    answer = {"responses": {"200": content(ref("LabDetail"))}}
    return {
        "openapi": "3.0.3",
        "paths": {
            "/labs": {
                "get": {
                    "parameters": [
                        {"in": "query", "name": "city", "schema": TEXT},
                        {"in": "query", "name": "size", "schema": {"type": "integer", "enum": [0, 1]}},
                        {"in": "query", "name": "limit", "schema": {"type": "integer"}},
                    ],
                    "responses": {"200": content(ref("Page"))},
                },
                "post": {**body, "responses": {"201": content(ref("LabDetail"))}},
            },
            "/labs/{name}": {
                "parameters": [KEY],
                "get": answer,
                "put": {**body, **answer},
                "patch": {"requestBody": content(ref("PatchedLabDetail")), **answer},
                "delete": {"responses": {"204": {}}},
            },
            "/water-type": {"get": {"responses": {"200": content({"type": "array", "items": ref("LabList")})}}},
            "/api/schema": {"get": {"responses": {"200": content({"type": "object"})}}},
            "/docs/": {"get": {"responses": {"200": {}}}},
            "/auth-token": {"post": {"responses": {"200": {}}}},
        },
        "components": {
            "schemas": {
                "LabDetail": detail,
                "PatchedLabDetail": {**copy.deepcopy(detail), "required": []},
                "LabList": row,
                "Page": page,
                "Part": {"type": "object", "properties": {"id": {"type": "integer"}, "note": {"type": "string"}}},
            }
        },
    }


def components(document: Document) -> Document:
    found: Document = document["components"]["schemas"]
    return found


def field(name: str, **changed: Any) -> Edit:
    """Return an edit of a field wherever it stands; a keyword of None goes away."""

    def edit(document: Document) -> None:
        for component in ("LabDetail", "PatchedLabDetail"):
            declared = {**components(document)[component]["properties"].get(name, {}), **changed}
            components(document)[component]["properties"][name] = {k: v for k, v in declared.items() if v is not None}

    return edit


def without_field(name: str) -> Edit:
    def edit(document: Document) -> None:
        for component in ("LabDetail", "PatchedLabDetail"):
            del components(document)[component]["properties"][name]

    return edit


def required(*names: str) -> Edit:
    return lambda document: components(document)["LabDetail"].update(required=list(names))


def without_path(path: str) -> Edit:
    return lambda document: document["paths"].pop(path)


def without_method(path: str, method: str) -> Edit:
    return lambda document: document["paths"][path].pop(method)


def moved(old: str, new: str) -> Edit:
    return lambda document: document["paths"].update({new: document["paths"].pop(old)})


def filters(*parameters: Document) -> Edit:
    return lambda document: document["paths"]["/labs"]["get"].update(
        parameters=[{"in": "query", **each} for each in parameters]
    )


CITY = {"name": "city", "schema": TEXT}
SIZE = {"name": "size", "schema": {"type": "integer", "enum": [0, 1]}}


def put(document: Document) -> None:
    components(document)["LabUpdate"] = {**components(document)["LabDetail"], "required": ["name", "kind"]}
    document["paths"]["/labs/{name}"]["put"]["requestBody"] = content(ref("LabUpdate"))


def renamed_key(document: Document) -> None:
    document["paths"]["/labs/{id}"] = document["paths"].pop("/labs/{name}")
    document["paths"]["/labs/{id}"]["parameters"] = [{**KEY, "name": "id"}]


def key_of(schema: Document) -> Edit:
    return lambda document: document["paths"]["/labs/{name}"].update(parameters=[{**KEY, "schema": schema}])


def body(schema: Document | None) -> Edit:
    def edit(document: Document) -> None:
        operation = document["paths"]["/labs"]["post"]
        if schema is None:
            del operation["requestBody"]
        else:
            operation["requestBody"] = content(schema)

    return edit


def answer(path: str, method: str, schema: Document) -> Edit:
    return lambda document: document["paths"][path][method].update(responses={"200": content(schema)})


def nested(**properties: Any) -> Edit:
    return lambda document: components(document)["Part"].update(properties=properties)


def edited(*edits: Edit) -> Document:
    document = server()
    for edit in edits:
        edit(document)
    return document


def lines(report: Report) -> list[str]:
    return [line.strip() for line in report.text().splitlines()[1:] if line.strip()]


def compared(old: Document, new: Document) -> Report:
    return compare_surfaces(surface_of(old), surface_of(new))


def found(report: Report) -> list[tuple[str, str, str]]:
    return [(each.group, each.name, each.words) for each in report.changes]


SILENTLY = "the server silently ignores what is sent"
EVERY = "removed: the server silently ignores it and returns every row"
ONE_CHANGE: list[tuple[str, Edit, tuple[str, str, str]]] = [
    # endpoints and actions
    (
        "endpoint removed",
        without_path("/water-type"),
        ("breaking", "client.water_type", "endpoint removed, with list"),
    ),
    (
        "endpoint added",
        lambda d: d["paths"].update({"/mice": {"get": {"responses": {}}, "post": {"responses": {}}}}),
        ("harmless", "client.mice", "endpoint added, with create, read"),
    ),
    (
        "action removed",
        without_method("/labs/{name}", "delete"),
        ("breaking", "client.labs.delete", "removed: DELETE /labs/{name}"),
    ),
    (
        "action added",
        lambda d: d["paths"]["/water-type"].update(post={"responses": {"201": {}}}),
        ("harmless", "client.water_type.create", "added: POST /water-type"),
    ),
    (
        "path changed",
        moved("/water-type", "/water_type"),
        ("breaking", "client.water_type.list", "moved to /water_type, was at /water-type"),
    ),
    ("key renamed", renamed_key, ("breaking", "client.labs.read(name)", "the lookup key is now id, was name")),
    (
        "key narrowed",
        key_of({"type": "string", "format": "uuid"}),
        ("breaking", "client.labs.read(name)", "the lookup key name: accepts uuid, no longer text"),
    ),
    # filters
    ("filter removed", filters(SIZE), ("breaking", "client.labs.list(city=)", EVERY)),
    (
        "filter added",
        filters(CITY, SIZE, {"name": "from", "schema": TEXT}),
        ("harmless", "client.labs.list(from_=)", "new, optional"),
    ),
    (
        "filter added, required",
        filters(CITY, SIZE, {"name": "age", "schema": TEXT, "required": True}),
        ("breaking", "client.labs.list(age=)", "new and required"),
    ),
    (
        "filter required",
        filters({**CITY, "required": True}, SIZE),
        ("breaking", "client.labs.list(city=)", "now required"),
    ),
    (
        "filter narrowed",
        filters({**CITY, "schema": {"type": "integer"}}, SIZE),
        ("breaking", "client.labs.list(city=)", "accepts integer, no longer text"),
    ),
    (
        "filter takes several",
        filters({**CITY, "schema": {"type": "array", "items": TEXT}}, SIZE),
        ("harmless", "client.labs.list(city=)", "accepts list of text or text, was text"),
    ),
    (
        "filter loses a value",
        filters(CITY, {**SIZE, "schema": {"type": "integer", "enum": [0]}}),
        ("breaking", "client.labs.list(size=)", "1 no longer accepted"),
    ),
    # what is sent
    (
        "sent field removed",
        without_field("secret"),
        ("breaking", "client.labs.create(Lab(secret=…))", f"removed: {SILENTLY}"),
    ),
    (
        "sent field read-only",
        field("weight", readOnly=True),
        ("breaking", "client.labs.create(Lab(weight=…))", f"now read-only: {SILENTLY}"),
    ),
    (
        "sent field added",
        field("pin", type="integer", writeOnly=True),
        ("harmless", "client.labs.create(Lab(pin=…))", "new, optional"),
    ),
    (
        "sent field required",
        required("name", "url", "kind"),
        ("breaking", "client.labs.create(Lab(kind=…))", "now required"),
    ),
    ("sent field optional", required("url"), ("harmless", "client.labs.create(Lab(name=…))", "now optional")),
    (
        "limit tighter",
        field("name", maxLength=20),
        ("breaking", "client.labs.create(Lab(name=…))", "maxLength is 20, was 50"),
    ),
    (
        "limit wider",
        field("name", maxLength=99),
        ("harmless", "client.labs.create(Lab(name=…))", "maxLength is 99, was 50"),
    ),
    (
        "limit gone",
        field("name", maxLength=None),
        ("harmless", "client.labs.create(Lab(name=…))", "maxLength 50 removed"),
    ),
    (
        "format new",
        field("name", format="email"),
        ("breaking", "client.labs.create(Lab(name=…))", "format email added"),
    ),
    (
        "pattern new",
        field("secret", pattern="^x"),
        ("breaking", "client.labs.create(Lab(secret=…))", "pattern ^x added"),
    ),
    (
        "minimum new",
        field("weight", minimum=0),
        ("breaking", "client.labs.create(Lab(weight=…))", "minimum 0 added"),
    ),
    (
        "written value narrowed",
        field("secret", type="integer"),
        ("breaking", "client.labs.create(Lab(secret=…))", "accepts integer, no longer text"),
    ),
    (
        "written value widened",
        field("secret", type=None, oneOf=[{"type": "integer"}, {"type": "string"}]),
        ("harmless", "client.labs.create(Lab(secret=…))", "accepts integer or text, was text"),
    ),
    (
        "written value may be null",
        field("secret", nullable=True),
        ("harmless", "client.labs.create(Lab(secret=…))", "null is now accepted"),
    ),
    (
        "written value closed",
        field("secret", enum=["x"]),
        ("breaking", "client.labs.create(Lab(secret=…))", "accepts only 'x'"),
    ),
    (
        "lists now accepted",
        body({"oneOf": [ref("LabDetail"), {"type": "array", "items": ref("LabDetail")}]}),
        ("harmless", "client.labs.create", "a list of records is also accepted"),
    ),
    ("body gone", body(None), ("breaking", "client.labs.create", "no longer accepts fields")),
    # what is answered
    ("answer removed", without_field("url"), ("type-checks", "LabRecord.url", "no longer returned")),
    ("answer added", field("extra", type="string", readOnly=True), ("harmless", "LabRecord.extra", "new")),
    (
        "answer in parts removed",
        nested(id={"type": "integer"}),
        ("type-checks", "LabRecord.parts[].note", "no longer returned"),
    ),
    (
        "answer in parts may be null",
        nested(id={"type": "integer", "nullable": True}, note={"type": "string"}),
        ("type-checks", "LabRecord.parts[].id", "may now be null"),
    ),
    (
        "answer of another type",
        field("url", type="integer", format=None),
        ("type-checks", "LabRecord.url", "now integer, was text"),
    ),
    ("answer may be null", field("url", nullable=True), ("type-checks", "LabRecord.url", "may now be null")),
    (
        "answer may be left out",
        lambda d: components(d)["LabDetail"].update({"x-sometimes": ["url"]}),
        ("type-checks", "LabRecord.url", "may now be absent"),
    ),
    (
        "answer of another form",
        answer("/labs/{name}", "get", {"type": "array", "items": TEXT}),
        ("type-checks", "client.labs.read(name)", "now returns list of text, was record"),
    ),
    (
        "no longer paged",
        answer("/labs", "get", {"type": "array", "items": ref("LabList")}),
        ("harmless", "client.labs.list", "no longer paged"),
    ),
]
"""Edits that come to a single change, with its group, its typed name and its words."""


@pytest.mark.parametrize(("edit", "expected"), [each[1:] for each in ONE_CHANGE], ids=[each[0] for each in ONE_CHANGE])
def test_one_edit_is_one_change(edit: Edit, expected: tuple[str, str, str]) -> None:
    assert found(compared(server(), edited(edit))) == [expected]


BOTH_WAYS: list[tuple[str, Edit, list[tuple[str, str, str]]]] = [
    (
        "enumeration grows",
        field("kind", enum=["cell", "fish", "mouse"]),
        [
            ("harmless", "client.labs.create(Lab(kind=…))", "'mouse' now accepted"),
            ("harmless", "LabRecord.kind", "may now be 'mouse'"),
        ],
    ),
    (
        "enumeration shrinks",
        field("kind", enum=["cell"]),
        [
            ("breaking", "client.labs.create(Lab(kind=…))", "'fish' no longer accepted"),
            ("harmless", "LabRecord.kind", "no longer 'fish'"),
        ],
    ),
    (
        "closed enumeration grows",
        field("pinned", enum=["a", 1, 2]),
        [
            ("type-checks", "LabRecord.pinned", "may now be 2"),
            ("harmless", "client.labs.create(Lab(pinned=…))", "2 now accepted"),
        ],
    ),
    (
        "enumeration opens",
        field("kind", enum=None),
        [
            ("harmless", "client.labs.create(Lab(kind=…))", "any value is accepted, was one of 'cell', 'fish'"),
            ("harmless", "LabRecord.kind", "no longer limited to 'cell', 'fish'"),
        ],
    ),
    (
        "null no longer",
        field("count", nullable=None),
        [
            ("breaking", "client.labs.create(Lab(count=…))", "null is no longer accepted"),
            ("harmless", "LabRecord.count", "no longer null"),
        ],
    ),
    (
        "integer for number",
        field("weight", type="integer"),
        [
            ("breaking", "client.labs.create(Lab(weight=…))", "accepts integer, no longer number"),
            ("harmless", "LabRecord.weight", "now integer, was number"),
        ],
    ),
    (
        "date for text",
        field("born", format=None),
        [
            ("type-checks", "LabRecord.born", "now text, was date"),
            ("harmless", "client.labs.create(Lab(born=…))", "accepts text, was date"),
        ],
    ),
    (
        "one alternative less",
        field("either", oneOf=[{"type": "string"}]),
        [
            ("breaking", "client.labs.create(Lab(either=…))", "accepts text, no longer integer"),
            ("harmless", "LabRecord.either", "now text, was integer or text"),
        ],
    ),
    (
        "items may be null",
        field("tags", items={"type": "string", "nullable": True}),
        [
            ("type-checks", "LabRecord.tags", "now list of (text or null), was list of text"),
            ("harmless", "client.labs.create(Lab(tags=…))", "accepts list of (text or null), was list of text"),
        ],
    ),
    (
        "text becomes a record",
        field("secret", **{"type": None, "writeOnly": None, "allOf": [ref("Part")]}),
        [
            (
                "breaking",
                "client.labs.create(Lab(secret=…))",
                "accepts record, no longer text",
            ),
            ("harmless", "LabRecord.secret", "new"),
        ],
    ),
]
"""Edits of a field that is both sent and answered."""


@pytest.mark.parametrize(("edit", "expected"), [each[1:] for each in BOTH_WAYS], ids=[each[0] for each in BOTH_WAYS])
def test_a_field_is_judged_as_sent_and_as_answered(edit: Edit, expected: list[tuple[str, str, str]]) -> None:
    assert found(compared(server(), edited(edit))) == expected


def test_a_change_of_several_actions_is_one_that_names_them() -> None:
    report = compared(server(), edited(field("secret", maxLength=5), required("name", "url", "secret")))

    by_words = {each.words: each.actions for each in report.changes}
    assert by_words == {
        "maxLength 5 added": ("create", "update", "partial_update"),
        "now required": ("create", "update"),
    }
    assert "client.labs.create(Lab(secret=…))  now required (also in update)" in lines(report)


def test_what_only_partial_update_takes_is_its_keyword() -> None:
    def edit(document: Document) -> None:
        del components(document)["PatchedLabDetail"]["properties"]["secret"]

    assert found(compared(server(), edited(edit))) == [
        ("breaking", "client.labs.partial_update(secret=…)", f"removed: {SILENTLY}")
    ]


@pytest.mark.parametrize(
    ("old", "new"), [("/water-type", "/WaterTypes"), ("/mouse-family", "/mousefamilies"), ("/a-b", "/A-Bs")]
)
def test_a_removed_path_is_pointed_at_one_that_is_written_like_it(old: str, new: str) -> None:
    before, after = server(), server()
    listed = before["paths"].pop("/water-type")
    del after["paths"]["/water-type"]
    before["paths"][old], after["paths"][new] = listed, listed

    removed, added = compared(before, after).changes

    assert removed.words.endswith(f"; perhaps renamed to {added.name}")
    assert added.words.endswith(f"; perhaps renamed from {removed.name}")


def test_a_removed_path_is_not_pointed_at_just_any_other() -> None:
    report = compared(server(), edited(moved("/water-type", "/water-kind")))

    assert len(report.changes) == 2
    assert "perhaps" not in report.text()


def test_renamed_filters_and_fields_are_pointed_at_too() -> None:
    report = compared(server(), edited(filters({"name": "cities", "schema": TEXT}, SIZE)))

    assert [each.words for each in report.changes] == [
        f"{EVERY}; perhaps renamed: client.labs.list(cities=)",
        "new, optional; perhaps renamed: client.labs.list(city=)",
    ]


def test_a_class_that_is_still_there_is_not_called_renamed() -> None:
    report = compared(server(), edited(put))

    assert ("type-checks", "client.labs.update(name)", "now accepts LabUpdate, was Lab") in found(report)
    assert "its import fails" not in report.text()


def test_a_renamed_class_breaks_type_checks() -> None:
    old = surface_of(server())
    renamed = {
        key: ActionName(n.endpoint, n.action, n.request_class and "Laboratory", n.response_class)
        for key, n in old.names.items()
    }

    report = compare_surfaces(old, surface_of(server(), renamed))

    assert report.worst == "type-checks"
    assert {each.words for each in report.changes} == {"the class Lab is now called Laboratory: its import fails"}


# A body that appears is told of with the fields that it needs, and one that goes as a whole.
MIRRORED = [each for each in (*ONE_CHANGE, *BOTH_WAYS) if each[0] != "body gone"]


@pytest.mark.parametrize("edit", [each[1] for each in MIRRORED], ids=[each[0] for each in MIRRORED])
def test_each_edit_mirrored_mirrors_what_was_added_and_removed(edit: Edit) -> None:
    old, new = surface_of(server()), surface_of(edited(edit))
    mirror = {"added": "removed", "removed": "added"}
    there = [(each.kind, each.what, each.endpoint, each.actions) for each in compare_surfaces(old, new).changes]
    back = [
        (each.kind, mirror.get(each.what), each.endpoint, each.actions) for each in compare_surfaces(new, old).changes
    ]

    assert there
    assert sorted(each for each in there if each[1] in mirror) == sorted(each for each in back if each[1])
    assert not compare_surfaces(new, new)


def shuffled(node: Any, order: random.Random) -> Any:
    if isinstance(node, dict):
        items = [(key, shuffled(value, order)) for key, value in node.items()]
        order.shuffle(items)
        return dict(items)
    if isinstance(node, list):
        items = [shuffled(each, order) for each in node]
        order.shuffle(items)
        return items
    return node


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_document_does_not_matter(seed: int) -> None:
    document = server()
    other = shuffled(document, random.Random(seed))

    assert dump(surface_of(other)) == dump(surface_of(document))
    assert not compared(document, other)


def test_prose_does_not_matter() -> None:
    document = server()
    document["paths"]["/labs"]["get"]["description"] = "All labs."
    components(document)["LabDetail"]["properties"]["name"]["description"] = "Its name."

    assert fingerprint(surface_of(document)) == fingerprint(surface_of(server()))


# --- the surface and its text


def test_a_surface_survives_its_text() -> None:
    surface = surface_of(server())

    assert load(dump(surface)) == surface
    assert dump(load(dump(surface))) == dump(surface)


def test_a_new_field_is_one_new_line() -> None:
    before = dump(surface_of(server())).splitlines()
    after = dump(surface_of(edited(field("extra", type="string", readOnly=True)))).splitlines()

    new = [line for line in after if line not in before]
    assert len(after) == len(before) + 1
    assert new == [
        '["labs", "answered", "extra", ["create", "partial_update", "read", "update"], '
        '{"required": true, "type": "text"}]'
    ]
    assert [line for line in before if line not in after] == []


def test_a_field_that_is_sent_and_required_is_one_line_for_all_writes() -> None:
    text = dump(surface_of(server()))

    assert [line for line in text.splitlines() if '"sent", "name"' in line] == [
        '["labs", "sent", "name", ["create", "partial_update", "update"], '
        '{"maxLength": 50, "required": true, "type": "text"}]'
    ]


def test_the_fingerprint_is_of_the_server_and_not_of_what_classes_are_called() -> None:
    document = server()
    other = surface_of(document, {"GET /labs": ActionName("labs", "list", "", "LabRow")})

    assert dump(other) != dump(surface_of(document))
    assert fingerprint(other) == fingerprint(surface_of(document))
    assert fingerprint(surface_of(edited(field("extra", type="string")))) != fingerprint(other)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "[1]", '["surface", 2, "OpenAPI"]', '["surface", 1, "OpenAPI"]\n["a"]', "x"]
)
def test_a_damaged_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Regenerate the client"):
        load(text)


def test_hostile_names_stay_on_their_line() -> None:
    hostile = 'a"b\\\n\u2028\x1b[31m|`'
    document = edited(field(hostile, type="string", enum=[hostile]))
    surface = surface_of(document)

    assert load(dump(surface)) == surface
    report = compare_surfaces(surface_of(server()), surface)
    assert all(character.isprintable() for character in report.text().replace("\n", ""))
    assert "\x1b" not in report.markdown()
    assert len(report.text().splitlines()) == 5
    assert json.loads(report.json())["changes"][0]["words"]


# --- reading documents


def values(schema: Document, **schemas: Any) -> dict[str, Any]:
    document = edited(answer("/labs/{name}", "get", schema))
    components(document).update(schemas)
    surface = surface_of(document)
    return dict(surface.actions["GET /labs/{}"].response_fields)


def test_paths_that_are_no_records_are_left_out() -> None:
    assert set(surface_of(server()).actions) == {
        "GET /labs",
        "POST /labs",
        "GET /labs/{}",
        "PUT /labs/{}",
        "PATCH /labs/{}",
        "DELETE /labs/{}",
        "GET /water-type",
    }


def test_paging_is_no_filter() -> None:
    assert set(surface_of(server()).actions["GET /labs"].filters) == {"city", "size"}


def test_a_union_with_blank_and_null_is_one_enumeration() -> None:
    kinds = {
        "Kind": {"type": "string", "enum": ["a", "b"]},
        "BlankEnum": {"enum": [""]},
        "NullEnum": {"enum": [None]},
    }
    read = values({"properties": {"kind": {"oneOf": [ref(each) for each in kinds]}}}, **kinds)

    assert (read["kind"].types, read["kind"].nullable, read["kind"].enum) == (("text",), True, ("", "a", "b"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "nullable": True}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ({"allOf": [ref("Part")]}, ref("Part")),
        ({"allOf": [ref("Part")], "nullable": True}, {"oneOf": [ref("Part"), {"type": "null"}]}),
        ({"enum": ["a"]}, {"const": "a"}),
        ({}, True),
    ],
)
def test_the_forms_of_openapi_3_0_and_3_1_are_read_alike(one: Any, other: Any) -> None:
    assert values({"properties": {"x": one}}) == values({"properties": {"x": other}})


BLANK = [{"type": "string", "maxLength": 50, "pattern": "^x"}, {"type": "string", "maxLength": 0}]


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        (BLANK, [{**BLANK[0], "maxLength": 20}, BLANK[1]], [("breaking", "maxLength is 20, was 50")]),
        (BLANK, [BLANK[0]], [("breaking", "'' no longer accepted")]),
        ([BLANK[0]], BLANK, [("harmless", "'' now accepted")]),
        (BLANK, [{"type": "string", "maxLength": 50}], [("harmless", "pattern ^x removed")]),
        (
            [{"type": "array", "items": {"type": "string", "maxLength": 50}}],
            [{"type": "array", "items": {"type": "string", "maxLength": 20}}],
            [("breaking", "maxLength is 20, was 50")],
        ),
        (
            [{"type": "number"}],
            [{"type": "number", "exclusiveMinimum": False, "uniqueItems": False, "minLength": 0}],
            [],
        ),
        (
            [{"type": "number", "minimum": 0, "exclusiveMinimum": True}],
            [{"type": "number", "exclusiveMinimum": 0}],
            [],
        ),
    ],
)
def test_limits_are_read_whatever_form_they_have(was: Any, now: Any, expected: list[tuple[str, str]]) -> None:
    old, new = (edited(field("secret", type=None, oneOf=each)) for each in (was, now))

    assert [(each.group, each.words) for each in compared(old, new).changes] == expected


def test_a_method_that_is_called_otherwise_breaks_type_checks() -> None:
    old = edited(lambda d: d["paths"].update({"/labs/{name}/archive": {"post": {"responses": {"204": {}}}}}))
    new = copy.deepcopy(old)
    del new["paths"]["/labs/{name}"]

    words = "the method is now client.labs_archive.create"
    assert ("type-checks", "client.labs.archive(name)", words) in found(compared(old, new))


def test_a_field_that_another_action_still_takes_is_not_called_read_only() -> None:
    new = edited(lambda d: components(d)["PatchedLabDetail"]["properties"].pop("weight"))

    assert found(compared(server(), new)) == [
        ("breaking", "client.labs.partial_update(weight=…)", f"removed: {SILENTLY}")
    ]


def test_a_type_that_is_none_is_no_traceback() -> None:
    assert compared(server(), edited(field("weight", type=[{"number": 1}, "number"])))


def test_records_within_records_are_read_by_dotted_names() -> None:
    inner = {"type": "object", "properties": {"z": {"type": "integer"}}}
    schema = {
        "type": "object",
        "properties": {
            "one": inner,
            "grid": {"type": "array", "items": {"type": "array", "items": inner}},
            "by_name": {"type": "object", "additionalProperties": inner},
        },
    }

    assert {name: value.types[0] for name, value in values(schema).items()} == {
        "one": "record",
        "one.z": "integer",
        "grid": "list of list of record",
        "grid[][].z": "integer",
        "by_name": "mapping of record",
        "by_name{}.z": "integer",
    }


def test_components_that_hold_themselves_are_read_once() -> None:
    tree = {"type": "object", "properties": {"name": TEXT, "children": {"type": "array", "items": ref("Tree")}}}
    loop = {"allOf": [ref("Loop")]}

    read = values(ref("Tree"), Tree=tree, Loop=loop)
    assert set(read) == {"name", "children"}
    assert read["children"].types == ("list of record",)
    assert values({"properties": {"x": ref("Loop")}}, Loop=loop)["x"].types == ("record",)


def test_a_name_that_is_taken_leaves_the_method_and_path() -> None:
    document = edited(lambda d: d["paths"].update({"/water_type": d["paths"]["/water-type"]}))

    names = surface_of(document).names
    assert names["GET /water-type"].qualified == "client.water_type.list"
    assert names["GET /water_type"].qualified == "GET /water_type"


@pytest.mark.parametrize("junk", [None, 3, [], "x", {"$ref": 7}, {"$ref": "elsewhere.yaml#/a"}, {"type": "what"}])
def test_junk_in_a_document_is_no_traceback(junk: Any) -> None:
    document = edited(
        lambda d: d["paths"].update(
            {"/junk": junk, "/worse": {"get": junk, "post": {"requestBody": junk, "responses": junk}}}
        ),
        lambda d: d["paths"]["/labs"]["get"].update(parameters=junk),
        lambda d: components(d).update(Part=junk, Page={"properties": junk}),
        field("kind", enum=junk, items=junk, oneOf=junk, required=junk),
    )

    surface = surface_of(document)
    assert load(dump(surface)) == surface


@pytest.mark.parametrize("document", [{}, {"openapi": "2.0"}, {"_type": "error"}, {"swagger": "2.0"}])
def test_what_is_no_schema_is_refused(document: Document) -> None:
    with pytest.raises(UnreadableDocumentError, match="neither an OpenAPI 3 nor a CoreAPI"):
        surface_of(document)


# --- the report


def test_nothing_changed() -> None:
    report = compared(server(), server())

    assert report.text() == "old -> new: nothing changed"
    assert report.markdown() == "**old → new**: nothing changed.\n"
    assert json.loads(report.json()) == {
        "form": 1,
        "old": "old",
        "new": "new",
        "worst": None,
        "counts": {"breaking": 0, "type-checks": 0, "harmless": 0},
        "changes": [],
        "notes": [],
    }
    assert not report
    assert not any(report.fails(each) for each in ("breaking", "type-checks", "any"))


def three() -> Report:
    edits = filters(SIZE), field("url", nullable=True), field("extra", type="integer", readOnly=True)
    return compared(server(), edited(*edits)).with_names("3.3.1", "3.6.1")


def test_the_report_as_text() -> None:
    assert three().text().splitlines() == [
        "3.3.1 -> 3.6.1: 1 break callers, 1 break type checks, 1 harmless",
        "",
        "Breaks callers (1)",
        "  client.labs.list(city=)  removed: the server silently ignores it and returns every row",
        "",
        "Breaks type checks (1)",
        "  LabRecord.url  may now be null",
        "",
        "Harmless (1)",
        "  LabRecord.extra  new",
    ]
    assert repr(three()) == three().text()


def test_the_report_in_markdown() -> None:
    assert three().markdown() == (
        "**3.3.1 → 3.6.1**: 1 break callers, 1 break type checks, 1 harmless.\n"
        "\n### Breaks callers (1)\n\n| What | Change |\n|---|---|\n"
        "| `client.labs.list(city=)` | removed: the server silently ignores it and returns every row |\n"
        "\n### Breaks type checks (1)\n\n| What | Change |\n|---|---|\n| `LabRecord.url` | may now be null |\n"
        "\n### Harmless (1)\n\n| What | Change |\n|---|---|\n| `LabRecord.extra` | new |\n"
    )


def test_the_report_in_json() -> None:
    read = json.loads(three().json())

    assert read["worst"] == "breaking"
    assert read["counts"] == {"breaking": 1, "type-checks": 1, "harmless": 1}
    assert read["changes"][0] == {
        "group": "breaking",
        "kind": "filter",
        "what": "removed",
        "endpoint": "labs",
        "actions": ["list"],
        "name": "client.labs.list(city=)",
        "words": EVERY,
    }


@pytest.mark.parametrize(
    ("edit", "worst", "failing"),
    [
        (filters(SIZE), "breaking", {"breaking", "type-checks", "any"}),
        (field("url", nullable=True), "type-checks", {"type-checks", "any"}),
        (field("extra", type="string", readOnly=True), "harmless", {"any"}),
    ],
)
def test_the_worst_change_decides_what_fails(edit: Edit, worst: str, failing: set[str]) -> None:
    report = compared(server(), edited(edit))

    assert report.worst == worst
    assert {each for each in ("breaking", "type-checks", "any") if report.fails(each)} == failing


# --- a live server


def core_api(**endpoints: Document) -> Document:
    return {"_type": "document", "_meta": {}, **endpoints}


def link(action: str, url: str, *fields: Document) -> Document:
    return {"_type": "link", "url": url, "action": action, "fields": list(fields)}


def core_field(name: str, place: str, kind: str = "string", **more: Any) -> Document:
    return {"name": name, "location": place, "schema": {"_type": kind}, **more}


def legacy() -> Document:
    """Return the inline server as one before Alyx 3.3 tells of itself, with one filter and one field more and less."""
    fields = ("kind", "weight", "count", "secret", "born", "either", "tags", "pinned", "old")
    form = [core_field("name", "form", required=True), *(core_field(each, "form") for each in fields)]
    key = core_field("name", "path", required=True)
    patch = [{**each, "required": False} for each in form]
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


def carried(document: Document) -> Surface:
    return load(dump(surface_of(document)))


def test_a_server_that_has_not_moved_has_no_changes() -> None:
    report = compare_with_document(carried(server()), server())

    assert not report
    assert report.text().startswith("client -> server: nothing changed")
    assert "before any correction" in report.notes[0]


def test_a_live_server_is_named_as_the_client_names_it() -> None:
    names = {"GET /labs/{}": ActionName("labs", "read", "", "Laboratory")}
    surface = load(dump(surface_of(server(), names)))

    report = compare_with_document(surface, edited(field("url", nullable=True)))

    assert {each.name for each in report.changes} == {"Laboratory.url", "LabRecord.url"}


def test_a_legacy_server_is_compared_as_far_as_it_tells() -> None:
    report = compare_with_document(carried(server()), legacy())

    assert found(report) == [
        ("breaking", "client.labs.list(size=)", EVERY),
        ("harmless", "client.labs.create(Lab(old=…))", "new, optional"),
    ]
    assert report.changes[1].actions == ("create", "update", "partial_update")
    assert any("does not describe responses" in note for note in report.notes)


def test_two_legacy_documents_are_compared_with_each_other() -> None:
    newer = legacy()
    newer["labs"]["list"]["fields"].append(core_field("size", "query", "integer"))
    del newer["water-type"]

    report = compare_with_document(carried(legacy()), newer)

    assert [(each.group, each.name) for each in report.changes] == [
        ("breaking", "client.water_type"),
        ("harmless", "client.labs.list(size=)"),
    ]
    assert not compare_with_document(carried(legacy()), legacy())


def test_a_body_that_coreapi_leaves_out_is_not_compared() -> None:
    silent = legacy()
    silent["labs"]["create"]["fields"] = []

    assert [each.actions for each in compare_with_document(carried(server()), silent).changes] == [
        ("list",),
        ("update", "partial_update"),
    ]


def test_a_form_that_creates_is_not_believed_to_lack_what_replacing_takes() -> None:
    described = legacy()
    fields = [each for each in described["labs"]["create"]["fields"] if each["name"] in ("name", "kind")]
    described["labs"]["create"]["fields"] = [{**each, "required": True} for each in fields]

    report = compare_with_document(carried(server()), described)

    assert found(report) == found(compare_with_document(carried(server()), legacy()))


def test_importing_the_client_does_not_load_the_comparison() -> None:
    code = "import json, sys, alyx_client.endpoints; print(json.dumps(list(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not {"alyx_client.schema.diff", "alyx_client.schema.surface"} & {*json.loads(ran.stdout)}
