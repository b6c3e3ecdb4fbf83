"""Filters: from a query parameter to a Python keyword, its annotation and how it is sent."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from alyx_client.runtime.filter_values import declared_type
from alyx_client.schema.openapi import Schema, as_list, as_schema
from alyx_generator.model.closed_sets import closed_set
from alyx_generator.model.ir import Filter, FilterStyle
from alyx_generator.model.naming import TIMEOUT, parameter_name, unique
from alyx_generator.source.openapi import JSONDict, Schemas, alternatives, resolved

Parameter = Mapping[str, Any]

_SCALARS = {
    ("string", ""): "str",
    ("string", "uuid"): "UUID | str",
    ("string", "date"): "date | str",
    ("string", "date-time"): "datetime | str",
    ("integer", ""): "int",
    ("number", ""): "float",
    ("boolean", ""): "bool",
}
# Styles by which values are checked.
_TYPED_STYLES = frozenset({"range", "day", "moment"})
# Keywords of every method that returns all pages of a list.
_LIST_KEYWORDS = frozenset({"limit", "page_size", "max_items", "extra_params"})


@dataclass(frozen=True)
class FilterContext:
    """The context of the filters of one method.

    Parameters
    ----------
    components
        The document's components, by name.
    describe
        Returns the description of a parameter.
    taken
        Names of the method's other parameters.
    paged
        Whether the method returns all rows of a list.
    paging
        The query parameters that select a page of a list, if the method returns all rows.
    django
        Whether a filter called ``django`` takes lookups of Django.
    """

    components: Schemas
    describe: Callable[[Parameter], str]
    taken: frozenset[str]
    paged: bool
    paging: frozenset[str] = frozenset()
    django: bool = False


def read_filters(parameters: Sequence[Parameter], context: FilterContext) -> tuple[list[Filter], list[str]]:
    """Return an operation's query parameters as filters, and the names of those that this client cannot send.

    Parameters
    ----------
    parameters
        The query parameters.
    context
        What the filters depend on.
    """
    taken = context.taken | {TIMEOUT} | (_LIST_KEYWORDS if context.paged else frozenset[str]())
    filters: list[Filter] = []
    left_out: list[str] = []
    dereferenced = [
        {**parameter, "schema": _without_references(parameter.get("schema"), context.components)}
        for parameter in parameters
    ]
    # Elsewhere, a filter of that name is one like any other.
    names = frozenset(str(one["name"]) for one in dereferenced if context.django or one["name"] != "django")
    for parameter in dereferenced:
        name = str(parameter["name"])
        # Neither objects nor JSON nor styles other than `form` have an encoding in Alyx's filters.
        is_form = parameter.get("style", "form") == "form" and "content" not in parameter
        if not is_form or parameter["schema"].get("type") == "object":
            left_out.append(name)
        elif name in context.paging and context.paged:
            continue
        else:
            read = _read_filter(parameter, names, context)
            read = replace(read, keyword=unique(read.keyword, taken))
            taken |= {read.keyword}
            filters.append(read)
    return filters, left_out


def _without_references(node: Any, components: Schemas) -> JSONDict:
    schema = _without_null(dict(resolved(node, components)))
    for key in ("oneOf", "anyOf"):
        if isinstance(schema.get(key), list):
            parts = [_without_null(dict(resolved(part, components))) for part in schema[key]]
            schema[key] = [part for part in parts if part.get("type") != "null" and part.get("enum") != [None]]
            if len(schema[key]) == 1:
                schema = {**schema, **schema.pop(key)[0]}
    if "items" in schema:
        schema["items"] = dict(resolved(schema["items"], components))
    return schema


def _without_null(schema: JSONDict) -> JSONDict:
    """Return a schema without null, if it has one other type: no filter is sent as null."""
    others = [kind for kind in as_list(schema.get("type")) if kind != "null"]
    return {**schema, "type": others[0]} if len(others) == 1 else schema


def _read_filter(parameter: Parameter, names: Collection[str], context: FilterContext) -> Filter:
    name, description = str(parameter["name"]), context.describe(parameter)
    style = _style(parameter, names)
    schema = as_schema(parameter.get("schema"))
    members = closed_set(schema, parameter)
    is_column = members is not None and "x-alyx-column" in parameter and "django" in names
    annotation = _annotation(schema, style)
    # Django lookups can express several values of a column.
    several = is_column and style == "plain"
    return Filter(
        name,
        parameter_name(name),
        f"{annotation} | Sequence[{annotation}]" if several else annotation,
        style,
        f"{description} Several values select the records that have one of them." if several else description,
        bool(parameter.get("required")),
        members,
        is_column,
        tuple(map(str, as_list(as_schema(parameter.get("x-alyx-column")).get("after")))) if is_column else (),
        record=str(parameter.get("x-alyx-record", "")),
        type="" if members is not None or style in _TYPED_STYLES else _type(schema),
    )


def _type(schema: Schema) -> str:
    """Return the type that the client checks values for; empty if it checks none."""
    value = schema.get("items") if schema.get("type") == "array" else schema
    return declared_type(as_schema(value)) or ""


def _style(parameter: Parameter, names: Collection[str]) -> FilterStyle:
    name, schema = parameter["name"], as_schema(parameter.get("schema"))
    if name == "django" and name in names:
        return "django"
    # Alyx has no filter by several keys; `django` can express one.
    if name == "id" and "django" in names:
        return "id"
    if parameter.get("x-alyx-style") == "range":
        return "range"
    if schema.get("type") == "array":
        # OpenAPI: `explode` is true by default for style `form`, so a list is sent as a=1&a=2.
        return "repeat" if parameter.get("explode", True) else "comma"
    if schema.get("type") == "boolean":
        return "boolean"
    formats: dict[object, FilterStyle] = {"date": "day", "date-time": "moment"}
    return formats.get(schema.get("format"), "plain")


def _annotation(schema: Schema, style: FilterStyle) -> str:
    if style == "django":
        return "DjangoFilter"
    if style == "range":
        return "DateRange"
    if schema.get("type") == "array":
        item = _scalar(schema.get("items", {}))
        return f"{item} | Sequence[{item}]"
    scalar = _scalar(schema)
    return f"{scalar} | Sequence[{scalar}]" if style == "id" else scalar


def _scalar(schema: Schema) -> str:
    values = [value for value in schema.get("enum") or () if value is not None]
    # Literal takes neither floats nor objects.
    if values and all(isinstance(value, str | int) for value in values):
        return f"Literal[{', '.join(map(repr, values))}]"
    options = _options(schema)
    if options:
        return " | ".join(dict.fromkeys(map(_scalar, options)))
    kind = str(schema.get("type"))
    return _SCALARS.get((kind, str(schema.get("format", "")))) or _SCALARS.get((kind, "")) or "str | int | float | bool"


def _options(schema: Schema) -> Sequence[Schema]:
    if isinstance(schema.get("type"), list):
        return [{**schema, "type": kind} for kind in as_list(schema["type"]) if kind != "null"]
    return alternatives(schema)
