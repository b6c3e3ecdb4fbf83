"""Keywords of OpenAPI schemas and parameters besides types, null, enumerations and fields."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from alyx_client.schema.openapi import Schema, as_list, as_schema
from alyx_client.schema.surface import Scalar

__all__ = [
    "ALTERNATIVES",
    "CONDITIONS",
    "EXTRA_KEYS",
    "NO_KEYS",
    "SENT_AS",
    "SHARED",
    "lifecycle",
    "option_name",
    "read_keywords",
    "sent_as",
]

CONDITIONS = frozenset(
    {"contains", "contentEncoding", "contentMediaType", "contentSchema", "dependentRequired", "dependentSchemas"}
    | {"else", "if", "not", "patternProperties", "prefixItems", "propertyNames", "then", "unevaluatedItems"}
    | {"unevaluatedProperties"}
)
"""Keywords of OpenAPI 3.1 that hold schemas or texts, and are compared as a whole."""

ALTERNATIVES = "alternatives"
"""Of a value: the records of which it is one, if there are several, as ``oneOf: Cat | Dog``."""

EXTRA_KEYS = "additionalProperties"
"""Of a record with fields: the types of its other keys, if these may not hold anything."""

NO_KEYS = "none"
"""Instead of types: other keys are not allowed."""

SENT_AS = "sent as"
"""Of a filter: the form of several values in the query."""

SHARED = "shared"
"""Of a field in responses: whether its component is that of requests, too, so that `required` is about these."""

_LIMITS = frozenset(
    {"minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern"}
    | {"minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "minContains", "maxContains"}
)
_MINIMA_OF_ZERO = frozenset({"minLength", "minItems", "minProperties"})
_PROSE = frozenset({"$comment", "description", "title", "example", "examples", "externalDocs"})
# Formats of whole types, and those that any value of the type has.
_UNCHECKED_FORMATS = frozenset({"date", "date-time", "uuid", "binary", "password", "double", "int64"})
_FORMS = {
    ("form", True): "repeated",
    ("form", False): "separated by commas",
    ("spaceDelimited", False): "separated by spaces",
    ("pipeDelimited", False): "separated by |",
}
_LIFECYCLE = (("deprecated", "deprecated"), ("x-sunset", "sunset"), ("x-stability-level", "stability"))


def read_keywords(schema: Schema, *, sent: bool) -> dict[str, Scalar]:
    """Return the keywords of a resolved schema, without limits that any value meets.

    Parameters
    ----------
    schema
        The schema.
    sent
        Whether it is that of a request; a default is read for these only.
    """
    keywords = {**_limits(schema), **lifecycle(schema)}
    keywords |= {key: _text(schema[key]) for key in sorted(CONDITIONS & schema.keys()) if schema[key] is not True}
    text_format = schema.get("format")
    if isinstance(text_format, str) and text_format not in _UNCHECKED_FORMATS:
        keywords["format"] = text_format
    discriminator = as_schema(schema.get("discriminator"))
    if discriminator:
        keywords["discriminator"] = _text(discriminator)
    if sent and "default" in schema:
        keywords["default"] = _text(schema["default"])
    return keywords


def lifecycle(node: Schema) -> dict[str, Scalar]:
    """Return what an operation, a parameter or a schema declares about its end."""
    declared = {name: node[key] for key, name in _LIFECYCLE if node.get(key)}
    return {name: value if isinstance(value, bool) else str(value) for name, value in declared.items()}


def sent_as(parameter: Schema) -> str:
    """Return the form of several values of a parameter in a request: ``repeated``, ``separated by commas``."""
    content = as_schema(parameter.get("content"))
    if content:
        return next(iter(content))
    in_query = parameter.get("in") in ("query", "cookie")
    style = str(parameter.get("style") or ("form" if in_query else "simple"))
    explode = parameter.get("explode")
    exploded = explode if isinstance(explode, bool) else style == "form"
    return _FORMS.get((style, exploded), f"style {style}{', exploded' if exploded else ''}")


def option_name(option: Schema, resolved: Schema) -> str:
    """Return the name of one of several records: of its component, or else its fields, a star for required."""
    reference = option.get("$ref")
    if isinstance(reference, str):
        return reference.rpartition("/")[2]
    title = resolved.get("title")
    required = as_list(resolved.get("required"))
    fields = sorted(f"{name}*" if name in required else name for name in as_schema(resolved.get("properties")))
    return str(title) if title else ", ".join(fields) or "{}"


def _limits(schema: Schema) -> dict[str, Scalar]:
    limits = {key: value for key, value in schema.items() if key in _LIMITS and isinstance(value, str | int | float)}
    for exclusive, inclusive in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        # In OpenAPI 3.0 an exclusive limit is a boolean beside the limit; in 3.1 it is the limit itself.
        if limits.get(exclusive) is True and inclusive in limits:
            limits[exclusive] = limits.pop(inclusive)
    return {
        key: value
        for key, value in limits.items()
        if value is not False and not (key in _MINIMA_OF_ZERO and value == 0)
    }


def _text(node: Any) -> str:
    return json.dumps(_without_prose(node), sort_keys=True, ensure_ascii=False)


def _without_prose(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {key: _without_prose(value) for key, value in as_schema(node).items() if key not in _PROSE}
    return [_without_prose(item) for item in as_list(node)] if isinstance(node, list) else node
