"""Django's field lookups, evaluated on records: ``start_time__date__gte``, ``projects__name__icontains`` and so on."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from alyx_client.testing.failures import ServerFailure
from alyx_client.testing.filters.json_lookups import KEY_LOOKUPS, MISSING, ORDER, TEXT, dig, json_test, text_of
from alyx_client.testing.records.relations import Column, Table, reverses
from alyx_client.testing.records.store import Record, Store, as_list

Predicate = Callable[[Record], bool]

_COMMON = ("exact", "in", "range", "isnull", *TEXT, *ORDER)
_PARTS: dict[str, Callable[[datetime], int]] = {
    "year": lambda moment: moment.year,
    "month": lambda moment: moment.month,
    "day": lambda moment: moment.day,
    "hour": lambda moment: moment.hour,
    "minute": lambda moment: moment.minute,
    "second": lambda moment: moment.second,
    "week_day": lambda moment: moment.isoweekday() % 7 + 1,
}
_FIELD_CLASSES = {
    "uuid": "UUIDField",
    "text": "CharField",
    "int": "IntegerField",
    "float": "FloatField",
    "bool": "BooleanField",
    "date": "DateField",
    "datetime": "DateTimeField",
    "json": "JSONField",
    "floats": "ArrayField",
}


@dataclass(frozen=True)
class _Step:
    """From a record to those of another table: by a field of it, or by a field of theirs."""

    table: str
    field: str
    backwards: bool = False


@dataclass(frozen=True)
class _Path:
    steps: tuple[_Step, ...]
    column: str
    kind: str
    transforms: tuple[str, ...]
    lookup: str


def compile_filter(store: Store, tables: Mapping[str, Table], table: str, path: str, value: object) -> Predicate:
    """Make a predicate of one Django filter.

    Parameters
    ----------
    store, tables
        Where the records are and what they look like.
    table
        The table whose records are filtered.
    path
        Field names and a lookup, joined by double underscores.
    value
        What to compare with, as text or already coerced.

    Raises
    ------
    ServerFailure
        An unknown name or lookup, or a value that does not fit: Alyx answers 500 to these.
    """
    found = _resolve(tables, table, path)
    if value is None and found.lookup == "exact" and found.kind != "json":
        found, value = replace(found, lookup="isnull"), True
    test = _test(found, value)
    wants_null = found.lookup == "isnull"

    def matches(record: Record) -> bool:
        reached = list(_reach(store, record, found))
        if wants_null and not reached:
            return bool(value)
        return any(test(held) for held in reached)

    return matches


def compile_exclusion(store: Store, tables: Mapping[str, Table], table: str, path: str, value: object) -> Predicate:
    """Make a predicate for what ``~path,value`` keeps.

    A key that is absent from a JSON column is neither equal nor unequal: such records are dropped as well, while
    those whose column is null are kept.
    """
    matches = compile_filter(store, tables, table, path, value)
    found = _resolve(tables, table, path)
    if found.kind != "json" or not found.transforms or found.lookup == "isnull":
        return lambda record: not matches(record)
    whole = _Path(found.steps, found.column, "json", (), "exact")

    def keeps(record: Record) -> bool:
        if matches(record):
            return False
        columns = list(_reach(store, record, whole))
        return any(held is None or dig(held, found.transforms) is not MISSING for held in columns)

    return keeps


def _resolve(tables: Mapping[str, Table], table: str, path: str) -> _Path:
    parts = path.split("__")
    steps: list[_Step] = []
    current = tables[table]
    through = ""
    while True:
        part = parts[0] if parts else ""
        name = "id" if part == "pk" else part
        if name in current.columns:
            return _finish(tuple(steps), name, current.columns[name], parts[1:])
        by_key = name.removesuffix("_id") if name.endswith("_id") else ""
        if by_key in current.relations and not current.relations[by_key].many:
            return _finish(tuple(steps), by_key, _key_column(tables, current.relations[by_key].to), parts[1:])
        backwards = reverses(tables, current.table)
        if name in current.relations:
            relation = current.relations[name]
            steps.append(_Step(relation.to, name))
            through, current = "Related Field" if relation.many else "ForeignKey", tables[relation.to]
        elif name in backwards:
            other, field = backwards[name]
            steps.append(_Step(other, field, backwards=True))
            through, current = "Related Field", tables[other]
        elif not steps:
            raise ServerFailure(
                f"Cannot resolve keyword '{name}' into field. Choices are: {', '.join(_names(tables, current))}"
            )
        else:
            parts.insert(0, "")
            if part in (*_COMMON, ""):
                return _finish(tuple(steps), "id", current.columns["id"], parts[1:] if part else [])
            if through == "ForeignKey":
                raise ServerFailure(f"Unsupported lookup '{name}' for ForeignKey or join on the field not permitted.")
            raise ServerFailure(f"Related Field got invalid lookup: {name}")
        parts = parts[1:]


def _key_column(tables: Mapping[str, Table], table: str) -> Column:
    return tables[table].columns["id"]


def _names(tables: Mapping[str, Table], table: Table) -> list[str]:
    names = {*table.columns, *table.relations, *reverses(tables, table.table)}
    names |= {f"{name}_id" for name, relation in table.relations.items() if not relation.many}
    return sorted(names)


def _finish(steps: tuple[_Step, ...], name: str, column: Column, rest: list[str]) -> _Path:
    rest = [part for part in rest if part]
    lookup = "exact"
    known = (*_COMMON, *KEY_LOOKUPS) if column.kind == "json" else _COMMON
    if rest and rest[-1] in known:
        lookup = rest.pop()
    kind = str(column.kind)
    if name == "content_type" and rest in (["model"], ["app_label"]):
        return _Path(steps, name, kind, tuple(rest), lookup)
    if kind != "json" and rest:
        head = rest[0]
        allowed = {"datetime": ("date", *_PARTS), "date": ("year", "month", "day", "week_day")}.get(kind, ())
        if len(rest) > 1 or head not in allowed:
            bad = next((part for part in rest if part not in allowed), rest[-1])
            raise ServerFailure(
                f"Unsupported lookup '{bad}' for {_FIELD_CLASSES[kind]} or join on the field not permitted."
            )
        kind = "date" if head == "date" else "int"
    return _Path(steps, name, kind, tuple(rest), lookup)


def _reach(store: Store, record: Record, path: _Path) -> Iterator[Any]:
    """Yield the values at the end of a path; None stands for a relation that is not set."""
    records = [record]
    for step in path.steps:
        reached: list[Record] = []
        for one in records:
            if step.backwards:
                reached += store.related(step.table, step.field, one["id"])
                continue
            held = one.get(step.field)
            keys: list[Any] = as_list(held)
            reached += [other for key in keys if (other := store.get(step.table, key)) is not None]
        records = reached
    for one in records:
        held = one.get(path.column)
        yield held if path.kind == "json" else _transform(held, path.transforms)


def _transform(held: Any, transforms: tuple[str, ...]) -> Any:
    if held is None or not transforms:
        return held
    if transforms[0] in ("model", "app_label"):
        return str(held).split(".")[transforms[0] == "model"]
    moment = _moment(str(held))
    return moment.date().isoformat() if transforms[0] == "date" else _PARTS[transforms[0]](moment)


@lru_cache(maxsize=65536)
def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)


def _test(path: _Path, value: object) -> Callable[[Any], bool]:
    lookup = path.lookup
    if lookup == "isnull":
        if not isinstance(value, bool):
            raise ServerFailure("The QuerySet value for an isnull lookup must be True or False.")
        if path.kind == "json":
            return lambda held: (held is None or dig(held, path.transforms) is MISSING) is value
        return lambda held: (held is None) is value
    if path.kind == "json":
        return json_test(lookup, path.transforms, value)
    if lookup in TEXT:
        wanted = text_of(value)
        return lambda held: held is not None and TEXT[lookup](text_of(held), wanted)
    if lookup in ("in", "range"):
        if not isinstance(value, (list, tuple, str)):
            raise ServerFailure(f"'{type(value).__name__}' object is not iterable")
        several = [fit(path.kind, item, path.column) for item in value]  # pyright: ignore[reportUnknownVariableType]
        if lookup == "range":
            low, high = several[0], several[-1]
            return lambda held: held is not None and low <= comparable(path.kind, held) <= high
        return lambda held: held is not None and comparable(path.kind, held) in several
    if value is None:
        raise ServerFailure("Cannot use None as a query value")
    if path.kind == "int" and lookup in ("gt", "gte", "lt") and isinstance(value, float):
        value = math.ceil(value) - (1 if lookup == "gt" and not value.is_integer() else 0)
    wanted_value = fit(path.kind, value, path.column)
    if lookup == "exact":
        return lambda held: held is not None and comparable(path.kind, held) == wanted_value
    return lambda held: held is not None and ORDER[lookup](comparable(path.kind, held), wanted_value)


def comparable(kind: str, held: Any) -> Any:
    """Return a stored value in a form that sorts and compares as the database would."""
    return _moment(held) if kind == "datetime" else held


def fit(kind: str, value: Any, name: str = "") -> Any:
    """Convert a query's value to the kind of a column.

    Raises
    ------
    ServerFailure
        It does not fit; the message is the database's.
    """
    if kind == "uuid":
        try:
            return str(uuid.UUID(str(value)))
        except ValueError:
            raise ServerFailure(f"['“{value}” is not a valid UUID.']") from None
    if kind in ("int", "float"):
        try:
            return int(value) if kind == "int" else float(value)
        except (TypeError, ValueError):
            raise ServerFailure(f"Field '{name}' expected a number but got {value!r}.") from None
    if kind == "bool":
        if value in (True, False, 1, 0, "t", "f", "True", "False", "1", "0"):
            return value in (True, 1, "t", "True", "1")
        raise ServerFailure(f"['“{value}” value must be either True or False.']")
    if kind == "date":
        try:
            return date.fromisoformat(str(value)[:10] if "T" in str(value) else str(value)).isoformat()
        except ValueError:
            shape = "date format. It must be in YYYY-MM-DD format."
            raise ServerFailure(f"['“{value}” value has an invalid {shape}']") from None
    if kind == "datetime":
        try:
            return _moment(str(value))
        except ValueError:
            shape = "format. It must be in YYYY-MM-DD HH:MM[:ss[.uuuuuu]][TZ] format."
            raise ServerFailure(f"['“{value}” value has an invalid {shape}']") from None
    return text_of(value)
