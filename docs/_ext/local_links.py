"""Links to the local Alyx on which notebooks ran: it is gone when the site is read, so only their text is left."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

_LINK = re.compile(r'<a\b[^>]*\bhref="http://127\.0\.0\.1:\d+/[^"]*"[^>]*>(.*?)</a>', re.DOTALL)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("html-page-context", _unlink)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _unlink(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    if body := context.get("body"):
        context["body"] = without_local_links(body)


def without_local_links(html: str) -> str:
    """Return HTML in which links to a server on this computer are their text.

    Parameters
    ----------
    html
        The HTML of a page.
    """
    return _LINK.sub(r"\1", html)
