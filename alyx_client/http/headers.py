"""Header fields: HTTP dates, ``Retry-After``, ``Deprecation``, ``Sunset`` and ``Link``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["deprecation_notice", "http_date", "link_targets", "readable_wait", "retry_after", "whole_number"]

_MAX_DIGITS = 19
_DAY = 86400
# Thirty years: more than any program waits, and few enough seconds for a timer.
_LONGEST_WAIT = 1e9
# The values of a field that occurs several times are joined by commas, and a date has one after its weekday.
_VALUES = r"\s*(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,)?[^,]+"
_LINK = r"<([^>]*)>((?:\s*;\s*[\w*-]+\s*=\s*(?:\"[^\"]*\"|[^\s;,\"]+))*)"
_RELATION = r"(?i);\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))"


def whole_number(text: str) -> int | None:
    """Parse the digits of a number of bytes or seconds; None for anything else, such as thousands of digits."""
    # Python refuses to convert more than 4,300 digits; a number of bytes has 19 at most.
    return int(text) if len(text) <= _MAX_DIGITS and text.isascii() and text.isdecimal() else None


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Parse ``Retry-After``, which is a number of seconds or a date (RFC 9110, section 10.2.3).

    Parameters
    ----------
    headers
        The response headers, names in lower case.
    now
        Seconds since the epoch, used where the response has no ``Date``.

    Returns
    -------
    float or None
        Seconds to wait, never negative; None without a valid header.
    """
    # The server's own clock, where it is known: that of this computer may be wrong.
    sent = http_date(headers.get("date", ""))
    # A server and a proxy in front of it may both set the field; after the longer wait, both are content.
    waits = [
        _seconds(text, now if sent is None else sent) for text in re.findall(_VALUES, headers.get("retry-after", ""))
    ]
    return max((wait for wait in waits if wait is not None), default=None)


def _seconds(text: str, sent: float) -> float | None:
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text.strip()):
        return min(float(text), _LONGEST_WAIT)
    until = http_date(text)
    return None if until is None else min(max(0.0, until - sent), _LONGEST_WAIT)


def readable_wait(seconds: float | None, otherwise: str, prefix: str = "") -> str:
    """Return a number of seconds that a server asks to wait, for a message.

    Parameters
    ----------
    seconds
        The number; None if the server does not say.
    otherwise
        The words for None.
    prefix
        A word before a number.
    """
    if seconds is None:
        return otherwise
    return f"{prefix}{seconds:.0f} s" if seconds <= _DAY else f"{prefix}more than a day"


def http_date(text: str) -> float | None:
    """Parse an HTTP date into seconds since the epoch; None if it is not one."""
    try:
        date = parsedate_to_datetime(text)
        # HTTP dates are in UTC (RFC 9110, section 5.6.7); only the obsolete "-0000" is parsed without a zone.
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def deprecation_notice(headers: Mapping[str, str], path: str) -> str | None:
    """Describe in one sentence what ``Deprecation`` (RFC 9745), ``Sunset`` (RFC 8594) and ``Link`` announce.

    Parameters
    ----------
    headers
        The response headers, names in lower case.
    path
        The endpoint's path.

    Returns
    -------
    str or None
        The sentence; None if nothing is announced.
    """
    facts: list[str] = []
    since = headers.get("deprecation", "").strip()
    if since and since.lower() not in {"false", "?0"}:
        day = _day(since)
        facts.append(f"is deprecated as of {day}" if day else "is deprecated")
    until = headers.get("sunset", "").strip()
    if until:
        facts.append(f"will stop working on {_day(until) or until}")
    if not facts:
        return None
    targets = link_targets(headers.get("link", ""))
    details = targets.get("deprecation") or targets.get("sunset")
    return f"The server announces that {path} {' and '.join(facts)}" + (f"; see {details}" if details else ".")


def link_targets(header: str) -> dict[str, str]:
    """Parse a ``Link`` header (RFC 8288) into the first target of each relation."""
    targets: dict[str, str] = {}
    for target, parameters in re.findall(_LINK, header):
        relations = re.search(_RELATION, parameters)
        for relation in (relations[1] or relations[2] or "").lower().split() if relations else ():
            targets.setdefault(relation, target)
    return targets


def _day(text: str) -> str | None:
    """Format ``@1735689600`` or an HTTP date as ``2025-01-01``."""
    stamp = re.fullmatch(r"@(-?)(\d{1,19})", text, re.ASCII)
    seconds = int(stamp[1] + stamp[2]) if stamp else http_date(text)
    if seconds is None:
        return None
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
    except (ValueError, OverflowError, OSError):
        return None
