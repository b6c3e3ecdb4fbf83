"""Connection failures: their kinds, the message for the user, and whether a retry can succeed."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto

from alyx_client.errors import AlyxConnectionError, AlyxError, AlyxTimeoutError
from alyx_client.http.message import Request, Response

__all__ = ["FailureKind", "LoginRefused", "Unanswered", "causes", "connection_failure"]


class FailureKind(Enum):
    """The ways in which a request can end without a response."""

    READ_TIMEOUT = auto()
    CONNECT_TIMEOUT = auto()
    UNTRUSTED_CERTIFICATE = auto()
    UNKNOWN_HOST = auto()
    UNREACHABLE = auto()
    INVALID_REQUEST = auto()
    CLIENT_CLOSED = auto()
    BROKEN_CONNECTION = auto()


# After these the server may have acted on the request.
_SENT = frozenset({FailureKind.READ_TIMEOUT, FailureKind.BROKEN_CONNECTION})
# In these no connection was made.
_UNREACHED = frozenset({FailureKind.CONNECT_TIMEOUT, FailureKind.UNKNOWN_HOST, FailureKind.UNREACHABLE})
# After these a retry would end the same way.
_PERMANENT = frozenset({FailureKind.UNTRUSTED_CERTIFICATE, FailureKind.UNKNOWN_HOST, FailureKind.INVALID_REQUEST})


class Unanswered(Exception):  # noqa: N818 - an outcome that retries decide on, never raised to the user
    """A request got no complete response.

    Parameters
    ----------
    error
        The error to raise unless the request is retried.
    sent
        Whether the server may have received the request and acted on it.
    retryable
        Whether a retry can succeed.
    """

    def __init__(self, error: AlyxError, *, sent: bool, retryable: bool = True) -> None:
        super().__init__(str(error))
        self.error = error
        self.sent = sent
        self.retryable = retryable


class LoginRefused(Exception):  # noqa: N818 - an outcome that retries decide on, never raised to the user
    """The login that a request needed was refused, so the request itself was not sent.

    Parameters
    ----------
    request
        The login.
    response
        The server's response to it.
    """

    def __init__(self, request: Request, response: Response) -> None:
        super().__init__(response.status)
        self.request = request
        self.response = response


def connection_failure(
    kind: FailureKind, cause: str, *, method: str, url: str, host: str, limit: float | None = None
) -> Unanswered:
    """Describe a request that got no response.

    Parameters
    ----------
    kind
        What happened.
    cause
        The message of the library or system that noticed it, without secrets.
    method, url, host
        The request; the URL holds no credentials.
    limit
        The time limit that was exceeded, in seconds.

    Returns
    -------
    Unanswered
        The failure, with the error to raise unless the request is retried.
    """
    request = f"{method} {url if len(url) <= 300 else url[:299] + '…'}"
    within = "in time" if limit is None else f"within {limit:g} s"
    message = {
        FailureKind.READ_TIMEOUT: f"{host} did not answer {request} {within}. Some queries are slow on Alyx: ask for "
        "less (filters, a smaller limit), or allow more time.",
        FailureKind.CONNECT_TIMEOUT: f"No connection to {host} {within}. Check the address, the network and the VPN.",
        FailureKind.UNTRUSTED_CERTIFICATE: f"The certificate of {host} is not trusted ({cause}). If your institute "
        "issued it, add its authority to the operating system's trust store, or pass verify= an SSLContext.",
        FailureKind.UNKNOWN_HOST: f"There is no host {host} ({cause}). Check the address, the network and the VPN.",
        FailureKind.UNREACHABLE: f"{host} cannot be reached ({cause}). Check the address, the network and the VPN.",
        FailureKind.INVALID_REQUEST: f"{request} cannot be sent ({cause}).",
        FailureKind.CLIENT_CLOSED: f"The client was closed before {request} was sent.",
        FailureKind.BROKEN_CONNECTION: f"The connection to {host} broke before {request} was answered in full "
        f"({cause}).",
    }[kind]
    if kind in _SENT and method in {"POST", "PATCH"}:
        message += " The server may have acted on it: check before sending it again."
    timed_out = kind in {FailureKind.READ_TIMEOUT, FailureKind.CONNECT_TIMEOUT}
    error = (AlyxTimeoutError if timed_out else AlyxConnectionError)(message, method=method, url=url)
    error.unreached = kind in _UNREACHED
    return Unanswered(error, sent=kind in _SENT, retryable=kind not in _PERMANENT)


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Iterate over an error, its cause, the cause of that, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
