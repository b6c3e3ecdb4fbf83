"""Requests of calls by name: to a path and query, or a URL of the server, with data and files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from alyx_client.errors import InvalidFieldError, InvalidKeyError
from alyx_client.http.json_body import is_array, is_object, parse_json
from alyx_client.http.message import Params, Request
from alyx_client.http.url import is_encodable, same_origin, split_url
from alyx_client.runtime.bodies import file_parts, form_fields, joined, json_text, plain_json

__all__ = ["build_request", "join_lists", "parse_data", "zoned_data"]

# Characters of RFC 3986's pchar, and the percent sign of what is quoted already.
_SAFE_IN_PATH = "/%:@!$&'()*+,;=~"


def build_request(method: str, rest_query: str, *, base_url: str, data: object = None, files: object = None) -> Request:
    """Build a request.

    Parameters
    ----------
    method
        The HTTP method.
    rest_query
        A path and query below the server, or a URL.
    base_url
        The server.
    data
        The body: plain Python, or JSON as text.
    files
        Files by form field; the data then goes as form fields beside them.

    Raises
    ------
    InvalidFieldError
        The data cannot be sent.
    InvalidKeyError
        The path has segments such as ``..``, which lead elsewhere.
    """
    path, _, query = rest_query.strip().partition("?")
    path = _relative_path(path, base_url)
    what = f"{method} {path}"
    parts = () if files is None else file_parts(files)
    body, form = None, Params()
    if data is not None:
        content = parse_data(data, what)
        if parts:
            # A multipart body holds text only: Alyx cannot read JSON beside a file.
            form = _form(content, what)
        else:
            body = json_text(content, what).encode()
    return Request(
        method,
        path,
        params=tuple(parse_qsl(query, keep_blank_values=True)),
        json=body,
        form=form,
        files=parts,
        endpoint=path.split("/")[1] if path.startswith("/") else "",
    )


def parse_data(data: object, what: str) -> Any:
    """Return data as plain JSON.

    Parameters
    ----------
    data
        Plain Python, or JSON as text.
    what
        The call, for messages.

    Raises
    ------
    InvalidFieldError
        The text is not JSON, or JSON has no form for a value.
    """
    if not isinstance(data, str | bytes):
        return plain_json(data)
    try:
        content = parse_json(data)
    except ValueError as error:
        raise InvalidFieldError(f"{what} was not sent: data is text, but not JSON ({error})") from None
    return plain_json(content)  # Python also reads NaN and Infinity, which JSON does not have


def zoned_data(data: object) -> object:
    """Return data with date-times as text, whatever their time zone; text, which is JSON already, unchanged.

    Raises
    ------
    InvalidFieldError
        JSON has no form for a value.
    """
    return data if data is None or isinstance(data, str | bytes) else plain_json(data, zones=True)


def join_lists(data: object, names: Sequence[str], what: str) -> object:
    """Return data with the lists of some fields as one text, joined by commas; unchanged if there are no such fields.

    Parameters
    ----------
    data
        A record, or several; plain Python, or JSON as text.
    names
        The fields.
    what
        The call, for messages.

    Raises
    ------
    InvalidFieldError
        The data cannot be sent.
    """
    content: object = parse_data(data, what) if names else None
    if is_array(content):
        return [join_lists(record, names, what) for record in content]
    if not is_object(content):
        return data
    return content | {name: joined(content[name], name) for name in names if name in content}


def _relative_path(path: str, base_url: str) -> str:
    """Return a path below the server, quoted; URLs of other servers are returned unchanged."""
    # Records refer to others by URL. Another server's is left for the caller to refuse, which shows it in the error.
    if same_origin(path, base_url):
        path = split_url(path).path.removeprefix(urlsplit(base_url).path)
    if re.match(r"https?://", path, re.IGNORECASE):
        return path
    path = f"/{path.lstrip('/')}"
    # Servers and proxies resolve such segments (RFC 3986, section 5.2.4), so that another endpoint would be reached.
    if any(segment in (".", "..") for segment in path.split("/")):
        raise InvalidKeyError(f"{path!r} leads out of its endpoint")
    if not is_encodable(path):
        raise InvalidKeyError(f"{path!r} contains half a surrogate pair, which is not a character")
    return quote(path, safe=_SAFE_IN_PATH)


def _form(content: object, what: str) -> Params:
    if not is_object(content):
        raise InvalidFieldError(f"{what} was not sent: with files, data is a dictionary of the other fields")
    return form_fields(content, what)
