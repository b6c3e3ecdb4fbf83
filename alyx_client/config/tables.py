"""Types of the values in TOML and JSON documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeGuard

__all__ = ["Table", "TablePath", "is_list", "is_table"]

Table = Mapping[str, object]
"""A table of TOML, or an object of JSON."""

TablePath = tuple[str, ...]
"""The names of a table and of those around it, the outermost first; ``()`` is the document."""


def is_table(value: object) -> TypeGuard[Table]:
    """Tell whether a parsed value is a table, whose names are always strings."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[Sequence[object]]:
    """Tell whether a parsed value is a list."""
    return isinstance(value, list)
