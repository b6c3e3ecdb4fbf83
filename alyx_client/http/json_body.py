"""Answers as JSON, and errors for those that are none."""

from __future__ import annotations

import json
from typing import Any

from alyx_client.errors import AlyxError, ServerError, UnexpectedAnswerError
from alyx_client.http.message import Response

__all__ = ["decode", "refuse_failure", "unexpected"]

_FAILURE = b"500 Internal Server Error"


def decode(response: Response, endpoint: str) -> Any:
    """Read an answer as JSON.

    Parameters
    ----------
    response
        What came.
    endpoint
        Whose answer it is, for messages.

    Raises
    ------
    UnexpectedAnswerError, ServerError
        It is no JSON, or a page that tells of a failure.
    """
    try:
        return json.loads(response.content)
    except ValueError:
        raise unexpected(response, endpoint, "JSON") from None


def refuse_failure(response: Response, endpoint: str) -> None:
    """Raise for a page that tells of a failure, where anything else is accepted."""
    if "html" in response.headers.get("content-type", "") and _FAILURE in response.content[:500]:
        raise unexpected(response, endpoint, "what was asked for")


def unexpected(response: Response, endpoint: str, expected: str) -> AlyxError:
    """Make the error for an answer of another form than expected; not raised."""
    if _FAILURE in response.content[:500]:
        # Alyx's own error handler fails on some mistakes, and then sends this page with status 200.
        return ServerError(
            f"{endpoint}: the server failed ({response.method} {response.url}) and did not say why. "
            "Look for a value that it cannot take, and for what it may have stored, before trying again.",
            status_code=500,
            method=response.method,
            url=response.url,
        )
    kind = response.headers.get("content-type", "no content type")
    start = response.content[:80].decode("utf-8", "replace").strip()
    return UnexpectedAnswerError(
        f"{endpoint}: the server answered {response.status} with something other than {expected} ({kind}: {start!r}). "
        "Is the address that of an Alyx server, and not of a login page or a proxy?",
        status_code=response.status,
        method=response.method,
        url=response.url,
    )
