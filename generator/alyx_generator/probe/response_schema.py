"""Schemas as they apply to responses, with the location of each keyword."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from alyx_client.schema.openapi import Schema, as_list, as_schema
from alyx_generator.probe.observations import Location
from alyx_generator.probe.values import has_format, json_type

_DECLARING = frozenset(
    {"type", "enum", "const", "properties", "items", "allOf", "oneOf", "anyOf", "$ref", "additionalProperties"}
)


@dataclass(frozen=True)
class ResponseSchema:
    """A schema as it applies to responses: corrected schemas override keywords for responses in ``x-answered``.

    Parameters
    ----------
    keywords
        The schema, its overrides merged into it.
    location
        The location of the schema.
    overridden
        The keywords that come from ``x-answered``.
    """

    keywords: Schema
    location: Location
    overridden: frozenset[str] = frozenset()

    @classmethod
    def of(cls, schema: Schema, location: Location) -> ResponseSchema:
        """Return a schema as it applies to responses."""
        overrides = as_schema(schema.get("x-answered"))
        if not overrides:
            return cls(schema, location)
        keywords = {**schema, **overrides}
        keywords.pop("x-answered")
        return cls(keywords, location, frozenset(overrides))

    def at(self, keyword: str, *steps: str | int) -> Location:
        """Return the location of what is below a keyword."""
        parent = (*self.location, "x-answered") if keyword in self.overridden else self.location
        return (*parent, keyword, *steps)

    @property
    def declares(self) -> bool:
        """True if the schema restricts values at all."""
        return not _DECLARING.isdisjoint(self.keywords)

    def alternatives(self) -> list[tuple[Schema, Location]]:
        """Return the schemas of which a value matches one, each with its location."""
        keyword = "oneOf" if "oneOf" in self.keywords else "anyOf"
        options = as_list(self.keywords.get(keyword))
        return [(as_schema(option), self.at(keyword, index)) for index, option in enumerate(options)]


def allowed_types(schema: Schema) -> list[str]:
    """Return the JSON types that a schema allows; empty if it allows all."""
    declared = schema.get("type")
    if isinstance(declared, str):
        return [declared]
    if isinstance(declared, list):
        return [str(name) for name in as_list(schema["type"])]
    values = [schema["const"]] if "const" in schema else as_list(schema.get("enum"))
    if values:
        return sorted({json_type(value) for value in values})
    return ["object"] if "properties" in schema or "allOf" in schema else ["array"] if "items" in schema else []


def mismatch(value: Any, schema: Schema) -> str:
    """Return how a value contradicts a schema: its JSON type, ``enum`` or ``format``; empty if it does not.

    Limits (lengths, patterns, bounds) are validated by the server in requests, and are not checked.
    """
    types, value_type = allowed_types(schema), json_type(value)
    if types and not _is_of_type(value, value_type, types):
        return value_type
    if not _is_allowed_value(value, schema):
        return "enum" if types else value_type
    if value_type == "string" and not has_format(value, str(schema.get("format"))):
        return "format"
    return ""


def _is_of_type(value: Any, value_type: str, types: list[str]) -> bool:
    if value_type == "integer":
        return "integer" in types or "number" in types
    # JSON Schema: 1.0 is an integer.
    return value_type in types or (value_type == "number" and "integer" in types and value.is_integer())


def _is_allowed_value(value: object, schema: Schema) -> bool:
    if "const" not in schema and not isinstance(schema.get("enum"), list):
        return True
    allowed = [schema["const"]] if "const" in schema else as_list(schema["enum"])
    # In Python, True == 1.
    return any(value == other and isinstance(value, bool) == isinstance(other, bool) for other in allowed)
