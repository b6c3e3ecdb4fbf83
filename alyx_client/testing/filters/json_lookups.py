"""Look-ups on text, on ordered values, and inside JSON columns."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from alyx_client.testing.failures import ServerFailure
from alyx_client.testing.records.json_values import is_list, is_object, is_sequence

Test = Callable[[object], bool]

TEXT: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, operand: operand in text,
    "icontains": lambda text, operand: operand.lower() in text.lower(),
    "startswith": lambda text, operand: text.startswith(operand),
    "istartswith": lambda text, operand: text.lower().startswith(operand.lower()),
    "endswith": lambda text, operand: text.endswith(operand),
    "iendswith": lambda text, operand: text.lower().endswith(operand.lower()),
    "iexact": lambda text, operand: text.lower() == operand.lower(),
    "regex": lambda text, operand: re.search(operand, text) is not None,
    "iregex": lambda text, operand: re.search(operand, text, re.IGNORECASE) is not None,
}
ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda value, operand: value > operand,
    "gte": lambda value, operand: value >= operand,
    "lt": lambda value, operand: value < operand,
    "lte": lambda value, operand: value <= operand,
}
KEY_LOOKUPS = ("has_key", "has_keys", "has_any_keys", "contained_by")

MISSING = object()
"""The value at an absent key of a JSON column."""


def as_text(value: object) -> str:
    """Return a value as text."""
    return value if isinstance(value, str) else str(value)


def check_pattern(text: str) -> None:
    """Check a regular expression.

    Raises
    ------
    ServerFailure
        It is not valid.
    """
    try:
        re.compile(text)
    except re.error as error:
        raise ServerFailure(f"invalid regular expression: {error}") from None


def iterable_operand(operand: object) -> Iterable[object]:
    """Return the operand of a look-up that takes several values.

    Raises
    ------
    ServerFailure
        It is a single value.
    """
    if is_sequence(operand) or isinstance(operand, str):
        return operand
    raise ServerFailure(f"'{type(operand).__name__}' object is not iterable")


def value_at(value: object, keys: tuple[str, ...]) -> object:
    """Return the value at a path of keys and indexes, or `MISSING`."""
    for key in keys:
        if is_object(value) and key in value:
            value = value[key]
        elif is_list(value) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            return MISSING
    return value


def json_test(lookup: str, keys: tuple[str, ...], operand: Any) -> Test:
    """Return a test of the value at a path of keys inside a JSON column."""
    if lookup in ("in", "range"):
        iterable_operand(operand)
    if lookup.endswith("regex"):
        check_pattern(as_text(operand))
    compare = _comparison(lookup, operand, at_top=not keys)

    def test(column: object) -> bool:
        # In SQL, no comparison with null or with an absent key is true.
        value = MISSING if column is None else value_at(column, keys)
        return value is not MISSING and compare(value)

    return test


def _comparison(lookup: str, operand: Any, *, at_top: bool) -> Callable[[Any], bool]:
    if lookup == "exact":
        return lambda value: _equal(value, operand)
    if lookup in ORDER:
        return lambda value: _comparable(value, operand) and ORDER[lookup](value, operand)
    if lookup == "in":
        return lambda value: any(_equal(value, item) for item in operand)
    if lookup == "range":
        return lambda value: _comparable(value, operand[0]) and operand[0] <= value <= operand[1]
    if lookup in KEY_LOOKUPS:
        return lambda value: _has_keys(value, lookup, operand)
    # `contains` is JSON containment on the column itself, but a text look-up on a key of it.
    if lookup == "contains" and at_top:
        return lambda value: _contains(value, operand)
    return lambda value: TEXT[lookup](value if isinstance(value, str) else json.dumps(value), as_text(operand))


def _comparable(one: object, other: object) -> bool:
    """Tell whether PostgreSQL compares two JSON values by their content rather than by their types."""
    if isinstance(one, bool) or isinstance(other, bool):
        return isinstance(one, bool) and isinstance(other, bool)
    if isinstance(one, (int, float)):
        return isinstance(other, (int, float))
    return isinstance(one, str) and isinstance(other, str)


def _equal(one: object, other: object) -> bool:
    # Only a list from the mini-language can be a tuple.
    if is_sequence(other):
        other = list(other)
    if is_object(one) or is_list(one) or one is None:
        return bool(one == other)
    return _comparable(one, other) and bool(one == other)


def _contains(value: object, operand: object) -> bool:
    if is_object(value) and is_object(operand):
        return all(key in value and _contains(value[key], item) for key, item in operand.items())
    if is_list(value):
        items = operand if is_sequence(operand) else [operand]
        return all(any(_contains(element, item) for element in value) for item in items)
    return _equal(value, operand)


def _has_keys(value: object, lookup: str, operand: object) -> bool:
    if not is_object(value):
        return False
    if lookup == "has_key":
        return as_text(operand) in value
    keys = [as_text(item) for item in (operand if is_sequence(operand) else [operand])]
    if lookup == "has_any_keys":
        return any(key in value for key in keys)
    return lookup == "has_keys" and all(key in value for key in keys)
