"""Values to send: the plain Python value of each, or an error that names its place.

Bodies, filters, Django lookups and lookup keys are all converted here. A value that neither JSON nor a query can
express is refused: a guess would be stored without a word.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set, ValuesView
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from itertools import islice
from pathlib import PurePath
from typing import Any, Protocol, TypeGuard, TypeVar, cast, runtime_checkable
from uuid import UUID

from alyx_client.errors import InvalidFieldError

__all__ = [
    "Sendable",
    "UnsendableValueError",
    "entries",
    "has_booleans",
    "is_from_library",
    "is_list",
    "naive",
    "plain_python",
    "query_value",
    "several",
    "unsendable",
]

K = TypeVar("K")
V = TypeVar("V")
_MAX_ITEMS = 1_000_000
_EXACT = frozenset({type(None), bool, int, str})
_TEXT = (str, bytes, bytearray, memoryview)
# Python's date-times have no unit below microseconds: NumPy would return integers instead.
_FINER_UNITS = frozenset(f"datetime64[{unit}]" for unit in ("ns", "ps", "fs", "as"))
# A record with named columns, and a duration: their lists and integers would lose the names and the unit.
_AMBIGUOUS_KINDS = frozenset("Vm")
_NO_TIME = "a time that is missing (NaT) or out of range cannot be sent; pass None if there is none"


class UnsendableValueError(InvalidFieldError, TypeError):
    """A value has a type that neither JSON nor a query can express; nothing was sent."""


@runtime_checkable
class Sendable(Protocol):
    """An object that can be sent as JSON, such as a `Resource`."""

    def to_wire(self) -> dict[str, Any]:
        """Return the object as plain JSON."""
        ...


def unsendable(place: str, reason: str) -> UnsendableValueError:
    """Return the error for a value that cannot be sent.

    Parameters
    ----------
    place
        The field or filter, and the place in it: ``json['a'][0]``.
    reason
        The reason, and a value to send instead.
    """
    return UnsendableValueError(f"{place}: {reason}", fields={place: [reason]})


def naive(place: str, value: datetime) -> datetime:
    """Return a date-time, if it has no time zone.

    Parameters
    ----------
    place
        The field or filter, for messages.
    value
        The date-time.

    Raises
    ------
    UnsendableValueError
        It has a time zone.
    """
    # The server would shift it to its own time zone and store it without one.
    if value.tzinfo is not None:
        raise unsendable(place, f"{value} has a time zone, but Alyx stores local times without one; pass it without")
    return value


def plain_python(value: object, place: str, leaf: Callable[[Any, str], object] | None = None) -> object:
    """Return a value as plain Python, all that it contains included.

    Parameters
    ----------
    value
        Text, a number, a boolean, None, a date, time, UUID, path or resource; a NumPy or pandas value of these; or
        sequences and mappings of them.
    place
        The field or filter, for messages.
    leaf
        Converts what has no exact counterpart in JSON: dates, times, decimal numbers, UUIDs, paths and resources.

    Raises
    ------
    UnsendableValueError
        A value is none of these; the message names its place.
    """
    try:
        return _plain(value, place, leaf)
    except InvalidFieldError:
        raise
    except RecursionError:
        raise unsendable(place, "it contains itself, or is nested too deeply") from None
    except Exception as error:  # the methods of an object of another library may raise anything
        raise _unreadable(place, value, error) from error


def several(values: object, place: str) -> list[object]:
    """Return the items of a collection or an iterator, of which there may be a million.

    Parameters
    ----------
    values
        The collection.
    place
        The argument, for messages.

    Raises
    ------
    UnsendableValueError
        There are more, perhaps without end, or iterating fails.
    """
    try:
        items = list(islice(cast("Iterable[object]", values), _MAX_ITEMS + 1))
    except Exception as error:  # as above; a generator runs the caller's code
        raise _unreadable(place, values, error) from error
    if len(items) > _MAX_ITEMS:
        raise unsendable(place, f"more than {_MAX_ITEMS:,} values cannot be sent; send fewer at a time")
    return items


def entries(mapping: Mapping[K, V], place: str) -> list[tuple[K, V]]:
    """Return the keys and values of a mapping, whose own methods may be the caller's code.

    Raises
    ------
    UnsendableValueError
        They cannot be read.
    """
    try:
        return list(mapping.items())
    except Exception as error:  # as above
        raise _unreadable(place, mapping, error) from error


def _unreadable(place: str, value: object, error: Exception) -> UnsendableValueError:
    return unsendable(place, f"a {type(value).__name__} cannot be read ({type(error).__name__})")


def query_value(value: object, place: str) -> object:
    """Return the value of a filter as plain Python; sets, views and iterators are lists of values, too.

    Parameters
    ----------
    value
        The value.
    place
        The filter, for messages.

    Raises
    ------
    UnsendableValueError
        A query cannot express the value.
    """
    # An open file would be read as the list of its lines. The labels of a column of pandas have no place in a query.
    has_labels = _has_labels(value)
    is_several = isinstance(value, Set | ValuesView | Iterator) and not hasattr(cast("object", value), "read")
    is_several = is_several or has_labels
    return plain_python(several(cast("Any", value), place) if is_several else cast("Any", value), place)


def is_list(value: object) -> TypeGuard[Iterable[object]]:
    """Return whether a value is a collection of values: neither text nor a mapping."""
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)


def is_from_library(value: object) -> bool:
    """Return whether a value is one of NumPy or pandas."""
    return type(value).__module__.partition(".")[0] in ("numpy", "pandas")


def _plain(value: object, place: str, leaf: Callable[[Any, str], object] | None) -> object:
    if type(value) in _EXACT:
        return value
    value = _one(value, place)
    if isinstance(value, Mapping):
        return _object(cast("Mapping[object, object]", value), place, leaf)
    if isinstance(value, Sequence) and not isinstance(value, str):
        values = cast("Sequence[object]", value)
        items = values if isinstance(value, list | tuple) else several(values, place)
        return [_plain(item, f"{place}[{index}]", leaf) for index, item in enumerate(items)]
    return value if leaf is None or isinstance(value, str | int | float | None) else leaf(value, place)


def _object(mapping: Mapping[object, object], place: str, leaf: Callable[[Any, str], object] | None) -> object:
    items = {_key(key, place): _plain(item, f"{place}[{key!r}]", leaf) for key, item in mapping.items()}
    if len(items) < len(mapping):
        raise unsendable(place, "two of its keys are the same text, and one value would be lost")
    return items


def _key(key: object, place: str) -> str:
    """Return a key of a mapping as text, the only kind that JSON has."""
    key = key if type(key) is str else _one(key, place)
    if isinstance(key, date | time):
        return key.isoformat()
    if isinstance(key, str | int | float | UUID | PurePath) and not isinstance(key, bool):
        return str(key)
    raise unsendable(place, f"{key!r} is a key, and JSON has only text as keys; pass the text that is meant")


def _one(value: object, place: str) -> object:
    """Return a value without its subclass or library; the items of a collection are left as they are."""
    if is_from_library(value) and hasattr(value, "tolist"):
        value = _from_library(value, place)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return value if isinstance(value, bool) else int(value)
    if isinstance(value, float | Decimal):
        if not (math.isfinite(value) if isinstance(value, float) else value.is_finite()):
            raise unsendable(
                place, f"{value} is infinite or not a number, and cannot be sent; pass None if there is none"
            )
        return float(value) if isinstance(value, float) else value
    if isinstance(value, date | time):
        return _moment(value, place)
    if value is None or isinstance(value, UUID | PurePath | Mapping | Sendable):
        return cast("object", value)
    if isinstance(value, Sequence) and not isinstance(value, _TEXT):
        return cast("object", value)
    raise _refusal(cast("Any", value), place)


def _moment(value: date | time, place: str) -> date | time:
    # pandas.NaT is a datetime, which is not equal to itself, and its text is "NaT".
    if value != value:
        raise unsendable(place, _NO_TIME)
    if isinstance(value, datetime) and type(value) is not datetime:
        # pandas.Timestamp also has nanoseconds, which the server would not store.
        return datetime.combine(date(value.year, value.month, value.day), _time(value), value.tzinfo)
    return value


def _time(value: datetime) -> time:
    return time(value.hour, value.minute, value.second, value.microsecond, fold=value.fold)


def _from_library(value: object, place: str) -> object:
    """Return a scalar, an array or a column as Python's own values."""
    array: Any = value
    if type(value).__module__.partition(".")[0] == "pandas":
        if _has_labels(value):
            raise unsendable(
                place,
                f"a {type(value).__name__} with labels cannot be sent, since a list would lose them; pass its "
                ".to_dict(), or its .tolist() if the values alone are meant",
            )
        return array.tolist()
    kind = getattr(array.dtype, "kind", "")
    # Other modules of NumPy have arrays with masks or named fields, whose lists do not tell what is missing.
    if type(value).__module__ != "numpy" or kind in _AMBIGUOUS_KINDS:
        raise _refusal(value, place)
    plain: object = (array.astype("datetime64[us]") if str(array.dtype) in _FINER_UNITS else array).tolist()
    # Missing times would become None, that is null, and times out of Python's range integers.
    if kind == "M" and not _are_dates(plain):
        raise unsendable(place, _NO_TIME)
    if type(plain) is type(value):  # numpy.longdouble has no counterpart in Python
        raise _refusal(value, place)
    return plain


def _has_labels(value: object) -> bool:
    """Return whether a value is a column or a row of pandas whose index is more than numbers of rows."""
    if not is_from_library(value):
        return False
    index = getattr(value, "index", None)
    return hasattr(value, "tolist") and getattr(getattr(index, "dtype", None), "kind", "i") not in "iu"


def _are_dates(value: object) -> bool:
    return all(map(_are_dates, cast("list[object]", value))) if isinstance(value, list) else isinstance(value, date)


def _refusal(value: object, place: str) -> UnsendableValueError:
    kind = type(value).__name__
    if isinstance(value, Enum):
        return unsendable(place, f"a {kind} cannot be sent; pass its name or its value, whichever the server stores")
    hint = "; pass a list, or a dictionary" if isinstance(value, Iterable) and not isinstance(value, _TEXT) else ""
    return unsendable(place, f"a {kind} cannot be sent{hint}")


def has_booleans(value: object) -> bool:
    """Return whether a plain value is a boolean, or a list with one in it."""
    return isinstance(value, bool) or (isinstance(value, list) and any(map(has_booleans, cast("list[object]", value))))
