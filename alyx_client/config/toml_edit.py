"""Changes a TOML text where it must and leaves the rest, comments and all, as its author wrote it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from itertools import pairwise
from typing import Any, cast

TablePath = tuple[str, ...]
_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def write_value(value: object) -> str:
    """Write a value as it stands behind the ``=``.

    Raises
    ------
    ValueError
        TOML has no way to write it: half a surrogate pair, as in the name of a file that is not UTF-8.
    TypeError
        It is of a type that TOML does not have.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + "".join(_character(character) for character in value) + '"'
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, object]", value).items()
        return "{" + ", ".join(f"{write_key(name)} = {write_value(item)}" for name, item in pairs) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(write_value(item) for item in cast("Sequence[object]", value)) + "]"
    raise TypeError(f"{type(value).__name__} has no form in TOML")


def write_key(name: str) -> str:
    """Write a name, quoted where it must be."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else write_value(name)


def write_document(document: Mapping[str, Any]) -> str:
    """Write a whole document, without comments."""
    return "\n\n".join(_tables(document, ())) + "\n"


def set_values(text: str, table: TablePath, values: Mapping[str, object]) -> str:
    r"""Set values in one table of a text; the rest stays as it is.

    A value that spans several lines, or a table written in another form than under a heading of its own, is not found:
    parse the outcome and compare.

    Parameters
    ----------
    text
        The TOML, with ``\n`` at line ends.
    table
        The table's names from the outside in; ``()`` is the top. Where there is none, it is added at the end.
    values
        What to set; None takes a value out.
    """
    lines = text.split("\n")
    start, end = _extent(lines, table)
    if start is None:
        while lines and not lines[-1].strip():
            lines.pop()
        lines += ["", _heading(table)] if lines else [_heading(table)]
        start = end = len(lines)
    body = lines[start:end]
    for name, value in values.items():
        _set(body, name, value)
    return "\n".join([*lines[:start], *body, *lines[end:]]).rstrip("\n") + "\n"


def replace_list(text: str, table: TablePath, entries: Sequence[Mapping[str, object]]) -> str:
    r"""Replace the tables under ``[[headings]]`` of one name by others, which come at the end of the text.

    Parameters
    ----------
    text
        The TOML, with ``\n`` at line ends.
    table
        The list's names from the outside in.
    entries
        The tables; values that are None are left out.
    """
    lines = text.split("\n")
    headings = [*((index, path) for index, path in _headings(lines)), (len(lines), ())]
    for (start, path), (end, _) in reversed(list(pairwise(headings))):
        if path == table:
            # The comment above the next heading is about that one.
            while end > start and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
                end -= 1
            del lines[start:end]
    blocks = ["\n".join(lines).rstrip("\n")]
    for entry in entries:
        given = [f"{write_key(name)} = {write_value(value)}" for name, value in entry.items() if value is not None]
        blocks.append("\n".join([f"[{_heading(table)}]", *given]))
    return "\n\n".join(block for block in blocks if block) + "\n"


def line_of(text: str, table: TablePath, name: str) -> int | None:
    """Tell the number of the line that gives a value its name, from 1; None where it is not found."""
    lines = text.split("\n")
    start, end = _extent(lines, table)
    if start is None:
        return None
    found = (index for index in range(start, end) if name in _parse(lines[index]))
    return next((index + 1 for index in found), None)


def _tables(table: Mapping[str, Any], path: TablePath) -> Iterator[str]:
    inner: dict[str, Mapping[str, Any]] = {name: value for name, value in table.items() if isinstance(value, dict)}
    lists = {name: value for name, value in table.items() if _is_list_of_tables(value)}
    plain = [
        f"{write_key(name)} = {write_value(value)}"
        for name, value in table.items()
        if name not in inner and name not in lists
    ]
    if plain or (path and not inner and not lists):
        yield "\n".join([*([_heading(path)] if path else []), *plain])
    for name, value in inner.items():
        yield from _tables(value, (*path, name))
    for name, entries in lists.items():
        for entry in cast("list[dict[str, object]]", entries):
            given = [f"{write_key(name)} = {write_value(value)}" for name, value in entry.items()]
            yield "\n".join([f"[{_heading((*path, name))}]", *given])


def _is_list_of_tables(value: object) -> bool:
    items = cast("list[object]", value) if isinstance(value, list) else []
    return bool(items) and all(isinstance(item, dict) for item in items)


def _heading(table: TablePath) -> str:
    return "[" + ".".join(write_key(name) for name in table) + "]"


def _extent(lines: Sequence[str], table: TablePath) -> tuple[int | None, int]:
    """Find the lines of a table: the first below its heading, and the next heading."""
    headings = list(_headings(lines))
    start = 0 if not table else next((index + 1 for index, path in headings if path == table), None)
    end = next((index for index, _ in headings if start is not None and index >= start), len(lines))
    return start, end


def _headings(lines: Sequence[str]) -> Iterator[tuple[int, TablePath]]:
    for index, line in enumerate(lines):
        if line.lstrip().startswith("["):
            path = _path(_parse(line))
            if path:
                yield index, path


def _path(value: object) -> TablePath:
    """Tell the names under which a heading, parsed alone, puts its empty table."""
    if isinstance(value, list):
        value = cast("list[object]", value)[0]
    if not isinstance(value, dict) or not value:
        return ()
    ((name, inner),) = cast("dict[str, object]", value).items()
    return (name, *_path(inner))


def _set(body: list[str], name: str, value: object) -> None:
    index = next((index for index, line in enumerate(body) if name in _assigned(line)), None)
    if index is None:
        if value is not None:
            filled = [index for index, line in enumerate(body) if _assigned(line)]
            body.insert(filled[-1] + 1 if filled else 0, f"{write_key(name)} = {write_value(value)}")
    elif value is None:
        del body[index]
    elif _assigned(body[index])[name] != value:
        comment = _comment(body[index])
        body[index] = f"{write_key(name)} = {write_value(value)}" + (f"  {comment}" if comment else "")


def _assigned(line: str) -> Mapping[str, object]:
    return {} if line.lstrip().startswith("[") else _parse(line)


def _comment(line: str) -> str:
    """Return the comment behind a value: what begins at a ``#`` without which the line means the same."""
    meant = _parse(line)
    starts = (index for index, character in enumerate(line) if character == "#")
    return next((line[start:] for start in starts if _parse(line[:start]) == meant), "")


def _parse(line: str) -> Mapping[str, object]:
    try:
        return tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return {}


def _character(character: str) -> str:
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        raise ValueError("Text with half a surrogate pair cannot be written to a TOML file.")
    if character in _SHORT:
        return _SHORT[character]
    # Line separators and the like are shown as what they are.
    return character if character.isprintable() else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
