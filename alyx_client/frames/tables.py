"""Tables of records, by library."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from alyx_client.errors import InvalidCallError
from alyx_client.frames.values import read_values
from alyx_client.runtime.collector import COLLECTOR_PAUSE

__all__ = ["to_arrow", "to_pandas", "to_polars"]


def to_pandas(
    rows: Iterable[Any],
    declared: object = None,
    *,
    columns: Sequence[str] | None = None,
    index: str | None = None,
    json: Literal["object", "text"] = "object",
) -> Any:
    """Return a table of pandas.

    Parameters
    ----------
    rows
        Rows of a list, or records.
    declared
        The declared type of a row, such as `SessionSummary`; by default that of the records.
    columns
        The names of the columns, in order; by default all.
    index
        The column whose values become the labels of the rows.
    json
        Whether values of JSON fields are Python's objects or JSON text.

    Raises
    ------
    MissingLibraryError
        pandas is not installed.
    InvalidCallError
        There is no such column.
    """
    _require_json(json)
    from alyx_client.frames.pandas_frame import make_frame

    with COLLECTOR_PAUSE:
        return make_frame(read_values(rows, declared, columns, index), index=index, json=json)


def to_polars(
    rows: Iterable[Any],
    declared: object = None,
    *,
    columns: Sequence[str] | None = None,
    json: Literal["object", "text"] = "text",
) -> Any:
    """Return a table of polars; parameters and errors as for `to_pandas`."""
    _require_json(json)
    from alyx_client.frames.polars_frame import make_frame

    with COLLECTOR_PAUSE:
        return make_frame(read_values(rows, declared, columns, as_text=True), json=json)


def to_arrow(rows: Iterable[Any], declared: object = None, *, columns: Sequence[str] | None = None) -> Any:
    """Return a table of Arrow, in which JSON is text; parameters and errors as for `to_pandas`."""
    from alyx_client.frames.arrow_table import make_table

    with COLLECTOR_PAUSE:
        return make_table(read_values(rows, declared, columns, as_text=True))


def _require_json(json: str) -> None:
    if json not in ("object", "text"):
        raise InvalidCallError("json: pass 'object' or 'text'")
