"""Requests and responses as plain values: what the pure middle builds and reads, and the transport sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Params = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class FilePart:
    """One file of a multipart body.

    Parameters
    ----------
    name
        The form field.
    filename
        The name given to the server.
    content
        The bytes, held so that a retry sends the same ones.
    content_type
        The media type.
    """

    name: str
    filename: str
    content: bytes = field(repr=False)
    content_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Request:
    """One request, complete but for the server's address and the token.

    Parameters
    ----------
    method
        The HTTP method, in capitals.
    path
        Path below the server's base URL, with a leading slash and quoted segments; or an absolute URL of that server.
    params
        Query parameters in order; a name may stand several times.
    json
        A JSON body, as bytes.
    form
        Fields of a multipart body (only with ``files``).
    files
        Files of a multipart body.
    accept
        The ``Accept`` header.
    endpoint, action
        Whose request it is, for messages: ``"subjects"``, ``"list"``.
    authenticate
        Whether the token is sent.
    """

    method: str
    path: str
    params: Params = ()
    json: bytes | None = field(default=None, repr=False)
    form: Params = field(default=(), repr=False)
    files: tuple[FilePart, ...] = ()
    accept: str = "application/json"
    endpoint: str = ""
    action: str = ""
    authenticate: bool = True


@dataclass(frozen=True, slots=True)
class Response:
    """One answer, read to its end.

    Parameters
    ----------
    status
        The status code.
    headers
        The headers, names in lower case.
    content
        The body after any ``Content-Encoding`` is undone.
    method, url
        The request it answers; the URL holds no credentials.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    method: str = "GET"
    url: str = ""
