"""Connection failures: their kinds, the message for the user, and whether a retry can succeed."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto
from typing import TYPE_CHECKING

from alyx_client.errors import AlyxConnectionError, AlyxError, AlyxTimeoutError
from alyx_client.http.message import Request, Response

if TYPE_CHECKING:
    import ssl

__all__ = ["FailureKind", "LoginRefused", "Unanswered", "causes", "certificate_failure", "connection_failure"]


class FailureKind(Enum):
    """The ways in which a request can end without a response."""

    READ_TIMEOUT = auto()
    CONNECT_TIMEOUT = auto()
    UNTRUSTED_CERTIFICATE = auto()
    EXPIRED_CERTIFICATE = auto()
    EARLY_CERTIFICATE = auto()
    MISNAMED_CERTIFICATE = auto()
    REJECTED_CERTIFICATE = auto()
    UNKNOWN_HOST = auto()
    UNREACHABLE = auto()
    INVALID_REQUEST = auto()
    CLIENT_CLOSED = auto()
    MALFORMED_RESPONSE = auto()
    BROKEN_CONNECTION = auto()


# After these the server may have acted on the request.
_SENT = frozenset({FailureKind.READ_TIMEOUT, FailureKind.MALFORMED_RESPONSE, FailureKind.BROKEN_CONNECTION})
# In these no connection was made.
_UNREACHED = frozenset({FailureKind.CONNECT_TIMEOUT, FailureKind.UNKNOWN_HOST, FailureKind.UNREACHABLE})
# The codes of OpenSSL (X509_V_ERR_…), then of macOS (errSec…) and Windows (CERT_E_…), which truststore passes on.
_CERTIFICATE_KINDS = {
    FailureKind.UNTRUSTED_CERTIFICATE: {0, 2, 18, 19, 20, 21, 27, 33, -67843, 0x800B0109, 0x800B010A},
    FailureKind.EXPIRED_CERTIFICATE: {10, -67818, 0x800B0101},
    FailureKind.EARLY_CERTIFICATE: {9, -67819},
    FailureKind.MISNAMED_CERTIFICATE: {62, 64, -67602, 0x800B010F},
}
# What OpenSSL says if a server answers a handshake in plain text.
_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")
_CERTIFICATE_MESSAGES = {
    FailureKind.UNTRUSTED_CERTIFICATE: "The certificate of {host} is not trusted ({cause}). If your institute issued "
    "it, add its authority to the operating system's trust store, name the authority's file in the environment "
    "variable REQUESTS_CA_BUNDLE, or pass verify= an SSLContext.",
    FailureKind.EXPIRED_CERTIFICATE: "The certificate of {host} has expired ({cause}). The server's administrators "
    "must renew it, unless the clock of this computer is wrong.",
    FailureKind.EARLY_CERTIFICATE: "The certificate of {host} is not valid yet ({cause}). Check the clock of this "
    "computer.",
    FailureKind.MISNAMED_CERTIFICATE: "The certificate of {host} is for another host ({cause}). Check the address; if "
    "it is right, the server's administrators must replace the certificate.",
    FailureKind.REJECTED_CERTIFICATE: "The certificate of {host} is not valid ({cause}). The server's administrators "
    "must replace it.",
}
_SLOW_QUERY = "Some queries are slow on Alyx: ask for less (filters, a smaller limit), or allow more time."
_SLOW_FILE = "Try again later, or allow more time (read_timeout= of the client)."
# After these a retry would end the same way.
_PERMANENT = frozenset({FailureKind.UNKNOWN_HOST, FailureKind.INVALID_REQUEST, *_CERTIFICATE_MESSAGES})


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
    is_slow
        Whether the response came, but too slowly.
    """

    def __init__(self, error: AlyxError, *, sent: bool, retryable: bool = True, is_slow: bool = False) -> None:
        super().__init__(str(error))
        self.error = error
        self.sent = sent
        self.retryable = retryable
        self.is_slow = is_slow


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
    kind: FailureKind,
    cause: str,
    *,
    method: str,
    url: str,
    host: str,
    limit: float | None = None,
    proxy: str | None = None,
    is_file: bool = False,
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
    proxy
        The proxy that the request was sent to, and the setting that names it.
    is_file
        Whether a file was requested, and not Alyx.

    Returns
    -------
    Unanswered
        The failure, with the error to raise unless the request is retried.
    """
    if proxy is not None and proxy.startswith("https:") and kind in _CERTIFICATE_MESSAGES:
        host = f"{host}, or that of the proxy {proxy},"
    request = f"{method} {url if len(url) <= 300 else url[:299] + '…'}"
    within = "in time" if limit is None else f"within {limit:g} s"
    vpn = "Check the address, the network and the VPN."
    if url.startswith("https:") and any(sign in cause for sign in _NO_TLS):
        vpn = "It does not speak HTTPS at this port: if that is meant, write the address with http://."
    message = {
        **{kind: text.format(host=host, cause=cause) for kind, text in _CERTIFICATE_MESSAGES.items()},
        FailureKind.READ_TIMEOUT: f"{host} did not answer {request} {within}. {_SLOW_FILE if is_file else _SLOW_QUERY}",
        FailureKind.CONNECT_TIMEOUT: f"No connection to {host} {within}. {vpn}",
        FailureKind.UNKNOWN_HOST: f"There is no host {host} ({cause}). {vpn}",
        FailureKind.UNREACHABLE: f"{host} cannot be reached ({cause}). {vpn}",
        FailureKind.INVALID_REQUEST: f"{request} cannot be sent ({cause}).",
        FailureKind.CLIENT_CLOSED: f"The client was closed before {request} was sent.",
        FailureKind.MALFORMED_RESPONSE: f"The response of {host} to {request} is not valid HTTP ({cause}). Check the "
        "address; a proxy in between may be at fault.",
        FailureKind.BROKEN_CONNECTION: f"The connection to {host} broke before {request} was answered in full "
        f"({cause}).",
    }[kind]
    if proxy is not None and kind in _UNREACHED:
        # The connection that failed is the one to the proxy, or the proxy's own.
        message = f"{host} cannot be reached through the proxy {proxy} ({cause}). Check that setting, and the address; "
        message += "NO_PROXY exempts servers."
    if kind in _SENT and method in {"POST", "PATCH"}:
        message += " The server may have acted on it: check before sending it again."
    timed_out = kind in {FailureKind.READ_TIMEOUT, FailureKind.CONNECT_TIMEOUT}
    error = (AlyxTimeoutError if timed_out else AlyxConnectionError)(message, method=method, url=url)
    error.unreached = kind in _UNREACHED
    return Unanswered(error, sent=kind in _SENT, retryable=kind not in _PERMANENT)


def certificate_failure(error: ssl.SSLCertVerificationError) -> tuple[FailureKind, str]:
    """Return the kind of failure that a refused certificate is, and the reason for the user."""
    code: int = getattr(error, "verify_code", 0)
    reason: str = getattr(error, "verify_message", "") or str(error)
    # Windows' codes are unsigned in some versions, and negative in others.
    kinds = (kind for kind, codes in _CERTIFICATE_KINDS.items() if not codes.isdisjoint({code, code & 0xFFFFFFFF}))
    return next(kinds, FailureKind.REJECTED_CERTIFICATE), reason.rstrip(".")


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Iterate over an error, its cause, the cause of that, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
