"""Query parameters of URLs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast
from urllib.parse import parse_qsl, urlencode

from alyx_client.http.arguments import require
from alyx_client.runtime.coerce import Sendable, entries, query_value, unsendable

__all__ = ["update_url_params"]


def update_url_params(url: str, params: Mapping[str, object]) -> str:
    """Set query parameters of a URL.

    Parameters
    ----------
    url
        A URL, or a path; percent-encoded characters keep their meaning.
    params
        Values by name, which replace those of the same name; a list becomes repeated parameters.

    Returns
    -------
    str
        The URL with a percent-encoded query; parameters without a value are left out.

    Raises
    ------
    TypeError
        A query cannot express a value.

    Examples
    --------
    >>> update_url_params("website.com/?q=", {"pg": 5})
    'website.com/?pg=5'
    >>> update_url_params("website.com?q=xxx", {"pg": 5, "foo": ["bar", "baz"]})
    'website.com?q=xxx&pg=5&foo=bar&foo=baz'
    """
    require("url", url, str, "a URL or a path")
    require("params", params, Mapping, "a dictionary")
    before, hash_mark, fragment = str.__str__(url).partition("#")
    path, _, query = before.partition("?")
    values: dict[str, list[object]] = {}
    for name, text in parse_qsl(query):
        values.setdefault(name, []).append(text)
    for name, value in entries(params, "params"):
        plain = query_value(value, name)
        items = cast("list[object]", plain) if isinstance(plain, list) else [plain]
        if any(isinstance(item, list | dict | Sendable | None) for item in items):
            raise unsendable(name, f"a {type(value).__name__} has no text in a URL")
        values[name] = items
    try:
        encoded = urlencode([(name, text) for name, texts in values.items() for text in texts])
    except ValueError:
        raise ValueError("url, params: half a surrogate pair, or an integer of thousands of digits.") from None
    return f"{path}{'?' if encoded else ''}{encoded}{hash_mark}{fragment}"
