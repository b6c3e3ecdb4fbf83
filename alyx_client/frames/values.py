"""Values of columns, from rows: dictionaries that were validated, or records that were made of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeGuard, cast
from uuid import UUID

from alyx_client.errors import InvalidCallError
from alyx_client.frames.kinds import JSON, Column, Kind, columns_of, inferred
from alyx_client.http.suggestions import suggest
from alyx_client.runtime.lists.key_set import pack_uuids
from alyx_client.runtime.models import Record
from alyx_client.runtime.record_errors import only_read_hint
from alyx_client.runtime.references import key_of_url

__all__ = ["Values", "json_text", "read_values"]

Row = Mapping[str, Any]
Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Values:
    """A column with the value of each row, None where there is none.

    Parameters
    ----------
    name, kind
        The column, and its declared kind.
    values
        The values.
    """

    name: str
    kind: Kind
    values: list[Any]


def read_values(
    rows: Iterable[Any],
    declared: object,
    columns: Sequence[str] | None = None,
    index: str | None = None,
    *,
    as_text: bool = False,
) -> list[Values]:
    """Return the columns of rows.

    Parameters
    ----------
    rows
        The rows.
    declared
        The declared type of a row; None if it is that of the records.
    columns
        The names of the columns, in order; None for all.
    index
        A column that is returned in any case.
    as_text
        Whether UUIDs in lists and records are text, as those in columns are.

    Raises
    ------
    InvalidCallError
        There is no such column, or it is named twice.
    """
    rows = list(rows)
    types = set(map(type, rows))
    if declared is None and len(types) == 1:
        declared = types.copy().pop()
    is_record = _is_model(declared)
    mappings: list[Row] = rows if types <= {dict} else [_as_row(row) for row in rows]
    known = {column.name: column for column in columns_of(declared)} if is_record else {}
    # What the server sends beyond its declaration is not lost.
    sent = dict.fromkeys(_names_of(mappings))
    others = [name for name in sent if name not in known]
    names = _chosen([*known, *others], columns, index, declared)
    return [
        Values(name, known[name].kind, _keys(mappings, are_sent="id" in sent))
        if name in known and known[name].is_key_in_url
        else _read(known.get(name), name, mappings, as_text=as_text)
        for name in names
    ]


def json_text(value: object) -> str | None:
    """Return a value as JSON text; None for null."""
    return None if value is None else json.dumps(value, ensure_ascii=False, default=str)


def _is_model(kind: object) -> TypeGuard[type[Record]]:
    return isinstance(kind, type) and issubclass(kind, Record)


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return type(value) is list


def _is_dict(value: object) -> TypeGuard[dict[str, Any]]:
    return type(value) is dict


def _as_row(row: object) -> Row:
    """Return a row as a dictionary by the server's names."""
    if _is_dict(row):
        return row
    if isinstance(row, Record):
        return cast("Row", dict(row.items()))
    return {"value": row}


def _names_of(rows: Sequence[Row]) -> Iterable[str]:
    # Rows of a page have the same fields in the same order, as a rule.
    last: list[str] = []
    for row in rows:
        names = list(row)
        if names != last:
            last = names
            yield from names


def _chosen(names: Sequence[str], columns: Sequence[str] | None, index: str | None, declared: object) -> Sequence[str]:
    if isinstance(columns, str):
        raise InvalidCallError(f"columns: pass a list of names, as in columns=[{columns!r}]")
    chosen = list(names if columns is None else columns)
    for argument, name in [*(("columns", name) for name in chosen), *([("index", index)] if index is not None else [])]:
        if name not in names:
            hint = only_read_hint(declared, name) or suggest(str(name), names)
            raise InvalidCallError(f"{argument}: there is no column {name!r}. {hint}")
    if repeated := sorted({name for name in chosen if chosen.count(name) > 1}):
        raise InvalidCallError(f"columns: {repeated[0]!r} is there twice")
    return chosen if index is None or index in chosen else [index, *chosen]


def _read(column: Column | None, name: str, rows: Sequence[Row], *, as_text: bool) -> Values:
    try:
        values: list[Any] = list(map(itemgetter(name), rows))
    except KeyError:
        values = [row.get(name) for row in rows]
    kind = column.kind if column else JSON
    convert = _plain if kind.name == "json" else _converter(kind, as_text=as_text or kind.name == "uuid")
    values = values if convert is None else [None if value is None else convert(value) for value in values]
    return Values(name, kind if column else inferred(values), values)


def _keys(rows: Sequence[Row], *, are_sent: bool) -> list[str | None]:
    """Return the keys of rows, which their URLs end in; `are_sent` is whether some rows have them as a field, too."""
    with suppress(KeyError, TypeError):  # no URL, or a value of another type
        urls: list[str] = list(map(itemgetter("url"), rows))
        keys = [url[-36:] for url in urls]
        # The usual case, in a third of the time.
        if not are_sent and {url[-37:-36] for url in urls} == {"/"} and _are_uuids(keys):
            return list(keys)
    return [_key(row) for row in rows]


def _are_uuids(keys: Sequence[str]) -> bool:
    """Return whether texts are UUIDs as Python writes them."""
    # All at once, in half the time that a pattern takes.
    return pack_uuids(keys) is not None and (text := "".join(keys)) == text.lower()


def _key(row: Row) -> str | None:
    value, url = row.get("id"), row.get("url")
    with suppress(ValueError):  # neither a UUID nor a URL
        return str(UUID(key_of_url(url) if value is None and isinstance(url, str) else str(value)))
    return None


def _converter(kind: Kind, *, as_text: bool) -> Convert | None:
    """Return what makes plain values of a kind; None if they are plain. Others than the declared ones pass."""
    if kind.name == "uuid":
        return _uuid_text if as_text else None
    if kind.name == "list":
        item = _converter(kind.item, as_text=as_text) if kind.item else None
        if item is _copied_record:
            return _copied_records
        return _plain_list if item is None else lambda value: _converted_list(value, item)
    if kind.name == "record":
        fields = {
            column.name: convert for column in kind.columns if (convert := _converter(column.kind, as_text=as_text))
        }
        if not fields:
            return _copied_record
        return lambda value: _converted_record(value, fields)
    return None


def _uuid_text(value: Any) -> Any:
    return str(value) if type(value) is UUID else value


def _plain_list(value: Any) -> Any:
    # Values that differ from their declaration may be of any kind.
    return value if _is_list(value) else _plain(value)


def _converted_list(value: Any, convert: Convert) -> Any:
    if _is_list(value):
        return [None if item is None else convert(item) for item in value]
    return _plain(value)


def _copied_record(value: Any) -> Any:
    # The row itself is used again.
    if _is_dict(value):
        return value.copy()
    return dict(value.items()) if isinstance(value, Record) else value


def _copied_records(value: Any) -> Any:
    if not _is_list(value):
        return value
    # Here rather than in a call for each.
    return [record.copy() if type(record) is dict else _copied_record(record) for record in value]


def _converted_record(value: Any, fields: Mapping[str, Convert]) -> Any:
    record = _copied_record(value)
    if not _is_dict(record):
        return record
    for name, convert in fields.items():
        field = record.get(name)
        if field is not None:
            record[name] = convert(field)
    return record


def _plain(value: Any) -> Any:
    """Return a value with dictionaries in place of records."""
    if isinstance(value, Record):
        return {name: _plain(field) for name, field in value.items()}
    if _is_list(value):
        return [_plain(item) for item in value]
    if type(value) is UUID:
        return str(value)
    return value
