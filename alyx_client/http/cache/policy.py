"""Cache policy: the rules by which responses are served from the cache, stored in it, and made stale.

Pure functions of a request or a response; `response_cache` and `call` apply them.
"""

from __future__ import annotations

from alyx_client.http.message import Response

__all__ = ["is_cacheable", "is_storable", "is_write", "survives_writes"]

_WRITE_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# The server's descriptions of itself, which no write changes.
_SCHEMA_PATHS = frozenset({"/api/schema", "/docs"})
_LOGIN_ENDPOINT = "auth-token"
_MAX_RESPONSE = 64 * 2**20


def is_cacheable(method: str, endpoint: str, *, authenticated: bool, mode: str | None) -> bool:
    """Return whether the response to a request may be served from the cache and stored in it.

    Parameters
    ----------
    method, endpoint
        The request's HTTP method, and the first segment of its path.
    authenticated
        Whether the request is sent with a token.
    mode
        The cache's mode: ``"GET"``, ``"*"`` for every method, or None.
    """
    # Responses to logins contain tokens; and a request without a token has no user to store the response for.
    if mode is None or endpoint == _LOGIN_ENDPOINT or not authenticated:
        return False
    return method == "GET" or (mode == "*" and method in _WRITE_METHODS)


def is_storable(response: Response) -> bool:
    """Return whether a response may be stored, once the server has sent it."""
    if not 200 <= response.status < 300 or len(response.content) > _MAX_RESPONSE:
        return False
    # Other media types are files, or pages of a proxy or login portal in place of the server.
    return "json" in response.headers.get("content-type", "").lower()


def is_write(method: str, endpoint: str) -> bool:
    """Return whether a request makes cached responses stale; a login does not."""
    return method in _WRITE_METHODS and endpoint != _LOGIN_ENDPOINT


def survives_writes(path: str) -> bool:
    """Return whether the response at a path stays current when records are written."""
    return path.rstrip("/") in _SCHEMA_PATHS
