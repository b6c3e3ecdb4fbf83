"""Errors and warnings, one class for each meaning; errors also derive from the builtin with that meaning, if any."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar, cast

# Control characters (a terminal obeys some of them), characters that change the direction of what follows or are not
# seen (bidirectional controls and tags of Unicode), line separators, and halves of surrogate pairs, which are no text.
# Patterns stay text until they are used: compiling this one takes longer than all the classes below.
_UNPRINTABLE = (
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
_MAX_MESSAGE = 10_000


def printable(text: str, *, several_lines: bool = False, limit: int | None = _MAX_MESSAGE) -> str:
    """Return a text that may hold a server's words as one that is safe to show: escaped, and cut to a length.

    Parameters
    ----------
    text
        The text.
    several_lines
        Whether line feeds and tabs stay as they are.
    limit
        The number of characters after which it is cut; None for none.
    """
    if limit is not None and len(text) > limit:
        text = f"{text[: limit - 1]}…"
    allowed = "\n\t" if several_lines else ""
    return re.sub(_UNPRINTABLE, lambda match: match[0] if match[0] in allowed else ascii(match[0])[1:-1], text)


def wants_full_tracebacks() -> bool:
    """Return whether ``ALYX_FULL_TRACEBACKS`` asks for tracebacks with all frames."""
    return os.environ.get("ALYX_FULL_TRACEBACKS", "").strip() not in ("", "0")


def short_traceback(error: BaseException) -> list[str]:
    """Return the lines of a traceback that ends where this package was called; the message comes last.

    Parameters
    ----------
    error
        The error, which is left as it is.
    """
    from alyx_client.short_tracebacks import short_lines

    return [
        *short_lines(error, printable),
        # Private classes are one of Python's with another text.
        f"{next(kind.__name__ for kind in type(error).__mro__ if not kind.__name__.startswith('_'))}: "
        f"{printable(str(error), several_lines=True)}",
        *map(str, getattr(error, "__notes__", ())),
    ]


class ShortTraceback:
    """An error whose traceback in IPython and Jupyter ends where this package was called."""

    __slots__ = ()

    @property
    def _render_traceback_(self) -> Callable[[], list[str]]:
        # IPython and Jupyter show what this returns in place of all frames, with lines around each of them.
        if wants_full_tracebacks():
            raise AttributeError("the full traceback is wanted")
        return partial(short_traceback, cast("BaseException", self))


class AlyxError(Exception, ShortTraceback):
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
    may_have_acted
        Whether a write was sent without a response, so that the server may have carried it out.
    """

    unreached = False
    may_have_acted = False
    _several_lines: ClassVar[bool] = False

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
        # The one place where the words of servers, files and other libraries become part of an error.
        message = printable(message, several_lines=self._several_lines)
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


class DeadlineExceededError(AlyxTimeoutError):
    """The call did not end within its time limit (``timeout=``, or ``login_timeout=`` for logins).

    Attributes
    ----------
    attempts
        How often the request was sent, or was to be sent.
    seconds
        How long the call took.
    setting
        The argument that allows more time.
    """

    attempts = 0
    seconds = 0.0
    setting = "timeout"


class ClientClosedError(AlyxError, RuntimeError):
    """The client was closed, or Python exits: no request begins or is repeated any more; those under way end."""


class OfflineError(AlyxError, ConnectionError):
    """The client is in offline mode and the response is not cached; nothing was sent."""


class AlyxHTTPError(AlyxError):
    """The server responded with a status other than 2xx; base class of the errors by status.

    Attributes
    ----------
    content
        The body of the response.
    """

    content = b""


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
    """The settings file or the environment cannot be used: unreadable, or with an invalid value."""


class UnexpectedAnswerError(AlyxError, ValueError):
    """The response is not what the endpoint declares: not JSON, or JSON of another form."""


class ResponseTooLargeError(AlyxError):
    """The response is larger than the client may hold in memory (``max_response_bytes``)."""


class SchemaDriftError(AlyxError, ValueError):
    """A field of a response is not of its declared type; raised with ``strict=True`` only."""


class ForeignURLError(AlyxError, ValueError):
    """The URL belongs to another server than the configured one; nothing was sent."""


class InvalidKeyError(AlyxError, ValueError):
    """The lookup key cannot be that of any record; nothing was sent."""


class InvalidFieldError(AlyxError, ValueError):
    """A field to send is unknown, missing or of the wrong type; nothing was sent."""


class InvalidTableError(InvalidFieldError):
    """Cells or columns of a table cannot be sent; nothing was sent. The message and ``fields`` name each of them."""

    _several_lines = True


class FrozenRecordError(AlyxError, AttributeError, ValueError):
    """A field of a record was set, which would not change the record on the server."""


class InvalidCallError(AlyxError, ValueError):
    """The call names an unknown endpoint, action or filter, or omits a required argument; nothing was sent."""


class UnknownFilterError(AlyxError, TypeError):
    """A list has no such filter, which Alyx would ignore and return everything; nothing was sent."""


class MissingLibraryError(AlyxError, ImportError):
    """The call needs a library that is not installed; the message says what to install."""


class NotAnObjectError(AlyxError, TypeError):
    """The JSON field does not contain an object, so that it has no keys to update; nothing was written."""


class InvalidFileNameError(AlyxError, ValueError):
    """The file name leads out of its folder, or is invalid on some operating systems; nothing was written."""


class NotARegularFileError(AlyxError, OSError):
    """Something else than a regular file (a link, a device, a pipe) has a name that is needed; nothing was written."""


class NoDataURLError(AlyxError, LookupError):
    """No known data server has the file of the record; nothing was sent."""


class IncompleteDownloadError(AlyxError, OSError):
    """The file is incomplete or differs in size from its record; it was not moved to its final name."""


class ChecksumError(AlyxError, ValueError):
    """The file's content does not match the record's hash; it was not moved to its final name."""


class DiskFullError(AlyxError, OSError):
    """The disk has too little space for the file; the partial download is kept so that it can be resumed."""


class FileAccessError(AlyxError, PermissionError):
    """The system does not let the user read or write a file or a folder; nothing has its final name."""


class DownloadCancelledError(AlyxError):
    """The download was cancelled; the partial download is kept so that it can be resumed."""


class DamagedArchiveError(AlyxError, ValueError):
    """The archive cannot be unpacked safely; the files that it was to replace are unchanged."""


class DownloadsFailedError(AlyxError):
    """Some of the requested files, or all of them, could not be downloaded.

    Attributes
    ----------
    results
        The path of each source's file, or its exception, in the order of the sources; None for an empty source.
    """

    results: list[Any]
    _several_lines = True


class BulkError(AlyxError):
    """Some records of a call for many, or all of them, failed; the others did not.

    Attributes
    ----------
    results
        What the call would have returned: the records of those that succeeded, a sequence in the order of the input.
    failures
        Those that failed, with index, key and error; ``failures.inputs`` is what to pass to the method again.
    """

    results: Any
    failures: Any
    _several_lines = True


class OutboxError(AlyxError, OSError):
    """The outbox cannot be read or written, or another process uses it; the write is not in it."""


class OutboxDamagedError(OutboxError):
    """The file of the outbox is damaged. It was renamed, not changed; the next write begins a new one.

    Attributes
    ----------
    path
        The damaged file, which may hold writes that were not sent.
    """

    path: str | None = None


class NotCompletedError(AlyxError):
    """The call for many records ended before this one: it was not sent, or has no response (`may_have_acted`)."""


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
    """Passwords and tokens are sent without encryption, or to a server whose certificate is not checked."""
