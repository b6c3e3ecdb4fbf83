"""Values of filters that the server would reject, fail on, or read as something else without an error."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal, cast
from uuid import UUID

from alyx_client.errors import InvalidFieldError
from alyx_client.http.arguments import shown
from alyx_client.runtime.coerce import is_from_library, naive, plain_python, query_value
from alyx_client.runtime.references import key_of_url

__all__ = [
    "FilterType",
    "check_moment",
    "declared_type",
    "read_boolean",
    "read_range",
    "read_typed",
    "whole_day",
]

FilterType = Literal["uuid", "integer", "number", "date", "date-time"]
"""The declared type of a filter's values; text is not checked."""

_DECLARED: Mapping[str, FilterType] = {
    "uuid": "uuid",
    "integer": "integer",
    "number": "number",
    "date": "date",
    "date-time": "date-time",
}
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
# Django also reads months, days and hours of one digit.
_SHORT_MOMENT = r"(\d{4})-(\d\d?)-(\d\d?)[T ](\d\d?):(.*)"


def declared_type(schema: Mapping[str, Any]) -> FilterType | None:
    """Return the type of values that a schema declares; None if they are text, from a closed set, or of several types.

    Parameters
    ----------
    schema
        The schema of one value, without references.
    """
    kind = schema.get("format") if schema.get("type") == "string" else schema.get("type")
    return _DECLARED.get(kind) if isinstance(kind, str) and "enum" not in schema else None


def read_boolean(name: str, value: object, endpoint: str) -> bool:
    """Return the value of a filter that is true or false: Alyx ignores any other, and returns everything.

    Parameters
    ----------
    name
        The filter.
    value
        True, False, 1, 0, or one of these as text.
    endpoint
        The endpoint's name, for messages.

    Raises
    ------
    ValueError
        It is none of these.
    """
    known = _BOOLEANS.get(str(value).strip().lower()) if isinstance(value, bool | int | str) else None
    if known is None:
        raise ValueError(
            f"{endpoint}: {name} is True or False, not {value!r}, which the server would ignore, and return everything"
        )
    return known


def check_moment(name: str, value: object, endpoint: str) -> None:
    """Refuse a day where the server compares moments: it would take midnight, which hardly any record has.

    Parameters
    ----------
    name
        The filter.
    value
        The value, as plain Python.
    endpoint
        The endpoint's name, for messages.

    Raises
    ------
    ValueError
        It is a day.
    """
    if isinstance(value, date) and not isinstance(value, datetime):
        field = f"client.{endpoint.replace('-', '_')}.fields.{name}"
        raise ValueError(
            f"{endpoint}: {name} is compared with a date and time, not with the day {value}; for records of that day, "
            f"pass where={field}.date == {value!r}, or date_range= where the list has it"
        )


def read_typed(name: str, value: object, kind: FilterType, endpoint: str) -> object:
    """Return a value as the server reads it where a type is declared.

    Parameters
    ----------
    name
        The filter.
    value
        One value, as plain Python; an empty text is returned unchanged.
    kind
        The declared type.
    endpoint
        The endpoint's name, for messages.

    Raises
    ------
    InvalidFieldError
        It is of another type. Alyx answers most of these with an error that names no filter, and some with a failure.
    """
    if isinstance(value, str) and not value.strip():
        return value
    read, expected = _READERS[kind]
    try:
        # A bool is an int, and never meant as a number.
        if isinstance(value, bool):
            raise ValueError
        return read(value)
    except ValueError:
        reason = f"takes {expected}, not {shown(value)}"
        hint = f"extra_params={{{name!r}: …}} sends anything."
        raise InvalidFieldError(f"{endpoint}: {name} {reason}. {hint}", fields={name: [reason]}) from None


def _uuid(value: object) -> object:
    if isinstance(value, UUID):
        return value
    if not isinstance(value, str):
        raise ValueError
    # Records refer to others by their URLs.
    key = key_of_url(value) if value.startswith(("http://", "https://")) else value
    UUID(key)
    return key


def _integer(value: object) -> object:
    if isinstance(value, str):
        with suppress(ValueError):
            return int(value)
        value = float(value)  # such as "1e3", which the server reads, too
    if isinstance(value, int):
        return value
    # A column of pandas with a missing value holds floats.
    if not isinstance(value, float | Decimal) or not math.isfinite(value) or value != int(value):
        raise ValueError
    return int(value)


def _number(value: object) -> object:
    if not isinstance(value, str | int | float | Decimal) or (
        isinstance(value, str) and not math.isfinite(float(value))
    ):
        raise ValueError
    return value


def _day(value: object) -> object:
    if isinstance(value, datetime):
        value = value.isoformat()
    return _parse_day(value) if isinstance(value, str) else _date(value)


def _date(value: object) -> date:
    if isinstance(value, date):
        return value
    raise ValueError


def _moment(value: object) -> object:
    if not isinstance(value, str):
        return _date(value)
    text = value.strip()
    if match := re.fullmatch(_SHORT_MOMENT, text):
        year, month, day, hour, rest = match.groups()
        text = f"{year}-{month:0>2}-{day:0>2}T{hour:0>2}:{rest}"
    datetime.fromisoformat(text)
    return value


_READERS: Mapping[FilterType, tuple[Callable[[object], object], str]] = {
    "uuid": (_uuid, "a UUID, such as the id of a record, or the record"),
    "integer": (_integer, "a whole number"),
    "number": (_number, "a number"),
    "date": (_day, "a day, such as '2020-01-31'"),
    "date-time": (_moment, "a date and time, such as '2020-01-31T10:30:00'"),
}


def _parse_day(text: str) -> date:
    """Return the day that a text names in ISO form.

    Parameters
    ----------
    text
        The text; zeros in front may be left out, and a time of day must be midnight.

    Raises
    ------
    ValueError
        It is no such text.
    """
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").date()
    except ValueError:
        # The server also reads the American order of days and months, which is not the one that most users mean.
        moment = datetime.fromisoformat(text.strip())
    if moment.timetz() != time():
        raise ValueError("a time of day")
    return moment.date()


def read_range(name: str, value: object) -> str:
    """Return a range of days as the server reads it.

    Parameters
    ----------
    name
        The filter.
    value
        The first and the last day, or one day.

    Raises
    ------
    ValueError, TypeError
        It is no such range.
    """
    ends: Sequence[object]
    has_no_days = is_from_library(value)
    if isinstance(value, str) and "," in value:
        ends = value.split(",")
    elif isinstance(value, list | tuple):
        ends = cast("Sequence[object]", value)
    else:
        several = query_value(value, name)
        ends = cast("list[object]", several) if isinstance(several, list) else [value, value]
    if len(ends) != 2:
        raise ValueError(f"{name} takes a pair of dates, first and last day, or one day; not {len(ends)} values")
    first, last = (_end(name, end, has_no_days or is_from_library(end)) for end in ends)
    # Such a range matches nothing, and the server does not say so.
    if first > last:
        raise ValueError(f"{name}: the first day, {first}, is after the last, {last}")
    return f"{first},{last}"


def _end(name: str, value: object, has_no_days: bool) -> date:
    value = plain_python(value, name)
    if isinstance(value, datetime):
        # The type of pandas for a day is a time stamp at midnight.
        if not has_no_days:
            raise _not_a_day(name)
        return whole_day(name, value)
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        raise TypeError(f"{name}: a {type(value).__name__} is not a date")
    try:
        return _parse_day(value)
    except ValueError:
        raise ValueError(f"{name}: {value!r} is not a date such as '2020-01-31'") from None


def whole_day(name: str, value: datetime) -> date:
    """Return the day of a date-time at midnight.

    Raises
    ------
    ValueError
        It is of another time of day, or has a time zone.
    """
    if naive(name, value) != datetime.combine(value.date(), time()):
        raise _not_a_day(name)
    return value.date()


def _not_a_day(name: str) -> ValueError:
    return ValueError(f"{name} compares whole days; pass dates, for instance start.date()")
