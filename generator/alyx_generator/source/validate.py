"""Whether a document is built as OpenAPI 3 says, as far as the generator looks at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from alyx_client.schema.openapi import as_schema

Place = tuple[str | int, ...]
Node = tuple[Any, Place]


class UnreadableSchemaError(ValueError):
    """The document is not a schema that this generator reads."""


def refuse_malformed(document: Mapping[str, Any]) -> None:
    """Make sure that what the generator looks at is of the form that OpenAPI gives it.

    Parameters
    ----------
    document
        A normalised document, corrected or not.

    Raises
    ------
    UnreadableSchemaError
        Something is not; the message names its place.
    """
    waiting = [*_operations(document), *_each(document.get("components"), ("components",), "schemas")]
    while waiting:
        waiting += _inside(*waiting.pop())


def _operations(document: Mapping[str, Any]) -> Iterator[Node]:
    """Yield the schemas of all operations."""
    for item, place in _each(document, (), "paths"):
        yield from _parameters(as_schema(item), place)
        for method in ("get", "post", "put", "patch", "delete"):
            given, where = as_schema(item).get(method), (*place, method)
            if given is None:
                continue
            operation = _mapping(given, where)
            yield from _parameters(operation, where)
            yield from _contents(operation.get("requestBody"), (*where, "requestBody"))
            for response, at in _each(operation, where, "responses"):
                yield from _contents(response, at)


def _parameters(holder: Any, place: Place) -> Iterator[Node]:
    for parameter, where in _items(holder, place, "parameters"):
        given = _mapping(parameter, where)
        if given.get("schema") is not None:
            yield given["schema"], (*where, "schema")


def _contents(holder: Any, place: Place) -> Iterator[Node]:
    if holder is None:
        return
    for media, where in _each(_mapping(holder, place), place, "content"):
        schema = _mapping(media, where).get("schema") if media is not None else None
        if schema is not None:
            yield schema, (*where, "schema")


def _inside(schema: Any, place: Place) -> Iterator[Node]:
    if schema is None or isinstance(schema, bool):
        return
    given = _mapping(schema, place)
    for key in ("required", "enum"):
        if not isinstance(given.get(key), list | bool | None):
            raise _malformed((*place, key), "a list")
    if not isinstance(given.get("type"), str | list | None):
        raise _malformed((*place, "type"), "a name or a list of names")
    yield from _each(given, place, "properties")
    for key in ("allOf", "oneOf", "anyOf"):
        yield from _items(given, place, key)
    for key in ("items", "additionalProperties", "x-answered", "x-sent"):
        if given.get(key) is not None:
            yield given[key], (*place, key)


def _each(holder: Any, place: Place, key: str) -> Iterator[Node]:
    found = _mapping(holder, place).get(key) if holder is not None else None
    for name, value in _mapping(found, (*place, key)).items() if found is not None else ():
        yield value, (*place, key, str(name))


def _items(holder: Any, place: Place, key: str) -> Iterator[Node]:
    found = holder.get(key)
    if found is None:
        return
    if not isinstance(found, list):
        raise _malformed((*place, key), "a list")
    for index, value in enumerate(cast("Sequence[Any]", found)):
        yield value, (*place, key, index)


def _mapping(node: Any, place: Place) -> Mapping[str, Any]:
    if not isinstance(node, Mapping):
        raise _malformed(place, "an object")
    return cast("Mapping[str, Any]", node)


def _malformed(place: Place, wanted: str) -> UnreadableSchemaError:
    return UnreadableSchemaError(f"the schema is malformed: {' > '.join(map(str, place))} is not {wanted}")
