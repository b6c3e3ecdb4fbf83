"""What a server has to say about itself in the headers of its answers, passed on once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from alyx_client.errors import AlyxDeprecationWarning, AlyxNoticeWarning
from alyx_client.http.log import logger, warn
from alyx_client.http.retry import http_date

_LINK = re.compile(r"<([^>]*)>((?:\s*;\s*[\w*-]+\s*=\s*(?:\"[^\"]*\"|[^\s;,\"]+))*)")


@dataclass(slots=True)
class Notices:
    """Passes on each notice of a server once: urgent ones and deprecations as warnings, others to the log."""

    seen: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def surface(self, headers: Mapping[str, str], path: str) -> None:
        """Pass on what an answer's headers say, unless it was said before.

        Parameters
        ----------
        headers
            The answer's headers, names in lower case.
        path
            The endpoint's path, such as ``/subjects``.
        """
        notice = headers.get("alyx-api-notice", "").strip()
        if notice and self._first("", notice):
            if notice.startswith("!!!"):
                warn(f"Notice from Alyx ({path}): {notice.lstrip('! ')}", AlyxNoticeWarning)
            else:
                logger.info("Notice from Alyx (%s): %s", path, notice)
        if "deprecation" in headers or "sunset" in headers:
            text = deprecation(headers, path)
            if text and self._first(path, text):
                warn(text, AlyxDeprecationWarning)

    def _first(self, path: str, text: str) -> bool:
        if (path, text) in self.seen:
            return False
        self.seen.add((path, text))
        return True


def deprecation(headers: Mapping[str, str], path: str) -> str | None:
    """Say in one sentence what ``Deprecation``, ``Sunset`` and ``Link`` announce; None if nothing.

    Parameters
    ----------
    headers
        An answer's headers, names in lower case.
    path
        The endpoint's path.
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
    targets = links(headers.get("link", ""))
    more = targets.get("deprecation") or targets.get("sunset")
    return f"The server announces that {path} {' and '.join(facts)}" + (f"; see {more}" if more else ".")


def links(header: str) -> dict[str, str]:
    """Read a ``Link`` header: each relation's first target."""
    found: dict[str, str] = {}
    for target, parameters in _LINK.findall(header):
        relations = re.search(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", parameters, re.IGNORECASE)
        for relation in (relations[1] or relations[2] or "").lower().split() if relations else ():
            found.setdefault(relation, target)
    return found


def _day(text: str) -> str | None:
    """Say the date of ``@1735689600`` or of an HTTP date as ``2025-01-01``."""
    stamp = re.fullmatch(r"@(-?\d+)", text)
    seconds = int(stamp[1]) if stamp else http_date(text)
    if seconds is None:
        return None
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
    except (ValueError, OverflowError, OSError):
        return None
