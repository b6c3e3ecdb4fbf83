"""Decide, from the error of an attempt, whether the server has carried the write out."""

from __future__ import annotations

from enum import Enum, auto

from alyx_client.errors import (
    AlyxConnectionError,
    AlyxError,
    AlyxHTTPError,
    AlyxTimeoutError,
    AuthenticationError,
    ClientClosedError,
    ConfigurationError,
    DeadlineExceededError,
    MissingCredentialsError,
    OfflineError,
)
from alyx_client.http.message import Request

__all__ = ["Verdict", "verdict"]

# The server, or what stands before it, did not act: a login portal's redirect, too many requests, not available.
_NOT_ACTED = frozenset({401, 407, 429, 503, 511})
_GATEWAY = frozenset({408, 502, 504})
_UNSENT = (OfflineError, MissingCredentialsError, ClientClosedError, ConfigurationError, AuthenticationError)


class Verdict(Enum):
    """What became of a write."""

    NOT_SENT = auto()
    """The server has not carried it out; it can be sent again as it is."""
    UNCERTAIN = auto()
    """The server may have carried it out."""
    REFUSED = auto()
    """The server refused it."""
    FAILED = auto()
    """The server failed at it, and may have stored the record before."""


def verdict(error: AlyxError, request: Request) -> Verdict:
    """Return what became of a write that ended with an error.

    Parameters
    ----------
    error
        The error.
    request
        The request of the write.
    """
    # A login, or whatever else came before it.
    if isinstance(error, _UNSENT) or error.unreached or not _is_about(error, request):
        return Verdict.NOT_SENT
    if isinstance(error, AlyxHTTPError):
        return _of_status(error.status_code or 0)
    if isinstance(error, DeadlineExceededError):
        # One that waited for its turn until the time was over was never sent.
        return Verdict.UNCERTAIN if error.may_have_acted or error.attempts else Verdict.NOT_SENT
    if isinstance(error, AlyxConnectionError | AlyxTimeoutError):
        return Verdict.UNCERTAIN if error.may_have_acted else Verdict.NOT_SENT
    # A response that is no JSON, or too large.
    return Verdict.UNCERTAIN


def _of_status(status: int) -> Verdict:
    if status in _NOT_ACTED or 300 <= status < 400:
        return Verdict.NOT_SENT
    if status in _GATEWAY:
        return Verdict.UNCERTAIN
    return Verdict.FAILED if status >= 500 else Verdict.REFUSED


def _is_about(error: AlyxError, request: Request) -> bool:
    url = error.url
    return url is None or url.partition("?")[0].rstrip("/").endswith(request.path.rstrip("/"))
