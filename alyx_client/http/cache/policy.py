"""Cache policy: the rules by which responses are served from the cache, stored in it, and made stale.

Pure functions of a request or a response; `response_cache` and `call` apply them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote

from alyx_client.http.message import Request, Response

__all__ = ["is_cacheable", "is_storable", "is_write", "survives_writes"]

_WRITE_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# The server's descriptions of itself, which no write changes.
_SCHEMA_PATHS = frozenset({"/api/schema", "/docs"})
_LOGIN_ENDPOINTS = frozenset({"auth-token", "rest-auth"})
_SECRET_NAMES = (b"token", b"password", b"passwd", b"pwd", b"secret", b"api_key", b"apikey")
# A text under one of these names; in a schema they name objects.
_SECRET = rb'"(?:[^"\\]*[._-])?(?:' + b"|".join(_SECRET_NAMES) + rb')"\s*:\s*"[^"]'
MAX_RESPONSE = 64 * 2**20


def is_cacheable(request: Request, path: str, mode: str | None) -> bool:
    """Return whether the response to a request may be served from the cache and stored in it.

    Parameters
    ----------
    request
        The request.
    path
        Its path below the server's address.
    mode
        The cache's mode: ``"GET"``, ``"*"`` for every method, or None.
    """
    # A request without a token has no user to store the response for.
    if mode is None or not request.authenticate:
        return False
    if request.method != "GET" and (mode != "*" or request.method not in _WRITE_METHODS or _sends_secret(request)):
        return False
    return not _is_login(path)


def is_storable(response: Response) -> bool:
    """Return whether a response may be stored, once the server has sent it."""
    if not 200 <= response.status < 300 or len(response.content) > MAX_RESPONSE:
        return False
    # Other media types are files, or pages of a proxy or login portal in place of the server.
    if "json" not in response.headers.get("content-type", "").lower():
        return False
    # No read of Alyx returns passwords or tokens, while what creates them may do so.
    return response.method not in _WRITE_METHODS or not _holds_secret(response.content)


def is_write(method: str, endpoint: str) -> bool:
    """Return whether a request makes cached responses stale; a login does not."""
    return method in _WRITE_METHODS and endpoint not in _LOGIN_ENDPOINTS


def survives_writes(path: str) -> bool:
    """Return whether the response at a path stays current when records are written."""
    return path.rstrip("/") in _SCHEMA_PATHS


@lru_cache(maxsize=1024)
def _is_login(path: str) -> bool:
    # Responses to logins contain tokens. Any segment, since a client resolves dots, and a server may be below a path.
    return any(unquote(segment).casefold() in _LOGIN_ENDPOINTS for segment in path.split("/"))


def _sends_secret(request: Request) -> bool:
    names = (name.lower().encode("utf-8", "replace") for name, _ in request.form)
    return _holds_secret(request.json or b"") or any(name.endswith(_SECRET_NAMES) for name in names)


def _holds_secret(content: bytes) -> bool:
    # Most bodies contain none of the words, which is quickly found out.
    return any(name in content for name in _SECRET_NAMES) and re.search(_SECRET, content) is not None
