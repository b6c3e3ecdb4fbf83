"""Checks of the arguments of public functions: a wrong one is a TypeError or ValueError that names it."""

from __future__ import annotations

import math
import operator
import os
import reprlib
import sys
from collections.abc import Mapping
from typing import cast

from alyx_client.http.url import is_encodable

__all__ = [
    "require",
    "require_count",
    "require_folder",
    "require_mapping",
    "require_positive",
    "require_seconds",
    "require_text",
    "require_whole_number",
    "shown",
]


def shown(value: object) -> str:
    """Return a value for a message, shortened where it is long."""
    try:
        return reprlib.repr(value)
    except ValueError:  # pragma: no cover - other Python version
        # Before Python 3.12, reprlib prints no integers of more than 4,300 digits.
        return f"an object of type {type(value).__name__} with thousands of digits"
    except Exception:  # pragma: no cover - other Python version
        # A class of the caller's that has the name of one of Python's, before Python 3.12.
        return f"an object of type {type(value).__name__}"


def require(name: str, value: object, kinds: type | tuple[type, ...], expected: str) -> None:
    """Check the type of an argument.

    Parameters
    ----------
    name
        The argument.
    value
        Its value, which is not shown: it may be a secret.
    kinds
        The types that it may have.
    expected
        What to pass, in words.

    Raises
    ------
    TypeError
        It is of another type.
    """
    if not isinstance(value, kinds):
        raise TypeError(f"{name}: pass {expected}, not an object of type {type(value).__name__}.")


def require_text(name: str, value: object) -> None:
    """Check an argument that is text, or None.

    Raises
    ------
    TypeError, ValueError
        It is of another type, or contains what is not a character.
    """
    if value is None:
        return
    require(name, value, str, "a text")
    if "\0" in cast("str", value) or not is_encodable(cast("str", value)):
        raise ValueError(f"{name}: the text contains a NUL, or half a surrogate pair, which is not a character.")


def require_folder(name: str, value: object) -> None:
    """Check an argument that is the path of a folder, or None.

    Raises
    ------
    TypeError, ValueError
        It is of another type, or no path can contain it.
    """
    if value is None:
        return
    require(name, value, (str, os.PathLike), "the path of a folder")
    try:
        path = os.fspath(cast("os.PathLike[str]", value))
    except Exception as error:  # the caller's own __fspath__
        raise TypeError(f"{name}: the path of a {type(value).__name__} cannot be read.") from error
    require(name, path, str, "the path of a folder as text")
    if "\0" in path:
        raise ValueError(f"{name}: the path contains a NUL character, which no path has.")
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        raise ValueError(f"{name}: the path contains half a surrogate pair, which is not a character.") from None
    user = path.partition("/")[0]
    if user.startswith("~") and os.path.expanduser(user) == user:
        raise ValueError(f"{name}: {user} is the home folder of an unknown user.")


def require_seconds(name: str, value: object) -> float | None:
    """Check an argument that is a time limit in seconds, and return it as Python's own number; None is for no limit.

    Raises
    ------
    TypeError, ValueError
        It is not a number, or not a positive one.
    """
    return None if value is None else require_positive(name, value, unit="seconds")


def require_positive(name: str, value: object, *, unit: str, or_zero: bool = False) -> float:
    """Check an argument that is a positive number of some unit, and return it as Python's own number.

    Raises
    ------
    TypeError, ValueError
        It is not a number, or not a positive one.
    """
    try:
        # Durations of NumPy are numbers, whose unit would be lost.
        kind: object = getattr(getattr(value, "dtype", None), "kind", "f")
        is_number = kind in ("i", "u", "f") and not isinstance(value, bool | str | bytes)
        number = float(cast("float", value)) if is_number else math.nan
    except Exception:  # also of the caller's own __float__
        number = math.nan
    if math.isnan(number) and not isinstance(value, float):
        raise TypeError(f"{name}: pass a number of {unit}, not an object of type {type(value).__name__}.")
    if not (number > 0 or (or_zero and number == 0)):
        raise ValueError(f"{name}={number:g}: pass a positive number of {unit}.")
    # Other numbers, such as Decimal or float32, cannot be computed with everywhere.
    return value if type(value) is int else number


def require_whole_number(name: str, value: object) -> int:
    """Check an argument that is a positive whole number of requests, and return it as Python's own number.

    Raises
    ------
    TypeError, ValueError
        It is not a number, or not such a one.
    """
    number = require_positive(name, value, unit="requests")
    if not float(number).is_integer():
        raise ValueError(f"{name}={number:g}: pass a whole number.")
    return int(number)


def require_count(name: str, value: object) -> int | None:
    """Check an argument that is a number of rows, or None, and return it as Python's own number.

    Raises
    ------
    TypeError, ValueError
        It is not an integer, or a negative one.
    """
    if value is None:
        return None
    try:
        # An array of NumPy has the method, too, and refuses, unless it has one value: counting down would change that.
        rows = None if isinstance(value, bool) else operator.index(cast("int", value))
    except Exception:  # also of the caller's own __index__
        rows = None
    if rows is None:
        raise TypeError(f"{name}: pass a number of rows, not an object of type {type(value).__name__}.")
    if not 0 <= rows <= sys.maxsize:
        raise ValueError(f"{name}: pass a number of rows, neither negative nor larger than any list.")
    return rows


def require_mapping(name: str, value: object) -> None:
    """Check an argument that is a dictionary whose keys are text, or None.

    Raises
    ------
    TypeError
        It is of another type, or has other keys.
    """
    if value is None:
        return
    require(name, value, Mapping, "a dictionary")
    try:
        keys = list(cast("Mapping[object, object]", value))
    except Exception as error:  # the caller's own __iter__
        raise TypeError(f"{name}: the keys of a {type(value).__name__} cannot be read.") from error
    for key in keys:
        require(f"{name} (its keys)", key, str, "text")
