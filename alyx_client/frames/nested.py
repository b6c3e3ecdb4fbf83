"""JSON text in place of what has no type in a table of columns, also within lists and records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alyx_client.frames.kinds import Kind
from alyx_client.frames.values import json_text

__all__ = ["with_json_text"]


def with_json_text(kind: Kind, values: list[Any]) -> list[Any]:
    """Return values with JSON text where their kind is JSON."""
    convert = _converter(kind)
    return values if convert is None else [None if value is None else convert(value) for value in values]


def _converter(kind: Kind) -> Callable[[Any], Any] | None:
    if kind.name == "json":
        return json_text
    if kind.name == "list" and kind.item is not None:
        item = kind.item
        return None if _converter(item) is None else lambda values: with_json_text(item, values)
    if kind.name == "record":
        fields = {column.name: convert for column in kind.columns if (convert := _converter(column.kind))}
        return (lambda value: _converted(value, fields)) if fields else None
    return None


def _converted(value: dict[str, Any], fields: dict[str, Callable[[Any], Any]]) -> dict[str, Any]:
    changed = {name: convert(value[name]) for name, convert in fields.items() if value.get(name) is not None}
    return {**value, **changed}
