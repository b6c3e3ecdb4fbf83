"""The checks of ``alyx doctor`` that contact the server: one step of a connection after the other."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from alyx_client.cli.checks import Result, failed, message, ok, warn
from alyx_client.cli.session import Session
from alyx_client.errors import AlyxError, AuthenticationError
from alyx_client.http.environment import Proxy, environment_proxy, ssl_verification

__all__ = ["login_checks", "server_checks"]

_TIMEOUT = 10.0
_MAX_SKEW = 60.0


def server_checks(session: Session) -> Iterator[Result]:
    """Check the way to the server: its proxy, name, port and certificate, and the clocks."""
    url = session.url
    try:
        proxy = environment_proxy(url)
    except AlyxError as error:
        yield failed("proxy", message(error), "Correct the variable, or add the server to NO_PROXY.")
        return
    yield ok("proxy", str(proxy) if proxy else "none")
    target = urlsplit(proxy.url if proxy else url)
    host, port = str(target.hostname), target.port or (443 if target.scheme == "https" else 80)
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        yield failed("name", f"{host}: {error.strerror or error}", "Check the address and the network (DNS, VPN).")
        return
    yield ok("name", f"{host} is {addresses[0][4][0]}")
    try:
        socket.create_connection((host, port), _TIMEOUT).close()
    except OSError as error:
        yield failed(
            "port",
            f"{host}:{port}: {error.strerror or error}",
            "Does the server run? Does a firewall block it?",
        )
        return
    yield ok("port", f"{host}:{port} accepts connections")
    if proxy is not None and proxy.scheme.startswith("socks"):
        return
    yield from _response_checks(urlsplit(url), proxy)


def login_checks(session: Session) -> Iterator[Result]:
    """Check the token, and whether the server's schema is the one of the package."""
    client: Any = session.client
    token = client._auth.known_token()
    if token is None:
        yield warn("login", "no token is stored", "Run: alyx login")
    else:
        try:
            client.authenticate(client.user, token=token, cache_token=False)
            yield ok("login", f"the server accepts the token of {client.user or 'an unknown user'}")
        except AuthenticationError:
            yield failed("login", "the server refuses the token", "Log in again: alyx login")
        except AlyxError as error:
            yield failed("login", message(error), "The server does not work as it should; ask who runs it.")
    try:
        report = client.check_schema()
    except AlyxError as error:
        yield warn("schema", message(error), "Without the server's schema, its changes cannot be told.")
        return
    if report.fails("breaking"):
        count = len(report.of("breaking"))
        advice = f"Generate a package for it: alyx-generate client {client.base_url}, or update alyx-client"
        yield warn("schema", f"{count} changes of the server's schema break calls", advice)
    else:
        changes = len(report.changes)
        yield ok("schema", f"{changes} harmless changes since the package was generated" if changes else "unchanged")


def _response_checks(url: SplitResult, proxy: Proxy | None) -> Iterator[Result]:
    is_encrypted = url.scheme == "https"
    try:
        before = datetime.now(UTC)
        connection, path = _connection(url, proxy)
        try:
            connection.request("HEAD", path)
            response = connection.getresponse()
        finally:
            connection.close()
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason or error
        yield failed(
            "certificate", reason, "If the server has a certificate of its own, name its file in SSL_CERT_FILE."
        )
        return
    except AlyxError as error:
        yield failed("certificate", message(error), "Correct the environment variable.")
        return
    except (OSError, http.client.HTTPException) as error:
        yield failed("response", message(error), "Is this address that of an Alyx server, or of its proxy?")
        return
    if is_encrypted:
        yield ok("certificate", "valid")
    else:
        is_local = url.hostname in ("127.0.0.1", "localhost", "::1")
        if is_local:
            yield ok("certificate", "none is needed on this machine")
        else:
            yield warn("certificate", "the connection is not encrypted", "Use https:// if the server has it.")
    yield _clock(response.headers.get("Date"), before)


def _connection(url: SplitResult, proxy: Proxy | None) -> tuple[http.client.HTTPConnection, str]:
    target = urlsplit(proxy.url) if proxy else url
    host, port = str(target.hostname), target.port
    context = ssl_verification(True, url.geturl(), proxy)
    path = f"{url.path}/"
    if url.scheme != "https":
        return http.client.HTTPConnection(host, port, timeout=_TIMEOUT), url.geturl() + "/" if proxy else path
    own = context if isinstance(context, ssl.SSLContext) else None
    connection = http.client.HTTPSConnection(host, port, timeout=_TIMEOUT, context=own)
    if proxy is not None:
        connection.set_tunnel(str(url.hostname), url.port or 443)
    return connection, path


def _clock(sent: str | None, before: datetime) -> Result:
    try:
        server = parsedate_to_datetime(sent or "")
    except ValueError:
        return warn("clock", "the server sends no time", "Compare this machine's clock with another.")
    if server.tzinfo is None:
        server = server.replace(tzinfo=UTC)
    skew = (before - server).total_seconds()
    if abs(skew) > _MAX_SKEW:
        words = f"{abs(skew):.0f} seconds {'ahead of' if skew > 0 else 'behind'} the server's"
        return warn("clock", f"this machine's clock is {words}", "Set it by the network's time (NTP).")
    return ok("clock", "agrees with the server's")
