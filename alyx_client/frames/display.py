"""Records and lists as HTML, for notebooks. Nothing here sends a request.

All text is the server's, and escaped. Colours are those of the notebook, whatever its theme: text, borders and stripes
derive from the colour of the text around the table.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import urlsplit

from alyx_client.errors import printable
from alyx_client.frames.values import Values, read_values
from alyx_client.http.json_body import is_array
from alyx_client.runtime.models import Record

__all__ = ["record_html", "rows_html"]

_ROWS = 10
_COLUMNS = 12
_CELL = 60
_FIELD = 300
_ITEMS = 3
_FIRST = ("url", "id", "nickname", "username", "name", "acronym", "subject", "start_time", "date_time", "number", "lab")
_STYLE = """<style>
.alyx-client { overflow-x: auto; color: inherit; }
.alyx-client table { border-collapse: collapse; color: inherit; background: transparent; font-size: 0.9em; }
.alyx-client th, .alyx-client td { padding: 0.2em 0.7em; text-align: left; vertical-align: top; color: inherit;
  background: transparent; border: 0; border-bottom: 1px solid rgba(128, 128, 128, 0.3); white-space: nowrap; }
.alyx-client .alyx-record td { white-space: normal; overflow-wrap: anywhere; }
.alyx-client tbody tr:nth-child(even) { background: rgba(128, 128, 128, 0.08); }
.alyx-client tbody th { opacity: 0.65; font-weight: normal; }
.alyx-client a { color: inherit; text-decoration: underline; }
.alyx-client p { margin: 0.4em 0; opacity: 0.75; }
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
    if _are_at_end({column.name: column.values for column in filled}):
        # The links have the keys as their text.
        filled = [column for column in filled if column.name != "id"]
    filled.sort(key=lambda column: _FIRST.index(column.name) if column.name in _FIRST else len(_FIRST))
    note = _note(label, len(shown), count)
    if len(columns) > len(filled[:_COLUMNS]):
        note += f"; {len(filled[:_COLUMNS])} of {len(columns)} fields"
    if not shown:
        return _page(f"<p>{escape(note)}</p>")
    return _page(f"{_table(filled[:_COLUMNS], len(shown))}\n<p>{escape(note)}</p>")


def record_html(record: Record) -> str:
    """Return a record as a table of two columns."""
    fields: Mapping[str, Any] = {"id": getattr(record, "id", None), **dict(record.items())}
    rows = "\n".join(
        f"<tr><th>{_text(name, _CELL)}</th><td>{_cell(name, value, _FIELD)}</td></tr>"
        for name, value in fields.items()
        if name != "id" or value is not None
    )
    table = f'<table class="alyx-record"><tbody>\n{rows}\n</tbody></table>'
    return _page(f"<p>{escape(type(record).__name__)}</p>\n{table}")


def _page(content: str) -> str:
    return f'<div class="alyx-client">{_STYLE}\n{content}\n</div>'


def _note(label: str, shown: int, count: int | None) -> str:
    if count is None:
        return f"{label}: the first {shown} rows; not counted yet" if shown else f"{label}: not fetched yet"
    if count == shown:
        return f"{label}: {count:,} {'row' if count == 1 else 'rows'}"
    return f"{label}: {shown} of {count:,} rows"


def _table(columns: Sequence[Values], count: int) -> str:
    head = "".join(f"<th>{_text(column.name, _CELL)}</th>" for column in columns)
    rows = "\n".join(f"<tr><th>{row}</th>{''.join(_cells(columns, row))}</tr>" for row in range(count))
    return f"<table><thead><tr><th></th>{head}</tr></thead><tbody>\n{rows}\n</tbody></table>"


def _cells(columns: Iterable[Values], row: int) -> Iterable[str]:
    return (f"<td>{_cell(column.name, column.values[row], _CELL)}</td>" for column in columns)


def _cell(name: str, value: Any, limit: int) -> str:
    if _is_empty(value):
        return ""
    if name == "url" and isinstance(value, str) and _is_web_address(value):
        label = value.rstrip("/").rpartition("/")[2] if limit == _CELL else value
        target = escape(printable(value), quote=True)
        return f'<a href="{target}" target="_blank" rel="noopener noreferrer">{_text(label, limit)}</a>'
    return _text(_plain(value), limit)


def _plain(value: Any) -> str:
    """Return a value as one line of text."""
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


def _are_at_end(values: Mapping[str, Sequence[Any]]) -> bool:
    """Return whether the key of each row is at the end of its URL."""
    pairs = zip(values.get("id", ()), values.get("url", ()), strict=False)
    return "url" in values and all(str(url).rstrip("/").endswith(str(key)) for key, url in pairs)


def _is_web_address(url: str) -> bool:
    # Others, such as javascript:, would run in the notebook.
    try:
        return urlsplit(url).scheme in ("http", "https")
    except ValueError:
        return False
