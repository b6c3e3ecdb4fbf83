"""Django's look-up paths, such as ``projects__name__icontains``: joins, a column, transforms and a look-up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from alyx_client.testing.failures import ServerFailure
from alyx_client.testing.filters.json_lookups import KEY_LOOKUPS, ORDER, TEXT
from alyx_client.testing.records.json_values import as_list
from alyx_client.testing.records.relations import Column, Table, reverse_relations
from alyx_client.testing.records.store import Record, Store

_COMMON = ("exact", "in", "range", "isnull", *TEXT, *ORDER)
_DATE_PARTS: dict[str, Callable[[datetime], int]] = {
    "year": lambda moment: moment.year,
    "month": lambda moment: moment.month,
    "day": lambda moment: moment.day,
    "hour": lambda moment: moment.hour,
    "minute": lambda moment: moment.minute,
    "second": lambda moment: moment.second,
    # Django counts from Sunday, which is 1.
    "week_day": lambda moment: moment.isoweekday() % 7 + 1,
    "iso_week_day": lambda moment: moment.isoweekday(),
    "iso_year": lambda moment: moment.isocalendar().year,
    "week": lambda moment: moment.isocalendar().week,
    "quarter": lambda moment: (moment.month + 2) // 3,
}
_DAY_PARTS = ("year", "iso_year", "month", "day", "week", "week_day", "iso_week_day", "quarter")
_TRANSFORMS = {"datetime": ("date", *_DATE_PARTS), "date": _DAY_PARTS}
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
class Join:
    """A step from a record to those of another table, by a field of its own or by a field of theirs."""

    table: str
    field: str
    many: bool
    reverse: bool = False


@dataclass(frozen=True)
class LookupPath:
    """A resolved path; `kind` is that of the transformed column."""

    joins: tuple[Join, ...]
    column: str
    kind: str
    transforms: tuple[str, ...]
    lookup: str


def resolve(tables: Mapping[str, Table], table_name: str, path: str) -> LookupPath:
    """Resolve a path from a table.

    Raises
    ------
    ServerFailure
        A name is neither a field, a transform nor a look-up; the message is Django's.
    """
    if not path:
        raise ServerFailure("Cannot parse keyword query ''")
    parts = path.split("__")
    joins: list[Join] = []
    table = tables[table_name]
    while True:
        name = "id" if parts and parts[0] == "pk" else parts[0] if parts else ""
        if name in table.columns:
            return _finish(joins, name, table.columns[name], parts[1:])
        # Django offers the stored key of a foreign key as `<name>_id`.
        foreign_key = name.removesuffix("_id") if name.endswith("_id") else ""
        if foreign_key in table.relations and not table.relations[foreign_key].many:
            key_column = tables[table.relations[foreign_key].to].columns["id"]
            return _finish(joins, foreign_key, key_column, parts[1:], "ForeignKey")
        join = _join(tables, table, name)
        if join is None:
            return _finish_at_relation(tables, table, joins, parts)
        joins.append(join)
        table = tables[join.table]
        parts = parts[1:]


def _join(tables: Mapping[str, Table], table: Table, name: str) -> Join | None:
    if name in table.relations:
        return Join(table.relations[name].to, name, table.relations[name].many)
    reverse = reverse_relations(tables, table.name)
    if name in reverse:
        other, field = reverse[name]
        return Join(other, field, many=True, reverse=True)
    return None


def _finish_at_relation(tables: Mapping[str, Table], table: Table, joins: list[Join], parts: list[str]) -> LookupPath:
    """Resolve what follows a relation and is no field: a look-up on the related key."""
    name = parts[0] if parts else ""
    if not joins:
        choices = ", ".join(_field_names(tables, table))
        raise ServerFailure(f"Cannot resolve keyword '{name}' into field. Choices are: {choices}")
    # `projects__in` compares the keys of the related records.
    if name in (*_COMMON, ""):
        return _finish(joins, "id", table.columns["id"], parts if name else [])
    last = joins[-1]
    # Of a many-to-many relation, Django names the foreign key in the table between the models.
    is_reverse_key = last.reverse and not tables[last.table].relations[last.field].many
    raise _unsupported(parts, "ManyToOneRel" if is_reverse_key else "ForeignKey")


def _field_names(tables: Mapping[str, Table], table: Table) -> list[str]:
    names = {*table.columns, *table.relations, *reverse_relations(tables, table.name)}
    names |= {f"{name}_id" for name, relation in table.relations.items() if not relation.many}
    return sorted(names)


def _finish(joins: list[Join], name: str, column: Column, rest: list[str], field_class: str = "") -> LookupPath:
    rest = [part for part in rest if part]
    lookups = tuple(rest)
    kind = str(column.kind)
    lookup = "exact"
    if rest and rest[-1] in ((*_COMMON, *KEY_LOOKUPS) if kind == "json" else _COMMON):
        lookup = rest.pop()
    # A foreign key in Alyx; here, a column with the text of both fields of the content type.
    is_content_type = name == "content_type" and rest in (["model"], ["app_label"])
    if rest and kind != "json" and not is_content_type:
        allowed = _TRANSFORMS.get(kind, ())
        if rest[0] not in allowed:
            raise _unsupported(lookups, field_class or _FIELD_CLASSES[kind])
        if len(rest) > 1:
            raise _unsupported(lookups[1:], "DateField" if rest[0] == "date" else "IntegerField")
        kind = "date" if rest[0] == "date" else "int"
    return LookupPath(tuple(joins), name, kind, tuple(rest), lookup)


def _unsupported(lookups: Sequence[str], field_class: str) -> ServerFailure:
    names = "__".join(lookups)
    return ServerFailure(f"Unsupported lookup '{names}' for {field_class} or join on the field not permitted.")


def values_at(store: Store, record: Record, path: LookupPath) -> Iterator[object]:
    """Yield the values at the end of a path; nothing for a relation that is not set."""
    records = [record]
    for join in path.joins:
        records = [related for source in records for related in _joined(store, source, join)]
    for reached in records:
        value = reached.get(path.column)
        yield value if path.kind == "json" else _transform(value, path.transforms)


def _joined(store: Store, record: Record, join: Join) -> list[Record]:
    if join.reverse:
        return store.related(join.table, join.field, record["id"])
    related = (store.get(join.table, key) for key in as_list(record.get(join.field)))
    return [other for other in related if other is not None]


def _transform(value: object, transforms: tuple[str, ...]) -> object:
    if value is None or not transforms:
        return value
    if transforms[0] in ("model", "app_label"):
        app_label, _, model = str(value).partition(".")
        return model if transforms[0] == "model" else app_label
    moment = parse_datetime(str(value))
    return moment.date().isoformat() if transforms[0] == "date" else _DATE_PARTS[transforms[0]](moment)


@lru_cache(maxsize=65536)
def parse_datetime(text: str) -> datetime:
    """Return a stored date and time without its zone; cached, since every row of a list is compared."""
    return datetime.fromisoformat(text).replace(tzinfo=None)
