"""The types that OpenAPI gives to the keywords of a schema, as far as the generator reads them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, cast

_TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_schema(value: Any) -> bool:
    return isinstance(value, Mapping | bool)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_list_of_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in cast("list[object]", value))


def _is_list_of_schemas(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, Mapping | bool) for item in cast("list[object]", value))


def _is_type(value: Any) -> bool:
    names = cast("list[object]", value) if isinstance(value, list) else [value]
    return all(isinstance(name, str) and name in _TYPES for name in names)


def _is_limit(value: Any) -> bool:
    return isinstance(value, int | float) and (isinstance(value, bool) or math.isfinite(value))


_Check = tuple[Callable[[Any], bool], str]
_TEXT: _Check = (_is_text, "text")
_FLAG: _Check = (_is_flag, "true or false")
_SCHEMA: _Check = (_is_schema, "a schema")
_SCHEMAS: _Check = (_is_list_of_schemas, "a list of schemas")
_NAMES: _Check = (_is_list_of_names, "a list of names")
_LIMIT: _Check = (_is_limit, "a number")
_OBJECT: _Check = (_is_object, "an object")

_CHECKS: Mapping[str, _Check] = {
    "$ref": _TEXT,
    "type": (_is_type, "a type, or a list of types"),
    "format": _TEXT,
    "properties": _OBJECT,
    "required": _NAMES,
    "enum": (_is_list, "a list"),
    "items": _SCHEMA,
    "additionalProperties": _SCHEMA,
    **dict.fromkeys(("allOf", "oneOf", "anyOf", "prefixItems"), _SCHEMAS),
    **dict.fromkeys(("nullable", "readOnly", "writeOnly", "deprecated", "x-all-optional", "x-patch-keeps"), _FLAG),
    **dict.fromkeys(("description", "title", "pattern", "x-response-note"), _TEXT),
    **dict.fromkeys(("x-sometimes", "x-sent-required"), _NAMES),
    **dict.fromkeys(("x-answered", "x-sent", "discriminator"), _OBJECT),
    **dict.fromkeys(("maxLength", "minLength", "maxItems", "minItems", "maximum", "minimum"), _LIMIT),
    **dict.fromkeys(("exclusiveMaximum", "exclusiveMinimum"), _LIMIT),
}
# A description that is null says nothing, and a property that is `required: true` is a frequent slip: neither is read.
_HARMLESS = frozenset({"description", "title", "format", "pattern", "nullable", "readOnly", "writeOnly", "deprecated"})


def malformed_keywords(schema: Mapping[str, Any]) -> dict[str, str]:
    """Return the keywords whose values have another type than OpenAPI gives them, each with that type.

    Parameters
    ----------
    schema
        A schema object.
    """
    return {key: _CHECKS[key][1] for key, value in schema.items() if key in _CHECKS and not _CHECKS[key][0](value)}


def is_harmless(keyword: str, value: Any) -> bool:
    """Return whether a malformed keyword means what its absence means."""
    return (value is None and keyword in _HARMLESS) or (keyword == "required" and isinstance(value, bool))
