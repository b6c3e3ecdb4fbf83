"""Edits of a schema, with the changes that are expected of them."""

from __future__ import annotations

from .edits import (
    CITY,
    SIZE,
    TEXT,
    Edit,
    answer,
    body,
    components,
    field,
    filters,
    key_of,
    moved,
    nested,
    ref,
    renamed_key,
    required,
    without_field,
    without_method,
    without_path,
)

SILENTLY = "the server silently ignores what is sent"
MAY_BE_ABSENT = "no longer required in the component that requests share, so it may be absent"
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
    # requests
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
    (
        "limit tighter",
        field("name", maxLength=20),
        ("breaking", "client.labs.create(Lab(name=…))", "maxLength is 20, was 50"),
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
    # responses
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


BOTH_WAYS: list[tuple[str, Edit, list[tuple[str, str, str]]]] = [
    (
        "sent field optional",
        required("url"),
        [
            ("harmless", "client.labs.create(Lab(name=…))", "now optional"),
            ("harmless", "LabRecord.name", MAY_BE_ABSENT),
        ],
    ),
    (
        "limit wider",
        field("name", maxLength=99),
        [
            ("type-checks", "LabRecord.name", "maxLength is 99, was 50"),
            ("harmless", "client.labs.create(Lab(name=…))", "maxLength is 99, was 50"),
        ],
    ),
    (
        "limit gone",
        field("name", maxLength=None),
        [
            ("type-checks", "LabRecord.name", "maxLength 50 removed"),
            ("harmless", "client.labs.create(Lab(name=…))", "maxLength 50 removed"),
        ],
    ),
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
"""Edits of a field that is in both requests and responses."""
