"""What the cache has to know of a request: what its answer depends on, and what a write makes out of date."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from alyx_client.http.cache.store import Place
from alyx_client.http.message import Request
from alyx_client.http.url import redact_url, same_origin

__all__ = ["Asked"]

_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# What the server says of itself: no write changes it.
_SCHEMAS = frozenset({"/api/schema", "/docs"})
_LOGIN = "auth-token"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the cache sees it.

    Parameters
    ----------
    request
        The request.
    target
        Its path and query below the server's address.
    url
        The whole URL, without secrets.
    """

    request: Request
    target: str
    url: str

    @classmethod
    def of(cls, request: Request, server: str) -> Asked:
        """Take from a request what matters here."""
        target = _target(request, server)
        return cls(request, target, redact_url(f"{server}{target}" if target.startswith("/") else target))

    @property
    def endpoint(self) -> str:
        """The first segment of the path."""
        return _first_segment(self.target)

    @property
    def writes(self) -> bool:
        """Whether it makes answers out of date."""
        return self.request.method in _WRITES and self.endpoint != _LOGIN

    @property
    def shown(self) -> str:
        """Method and path, for messages."""
        text = f"{self.request.method} {redact_url(self.target)}"
        return text if len(text) <= 200 else f"{text[:199]}…"

    def may_be_kept(self, mode: str | None) -> bool:
        """Tell whether the answer is looked for and kept.

        Parameters
        ----------
        mode
            ``"GET"``, ``"*"`` for every method, or None.
        """
        method, login = self.request.method, self.endpoint == _LOGIN
        if mode is None or login or not self.request.authenticate:
            return False
        return method == "GET" or (mode == "*" and method in _WRITES)

    def place(self, user: str) -> Place:
        """Say where this user's answer belongs."""
        path = self.target.partition("?")[0].rstrip("/")
        lasting = path in _SCHEMAS and not self.writes
        return Place(_key(self.request, self.target, user), user, self.endpoint, lasting)


def _target(request: Request, server: str) -> str:
    """Put together path and query, the same for an absolute URL of the server as for a relative one."""
    path = request.path.partition("#")[0]
    if not path.startswith("/") and same_origin(path, server):
        base = urlsplit(server).path
        parts = urlsplit(path)
        if parts.path == base or parts.path.startswith(f"{base}/"):
            path = urlunsplit(("", "", parts.path.removeprefix(base) or "/", parts.query, ""))
    if not request.params:
        return path
    return f"{path}{'&' if '?' in path else '?'}{urlencode(request.params, safe='/:,', quote_via=quote)}"


def _first_segment(target: str) -> str:
    path = urlsplit(target).path if "://" in target else target.partition("?")[0]
    return path.lstrip("/").partition("/")[0]


def _key(request: Request, target: str, user: str) -> bytes:
    """Digest all that the answer depends on, each part with its length so that none runs into the next."""
    parts = [user.encode(), request.method.encode(), target.encode(), request.accept.encode()]
    parts += [b"" if request.json is None else b"=" + request.json, repr(request.form).encode()]
    for file in request.files:
        parts += [repr((file.name, file.filename, file.content_type)).encode(), file.content]
    digest = hashlib.blake2b(digest_size=20)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
