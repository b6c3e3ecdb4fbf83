"""JSON bodies of responses, and the errors for bodies of another form."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from alyx_client.errors import AlyxError, ServerError, UnexpectedAnswerError
from alyx_client.http.message import Response

__all__ = [
    "as_object",
    "decode",
    "decode_or_none",
    "is_array",
    "is_count",
    "is_deeply_nested",
    "is_object",
    "parse_json",
    "read_json",
    "refuse_failure",
    "refuse_page",
    "unexpected",
]

_ERROR_PAGE = b"500 Internal Server Error"
# The limit of pydantic's own reader. Code that walks a value recursively, such as json.dumps(), reaches Python's limit
# at about a thousand levels.
_MAX_DEPTH = 200
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def parse_json(content: bytes | str) -> Any:
    """Decode JSON that comes from outside: the one place where JSON is decoded.

    Parameters
    ----------
    content
        The JSON.

    Raises
    ------
    ValueError
        It is not JSON, is nested more than 200 levels deep, or has a number of thousands of digits.
    """
    try:
        value: object = json.loads(content)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if _may_be_deep(content) and is_deeply_nested(value):
        raise ValueError("it is nested too deeply")
    return value


def _may_be_deep(content: bytes | str) -> bool:
    """Return whether a text may be nested deeply; brackets in its strings can make it seem so."""
    if len(content) <= _MAX_DEPTH:
        return False
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    brackets = data.translate(None, _NO_BRACKETS)
    # Each round removes the innermost level, which is much faster than walking the decoded value.
    for _ in range(_MAX_DEPTH // 4):
        if len(brackets) <= _MAX_DEPTH:
            return False
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    return True


def is_deeply_nested(value: object, limit: int = _MAX_DEPTH) -> bool:
    """Return whether the lists and dictionaries of a decoded value are nested in more levels than a limit."""
    level = [value]
    for _ in range(limit + 1):
        level = [
            item
            for container in level
            for item in (container.values() if is_object(container) else container if is_array(container) else ())
            if isinstance(item, dict | list)
        ]
        if not level:
            return False
    return True


def decode(response: Response, endpoint: str) -> Any:
    """Decode the JSON body of a response.

    Parameters
    ----------
    response
        The response.
    endpoint
        The endpoint that sent it, for messages.

    Raises
    ------
    UnexpectedAnswerError
        The body is not JSON.
    ServerError
        The body is an error page.
    """
    try:
        return parse_json(response.content)
    except ValueError:
        raise unexpected(response, endpoint, "JSON") from None


def read_json(response: Response) -> Any:
    """Decode a response for which the endpoint is not known; None if it has no content.

    Raises
    ------
    UnexpectedAnswerError, ServerError
        The body is not JSON, or is an error page with a status of success.
    """
    return decode(response, urlsplit(response.url).path) if response.content.strip() else None


def decode_or_none(content: bytes) -> object:
    """Decode JSON; None if the content is not JSON, and for null."""
    try:
        return parse_json(content)
    except ValueError:
        return None


def is_object(value: object) -> TypeGuard[dict[str, object]]:
    """Check whether a decoded value is a JSON object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[object]]:
    """Check whether a decoded value is a JSON array."""
    return isinstance(value, list)


def is_count(value: object) -> TypeGuard[int]:
    """Check whether a decoded value is the number of a list's rows, which Python can have as a length."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= sys.maxsize


def as_object(value: object) -> Mapping[str, object]:
    """Return a JSON object as it is, and an empty one for any other value."""
    return value if is_object(value) else {}


def refuse_failure(response: Response, endpoint: str) -> None:
    """Raise ServerError for an error page, where every other body is accepted."""
    if _is_page(response) and _ERROR_PAGE in response.content[:500]:
        raise unexpected(response, endpoint, "what was requested")


def refuse_page(response: Response, endpoint: str) -> None:
    """Raise for a page of HTML, where a response without content is expected; any other body is ignored."""
    # A login portal or a proxy sends it with a status of success, without any effect on the server.
    if _is_page(response) and response.content.strip():
        raise unexpected(response, endpoint, "an empty response")


def _is_page(response: Response) -> bool:
    return "html" in response.headers.get("content-type", "")


def unexpected(response: Response, endpoint: str, expected: str) -> AlyxError:
    """Build the error for a body of another form than expected; it is not raised here.

    Parameters
    ----------
    response
        The response.
    endpoint
        The endpoint that sent it.
    expected
        The expected form, in words.
    """
    if _ERROR_PAGE in response.content[:500]:
        # Alyx's own error handler fails on some mistakes, and then sends this page with status 200.
        return ServerError(
            f"{endpoint}: the server failed ({response.method} {response.url}) and did not say why. "
            "Look for a value that it cannot handle, and for what it may have stored, before trying again.",
            status_code=500,
            method=response.method,
            url=response.url,
        )
    media_type = response.headers.get("content-type", "no content type")
    start = response.content[:80].decode("utf-8", "replace").strip()
    return UnexpectedAnswerError(
        f"{endpoint}: the server answered {response.status} with something other than {expected} "
        f"({media_type}: {start!r}). Is the address that of an Alyx server, and not of a login page or a proxy?",
        status_code=response.status,
        method=response.method,
        url=response.url,
    )
