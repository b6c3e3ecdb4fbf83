"""Methods generated from operations, and findings about the others."""

from __future__ import annotations

import inspect

import pytest

from alyx_client.runtime.arguments import Arguments

from .conftest import Generate
from .inline import body, document, key, page, query, ref, resource, returns

THING = {"type": "object", "properties": {"name": {"type": "string"}}}


def methods(cls: type) -> set[str]:
    """Return the names of the methods, without those for many records, which are tested in test_many."""
    return {name for name, value in vars(cls).items() if inspect.isfunction(value) and not name.endswith("_many")}


def test_six_actions_by_method_and_key(generate: Generate) -> None:
    things = generate(resource({"name": {"type": "string"}})).module("things")
    expected = {"list", "read", "create", "update", "partial_update", "delete"}
    assert methods(things.Things) == methods(things.AsyncThings) == expected


def test_methods_that_the_server_lacks_do_not_exist(generate: Generate) -> None:
    things = generate(
        document({"/things": {"get": returns(ref("Page"))}}, {"Thing": THING, "Page": page("Thing")})
    ).module("things")
    assert methods(things.Things) == {"list"}


def test_colliding_operation_ids_do_not_matter(generate: Generate) -> None:
    schema = resource({"name": {"type": "string"}})
    for item in schema["paths"].values():
        for operation in item.values():
            operation["operationId"] = "things_list_2"
    assert len(methods(generate(schema).module("things").Things)) == 6


def test_path_without_response_is_typed_as_any_and_reported(generate: Generate) -> None:
    generated = generate(document({"/status": {"get": returns(None)}}))
    assert methods(generated.module("status").Status) == {"read"}
    assert generated.findings == ["status.GET /status: the schema declares no response: typed as Any"]


def test_plain_array_is_a_list(generate: Generate) -> None:
    generated = generate(
        document({"/things": {"get": returns({"type": "array", "items": ref("Thing")})}}, {"Thing": THING})
    )
    assert methods(generated.module("things").Things) == {"list"}


def test_list_of_texts_is_a_plain_response(generate: Generate) -> None:
    generated = generate(document({"/names": {"get": returns({"type": "array", "items": {"type": "string"}})}}))
    assert generated.findings == []
    assert methods(generated.module("names").Names) == {"read"}


def test_one_read_for_a_path_with_and_without_key(generate: Generate) -> None:
    info = generate(
        document(
            {
                "/info/": {"get": returns(ref("Thing"))},
                "/info/{tag}/": {"get": {**key("tag"), **returns(ref("Thing"))}},
            },
            {"Thing": THING},
        )
    ).module("info")
    assert info._READ.request("http://x", Arguments()).path == "/info/"
    assert info._READ.request("http://x", Arguments(key="a b")).path == "/info/a%20b/"


def test_body_that_is_one_or_several(generate: Generate) -> None:
    schema = resource({"name": {"type": "string"}})
    several = {"oneOf": [ref("Thing"), {"type": "array", "items": ref("Thing")}]}
    schema["paths"]["/things"]["post"] = {**body(several), **returns(ref("Thing"), "201")}
    things = generate(schema).module("things")
    request = things._CREATE.request("http://x", Arguments(body=[things.Thing(name="a"), things.Thing(name="b")]))
    assert request.json == b'[{"name": "a"}, {"name": "b"}]'


def test_file_field_becomes_a_keyword(generate: Generate) -> None:
    schema = resource({"name": {"type": "string"}, "image": {"type": "string", "format": "binary"}})
    things = generate(schema).module("things")
    assert "image" not in things.Thing.model_fields
    assert "image" in inspect.signature(things.Things.create).parameters
    request = things._CREATE.request("http://x", Arguments(body=things.Thing(name="a"), files={"image": b"\x89PNG..."}))
    assert request.files[0].filename == "image.png"
    assert request.form == (("name", "a"),)
    assert request.json is None


def test_skipped_operation_is_reported_with_its_reason(generate: Generate) -> None:
    schema = resource({"name": {"type": "string"}})
    schema["paths"]["/things/{id}"]["put"]["x-alyx-skip"] = "it does nothing"
    generated = generate(schema)
    assert "update" not in methods(generated.module("things").Things)
    assert generated.findings == ["things.PUT /things/{id}: no method: it does nothing"]


@pytest.mark.parametrize(
    ("parameter", "annotation"),
    [
        ({"name": "a", "schema": {"type": "boolean"}}, "bool | None"),
        ({"name": "a", "schema": {"type": "string", "format": "uuid"}}, "UUID | str | None"),
        ({"name": "a", "schema": {"type": "string", "format": "date"}}, "date | str | None"),
        ({"name": "a", "schema": {"type": "string", "enum": ["x", "y"]}}, "Literal['x', 'y'] | None"),
        ({"name": "a", "schema": {"type": "array", "items": {"type": "integer"}}}, "int | Sequence[int] | None"),
        ({"name": "a", "schema": {"type": "string"}, "x-alyx-style": "range"}, "DateRange | None"),
        ({"name": "class", "schema": {"type": "string"}}, "str | None"),
    ],
)
def test_filters_are_typed_keywords(generate: Generate, parameter: dict[str, object], annotation: str) -> None:
    schema = resource({"name": {"type": "string"}})
    schema["paths"]["/things"]["get"] |= query(parameter)
    signature = inspect.signature(generate(schema).module("things").Things.list)
    name = "class_" if parameter["name"] == "class" else "a"
    assert signature.parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
    assert str(signature.parameters[name].annotation).replace('"', "'") == annotation


@pytest.mark.parametrize("name", ["client", "models", "class", "match", "2photon", "naïve"])
def test_endpoint_names_that_python_or_the_package_use(generate: Generate, name: str) -> None:
    generated = generate(document({f"/{name}": {"get": returns(ref("Page"))}}, {"Thing": THING, "Page": page("Thing")}))
    attribute = generated.result.api.endpoints[0].name
    assert attribute.isidentifier()
    assert hasattr(generated.module("client").AlyxClient, attribute)
    assert generated.module(attribute)


def test_endpoint_named_as_its_resource(generate: Generate) -> None:
    generated = generate(
        document(
            {"/thing": {"get": returns(ref("Page")), "post": {**body(ref("Thing")), **returns(ref("Thing"))}}},
            {"Thing": THING, "Page": page("Thing")},
        )
    )
    module = generated.module("thing")
    assert methods(module.ThingEndpoint) == {"list", "create"}
    assert module.Thing(name="a").to_wire() == {"name": "a"}
