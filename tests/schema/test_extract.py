"""Surfaces, extracted from OpenAPI documents."""

from __future__ import annotations

from typing import Any

import pytest

from alyx_client.schema.extract import UnreadableDocumentError, surface_of
from alyx_client.schema.surface_text import dump, load

from .edits import (
    TEXT,
    Document,
    answer,
    compare,
    components,
    edited,
    field,
    ref,
    server,
)


def values(schema: Document, **schemas: Any) -> dict[str, Any]:
    document = edited(answer("/labs/{name}", "get", schema))
    components(document).update(schemas)
    surface = surface_of(document)
    fields = surface.actions["GET /labs/{}"].response_fields
    return {name: value for name, value in fields.items() if name}


def test_paths_that_are_not_endpoints_are_left_out() -> None:
    assert set(surface_of(server()).actions) == {
        "GET /labs",
        "POST /labs",
        "GET /labs/{}",
        "PUT /labs/{}",
        "PATCH /labs/{}",
        "DELETE /labs/{}",
        "GET /water-type",
    }


def test_paging_parameters_are_not_filters() -> None:
    assert set(surface_of(server()).actions["GET /labs"].filters) == {"city", "size"}


def test_a_union_with_blank_and_null_is_one_enumeration() -> None:
    kinds = {
        "Kind": {"type": "string", "enum": ["a", "b"]},
        "BlankEnum": {"enum": [""]},
        "NullEnum": {"enum": [None]},
    }
    read = values({"properties": {"kind": {"oneOf": [ref(kind) for kind in kinds]}}}, **kinds)

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
def test_openapi_3_0_and_3_1_are_read_alike(one: Any, other: Any) -> None:
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
def test_limits_are_read_in_every_form(was: Any, now: Any, expected: list[tuple[str, str]]) -> None:
    old, new = (edited(field("secret", type=None, oneOf=options)) for options in (was, now))

    assert [(change.group, change.words) for change in compare(old, new).changes] == expected


def test_invalid_type_does_not_raise() -> None:
    assert compare(server(), edited(field("weight", type=[{"number": 1}, "number"])))


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


def test_circular_components_are_read_once() -> None:
    tree = {"type": "object", "properties": {"name": TEXT, "children": {"type": "array", "items": ref("Tree")}}}
    loop = {"allOf": [ref("Loop")]}

    read = values(ref("Tree"), Tree=tree, Loop=loop)
    assert set(read) == {"name", "children"}
    assert read["children"].types == ("list of record",)
    assert values({"properties": {"x": ref("Loop")}}, Loop=loop)["x"].types == ("record",)


def test_second_action_of_a_name_is_named_by_method_and_path() -> None:
    document = edited(lambda d: d["paths"].update({"/water_type": d["paths"]["/water-type"]}))

    names = surface_of(document).names
    assert names["GET /water-type"].qualified == "client.water_type.list"
    assert names["GET /water_type"].qualified == "GET /water_type"


@pytest.mark.parametrize("junk", [None, 3, [], "x", {"$ref": 7}, {"$ref": "elsewhere.yaml#/a"}, {"type": "what"}])
def test_junk_in_a_document_does_not_raise(junk: Any) -> None:
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
def test_document_that_is_not_a_schema_is_refused(document: Document) -> None:
    with pytest.raises(UnreadableDocumentError, match="neither an OpenAPI 3 nor a CoreAPI"):
        surface_of(document)
