"""Tables as records to send: a resource from each row, and every cell that cannot be sent, named by row and column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from alyx_client.errors import InvalidFieldError, InvalidTableError, printable
from alyx_client.frames.cells import MISSING, read_cells
from alyx_client.http.arguments import shown
from alyx_client.http.suggestions import suggest
from alyx_client.runtime.models import Resource, fields_of

__all__ = ["resources_from_frame"]

_SHOWN = 10
_MAX_LINE = 300
ResourceT = TypeVar("ResourceT", bound=Resource)


def resources_from_frame(model: type[ResourceT], frame: object) -> list[ResourceT]:
    """Return a resource for each row of a table; parameters and errors as for `Resource.from_frame`."""
    try:
        columns, count = read_cells(frame)
    except InvalidFieldError as error:
        raise InvalidFieldError(f"{model.__name__}.from_frame(): {error.message}") from None
    _require_columns(model, columns)
    resources: list[ResourceT] = []
    bad: list[tuple[str, str]] = []
    for row in range(count):
        fields = {name: values[row] for name, values in columns.items() if values[row] is not MISSING}
        try:
            resources.append(model(**fields))
        except InvalidFieldError as error:
            bad.extend(_cells(row, fields, error))
    if bad:
        raise _refusal(model, bad)
    return resources


def _require_columns(model: type[Resource], columns: Iterable[str]) -> None:
    """Refuse columns that are no fields, and a table without a column that each record needs."""
    fields = fields_of(model)
    names = {name: name for name in fields} | {field.alias: name for name, field in fields.items() if field.alias}
    problems = {
        f"column {name!r}": f"is not a field that can be sent. {suggest(name, fields)}"
        for name in columns
        if name not in names
    }
    present = {names[name] for name in columns if name in names}
    for name, field in fields.items():
        if field.is_required() and name not in present:
            problems[f"column {name!r}"] = "is missing"
    if problems:
        lines = "\n".join(f"- {place} {problem}" for place, problem in problems.items())
        raise InvalidTableError(
            f"{model.__name__}.from_frame(): the columns of the table do not fit:\n{lines}\nChoose the columns to "
            "send, as in frame[['nickname', 'lab']].",
            fields={place: [problem] for place, problem in problems.items()},
        )


def _cells(row: int, fields: dict[str, Any], error: InvalidFieldError) -> Iterable[tuple[str, str]]:
    for field, messages in error.fields.items():
        value = f" (it is {shown(fields[field])})" if field in fields else ""
        text = f"{', '.join(messages)}{value}"
        yield f"row {row}, column {field!r}", printable(text, limit=_MAX_LINE)


def _refusal(model: type[Resource], bad: Sequence[tuple[str, str]]) -> InvalidTableError:
    lines = [f"- {place}: {text}" for place, text in bad[:_SHOWN]]
    if len(bad) > _SHOWN:
        lines.append(f"- {len(bad) - _SHOWN} more, in `fields` of this error")
    cells = "1 cell" if len(bad) == 1 else f"{len(bad)} cells"
    heading = f"{model.__name__}.from_frame(): {cells} cannot be sent (rows are counted from 0):"
    return InvalidTableError("\n".join([heading, *lines]), fields={place: [text] for place, text in bad})
