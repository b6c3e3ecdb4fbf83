"""The checks of ``alyx doctor`` that contact the server: one step of a connection after the other."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from alyx_client.cli.checks import Result, failed, message, ok, warn
from alyx_client.cli.response_checks import TIMEOUT, response_checks
from alyx_client.cli.session import Session
from alyx_client.config.environment import variable
from alyx_client.errors import AlyxError, AuthenticationError
from alyx_client.http.environment import environment_proxy

__all__ = ["login_checks", "server_checks"]


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
        advice = f"Correct {proxy.variable}." if proxy else "Check the address and the network (DNS, VPN)."
        yield failed("name", f"{host}: {error.strerror or error}", advice)
        return
    yield ok("name", f"{host} is {addresses[0][4][0]}")
    try:
        socket.create_connection((host, port), TIMEOUT).close()
    except OSError as error:
        advice = "Does the server run? Does a firewall block it?"
        if proxy:
            advice = f"Does the proxy run? Correct {proxy.variable}, or exempt the server in NO_PROXY."
        yield failed("port", f"{host}:{port}: {error.strerror or error}", advice)
        return
    yield ok("port", f"{host}:{port} accepts connections")
    if proxy is not None and proxy.scheme.startswith("socks"):
        return
    yield from response_checks(url, proxy, dict(session.client._own_headers))


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
            is_variable = token == variable("ALYX_TOKEN", client.base_url)
            advice = (
                "Correct ALYX_TOKEN, or unset it and log in: alyx login" if is_variable else "Log in again: alyx login"
            )
            yield failed("login", "the server refuses the token", advice)
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
