"""Tables as what to send: resources or changes from rows, and every cell that cannot be sent, by row and column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from alyx_client.errors import InvalidFieldError, InvalidTableError, printable
from alyx_client.frames.cells import MISSING, read_cells
from alyx_client.http.arguments import shown
from alyx_client.http.suggestions import suggest
from alyx_client.runtime.models import Resource, fields_of

__all__ = ["changes_from_frame", "resources_from_frame"]

_SHOWN = 10
_MAX_LINE = 300
ResourceT = TypeVar("ResourceT", bound=Resource)


def resources_from_frame(model: type[ResourceT], frame: object) -> list[ResourceT]:
    """Return a resource for each row of a table; parameters and errors as for `Resource.from_frame`."""
    label = f"{model.__name__}.from_frame()"
    columns, count = _read(frame, label)
    _require_columns(model, columns, label)
    resources: list[ResourceT] = []
    bad: list[tuple[str, str]] = []
    for row in range(count):
        fields = {name: values[row] for name, values in columns.items() if values[row] is not MISSING}
        try:
            resources.append(model(**fields))
        except InvalidFieldError as error:
            bad.extend(_cells(row, fields, error))
    if bad:
        raise _refusal(label, bad)
    return resources


def changes_from_frame(model: type[Resource], frame: object, key: str) -> dict[Any, dict[str, Any]]:
    """Return the changes of each row by its key; parameters and errors as for `Resource.changes_from_frame`."""
    label = f"{model.__name__}.changes_from_frame()"
    columns, count = _read(frame, label)
    if key not in columns:
        raise InvalidTableError(f"{label}: the table has no column {key!r} with the keys. {suggest(key, columns)}")
    keys = columns.pop(key)
    _require_columns(model, columns, label, needs_required=False)
    changes: dict[Any, dict[str, Any]] = {}
    rows: dict[Any, int] = {}
    bad: list[tuple[str, str]] = []
    for row in range(count):
        # pandas makes numbers of integers if a key is missing.
        own = int(keys[row]) if isinstance(keys[row], float) and keys[row].is_integer() else keys[row]
        if own is MISSING or own in rows:
            problem = "is missing" if own is MISSING else f"{shown(own)} is in row {rows[own]}, too"
            bad.append((f"row {row}, column {key!r}", problem))
            continue
        rows[own] = row
        fields = {name: values[row] for name, values in columns.items() if values[row] is not MISSING}
        if not fields:
            continue
        changes[own] = fields
        try:
            model.changes_to_wire(fields)
        except InvalidFieldError as error:
            bad.extend(_cells(row, fields, error))
    if bad:
        raise _refusal(label, bad)
    return changes


def _read(frame: object, label: str) -> tuple[dict[str, list[Any]], int]:
    try:
        return read_cells(frame)
    except InvalidFieldError as error:
        raise InvalidFieldError(f"{label}: {error.message}") from None


def _require_columns(model: type[Resource], columns: Iterable[str], label: str, *, needs_required: bool = True) -> None:
    """Refuse columns that are no fields, and a table without a column that each record to create needs."""
    fields = fields_of(model)
    names = {name: name for name in fields} | {field.alias: name for name, field in fields.items() if field.alias}
    problems = {
        f"column {name!r}": f"is not a field that can be sent. {suggest(name, fields)}"
        for name in columns
        if name not in names
    }
    present = {names[name] for name in columns if name in names}
    for name, field in fields.items():
        if needs_required and field.is_required() and name not in present:
            problems[f"column {name!r}"] = "is missing"
    if problems:
        lines = "\n".join(f"- {place} {problem}" for place, problem in problems.items())
        raise InvalidTableError(
            f"{label}: the columns of the table do not fit:\n{lines}\nChoose the columns to send, as in "
            "frame[['nickname', 'lab']].",
            fields={place: [problem] for place, problem in problems.items()},
        )


def _cells(row: int, fields: dict[str, Any], error: InvalidFieldError) -> Iterable[tuple[str, str]]:
    for field, messages in error.fields.items():
        value = f" (it is {shown(fields[field])})" if field in fields else ""
        text = f"{', '.join(messages)}{value}"
        yield f"row {row}, column {field!r}", printable(text, limit=_MAX_LINE)


def _refusal(label: str, bad: Sequence[tuple[str, str]]) -> InvalidTableError:
    lines = [f"- {place}: {text}" for place, text in bad[:_SHOWN]]
    if len(bad) > _SHOWN:
        lines.append(f"- {len(bad) - _SHOWN} more, in `fields` of this error")
    cells = "1 cell" if len(bad) == 1 else f"{len(bad)} cells"
    heading = f"{label}: {cells} cannot be sent (rows are counted from 0):"
    return InvalidTableError("\n".join([heading, *lines]), fields={place: [text] for place, text in bad})
