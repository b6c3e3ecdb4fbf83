"""Requests as the cache sees them: whether a response is cacheable, its key, and what a write makes stale."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import urlsplit

from alyx_client.http.message import Request
from alyx_client.http.url import absolute_url, redact_url, request_target

__all__ = ["CacheKey", "CacheRequest"]

_WRITE_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# The server's descriptions of itself, which no write changes.
_SCHEMA_PATHS = frozenset({"/api/schema", "/docs"})
_LOGIN_ENDPOINT = "auth-token"
_MAX_LABEL = 200


@dataclass(frozen=True, slots=True)
class CacheKey:
    """The key of a cache entry, and the properties by which entries are invalidated.

    Parameters
    ----------
    digest
        A digest of the request and of the user who sent it.
    identity
        The user: an opaque name derived from the token.
    endpoint
        The endpoint; writes to it delete the entry.
    survives_writes
        Whether writes leave the entry valid, as with the schema.
    """

    digest: bytes
    identity: str
    endpoint: str
    survives_writes: bool = False


@dataclass(frozen=True, slots=True)
class CacheRequest:
    """A request, and what the cache needs to know of it.

    Parameters
    ----------
    request
        The request.
    base_url
        The server.
    target
        Its path and query below the server's address; the whole URL for another server.
    endpoint
        The first segment of the path.
    is_write
        Whether the request makes cached responses stale.
    """

    request: Request
    base_url: str
    target: str
    endpoint: str
    is_write: bool

    @classmethod
    def of(cls, request: Request, base_url: str) -> CacheRequest:
        """Read a request to a server."""
        target = request_target(request, base_url)
        path = urlsplit(target).path if "://" in target else target.partition("?")[0]
        endpoint = path.lstrip("/").partition("/")[0]
        is_write = request.method in _WRITE_METHODS and endpoint != _LOGIN_ENDPOINT
        return cls(request, base_url, target, endpoint, is_write)

    @property
    def url(self) -> str:
        """The whole URL, without secrets."""
        return redact_url(absolute_url(self.target, self.base_url))

    @property
    def label(self) -> str:
        """Method and path without secrets, for messages."""
        text = f"{self.request.method} {redact_url(self.target)}"
        return text if len(text) <= _MAX_LABEL else f"{text[: _MAX_LABEL - 1]}…"

    def is_cacheable(self, mode: str | None) -> bool:
        """Tell whether the response may be served from the cache and stored in it.

        Parameters
        ----------
        mode
            ``"GET"``, ``"*"`` for every method, or None.
        """
        # Responses to logins contain tokens; and a request without a token has no user to store the response for.
        if mode is None or self.endpoint == _LOGIN_ENDPOINT or not self.request.authenticate:
            return False
        return self.request.method == "GET" or (mode == "*" and self.request.method in _WRITE_METHODS)

    def key(self, identity: str) -> CacheKey:
        """Return the key of this user's response."""
        path = self.target.partition("?")[0].rstrip("/")
        survives_writes = path in _SCHEMA_PATHS and not self.is_write
        return CacheKey(self._digest(identity), identity, self.endpoint, survives_writes)

    def _digest(self, identity: str) -> bytes:
        """Digest everything that the response depends on."""
        request = self.request
        parts = [identity.encode(), request.method.encode(), self.target.encode(), request.accept.encode()]
        # An empty body and no body are different requests, hence the mark before a body.
        parts += [b"" if request.json is None else b"=" + request.json, repr(request.form).encode()]
        for file in request.files:
            parts += [repr((file.name, file.filename, file.content_type)).encode(), file.content]
        return digest_parts(parts, size=20)


def digest_parts(parts: list[bytes], *, size: int) -> bytes:
    """Digest byte strings, each with its length, so that moving a boundary between two changes the digest.

    Parameters
    ----------
    parts
        The byte strings.
    size
        The number of bytes of the digest.
    """
    digest = hashlib.blake2b(digest_size=size)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
