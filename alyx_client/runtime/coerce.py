"""Values as plain Python, whatever library they come from; shared by all that is sent in a URL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, cast


def naive(name: str, value: datetime) -> datetime:
    """Return a date-time that has no time zone; one that has is a ValueError."""
    if value.tzinfo is not None:
        raise ValueError(f"{name}: {value} has a time zone, but Alyx keeps local times without one; pass it without")
    return value


def plain_python(value: object) -> object:
    """Return what NumPy and enumerations wrap."""
    if isinstance(value, Enum):
        return value.value
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        array = cast("Any", value)
        # Python's own date-times hold no nanoseconds: NumPy would give their number instead.
        return (array.astype("datetime64[us]") if str(array.dtype) == "datetime64[ns]" else array).tolist()
    return value


def is_list(value: object) -> bool:
    """Return whether a value is several values."""
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)
