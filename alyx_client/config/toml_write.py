"""TOML values and documents as text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time

from alyx_client.config.tables import Table, TablePath, is_list, is_table

__all__ = ["write_assignments", "write_document", "write_heading", "write_key", "write_value"]

_ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def write_value(value: object) -> str:
    """Return the text of a value, on one line.

    Raises
    ------
    ValueError
        TOML cannot represent it: half a surrogate pair, as in the name of a file that is not UTF-8.
    TypeError
        TOML has no such type.
    """
    # Before int, whose subclass it is.
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + "".join(_escape(character) for character in value) + '"'
    # Python's notation of numbers, infinities included, is also TOML's.
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if is_table(value):
        return "{" + ", ".join(write_assignments(value)) + "}"
    if is_list(value):
        return "[" + ", ".join(write_value(item) for item in value) + "]"
    raise TypeError(f"{type(value).__name__} has no form in TOML")


def write_key(name: str) -> str:
    """Return the text of a name, quoted if necessary."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else write_value(name)


def write_assignments(values: Mapping[str, object]) -> list[str]:
    """Return the text of each name and value; None stands for a value that is left out."""
    return [f"{write_key(name)} = {write_value(value)}" for name, value in values.items() if value is not None]


def write_heading(path: TablePath, *, in_list: bool = False) -> str:
    """Return the heading of a table, or of one table in a list."""
    heading = "[" + ".".join(write_key(name) for name in path) + "]"
    return f"[{heading}]" if in_list else heading


def write_document(document: Table) -> str:
    """Return the text of a document, without comments."""
    return "\n\n".join(_write_table(document, ())) + "\n"


def _write_table(table: Table, path: TablePath) -> Iterator[str]:
    """Yield the blocks of a table and of the tables in it."""
    plain: dict[str, object] = {}
    tables: dict[str, Table] = {}
    lists: dict[str, list[Table]] = {}
    for name, value in table.items():
        if is_table(value):
            tables[name] = value
        elif entries := _list_of_tables(value):
            lists[name] = entries
        else:
            plain[name] = value
    # In TOML everything below a heading belongs to it, so that plain values come first.
    if plain or (path and not tables and not lists):
        yield _write_block([write_heading(path)] if path else [], plain)
    for name, inner in tables.items():
        yield from _write_table(inner, (*path, name))
    for name, entries in lists.items():
        heading = write_heading((*path, name), in_list=True)
        yield from (_write_block([heading], entry) for entry in entries)


def _write_block(heading: list[str], values: Table) -> str:
    return "\n".join([*heading, *write_assignments(values)])


def _list_of_tables(value: object) -> list[Table]:
    if not is_list(value):
        return []
    tables = [item for item in value if is_table(item)]
    return tables if len(tables) == len(value) else []


def _escape(character: str) -> str:
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        raise ValueError("Text with half a surrogate pair cannot be written to a TOML file.")
    if character in _ESCAPES:
        return _ESCAPES[character]
    # Line separators and the like would be invisible.
    return character if character.isprintable() else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
