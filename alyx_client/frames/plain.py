"""Values of columns as Python's own: dictionaries in place of records, and text in place of UUIDs.

Whole columns are converted, also of fields within records: calling a function for each value takes several times as
long. Values that are not of the declared kind are passed on.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import accumulate, chain, pairwise
from types import NoneType
from typing import Any, Final, TypeGuard
from uuid import UUID

from alyx_client.frames.kinds import Column, Kind
from alyx_client.frames.uuid_texts import uuid_texts
from alyx_client.runtime.models import attributes_of
from alyx_client.runtime.records import Record

__all__ = ["fields_by_name", "is_dict", "plain_values"]

_copy = dict[str, Any].copy
_JSON: Final = frozenset({NoneType, bool, dict, float, int, str})


def plain_values(kind: Kind, values: list[Any], *, as_text: bool) -> list[Any]:
    """Return the values of a column, None where there is none.

    Parameters
    ----------
    kind
        The declared kind.
    values
        The values.
    as_text
        Whether UUIDs in lists and records are text, as those in columns are.
    """
    match kind.name:
        case "json" if not set(map(type, values)) <= _JSON:
            return list(map(_plain, values))
        case "uuid":
            return _with_texts(values)
        case "list":
            return _with_plain_lists(kind.item, values, as_text=as_text)
        case "record":
            return _with_plain_records(kind.columns, values, as_text=as_text)
        case _:
            return values


def fields_by_name(record: Record) -> dict[str, Any]:
    """Return the fields of a record by the server's names, in a tenth of the time of ``dict(record.items())``."""
    fields, attributes = vars(record), attributes_of(type(record))
    if len(fields) == len(attributes) and _have_same_names(type(record)):
        plain = fields.copy()
    else:
        plain = {name: fields[attribute] for name, attribute in attributes.items()}
    try:
        # Not as an attribute, which a record that was made of a row would make.
        extra = object.__getattribute__(record, "__pydantic_extra__")
    except AttributeError:
        return plain
    return {**plain, **extra} if extra else plain


@cache
def _have_same_names(model: type[Record]) -> bool:
    """Return whether attributes have the server's names."""
    return all(name == attribute for name, attribute in attributes_of(model).items())


def is_dict(value: object) -> TypeGuard[dict[str, Any]]:
    """Return whether a value is a dictionary, and not of a class that is derived from it."""
    return type(value) is dict


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return type(value) is list


def _with_texts(values: list[Any]) -> list[Any]:
    uuids: list[UUID] = [value for value in values if type(value) is UUID]
    if not uuids:
        return values
    texts = iter(uuid_texts(uuids))
    return [next(texts) if type(value) is UUID else value for value in values]


def _with_plain_lists(item: Kind | None, values: list[Any], *, as_text: bool) -> list[Any]:
    lists: list[list[Any]] = values if set(map(type, values)) == {list} else list(filter(_is_list, values))
    if item is not None and _is_converted(item, as_text=as_text):
        lists = _plain_items(item, lists, as_text=as_text)
    if len(lists) == len(values):
        return lists
    rest = iter(lists)
    return [next(rest) if _is_list(value) else _plain(value) for value in values]


def _plain_items(item: Kind, lists: list[list[Any]], *, as_text: bool) -> list[list[Any]]:
    items = plain_values(item, list(chain.from_iterable(lists)), as_text=as_text)
    # Slices, since lists that are made of iterators have places for further items.
    return [items[start:end] for start, end in pairwise(accumulate(map(len, lists), initial=0))]


def _is_converted(kind: Kind, *, as_text: bool) -> bool:
    """Return whether values of a kind are others within lists and records."""
    if kind.name == "list":
        return kind.item is not None and _is_converted(kind.item, as_text=as_text)
    return kind.name == "record" or (kind.name == "uuid" and as_text)


def _with_plain_records(columns: Sequence[Column], values: list[Any], *, as_text: bool) -> list[Any]:
    # Copies: the row itself is used again.
    try:
        records = list(map(_copy, values))
        values = records
    except TypeError:  # others than dictionaries
        values = list(map(_copied, values))
        records = list(filter(is_dict, values))
    for column in columns:
        # In place of lists there may be anything.
        if column.kind.name != "list" and not _is_converted(column.kind, as_text=as_text):
            continue
        present = [record for record in records if record.get(column.name) is not None]
        fields = plain_values(column.kind, [record[column.name] for record in present], as_text=as_text)
        for record, field in zip(present, fields, strict=True):
            record[column.name] = field
    return values


def _copied(value: Any) -> Any:
    if is_dict(value):
        return value.copy()
    return fields_by_name(value) if isinstance(value, Record) else value


def _plain(value: Any) -> Any:
    """Return a value with dictionaries in place of records."""
    if isinstance(value, Record):
        return {name: _plain(field) for name, field in fields_by_name(value).items()}
    if _is_list(value):
        return [_plain(item) for item in value]
    return str(value) if type(value) is UUID else value
