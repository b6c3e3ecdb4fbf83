"""Descriptions of locations, schemas and observations for people."""

from __future__ import annotations

import json
from collections.abc import Mapping

from alyx_client.schema.openapi import as_list, as_schema, referred_component
from alyx_generator.probe.observations import Location, Observation
from alyx_generator.probe.values import ValueShape

JSON_TYPES = frozenset({"string", "integer", "number", "boolean", "array", "object"})

_MISMATCHES = {"write-only": "answered", "enum": "another value", "format": "text of another format"}


def describe_mismatches(observation: Observation) -> dict[str, int]:
    """Return the count of each mismatch: types with their formats and items, or a phrase."""
    shape = observation.shape
    counts: dict[str, int] = {}
    for kind, count in observation.mismatches.items():
        if kind == "undeclared":
            description = describe_shape(shape)
        elif kind in JSON_TYPES:
            description = describe_shape(ValueShape({kind: count}, shape.formats, shape.items, shape.fields))
        else:
            description = _MISMATCHES.get(kind, kind)
        counts[description] = count
    return counts


def describe_counts(counts: Mapping[str, int], total: int) -> str:
    """Return counts as text, for instance ``null in 3, integer in 1 of 20``."""
    return f"{', '.join(f'{description} in {count}' for description, count in counts.items())} of {total}"


def describe_shape(shape: ValueShape) -> str:
    """Return the types of a shape, for instance ``array of string``."""
    types: list[str] = []
    for name in sorted(shape.types):
        formats = set(shape.formats)
        if name == "string" and len(formats) == 1 and "" not in formats:
            types.append(f"string ({formats.pop()})")
        elif name == "array" and shape.items is not None:
            types.append(f"array of {describe_shape(shape.items)}")
        else:
            types.append(name)
    return " or ".join(types)


def describe_schema(node: object) -> str:
    """Return what a schema declares, for instance ``string (uuid), nullable``."""
    schema = as_schema(node)
    component = referred_component(schema.get("$ref"))
    if component:
        return component
    declared = schema.get("type")
    types = " or ".join(str(name) for name in as_list(declared) or (declared,) if name)
    text = types or _describe_alternatives(node) or ("a set of values" if "enum" in schema else "nothing")
    if declared == "array":
        text = f"array of {describe_schema(schema['items'])}" if schema.get("items") else "array"
    if schema.get("format"):
        text += f" ({schema['format']})"
    flags = {"nullable": ", nullable", "writeOnly": ", write-only"}
    return text + "".join(flag for keyword, flag in flags.items() if schema.get(keyword))


def _describe_alternatives(node: object) -> str:
    schema = as_schema(node)
    parts = [part for keyword in ("allOf", "oneOf", "anyOf") for part in as_list(schema.get(keyword))]
    return " or ".join(map(describe_schema, parts))


def describe_location(location: Location) -> str:
    """Return a location as users name it: ``User.lab[]``."""
    if location[0] == "paths":
        start = f"GET {location[1]}"
        rest = location[location.index("schema") + 1 :] if "schema" in location else ()
    else:
        start, rest = str(location[2]), location[3:]
    text, after_properties = _quoted(start), False
    for step in rest:
        if after_properties:
            text += f".{_quoted(str(step))}"
            after_properties = False
        elif step == "properties":
            after_properties = True
        elif step == "items":
            text += "[]"
        elif step == "additionalProperties":
            text += "[*]"
    return text


def _quoted(name: str) -> str:
    """Return a name in quotes if it could break out of its line or be misread."""
    return name if name.isprintable() and name.isascii() and '"' not in name else json.dumps(name)
