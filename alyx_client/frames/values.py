"""Values of columns, from rows: dictionaries that were validated, or records that were made of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeGuard
from uuid import UUID

from alyx_client.errors import InvalidCallError
from alyx_client.frames.kinds import JSON, Column, Kind, columns_of, inferred
from alyx_client.frames.plain import fields_by_name, is_dict, plain_values
from alyx_client.frames.uuid_texts import uuids_of_urls
from alyx_client.http.suggestions import suggest
from alyx_client.runtime.record_errors import only_read_hint
from alyx_client.runtime.records import Record
from alyx_client.runtime.references import key_of_url

__all__ = ["Values", "json_text", "read_values"]

Row = Mapping[str, Any]


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
    mappings: list[Row] = rows if types <= {dict} else [_as_row(row) for row in rows]
    known = {column.name: column for column in columns_of(declared)} if _is_model(declared) else {}
    wanted = None if columns is None else _as_list(columns)
    names = list(known)
    read: dict[str, list[Any]] = {}
    if not _are_among(names, wanted, index):
        fields = [name for name in names if wanted is None and not known[name].is_key_in_url]
        values, others = _read_fields(mappings, fields)
        read = dict(zip(fields, values, strict=True))
        # What the server sends beyond its declaration is not lost.
        names += [name for name in others if name not in known]
    chosen = _chosen(names, wanted, index, declared)
    for name in chosen:
        if name not in read:
            is_key = name in known and known[name].is_key_in_url
            read[name] = _keys(mappings) if is_key else _read_field(mappings, name)
    return [_column(known.get(name), name, read.pop(name), as_text=as_text) for name in chosen]


def json_text(value: object) -> str | None:
    """Return a value as JSON text; None for null."""
    return None if value is None else json.dumps(value, ensure_ascii=False, default=str)


def _is_model(kind: object) -> TypeGuard[type[Record]]:
    return isinstance(kind, type) and issubclass(kind, Record)


def _as_row(row: object) -> Row:
    """Return a row as a dictionary by the server's names."""
    if is_dict(row):
        return row
    if isinstance(row, Record):
        return fields_by_name(row)
    return {"value": row}


def _as_list(columns: Sequence[str]) -> list[str]:
    if isinstance(columns, str):
        raise InvalidCallError(f"columns: pass a list of names, as in columns=[{columns!r}]")
    return list(columns)


def _are_among(names: Sequence[str], columns: list[str] | None, index: str | None) -> bool:
    """Return whether columns were chosen, and are among some names."""
    return columns is not None and all(name in names for name in columns) and (index is None or index in names)


def _chosen(names: list[str], columns: list[str] | None, index: str | None, declared: object) -> list[str]:
    chosen = names if columns is None else columns
    for argument, name in [*(("columns", name) for name in chosen), *([("index", index)] if index is not None else [])]:
        if name not in names:
            hint = only_read_hint(declared, name) or suggest(str(name), names)
            raise InvalidCallError(f"{argument}: there is no column {name!r}. {hint}")
    if repeated := sorted({name for name in chosen if chosen.count(name) > 1}):
        raise InvalidCallError(f"columns: {repeated[0]!r} is there twice")
    return chosen if index is None or index in chosen else [index, *chosen]


def _read_field(rows: Sequence[Row], name: str) -> list[Any]:
    """Return the value of a field in each row, None where there is none."""
    try:
        return list(map(itemgetter(name), rows))
    except KeyError:
        return [row.get(name) for row in rows]


def _read_fields(rows: Sequence[Row], names: Sequence[str]) -> tuple[list[list[Any]], list[str]]:
    """Return the values of some fields, and the names of the other fields that rows have."""
    if set(map(len, rows)) == {len(names)}:
        # Rows that have all of these fields, and no more fields than that, have no others: no names need to be read.
        with suppress(KeyError):
            return [list(map(itemgetter(name), rows)) for name in names], []
    others = dict.fromkeys(_names_of(rows))
    return [_read_field(rows, name) for name in names], [name for name in others if name not in names]


def _names_of(rows: Iterable[Row]) -> Iterable[str]:
    # Rows of a page have the same fields in the same order, as a rule.
    last: list[str] = []
    for row in rows:
        names = list(row)
        if names != last:
            last = names
            yield from names


def _column(column: Column | None, name: str, values: list[Any], *, as_text: bool) -> Values:
    values = plain_values(column.kind if column else JSON, values, as_text=as_text)
    return Values(name, column.kind if column else inferred(values), values)


def _keys(rows: Sequence[Row]) -> list[str | None]:
    """Return the keys of rows, which their URLs end in, unless they have them as a field, too."""
    with suppress(KeyError, TypeError):  # no URL, or a value of another type
        keys = uuids_of_urls(list(map(itemgetter("url"), rows)))
        if keys is not None and not any("id" in row for row in rows):
            return list(keys)
    return [_key(row) for row in rows]


def _key(row: Row) -> str | None:
    value, url = row.get("id"), row.get("url")
    with suppress(ValueError):  # neither a UUID nor a URL
        return str(UUID(key_of_url(url) if value is None and isinstance(url, str) else str(value)))
    return None
