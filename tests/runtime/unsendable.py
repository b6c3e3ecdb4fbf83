"""Values that neither JSON nor a query expresses, and stand-ins for those of NumPy and pandas."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

__all__ = ["COLLECTIONS", "KEYS", "VALUES", "Array", "DataFrame", "NaTType", "Timestamp"]


class NaTType(datetime):
    """pandas.NaT: a date-time that equals nothing, and whose text is "NaT"."""

    __module__ = "pandas._libs.tslibs.nattype"

    def __eq__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return True

    __hash__ = datetime.__hash__

    def isoformat(self, *arguments: Any, **options: Any) -> str:
        return "NaT"

    __str__ = isoformat


class Timestamp(datetime):
    """A time stamp of pandas, whose text has nanoseconds."""

    __module__ = "pandas._libs.tslibs.timestamps"

    def isoformat(self, *arguments: Any, **options: Any) -> str:
        return super().isoformat() + ".000000001"

    __str__ = isoformat


class DataFrame:
    """A table of pandas, which iterates over the names of its columns."""

    __module__ = "pandas.core.frame"
    columns = ("a", "b")

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)


class _Type:
    def __init__(self, name: str, kind: str) -> None:
        self.name, self.kind = name, kind

    def __str__(self) -> str:
        return self.name


class Array:
    """An array or a scalar of NumPy."""

    __module__ = "numpy"

    def __init__(self, plain: object, name: str = "object", kind: str = "O") -> None:
        self._plain = plain
        self.dtype = _Type(name, kind)

    def tolist(self) -> object:
        return self._plain

    def astype(self, name: str) -> Array:
        return self


class _Colour(Enum):
    RED = "red"


class _Iterable:
    def __iter__(self) -> Iterator[int]:
        return iter([1])


VALUES: dict[str, Callable[[], object]] = {
    "NaN": lambda: float("nan"),
    "infinity": lambda: float("-inf"),
    "decimal NaN": lambda: Decimal("sNaN"),
    "bytes": lambda: b"a",
    "bytearray": lambda: bytearray(b"a"),
    "memoryview": lambda: memoryview(b"a"),
    "complex number": lambda: 1j,
    "member of an enumeration": lambda: _Colour.RED,
    "duration": lambda: timedelta(1),
    "object": object,
    "class": lambda: int,
    "open file": lambda: io.StringIO("a\nb\n"),
    "open binary file": lambda: io.BytesIO(b"a\nb\n"),
    "iterable": _Iterable,
    "NaT": lambda: NaTType(1, 1, 1),
    "DataFrame": DataFrame,
    "NumPy's NaT": lambda: Array(None, "datetime64[ns]", "M"),
    "NumPy's NaT among others": lambda: Array([datetime(2020, 1, 1), None], "datetime64[us]", "M"),
    "time out of range": lambda: Array(10**18, "datetime64[us]", "M"),
    "NumPy's duration": lambda: Array(5, "timedelta64[ns]", "m"),
    "NumPy's record": lambda: Array((1, "a"), "[('x', '<i8')]", "V"),
    "array with NaN": lambda: Array([1.0, float("nan")], "float64", "f"),
    "array of bytes": lambda: Array([b"a"], "S1", "S"),
}
"""Values that cannot be sent anywhere."""
COLLECTIONS: dict[str, Callable[[], object]] = {
    "set": lambda: {1},
    "frozenset": lambda: frozenset({1}),
    "keys": lambda: {"a": 1}.keys(),
    "values": lambda: {"a": 1}.values(),
    "generator": lambda: (number for number in [1]),
    "iterator": lambda: iter([1]),
    "map": lambda: map(str, [1]),
    "inexact decimal": lambda: Decimal("0.12345678901234567890123"),
}
"""Values that JSON does not express, although a query does."""
KEYS: dict[str, Callable[[], object]] = {
    "None": lambda: None,
    "True": lambda: True,
    "bytes": lambda: b"a",
    "tuple": lambda: (1, 2),
    "NaN": lambda: float("nan"),
    "NaT": lambda: NaTType(1, 1, 1),
    "member of an enumeration": lambda: _Colour.RED,
}
"""Keys that JSON does not have."""
