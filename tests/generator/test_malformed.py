"""Documents with something wrong in any place: a finding that names it, and everything else is generated."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from alyx_generator.model.build import build_api
from alyx_generator.package.compare import bundled_surface
from alyx_generator.package.pipeline import generate_client
from alyx_generator.render.modules import Package, render
from alyx_generator.source.normalise import normalise
from alyx_generator.source.overlay import correct, shipped_corrections
from alyx_generator.source.validate import UnreadableSchemaError

from alyx_client.schema.openapi import as_list, as_schema

from .foreign_parts import JSON, TEXT, at, things
from .inline import body, document, key, page, query, ref, resource, returns
from .test_properties import SEARCHING

WRONG: tuple[Any, ...] = (
    None,
    True,
    5,
    float("nan"),
    "text",
    "",
    [],
    {},
    [5],
    [None],
    ["a"],
    {"a": 5},
    {"$ref": 5},
    [[]],
)


def everything() -> JSON:
    """Return a valid document that has each part that the generator reads."""
    number = {"type": "integer", "minimum": 0, "exclusiveMaximum": True, "maximum": 9}
    thing = {
        "type": "object",
        "title": "Thing",
        "required": ["name", "kind"],
        "x-sometimes": ["level"],
        "properties": {
            "name": {"type": "string", "maxLength": 9, "pattern": "^a", "nullable": True, "description": "Its name."},
            "kind": {"allOf": [ref("Kind")], "readOnly": True},
            "level": {"oneOf": [number, {"enum": [None]}], "x-sent": {"format": "date"}},
            "parts": {"type": "array", "items": ref("Part"), "x-answered": {"nullable": True}},
            "meta": {"type": "object", "additionalProperties": {"anyOf": [TEXT, {"const": 3}]}},
            "image": {"type": "string", "format": "binary", "writeOnly": True},
        },
    }
    part = {
        "allOf": [ref("Base"), {"type": "object", "properties": {"up": ref("Thing")}, "additionalProperties": True}]
    }
    pet = {
        "oneOf": [ref("Part"), ref("Base")],
        "discriminator": {"propertyName": "n", "mapping": {"a": "#/components/schemas/Part"}},
    }
    multipart = {"content": {"multipart/form-data": {"schema": ref("Thing")}}}
    filters = query({"name": "tags", "explode": False, "style": "form", "schema": {"type": "array", "items": TEXT}})
    write = {
        **key(),
        **body({"oneOf": [ref("Thing"), {"type": "array", "items": ref("Thing")}]}),
        **returns(ref("Pet")),
    }
    return {
        **document(
            {
                "/things": {
                    "parameters": [{"$ref": "#/components/parameters/Lab"}],
                    "get": {**returns(ref("Page")), **filters, "deprecated": True, "security": [{"token": []}]},
                    "post": {"requestBody": multipart, **returns(ref("Thing"), "201"), "description": "Add."},
                },
                "/things/{id}": {"get": {**key(), **returns(ref("Thing"))}, "patch": write},
                "/others": {"get": returns({"type": "array", "items": ref("Base")})},
            },
            {
                "Thing": thing,
                "Part": part,
                "Pet": pet,
                "Page": page("Thing"),
                "Base": {"type": "object", "properties": {"n": TEXT}},
                "Kind": {"type": "string", "enum": ["a", "b"]},
            },
        ),
        "servers": [{"url": "/api"}],
        "security": [{"token": []}],
    }


def with_shared(schema: JSON) -> JSON:
    schema["components"]["parameters"] = {"Lab": {"in": "query", "name": "lab", "schema": TEXT, "required": False}}
    schema["components"]["securitySchemes"] = {"token": {"type": "apiKey", "in": "header", "name": "Authorization"}}
    return schema


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = as_schema(node).items() if isinstance(node, dict) else enumerate(as_list(node))
    for name, value in members:
        yield (*path, name)
        yield from places(value, (*path, name))


def replaced(schema: JSON, place: tuple[Any, ...], value: Any) -> JSON:
    result = copy.deepcopy(schema)
    node: Any = result
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = value
    return result


def test_no_wrong_value_anywhere_is_a_traceback() -> None:
    schema = with_shared(everything())
    whole = api = build_api(normalise(schema))
    assert whole.operations == 5
    rendered = 0
    for number, place in enumerate(places(schema)):
        for value in WRONG if SEARCHING else WRONG[number % 14 :: 14]:
            wrong = replaced(schema, place, value)
            try:
                normalised = normalise(wrong)
            except UnreadableSchemaError:
                # Only what the document consists of may be wrong as a whole.
                assert place in [("openapi",), ("paths",), ("components",), ("components", "schemas")]
                continue
            corrected = correct(normalised, shipped_corrections()[:3], strict=False).document
            api = build_api(corrected)
            bundled_surface(wrong, api)
            if len(place) > 3 and place[0] == "paths":
                assert api.operations >= whole.operations - 2, (place, value)
        if number % (1 if SEARCHING else 40) == 0:
            assert render(api, Package())
            rendered += 1
    assert rendered > 5


@pytest.mark.parametrize(
    "location",
    [
        "components > schemas > Thing",
        "components > schemas > Thing > properties",
        "components > schemas > Thing > required",
        "components > schemas > Thing > properties > name",
        "components > schemas > Thing > properties > name > enum",
        "components > schemas > Thing > properties > name > oneOf",
        "paths > /things > get",
        "paths > /things > get > parameters",
        "paths > /things > get > responses",
        "paths > /things > get > responses > 200 > content",
        "paths > /things > post > requestBody",
    ],
)
def test_malformed_place_is_named_and_costs_one_operation_at_most(location: str) -> None:
    schema = resource({"name": {"type": "string"}})
    api = generate_client(replaced(schema, tuple(location.split(" > ")), 5), (), strict=False).api
    if location.startswith("components"):
        assert any(location in str(finding) for finding in api.findings)
        assert api.operations == 6
    else:
        method = location.split(" > ")[2].upper()
        (finding,) = [str(finding) for finding in api.findings if f"{method} /things" in str(finding)]
        assert "no method" in finding
        assert api.operations == 5


@pytest.mark.parametrize("where", ["parameters", "requestBody", "responses"])
def test_dangling_reference_costs_the_operation(where: str) -> None:
    schema = things(post={**body(ref("Thing")), **returns(ref("Thing"), "201")})
    nowhere = {"$ref": f"#/components/{where}/Lab"}
    schema["paths"]["/things"]["post"][where] = {"parameters": [nowhere], "requestBody": nowhere}.get(
        where, {"201": nowhere}
    )
    api = generate_client(schema, (), strict=False).api
    assert [action.name for endpoint in api.endpoints for action in endpoint.actions] == ["list"]
    (finding,) = map(str, api.findings)
    assert finding.startswith("things.POST /things: no method: ")
    assert f"#/components/{where}/Lab" in finding


@pytest.mark.parametrize(
    "reference",
    [
        "#/paths/~1a~1%7Bid%7D/get/responses/200/content/application~1json/schema",
        "#/components/schemas/Odd%20Name",
        "#/components/schemas/Odd Name",
        "#/components/schemas/Holder/properties/inner",
        "#/components/schemas/Many/oneOf/0",
        "#/components/responses/Shared/content/application~1json/schema",
        "#/components/schemas/a~1b",
        "#/components/schemas/50%25",
    ],
)
def test_references_of_every_form_are_followed(reference: str) -> None:
    inner = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    schema = at(
        {
            "/a/{id}": {"get": {**key(), **returns(inner)}},
            "/things": {"get": returns(ref("Page"))},
            "/b": {"post": {**body({"$ref": reference}), **returns({"$ref": reference}, "201")}},
        },
        Holder={"type": "object", "properties": {"inner": inner, "again": {"$ref": reference}}},
        Many={"oneOf": [inner, ref("Thing")]},
        **{"Odd Name": inner, "a/b": inner, "50%": inner},
    )
    schema["components"]["responses"] = {"Shared": returns(inner)["responses"]["200"]}
    result = generate_client(schema, ())
    assert result.api.findings == ()
    (action,) = next(endpoint for endpoint in result.api.endpoints if endpoint.name == "b").actions
    fields = result.api.models[action.body].fields
    assert [(field.name, field.schema, field.required) for field in fields] == [("n", {"type": "integer"}, True)]


@pytest.mark.parametrize(
    "reference", ["#/components/schemas/Missing", "other.yaml#/Thing", "https://x.org/a.json", "#/x"]
)
def test_reference_that_leads_nowhere_is_named(reference: str) -> None:
    schema = resource({"name": TEXT, "a": {"type": "array", "items": {"$ref": reference}}})
    api = generate_client(schema, ()).api
    place = "schema: components > schemas > Thing > properties > a > items"
    assert [str(finding) for finding in api.findings] == [
        f"{place} refers to {reference}, which the document does not contain: any value is allowed"
    ]


def nested(levels: int) -> JSON:
    schema: JSON = {"type": "object", "properties": {"name": TEXT}}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"inner": schema}}
    return schema


@pytest.mark.parametrize("levels", [50, 190, 400])
def test_objects_nested_deeply_are_cut_with_a_finding(levels: int) -> None:
    schema = resource({"deep": nested(levels), "name": TEXT})
    result = generate_client(schema, ())
    assert result.api.operations == 6
    assert any("nested" in str(finding) for finding in result.api.findings)


@pytest.mark.parametrize("form", ["alias", "array", "allOf", "object", "oneOf"])
def test_long_chains_of_references_are_cut_with_a_finding(form: str) -> None:
    def link(name: str) -> JSON:
        return {
            "alias": ref(name),
            "array": {"type": "array", "items": ref(name)},
            "allOf": {"allOf": [ref(name), {"type": "object", "properties": {name: TEXT}}]},
            "object": {"type": "object", "properties": {"next": ref(name)}},
            "oneOf": {"oneOf": [ref(name), TEXT]},
        }[form]

    links = {f"C{number}": link(f"C{number + 1}") for number in range(950)}
    schema = resource({"name": TEXT, "chain": ref("C0")})
    schema["components"]["schemas"] |= {**links, "C950": {"type": "object", "properties": {"end": TEXT}}}
    result = generate_client(schema, ())
    assert result.api.operations == 6
    assert any(word in str(finding) for finding in result.api.findings for word in ("nested", "references"))
