"""Tables of Arrow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alyx_client.frames.kinds import Kind, fit
from alyx_client.frames.libraries import library
from alyx_client.frames.nested import with_json_text
from alyx_client.frames.values import Values

__all__ = ["arrow_type", "make_table"]


def make_table(columns: Sequence[Values]) -> Any:
    """Return a table."""
    arrow = library("pyarrow")
    return arrow.table([_array(arrow, column) for column in columns], names=[column.name for column in columns])


def _array(arrow: Any, column: Values) -> Any:
    kind = fit(column.kind, column.values, deep=True)
    if kind.name == "category":
        codes = {word: code for code, word in enumerate(kind.words)} | {None: None}
        indices = arrow.array(list(map(codes.__getitem__, column.values)), arrow.int32())
        return arrow.DictionaryArray.from_arrays(indices, arrow.array(list(kind.words), arrow.string()))
    return arrow.array(with_json_text(kind, column.values), arrow_type(kind))


def arrow_type(kind: Kind) -> Any:
    """Return the type of a kind's values."""
    arrow = library("pyarrow")
    if kind.name == "list" and kind.item is not None:
        return arrow.list_(arrow_type(kind.item))
    if kind.name == "record":
        return arrow.struct([(column.name, arrow_type(column.kind)) for column in kind.columns])
    scalars = {
        "boolean": arrow.bool_(),
        "date": arrow.date32(),
        "datetime": arrow.timestamp("us"),
        "duration": arrow.duration("us"),
        "integer": arrow.int64(),
        "number": arrow.float64(),
        "time": arrow.time64("us"),
        "zoned": arrow.timestamp("us", "UTC"),
    }
    return scalars.get(kind.name, arrow.string())
