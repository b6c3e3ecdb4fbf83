"""Date-times in filters of servers that take a time zone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from alyx_client.runtime.coerce import is_from_library, query_value

__all__ = ["with_zones"]


def with_zones(filters: Mapping[str, object], styles: Mapping[str, str]) -> dict[str, object]:
    """Return filters with date-times as text, whatever their time zone.

    Parameters
    ----------
    filters
        Values by filter.
    styles
        The style in which each filter is sent; one of style ``day`` takes the day alone.
    """
    return {name: _text(name, value, styles.get(name) == "day") for name, value in filters.items()}


def _text(name: str, value: object, is_day: bool) -> object:
    if isinstance(value, list | tuple):
        return [_text(name, item, is_day) for item in cast("list[object]", value)]
    plain = query_value(value, name) if isinstance(value, datetime) or is_from_library(value) else value
    if isinstance(plain, datetime):
        return plain.date() if is_day else plain.isoformat()
    return [_text(name, item, is_day) for item in cast("list[object]", plain)] if isinstance(plain, list) else plain
