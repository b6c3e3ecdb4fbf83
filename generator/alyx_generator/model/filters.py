"""Filters: from a query parameter to a Python keyword, its annotation and how it is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from alyx_client.schema.openapi import as_list
from alyx_generator.model.ir import Filter, FilterStyle
from alyx_generator.model.naming import parameter_name, unique
from alyx_generator.source.openapi import resolved

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


_OWN = frozenset({"limit", "max_items", "extra_params"})


def read_filters(
    parameters: Sequence[Mapping[str, Any]],
    components: Mapping[str, Any],
    describe: Callable[[Mapping[str, Any]], str],
    taken: set[str],
    *,
    paged: bool,
    numbered: bool = False,
) -> tuple[list[Filter], list[str]]:
    """Return an operation's query parameters as filters, and the names of those that this client cannot send.

    Parameters
    ----------
    parameters
        The query parameters.
    components
        The document's components, by name.
    describe
        Says what a parameter does.
    taken
        Names of the method's other parameters.
    paged
        Whether the method returns all rows of a list.
    numbered
        Whether it returns one page of it, which the caller asks for.
    """
    taken = taken | (_OWN if paged else set())
    found: list[Filter] = []
    left_out: list[str] = []
    known = [{**each, "schema": _stated(each.get("schema"), components)} for each in parameters]
    for parameter in known:
        style, kind = parameter.get("style", "form"), parameter["schema"].get("type")
        if style != "form" or kind == "object":
            left_out.append(str(parameter["name"]))
            continue
        if str(parameter["name"]) in PAGING and paged and not numbered:
            continue
        each = read_filter(parameter, known, describe(parameter))
        each = replace(each, keyword=unique(each.keyword, taken))
        taken.add(each.keyword)
        found.append(each)
    return found, left_out


def _stated(schema: Any, components: Mapping[str, Any]) -> dict[str, Any]:
    """Return a parameter's schema without references."""
    stated = _without_null(dict(resolved(schema, components)))
    for key in ("oneOf", "anyOf"):
        if isinstance(stated.get(key), list):
            parts = [_without_null(dict(resolved(part, components))) for part in stated[key]]
            stated[key] = [each for each in parts if each.get("type") != "null" and each.get("enum") != [None]]
            if len(stated[key]) == 1:
                stated = {**stated, **stated.pop(key)[0]}
    if "items" in stated:
        stated["items"] = dict(resolved(stated["items"], components))
    return stated


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema whose one type beside null stands alone: no filter is sent as null."""
    others = [each for each in as_list(schema.get("type")) if each != "null"]
    return {**schema, "type": others[0]} if len(others) == 1 else schema


def read_filter(parameter: Mapping[str, Any], siblings: Sequence[Mapping[str, Any]], description: str) -> Filter:
    """Return a query parameter as a filter.

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
    values = [value for value in schema.get("enum") or () if value is not None]
    if values and all(isinstance(value, str | int) for value in values):
        return f"Literal[{', '.join(map(repr, values))}]"
    options: Sequence[Mapping[str, Any]] = schema.get("oneOf") or schema.get("anyOf") or ()
    if isinstance(schema.get("type"), list):
        options = [{**schema, "type": each} for each in as_list(schema["type"]) if each != "null"]
    if options:
        return " | ".join(dict.fromkeys(_scalar(option) for option in options))
    name = str(schema.get("type"))
    return _SCALARS.get((name, str(schema.get("format", "")))) or _SCALARS.get((name, "")) or "str | int | float | bool"
