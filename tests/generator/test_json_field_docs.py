"""Documentation of JSON fields: an update replaces the whole field."""

from __future__ import annotations

import ast
import importlib
import inspect
import typing
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import alyx_client.endpoints
from alyx_client.runtime.action import Action
from alyx_client.runtime.endpoint import AsyncEndpoint, Endpoint
from alyx_client.runtime.models import Resource

from .conftest import Generate
from .foreign_parts import TEXT, at, keys
from .inline import body, key, ref, resource, returns

JSON = dict[str, Any]
SHIPPED = sorted(path.stem for path in Path(alyx_client.endpoints.__file__).parent.glob("[!_]*.py"))
WHOLE = "replaces the whole field"
BY_KEY = "json_field_update"


def words(text: str | None) -> str:
    return " ".join((text or "").split())


def updates(module: ModuleType) -> Iterator[Action[Any]]:
    for value in vars(module).values():
        if isinstance(value, Action) and value.name.endswith("update") and value.model:
            yield value


def json_fields(shape: type[Resource]) -> list[str]:
    """Return the fields that take any JSON, or an object with any keys, by their types."""
    shape.model_rebuild()
    return [name for name, field in shape.model_fields.items() if holds_json(field.annotation)]


def holds_json(annotation: Any) -> bool:
    variants = (annotation, *typing.get_args(annotation)) if typing.get_origin(annotation) is not list else ()
    return any(variant is Any or dict in (variant, typing.get_origin(variant)) for variant in variants)


def endpoint_classes(module: ModuleType) -> list[type[Any]]:
    return [
        value
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, Endpoint | AsyncEndpoint)
        and value.__module__ == module.__name__
    ]


def fields_by_key(endpoint: type[Any]) -> tuple[str, ...]:
    """Return the names that ``json_field_update`` takes."""
    arguments = [typing.get_args(base) for base in getattr(endpoint, "__orig_bases__", ())]
    return next((typing.get_args(names) for _, names in arguments), ())


def field_docs(module: ModuleType, shape: str) -> dict[str, str]:
    """Return the documentation of a class's fields: the string below each of them, which editors show."""
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    node = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == shape)
    docs: dict[str, str] = {}
    for field, below in zip(node.body, node.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr) and isinstance(field.target, ast.Name):
            docs[field.target.id] = words(ast.literal_eval(below.value))
    return docs


def check_documentation(module: ModuleType) -> list[str]:
    """Check the documentation of each JSON field that a module's updates take; return the fields' names."""
    checked: set[str] = set()
    for action in updates(module):
        names = json_fields(action.model)
        classes = endpoint_classes(module)
        assert len(classes) == 2
        for endpoint in classes:
            doc = words(getattr(endpoint, action.name).__doc__)
            assert (WHOLE in doc) == bool(names), f"{endpoint.__name__}.{action.name}"
            assert (BY_KEY in doc) == bool(set(names) & set(fields_by_key(endpoint)))
            assert all(f"``{name}``" in doc for name in names), f"{endpoint.__name__}.{action.name}"
        documented = {action.model.__name__: field_docs(module, action.model.__name__)}
        if action.name == "partial_update":
            changes = action.model.__name__.removesuffix("Update") + "Changes"
            documented[changes] = field_docs(module, changes)
        for shape, docs in documented.items():
            for name in action.model.model_fields:
                where = f"{shape}.{name}"
                assert (WHOLE in docs.get(name, "")) == (name in names), where
                by_key = f"``client.{action.endpoint}.{BY_KEY}``"
                assert (by_key in docs.get(name, "")) == (name in fields_by_key(classes[0])), where
        checked.update(names)
    return sorted(checked)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_updates_say_that_a_json_field_is_replaced(name: str) -> None:
    check_documentation(importlib.import_module(f"alyx_client.endpoints.{name}"))


def test_check_finds_the_json_fields_of_sessions() -> None:
    module = importlib.import_module("alyx_client.endpoints.sessions")
    assert [action.name for action in updates(module)] == ["update", "partial_update"]
    assert check_documentation(module) == ["extended_qc", "json"]


def test_foreign_fields_that_take_any_keys_are_replaced_too(generate: Generate) -> None:
    free = {"type": "object", "additionalProperties": {}}
    module = generate(
        resource(
            {
                "name": TEXT,
                "meta": {"nullable": True, "description": "Settings of the rig."},
                "bare": {"type": "object"},
                "counts": {"type": "object", "additionalProperties": {"type": "integer"}, "nullable": True},
                "either": {"oneOf": [free, {"type": "array", "items": {}}]},
                "class": {},
                "inner": {"type": "object", "properties": {"a": TEXT}},
                "rows": {"type": "array", "items": free},
            }
        )
    ).module("things")
    assert check_documentation(module) == ["bare", "class_", "counts", "either", "meta"]
    assert words(
        "A value for ``bare``, ``class_``, ``counts``, ``either`` or ``meta`` replaces the whole field; "
        "`json_field_update` sets single keys of ``meta`` and leaves the others unchanged."
    ) in words(module.Things.partial_update.__doc__)
    assert field_docs(module, "Thing")["meta"] == (
        "Settings of the rig. An update replaces the whole field; ``client.things.json_field_update`` sets single keys "
        "and leaves the others unchanged."
    )
    assert field_docs(module, "ThingChanges")["bare"] == "An update replaces the whole field."


def test_json_field_update_is_named_only_where_the_endpoint_has_it(generate: Generate) -> None:
    write = {**body(ref("Meta")), **returns(ref("Meta"))}
    several: JSON = {"type": "array", "items": ref("Meta")}
    paths = {
        "/labs/{lab}/members/{id}": {
            "get": {**keys("lab", "id"), **returns(ref("Meta"))},
            "patch": {**keys("lab", "id"), **write},
        },
        "/sessions": {"put": {**body(several), **returns(several)}},
        "/sessions/{id}": {"put": {**key(), **write}},
        "/users": {"post": write},
    }
    generated = generate(at(paths, Meta={"type": "object", "properties": {"meta": {}}}))
    for module, endpoint, action in (
        ("labs_members", "LabsMembers", "partial_update"),
        ("sessions", "Sessions", "update"),
        ("sessions", "Sessions", "bulk_update"),
    ):
        doc = words(getattr(getattr(generated.module(module), endpoint), action).__doc__)
        assert "A value for ``meta`` replaces the whole field." in doc
        assert BY_KEY not in doc
    assert WHOLE not in words(generated.module("users").Users.create.__doc__)
