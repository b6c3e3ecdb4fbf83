"""Schemas inferred from the shape of values."""

from __future__ import annotations

from alyx_generator.probe.values import ValueShape
from alyx_generator.source.openapi import JSONDict


def infer(shape: ValueShape) -> JSONDict:
    """Return a schema that all values of a shape match."""
    types = set(shape.types) - {"null"}
    if {"integer", "number"} <= types:
        types.remove("integer")
    options = [_schema_of_type(name, shape) for name in sorted(types)]
    if not options:
        return {}
    schema: JSONDict = options[0] if len(options) == 1 else {"oneOf": options}
    return {**schema, "nullable": True} if "null" in shape.types else schema


def _schema_of_type(name: str, shape: ValueShape) -> JSONDict:
    if name == "string" and len(shape.formats) == 1 and "" not in shape.formats:
        return {"type": name, "format": next(iter(shape.formats))}
    if name == "array":
        return {"type": name, "items": infer(shape.items) if shape.items is not None else {}}
    if name == "object" and shape.fields is not None:
        return {"type": name, "properties": {key: infer(field) for key, field in sorted(shape.fields.items())}}
    return {"type": name, "additionalProperties": True} if name == "object" else {"type": name}
