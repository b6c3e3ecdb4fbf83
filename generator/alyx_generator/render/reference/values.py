"""Values for examples: of filters, of keys and of the fields that are sent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from alyx_client.schema.openapi import as_list, as_schema
from alyx_generator.model.docs import Docs
from alyx_generator.model.ir import ConditionField, ConditionModel, Filter, ModelField
from alyx_generator.model.naming import argument_name

__all__ = ["field_example", "filter_example", "variable_name"]

_KEY = "13e51bc5-56d4-5adc-b8c6-acdfe5797ab3"
_FORMATS = {
    "date": "2020-01-31",
    "date-time": "2020-01-31T10:30:00",
    "time": "10:30:00",
    "uuid": _KEY,
    "uri": "https://example.org",
    "email": "somebody@example.org",
}
_COMPARISONS = {
    "BooleanField": ".is_true()",
    "DateField": ">= date(2020, 1, 31)",
    "DateTimeField": ".date >= date(2020, 1, 31)",
    "FloatField": ">= 0.5",
    "IntegerField": ">= 1",
    "TextField": '.icontains("a")',
    "UUIDField": f'== "{_KEY}"',
}


def filter_example(one: Filter, endpoint: str, docs: Docs, model: ConditionModel | None) -> str:
    """Return a keyword argument of a list, as code.

    Parameters
    ----------
    one
        The filter.
    endpoint
        The name of its endpoint.
    docs
        Descriptions and values.
    model
        The model of the endpoint's rows in conditions, if that is known.
    """
    return f"{one.keyword}={_filter_value(one, endpoint, docs, model)}"


def _filter_value(one: Filter, endpoint: str, docs: Docs, model: ConditionModel | None) -> str:
    stated = docs.example_value(endpoint, one.name, one.reference)
    if model and one.keyword == "where":
        return _condition_example(model, endpoint)
    if stated is not None:
        return literal(as_list(stated) or [stated] if one.style in ("comma", "repeat") else stated)
    if one.members:
        values = list(one.members.values[:2])
        return literal(values if "Sequence[" in one.annotation and len(values) > 1 else values[0])
    match one.style:
        case "django":
            shown = _shown(model) if model else None
            return f'{{"{shown.name if shown else "id"}__isnull": False}}'
        case "range":
            return '("2020-01-01", "2020-03-31")'
        case "day":
            return '"2020-01-31"'
        case "repeat" | "comma":
            if "UUID" in one.annotation:
                return f'["{_KEY}"]'
            return "[1, 2]" if re.search(r"\bint\b", one.annotation) else '["a", "b"]'
        case _:
            return _of_annotation(one.annotation)


def _of_annotation(annotation: str) -> str:
    """Return a value of the first type of a union."""
    first = annotation.partition(" | ")[0]
    values = {"UUID": f'"{_KEY}"', "bool": "True", "int": "1", "float": "0.5", "date": '"2020-01-31"'}
    values |= {"datetime": '"2020-01-31T10:30:00"'}
    return values.get(first, '"a"')


def _condition_example(model: ConditionModel, endpoint: str) -> str:
    """Return a condition on a model's rows, as code."""
    shown = _shown(model)
    if shown is None:
        return f"client.{endpoint}.fields.{model.fields[0].name}.is_null()"
    comparison = _COMPARISONS[shown.kind]
    space = "" if comparison.startswith(".") else " "
    return f"client.{endpoint}.fields.{shown.name}{space}{comparison}"


def _shown(model: ConditionModel) -> ConditionField | None:
    """Return a field of a model that an example compares."""
    # Keys and bookkeeping would be found by the filters, too.
    fields = (one for one in model.fields if one.kind in _COMPARISONS and one.name not in ("id", "auto_datetime"))
    return next(fields, None)


def field_example(field: ModelField, endpoint: str, docs: Docs) -> str:
    """Return a value for a field that is sent, as code.

    Parameters
    ----------
    field
        The field of a model that is sent.
    endpoint
        The name of its endpoint.
    docs
        Descriptions and values.
    """
    stated = docs.new_value(endpoint, field.name, field.reference)
    is_list = _type(field.schema) == "array"
    if stated is not None:
        return literal(as_list(stated) or [stated] if is_list else stated)
    if field.reference and field.reference.endpoint:
        record = f"client.{field.reference.endpoint}.list(max_items=1)[0]"
        return f"[{record}]" if is_list else record
    return literal(_of_schema(field.schema))


def _of_schema(schema: Mapping[str, Any]) -> object:
    # The first alternative is the one that is no null.
    for alternative in as_list(schema.get("anyOf")) or ():
        return _of_schema(as_schema(alternative))
    if values := as_list(schema.get("enum")):
        return next((value for value in values if value not in (None, "", "NOT_SET")), values[0])
    match _type(schema):
        case "array":
            return [_of_schema(as_schema(schema.get("items")))]
        case "boolean":
            return True
        case "integer":
            return max(1, int(schema.get("minimum") or 1))
        case "number":
            return max(0.5, float(schema.get("minimum") or 0.5))
        case "string":
            return _FORMATS.get(str(schema.get("format", "")), "example"[: int(schema.get("maxLength") or 99)])
        case _:
            return {"key": "value"}


def _type(schema: Mapping[str, Any]) -> str:
    kinds = schema.get("type")
    return str(next((kind for kind in as_list(kinds) if kind != "null"), "")) if isinstance(kinds, list) else str(kinds)


def literal(value: object) -> str:
    """Return a value of JSON as Python code, with double quotes."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(map(literal, as_list(value)))}]"
    return repr(value)


def variable_name(noun: str) -> str:
    """Return the name of a variable for a record."""
    return argument_name(noun.replace(" ", "_").replace("-", "_"))
