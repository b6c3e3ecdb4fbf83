"""Alyx's login endpoint and its words about tokens: the request, the token in its response, and stale tokens."""

from __future__ import annotations

import json
from typing import cast

from alyx_client.auth.token import clean_token
from alyx_client.errors import MissingCredentialsError, UnexpectedAnswerError
from alyx_client.http.message import Request, Response

__all__ = ["is_stale", "login_request", "token_from"]


def login_request(username: str, password: str) -> Request:
    """Build the request that returns a token.

    Parameters
    ----------
    username, password
        The login.
    """
    body = json.dumps({"username": username, "password": password}).encode()
    return Request("POST", "/auth-token", json=body, endpoint="auth_token", action="create", authenticate=False)


def token_from(response: Response) -> str:
    """Read the token from the response to a login.

    Raises
    ------
    UnexpectedAnswerError
        The response holds no token, so the server may not be Alyx.
    """
    try:
        body: object = json.loads(response.content)
        if isinstance(body, dict):
            return clean_token(cast("dict[str, str]", body), "the answer")
    except (ValueError, MissingCredentialsError):
        pass
    raise UnexpectedAnswerError(
        f"The login at {response.url} was answered without a token. Check that there is an Alyx at this address.",
        status_code=response.status,
        method=response.method,
        url=response.url,
    )


def is_stale(response: Response) -> bool:
    """Return whether a response says that the token is not valid, or no longer."""
    if response.status == 401:
        return True
    if response.status != 403:
        return False
    # Alyx answers 403 both to a token that it does not know and to a user without the permission.
    try:
        body: object = json.loads(response.content)
    except ValueError:
        return False
    return (cast("dict[str, object]", body).get("detail") if isinstance(body, dict) else body) == "Invalid token."
