"""Records on stdout: as a table, CSV, JSON, JSON lines or a parquet file."""

from __future__ import annotations

import csv
import json
import os
import stat
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from alyx_client.cli.completion import complete_columns
from alyx_client.cli.terminal import note, safe
from alyx_client.cli.usage_error import UsageError
from alyx_client.config.tables import is_list, is_table

__all__ = ["ColumnsOption", "Format", "FormatOption", "OutputOption", "print_record", "print_rows"]

TABLE_ROWS = 100
_MAX_CELL = 60
# What tells records apart comes first, since a terminal has room for a few columns.
_FIRST = ("id", "nickname", "name", "username", "subject", "start_time", "date_time", "number", "lab")


class Format(StrEnum):
    """Formats of records."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    PARQUET = "parquet"


FormatOption = Annotated[
    Format | None,
    typer.Option(
        "--format", "-f", help="The format; by default a table on a terminal, and JSON in pipes.", show_default=False
    ),
]
ColumnsOption = Annotated[
    str | None,
    typer.Option(
        "--columns",
        metavar="NAME,…",
        help="The fields to show; those of nested objects as json.qc.",
        autocompletion=complete_columns,
    ),
]
OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="The file to write, instead of stdout.")
]


def print_rows(
    rows: Any,
    form: Format | None,
    columns: Sequence[str],
    output: Path | None = None,
    *,
    limit: int | None = None,
    silent: bool = False,
) -> None:
    """Write the rows of a list.

    Parameters
    ----------
    rows
        The results of a list; rows are written as they arrive, except in tables.
    form
        The format; None for a table on a terminal, and JSON lines elsewhere.
    columns
        The fields to write; all if there are none.
    output
        The file; stdout by default.
    limit
        The most rows that were requested; without it, tables show the first ones.
    silent
        Show no progress.
    """
    if form is None and output is not None:
        form = _format_of(output)
    form = form or (Format.TABLE if sys.stdout.isatty() else Format.JSONL)
    if form is Format.PARQUET:
        _write_parquet(rows, columns, output)
        return
    if output is not None:
        with output.open("w", encoding="utf-8", newline="") as file:
            file.writelines(_lines(_with_progress(rows, silent=silent), form, columns))
        return
    if form is Format.TABLE:
        total = len(rows)
        shown = [_with_id(row, columns) for row in islice(rows, None if limit else TABLE_ROWS)]
        _print_table(shown, chosen=columns)
        if len(shown) < total:
            note(f"{len(shown)} of {total} rows; --max {total} shows all, and --format csv writes them")
        return
    # Beside rows on the terminal, a bar would be in the way.
    for line in _lines(_with_progress(rows, silent=silent) if _is_file_stdout() else rows, form, columns):
        sys.stdout.write(_for_terminal(line))


def _format_of(output: Path) -> Format:
    """Return the format that the ending of a file's name tells; without an ending, JSON lines."""
    ending = output.suffix.lower().removeprefix(".")
    if ending in ("", "ndjson"):
        return Format.JSONL
    if ending not in (*Format,):
        raise UsageError(f"--output: .{ending} is no format; add --format, or write .csv, .json, .jsonl or .parquet")
    return Format(ending)


def _is_file_stdout() -> bool:
    try:
        return stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)
    except (OSError, ValueError):  # a stream of Python's own
        return False


def _with_progress(rows: Any, *, silent: bool) -> Iterable[Any]:
    """Return the rows, with a bar on stderr while they are fetched, if that is a terminal."""
    if silent or not sys.stderr.isatty():
        return cast("Iterable[Any]", rows)
    from tqdm import tqdm

    return tqdm(rows, total=len(rows), unit="rows", file=sys.stderr, leave=False)


def print_record(record: Any, form: Format | None, columns: Sequence[str] = ()) -> None:
    """Write one record to stdout; a table has one row for each field."""
    form = form or (Format.TABLE if sys.stdout.isatty() else Format.JSON)
    row = plain(record, columns)
    if form is Format.PARQUET:
        raise UsageError("--format parquet is for lists")
    if form is Format.CSV:
        for line in _csv([row], list(row)):
            sys.stdout.write(line)
    elif form is Format.TABLE:
        summaries = {name: _summary(value) for name, value in row.items()}
        cells = [{"field": name, "value": value} for name, value in summaries.items()]
        _print_table(cells, chosen=("field", "value"))
        if summaries != row:
            note("--format json shows nested records")
    else:
        indent = 2 if form is Format.JSON and sys.stdout.isatty() else None
        sys.stdout.write(_for_terminal(json.dumps(row, ensure_ascii=False, indent=indent) + "\n"))


def plain(record: Any, columns: Sequence[str] = ()) -> dict[str, Any]:
    """Return a record as the values of JSON.

    Parameters
    ----------
    record
        The record, or what the server sent in its place.
    columns
        The fields to return; all if there are none.
    """
    dump = getattr(record, "model_dump", None)
    row = dump(mode="json") if dump else record
    if not isinstance(row, dict):
        return {"value": row}
    row = cast("dict[str, Any]", row)
    if "id" in columns and "id" not in row:
        row = {**row, "id": str(getattr(record, "id", "")) or None}
    return {name: _value_at(row, name) for name in columns} if columns else row


def _with_id(record: Any, columns: Sequence[str]) -> dict[str, Any]:
    """Return a record for a table, with the key that other commands take, also where only its URL has it."""
    row = plain(record, columns)
    key = None if columns or "id" in row else getattr(record, "id", None)
    return row if key is None else {"id": str(key), **row}


def _summary(value: object) -> object:
    """Return what a table shows of nested records."""
    if is_list(value) and len(value) > 1 and all(is_table(item) for item in value):
        return f"{len(value)} records"
    return value


def _value_at(row: Mapping[str, Any], path: str) -> Any:
    value: Any = row
    for name in (path,) if path in row else path.split("."):
        value = cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None
    return value


def _lines(rows: Iterable[Any], form: Format, columns: Sequence[str]) -> Iterator[str]:
    values = (plain(row, columns) for row in rows)
    if form is Format.CSV or form is Format.TABLE:
        yield from _csv(values, columns)
    elif form is Format.JSONL:
        yield from (json.dumps(row, ensure_ascii=False) + "\n" for row in values)
    else:
        yield "["
        for number, row in enumerate(values):
            yield f"{',' if number else ''}\n{json.dumps(row, ensure_ascii=False)}"
        yield "\n]\n"


class _Line:
    """A file that holds the last line written to it."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def _csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[str]:
    line = _Line()
    writer = csv.writer(line, lineterminator="\n")
    names = list(columns)
    for number, row in enumerate(rows):
        if not number:
            names = names or list(row)
            writer.writerow(names)
            yield line.text
        writer.writerow([_cell(row.get(name)) for name in names])
        yield line.text
    if not line.text and names:
        writer.writerow(names)
        yield line.text


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(item, str) for item in cast("list[object]", value)):
        return ", ".join(cast("list[str]", value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _write_parquet(rows: Any, columns: Sequence[str], output: Path | None) -> None:
    if output is None and sys.stdout.isatty():
        raise UsageError("--format parquet writes a file: add --output FILE, or redirect stdout")
    to_arrow = getattr(rows, "to_arrow", None)
    if to_arrow is None:
        raise UsageError("--format parquet is not available in this version; use csv or jsonl")
    try:
        from pyarrow import parquet  # type: ignore[import-untyped,unused-ignore]  # pyright: ignore
    except ModuleNotFoundError as error:
        raise UsageError(f'--format parquet needs {error.name}: pip install "alyx-client[arrow]"') from None
    table = to_arrow(columns=list(columns)) if columns else to_arrow()
    parquet.write_table(table, str(output) if output else sys.stdout.buffer)  # pyright: ignore


def _print_table(rows: Sequence[Mapping[str, Any]], *, chosen: Sequence[str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    cells = [{name: _table_cell(value) for name, value in row.items()} for row in rows]
    widths = {
        name: min(_MAX_CELL, max([len(name), *(len(row[name]) for row in cells)])) for name in _columns(rows, chosen)
    }
    names, left_out = list(widths), list[str]()
    if console.is_terminal and not chosen:
        names, left_out = _fitting(widths, console.width)
    elif not console.is_terminal:
        console = Console(highlight=False, width=sum(widths.values()) + 2 * len(widths) + 1)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    fold = chosen == ("field", "value")
    shares = _shares({name: widths[name] for name in names}, console.width)
    for name in names:
        table.add_column(
            Text(safe(name)),
            no_wrap=not fold,
            overflow="fold" if fold else "ellipsis",
            max_width=None if fold else shares[name],
        )
    for row in cells:
        table.add_row(*[Text(row[name]) for name in names])
    if rows:
        console.print(table)
    else:
        note("no records match")
    if left_out:
        text = f"not shown: {', '.join(left_out)} (choose with --columns)"
        note(textwrap.fill(text, console.width, break_long_words=False))


def _columns(rows: Sequence[Mapping[str, Any]], chosen: Sequence[str]) -> list[str]:
    """Return the columns of a table: those chosen, or those that have simple values, the names of records first."""
    if chosen:
        return list(chosen)
    names = list(rows[0]) if rows else []
    simple = [name for name in names if name != "url" and all(_is_simple(row.get(name)) for row in rows)]
    used = [name for name in simple if any(row.get(name) not in (None, "", []) for row in rows)]
    return [*(name for name in _FIRST if name in used), *(name for name in used if name not in _FIRST)] or names


def _fitting(widths: Mapping[str, int], width: int) -> tuple[list[str], list[str]]:
    """Return the columns that a terminal has room for, and the others."""
    names: list[str] = []
    for name, needed in widths.items():
        if names and width < needed:
            continue
        names.append(name)
        width -= needed + 2
    return names, [name for name in widths if name not in names]


def _shares(widths: Mapping[str, int], width: int) -> dict[str, int]:
    """Return the widths of columns that have to fit: narrow ones stay whole, and wide ones share the rest."""
    room, shares = width - 2 * len(widths), dict[str, int]()
    for place, (name, needed) in enumerate(sorted(widths.items(), key=lambda item: item[1])):
        shares[name] = max(1, min(needed, room // (len(widths) - place)))
        room -= shares[name]
    return shares


def _is_simple(value: object) -> bool:
    if isinstance(value, list):
        return all(not isinstance(item, dict | list) for item in cast("list[object]", value))
    return not isinstance(value, dict)


def _table_cell(value: object) -> str:
    if isinstance(value, float):
        # Sums of the server's have digits that mean nothing.
        return f"{value:.12g}"
    return safe(" ".join(_cell(value).split()))


def _for_terminal(line: str) -> str:
    # On a terminal, control characters in the server's texts are shown as JSON escapes them; in pipes, bytes stay.
    return safe(line) if sys.stdout.isatty() else line
