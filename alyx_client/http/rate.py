"""Rates of requests, written as Alyx's own settings write them: ``550/minute``."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Rate", "parse_rate"]

_PERIODS = {"s": ("second", 1.0), "m": ("minute", 60.0), "h": ("hour", 3600.0), "d": ("day", 86400.0)}
# Django REST framework reads the first letter of the period; any other word would be a mistake.
_RATE = re.compile(r"\s*([0-9]{1,9})\s*/\s*(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?)\s*", re.IGNORECASE)


class Rate(NamedTuple):
    """A number of requests within any period of that length."""

    requests: int
    seconds: float

    def __str__(self) -> str:
        unit = next((name for name, seconds in _PERIODS.values() if seconds == self.seconds), None)
        return f"{self.requests}/{unit}" if unit else f"{self.requests} in {self.seconds:g} s"


def parse_rate(name: str, value: object) -> Rate:
    """Parse the value of a setting.

    Parameters
    ----------
    name
        The setting, for messages.
    value
        The value.

    Raises
    ------
    TypeError, ValueError
        It is not a rate.
    """
    if not isinstance(value, str):
        raise TypeError(f'{name}: pass a text such as "500/minute", not an object of type {type(value).__name__}.')
    match = _RATE.fullmatch(value)
    if match is None or int(match[1]) == 0:
        raise ValueError(
            f'{name}={value[:40]!r}: pass a number of requests and a period, such as "500/minute"; the periods are '
            "second, minute, hour and day."
        )
    return Rate(int(match[1]), _PERIODS[match[2][0].lower()][1])
