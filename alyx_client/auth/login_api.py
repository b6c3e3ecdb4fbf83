"""Alyx's login endpoint and its words about tokens: the request, the token in its response, and stale tokens."""

from __future__ import annotations

import json

from alyx_client.auth.token import clean_token
from alyx_client.errors import MissingCredentialsError, UnexpectedAnswerError
from alyx_client.http.json_body import as_object, decode_or_none
from alyx_client.http.message import Request, Response

__all__ = ["LOGIN_ATTEMPTS", "is_stale", "login_request", "token_from"]

LOGIN_ATTEMPTS = 3
"""How often a login is prompted for until the server accepts it."""

# A token has 40 characters.
_MAX_BYTES = 2**16


def login_request(username: str, password: str) -> Request:
    """Build the request that returns a token.

    Parameters
    ----------
    username, password
        The login.
    """
    body = json.dumps({"username": username, "password": password}).encode()
    return Request(
        "POST",
        "/auth-token",
        json=body,
        endpoint="auth_token",
        action="create",
        authenticate=False,
        max_bytes=_MAX_BYTES,
    )


def token_from(response: Response) -> str:
    """Read the token from the response to a login.

    Raises
    ------
    UnexpectedAnswerError
        The response contains no token, so the server may not be Alyx.
    """
    try:
        return clean_token(as_object(decode_or_none(response.content)), "the response")
    except MissingCredentialsError:
        raise UnexpectedAnswerError(
            f"The response to the login at {response.url} contains no token. Check that this is the address of an Alyx "
            "server.",
            status_code=response.status,
            method=response.method,
            url=response.url,
        ) from None


def is_stale(response: Response) -> bool:
    """Return whether a response says that the token is not valid, or no longer."""
    if response.status == 401:
        return True
    if response.status != 403:
        return False
    # Alyx responds with 403 to a token that it does not know as well as to a user without the permission.
    body = decode_or_none(response.content)
    return "Invalid token." in (body, as_object(body).get("detail"))
