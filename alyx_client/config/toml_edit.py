"""Editing TOML text in place: what is not changed, comments included, stays as its author wrote it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from alyx_client.config.tables import Table, TablePath, is_list, is_table
from alyx_client.config.toml_write import write_assignments, write_heading, write_key, write_value

__all__ = ["line_of", "replace_list", "set_values"]


def set_values(text: str, path: TablePath, values: Mapping[str, object]) -> str:
    r"""Set values in one table.

    Values that span several lines, and tables without a heading of their own, are not recognised: parse the result and
    compare.

    Parameters
    ----------
    text
        The TOML, with ``\n`` as line ending.
    path
        The table. A missing one is added at the end.
    values
        The values; None removes one.
    """
    lines = text.split("\n")
    start, end = _find_table(lines, path)
    if start is None:
        # One blank line before the new heading, however many there are.
        while lines and not lines[-1].strip():
            lines.pop()
        lines += ["", write_heading(path)] if lines else [write_heading(path)]
        start = end = len(lines)
    body = lines[start:end]
    for name, value in values.items():
        _set_value(body, name, value)
    return "\n".join([*lines[:start], *body, *lines[end:]]).rstrip("\n") + "\n"


def replace_list(text: str, path: TablePath, tables: Sequence[Mapping[str, object]]) -> str:
    r"""Replace a list of tables, that is those under ``[[headings]]`` of one name; the new ones go to the end.

    Parameters
    ----------
    text
        The TOML, with ``\n`` as line ending.
    path
        The list.
    tables
        The tables; values that are None are left out.
    """
    lines = text.split("\n")
    headings = [*_headings(lines), (len(lines), ())]
    # From the end, so that the line numbers of earlier headings stay right.
    for (start, heading), (end, _) in reversed(list(pairwise(headings))):
        if heading == path:
            del lines[start : _end_of_table(lines, start, end)]
    blocks = ["\n".join(lines).rstrip("\n")]
    blocks += ["\n".join([write_heading(path, in_list=True), *write_assignments(table)]) for table in tables]
    return "\n\n".join(block for block in blocks if block) + "\n"


def line_of(text: str, path: TablePath, name: str) -> int | None:
    """Return the number of the line that assigns a value, counted from 1; None if it is not recognised."""
    lines = text.split("\n")
    start, end = _find_table(lines, path)
    if start is None:
        return None
    return next((index + 1 for index in range(start, end) if name in _parse(lines[index])), None)


def _find_table(lines: Sequence[str], path: TablePath) -> tuple[int | None, int]:
    """Return the first line below a table's heading, None if there is none, and the line of the next heading."""
    headings = list(_headings(lines))
    start = 0 if not path else next((index + 1 for index, heading in headings if heading == path), None)
    end = next((index for index, _ in headings if start is not None and index >= start), len(lines))
    return start, end


def _headings(lines: Sequence[str]) -> Iterator[tuple[int, TablePath]]:
    for index, line in enumerate(lines):
        if line.lstrip().startswith("["):
            # A line that only looks like a heading, in a list of several lines, does not parse as one.
            path = _heading_path(_parse(line))
            if path:
                yield index, path


def _heading_path(value: object) -> TablePath:
    """Return the names under which a heading, parsed alone, puts its empty table."""
    if is_list(value):
        value = value[0]
    if not is_table(value) or not value:
        return ()
    ((name, inner),) = value.items()
    return (name, *_heading_path(inner))


def _end_of_table(lines: Sequence[str], start: int, next_heading: int) -> int:
    """Return where a table ends: before the comment above the next heading, which is about that one."""
    end = next_heading
    while end > start and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return end


def _set_value(body: list[str], name: str, value: object) -> None:
    index = next((index for index, line in enumerate(body) if name in _assigned(line)), None)
    if index is None:
        if value is not None:
            # After the last value, not at the end of the table: the comment there may be about the next heading.
            assignments = [index for index, line in enumerate(body) if _assigned(line)]
            body.insert(assignments[-1] + 1 if assignments else 0, f"{write_key(name)} = {write_value(value)}")
    elif value is None:
        del body[index]
    # An equal value keeps its notation, such as 0x10 or a literal string.
    elif _assigned(body[index])[name] != value:
        comment = _comment(body[index])
        body[index] = f"{write_key(name)} = {write_value(value)}" + (f"  {comment}" if comment else "")


def _assigned(line: str) -> Table:
    return {} if line.lstrip().startswith("[") else _parse(line)


def _comment(line: str) -> str:
    """Return the comment after a value: it begins at a ``#`` without which the line means the same."""
    meaning = _parse(line)
    starts = (index for index, character in enumerate(line) if character == "#")
    return next((line[start:] for start in starts if _parse(line[:start]) == meaning), "")


def _parse(line: str) -> Table:
    try:
        return tomllib.loads(line)
    except (ValueError, RecursionError):  # not TOML alone; nor is a part of a value of several lines
        return {}
