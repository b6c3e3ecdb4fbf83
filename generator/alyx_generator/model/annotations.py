"""Python annotations of answers that are no record: plain values, unions, lists and maps of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_FORMATS = {"date": "date", "date-time": "datetime", "uuid": "UUID"}


def annotation(schema: Mapping[str, Any]) -> str:
    """Return the annotation for a schema as it is answered; ``Any`` where nothing is known.

    Parameters
    ----------
    schema
        What `alyx_generator.model.schemas.as_answered` returns.
    """
    options = dict.fromkeys(_options(schema))
    return "Any" if "Any" in options else " | ".join(options)


def _options(schema: Mapping[str, Any]) -> list[str]:
    if "$ref" in schema:
        return [str(schema["$ref"]).rpartition("/")[2]]
    if "anyOf" in schema:
        return [each for part in schema["anyOf"] for each in _options(part)]
    if "enum" in schema:
        return [f"Literal[{', '.join(map(repr, schema['enum']))}]"]
    kind = schema.get("type")
    if isinstance(kind, list):
        return [each for one in cast("Sequence[str]", kind) for each in _options({**schema, "type": one})]
    if kind == "array":
        return [f"list[{annotation(schema.get('items', {}))}]"]
    if kind == "object":
        extra = schema.get("additionalProperties")
        return [f"dict[str, {annotation(cast('Mapping[str, Any]', extra)) if isinstance(extra, Mapping) else 'Any'}]"]
    if kind == "string" and schema.get("format") in _FORMATS:
        return [_FORMATS[schema["format"]]]
    return [_PLAIN.get(str(kind), "Any")]
