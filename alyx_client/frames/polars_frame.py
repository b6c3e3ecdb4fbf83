"""Tables of polars."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from importlib.util import find_spec
from typing import Any

from alyx_client.frames.arrow_table import arrow_type
from alyx_client.frames.kinds import Kind, fit
from alyx_client.frames.libraries import library
from alyx_client.frames.nested import with_json_text
from alyx_client.frames.values import Values

__all__ = ["make_frame"]


def make_frame(columns: Sequence[Values], *, json: str) -> Any:
    """Return a table.

    Parameters
    ----------
    columns
        The columns.
    json
        ``"object"`` for Python's objects in the columns of JSON fields.
    """
    polars = library("polars")
    return polars.DataFrame([_series(polars, column, as_object=json == "object") for column in columns])


def _series(polars: Any, column: Values, *, as_object: bool) -> Any:
    kind = fit(column.kind, column.values, deep=True)
    if as_object and kind.name == "json":
        return polars.Series(column.name, column.values, dtype=polars.Object)
    if kind.name == "zoned":
        moments = [value and value.astimezone(UTC) for value in column.values]
        return polars.Series(column.name, moments, dtype=polars.Datetime("us", "UTC"))
    dtype = polars.Enum(list(kind.words)) if kind.name == "category" else _dtype(polars, kind)
    values = with_json_text(kind, column.values)
    if kind.name in ("list", "record") and values and find_spec("pyarrow"):
        # polars looks at each value of lists and records several times; by way of Arrow, it takes a tenth of the time.
        array = library("pyarrow").array(values, arrow_type(kind))
        return polars.from_arrow(array).cast(dtype).alias(column.name)
    return polars.Series(column.name, values, dtype=dtype, strict=True)


def _dtype(polars: Any, kind: Kind) -> Any:
    if kind.name == "list" and kind.item is not None:
        return polars.List(_dtype(polars, kind.item))
    if kind.name == "record":
        return polars.Struct({column.name: _dtype(polars, column.kind) for column in kind.columns})
    scalars = {
        "boolean": polars.Boolean,
        "date": polars.Date,
        "datetime": polars.Datetime("us"),
        "duration": polars.Duration("us"),
        "integer": polars.Int64,
        "number": polars.Float64,
        "time": polars.Time,
        "zoned": polars.Datetime("us", "UTC"),
    }
    return scalars.get(kind.name, polars.String)
