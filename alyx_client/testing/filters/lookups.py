"""Django's field look-ups as predicates: ``start_time__date__gte``, ``projects__name__icontains`` and so on."""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from alyx_client.testing.failures import ServerFailure
from alyx_client.testing.filters.json_lookups import (
    MISSING,
    ORDER,
    TEXT,
    Test,
    as_text,
    check_pattern,
    iterable_operand,
    json_test,
    value_at,
)
from alyx_client.testing.filters.lookup_path import LookupPath, parse_datetime, resolve, values_at
from alyx_client.testing.records.relations import Table
from alyx_client.testing.records.store import Record, Store

Predicate = Callable[[Record], bool]

_TRUE = (True, "t", "True", "1")
_FALSE = (False, "f", "False", "0")


def compile_filter(store: Store, tables: Mapping[str, Table], table: str, path: str, value: object) -> Predicate:
    """Return the predicate of one Django filter.

    Parameters
    ----------
    store, tables
        The records and their description.
    table
        The table whose records are filtered.
    path
        Field names and a look-up, joined by double underscores.
    value
        The operand, as text or already coerced.

    Raises
    ------
    ServerFailure
        A name or look-up is unknown, or the value does not fit: Alyx turns these into a status of 500.
    """
    lookup_path = resolve(tables, table, path)
    if value is None and lookup_path.lookup == "exact" and lookup_path.kind != "json":
        lookup_path, value = replace(lookup_path, lookup="isnull"), True
    test = _test(lookup_path, value)

    def matches(record: Record) -> bool:
        values = list(values_at(store, record, lookup_path))
        # An outer join: a record without related ones counts as one whose column is null.
        if lookup_path.lookup == "isnull" and not values:
            return bool(value)
        return any(test(reached) for reached in values)

    return matches


def compile_exclusion(store: Store, tables: Mapping[str, Table], table: str, path: str, value: object) -> Predicate:
    """Return the predicate of ``~path,value``, which selects the records that the filter does not."""
    matches = compile_filter(store, tables, table, path, value)
    lookup_path = resolve(tables, table, path)
    if lookup_path.kind != "json" or not lookup_path.transforms or lookup_path.lookup == "isnull":
        return lambda record: not matches(record)
    whole_column = replace(lookup_path, transforms=(), lookup="exact")

    def excludes(record: Record) -> bool:
        if matches(record):
            return False
        # In SQL, an absent key is neither equal nor unequal, so its record is dropped as well; Django adds
        # `OR column IS NULL`, which keeps the records whose whole column is null.
        columns = list(values_at(store, record, whole_column))
        return any(column is None or value_at(column, lookup_path.transforms) is not MISSING for column in columns)

    return excludes


def comparable(kind: str, value: Any) -> Any:
    """Return a stored value in a form that sorts and compares as the database would."""
    return parse_datetime(value) if kind == "datetime" else value


def to_column_type(kind: str, value: Any, name: str = "") -> object:
    """Convert an operand to the type of a column.

    Raises
    ------
    ServerFailure
        The value does not fit; the message is Django's.
    """
    if kind in ("int", "float"):
        try:
            return int(value) if kind == "int" else float(value)
        except (TypeError, ValueError):
            raise ServerFailure(f"Field '{name}' expected a number but got {value!r}.") from None
    if kind == "bool":
        if value not in (*_TRUE, *_FALSE):
            raise ServerFailure(f"['“{value}” value must be either True or False.']")
        return value in _TRUE
    convert, problem = _CONVERSIONS.get(kind, (as_text, ""))
    if kind == "date" and re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)):
        problem = "value has the correct format (YYYY-MM-DD) but it is an invalid date."
    try:
        return convert(str(value))
    except ValueError:
        raise ServerFailure(f"['“{value}” {problem}']") from None


def _to_uuid(text: str) -> str:
    return str(uuid.UUID(text))


def with_two_digits(text: str) -> str:
    """Return a date with two digits of month and day; Django takes one, and Python's reader does not."""
    return re.sub(r"^(\d{4})-(\d\d?)-(\d\d?)(?!\d)", lambda day: f"{day[1]}-{day[2]:0>2}-{day[3]:0>2}", text)


def _to_date(text: str) -> str:
    return date.fromisoformat(with_two_digits(text.partition("T")[0])).isoformat()


_CONVERSIONS: dict[str, tuple[Callable[[str], object], str]] = {
    "uuid": (_to_uuid, "is not a valid UUID."),
    "date": (_to_date, "value has an invalid date format. It must be in YYYY-MM-DD format."),
    "datetime": (
        parse_datetime,
        "value has an invalid format. It must be in YYYY-MM-DD HH:MM[:ss[.uuuuuu]][TZ] format.",
    ),
}


def _test(path: LookupPath, operand: object) -> Test:
    if path.lookup == "isnull":
        return _null_test(path, operand)
    if path.kind == "json":
        return json_test(path.lookup, path.transforms, operand)
    if path.lookup in TEXT:
        compare, text = TEXT[path.lookup], as_text(operand)
        if path.lookup.endswith("regex"):
            check_pattern(text)
        return lambda value: value is not None and compare(as_text(value), text)
    if path.lookup in ("in", "range"):
        return _several_test(path, operand)
    return _order_test(path, operand)


def _null_test(path: LookupPath, operand: object) -> Test:
    if not isinstance(operand, bool):
        raise ServerFailure("The QuerySet value for an isnull lookup must be True or False.")
    if path.kind == "json":
        return lambda column: (column is None or value_at(column, path.transforms) is MISSING) is operand
    return lambda value: (value is None) is operand


def _several_test(path: LookupPath, operand: object) -> Test:
    operands: list[Any] = [to_column_type(path.kind, item, path.column) for item in iterable_operand(operand)]
    if path.lookup == "in":
        return lambda value: value is not None and comparable(path.kind, value) in operands
    if len(operands) < 2:
        raise ServerFailure("tuple index out of range")
    low, high = operands[0], operands[-1]
    return lambda value: value is not None and low <= comparable(path.kind, value) <= high


def _order_test(path: LookupPath, operand: object) -> Test:
    if operand is None:
        raise ServerFailure("Cannot use None as a query value")
    if path.kind == "int" and path.lookup in ("gt", "gte", "lt") and isinstance(operand, float):
        # Django's IntegerFieldFloatRounding: `x > 2.5` becomes `x > 2`, `x >= 2.5` becomes `x >= 3`.
        operand = math.ceil(operand) - (1 if path.lookup == "gt" and not operand.is_integer() else 0)
    converted = to_column_type(path.kind, operand, path.column)
    if path.lookup == "exact":
        return lambda value: value is not None and comparable(path.kind, value) == converted
    compare = ORDER[path.lookup]
    return lambda value: value is not None and compare(comparable(path.kind, value), converted)
