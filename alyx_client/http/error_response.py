"""Error responses: the error for a response whose status is not 2xx, with a message that says what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import unquote, urljoin

from alyx_client.errors import (
    AlyxHTTPError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    MethodNotAllowedError,
    NotFoundError,
    PermissionDeniedError,
    RangeNotSatisfiableError,
    RateLimitError,
    RequestTooLongError,
    ServerError,
)
from alyx_client.http.headers import readable_wait
from alyx_client.http.json_body import as_object, decode_or_none, is_array, is_object
from alyx_client.http.message import REDIRECTS, Request, Response
from alyx_client.http.url import is_https_upgrade, same_origin
from alyx_client.lazy_dataclasses import dataclass

__all__ = ["error_from_response", "too_many_redirects"]

_MAX_FIELD_MESSAGES = _MAX_REASON = 1000
_LOG_IN_AGAIN = "Log in again with username= and password=, or pass a new token= (from the site, or in ALYX_TOKEN)."
# What Django REST framework says of missing or invalid credentials. It sends status 403 in place of 401 where its first
# authentication scheme has no WWW-Authenticate challenge, so that the words have to tell the two apart.
_NO_CREDENTIALS = frozenset(
    {
        "Invalid token.",
        "Authentication credentials were not provided.",
        "User inactive or deleted.",
        "Invalid username/password.",
    }
)


_BY_STATUS: Mapping[int, type[AlyxHTTPError]] = {
    400: BadRequestError,
    401: AuthenticationError,
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


@dataclass(frozen=True, slots=True)
class _Failure:
    """An error response, parsed for its message."""

    response: Response
    request: Request | None
    is_json: bool
    detail: str | None
    fields: Mapping[str, list[str]]
    retry_after: float | None

    @property
    def call(self) -> str:
        return f"{self.response.method} {_cut(self.response.url, 300)}"

    @property
    def reason(self) -> str:
        return f": {_cut(self.detail.rstrip('.'), _MAX_REASON)}" if self.detail else ""


def error_from_response(
    response: Response, request: Request | None = None, *, retry_after: float | None = None
) -> AlyxHTTPError:
    """Build the error for a response whose status is not 2xx.

    Parameters
    ----------
    response
        The response.
    request
        The request, for the message.
    retry_after
        The wait that the server asked for, in seconds.

    Returns
    -------
    AlyxHTTPError
        An error of the subclass that fits the status and the body; it is not raised here.
    """
    body = decode_or_none(response.content)
    fields = _field_messages(body)
    detail = _detail(body, fields) if body is not None else _page_text(response.content)
    kind = _kind(response.status, detail, fields, request)
    failure = _Failure(response, request, body is not None, detail, fields, retry_after)
    error = kind(
        _MESSAGES.get(kind, _other)(failure),
        status_code=response.status,
        method=response.method,
        url=response.url,
        detail=detail,
        fields=fields if kind is BadRequestError else None,
        retry_after=retry_after,
        body=body,
    )
    error.content = response.content
    return error


def _kind(
    status: int, detail: str | None, fields: Mapping[str, list[str]], request: Request | None
) -> type[AlyxHTTPError]:
    if status == 403 and detail in _NO_CREDENTIALS:
        return AuthenticationError
    # Alyx answers a wrong password as a form with an error, by status 400.
    if status == 400 and request is not None and request.path.endswith("/auth-token") and "non_field_errors" in fields:
        return AuthenticationError
    return _BY_STATUS.get(status, ServerError if status >= 500 else AlyxHTTPError)


def _authentication(failure: _Failure) -> str:
    if failure.response.status == 400:
        return (
            f"The server did not accept the username and password{failure.reason}. "
            "Check both, and the server's address."
        )
    return f"The server did not accept the token (status {failure.response.status}{failure.reason}). {_LOG_IN_AGAIN}"


def _bad_request(failure: _Failure) -> str:
    if not failure.fields:
        return f"The server rejected {failure.call}{failure.reason}."
    lines = "; ".join(f"{name}: {' '.join(messages)}" for name, messages in failure.fields.items())
    return f"The server rejected {failure.call}: {_cut(lines, _MAX_FIELD_MESSAGES)}"


def _permission_denied(failure: _Failure) -> str:
    return (
        f"The server does not let this user do {failure.call}{failure.reason}. "
        "Ask the server's administrator for the permission."
    )


def _not_found(failure: _Failure) -> str:
    request = failure.request
    if request is not None and request.endpoint == "cache_info":
        return (
            f"The server has no cache tables ({failure.call} answered 404{failure.reason}). Its administrator has to "
            "generate them; the sessions and datasets themselves can be listed without."
        )
    if request is not None and request.endpoint and request.action in {"read", "update", "partial_update", "delete"}:
        key = unquote(request.path.partition("?")[0].rstrip("/").rpartition("/")[2])
        return (
            f"{request.endpoint} has no record {key!r}, or this user may not see it ({failure.call} answered 404). "
            f"{request.hint or f'Check the key; client.{request.endpoint}.list() shows the records.'}"
        )
    if request is not None and request.hint:
        return f"There is no record at {failure.call} (status 404). {request.hint}"
    # Alyx answers for a missing record in JSON, and for a path that it does not route by a page.
    if not failure.is_json:
        return (
            f"The server has nothing at {failure.call}. Check its address; its version of Alyx may lack this endpoint."
        )
    return f"Not found: {failure.call}{failure.reason}."


def _method_not_allowed(failure: _Failure) -> str:
    return f"The server does not offer {failure.call}{failure.reason}. Its version of Alyx may lack this action."


def _request_too_long(failure: _Failure) -> str:
    return (
        f"{failure.call} is longer than the server accepts (status {failure.response.status}). Send fewer values or "
        "smaller files at a time; a long list of keys is split if it is passed as id=[...]."
    )


def _range_not_satisfiable(failure: _Failure) -> str:
    return f"The file at {failure.call} does not have the requested bytes: it may be shorter."


def _rate_limit(failure: _Failure) -> str:
    wait = readable_wait(failure.retry_after, "some time")
    return (
        f"Too many requests: the server asks to wait {wait} before {failure.call}. "
        "Send fewer at a time, or wait longer."
    )


def _server_failure(failure: _Failure) -> str:
    status = failure.response.status
    if status == 500 and failure.request is not None and failure.request.endpoint in ("api/schema", "docs"):
        return (
            f"The server failed on its schema ({failure.call}{failure.reason}), which is a fault of its installation; "
            "the cause is in its log."
        )
    if status == 500:
        return (
            f"The server failed on {failure.call}{failure.reason}. Alyx answers 500 to many mistakes in a request, "
            "such as an unknown name in `django=` or a related record that does not exist: check the filters and "
            "values first."
        )
    wait = readable_wait(failure.retry_after, "later", "in ")
    return f"The server is not available (status {status} to {failure.call}{failure.reason}). Try again {wait}."


def _other(failure: _Failure) -> str:
    status = failure.response.status
    if status in REDIRECTS:
        return _redirected(failure)
    if status == 407:
        return (
            f"The proxy on the way to the server requires a login (status 407 to {failure.call}). Write it into the "
            "environment variable that names the proxy (http://user:password@proxy.example.org:3128), or exempt the "
            "server in NO_PROXY."
        )
    return f"The server answered {failure.call} with status {status}{failure.reason}."


def _redirected(failure: _Failure) -> str:
    location, url = failure.response.headers.get("location"), failure.response.url
    if not location:
        return f"{failure.call} is redirected nowhere (status {failure.response.status}). Check the server's address."
    target = _absolute(url, location)
    # Queries and fragments may hold tokens.
    shown = _cut(re.split("[?#]", re.sub(r"//[^/?#]*@", "//", target))[0], 300)
    text = f"{failure.call} is redirected to {shown}, which was not followed"
    if not target.startswith(("http://", "https://")) or any(character < "!" for character in location.strip()):
        return f"{text}: it is not an address on the web. Check the server's address."
    if is_https_upgrade(url, target):
        return f"{text}: only reads are. Use https:// in the server's address."
    if url.startswith("https:") and target.startswith("http:"):
        return f"{text}: it is not encrypted. Check the server's address."
    if not same_origin(url, target):
        return f"{text}: it is another server. If Alyx is there, use that address; if it is a login page, log in there."
    return f"{text}. If Alyx is there, use that address."


def too_many_redirects(response: Response, count: int) -> AlyxHTTPError:
    """Build the error for a redirect that follows on several others; it is not raised here.

    Parameters
    ----------
    response
        The last response.
    count
        The number of redirects that were followed.
    """
    return AlyxHTTPError(
        f"{response.method} {_cut(response.url, 300)} is redirected again, after {count} redirects. The server's or a "
        "proxy's settings send requests in circles; check the server's address.",
        status_code=response.status,
        method=response.method,
        url=response.url,
    )


def _absolute(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        return location


_MESSAGES: Mapping[type[AlyxHTTPError], Callable[[_Failure], str]] = {
    AuthenticationError: _authentication,
    BadRequestError: _bad_request,
    PermissionDeniedError: _permission_denied,
    NotFoundError: _not_found,
    MethodNotAllowedError: _method_not_allowed,
    RequestTooLongError: _request_too_long,
    RangeNotSatisfiableError: _range_not_satisfiable,
    RateLimitError: _rate_limit,
    ServerError: _server_failure,
}


def _field_messages(body: object) -> dict[str, list[str]]:
    """Return the messages of a rejected record by field; those of nested records get dotted names."""
    if is_object(body):
        fields = {name: value for name, value in body.items() if name != "status_code"}
        if "detail" in fields or "error" in fields:
            return {}
        body = fields
    elif not is_array(body):
        return {}
    messages: dict[str, list[str]] = {}
    for name, text in _leaves("", body):
        messages.setdefault(name or "non_field_errors", []).append(text)
    return messages


def _leaves(name: str, value: object) -> Iterator[tuple[str, str]]:
    if is_object(value):
        for inner, item in value.items():
            yield from _leaves(f"{name}.{inner}" if name else inner, item)
    elif is_array(value):
        for index, item in enumerate(value):
            # A list of messages belongs to the field; a list of records has messages for each of them.
            is_record = isinstance(item, dict)
            yield from _leaves((f"{name}.{index}" if name else str(index)) if is_record else name, item)
    else:
        yield name, str(value)


def _detail(body: object, fields: Mapping[str, list[str]]) -> str | None:
    if isinstance(body, str):
        return body
    for name in ("detail", "error"):
        detail = as_object(body).get(name)
        if detail:
            return detail if isinstance(detail, str) else json.dumps(detail)
    lines = (
        f"{'' if name == 'non_field_errors' else name + ': '}{' '.join(messages)}" for name, messages in fields.items()
    )
    return "; ".join(lines) or None


def _page_text(content: bytes) -> str | None:
    """Extract a few readable words from a page, such as a proxy's error page."""
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
