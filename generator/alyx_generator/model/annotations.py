"""Python annotations of responses that are not records: plain values, and unions, lists and maps of them."""

from __future__ import annotations

from alyx_client.schema.openapi import Schema, as_list, as_schema

_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_FORMATS = {"date": "date", "date-time": "datetime", "uuid": "UUID"}


def annotation(schema: Schema) -> str:
    """Return the annotation for a schema of a response; ``Any`` where its type is unknown.

    Parameters
    ----------
    schema
        The result of `alyx_generator.model.schemas.response_schema`.
    """
    options = dict.fromkeys(_options(schema))
    return "Any" if "Any" in options else " | ".join(options)


def _options(schema: Schema) -> list[str]:
    if "$ref" in schema:
        return [str(schema["$ref"]).rpartition("/")[2]]
    if "anyOf" in schema:
        return [option for part in schema["anyOf"] for option in _options(part)]
    if "enum" in schema:
        return [f"Literal[{', '.join(map(repr, schema['enum']))}]"]
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return [option for kind in as_list(kinds) for option in _options({**schema, "type": kind})]
    return [_plain(str(kinds), schema)]


def _plain(kind: str, schema: Schema) -> str:
    if kind == "array":
        return f"list[{annotation(as_schema(schema.get('items')))}]"
    if kind == "object":
        return f"dict[str, {annotation(as_schema(schema.get('additionalProperties')))}]"
    if kind == "string" and schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    return _PLAIN.get(kind, "Any")
