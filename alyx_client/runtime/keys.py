"""Lookup keys of records in the paths of requests: quoted, below their endpoint, on the client's own server."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote, unquote, urlsplit
from uuid import UUID

from alyx_client.errors import ForeignURLError, InvalidKeyError
from alyx_client.http.arguments import shown
from alyx_client.http.url import redact_url, same_origin
from alyx_client.runtime.coerce import UnsendableValueError, plain_python

__all__ = ["LookupKey", "LookupKind", "fill_path", "quote_key", "quote_path", "split_path", "uuid_text"]

LookupKey = str | UUID | int
"""The lookup key of a record, or the record's URL."""
LookupKind = Literal["uuid", "integer", "text", "path"]
"""The kind of a lookup key: a UUID, an integer, text, or a path with slashes."""


def split_path(template: str) -> tuple[str, str, str]:
    """Split a path template at its first lookup key.

    Parameters
    ----------
    template
        A path with lookup keys in braces, such as ``"/subjects/{nickname}"``.

    Returns
    -------
    tuple of str
        The text before the key, the key's name (empty if the path has none), and the text after it.
    """
    before, _, rest = template.partition("{")
    name, _, after = rest.partition("}")
    return before, name, after


def fill_path(template: str, key: object, kind: LookupKind | None, *, base_url: str, endpoint: str) -> str:
    """Fill in the first lookup key of a path template.

    Parameters
    ----------
    template
        A path with lookup keys in braces.
    key
        The lookup key, or the URL of the record.
    kind
        The kind of the key; None if it is unknown, as for calls by name.
    base_url
        The server.
    endpoint
        The endpoint's name, for messages.

    Raises
    ------
    InvalidKeyError
        The key is missing, empty, of another kind, or would leave the endpoint's path.
    ForeignURLError
        The URL is not one of this endpoint on this server.
    """
    before, name, after = split_path(template)
    collection = before.rstrip("/")
    if kind == "path":
        return before + quote_path(key, base_url=base_url, path=collection) + after
    segment = quote_key(key, lookup=name, base_url=base_url, path=collection)
    if kind is None:
        segment = uuid_text(segment)
    elif kind == "uuid":
        try:
            segment = str(UUID(segment))  # the server has no route for capitals, or without hyphens
        except ValueError:
            raise InvalidKeyError(
                f"{endpoint} are looked up by UUID, and {str(key)!r} is not one. "
                f"Find the record with client.{endpoint}.list(...) and pass its id."
            ) from None
    elif kind == "integer" and not segment.removeprefix("-").isdecimal():
        raise InvalidKeyError(f"{endpoint} are looked up by an integer, and {str(key)!r} is not one.")
    return before + segment + after


def quote_key(key: object, *, lookup: str, base_url: str, path: str) -> str:
    """Quote a lookup key as one segment of a path.

    Parameters
    ----------
    key
        The lookup value, or the record's own URL.
    lookup
        The name of the key, for messages.
    base_url, path
        The server, and the endpoint's path on it, which the record's URL must lie below.

    Raises
    ------
    InvalidKeyError
        The key is missing, empty, or would leave the endpoint's path.
    ForeignURLError
        The URL is not one of this endpoint on this server.
    """
    plain = _plain_key(key)
    # A bool is an int, and never meant as a key.
    if plain is None or isinstance(plain, bool) or not isinstance(plain, str | int | UUID):
        raise InvalidKeyError(f"{path}: {lookup} is {shown(key)}; pass the {lookup} of a record, or its URL")
    try:
        text = str(plain)
    except ValueError:
        raise InvalidKeyError(f"{path}: {lookup} is {shown(key)}, which no record has") from None
    if text.startswith(("http://", "https://")):
        folder, _, last = _below_server(text, base_url).rstrip("/").rpartition("/")
        # The URL of another endpoint's record ends in a key, too, but hardly in the one that is meant.
        if folder != path:
            raise InvalidKeyError(f"{redact_url(text)} is not a record of {path}")
        text = unquote(last)
    return _segment(text, f"{path}: {lookup}")


def quote_path(key: object, *, base_url: str, path: str) -> str:
    """Quote a lookup key that may hold slashes, segment by segment.

    Parameters
    ----------
    key
        The path, or a whole URL that ends in it.
    base_url, path
        The server, and the endpoint's path on it, which the URL must lie below.

    Raises
    ------
    InvalidKeyError
        A segment is empty, or would leave the endpoint's path.
    ForeignURLError
        The URL is not one of this server.
    """
    if not isinstance(key, str):
        raise InvalidKeyError(f"{path} takes a path, and {shown(key)} is not one")
    if key.startswith(("http://", "https://")):
        below = _below_server(key, base_url)
        if not below.startswith(f"{path}/"):
            raise InvalidKeyError(f"{redact_url(key)} is not below {path}")
        key = unquote(below.removeprefix(path))
    return "/".join(_segment(segment, path) for segment in key.strip("/").split("/"))


def uuid_text(key: str) -> str:
    """Return a UUID in lower case with hyphens, the one form that the server routes; other keys unchanged."""
    try:
        return str(UUID(key))
    except ValueError:
        return key


def _plain_key(key: object) -> object:
    try:
        return plain_python(key, "key")
    except UnsendableValueError:
        return None


def _segment(text: str, label: str) -> str:
    # Servers and proxies resolve dot segments (RFC 3986, section 5.2.4).
    if not text.strip() or text in (".", "..") or not text.isprintable():
        raise InvalidKeyError(f"{label} {text!r} is not the key of a record")
    return quote(text, safe="")  # a slash in a key is part of the key


def _below_server(url: str, base_url: str) -> str:
    # A key is valid on its own server alone: the same number is another record elsewhere.
    if not same_origin(url, base_url):
        raise ForeignURLError(f"{redact_url(url)} is not a record of {base_url}, where this client's token belongs")
    return urlsplit(url).path.removeprefix(urlsplit(base_url).path)
