"""Records, lists and the outbox as HTML, for notebooks. Nothing here sends a request.

All text is the server's, and escaped. Colours are those of the notebook, whatever its theme: text, borders and stripes
derive from the colour of the text around the table.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from itertools import islice, zip_longest
from typing import Any
from urllib.parse import unquote, urlsplit

from alyx_client.errors import printable
from alyx_client.frames.values import Values, read_values
from alyx_client.http.json_body import is_array
from alyx_client.runtime.records import Record

__all__ = ["entries_html", "record_html", "rows_html"]

_ROWS = 10
_COLUMNS = 12
_CELL = 60
_FIELD = 300
_ITEMS = 3
_FIRST = ("nickname", "username", "name", "acronym", "subject", "start_time", "date_time", "number", "weight", "lab")
_LAST = ("url", "id", "auto_datetime")
# The class twice, since JupyterLab and Sphinx's themes have rules for all tables, which would come before these.
_STYLE = """<style>
.alyx-client.alyx-client { overflow-x: auto; color: inherit; }
.alyx-client.alyx-client table { border-collapse: collapse; color: inherit; background: transparent; border: 0;
  font-size: 0.9em; margin: 0; width: auto; }
.alyx-client.alyx-client tr { background: transparent; border: 0; }
.alyx-client.alyx-client th, .alyx-client.alyx-client td { padding: 0.2em 0.7em; text-align: left; vertical-align: top;
  color: inherit; background: transparent; border: 0; border-bottom: 1px solid rgba(128, 128, 128, 0.3);
  white-space: nowrap; }
.alyx-client.alyx-client .alyx-number { text-align: right; font-variant-numeric: tabular-nums; }
.alyx-client.alyx-client .alyx-record td { white-space: normal; overflow-wrap: anywhere; }
.alyx-client.alyx-client .alyx-long { white-space: normal; min-width: 16em; }
.alyx-client.alyx-client tbody tr:nth-child(even) { background: rgba(128, 128, 128, 0.08); }
.alyx-client.alyx-client tbody th { opacity: 0.65; font-weight: normal; }
.alyx-client.alyx-client a { color: inherit; text-decoration: underline; }
.alyx-client.alyx-client p { margin: 0.4em 0; opacity: 0.75; }
</style>"""


def rows_html(label: str, rows: Sequence[Any], count: int | None, declared: object) -> str:
    """Return the first rows of a list as a table.

    Parameters
    ----------
    label
        The name of what the rows are of.
    rows
        The rows that were fetched.
    count
        The number of rows; None if it is not known.
    declared
        The declared type of a row; None if it is that of the records.
    """
    shown = list(rows[:_ROWS])
    columns = read_values(shown, declared) if shown else []
    filled = [column for column in columns if any(not _is_empty(value) for value in column.values)]
    values = {column.name: column.values for column in filled}
    links = values.get("url", ())
    linked = _key_of_links(values)
    if linked is not None:
        filled = [column for column in filled if column.name != "url"]
    filled.sort(key=lambda column: (column.name != linked, _rank(column.name)))
    note = _note(label, len(shown), count)
    shown_fields = len(filled[:_COLUMNS]) + (linked is not None)
    if len(columns) > shown_fields:
        note += f"; {shown_fields} of {len(columns)} fields"
    if not shown:
        return _page(f"<p>{escape(note)}</p>")
    cells = [_column(column, links if column.name == (linked or "url") else ()) for column in filled[:_COLUMNS]]
    return _page(f"{_table(cells, range(len(shown)))}\n<p>{escape(note)}</p>")


def entries_html(label: str, entries: Mapping[str, Mapping[str, Any]], remarks: Sequence[str] = ()) -> str:
    """Return the first entries of a container as a table, whose texts are longer than those of a list's.

    Parameters
    ----------
    label
        The name of the container.
    entries
        The fields of each entry, by what heads its row; all entries have the same fields.
    remarks
        What is said below the table.
    """
    shown = dict(islice(entries.items(), _ROWS))
    rows = list(shown.values())
    columns = {name: [row[name] for row in rows] for first in rows[:1] for name in first}
    cells = [_entry_column(name, values) for name, values in columns.items() if not all(map(_is_empty, values))]
    count = f"{len(shown)} of {len(entries):,} entries" if len(shown) < len(entries) else f"{len(shown)} entries"
    if len(entries) < 2:
        count = "1 entry" if entries else "empty"
    notes = "\n".join(f"<p>{_text(note, _FIELD)}</p>" for note in (f"{label}: {count}", *remarks))
    return _page(f"{_table(cells, tuple(shown))}\n{notes}" if shown else notes)


def record_html(record: Record) -> str:
    """Return a record as a table of two columns, and the names of the fields without a value."""
    fields: dict[str, Any] = {"id": getattr(record, "id", None), **dict(record.items())}
    filled = {name: value for name, value in fields.items() if not _is_empty(value)}
    links = {"url": filled.get("url")}
    rows = "\n".join(
        f"<tr><th>{_text(name, _CELL)}</th><td>{_cell(filled[name], _FIELD, links.get(name))}</td></tr>"
        for name in sorted(filled, key=lambda name: (name != "id", _rank(name)))
    )
    table = f'<table class="alyx-record"><tbody>\n{rows}\n</tbody></table>'
    empty = ", ".join(_text(name, _CELL) for name in record if name not in filled)
    note = f"\n<p>Without a value: {empty}</p>" if empty else ""
    return _page(f"<p>{escape(type(record).__name__)}</p>\n{table}{note}")


def _page(content: str) -> str:
    return f'<div class="alyx-client">{_STYLE}\n{content}\n</div>'


def _note(label: str, shown: int, count: int | None) -> str:
    if count is None:
        return f"{label}: the first {shown} rows; not counted yet" if shown else f"{label}: not fetched yet"
    if count == shown:
        return f"{label}: {count:,} {'row' if count == 1 else 'rows'}"
    return f"{label}: {shown} of {count:,} rows"


def _table(columns: Sequence[Sequence[str]], labels: Sequence[object]) -> str:
    head = "".join(column[0] for column in columns)
    rows = "\n".join(
        f"<tr><th>{_text(str(label), _CELL)}</th>{''.join(column[row] for column in columns)}</tr>"
        for row, label in enumerate(labels, 1)
    )
    return f"<table><thead><tr><td></td>{head}</tr></thead><tbody>\n{rows}\n</tbody></table>"


def _column(column: Values, links: Sequence[object]) -> Sequence[str]:
    """Return the cells of a column, its heading first; numbers are aligned at their last digit."""
    is_number = all(_is_empty(value) or type(value) in (int, float) for value in column.values)
    attribute = ' class="alyx-number"' if is_number else ""
    cells = [_cell(value, _CELL, link) for value, link in zip_longest(column.values, links)]
    return [
        f"<th{attribute}>{_text(column.name, _CELL)}</th>",
        *(f"<td{attribute}>{cell}</td>" for cell in cells),
    ]


def _entry_column(name: str, values: Sequence[object]) -> Sequence[str]:
    """Return the cells of a column, its heading first; long texts have lines."""
    attribute = ' class="alyx-long"' if any(len(_plain(value)) > _CELL for value in values) else ""
    return [f"<th>{_text(name, _CELL)}</th>", *(f"<td{attribute}>{_cell(value, _FIELD)}</td>" for value in values)]


def _cell(value: Any, limit: int, link: object = None) -> str:
    if _is_empty(value):
        return ""
    text = _text(_key_in(value) if link is value and limit == _CELL else _plain(value), limit)
    if not isinstance(link, str) or not _is_web_address(link):
        return text
    return f'<a href="{escape(printable(link), quote=True)}" target="_blank" rel="noopener noreferrer">{text}</a>'


def _plain(value: Any) -> str:
    """Return a value as one line of text, a number without the digits that its binary form adds."""
    if type(value) is float:
        return str(float(f"{value:.12g}"))
    if is_array(value):
        is_long = len(value) > _ITEMS or any(isinstance(item, dict | list | Record) for item in value)
        return f"{len(value)} {'item' if len(value) == 1 else 'items'}" if is_long else ", ".join(map(_plain, value))
    if isinstance(value, Record):
        value = dict(value.items())
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict) else str(value)


def _text(text: str, limit: int) -> str:
    return escape(printable(text, limit=limit), quote=True)


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or value == []


def _rank(name: str) -> int:
    """Return the position of a field: those that tell records apart first, those of the database last."""
    if name in _FIRST:
        return _FIRST.index(name)
    return len(_FIRST) + (1 + _LAST.index(name) if name in _LAST else 0)


def _key_of_links(values: Mapping[str, Sequence[Any]]) -> str | None:
    """Return the field whose value is at the end of each row's URL, which needs no column of its own then."""
    ends = [_key_in(url) for url in values.get("url", ())]
    names = (name for name in values if name != "url" and list(map(str, values[name])) == ends)
    return min(names, key=_rank, default=None)


def _key_in(url: object) -> str:
    return unquote(str(url).rstrip("/").rpartition("/")[2])


def _is_web_address(url: str) -> bool:
    # Others, such as javascript:, would run in the notebook.
    try:
        return urlsplit(url).scheme in ("http", "https")
    except ValueError:
        return False
