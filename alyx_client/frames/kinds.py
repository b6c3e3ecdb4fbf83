"""Kinds of columns, from the declared types of a model's fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from itertools import chain
from operator import itemgetter
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, TypeAlias, Union, cast, get_args, get_origin
from uuid import UUID

from alyx_client.runtime.models import fields_of
from alyx_client.runtime.records import Record, WithIdInUrl

__all__ = ["JSON", "Column", "Kind", "columns_of", "fit", "inferred"]

Name: TypeAlias = Literal[
    "boolean", "category", "date", "datetime", "duration", "integer", "json", "list", "number", "record", "text",
    "time", "uuid", "zoned",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """The kind of a column, or of what is in one.

    Parameters
    ----------
    name
        Its name; ``"json"`` for anything, ``"zoned"`` for date-times of which each has a time zone.
    words
        The words of a category.
    item
        The kind of a list's items.
    columns
        The fields of a record.
    drifted
        Whether values are not of the declared type, so that the kind is ``"json"``.
    """

    name: Name
    words: tuple[str, ...] = ()
    item: Kind | None = None
    columns: tuple[Column, ...] = ()
    drifted: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A column: a field by the server's name.

    Parameters
    ----------
    name, kind
        The field, and its kind.
    is_key_in_url
        Whether rows without this field have it at the end of their URL.
    """

    name: str
    kind: Kind
    is_key_in_url: bool = False


JSON: Final = Kind("json")
_DRIFTED: Final = Kind("json", drifted=True)
_NONE: Final = {NoneType}
_SCALARS: Final[dict[object, Name]] = {
    UUID: "uuid",
    bool: "boolean",
    date: "date",
    datetime: "datetime",
    float: "number",
    int: "integer",
    str: "text",
    time: "time",
    timedelta: "duration",
    Decimal: "number",
}
# The types of values that a kind holds, and None. UUIDs have become text by then.
_TYPES: Final[dict[Name, frozenset[type]]] = {
    "boolean": frozenset({bool}),
    "category": frozenset({str}),
    "date": frozenset({date}),
    "datetime": frozenset({datetime}),
    "duration": frozenset({timedelta}),
    "integer": frozenset({int}),
    "number": frozenset({float, int}),
    "text": frozenset({str}),
    "time": frozenset({time}),
    "uuid": frozenset({str}),
}
_LONGEST: Final = 2**63


@cache
def columns_of(model: type[Record]) -> tuple[Column, ...]:
    """Return the columns of a model's records, with the key first if it is in their URL alone."""
    return _columns(model, ())


def _columns(model: type[Record], outer: tuple[type[Record], ...]) -> tuple[Column, ...]:
    fields = {field.alias or name: field.annotation for name, field in fields_of(model).items()}
    columns = [Column(name, _kind(annotation, (*outer, model))) for name, annotation in fields.items()]
    if not outer and issubclass(model, WithIdInUrl) and "id" not in fields:
        columns.insert(0, Column("id", Kind("uuid"), is_key_in_url=True))
    return tuple(columns)


def _kind(annotation: Any, outer: tuple[type[Record], ...]) -> Kind:
    """Return the kind of a declared type; that of JSON if there is none for it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind(arguments[0], outer)
    if origin in (Union, UnionType):
        return _of_union([_kind(one, outer) for one in arguments if one is not NoneType])
    if origin is Literal:
        words = tuple(one for one in arguments if isinstance(one, str))
        others = set(map(type, cast("tuple[object, ...]", arguments))) - {str, NoneType}
        if not others:
            return Kind("category", words)
        return Kind(_SCALARS[others.pop()]) if len(others) == 1 and not words else JSON
    if origin is list:
        return Kind("list", item=_kind(arguments[0], outer))
    if isinstance(annotation, type) and issubclass(annotation, Record):
        # A record within itself has no finite type.
        return JSON if annotation in outer else Kind("record", columns=_columns(annotation, outer))
    name = _SCALARS.get(cast("object", annotation))
    return Kind(name) if name else JSON


def _of_union(kinds: Sequence[Kind]) -> Kind:
    if len(set(kinds)) == 1:
        return kinds[0]
    names = {kind.name for kind in kinds}
    if names == {"category", "text"}:  # an open set of words
        return next(kind for kind in kinds if kind.name == "category")
    return Kind("number") if names == {"integer", "number"} else JSON


def fit(kind: Kind, values: Sequence[Any], *, deep: bool = False) -> Kind:
    """Return the kind that values have: the declared one, unless the server sent something else.

    Parameters
    ----------
    kind
        The declared kind.
    values
        The values, None where there is none.
    deep
        Whether what lists and records contain is looked at, too.
    """
    if kind.name == "json":
        return kind
    types = set(map(type, values))
    has_none = NoneType in types
    types -= _NONE
    if kind.name in ("list", "record"):
        return _fit_nested(kind, values, types, deep=deep)
    if not types <= _TYPES[kind.name]:
        return _DRIFTED
    match kind.name:
        case "integer":
            return _fit_integer(kind, [value for value in values if value is not None] if has_none else values)
        case "datetime" if types:
            have_zones = {value.tzinfo is not None for value in values if value is not None}
            return kind if have_zones == {False} else Kind("zoned") if have_zones == {True} else _DRIFTED
        case "category" if types:
            others = sorted(set(values) - {None, *kind.words})
            return replace(kind, words=(*kind.words, *others)) if others else kind
        case _:
            return kind


def _fit_integer(kind: Kind, numbers: Sequence[int]) -> Kind:
    fits = not numbers or (min(numbers) >= -_LONGEST and max(numbers) < _LONGEST)
    return kind if fits else _DRIFTED


def _fit_nested(kind: Kind, values: Sequence[Any], types: set[type], *, deep: bool) -> Kind:
    if not types <= {list if kind.name == "list" else dict}:
        return _DRIFTED
    if not deep:
        return kind
    if kind.name == "record":
        return _fit_record(kind, [value for value in values if value is not None])
    if kind.item is None:
        return kind
    return replace(kind, item=fit(kind.item, list(chain.from_iterable(filter(None, values))), deep=True))


def _fit_record(kind: Kind, records: Sequence[dict[str, Any]]) -> Kind:
    columns: list[Column] = []
    # Records with as many fields as were declared, and with each of these, have no others.
    has_others = set(map(len, records)) != {len(kind.columns)}
    for column in kind.columns:
        try:
            values = list(map(itemgetter(column.name), records))
        except KeyError:
            values = [record.get(column.name) for record in records]
            has_others = True
        columns.append(replace(column, kind=fit(column.kind, values, deep=True)))
    if has_others:
        sent: set[str] = set()
        others = sent.union(*records).difference(column.name for column in columns)
        columns += [Column(name, JSON) for name in sorted(others)]
    return replace(kind, columns=tuple(columns))


def inferred(values: Sequence[Any]) -> Kind:
    """Return the kind of a column that is not declared, from its values."""
    types = set(map(type, values)) - _NONE
    kinds: tuple[Name, ...] = ("boolean", "integer", "number", "text", "datetime", "date")
    for name in kinds if types else ():
        if types <= _TYPES[name]:
            return fit(Kind(name), values)
    return JSON
