"""Values of other libraries as plain Python, for everything that is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, TypeGuard, cast

__all__ = ["is_list", "naive", "plain_python"]


def naive(name: str, value: datetime) -> datetime:
    """Return a date-time, if it has no time zone.

    Parameters
    ----------
    name
        The field or filter, for messages.
    value
        The date-time.

    Raises
    ------
    ValueError
        It has a time zone.
    """
    # The server would shift it to its own time zone and store it without one.
    if value.tzinfo is not None:
        raise ValueError(f"{name}: {value} has a time zone, but Alyx stores local times without one; pass it without")
    return value


def plain_python(value: object) -> object:
    """Unwrap values of NumPy and of enumerations."""
    if isinstance(value, Enum):
        return value.value
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        array = cast("Any", value)
        # Python's date-times have no nanoseconds: NumPy would return an integer instead.
        return (array.astype("datetime64[us]") if str(array.dtype) == "datetime64[ns]" else array).tolist()
    return value


def is_list(value: object) -> TypeGuard[Iterable[object]]:
    """Return whether a value is a collection of values: neither text nor a mapping."""
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)
