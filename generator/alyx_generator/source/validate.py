"""Checking the structure of an OpenAPI 3 document, as far as the generator reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from alyx_client.schema.openapi import Schema, as_list, as_schema
from alyx_generator.source.openapi import Document

Location = tuple[str | int, ...]
Node = tuple[Any, Location]


class UnreadableSchemaError(ValueError):
    """The document is not a schema that this generator can read."""


def refuse_malformed(document: Document) -> None:
    """Check that every node that the generator reads has the type that OpenAPI gives it.

    Parameters
    ----------
    document
        A normalised document, corrected or not.

    Raises
    ------
    UnreadableSchemaError
        A node has another type; the message names its location.
    """
    # A stack instead of recursion: documents of strangers may nest deeply.
    waiting = [*_operations(document), *_members(document.get("components"), ("components",), "schemas")]
    while waiting:
        waiting += _inside(*waiting.pop())


def _operations(document: Document) -> Iterator[Node]:
    """Yield the schemas of all operations."""
    for item, location in _members(document, (), "paths"):
        yield from _parameters(as_schema(item), location)
        for method in ("get", "post", "put", "patch", "delete"):
            node, here = as_schema(item).get(method), (*location, method)
            if node is None:
                continue
            operation = _as_object(node, here)
            yield from _parameters(operation, here)
            yield from _contents(operation.get("requestBody"), (*here, "requestBody"))
            for response, there in _members(operation, here, "responses"):
                yield from _contents(response, there)


def _parameters(holder: Any, location: Location) -> Iterator[Node]:
    for node, here in _items(holder, location, "parameters"):
        parameter = _as_object(node, here)
        if parameter.get("schema") is not None:
            yield parameter["schema"], (*here, "schema")


def _contents(holder: Any, location: Location) -> Iterator[Node]:
    if holder is None:
        return
    for media, here in _members(_as_object(holder, location), location, "content"):
        schema = _as_object(media, here).get("schema") if media is not None else None
        if schema is not None:
            yield schema, (*here, "schema")


def _inside(node: Any, location: Location) -> Iterator[Node]:
    """Check one schema and yield those in it."""
    if node is None or isinstance(node, bool):  # true and false are schemas, too
        return
    schema = _as_object(node, location)
    for key in ("required", "enum"):
        if not isinstance(schema.get(key), list | bool | None):
            raise _malformed((*location, key), "a list")
    if not isinstance(schema.get("type"), str | list | None):
        raise _malformed((*location, "type"), "a name or a list of names")
    yield from _members(schema, location, "properties")
    for key in ("allOf", "oneOf", "anyOf"):
        yield from _items(schema, location, key)
    for key in ("items", "additionalProperties", "x-answered", "x-sent"):
        if schema.get(key) is not None:
            yield schema[key], (*location, key)


def _members(holder: Any, location: Location, key: str) -> Iterator[Node]:
    node = _as_object(holder, location).get(key) if holder is not None else None
    for name, value in _as_object(node, (*location, key)).items() if node is not None else ():
        yield value, (*location, key, str(name))


def _items(holder: Any, location: Location, key: str) -> Iterator[Node]:
    items = holder.get(key)
    if items is None:
        return
    if not isinstance(items, list):
        raise _malformed((*location, key), "a list")
    for index, value in enumerate(as_list(items)):
        yield value, (*location, key, index)


def _as_object(node: Any, location: Location) -> Schema:
    if not isinstance(node, Mapping):
        raise _malformed(location, "an object")
    return as_schema(node)


def _malformed(location: Location, expected: str) -> UnreadableSchemaError:
    return UnreadableSchemaError(f"the schema is malformed: {' > '.join(map(str, location))} is not {expected}")
