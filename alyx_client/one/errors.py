"""Errors as ONE's users catch them: this client's own, which are those of requests and urllib as well."""

from __future__ import annotations

import json
import ssl
import urllib.error
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from email.message import Message
from http.client import responses
from io import BytesIO
from typing import Any, cast

from alyx_client.errors import (
    AlyxConnectionError,
    AlyxError,
    AlyxHTTPError,
    AlyxTimeoutError,
    DownloadsFailedError,
    ForeignURLError,
    InvalidCallError,
    InvalidFieldError,
    InvalidKeyError,
    MissingCredentialsError,
    OfflineError,
)
from alyx_client.one.libraries import RequestsResponse, requests

__all__ = ["OneError", "as_one_error", "one_errors"]

Bases = tuple[type[Exception], ...]

# Calls that this client refuses before anything is sent, and the status with which servers refuse them. ONE's client
# sends them, so that ONE catches an HTTPError: it looks for another record when there is none of a key, for instance.
_REFUSED: Mapping[type[AlyxError], int] = {
    InvalidKeyError: 404,
    InvalidCallError: 400,
    InvalidFieldError: 400,
    MissingCredentialsError: 400,
}
_classes: dict[tuple[type[AlyxError], Bases], type[AlyxError]] = {}
_ATTRIBUTES_OF_URLLIB = frozenset({"fp", "file", "_closer", "delete", "name"})


class OneError:
    """Mixin of the errors that are also those of requests.

    Attributes
    ----------
    response
        The server's response, as requests has it; of a call that was refused before anything was sent, one with the
        status that the server would have responded with; None without either.
    request
        The request of the response.
    """

    response: RequestsResponse | None = None
    request: Any = None

    def __reduce__(self) -> tuple[object, ...]:
        # The class is made at run time, so that a pickle names the classes that it is made of.
        error = cast(AlyxError, self)
        own, *bases = type(self).__bases__[1:]
        state = {name: value for name, value in vars(error).items() if name not in _ATTRIBUTES_OF_URLLIB}
        return _make, (own, tuple(bases), error.message, state)


@contextmanager
def one_errors(*, downloads: bool = False) -> Generator[None]:
    """Raise this client's errors as those that ONE's users catch.

    Parameters
    ----------
    downloads
        Whether the block downloads files; in ONE, the errors of these are urllib's.
    """
    try:
        yield
    except AlyxError as error:
        if isinstance(error, OneError) and not downloads:
            raise
        raise as_one_error(error, downloads=downloads).with_traceback(error.__traceback__) from error.__cause__


def as_one_error(error: AlyxError, *, downloads: bool = False) -> AlyxError:
    """Return an error as one that is of the classes of requests, too, and of urllib if it is about a file.

    Parameters
    ----------
    error
        The error.
    downloads
        Whether it is about a file.
    """
    own = type(error).__bases__[1] if isinstance(error, OneError) else type(error)
    cause = _first_failure(error)
    status = cause.status_code or next((code for kind, code in _REFUSED.items() if isinstance(cause, kind)), None)
    bases = _bases(cause, downloads=downloads)
    if not bases:
        return error
    translated = _make(own, bases, error.message, vars(error))
    # Of a list of files, ONE raises the first one's error.
    translated.status_code, translated.url = cause.status_code, cause.url
    if status is not None:
        response = _response(cause, status)
        cast(OneError, translated).response = response
        cast(OneError, translated).request = response.request
        cast(OSError, translated).errno = status
        if isinstance(translated, urllib.error.HTTPError):
            translated.code = status
    return translated


def _first_failure(error: AlyxError) -> AlyxError:
    if isinstance(error, DownloadsFailedError):
        return next((result for result in error.results if isinstance(result, AlyxError)), error)
    return error


def _bases(error: AlyxError, *, downloads: bool) -> Bases:
    """Return the classes of other libraries that an error belongs to."""
    library = requests()
    if isinstance(error, (AlyxHTTPError, *_REFUSED)):
        return (library.HTTPError, *([urllib.error.HTTPError] if downloads else []))
    also = (urllib.error.URLError,) if downloads else ()
    if isinstance(error, AlyxTimeoutError):
        return (library.ConnectTimeout if error.unreached else library.Timeout, *also)
    if isinstance(error, AlyxConnectionError | OfflineError):
        return (library.exceptions.SSLError if _is_about_certificates(error) else library.ConnectionError, *also)
    # ONE asserts that a file is on its data server.
    return (AssertionError,) if downloads and isinstance(error, ForeignURLError) else ()


def _is_about_certificates(error: BaseException) -> bool:
    cause = error.__cause__ or error.__context__
    return cause is not None and (isinstance(cause, ssl.SSLError) or _is_about_certificates(cause))


def _class_of(own: type[AlyxError], bases: Bases) -> type[AlyxError]:
    known = _classes.get((own, bases))
    if known is None:
        namespace = {"__doc__": own.__doc__, "__module__": own.__module__, "__qualname__": own.__qualname__}
        known = _classes[own, bases] = type(own.__name__, (OneError, own, *bases), namespace)
    return known


def _make(own: type[AlyxError], bases: Bases, message: str, state: Mapping[str, Any]) -> AlyxError:
    kind = _class_of(own, bases)
    # Not by calling the class: each library's __init__ expects arguments of its own. An OSError is allocated as one.
    error: AlyxError = (OSError if issubclass(kind, OSError) else Exception).__new__(kind)
    error.args = (message,)
    if isinstance(error, urllib.error.HTTPError):
        url, content = str(state.get("url") or ""), state.get("content") or b""
        urllib.error.HTTPError.__init__(error, url, 0, message, Message(), BytesIO(content))
    elif isinstance(error, urllib.error.URLError):
        error.reason = message
    vars(error).update(state)
    return error


def _response(error: AlyxError, status: int) -> RequestsResponse:
    """Return the response of an error as requests has it."""
    library = requests()
    response = library.Response()
    response.status_code = status
    response.url = error.url or ""
    response.encoding = "utf-8"
    if error.status_code is None:
        response.reason = "Refused by alyx-client; nothing was sent"
        content = json.dumps({"detail": error.message}).encode()
    else:
        response.reason = responses.get(status, "")
        content = error.content if isinstance(error, AlyxHTTPError) else b""
    response._content = content  # pyright: ignore[reportPrivateUsage]  # requests has no other way to set it
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(round(error.retry_after))
    response.request = library.Request(error.method or "GET", response.url)
    return response
