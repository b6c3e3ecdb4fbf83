"""Every comparison of every field that conditions have."""

from __future__ import annotations

import ast
import datetime as dt
import re
from collections import deque
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from alyx_client.runtime.query import (
    ArrayField,
    BooleanField,
    ChoiceField,
    Condition,
    DateField,
    DateTimeField,
    DurationField,
    Field,
    Fields,
    FloatField,
    IntegerField,
    JSONField,
    JSONValue,
    OtherField,
    TextField,
    TimeField,
    UUIDField,
)

KEY = UUID("8f3a1c52-6f0b-4d7e-9d5e-0123456789ab")
_DAY, _MOMENT, _TIME = dt.date(2020, 1, 31), dt.datetime(2020, 1, 31, 12, 30, 15), dt.time(12, 30)
_VALUES: dict[type[Any], tuple[Any, Any]] = {
    BooleanField: (True, False),
    DateField: (_DAY, dt.date(2021, 1, 31)),
    DateTimeField: (_MOMENT, dt.datetime(2021, 1, 31)),
    DurationField: (dt.timedelta(minutes=1), dt.timedelta(days=1)),
    FloatField: (0.5, 20),
    IntegerField: (1, 0),  # a column of this name may have a closed set
    JSONValue: ("PASS", 0.5),
    OtherField: ("x", "y"),
    TextField: ("a", "437"),
    TimeField: (_TIME, dt.time(23)),
    UUIDField: (KEY, UUID(int=2**127)),
}
_TEXT_LOOKUPS = ("icontains", "startswith", "istartswith", "endswith", "iendswith", "iexact", "regex", "iregex")
_DATE_PARTS = ("year", "iso_year", "quarter", "month", "week", "day", "week_day", "iso_week_day")


def every_field(client: Any) -> Iterator[tuple[str, Any, str]]:
    """Yield the endpoint and each field of each model, once, by the shortest way to it, and the field's annotation."""
    seen: set[type[Any]] = set()
    waiting: deque[tuple[str, Any]] = deque((name, getattr(client, name).fields) for name in client._models)
    while waiting:
        endpoint, fields = waiting.popleft()
        if type(fields) in seen:
            continue
        seen.add(type(fields))
        for name, annotation in type(fields).__annotations__.items():
            if name.startswith("_"):
                continue
            field = getattr(fields, name)
            yield endpoint, field, annotation
            if isinstance(field, Fields):
                waiting.append((endpoint, field))


def every_comparison(field: Field[Any, Any], annotation: str) -> Iterator[Condition[Any]]:
    """Yield all comparisons that a field has, with values that it can have."""
    yield field.is_null()
    yield field.is_null(False)
    if isinstance(field, Fields):
        values = (1, 2) if field._key == "integer" else (KEY, str(KEY)) if field._key == "uuid" else ("x", "y")
        yield from _equalities(field, *values)
    elif isinstance(field, JSONField):
        yield from _json(field)
        yield from _json_values(field["qc"])
    elif isinstance(field, ArrayField):
        yield from (field.contains(["1"]), field.overlap(["1", "2"]), field == ["1"], field.length > 1)
    elif isinstance(field, ChoiceField):
        yield from _choices(field, annotation)
    else:
        yield from _of_kind(field)


def _of_kind(field: Any) -> Iterator[Condition[Any]]:
    values = _VALUES[type(field)]
    yield from _equalities(field, *values)
    if isinstance(field, BooleanField):
        yield from (field.is_true(), field.is_false())
    if hasattr(field, "range"):
        yield from _order(field, *values)
    if isinstance(field, TextField):
        yield field.contains("a")
        yield from (getattr(field, lookup)("a") for lookup in _TEXT_LOOKUPS)
    if isinstance(field, DateField | DateTimeField):
        yield from (getattr(field, part) >= 2 for part in _DATE_PARTS)
    if isinstance(field, DateTimeField):
        yield from (*_order(field.date, _DAY, _DAY), *_order(field.time, _TIME, _TIME), field.hour == 12)
        yield from (field.minute.in_([1, 2]), field.second < 30)


def _equalities(field: Any, first: Any, second: Any) -> Iterator[Condition[Any]]:
    yield from (field == first, field != first, field.in_([first, second]), ~field.in_([second]))


def _order(field: Any, first: Any, last: Any) -> Iterator[Condition[Any]]:
    yield from (field < first, field <= first, field > first, field >= first, field.range(first, last))


def _json(field: Any) -> Iterator[Condition[Any]]:
    yield from (field.has_key("qc"), field.has_keys(["qc", "b"]), field.has_any_keys(["qc"]))
    yield from (field.contains("x"), field.contains(1))


def _json_values(field: Any) -> Iterator[Condition[Any]]:
    yield from (*_equalities(field, "PASS", 0.5), *_order(field, 0.5, 1), field == None, field == True)  # noqa: E711, E712
    yield from (field == "5", field.is_null(), field["b"][0] == 1, field[-1] == 1)
    yield from (*_json(field), *(getattr(field, lookup)("a") for lookup in _TEXT_LOOKUPS))


def _choices(field: Any, annotation: str) -> Iterator[Condition[Any]]:
    # The values stand in the annotation alone.
    values = ast.literal_eval(re.sub(r"(?s).*Literal(\[.*?\]).*", r"\1", annotation))
    yield from (field == value for value in values)
    yield from _equalities(field, values[0], values[1])
    # The server would read text like a number as one, outside lists.
    if str(values[0]).isdigit() and isinstance(values[0], str):
        yield field.range(values[0], values[1])
    else:
        yield from _order(field, values[0], values[1])
