"""Requests and responses as plain values: the transport sends the one and returns the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from alyx_client.http.read_ahead import ReadAhead
from alyx_client.lazy_dataclasses import dataclass

Params = tuple[tuple[str, str], ...]
"""Query parameters or form fields, in order."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""The statuses of redirects."""


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
        The bytes; they are read in advance, so that a retry sends the same ones.
    content_type
        The media type.
    """

    name: str
    filename: str
    content: bytes = field(repr=False)
    content_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Request:
    """A request, complete except for the server's address and the token.

    Parameters
    ----------
    method
        The HTTP method, in capitals.
    path
        Path below the server's base URL, with a leading slash and percent-encoded segments; or an absolute URL of that
        server.
    params
        Query parameters in order; a name may occur several times.
    json
        A JSON body, as bytes.
    form
        Fields of a form.
    files
        Files of a multipart form.
    form_type
        The encoding of a form; one with files is multipart.
    accept
        The ``Accept`` header.
    json_type
        The media type of a JSON body.
    endpoint, action
        Where the request comes from, for messages: ``"subjects"``, ``"list"``.
    hint
        What to do if there is no such record.
    authenticate
        Whether the token is sent.
    any_server
        Whether redirects to other servers are followed, without the token.
    max_bytes
        The largest response that makes sense, in bytes; None for the client's own limit.
    read_ahead
        The requests that are going to follow, whose cached responses are looked up together with this one's.
    """

    method: str
    path: str
    params: Params = ()
    json: bytes | None = field(default=None, repr=False)
    form: Params = field(default=(), repr=False)
    files: tuple[FilePart, ...] = ()
    form_type: Literal["multipart", "urlencoded"] = "multipart"
    accept: str = "application/json"
    json_type: str = "application/json"
    endpoint: str = ""
    action: str = ""
    hint: str = field(default="", repr=False, compare=False)
    authenticate: bool = True
    any_server: bool = False
    max_bytes: int | None = None
    read_ahead: ReadAhead | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class TokenUser:
    """The user with whose token a request was sent.

    Parameters
    ----------
    identity
        An opaque name of the user, derived from the token.
    username
        The user's name, if it is known.
    is_proven
        Whether the server has issued the token to that name; otherwise it may be another user's token.
    """

    identity: str
    username: str | None = None
    is_proven: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """A complete response.

    Parameters
    ----------
    status
        The status code.
    headers
        The headers, names in lower case.
    content
        The body, with any ``Content-Encoding`` decoded.
    method, url
        The request; the URL holds no credentials.
    sender
        The user with whose token the request was sent; None without a token.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    method: str = "GET"
    url: str = ""
    sender: TokenUser | None = field(default=None, repr=False, compare=False)
