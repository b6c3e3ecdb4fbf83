"""Notices that a server puts into its response headers, each passed on once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from alyx_client.errors import AlyxDeprecationWarning, AlyxNoticeWarning
from alyx_client.http.headers import deprecation_notice
from alyx_client.http.log import logger, warn
from alyx_client.lazy_dataclasses import dataclass

__all__ = ["NOTICE_HEADERS", "Notices"]

NOTICE_HEADERS = frozenset({"alyx-api-notice", "deprecation", "sunset"})
"""The headers that `Notices` reads, so that a response without them needs no call."""


@dataclass(slots=True)
class Notices:
    """Pass on each notice of a server once: urgent ones and deprecations as warnings, others to the log."""

    seen: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def surface(self, headers: Mapping[str, str], path: str) -> None:
        """Pass on the notices in a response's headers that have not been seen before.

        Parameters
        ----------
        headers
            The response headers, names in lower case.
        path
            The endpoint's path, such as ``/subjects``.
        """
        notice = headers.get("alyx-api-notice", "").strip()
        # Alyx repeats the same notice on every path, so that it is seen once for all of them.
        if notice and self._is_new("", notice):
            if notice.startswith("!!!"):
                warn(f"Notice from Alyx ({path}): {notice.lstrip('! ')}", AlyxNoticeWarning)
            else:
                logger.info("Notice from Alyx (%s): %s", path, notice)
        if "deprecation" in headers or "sunset" in headers:
            text = deprecation_notice(headers, path)
            if text and self._is_new(path, text):
                warn(text, AlyxDeprecationWarning)

    def _is_new(self, path: str, text: str) -> bool:
        if (path, text) in self.seen:
            return False
        self.seen.add((path, text))
        return True
