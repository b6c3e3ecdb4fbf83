"""Documents unlike those of drf-spectacular: each part is typed, or a finding names it."""

from __future__ import annotations

from typing import Any

import pytest
from alyx_generator.package.pipeline import generate_client
from alyx_generator.source.validate import UnreadableSchemaError

from ..faults import FaultServer, json_response, response
from .conftest import Generate
from .foreign_packages import client, signature
from .foreign_parts import JSON, TEXT, THING, at, keys, things, version_31
from .inline import body, key, query, ref, resource, returns

INTEGER = {"type": "integer"}
ARRAY = {"type": "array"}
FILE = {"type": "string", "contentMediaType": "image/png"}

# A field's schema, its type in responses, and a value of it that no drift may be reported for.
FIELDS: dict[str, tuple[JSON, str, Any]] = {
    "closed tuple": ({**ARRAY, "prefixItems": [INTEGER, TEXT], "items": False}, "list[int | str]", [1, "a"]),
    "tuple and more": ({**ARRAY, "prefixItems": [INTEGER], "items": TEXT}, "list[int | str]", [1, "a", "b"]),
    "open tuple": ({**ARRAY, "prefixItems": [INTEGER]}, "list[Any]", [1, {"a": 1}]),
    "tuple with a record": ({**ARRAY, "prefixItems": [INTEGER, ref("Thing")], "items": False}, "", [1, {"id": 2}]),
    "tuple with null": ({**ARRAY, "prefixItems": [{"type": ["integer", "null"]}], "items": False}, "", [None]),
    "tuple of nothing": ({**ARRAY, "prefixItems": [], "items": False}, "list[Any]", []),
    "enum of floats": ({"type": "number", "enum": [1.5, 2]}, "float", 1.5),
    "enum of mixed types": ({"enum": ["a", 1, 2.5, True, None]}, "bool | float | str | None", "a"),
    "enum of objects": ({"enum": [{"a": 1}, "x"]}, "Any", {"a": 1}),
    "repeated enum": ({"enum": ["a", "a"]}, "Literal['a'] | str", "a"),
    "null alone": ({"enum": [None]}, "Any", None),
    "const": ({"const": 5}, "Literal[5] | int", 5),
    "map by pattern": ({"type": "object", "patternProperties": {"^x": INTEGER}}, "dict[str, Any]", {"xa": 1}),
}


@pytest.mark.parametrize("name", FIELDS)
def test_field_is_typed_and_its_values_are_no_drift(generate: Generate, name: str) -> None:
    schema, kind, value = FIELDS[name]
    row = {"type": "object", "properties": {"value": schema}, "required": ["value"]}
    generated = generate(version_31(at({"/rows/{id}": {"get": {**key(), **returns(ref("Row"))}}}, Row=row)))
    assert generated.findings == []
    module = generated.module("rows")
    assert not kind or module.RowRecord.__annotations__["value"] == kind
    with FaultServer(then=json_response({"value": value})) as server:
        read = client(generated, server).rows.read("1").value
    assert read == value or isinstance(read, list)


PATHS: dict[str, tuple[JSON, list[str]]] = {
    "an extension": ({"x-internal": {"get": returns(TEXT)}}, []),
    "no slash": ({"noslash": {"get": returns(TEXT)}}, ["no method: the path does not begin with a slash"]),
    "two slashes": ({"//a": {"get": returns(TEXT)}}, ["no method: the path leads elsewhere"]),
    "a field without a name": (
        {"/a": {"get": returns({"type": "object", "properties": {"": TEXT, "b": TEXT}})}},
        ["responses > 200 > content > application/json > schema > properties has a field without a name: ignored"],
    ),
    "dots": ({"/a/../b": {"get": returns(TEXT)}}, ["no method: the path leads elsewhere"]),
    "a parameter of JSON": (
        {"/a": {"get": {**query({"name": "q", "content": {"application/json": {"schema": TEXT}}}), **returns(TEXT)}}},
        ["q is an object, or encoded in an unsupported style: left out"],
    ),
    "another server": (
        {"/a": {"get": returns(TEXT), "servers": [{"url": "https://x.org/{v}", "variables": {"v": {"default": "2"}}}]}},
        ["the schema says that https://x.org/2 serves it; the request goes to the client's own server"],
    ),
    "another server for a method": (
        {"/a": {"get": {**returns(TEXT), "servers": [{"url": "https://x.org"}]}}},
        ["the schema says that https://x.org serves it; the request goes to the client's own server"],
    ),
    "the same server": ({"/a": {"get": {**returns(TEXT), "servers": [{"url": "https://own.org"}]}}}, []),
    "callbacks": (
        {"/a": {"get": {**returns(TEXT), "callbacks": {"done": {"{$request.body#/url}": {"post": {}}}}}}},
        ["the callbacks done are sent by the server, and have no method"],
    ),
}


@pytest.mark.parametrize("name", PATHS)
def test_path_has_its_method_or_a_finding(generate: Generate, name: str) -> None:
    paths, findings = PATHS[name]
    generated = generate({**at(paths), "servers": [{"url": "https://own.org"}]})
    assert [finding.reason for finding in generated.result.api.findings] == findings


def test_base_path_of_a_template_is_filled_in(generate: Generate) -> None:
    variables = {"host": {"default": "a.org"}, "version": {"default": "v2"}}
    schema = {**things(), "servers": [{"url": "https://{host}/api/{version}", "variables": variables}]}
    assert generate(schema).findings == [
        "servers: the paths are below https://a.org/api/v2: the client's address must end in /api/v2, too"
    ]


def test_webhooks_are_named(generate: Generate) -> None:
    hook = {"post": {**body(ref("Thing")), **returns(None)}}
    assert generate({**version_31(things()), "webhooks": {"new": hook, "gone": hook}}).findings == [
        "webhooks: gone, new: the server sends them, so there is no method"
    ]


def test_shorter_path_has_the_plain_name(generate: Generate) -> None:
    paths = {
        "/a/{class}/{self}": {"get": {**keys("class", "self"), **returns(TEXT)}},
        "/a/{n}": {"get": {**key("n", **INTEGER), **returns(TEXT)}},
    }
    generated = generate(at(paths))
    assert generated.findings == ["a.GET /a/{class}/{self}: no method: read is /a/{n} already"]
    assert list(signature(generated.module("a").A.read)) == ["n", "return"]


def test_keys_by_pattern_are_named(generate: Generate) -> None:
    row = {"type": "object", "properties": {"a": TEXT}, "patternProperties": {"^x-": INTEGER}}
    closed = {**row, "additionalProperties": False}
    generated = generate(version_31(at({"/rows": {"post": {**body(ref("Row")), **returns(ref("Row"))}}}, Row=closed)))
    assert generated.findings == [
        "rows: Row may have other keys than its fields; they cannot be sent",
        "rows: RowRecord may have other keys than its fields; they are attributes without a type",
    ]


def test_kinds_that_a_base_names_are_named(generate: Generate) -> None:
    base = {"type": "object", "properties": {"kind": TEXT}, "required": ["kind"]}
    base |= {"discriminator": {"propertyName": "kind", "mapping": {"cat": "#/components/schemas/Cat"}}}
    cat = {"allOf": [ref("Pet"), {"type": "object", "properties": {"lives": INTEGER}}]}
    generated = generate(at({"/pets/{id}": {"get": {**key(), **returns(ref("Pet"))}}}, Pet=base, Cat=cat))
    assert generated.findings == ["pets: PetRecord may be one of cat, whose own fields are attributes without a type"]
    with FaultServer(then=json_response({"kind": "cat", "lives": 9})) as server:
        assert client(generated, server).pets.read("1").lives == 9


def test_file_by_its_media_type_is_an_upload(generate: Generate) -> None:
    form = {"type": "object", "properties": {"image": FILE, "pages": {"type": "array", "items": FILE}, "name": TEXT}}
    form["properties"] |= {"note": {**FILE, "contentMediaType": "text/plain"}, "data": {**FILE, "contentEncoding": "x"}}
    content = {"requestBody": {"content": {"multipart/form-data": {"schema": ref("Form")}}}}
    generated = generate(version_31(at({"/forms": {"post": {**content, **returns(None, "204")}}}, Form=form)))
    assert signature(generated.module("forms").Forms.create) == {
        "form": "Form",
        "image": "Upload | None = None",
        "pages": "Sequence[Upload] | None = None",
        "return": "None",
    }
    assert set(generated.module("forms").Form.model_fields) == {"name", "note", "data"}


@pytest.mark.parametrize("media", ["application/vnd.lab.v2+json", "application/hal+json; charset=utf-8"])
async def test_json_of_another_name_is_requested_and_sent_by_that_name(generate: Generate, media: str) -> None:
    schema = resource({"name": TEXT})
    for item in schema["paths"].values():
        for operation in item.values():
            for holder in (operation.get("requestBody", {}), *operation["responses"].values()):
                if "content" in holder:
                    holder["content"] = {media: holder["content"]["application/json"]}
    generated, bare = generate(schema), media.partition(";")[0]
    page_ = {"count": 0, "next": None, "previous": None, "results": []}
    with FaultServer([json_response(page_), *[json_response({"name": "a"})] * 3, response(status=204)]) as server:
        things_ = client(generated, server, cache_rest=None).things
        things_.list()
        things_.read("1")
        things_.create(generated.module("things").Thing(name="a"))
        things_.partial_update("1", name="b")
        things_.delete("1")
        assert [one.headers["accept"] for one in server.requests] == [bare] * 4 + ["application/json"]
        assert [one.headers.get("content-type") for one in server.requests] == [None, None, bare, bare, None]


def test_plain_json_goes_before_json_of_another_name(generate: Generate) -> None:
    content = {"application/hal+json": {"schema": TEXT}, "application/json": {"schema": ref("Thing")}}
    generated = generate(at({"/things/{id}": {"get": {**key(), "responses": {"200": {"content": content}}}}}))
    assert signature(generated.module("things").Things.read)["return"] == "ThingRecord"
    with FaultServer(then=json_response({"id": 1, "name": "a"})) as server:
        client(generated, server).things.read("1")
        assert server.requests[0].headers["accept"] == "application/json"


def test_swagger_is_told_apart_from_what_is_no_schema() -> None:
    with pytest.raises(UnreadableSchemaError, match=r"Swagger 2\.0"):
        generate_client({"swagger": "2.0", "paths": {}, "definitions": {"A": THING}}, ())
