"""Tables of pandas."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC
from typing import Any

from alyx_client.frames.kinds import Kind, fit
from alyx_client.frames.libraries import library
from alyx_client.frames.values import Values, json_text

__all__ = ["make_frame"]

_DTYPES = {"date": "datetime64[s]", "datetime": "datetime64[us]", "duration": "timedelta64[us]"}


def make_frame(columns: Sequence[Values], *, index: str | None, json: str) -> Any:
    """Return a table.

    Parameters
    ----------
    columns
        The columns.
    index
        The column whose values become the labels of the rows.
    json
        ``"text"`` for JSON text in the columns of JSON fields.
    """
    pandas = library("pandas")
    build = _Arrays(pandas, as_text=json == "text")
    arrays = {column.name: build.array(column) for column in columns}
    labels = None if index is None else pandas.Index(arrays.pop(index), name=index)
    # Not consolidated: that would copy all columns of a kind, which are new anyway. No names would be numbers.
    return pandas.DataFrame(arrays, index=labels, columns=None if arrays else [], copy=False)


class _Arrays:
    """Makes the arrays of columns."""

    def __init__(self, pandas: Any, *, as_text: bool) -> None:
        self._pandas = pandas
        self._numpy = library("numpy")
        self._as_text = as_text
        # What pandas itself makes of text; before version 3, arrays of objects.
        is_new = int(pandas.__version__.partition(".")[0]) >= 3
        self._text: Any = pandas.StringDtype(na_value=self._numpy.nan) if is_new else object
        # How pandas stores it where pyarrow is installed.
        self._arrow = library("pyarrow") if getattr(self._text, "storage", None) == "pyarrow" else None

    def array(self, column: Values) -> Any:
        """Return the array of a column."""
        if column.kind.name in ("text", "uuid") and self._arrow is not None:
            # Arrow looks at the types, too. Others than text are found out about below.
            with suppress(self._arrow.ArrowTypeError):
                return self._texts(column.values)
        kind, values = fit(column.kind, column.values), column.values
        match kind.name:
            case "boolean":
                return self._masked(values, False, "bool", self._pandas.arrays.BooleanArray)
            case "integer":
                return self._masked(values, 0, "int64", self._pandas.arrays.IntegerArray)
            case "number":
                return self._numpy.array(values, dtype="float64")  # NaN in place of None
            case "datetime" | "date" | "duration":
                return self._pandas.array(self._objects(values), dtype=_DTYPES[kind.name])
            case "zoned":
                moments = [value and value.astimezone(UTC).replace(tzinfo=None) for value in values]
                naive = self._pandas.array(self._objects(moments), dtype="datetime64[us]")
                return self._pandas.DatetimeIndex(naive).tz_localize("UTC")
            case "text" | "uuid":
                return self._texts(values)
            case "category":
                return self._categories(kind, values)
            case "json" if self._as_text and not kind.drifted:
                return self._texts(list(map(json_text, values)))
            case _:
                return self._objects(values)

    def _objects(self, values: list[Any]) -> Any:
        # numpy.array() would make more dimensions of lists.
        return self._numpy.fromiter(values, dtype=object, count=len(values))

    def _texts(self, values: list[Any]) -> Any:
        if self._arrow is None:
            return self._pandas.array(self._objects(values), dtype=self._text)
        # pandas looks at each value before it calls this.
        return self._text.__from_arrow__(self._arrow.array(values, self._arrow.large_string()))

    def _masked(self, values: list[Any], filler: object, dtype: str, masked: Any) -> Any:
        objects = self._objects(values)
        missing = self._numpy.equal(objects, None)
        objects[missing] = filler
        return masked(objects.astype(dtype), missing)

    def _categories(self, kind: Kind, values: list[Any]) -> Any:
        codes = {word: code for code, word in enumerate(kind.words)} | {None: -1}
        dtype = self._pandas.CategoricalDtype(self._pandas.Index(list(kind.words), dtype=self._text))
        numbers = self._numpy.fromiter(map(codes.__getitem__, values), dtype="int32", count=len(values))
        return self._pandas.Categorical.from_codes(numbers, dtype=dtype)
