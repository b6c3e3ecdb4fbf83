"""Requests as the cache sees them, and the keys of their responses."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from alyx_client.http.cache import policy
from alyx_client.http.message import FilePart, Request
from alyx_client.http.url import absolute_url, redact_url, request_target
from alyx_client.lazy_dataclasses import dataclass

__all__ = ["CacheKey", "CacheRequest"]

# Smaller parts are digested together: a call for each takes longer than to copy them.
_LARGE = 65536
_MAX_LABEL = 200
# What is derived from a request is remembered for some of them, unless they are long: reads are repeated.
_REMEMBERED = 1024
_LONG = 500


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
    headers
        A digest of the header fields that the client sends with each request; empty for none.
    """

    request: Request
    base_url: str
    target: str
    endpoint: str
    is_write: bool
    headers: bytes = b""

    @classmethod
    def of(cls, request: Request, base_url: str, headers: bytes = b"") -> CacheRequest:
        """Read a request to a server; `headers` is a digest of the client's own header fields."""
        if request.params or len(request.path) > _LONG:
            target = request_target(request, base_url)
            endpoint = _endpoint(target)
        else:
            target, endpoint = _place(request.path, base_url)
        return cls(request, base_url, target, endpoint, policy.is_write(request.method, endpoint), headers)

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
        """Return whether the policy lets the response be served from the cache and stored in it."""
        return policy.is_cacheable(self.request, self.target.partition("?")[0], mode)

    def key(self, identity: str) -> CacheKey:
        """Return the key of this user's response."""
        survives_writes = not self.is_write and policy.survives_writes(self.target.partition("?")[0])
        return CacheKey(self._digest(identity), identity, self.endpoint, survives_writes)

    def _digest(self, identity: str) -> bytes:
        """Digest everything that the response depends on."""
        # A gateway may choose the server by its header fields.
        request, owner = self.request, identity.encode() + self.headers
        if request.json is None and not request.form and not request.files and len(self.target) <= _LONG:
            return _digest_of_plain(owner, request.method, self.target, request.accept)
        # An empty body and no body are different requests, hence the mark before a body.
        json = b"" if request.json is None else b"=" + request.json
        return _digest(owner, request.method, self.target, request.accept, json, repr(request.form), request.files)


@lru_cache(maxsize=_REMEMBERED)
def _place(path: str, base_url: str) -> tuple[str, str]:
    """Return the target and the endpoint of a request without parameters."""
    target = request_target(Request("GET", path), base_url)
    return target, _endpoint(target)


def _endpoint(target: str) -> str:
    path = urlsplit(target).path if "://" in target else target.partition("?")[0]
    # Decoded: the server takes "/%61uth-token" for the login, too.
    return unquote(path.lstrip("/").partition("/")[0])


@lru_cache(maxsize=_REMEMBERED)
def _digest_of_plain(owner: bytes, method: str, target: str, accept: str) -> bytes:
    return _digest(owner, method, target, accept, b"", "()", ())


def _digest(
    owner: bytes, method: str, target: str, accept: str, json: bytes, form: str, files: tuple[FilePart, ...]
) -> bytes:
    parts = [owner, method.encode(), target.encode(), accept.encode(), json, form.encode()]
    for file in files:
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
    pending = bytearray()
    for part in parts:
        pending += len(part).to_bytes(8, "big")
        if len(part) < _LARGE:
            pending += part
        else:
            digest.update(pending)
            digest.update(part)
            pending.clear()
    digest.update(pending)
    return digest.digest()
