"""Values of filters that the server would read as something else, without an error."""

from __future__ import annotations

from datetime import date, datetime

__all__ = ["check_moment", "read_boolean"]

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


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
