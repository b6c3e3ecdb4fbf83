"""Type guards for decoded JSON."""

from __future__ import annotations

from typing import Any, TypeGuard


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Tell whether a value is a JSON object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Tell whether a value is a JSON array."""
    return isinstance(value, list)


def is_sequence(value: object) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    """Tell whether a value is a JSON array, or a tuple from Alyx's mini-language."""
    return isinstance(value, (list, tuple))


def as_list(value: object) -> list[Any]:
    """Return the items of an array, or the value itself as the only item."""
    return list(value) if is_sequence(value) else [value]
