"""Connection pools of httpx2: their settings, and the meaning of its exceptions."""

from __future__ import annotations

import logging
import platform
import re
import socket
import ssl
import sys
from typing import Any
from urllib.parse import urlsplit

import httpcore2
import httpx2

from alyx_client import __version__
from alyx_client.errors import printable
from alyx_client.http.body import DamagedEncodingError
from alyx_client.http.environment import Proxy, invalid_proxy, ssl_verification
from alyx_client.http.failure import FailureKind, Unanswered, causes, certificate_failure, connection_failure
from alyx_client.http.url import redact_text

__all__ = ["LoggedURL", "default_user_agent", "httpx_errors", "pool_settings", "unanswered"]

# HTTP/1.1 only: over HTTP/2, httpcore2 ends all requests of a connection with the first one whose time runs out. Nor is
# it faster: in `benchmarks/http2.py`, pages take twice the time, eight threads the same, and 64 threads half of it.
# A server may close an idle connection at any time. A request that is sent at that moment fails, and a POST cannot be
# retried: so connections are reused for a few seconds only.
# All of them: with more threads than idle connections are kept, each request would open another.
_LIMITS = httpx2.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=5.0)
_KINDS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], FailureKind], ...] = (
    ((httpx2.ReadTimeout, httpx2.WriteTimeout, httpcore2.ReadTimeout), FailureKind.READ_TIMEOUT),
    ((httpx2.ConnectTimeout, httpx2.PoolTimeout), FailureKind.CONNECT_TIMEOUT),
    ((httpx2.ConnectError, httpx2.ProxyError), FailureKind.UNREACHABLE),
    (
        (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, httpx2.InvalidURL, UnicodeError),
        FailureKind.INVALID_REQUEST,
    ),
    (RuntimeError, FailureKind.CLIENT_CLOSED),
)


class LoggedURL(httpx2.URL):
    """A URL that httpx2's log shows without its query, which may be a signature or hold a token.

    Its text is complete: libraries that record or trace requests read it.
    """


def _redact_request(record: logging.LogRecord) -> bool:
    # Requests of this package only; others in the process are logged as they were.
    if isinstance(record.args, tuple) and any(isinstance(argument, LoggedURL) for argument in record.args):
        record.args = tuple(_redacted(value) for value in record.args)
    return True


def _redacted(value: object) -> object:
    if isinstance(value, LoggedURL):
        return printable(str(value).partition("?")[0])
    return printable(value) if isinstance(value, str) else value


def _redact_redirect(record: logging.LogRecord) -> bool:
    # httpcore2's debug log shows the addresses of redirects, which may be signed.
    record.msg = re.sub(r"(?i)(b'location', b['\"][^?'\"]*)\?[^'\"]*", r"\1", str(record.msg))
    return True


# httpx2 logs each request with the reason phrase of the response, and httpcore2 the headers.
logging.getLogger("httpx2").addFilter(_redact_request)
logging.getLogger("httpcore2.http11").addFilter(_redact_redirect)


def pool_settings(verify: bool | ssl.SSLContext, url: str, proxy: Proxy | None) -> dict[str, Any]:
    """Return the settings of a connection pool, for httpx2.

    httpx2 does not read the environment itself: it fails for all servers if a variable for one of them is invalid.

    Parameters
    ----------
    verify
        See `Transport`.
    url, proxy
        A URL of the server, and its proxy.

    Raises
    ------
    ConfigurationError
        A variable of the environment that applies to the server is invalid.
    """
    certificates = ssl_verification(verify, url, proxy)
    settings: dict[str, Any] = {"verify": certificates, "limits": _LIMITS, "trust_env": False}
    if proxy is not None:
        own = certificates if proxy.scheme == "https" and not isinstance(certificates, bool) else None
        try:
            settings["proxy"] = httpx2.Proxy(proxy.url, ssl_context=own)
        except (httpx2.InvalidURL, ValueError):
            raise invalid_proxy(proxy.variable, urlsplit(url).netloc.rpartition("@")[2]) from None
    return settings


def default_user_agent() -> str:
    """Return the ``User-Agent`` of this package, Python and httpx2."""
    return f"alyx-client/{__version__} python/{platform.python_version()} httpx2/{httpx2.__version__}"


def httpx_errors(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """Return the exceptions that `unanswered` translates, for an ``except`` clause, with others if wanted."""
    # UnicodeError: of the package idna, for a host name such as "xn--a".
    return (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError, *_socks_errors(), *others)


def _socks_errors() -> tuple[type[Exception], ...]:
    # The errors of the package for SOCKS, if it is in use: httpx2 does not translate them.
    error: type[Exception] | None = getattr(sys.modules.get("socksio"), "SOCKSError", None)
    return () if error is None else (error,)


def unanswered(
    error: Exception,
    method: str,
    url: str,
    timeout: httpx2.Timeout,
    proxy: Proxy | None = None,
    *,
    is_file: bool = False,
) -> Unanswered:
    """Translate an exception of httpx2 into the failure that it stands for.

    Parameters
    ----------
    error
        The exception.
    method, url
        The request; the URL holds no credentials.
    timeout
        The time limits of the request.
    proxy
        The proxy that it was sent to.
    is_file
        Whether a file was requested, and not Alyx.
    """
    kind, cause = _classify(error)
    limit = timeout.connect if kind is FailureKind.CONNECT_TIMEOUT else timeout.read
    host = urlsplit(url).netloc
    return connection_failure(
        kind,
        cause,
        method=method,
        url=url,
        host=host,
        limit=limit,
        proxy=None if proxy is None else str(proxy),
        is_file=is_file,
    )


def _classify(error: Exception) -> tuple[FailureKind, str]:
    if isinstance(error, DamagedEncodingError):
        return FailureKind.BROKEN_CONNECTION, str(error)
    chain = list(causes(error))
    # The innermost message is the system's own; httpx2 repeats it or says less.
    cause = redact_text(next((str(inner) for inner in reversed(chain) if str(inner)), type(error).__name__))
    for inner in chain:
        if isinstance(inner, ssl.SSLCertVerificationError):
            return certificate_failure(inner)
    # A resolver that cannot be reached answers EAI_AGAIN; its other codes are final.
    if any(isinstance(inner, socket.gaierror) and inner.errno != socket.EAI_AGAIN for inner in chain):
        return FailureKind.UNKNOWN_HOST, cause
    if any(map(_is_malformed, chain)):
        return FailureKind.MALFORMED_RESPONSE, cause
    if isinstance(error, _socks_errors()):
        return FailureKind.UNREACHABLE, cause
    kinds = (kind for types, kind in _KINDS if isinstance(error, types))
    return next(kinds, FailureKind.BROKEN_CONNECTION), cause


def _is_malformed(error: BaseException) -> bool:
    """Return whether an error of h11, the parser of httpcore2, is about a response that is no HTTP, or not its own."""
    is_parsers = type(error).__module__.partition(".")[0] == "h11" and type(error).__name__ == "RemoteProtocolError"
    return is_parsers and not str(error).startswith("peer closed connection")
