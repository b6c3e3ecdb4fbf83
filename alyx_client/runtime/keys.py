"""Keys of records as segments of a path: quoted, never leading out of the endpoint, never to another server."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit
from uuid import UUID

from alyx_client.errors import ForeignURLError, InvalidKeyError
from alyx_client.http.url import redact_url, same_origin
from alyx_client.runtime.coerce import plain_python


def quote_key(key: object, *, lookup: str, base_url: str, path: str) -> str:
    """Return a record's key as one segment of a path.

    Parameters
    ----------
    key
        The lookup value, or the record's own URL.
    lookup
        What the key is called, for messages.
    base_url, path
        The server, and the endpoint's path on it: where the record's URL must lie.

    Raises
    ------
    InvalidKeyError
        The key is missing, empty, or would leave the endpoint's path.
    ForeignURLError
        The URL is not one of this endpoint on this server.
    """
    key = plain_python(key)
    if key is None or isinstance(key, bool) or not isinstance(key, str | int | UUID):
        raise InvalidKeyError(f"{path}: {lookup} is {key!r}; pass the {lookup} of a record, or its URL")
    text = str(key)
    if text.startswith(("http://", "https://")):
        folder, _, last = _below_server(text, base_url).rstrip("/").rpartition("/")
        if folder != path:
            raise InvalidKeyError(f"{redact_url(text)} is not a record of {path}")
        text = unquote(last)
    return _segment(text, f"{path}: {lookup}")


def quote_path(key: object, *, base_url: str, path: str) -> str:
    """Return a key that may hold slashes, each segment quoted.

    Parameters
    ----------
    key
        The path, or the whole URL that it is the end of.
    base_url, path
        The server, and the endpoint's path on it: where the URL must lie.

    Raises
    ------
    InvalidKeyError
        A segment is empty, or leads out of the path.
    ForeignURLError
        The URL is not one of this server.
    """
    if not isinstance(key, str):
        raise InvalidKeyError(f"{path} takes a path, and {key!r} is none")
    if key.startswith(("http://", "https://")):
        below = _below_server(key, base_url)
        if not below.startswith(f"{path}/"):
            raise InvalidKeyError(f"{redact_url(key)} is not below {path}")
        key = unquote(below.removeprefix(path))
    return "/".join(_segment(segment, path) for segment in key.strip("/").split("/"))


def uuid_text(key: str) -> str:
    """Return a UUID in the one form that the server has routes for, small and with hyphens; another key as it is."""
    try:
        return str(UUID(key))
    except ValueError:
        return key


def _segment(text: str, what: str) -> str:
    if not text.strip() or text in (".", "..") or not text.isprintable():
        raise InvalidKeyError(f"{what} {text!r} is no key of a record")
    return quote(text, safe="")


def _below_server(url: str, base_url: str) -> str:
    if not same_origin(url, base_url):
        raise ForeignURLError(f"{redact_url(url)} is not a record of {base_url}, where this client's token belongs")
    return urlsplit(url).path.removeprefix(urlsplit(base_url).path)
