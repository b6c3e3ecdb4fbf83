"""Filters: from a query parameter to a Python keyword, its annotation and how it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from alyx_generator.api import Filter, FilterStyle
from alyx_generator.naming import parameter_name

_SCALARS = {
    ("string", ""): "str",
    ("string", "uuid"): "UUID | str",
    ("string", "date"): "date | str",
    ("string", "date-time"): "datetime | str",
    ("integer", ""): "int",
    ("number", ""): "float",
    ("boolean", ""): "bool",
}
PAGING = frozenset({"limit", "offset"})
"""Parameters that the paged result sends by itself."""


def read_filter(parameter: Mapping[str, Any], siblings: Sequence[Mapping[str, Any]], description: str) -> Filter | None:
    """Return a query parameter as a filter; None for those that the result pages with.

    Parameters
    ----------
    parameter
        The parameter.
    siblings
        All query parameters of the same operation.
    description
        What the filter does.
    """
    name = str(parameter["name"])
    if name in PAGING:
        return None
    schema: Mapping[str, Any] = parameter.get("schema", {})
    style = _style(parameter, {str(each["name"]) for each in siblings})
    return Filter(
        name,
        parameter_name(name),
        _annotation(schema, style),
        style,
        description,
        bool(parameter.get("required")),
    )


def _style(parameter: Mapping[str, Any], names: set[str]) -> FilterStyle:
    name = parameter["name"]
    if name == "django":
        return "django"
    if name == "id" and "django" in names:
        return "id"
    if parameter.get("x-alyx-style") == "range":
        return "range"
    if parameter.get("schema", {}).get("type") == "array":
        return "repeat" if parameter.get("explode", True) else "comma"
    return "day" if parameter.get("schema", {}).get("format") == "date" else "plain"


def _annotation(schema: Mapping[str, Any], style: FilterStyle) -> str:
    if style == "django":
        return "DjangoFilter"
    if style == "range":
        return "DateRange"
    if schema.get("type") == "array":
        item = _scalar(schema.get("items", {}))
        return f"{item} | Sequence[{item}]"
    scalar = _scalar(schema)
    return f"{scalar} | Sequence[{scalar}]" if style == "id" else scalar


def _scalar(schema: Mapping[str, Any]) -> str:
    values = [value for value in schema.get("enum", ()) if value is not None]
    if values:
        return f"Literal[{', '.join(map(repr, values))}]"
    options = schema.get("oneOf") or schema.get("anyOf")
    if options:
        return " | ".join(dict.fromkeys(_scalar(option) for option in options))
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in cast("Sequence[str]", kind) if each != "null"), None)
    exact = (str(kind), str(schema.get("format", "")))
    return _SCALARS.get(exact) or _SCALARS.get((str(kind), "")) or "str | int | float | bool"
