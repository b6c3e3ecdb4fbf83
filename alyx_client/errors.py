"""Errors and warnings, one class for each meaning; errors also derive from the builtin with that meaning."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

if TYPE_CHECKING:
    from alyx_client.http.message import Request, Response

_SHOWN = 500
_LOGIN = "Log in again with username= and password=, or pass a new token= (from the site, or in ALYX_TOKEN)."
_NO_CREDENTIALS = frozenset(
    {
        "Invalid token.",
        "Authentication credentials were not provided.",
        "User inactive or deleted.",
        "Invalid username/password.",
    }
)


class AlyxError(Exception):
    """Base class of all errors of this package.

    Parameters
    ----------
    message
        What happened and what to do.
    status_code
        The HTTP status; None without a response.
    method, url
        The request; credentials are removed from the URL.
    detail
        The server's own message.
    fields
        The server's messages by field of a rejected record.
    retry_after
        Seconds that the server asks to wait before the next request.
    body
        The JSON of the response; None if it was not JSON.

    Attributes
    ----------
    unreached
        Whether no connection to the server could be established, for instance because the computer is offline.
    """

    unreached = False

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        method: str | None = None,
        url: str | None = None,
        detail: str | None = None,
        fields: Mapping[str, list[str]] | None = None,
        retry_after: float | None = None,
        body: object = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status_code
        self.method = method
        self.url = url
        self.detail = detail
        self.fields: dict[str, list[str]] = dict(fields or {})
        self.retry_after = retry_after
        self.body = body

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[object, ...]:
        # By default, errors are unpickled by calling the class with `args`, which has no keywords.
        return _rebuild, (type(self), self.message, self.__dict__.copy())


def _rebuild(kind: type[AlyxError], message: str, state: dict[str, object]) -> AlyxError:
    error = kind.__new__(kind, message)
    AlyxError.__init__(error, message)
    error.__dict__.update(state)
    return error


class AlyxConnectionError(AlyxError, ConnectionError):
    """The server could not be reached, or the connection was lost."""


class AlyxTimeoutError(AlyxError, TimeoutError):
    """The server did not respond in time."""


class OfflineError(AlyxError, ConnectionError):
    """The client is in offline mode and the response is not cached; nothing was sent."""


class AlyxHTTPError(AlyxError):
    """The server responded with a status other than 2xx; base class of the errors by status."""


class BadRequestError(AlyxHTTPError, ValueError):
    """400: the server rejected the request; ``fields`` has the reasons by field."""


class AuthenticationError(AlyxHTTPError, PermissionError):
    """401, or 403 without a valid token; also a wrong password."""


class PermissionDeniedError(AlyxHTTPError, PermissionError):
    """403: the user lacks the permission."""


class NotFoundError(AlyxHTTPError, LookupError):
    """404: there is no such record, or no such endpoint on this server."""


class MethodNotAllowedError(AlyxHTTPError):
    """405: the endpoint does not support this action."""


class ConflictError(AlyxHTTPError):
    """409: the request conflicts with the record's current state."""


class RequestTooLongError(AlyxHTTPError, ValueError):
    """413, 414 or 431: the request exceeds the server's limits."""


class RangeNotSatisfiableError(AlyxHTTPError, ValueError):
    """416: the file does not contain the requested bytes."""


class RateLimitError(AlyxHTTPError):
    """429: too many requests; ``retry_after`` has the number of seconds to wait."""


class ServerError(AlyxHTTPError):
    """5xx: the server failed. Alyx also responds with 500 to many invalid requests."""


class MissingCredentialsError(AlyxError, PermissionError):
    """There is neither a token nor a password; nothing was sent."""


class ConfigurationError(AlyxError, ValueError):
    """The settings file cannot be read, or contains an invalid value."""


class UnexpectedAnswerError(AlyxError, ValueError):
    """The response is not what the endpoint declares: not JSON, or JSON of another form."""


class SchemaDriftError(AlyxError, ValueError):
    """A field of a response is not of its declared type; raised with ``strict=True`` only."""


class ForeignURLError(AlyxError, ValueError):
    """The URL belongs to another server than the configured one; nothing was sent."""


class InvalidKeyError(AlyxError, ValueError):
    """The lookup key cannot be that of any record; nothing was sent."""


class InvalidFieldError(AlyxError, ValueError):
    """A field to send is unknown, missing or of the wrong type; nothing was sent."""


class InvalidCallError(AlyxError, ValueError):
    """The call names an unknown endpoint, action or filter, or omits a required argument; nothing was sent."""


class NotAnObjectError(AlyxError, TypeError):
    """The JSON field does not contain an object, so that it has no keys to update; nothing was written."""


class InvalidFileNameError(AlyxError, ValueError):
    """The file name leads out of its folder, or is invalid on some operating systems; nothing was written."""


class NoDataURLError(AlyxError, LookupError):
    """No known data server has the file of the record; nothing was sent."""


class IncompleteDownloadError(AlyxError, OSError):
    """The file is incomplete or differs in size from its record; it was not moved to its final name."""


class ChecksumError(AlyxError, ValueError):
    """The file's content does not match the record's hash; it was not moved to its final name."""


class DiskFullError(AlyxError, OSError):
    """The disk has too little space for the file; the partial download is kept so that it can be resumed."""


class DownloadCancelledError(AlyxError):
    """The download was cancelled; the partial download is kept so that it can be resumed."""


class DamagedArchiveError(AlyxError, ValueError):
    """The archive cannot be unpacked safely; the files that it was to replace are unchanged."""


class DownloadsFailedError(AlyxError):
    """Some of the requested files could not be downloaded; the others were.

    Attributes
    ----------
    results
        The path of each source's file, or its exception, in the order of the sources; None for an empty source.
    """

    results: list[Any]


class AlyxWarning(UserWarning):
    """Base class of all warnings of this package."""


class SchemaDriftWarning(AlyxWarning):
    """A field of a response is not of its declared type; it has the value that the server sent."""


class StaleAnswerWarning(AlyxWarning, RuntimeWarning):
    """The server could not be reached; the cached response that was returned may be out of date."""


class IncompleteResultsWarning(AlyxWarning):
    """The server left out rows of a list that it had counted."""


class AlyxNoticeWarning(AlyxWarning):
    """The server announces something urgent in a notice."""


class AlyxDeprecationWarning(AlyxWarning):
    """The server announces that an endpoint will be removed."""


class InsecureConnectionWarning(AlyxWarning):
    """A password or token is about to be sent without encryption."""


def error_from_response(
    response: Response, request: Request | None = None, *, retry_after: float | None = None
) -> AlyxHTTPError:
    """Make the error that an answer without success stands for.

    Parameters
    ----------
    response
        The answer.
    request
        What it answers, for the message.
    retry_after
        Seconds the server asked to wait.

    Returns
    -------
    AlyxHTTPError
        Of the subclass that the status and the body call for; not raised.
    """
    body = _json(response.content)
    fields = _fields(body)
    detail = _detail(body, fields) if body is not None else _page_text(response.content)
    kind = _kind(response.status, detail, fields, request)
    return kind(
        _message(kind, response, request, detail, fields, retry_after),
        status_code=response.status,
        method=response.method,
        url=response.url,
        detail=detail,
        fields=fields if kind is BadRequestError else None,
        retry_after=retry_after,
        body=body,
    )


def _kind(
    status: int, detail: str | None, fields: Mapping[str, list[str]], request: Request | None
) -> type[AlyxHTTPError]:
    if status == 401 or (status == 403 and detail in _NO_CREDENTIALS):
        return AuthenticationError
    if status == 400 and request is not None and request.path.endswith("/auth-token") and "non_field_errors" in fields:
        return AuthenticationError
    by_status: dict[int, type[AlyxHTTPError]] = {
        400: BadRequestError,
        403: PermissionDeniedError,
        404: NotFoundError,
        405: MethodNotAllowedError,
        409: ConflictError,
        413: RequestTooLongError,
        414: RequestTooLongError,
        416: RangeNotSatisfiableError,
        429: RateLimitError,
        431: RequestTooLongError,
    }
    return by_status.get(status, ServerError if status >= 500 else AlyxHTTPError)


def _message(
    kind: type[AlyxHTTPError],
    response: Response,
    request: Request | None,
    detail: str | None,
    fields: Mapping[str, list[str]],
    retry_after: float | None,
) -> str:
    status = response.status
    said = f": {detail.rstrip('.')}" if detail else ""
    asked = f"{response.method} {_cut(response.url, 300)}"
    if kind is AuthenticationError and status == 400:
        return f"The server did not accept the username and password{said}. Check both, and the server's address."
    if kind is AuthenticationError:
        return f"The server did not accept the token (status {status}{said}). {_LOGIN}"
    if kind is BadRequestError:
        if not fields:
            return f"The server rejected {asked}{said}."
        lines = "; ".join(f"{name}: {' '.join(messages)}" for name, messages in fields.items())
        return f"The server rejected {asked}: {_cut(lines, 2 * _SHOWN)}"
    if kind is PermissionDeniedError:
        return f"The server does not let this user do {asked}{said}. Ask the server's administrator for the permission."
    if kind is NotFoundError:
        return _not_found(asked, request, detail, is_page=_json(response.content) is None)
    if kind is MethodNotAllowedError:
        return f"The server does not offer {asked}{said}. Its version of Alyx may lack this action."
    if kind is RequestTooLongError:
        return (
            f"{asked} is longer than the server takes (status {status}). Send fewer values or smaller files at a time; "
            "a long list of keys is split where it is passed as id=[...]."
        )
    if kind is RangeNotSatisfiableError:
        return f"The file at {asked} does not have the bytes that were asked for: it may be shorter."
    if kind is RateLimitError:
        wait = "some time" if retry_after is None else f"{retry_after:.0f} s"
        return (
            f"Too many requests: the server asks to wait {wait} before {asked}. Send fewer at a time, or wait longer."
        )
    if status == 500:
        return (
            f"The server failed on {asked}{said}. Alyx answers 500 to many mistakes in a request, such as an unknown "
            "name in `django=` or a related record that does not exist: check the filters and values first."
        )
    if kind is ServerError:
        wait = "later" if retry_after is None else f"in {retry_after:.0f} s"
        return f"The server is not available (status {status} to {asked}{said}). Try again {wait}."
    if 300 <= status < 400:
        target = re.sub(r"//[^/?#]*@", "//", response.headers.get("location", "nowhere")).partition("?")[0]
        return f"{asked} is redirected to {target}, which was not followed. If Alyx lives there, use that address."
    return f"The server answered {asked} with status {status}{said}."


def _not_found(asked: str, request: Request | None, detail: str | None, *, is_page: bool) -> str:
    if request is not None and request.endpoint and request.action in {"read", "update", "partial_update", "delete"}:
        key = unquote(request.path.partition("?")[0].rstrip("/").rpartition("/")[2])
        return (
            f"{request.endpoint} has no record {key!r}, or this user may not see it ({asked} answered 404). "
            f"Check the key; client.{request.endpoint}.list() shows what is there."
        )
    if is_page:
        return f"The server has nothing at {asked}. Check its address; its version of Alyx may lack this endpoint."
    return f"Not found: {asked}" + (f" ({detail.rstrip('.')})." if detail else ".")


def _json(content: bytes) -> object:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _fields(body: object) -> dict[str, list[str]]:
    if isinstance(body, dict):
        named = {name: value for name, value in cast("dict[str, object]", body).items() if name != "status_code"}
        if "detail" in named or "error" in named:
            return {}
        body = named
    elif not isinstance(body, list):
        return {}
    found: dict[str, list[str]] = {}
    for name, text in _leaves("", cast("object", body)):
        found.setdefault(name or "non_field_errors", []).append(text)
    return found


def _leaves(name: str, value: object) -> Iterator[tuple[str, str]]:
    """Flatten the server's messages; those of nested records and of lists of records get dotted names."""
    if isinstance(value, dict):
        for inner, item in cast("dict[str, object]", value).items():
            yield from _leaves(f"{name}.{inner}" if name else inner, item)
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[object]", value)):
            if isinstance(item, dict):
                item = cast("dict[str, object]", item)
                yield from _leaves(f"{name}.{index}" if name else str(index), item)
            else:
                yield from _leaves(name, item)
    else:
        yield name, str(value)


def _detail(body: object, fields: Mapping[str, list[str]]) -> str | None:
    if isinstance(body, str):
        return body
    if isinstance(body, dict):
        for name in ("detail", "error"):
            said = cast("dict[str, object]", body).get(name)
            if said:
                return said if isinstance(said, str) else json.dumps(said)
    if fields:
        named = (
            f"{'' if name == 'non_field_errors' else name + ': '}{' '.join(said)}" for name, said in fields.items()
        )
        return "; ".join(named)
    return None


def _page_text(content: bytes) -> str | None:
    """Take a few readable words from an answer that is not JSON, such as a proxy's error page."""
    text = content[:20_000].decode("utf-8", "replace")
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    if title:
        text = title[1]
    else:
        text = re.sub(r"<(script|style)\b.*?</\1>", " ", text, flags=re.IGNORECASE | re.DOTALL)
        text = re.sub(r"<[^>]*>", " ", text)
    return _cut(" ".join(text.split()), 200) or None


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
