"""Schemas as JSON Schema for the models: the form a value takes when it is sent and when it is answered."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, cast

from pydantic_core import SchemaError, SchemaValidator, core_schema

from alyx_generator.source.openapi import alternatives, component_of, is_object, merged, nullable, parts_of, resolved

Schema = dict[str, Any]
Resolve = Callable[[str], str]

_KINDS = frozenset({"string", "integer", "number", "boolean", "array", "object"})
_TEXT_LIMITS = frozenset({"minLength", "maxLength"})
_NUMBER_LIMITS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
_LIST_LIMITS = frozenset({"minItems", "maxItems"})
_KEPT_FORMATS = frozenset({"date", "date-time", "uuid"})
_SENT_AS = {
    "date": "alyx_client.runtime.DateInput",
    "date-time": "alyx_client.runtime.DateTimeInput",
    "uuid": "alyx_client.runtime.UUIDInput",
}


def as_answered(schema: Mapping[str, Any], components: Mapping[str, Any], resolve: Resolve) -> Schema:
    """Return a schema as a server answers it.

    Limits on values are left out, since they bind who writes; enumerations stay open, since servers extend them.

    Parameters
    ----------
    schema
        A property's schema.
    components
        The document's components, by name.
    resolve
        Gives the shape's name for a component that is an object.
    """
    return _Reader(components, resolve, answered=True).read(schema)


def as_sent(schema: Mapping[str, Any], components: Mapping[str, Any], resolve: Resolve) -> Schema:
    """Return a schema as it is sent: with its limits, and with types that accept text for dates and UUIDs."""
    return _Reader(components, resolve, answered=False).read(schema, limits=True)


class _Reader:
    def __init__(self, components: Mapping[str, Any], resolve: Resolve, *, answered: bool) -> None:
        self._components = components
        self._resolve = resolve
        self._answered = answered
        self._open: list[str] = []  # components without a shape, which are read where they stand

    def read(self, given: Any, *, limits: bool = False) -> Schema:
        if not isinstance(given, Mapping):
            return {}
        schema = cast("Mapping[str, Any]", given)
        schema = {**schema, **schema.get("x-answered" if self._answered else "x-sent", {})}
        component = component_of(schema)
        if component is not None:
            return self._component(component, schema)
        if "const" in schema:
            schema["enum"] = [schema["const"]]
        if len(parts_of(schema, "allOf")) > 1:
            schema = merged(schema, self._components)
        options = alternatives(schema)
        if options:
            return self._alternatives(options, nullable(schema))
        if "enum" in schema:
            values = _values(schema)
            return or_null(self._enumeration(values, schema), nullable(schema) or None in schema["enum"])
        kinds = _kinds(schema)
        if not kinds:
            # Without a type anything goes, null included, and a union with null would say nothing more.
            return {}
        result: Schema = {"type": kinds[0] if len(kinds) == 1 else kinds}
        if len(kinds) == 1:
            result |= self._inside(kinds[0], schema, limits=limits)
        return or_null(result, nullable(schema))

    def _component(self, component: str, schema: Mapping[str, Any]) -> Schema:
        target = self._components.get(component, {})
        if is_object(target, self._components):
            return or_null({"$ref": f"#/$defs/{self._resolve(component)}"}, nullable(schema) or nullable(target))
        if component in self._open:
            return {}  # it contains itself, and Python has no name for it
        self._open.append(component)
        inner = self.read(target)
        self._open.pop()
        return or_null(inner, nullable(schema) and not nullable(target))

    def _inside(self, kind: str, schema: Mapping[str, Any], *, limits: bool) -> Schema:
        result: Schema = {}
        text_format = schema.get("format")
        if kind == "string" and text_format in _KEPT_FORMATS:
            result["format"] = text_format
            if not self._answered:
                result["customTypePath"] = _SENT_AS[text_format]
        elif limits:
            result |= _limits(kind, schema)
        if "items" in schema and kind == "array":
            result["items"] = self.read(schema["items"])
        extra = schema.get("additionalProperties")
        if kind == "object" and extra is not None and extra is not False:
            result["additionalProperties"] = self.read(extra) or True
        return result

    def _enumeration(self, values: list[Any], schema: Mapping[str, Any]) -> Schema:
        if not values:
            return {}
        kinds = sorted({_kind_of(value) for value in values})
        if not {*kinds} <= {"string", "integer", "boolean"} or {"integer", "boolean"} <= {*kinds}:
            return {"type": kinds[0]} if len(kinds) == 1 and kinds[0] in _KINDS else {}
        closed: Schema = {"enum": values} | ({"type": kinds[0]} if len(kinds) == 1 else {})
        return {"anyOf": [closed, *({"type": kind} for kind in kinds)]} if self._answered else closed

    def _alternatives(self, parts: Sequence[Mapping[str, Any]], null: bool) -> Schema:
        said = [resolved(part, self._components) for part in parts]
        null = null or any(nullable(each) or each.get("enum") == [None] for each in said)
        enums = [each for each in said if each.get("enum") and each["enum"] != [None]]
        others = [each for each in said if each not in enums and each.get("type") != "null" and not each.get("enum")]
        if enums and not others:
            values: list[Any] = []
            for value in (value for each in enums for value in each["enum"]):
                if value not in values:
                    values.append(value)
            closed = self._enumeration([value for value in values if value is not None], {})
            return or_null(closed, null or None in values)
        converted: list[Schema] = []
        for part, each in zip(parts, said, strict=True):
            if each.get("type") == "null" or each.get("enum") == [None]:
                continue
            read = self.read(part)
            if read not in converted:
                converted.append(read)
        if {} in converted or not converted:
            return {}
        if all(each.get("type") == "string" and "enum" not in each for each in converted):
            converted = (
                converted[:1] if len({str(each.get("format")) for each in converted}) == 1 else [{"type": "string"}]
            )
        return or_null(converted[0] if len(converted) == 1 else {"anyOf": _flat(converted)}, null)


def _flat(options: Sequence[Schema]) -> list[Schema]:
    found: list[Schema] = []
    for option in options:
        for each in option.get("anyOf", [option]):
            if each not in found:
                found.append(each)
    return found


def _values(schema: Mapping[str, Any]) -> list[Any]:
    given = schema["enum"]
    return [value for value in cast("Sequence[Any]", given) if value is not None] if isinstance(given, list) else []


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    given = schema.get("type")
    kinds = cast("Sequence[Any]", given) if isinstance(given, list) else [given]
    known = [kind for kind in kinds if isinstance(kind, str) and kind in _KINDS]
    return known if len(known) == len([kind for kind in kinds if kind != "null"]) else []


def _kind_of(value: Any) -> str:
    kinds: dict[Any, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return kinds.get(type(value), "")


def _limits(kind: str, schema: Mapping[str, Any]) -> Schema:
    names = {"string": _TEXT_LIMITS, "integer": _NUMBER_LIMITS, "number": _NUMBER_LIMITS, "array": _LIST_LIMITS}
    given = {name: schema[name] for name in sorted(names.get(kind, ())) if name in schema}
    for exclusive, inclusive in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        # OpenAPI 3.0 says by a boolean what 3.1 says by a number.
        if given.get(exclusive) is True and inclusive in given:
            given[exclusive] = given.pop(inclusive)
    limits: Schema = {name: value for name, value in given.items() if _is_number(value)}
    if kind != "number":
        limits = {name: int(value) for name, value in limits.items() if value == int(value)}
    if kind in ("string", "array"):
        limits = {name: value for name, value in limits.items() if value >= 0}
    pattern = schema.get("pattern")
    if kind == "string" and isinstance(pattern, str) and _is_readable(pattern):
        limits["pattern"] = pattern
    return limits


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


@cache
def _is_readable(pattern: str) -> bool:
    """Return whether pydantic reads a pattern; servers write them for other engines, and check them anyway."""
    try:
        SchemaValidator(core_schema.str_schema(pattern=pattern))
    except (SchemaError, UnicodeError):
        return False
    return True


def or_null(schema: Schema, null: bool) -> Schema:
    """Return a schema that also allows null, if `null` says so."""
    if not null or not schema:
        return schema
    if "anyOf" in schema:
        options = schema["anyOf"]
        return schema if {"type": "null"} in options else {**schema, "anyOf": [*options, {"type": "null"}]}
    # datamodel-code-generator takes a list of types for less than it is where one of them says more.
    plain = not {"enum", "customTypePath", "additionalProperties"} & schema.keys()
    if plain and isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}
