"""Changes to the keys of a JSON field, such as ``sessions.extended_qc``: what is written, given what is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from alyx_client.errors import NotAnObjectError
from alyx_client.runtime.bodies import plain_json

__all__ = ["updated", "without"]


def updated(current: object, data: object, where: str) -> dict[str, Any]:
    """Return the field's object with some keys set.

    Parameters
    ----------
    current
        What the field holds; null counts as an object without keys.
    data
        The keys to set.
    where
        The field, for messages.

    Raises
    ------
    NotAnObjectError
        The field, or `data`, is no object.
    """
    if not isinstance(data, Mapping):
        raise NotAnObjectError(f"{where}: the keys to set are a dictionary, not a {type(data).__name__}")
    keys: dict[str, Any] = plain_json(cast("object", data))
    return _object({} if current is None else current, where) | keys


def without(current: object, key: str, where: str) -> dict[str, Any] | None:
    """Return the field's object without a key; None where there is nothing to remove.

    Parameters
    ----------
    current
        What the field holds.
    key
        The key to remove.
    where
        The field, for messages.

    Raises
    ------
    NotAnObjectError
        The field is no object.
    """
    if current is None:
        return None
    content = _object(current, where)
    return {name: value for name, value in content.items() if name != key} if key in content else None


def _object(current: object, where: str) -> dict[str, Any]:
    if not isinstance(current, Mapping):
        raise NotAnObjectError(
            f"{where} holds a {type(current).__name__}, which has no keys; nothing was written. "
            "json_field_write replaces it as a whole."
        )
    return dict(cast("Mapping[str, Any]", current))
