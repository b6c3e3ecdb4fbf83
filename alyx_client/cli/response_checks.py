"""The checks of ``alyx doctor`` with one request: the certificate, the proxy's login, redirects, Alyx, the clock."""

from __future__ import annotations

import base64
import http.client
import os
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from alyx_client.cli.checks import Result, failed, message, ok, warn
from alyx_client.errors import AlyxError
from alyx_client.http.environment import BUNDLES, Proxy, ssl_verification
from alyx_client.http.failure import FailureKind, certificate_failure
from alyx_client.http.url import is_loopback, redact_url, same_origin
from alyx_client.lazy_dataclasses import dataclass

__all__ = ["TIMEOUT", "response_checks"]

TIMEOUT = 10.0
_MAX_SKEW = 60.0
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
# Alyx refuses GET at its login, in JSON; no secret is sent.
_PROBE = "/auth-token"
_REFUSALS = frozenset((401, 403, 405))
_ADDRESS = "Check the address: --url, ALYX_URL, or alyx login with another one."
_PROXY_LOGIN = "Write the login into {variable}: http://user:password@…, or exempt the server in NO_PROXY."
_CERTIFICATES = {
    FailureKind.UNTRUSTED_CERTIFICATE: "If your institute issued it, name the file of its authority in {variable}, or "
    "add it to the system's trust store.",
    FailureKind.EXPIRED_CERTIFICATE: "Ask who runs the server to renew it, unless this machine's clock is wrong.",
    FailureKind.EARLY_CERTIFICATE: "Set this machine's clock by the network's time (NTP).",
    FailureKind.MISNAMED_CERTIFICATE: "Check the address; if it is right, ask who runs the server to replace it.",
}


@dataclass(frozen=True, slots=True)
class _Reply:
    """What the server sent to the probe.

    Parameters
    ----------
    status
        The status.
    headers
        The header fields.
    sent
        When the request was sent, by this machine's clock.
    """

    status: int
    headers: Mapping[str, str]
    sent: datetime


def response_checks(url: str, proxy: Proxy | None, headers: Mapping[str, str]) -> Iterator[Result]:
    """Check what the server responds.

    Parameters
    ----------
    url
        The server.
    proxy
        The proxy on the way to it.
    headers
        Header fields that the server requires, such as a gateway's.
    """
    try:
        reply = _probe(urlsplit(url), proxy, headers)
    except AlyxError as error:
        yield failed("certificate", message(error), "Correct the environment variable.")
    except (OSError, http.client.HTTPException) as error:
        yield _broken(error, proxy)
    else:
        if urlsplit(url).scheme == "https":
            yield ok("certificate", "valid")
        elif is_loopback(url):
            yield ok("certificate", "none is needed on this machine")
        else:
            yield warn("certificate", "the connection is not encrypted", "Use https:// if the server has it.")
        yield _kind_of_server(url, reply, proxy)
        yield _clock(reply.headers.get("date"), reply.sent)


def _probe(url: SplitResult, proxy: Proxy | None, headers: Mapping[str, str]) -> _Reply:
    target = urlsplit(proxy.url) if proxy else url
    host, port = str(target.hostname), target.port
    context = ssl_verification(True, url.geturl(), proxy)
    own = context if isinstance(context, ssl.SSLContext) else None
    path, login = f"{url.path}{_PROBE}", _proxy_login(target) if proxy else {}
    connection: http.client.HTTPConnection
    if url.scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=own)
        if proxy is not None:
            connection.set_tunnel(str(url.hostname), url.port or 443, login)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
        if proxy is not None:
            path, headers = f"{url.geturl()}{_PROBE}", {**headers, **login}
    before = datetime.now(UTC)
    try:
        connection.request("GET", path, headers={"Accept": "application/json", **headers})
        response = connection.getresponse()
        return _Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, before)
    finally:
        connection.close()


def _proxy_login(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _broken(error: Exception, proxy: Proxy | None) -> Result:
    """Return what it means that there is no response."""
    if isinstance(error, ssl.SSLCertVerificationError):
        kind, reason = certificate_failure(error)
        advice = _CERTIFICATES.get(kind, "Ask who runs the server to replace it.")
        # The first of them that is set replaces the trust store.
        variable = next((name for name in BUNDLES if os.environ.get(name)), "SSL_CERT_FILE")
        return failed("certificate", reason, advice.format(variable=variable))
    if isinstance(error, ssl.SSLError):
        advice = "Does the server speak https at this port? Try http://, or another port."
        return failed("encryption", error.reason or error, advice)
    if proxy is not None and "Tunnel connection failed: 407" in str(error):
        return failed("proxy", f"{proxy} requires a login", _PROXY_LOGIN.format(variable=proxy.variable))
    if proxy is not None:
        advice = f"Correct {proxy.variable}, or exempt the server in NO_PROXY."
        return failed("proxy", f"{proxy} does not lead to the server: {error or type(error).__name__}", advice)
    if isinstance(error, TimeoutError):
        advice = "The server is overloaded, or this is no port of a server of the web: try again, or check the address."
        return failed("response", f"none within {TIMEOUT:g} s", advice)
    text = f"the connection ended without a response ({error or type(error).__name__})"
    return failed("response", text, "Is it a server of the web? If it needs https, write https:// in its address.")


def _kind_of_server(url: str, reply: _Reply, proxy: Proxy | None) -> Result:
    status, kind = reply.status, reply.headers.get("content-type", "no type").partition(";")[0]
    if status == 407:
        variable = proxy.variable if proxy else "the proxy's variable"
        return failed("proxy", "the proxy requires a login", _PROXY_LOGIN.format(variable=variable))
    if status in _REDIRECTS:
        target = urljoin(f"{url}{_PROBE}", reply.headers.get("location", ""))
        shown = redact_url(target).partition("?")[0].removesuffix("/").removesuffix(_PROBE)
        old, new = urlsplit(url), urlsplit(target)
        if (old.scheme, new.scheme, old.hostname) == ("http", "https", new.hostname):
            return warn("alyx", f"the server redirects to {shown}", f"Use that address: alyx login {shown}")
        advice = "If it is a login page, log in there; if Alyx is there, use that address."
        if not same_origin(url, target):
            return failed("alyx", f"the server redirects to {shown}, another server", advice)
        return warn("alyx", f"the server redirects to {shown}", advice)
    if status >= 500:
        return failed("alyx", f"the server fails (status {status})", "Try again later, or ask who runs the server.")
    if status in _REFUSALS and "json" in kind:
        return ok("alyx", f"an Alyx server responds at {url}")
    return failed("alyx", f"the server is not Alyx (status {status}, {kind})", _ADDRESS)


def _clock(sent: str | None, before: datetime) -> Result:
    try:
        server = parsedate_to_datetime(sent or "")
    except ValueError:
        return warn("clock", "the server sends no time", "Compare this machine's clock with another.")
    # Without a time zone where it is "-0000"; times of HTTP are UTC.
    skew = (before - server.replace(tzinfo=server.tzinfo or UTC)).total_seconds()
    if abs(skew) > _MAX_SKEW:
        words = f"{abs(skew):.0f} seconds {'ahead of' if skew > 0 else 'behind'} the server's"
        return warn("clock", f"this machine's clock is {words}", "Set it by the network's time (NTP).")
    return ok("clock", "agrees with the server's")
