"""Regression tests of packages for foreign servers, by calling them."""

from __future__ import annotations

from typing import Any

import pytest
from alyx_generator.package.pipeline import generate_client

from alyx_client.errors import InvalidFieldError

from ..faults import FaultServer, json_response, response
from ..faults import page as page_of
from .conftest import Generate
from .foreign_packages import client, signature
from .foreign_parts import TEXT, THING, at, keys, things, version_31
from .inline import body, document, key, page, query, ref, resource, returns

JSON = dict[str, Any]
SEVERAL = {"type": "array", "items": ref("Thing")}
RECORD = {"id": 1, "name": "a"}


@pytest.mark.parametrize("name", ["signal", "time", "select", "contextlib", "functools", "datetime", "cached_property"])
def test_endpoint_named_like_an_import_of_generated_code(generate: Generate, name: str) -> None:
    paths = {f"/{path}": {"get": returns(ref("Page"))} for path in (name, "zebras")}
    generated = generate(document(paths, {"Thing": THING, "Page": page("Thing")}))
    with FaultServer(then=page_of([RECORD])) as server:
        assert client(generated, server).zebras.list()[0].id == 1


@pytest.mark.parametrize("name", ["overload", "known_filters"])
def test_action_named_like_a_decorator(generate: Generate, name: str) -> None:
    both = {"oneOf": [ref("Thing"), SEVERAL]}
    paths = {
        "/things": {"get": returns(ref("Page"))},
        f"/things/{{id}}/{name}": {"post": {**key(), **returns(ref("Thing"))}},
        "/things/{id}/zip": {"post": {**key(), **body(both), **returns(ref("Thing"))}},
    }
    assert hasattr(generate(at(paths)).module("things").Things, f"{name}_")


def test_record_and_collection_of_different_types_are_two_methods(generate: Generate) -> None:
    envelope = {"type": "object", "properties": {"data": SEVERAL, "total": {"type": "integer"}}}
    generated = generate(
        at(
            {
                "/things": {"get": {**returns(envelope), **query({"name": "lab", "schema": TEXT})}},
                "/things/{id}": {"get": {**key(), **returns(ref("Thing"))}},
            }
        )
    )
    with FaultServer([json_response({"data": [RECORD], "total": 1}), json_response(RECORD)]) as server:
        things_ = client(generated, server).things
        assert things_.read_all(lab="x").data[0].id == 1
        assert things_.read("1").name == "a"
        assert [request.target for request in server.requests] == ["/things?lab=x", "/things/1"]


def test_optional_key_stays_optional_beside_a_longer_path(generate: Generate) -> None:
    paths = {
        "/info": {"get": returns(ref("Thing"))},
        "/info/{tag}": {"get": {**keys("tag"), **returns(ref("Thing"))}},
        "/info/{tag}/{user}": {"get": {**keys("tag", "user"), **returns(ref("Thing"))}},
    }
    generated = generate(at(paths))
    assert generated.findings == ["info.GET /info/{tag}/{user}: no method: read is /info already"]
    assert list(signature(generated.module("info").Info.read)) == ["tag", "return"]


def test_writes_to_one_record_and_to_all_are_two_methods(generate: Generate) -> None:
    ids = {"type": "object", "properties": {"ids": {"type": "array", "items": {"type": "integer"}}}}
    one = {**key(), **body(ref("Thing")), **returns(ref("Thing"))}
    all_ = {**body(SEVERAL), **returns(SEVERAL)}
    generated = generate(
        at(
            {
                "/things": {"put": all_, "patch": all_, "delete": {**body(ids), **returns(None, "204")}},
                "/things/{id}": {"put": one, "patch": one, "delete": {**key(), **returns(None, "204")}},
            }
        )
    )
    assert generated.findings == []
    models = generated.module("models")
    script = [json_response([RECORD]), json_response([RECORD]), *[response(status=204)] * 2, json_response(RECORD)]
    with FaultServer(script) as server:
        things_ = client(generated, server).things
        things_.bulk_update([models.Thing(name="a")])
        things_.bulk_partial_update([models.Thing(name="a")])
        things_.bulk_delete(models.Things(ids=[1]))
        things_.delete("1")
        things_.partial_update("1", name="b")
        assert [(request.method, request.path) for request in server.requests] == [
            ("PUT", "/things"),
            ("PATCH", "/things"),
            ("DELETE", "/things"),
            ("DELETE", "/things/1"),
            ("PATCH", "/things/1"),
        ]


def test_json_fields_are_changed_only_where_one_key_finds_the_record(generate: Generate) -> None:
    meta: JSON = {"type": "object", "properties": {"meta": {}}}
    write = {**body(ref("Meta")), **returns(ref("Meta"))}
    paths = {
        "/labs/{lab}/members/{id}": {
            "get": {**keys("lab", "id"), **returns(ref("Meta"))},
            "patch": {**keys("lab", "id"), **write},
        },
        "/sessions": {"patch": {**body({"type": "array", "items": ref("Meta")}), **returns(ref("Meta"))}},
        "/sessions/{id}": {"get": {**key(), **returns(ref("Meta"))}},
        "/things/{id}": {"get": {**key(), **returns(ref("Meta"))}, "patch": {**key(), **write}},
    }
    generated = generate(at(paths, Meta=meta))
    for module, name in (("labs_members", "LabsMembers"), ("sessions", "Sessions")):
        assert not hasattr(getattr(generated.module(module), name), "json_field_write")
    assert hasattr(generated.module("things").Things, "json_field_write")


def test_json_fields_with_renamed_attributes_cannot_be_changed_by_key(generate: Generate) -> None:
    generated = generate(resource({"if": {}, "meta": {}}))
    assert 'JsonFields[str, Literal["meta"]]' in generated.result.files["things.py"]


def test_limit_and_offset_outside_lists_are_filters(generate: Generate) -> None:
    paging = query(*({"name": name, "schema": {"type": "integer"}} for name in ("limit", "offset")))
    generated = generate(at({"/stats": {"get": {**returns(ref("Thing")), **paging}}}))
    with FaultServer([json_response(RECORD)]) as server:
        client(generated, server).stats.read(limit=5, offset=2)
        assert server.requests[0].target == "/stats?limit=5&offset=2"


def test_nullable_filters_have_their_other_type(generate: Generate) -> None:
    numbers = {"type": "array", "items": {"type": "integer"}}
    filters = query(
        {"name": "a", "schema": {**numbers, "type": ["array", "null"]}},
        {"name": "b", "schema": {"anyOf": [numbers, {"type": "null"}]}},
        {"name": "c", "schema": {"oneOf": [{"enum": ["x"]}, {"enum": [None]}]}},
        {"name": "d", "schema": {"type": ["integer", "string"]}},
    )
    schema = things()
    schema["paths"]["/things"]["get"] |= filters
    generated = generate(version_31(schema))
    read = signature(generated.module("things").Things.list)
    assert [read[name] for name in "abcd"] == [
        "int | Sequence[int] | None = None",
        "int | Sequence[int] | None = None",
        'Literal["x"] | None = None',
        "int | str | None = None",
    ]
    with FaultServer([page_of([])]) as server:
        client(generated, server).things.list(a=[1, 2])
        assert server.requests[0].target == "/things?a=1&a=2"


def test_objects_inside_that_may_be_null(generate: Generate) -> None:
    inner = {"type": ["object", "null"], "properties": {"x": {"type": "integer"}}}
    schema = resource({"one": inner, "rows": {"type": "array", "items": inner}, "ref": ref("Inner")})
    schema["components"]["schemas"]["Inner"] = inner
    generated = generate(version_31(schema))
    record = {"one": None, "rows": [None], "ref": None}
    with FaultServer([json_response(record)]) as server:
        assert client(generated, server).things.read("1").model_dump() == record


def test_discriminator_tells_forms_of_the_same_fields_apart(generate: Generate) -> None:
    form = {"type": "object", "properties": {"kind": TEXT, "name": TEXT}, "required": ["kind", "name"]}
    pet = {
        "oneOf": [ref("Cat"), ref("Dog")],
        "discriminator": {
            "propertyName": "kind",
            "mapping": {"cat": ref("Cat")["$ref"], "dog": ref("Dog")["$ref"], "puppy": ref("Dog")["$ref"]},
        },
    }
    generated = generate(at({"/pets/{id}": {"get": {**key(), **returns(ref("Pet"))}}}, Pet=pet, Cat=form, Dog=form))
    kinds = ["cat", "dog", "puppy"]
    with FaultServer([json_response({"kind": kind, "name": "a"}) for kind in kinds]) as server:
        pets = client(generated, server).pets
        assert [type(pets.read(kind)).__name__ for kind in kinds] == ["CatRecord", "DogRecord", "DogRecord"]


@pytest.mark.parametrize("kind", ["links", "callbacks"])
def test_references_outside_the_generators_scope(kind: str) -> None:
    schema = things()
    holder = schema["paths"]["/things"]["get"]
    place = holder["responses"]["200"] if kind == "links" else holder
    place[kind] = {"x": {"$ref": f"#/components/{kind}/X"}}
    schema["components"][kind] = {"X": {}}
    assert generate_client(schema, ()).files


def test_lines_of_json_are_bytes(generate: Generate) -> None:
    streaming = {"responses": {"200": {"content": {"application/x-ndjson": {"schema": TEXT}}}}}
    generated = generate(at({"/rows": {"get": streaming}}))
    with FaultServer([response(b'{"a": 1}\n{"a": 2}\n', content_type="application/x-ndjson")]) as server:
        assert client(generated, server).rows.read() == b'{"a": 1}\n{"a": 2}\n'


def test_folder_of_the_server_is_found() -> None:
    schema = things()
    for url, expected in (("https://x.org/api/v1/", "/api/v1"), ("/api", "/api"), ("https://x.org", ""), ("/", "")):
        findings = generate_client({**schema, "servers": [{"url": url}]}, ()).api.findings
        assert [finding.reason for finding in findings] == (
            [f"the paths are below {url}: the client's address must end in {expected}, too"] if expected else []
        )


@pytest.mark.parametrize("fields", [None, ["x", None], [{"location": "query"}], [{"name": "x"}]])
def test_coreapi_links_with_odd_fields(fields: Any) -> None:
    link = {"_type": "link", "url": "/things/", "action": "post", "fields": fields}
    assert generate_client({"_type": "document", "things": {"create": link}}, (), strict=False).files


def test_coreapi_enumeration_without_values() -> None:
    field = {"name": "x", "location": "form", "schema": {"_type": "enum", "enum": None}}
    link = {"_type": "link", "url": "/things/", "action": "post", "fields": [field]}
    assert generate_client({"_type": "document", "things": {"create": link}}, (), strict=False).files


def test_lists_beside_a_file_are_sent_item_by_item_and_json_as_text(generate: Generate) -> None:
    fields = {
        "numbers": {"type": "array", "items": {"type": "integer"}},
        "json": {},
        "image": {"type": "string", "format": "binary"},
    }
    generated = generate(resource(fields))
    things = generated.module("things")
    with FaultServer(then=json_response({"numbers": [1, 2], "json": ["a"], "image": "x"}, status=201)) as server:
        endpoint = client(generated, server).things
        endpoint.create(things.Thing(numbers=[1, 2], json=["a", "b"]), image=b"x")
        sent = server.requests[0].body
        assert sent.count(b'name="numbers"') == 2
        assert b'name="json"\r\n\r\n["a", "b"]\r\n' in sent or b'name="json"\r\n\r\n["a","b"]\r\n' in sent
        with pytest.raises(InvalidFieldError, match="numbers"):
            endpoint.create(things.Thing(numbers=[]), image=b"x")
        assert len(server.requests) == 1
