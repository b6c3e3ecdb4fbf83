"""Selection of the rows of a list request, and their order."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from alyx_client.testing.failures import ValidationFailure
from alyx_client.testing.filters.lookups import Predicate, compile_exclusion, compile_filter
from alyx_client.testing.filters.minilanguage import parse_pairs
from alyx_client.testing.filters.named_filters import FILTERS
from alyx_client.testing.filters.query import FieldFilter, FilterType, ListQuery, accept_all, clean
from alyx_client.testing.records.relations import ColumnKind, Relation, Table
from alyx_client.testing.records.store import Key, Record, Store

_FILTER_TYPES: dict[ColumnKind, FilterType] = {
    "uuid": "uuid",
    "int": "number",
    "float": "number",
    "bool": "boolean",
    "date": "date",
    "datetime": "datetime",
}
_CHOICES = {
    ("subjects", "sex"): ("M", "F", "U"),
    ("subjects", "protocol_number"): ("1", "2", "3", "4"),
    ("subjects", "actual_severity"): ("1", "2", "3", "4", "5"),
    ("surgeries", "outcome_type"): ("a", "r", "n"),
    ("data-notices", "importance"): ("20", "30", "40", "50"),
    ("labs", "light_cycle"): ("0", "1", "2"),
}


def select(query: ListQuery, declared: Iterable[str], rows: Iterable[Record]) -> list[Record]:
    """Select the rows that pass every filter of a request.

    Parameters
    ----------
    query
        The list request.
    declared
        Names of the filters that the endpoint declares.
    rows
        The records of the table.
    """
    selected = list(rows)
    # Alyx ignores unknown parameters, so a misspelled filter selects everything; it ignores empty values as well.
    filters = {*declared} - {"limit", "offset"}
    for name in query.parameters:
        if name in filters and query.last(name):
            if "\0" in query.last(name):
                raise ValidationFailure({name: ["Null characters are not allowed."]})
            for predicate in _predicates(query, name, query.last(name)):
                selected = [row for row in selected if predicate(row)]
    return selected


def _predicates(query: ListQuery, name: str, value: str) -> list[Predicate]:
    if name == "django":
        predicates: list[Predicate] = []
        for path, operand in parse_pairs(value.strip()).items():
            compile_one = compile_exclusion if path.startswith("~") else compile_filter
            predicates.append(compile_one(query.store, query.tables, query.table, path.lstrip("~"), operand))
        return predicates
    named = FILTERS.get(query.table, {}).get(name)
    if isinstance(named, FieldFilter):
        operand = clean(name, named.type, value)
        return [] if operand is None else [query.lookup(named.path, operand)]
    return [named(query, value) if named is not None else _automatic(query, name, value)]


def sort(store: Store, tables: Mapping[str, Table], table: Table, rows: list[Record]) -> list[Record]:
    """Sort rows by the table's default ordering."""
    # Sorting is stable, so the last criterion goes first.
    for path in reversed(table.ordering):
        rows = sorted(rows, key=_sort_key(store, tables, table, path.lstrip("-")), reverse=path.startswith("-"))
    return rows


def _sort_key(
    store: Store, tables: Mapping[str, Table], table: Table, path: str
) -> Callable[[Record], tuple[bool, Any]]:
    field, _, rest = path.partition("__")
    if rest:
        relation = table.relations[field]
        related_key = _sort_key(store, tables, tables[relation.to], rest)

        def key_of_related(row: Record) -> tuple[bool, Any]:
            related = store.get(relation.to, row.get(field))
            return related_key(related) if related is not None else (True, "")

        return key_of_related

    def key(row: Record) -> tuple[bool, Any]:
        value = row.get(field)
        # In PostgreSQL, null sorts above everything, and the collation ignores case.
        if value is None:
            return (True, "")
        return (False, value.casefold() if isinstance(value, str) else value)

    return key


def _automatic(query: ListQuery, name: str, value: str) -> Predicate:
    """Return the filter that django-filter derives from a field of the model."""
    table = query.tables[query.table]
    relation = table.relations.get(name)
    if relation is not None:
        return _by_relation(query, name, relation)
    # There is no filter for an array; like any unknown parameter, it is ignored.
    column = table.columns.get(name)
    if column is None or column.kind == "floats":
        return accept_all
    choices = _CHOICES.get((query.table, name))
    if choices is not None and value not in choices:
        raise ValidationFailure({name: [f"Select a valid choice. {value} is not one of the available choices."]})
    operand = clean(name, _FILTER_TYPES.get(column.kind, "text"), value)
    return query.lookup(name, operand) if operand is not None else accept_all


def _by_relation(query: ListQuery, name: str, relation: Relation) -> Predicate:
    values = query.parameters[name] if relation.many else (query.last(name),)
    keys = {_related_key(query, name, relation, value) for value in values}
    if relation.many:
        return lambda row: bool(keys.intersection(row.get(name) or ()))
    return lambda row: row.get(name) in keys


def _related_key(query: ListQuery, name: str, relation: Relation, value: str) -> Key:
    key: Key = value
    if not query.tables[relation.to].has_integer_key:
        try:
            key = str(uuid.UUID(value))
        except ValueError:
            raise ValidationFailure({name: [f"“{value}” is not a valid UUID."]}) from None
    elif value.isdigit():
        key = int(value)
    if query.store.get(relation.to, key) is None:
        choice = f"{value} is not" if relation.many else "That choice is not"
        raise ValidationFailure({name: [f"Select a valid choice. {choice} one of the available choices."]})
    return key
