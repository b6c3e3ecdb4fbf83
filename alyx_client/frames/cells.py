"""Cells of tables of pandas, polars and Arrow, column by column, as Python's own values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from alyx_client.errors import InvalidFieldError
from alyx_client.frames.libraries import library

__all__ = ["MISSING", "read_cells"]

MISSING: Any = object()
"""In place of the value of a cell that has none: null, NA, NaT or NaN."""

_KINDS = frozenset({("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "Table"), ("pyarrow", "RecordBatch")})


def read_cells(frame: object) -> tuple[dict[str, list[Any]], int]:
    """Return the columns of a table by name, and the number of rows.

    Parameters
    ----------
    frame
        A table. A named index of pandas is a column, too.

    Raises
    ------
    InvalidFieldError
        It is no table, or two columns have the same name.
    """
    table: Any = frame
    types: tuple[type, ...] = type(frame).__mro__
    kind = next((one for base in types if (one := _kind(base)) in _KINDS), None)
    if kind is None:
        hint = "; collect() it first" if _kind(types[0]) == ("polars", "LazyFrame") else ""
        name = types[0].__name__
        raise InvalidFieldError(f"pass a table of pandas, polars or Arrow, not an object of type {name}{hint}")
    read = {"pandas": _of_pandas, "polars": _of_polars, "pyarrow": _of_arrow}[kind[0]]
    columns: dict[str, list[Any]] = {}
    for name, values in read(table):
        if not isinstance(name, str) or name in columns:
            reason = "is there twice" if name in columns else "is no text; name them in frame.columns"
            if name in columns and name in getattr(getattr(frame, "index", None), "names", ()):
                reason += ", as a column and as the index; leave out one with frame.reset_index(drop=True)"
            raise InvalidFieldError(f"the name of a column, {name!r}, {reason}")
        columns[name] = values
    return columns, len(table) if kind[0] != "pyarrow" else table.num_rows


def _kind(base: type) -> tuple[str, str]:
    return base.__module__.partition(".")[0], base.__name__


def _of_pandas(frame: Any) -> Iterable[tuple[Any, list[Any]]]:
    pandas = library("pandas")
    # Labels with a name are a field that was made the index, such as a nickname.
    for level, name in enumerate(frame.index.names):
        if name is not None:
            yield name, _without_missing(pandas, frame.index.get_level_values(level).to_series())
    for position, name in enumerate(frame.columns):
        yield name, _without_missing(pandas, frame.iloc[:, position])


def _without_missing(pandas: Any, column: Any) -> list[Any]:
    values = zip(column.tolist(), pandas.isna(column).tolist(), strict=True)
    return [MISSING if is_missing else value for value, is_missing in values]


def _of_polars(frame: Any) -> Iterable[tuple[Any, list[Any]]]:
    for column in frame.get_columns():
        yield column.name, list(map(_or_missing, column.to_list()))


def _of_arrow(table: Any) -> Iterable[tuple[Any, list[Any]]]:
    for name, column in zip(table.schema.names, table.columns, strict=True):
        yield name, list(map(_or_missing, column.to_pylist()))


def _or_missing(value: Any) -> Any:
    # NaN is the only number that differs from itself.
    return MISSING if value is None or (type(value) is float and value != value) else value
