"""The reader of OpenAPI documents: references, allOf, parameters and operations."""

from __future__ import annotations

from typing import Any

import pytest

from alyx_client.schema.openapi import (
    OpenAPIDocument,
    component_name,
    is_circular,
    json_schema,
    merge_all_of,
    pointer_steps,
)


def document(paths: Any = None, **schemas: Any) -> OpenAPIDocument:
    return OpenAPIDocument({"openapi": "3.0.3", "paths": paths or {}, "components": {"schemas": schemas}})


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def test_reference_is_followed_and_siblings_take_precedence() -> None:
    read = document(A=ref("B"), B={"type": "string", "title": "B"})

    assert read.resolve(ref("A")) == {"type": "string", "title": "B"}
    assert read.resolve({**ref("A"), "title": "mine"}) == {"type": "string", "title": "mine"}
    assert read.dereference(ref("A")) == ref("B")


@pytest.mark.parametrize("reference", ["#/components/schemas/None", "elsewhere.yaml#/A", "#"])
def test_reference_to_nothing_is_empty(reference: str) -> None:
    assert document(A={"type": "string"}).resolve({"$ref": reference}).get("type") is None


def test_circular_reference_ends() -> None:
    read = document(A={"allOf": [ref("B")]}, B=ref("A"), C={"properties": {"c": ref("C")}})

    assert is_circular(read.resolve(ref("A")))
    schema, followed = read.resolve_within(ref("C"), frozenset())
    assert is_circular(read.resolve_within(schema["properties"]["c"], followed)[0])


def test_all_of_merges_properties_and_lists() -> None:
    read = document(
        A={"properties": {"a": {}, "b": {"type": "string"}}, "required": ["a"], "x-sometimes": ["a"]},
        B={"allOf": [ref("A")], "properties": {"b": {"type": "integer"}}, "required": ["b"], "x-sometimes": ["b"]},
    )

    assert read.resolve(ref("B")) == {
        "properties": {"a": {}, "b": {"type": "integer"}},
        "required": ["a", "b"],
        "x-sometimes": ["a", "b"],
    }
    assert merge_all_of([]) == {}


def test_parameters_of_an_operation_replace_those_of_its_path() -> None:
    shared = {"in": "query", "name": "a", "required": True}
    path = {
        "parameters": [shared, {"in": "path", "name": "a"}, "junk"],
        "get": {"parameters": [{"in": "query", "name": "a"}, {"in": "query"}]},
        "delete": {},
        "summary": "not a method",
    }

    get, delete = document({"/b/{a}": path}).operations()

    assert (get.method, get.path) == ("GET", "/b/{a}")
    assert get.parameters == ({"in": "query", "name": "a"}, {"in": "path", "name": "a"})
    assert (delete.method, delete.parameters) == ("DELETE", (shared, {"in": "path", "name": "a"}))


def test_operations_are_sorted_by_path() -> None:
    read = document({"/b": {"post": {}, "get": {}}, "/a": {"get": {}}, "/c": None})

    assert [(operation.method, operation.path) for operation in read.operations()] == [
        ("GET", "/a"),
        ("GET", "/b"),
        ("POST", "/b"),
    ]


@pytest.mark.parametrize(
    ("schema", "name"),
    [(ref("A"), "A"), ({"allOf": [ref("A")], "nullable": True}, "A"), ({"allOf": [ref("A"), ref("B")]}, ""), ({}, "")],
)
def test_component_is_named_through_an_all_of_of_one(schema: Any, name: str) -> None:
    assert component_name(schema) == name


def test_json_is_preferred_to_other_media_types() -> None:
    form, json = {"schema": {"title": "form"}}, {"schema": {"title": "json"}}

    assert json_schema({"content": {"multipart/form-data": form, "application/json": json}}) == {"title": "json"}
    assert json_schema({"content": {"multipart/form-data": form}}) == {"title": "form"}
    assert json_schema({}) is None


def test_escapes_of_a_pointer_are_undone_in_order() -> None:
    assert pointer_steps("#/paths/~1labs~1{name}") == ("paths", "/labs/{name}")
    assert pointer_steps("#/~01") == ("~1",)
