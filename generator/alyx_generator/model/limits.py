"""Limits on values that are sent: lengths, bounds and patterns."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from pydantic_core import SchemaError, SchemaValidator, core_schema

from alyx_client.schema.openapi import Schema
from alyx_generator.source.openapi import JSONDict

_NUMBER = ("exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum")
_KEYWORDS = {
    "string": ("maxLength", "minLength"),
    "integer": _NUMBER,
    "number": _NUMBER,
    "array": ("maxItems", "minItems"),
}


def read_limits(kind: str, schema: Schema) -> JSONDict:
    """Return the limits that a schema sets on values of one type, as JSON Schema 2020-12 writes them.

    Parameters
    ----------
    kind
        The JSON type of the values.
    schema
        The schema, of OpenAPI 3.0 or 3.1.
    """
    declared = _with_numeric_exclusives({name: schema[name] for name in _KEYWORDS.get(kind, ()) if name in schema})
    limits: JSONDict = {name: value for name, value in declared.items() if _is_number(value)}
    if kind != "number":
        limits = {name: int(value) for name, value in limits.items() if value == int(value)}
    if kind in ("string", "array"):
        limits = {name: value for name, value in limits.items() if value >= 0}
    pattern = schema.get("pattern")
    if kind == "string" and isinstance(pattern, str) and _is_readable(pattern):
        limits["pattern"] = pattern
    return limits


def _with_numeric_exclusives(limits: JSONDict) -> JSONDict:
    """Return limits as OpenAPI 3.1 writes them: `exclusiveMinimum` is the limit, in 3.0 a boolean beside it."""
    result = dict(limits)
    for exclusive, inclusive in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if result.get(exclusive) is True and inclusive in result:
            result[exclusive] = result.pop(inclusive)
    return result


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


@cache
def _is_readable(pattern: str) -> bool:
    """Return whether pydantic compiles a pattern: servers write them for Python or ECMAScript, pydantic uses Rust."""
    try:
        SchemaValidator(core_schema.str_schema(pattern=pattern))
    except (SchemaError, UnicodeError):
        return False
    return True
