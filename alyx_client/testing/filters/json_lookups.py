"""Lookups on text, on what has an order, and on the inside of JSON columns."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from alyx_client.testing.failures import ServerFailure

TEXT: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda held, wanted: wanted in held,
    "icontains": lambda held, wanted: wanted.lower() in held.lower(),
    "startswith": lambda held, wanted: held.startswith(wanted),
    "istartswith": lambda held, wanted: held.lower().startswith(wanted.lower()),
    "endswith": lambda held, wanted: held.endswith(wanted),
    "iendswith": lambda held, wanted: held.lower().endswith(wanted.lower()),
    "iexact": lambda held, wanted: held.lower() == wanted.lower(),
    "regex": lambda held, wanted: re.search(wanted, held) is not None,
    "iregex": lambda held, wanted: re.search(wanted, held, re.IGNORECASE) is not None,
}
ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda held, wanted: held > wanted,
    "gte": lambda held, wanted: held >= wanted,
    "lt": lambda held, wanted: held < wanted,
    "lte": lambda held, wanted: held <= wanted,
}
KEY_LOOKUPS = ("has_key", "has_keys", "has_any_keys", "contained_by")

MISSING = object()
"""What stands below a key that is absent."""


def text_of(value: Any) -> str:
    """Return a value as text."""
    return value if isinstance(value, str) else str(value)


def dig(held: Any, keys: tuple[str, ...]) -> Any:
    """Return what stands below some keys, or `MISSING`."""
    for key in keys:
        if isinstance(held, dict) and key in held:
            held = held[key]  # pyright: ignore[reportUnknownVariableType]
        elif isinstance(held, list) and key.isdigit() and int(key) < len(held):  # pyright: ignore[reportUnknownArgumentType]
            held = held[int(key)]  # pyright: ignore[reportUnknownVariableType]
        else:
            return MISSING
    return held  # pyright: ignore[reportUnknownVariableType]


def json_test(lookup: str, keys: tuple[str, ...], value: Any) -> Callable[[Any], bool]:
    """Make a test of what a JSON column holds below some keys."""

    def test(held: Any) -> bool:
        if held is None:
            return False
        found = dig(held, keys)
        if found is MISSING:
            return False
        if lookup == "exact":
            return _json_equal(found, value)
        if lookup in ORDER:
            return _same_kind(found, value) and ORDER[lookup](found, value)
        if lookup == "in":
            return any(_json_equal(found, item) for item in value)
        if lookup == "range":
            return _same_kind(found, value[0]) and value[0] <= found <= value[1]
        if lookup in KEY_LOOKUPS:
            return _has_keys(found, lookup, value)
        if lookup == "contains" and not keys:
            return _json_contains(found, value)
        return TEXT[lookup](found if isinstance(found, str) else json.dumps(found), text_of(value))

    if lookup in ("in", "range") and not isinstance(value, (list, tuple, str)):
        raise ServerFailure(f"'{type(value).__name__}' object is not iterable")
    return test


def _same_kind(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return isinstance(one, bool) and isinstance(other, bool)
    if isinstance(one, (int, float)):
        return isinstance(other, (int, float))
    return isinstance(one, str) and isinstance(other, str)


def _json_equal(one: Any, other: Any) -> bool:
    if isinstance(other, tuple):
        other = list(other)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(one, (dict, list)) or one is None:
        return bool(one == other)
    return _same_kind(one, other) and bool(one == other)


def _json_contains(held: Any, wanted: Any) -> bool:
    if isinstance(held, dict) and isinstance(wanted, dict):
        return all(key in held and _json_contains(held[key], item) for key, item in wanted.items())  # pyright: ignore
    if isinstance(held, list):
        items: list[Any] = list(wanted) if isinstance(wanted, (list, tuple)) else [wanted]  # pyright: ignore
        return all(any(_json_contains(one, item) for one in held) for item in items)  # pyright: ignore
    return _json_equal(held, wanted)


def _has_keys(held: Any, lookup: str, value: Any) -> bool:
    if not isinstance(held, dict):
        return False
    if lookup == "has_key":
        return text_of(value) in held
    several = [text_of(item) for item in (value if isinstance(value, (list, tuple)) else [value])]  # pyright: ignore
    if lookup == "has_any_keys":
        return any(key in held for key in several)
    if lookup == "has_keys":
        return all(key in held for key in several)
    return False
