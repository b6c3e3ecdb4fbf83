"""Lookup keys of records in the paths of requests: quoted, below their endpoint, on the client's own server."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import quote, unquote, urlsplit
from uuid import UUID

from alyx_client.errors import ForeignURLError, InvalidKeyError
from alyx_client.http.arguments import shown
from alyx_client.http.url import is_encodable, redact_url, same_origin, split_url
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.runtime.coerce import UnsendableValueError, plain_python
from alyx_client.runtime.references import RecordOf, Reference, is_record, key_of_record
from alyx_client.schema.naming import endpoint_name

__all__ = [
    "Finder",
    "LookupKey",
    "LookupKind",
    "fill_path",
    "quote_key",
    "quote_path",
    "slash_hint",
    "split_path",
    "uuid_text",
]

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
LookupKey = str | UUID | int | RecordOf[Any]
"""The lookup key of a record, the record's URL, or the record itself."""
LookupKind = Literal["uuid", "integer", "text", "path"]
"""The kind of a lookup key: a UUID, an integer, text, or a path with slashes."""


@lru_cache(maxsize=1024)
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


@dataclass(frozen=True, slots=True)
class Finder:
    """The call that finds a record whose key no URL can express, for messages.

    Parameters
    ----------
    endpoint
        The endpoint's name.
    filter
        The name of the list's filter by the key; empty if it has none.
    by_name
        Whether the call is one by name.
    """

    endpoint: str
    filter: str
    by_name: bool = False

    def call(self, lookup: str, key: str) -> str:
        """Return the call.

        Parameters
        ----------
        lookup, key
            The name of the key, and the key.
        """
        start = f"client.rest({self.endpoint!r}, 'list'" if self.by_name else f"client.{self.endpoint}.list("
        # Alyx ignores filters that are empty.
        if self.filter and key.strip():
            return f"{start}{', ' if self.by_name else ''}{self.filter}={key!r})"
        field = f"row[{lookup!r}]" if self.by_name else f"row.{lookup}"
        return f"[row for row in {start}) if {field} == {key!r}]"


def slash_hint(path: str, lookup: str, find: Finder | None) -> str:
    """Return what to do if there is no record at a path whose key has a slash; empty if it has none.

    Parameters
    ----------
    path
        The quoted path, which ends in the key.
    lookup
        The name of the key.
    find
        The call that finds records otherwise.
    """
    segment = path.rstrip("/").rpartition("/")[2]
    if find is None or "%2F" not in segment:
        return ""
    call = find.call(lookup, unquote(segment))
    return f"Alyx takes a slash in a key for one of the path, so that no URL leads to such a record; {call} finds it."


def fill_path(
    template: str,
    key: object,
    kind: LookupKind | None,
    *,
    base_url: str,
    endpoint: str,
    find: Finder | None = None,
    record: Reference | None = None,
    by_name: bool = False,
) -> str:
    """Fill in the first lookup key of a path template.

    Parameters
    ----------
    template
        A path with lookup keys in braces.
    key
        The lookup key, the URL of the record, or the record, typed or as a dictionary.
    kind
        The kind of the key; None if it is unknown, as for calls by name.
    base_url
        The server.
    endpoint
        The endpoint's name, for messages.
    find
        The call that finds a record whose key no URL can express.
    record
        The record that the key is of; by default what the path says.
    by_name
        Whether the call is one by name.

    Raises
    ------
    InvalidKeyError
        The key is missing, empty, of another kind, that of another endpoint's record, or would leave the path.
    ForeignURLError
        The URL is not one of this endpoint on this server.
    """
    before, name, after = split_path(template)
    collection = before.rstrip("/")
    if is_record(key):
        record = record or Reference(endpoint_name(collection.rpartition("/")[2]), name)
        key = key_of_record(key, record, f"{endpoint}: {name}", base_url)
    if kind == "uuid" and isinstance(key, str | UUID) and re.fullmatch(_UUID, str(key)):
        return f"{before}{key}{after}"  # most keys: as the server routes them, and with nothing to quote
    if kind == "path":
        return before + quote_path(key, base_url=base_url, path=collection) + after
    segment = quote_key(key, lookup=name, base_url=base_url, path=collection, find=find)
    if kind is None:
        segment = uuid_text(segment)
    elif kind == "uuid":
        try:
            segment = str(UUID(segment))  # the server has no route for capitals, or without hyphens
        except ValueError:
            listing = f"client.rest({endpoint!r}, 'list', ...)" if by_name else f"client.{endpoint}.list(...)"
            raise InvalidKeyError(
                f"{endpoint} are looked up by UUID, and {shown(key)} is not one. "
                f"Find the record with {listing} and pass its id."
            ) from None
    elif kind == "integer" and not segment.removeprefix("-").isdecimal():
        raise InvalidKeyError(f"{endpoint} are looked up by an integer, and {shown(key)} is not one.")
    return before + segment + after


def quote_key(key: object, *, lookup: str, base_url: str, path: str, find: Finder | None = None) -> str:
    """Quote a lookup key as one segment of a path.

    Parameters
    ----------
    key
        The lookup value, or the record's own URL.
    lookup
        The name of the key, for messages.
    base_url, path
        The server, and the endpoint's path on it, which the record's URL must lie below.
    find
        The call that finds a record whose key no URL can express.

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
        text = unquote(last, errors="surrogateescape")
    return _segment(text, f"{path}: {lookup}", f"; {find.call(lookup, text)} finds such a record" if find else "")


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


def _segment(text: str, label: str, hint: str = "") -> str:
    # PostgreSQL stores no NUL, and UTF-8 has no halves of surrogate pairs.
    if "\0" in text or not is_encodable(text):
        raise InvalidKeyError(f"{label} {text!r} is not the key of a record")
    # Servers and proxies resolve dot segments (RFC 3986, section 5.2.4), some of them after decoding the slashes.
    if not text or any(part in (".", "..") for part in text.split("/")):
        raise InvalidKeyError(f"{label} {text!r} cannot be part of a URL{hint}")
    return quote(text, safe="")  # a slash in a key is part of the key


def _below_server(url: str, base_url: str) -> str:
    # A key is valid on its own server alone: the same number is another record elsewhere.
    if not same_origin(url, base_url):
        raise ForeignURLError(f"{redact_url(url)} is not a record of {base_url}, where this client's token belongs")
    return split_url(url).path.removeprefix(urlsplit(base_url).path)
