"""Which rows a list request keeps, and the order in which they come back."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from alyx_client.testing.failures import ValidationFailure
from alyx_client.testing.filters.lookups import Predicate, compile_exclusion, compile_filter
from alyx_client.testing.filters.minilanguage import parse_pairs
from alyx_client.testing.filters.named_filters import FILTERS
from alyx_client.testing.filters.query import By, Check, Query, check
from alyx_client.testing.records.relations import Relation, Table
from alyx_client.testing.records.store import Record, Store


def select(query: Query, known: Iterable[str], rows: Iterable[Record]) -> list[Record]:
    """Keep the rows that pass every given filter.

    Parameters
    ----------
    query
        The list request.
    known
        Names of the filters that the endpoint declares; every other parameter is ignored, as Alyx does.
    rows
        The records of the table.
    """
    kept = list(rows)
    declared = set(known)
    for name in query.given:
        if name not in declared or name in ("limit", "offset") or not query.first(name):
            continue
        kept = _apply(query, name, kept)
    return kept


def _apply(query: Query, name: str, rows: list[Record]) -> list[Record]:
    value = query.first(name)
    if name == "django":
        for path, wanted in parse_pairs(value.strip()).items():
            make = compile_exclusion if path.startswith("~") else compile_filter
            keeps = make(query.store, query.tables, query.table, path.lstrip("~"), wanted)
            rows = [row for row in rows if keeps(row)]
        return rows
    chosen = FILTERS.get(query.table, {}).get(name)
    if isinstance(chosen, By):
        checked = check(name, chosen.check, value)
        keep = keep_all if checked is None else query.by(chosen.path, checked)
    elif chosen is not None:
        keep = chosen(query, value)
    else:
        keep = _automatic(query, name, value)
    return [row for row in rows if keep(row)]


def keep_all(_row: Record) -> bool:
    """Keep every row, as a filter does whose value says nothing."""
    return True


def sort(store: Store, tables: Mapping[str, Table], table: Table, rows: list[Record]) -> list[Record]:
    """Order rows as the table says; null sorts above everything, as in PostgreSQL."""
    for path in reversed(table.order):
        descending = path.startswith("-")
        rows = sorted(rows, key=_sort_key(store, tables, table, path.lstrip("-")), reverse=descending)
    return rows


def _sort_key(
    store: Store, tables: Mapping[str, Table], table: Table, path: str
) -> Callable[[Record], tuple[bool, Any]]:
    field, _, rest = path.partition("__")
    if rest:
        relation = table.relations[field]
        inner = _sort_key(store, tables, tables[relation.to], rest)

        def through(row: Record) -> tuple[bool, Any]:
            other = store.get(relation.to, row.get(field))
            return inner(other) if other is not None else (True, "")

        return through

    def direct(row: Record) -> tuple[bool, Any]:
        held = row.get(field)
        if held is None:
            return (True, "")
        return (False, held.casefold() if isinstance(held, str) else held)

    return direct


def _automatic(query: Query, name: str, value: str) -> Predicate:
    """Filter by a field of the record, in the way its kind asks for."""
    table = query.tables[query.table]
    relation = table.relations.get(name)
    if relation is not None:
        return _by_relation(query, name, relation)
    column = table.columns.get(name)
    if column is None or column.kind == "floats":
        return keep_all
    choices = _CHOICES.get((query.table, name))
    if choices is not None and value not in choices:
        raise ValidationFailure({name: [f"Select a valid choice. {value} is not one of the available choices."]})
    checks: dict[str, Check] = {
        "uuid": "uuid",
        "int": "number",
        "float": "number",
        "bool": "boolean",
        "date": "date",
        "datetime": "datetime",
    }
    checked = check(name, checks.get(column.kind, "text"), value)
    return query.by(name, checked) if checked is not None else keep_all


def _by_relation(query: Query, name: str, relation: Relation) -> Predicate:
    keys: set[object] = set()
    for value in query.given[name] if relation.many else (query.first(name),):
        key: object = value
        if not query.tables[relation.to].integer_key:
            try:
                key = str(uuid.UUID(value))
            except ValueError:
                raise ValidationFailure({name: [f"“{value}” is not a valid UUID."]}) from None
        elif value.isdigit():
            key = int(value)
        if query.store.get(relation.to, key) is None:  # type: ignore[arg-type]
            shown = f"{value} is not" if relation.many else "That choice is not"
            raise ValidationFailure({name: [f"Select a valid choice. {shown} one of the available choices."]})
        keys.add(key)
    if relation.many:
        return lambda row: bool(keys.intersection(row.get(name) or ()))
    return lambda row: row.get(name) in keys


_CHOICES = {
    ("subjects", "sex"): ("M", "F", "U"),
    ("subjects", "protocol_number"): ("1", "2", "3", "4"),
    ("subjects", "actual_severity"): ("1", "2", "3", "4", "5"),
    ("surgeries", "outcome_type"): ("a", "r", "n"),
    ("data-notices", "importance"): ("20", "30", "40", "50"),
    ("labs", "light_cycle"): ("0", "1", "2"),
}
