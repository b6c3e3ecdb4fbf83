"""Checking a token with the server, as a flow: whether the server accepts it, and whose it is."""

from __future__ import annotations

from urllib.parse import quote

from alyx_client.errors import (
    AlyxHTTPError,
    AlyxWarning,
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
    UnexpectedAnswerError,
)
from alyx_client.http.flow import Flow, Send
from alyx_client.http.json_body import as_object, decode_or_none
from alyx_client.http.log import warn
from alyx_client.http.message import Request, Response
from alyx_client.http.retry import TRANSIENT_STATUSES

__all__ = ["check_token"]


def check_token(token: str, username: str | None = None) -> Flow[str | None]:
    """Check with the server whether it accepts a token, and whose it is.

    Parameters
    ----------
    token
        The token.
    username
        The user it should belong to.

    Returns
    -------
    str or None
        The user's name, as the server reports it or as it was passed; servers before 2026 do not report it.

    Raises
    ------
    AuthenticationError
        The server refuses the token, or has no user of that name.
    """
    owner = yield from _request_owner(token)
    if owner is not None:
        if username and owner != username:
            warn(f"The token belongs to {owner!r}, not to {username!r}; {owner!r} is logged in.", AlyxWarning)
        return owner
    path = f"/users/{quote(username, safe='')}" if username else "/users"
    params = () if username else (("limit", "1"),)
    try:
        response: Response = yield Send(Request("GET", path, params, endpoint="users", action="list"), token)
    except PermissionDeniedError:
        # A user who may not see users has been recognised all the same.
        return username
    except NotFoundError as error:
        if username is None or error.body is None:
            raise
        raise AuthenticationError(
            f"The server accepts the token, but has no user {username!r}. Check the name, or leave it out.",
            status_code=error.status_code,
            method=error.method,
            url=error.url,
        ) from error
    if decode_or_none(response.content) is None:
        raise UnexpectedAnswerError(
            f"The token could not be checked: {response.url} did not respond as Alyx does. Check the server's address.",
            status_code=response.status,
            method=response.method,
            url=response.url,
        )
    return username


def _request_owner(token: str) -> Flow[str | None]:
    """Request the token's owner; None where the server does not report it."""
    try:
        response: Response = yield Send(Request("GET", "/me", endpoint="me", action="read"), token)
    except AuthenticationError as error:
        # Servers before 2026 have a page for people at /me, whose refusal says nothing about the token.
        if error.body is not None:
            raise
        return None
    except AlyxHTTPError as error:
        if error.status_code in TRANSIENT_STATUSES:
            raise
        return None
    name = as_object(decode_or_none(response.content)).get("username")
    return name if isinstance(name, str) and name else None
