"""Requests through proxies of the environment, and past them."""

from __future__ import annotations

import base64
import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alyx_client import AlyxClient
from alyx_client.errors import AlyxConnectionError, AlyxError, ConfigurationError, DeadlineExceededError
from tests.faults import FaultServer, Received, Step, closed_port, json_response, response, silent
from tests.http.certificates import make_certificate
from tests.http.transports import LIST, TransportFactory

Fetch = Callable[[str], int]
REMOTE = "http://alyx.invalid"


def tunnel(port: int) -> Step:
    """Accept CONNECT, and pass the bytes on to a port of this machine."""

    def step(request: Received, connection: socket.socket) -> bool:
        assert request.method == "CONNECT"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as server:
            connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            while True:
                # Bytes that were decrypted already are not in the socket any more.
                has_more = isinstance(connection, ssl.SSLSocket) and connection.pending()
                for source in [connection] if has_more else select.select([connection, server], [], [], 5)[0]:
                    received = source.recv(65536)
                    if not received:
                        return False
                    (server if source is connection else connection).sendall(received)
        return False

    return step


@pytest.mark.parametrize("no_proxy", ["", "[::1]", "::1/128", "fe80::/10", "[", "10.0.0.0/8,example.org:x", "://"])
def test_other_servers_exemptions_do_not_matter(fetch: Fetch, environment: pytest.MonkeyPatch, no_proxy: str) -> None:
    with FaultServer(then=json_response([])) as proxy, FaultServer(then=json_response([])) as local:
        environment.setenv("HTTP_PROXY", f"http://olivier:pa%40ss@127.0.0.1:{proxy.port}")
        environment.setenv("NO_PROXY", no_proxy)
        assert fetch(REMOTE) == 200
        assert fetch(local.url) == 200
    (request,) = proxy.requests
    assert request.target.startswith(REMOTE)
    assert request.headers["proxy-authorization"] == f"Basic {base64.b64encode(b'olivier:pa@ss').decode()}"
    assert "proxy-authorization" not in local.requests[0].headers


INVALID = [
    "http://proxy:3128:9",
    "socks://127.0.0.1:9",
    "socks4://127.0.0.1:9",
    "http://",
    "127.0.0.1:port",
    "http://1.2.3.999:1",
]


@pytest.mark.parametrize("value", INVALID)
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY"])
def test_invalid_proxy_is_an_error_that_names_the_variable(
    fetch: Fetch, environment: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    environment.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=f"{variable} .*exempt alyx.invalid in NO_PROXY"):
        fetch(REMOTE)


@pytest.mark.parametrize("value", INVALID)
def test_invalid_proxy_does_not_matter_to_other_servers(
    fetch: Fetch, environment: pytest.MonkeyPatch, value: str
) -> None:
    with FaultServer(then=json_response([])) as proxy, FaultServer(then=json_response([])) as local:
        environment.setenv("HTTPS_PROXY", value)
        environment.setenv("ALL_PROXY", value)
        assert fetch(local.url) == 200
        environment.setenv("HTTP_PROXY", proxy.url)
        assert fetch(REMOTE) == 200
        environment.setenv("NO_PROXY", "localhost,.invalid")
        with pytest.raises(AlyxConnectionError, match=r"no host alyx\.invalid"):
            fetch("https://alyx.invalid")


def test_unreachable_proxy_is_named(fetch: Fetch, environment: pytest.MonkeyPatch) -> None:
    port = closed_port()
    environment.setenv("HTTP_PROXY", f"http://olivier:hunter2@127.0.0.1:{port}")
    with pytest.raises(AlyxConnectionError) as caught:
        fetch(REMOTE)
    assert f"alyx.invalid cannot be reached through the proxy http://127.0.0.1:{port} (HTTP_PROXY)" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.unreached


def test_refusing_proxy_is_named(fetch: Fetch, environment: pytest.MonkeyPatch) -> None:
    with FaultServer(then=response(b"", status=403)) as proxy:
        environment.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(AlyxConnectionError, match=r"through the proxy http://127.0.0.1:\d+ \(HTTPS_PROXY\) \(403"):
            fetch("https://alyx.invalid")
    assert {request.target for request in proxy.requests} == {"alyx.invalid:443"}


def test_proxy_that_requires_a_login_is_not_taken_for_the_server(
    connect: TransportFactory, environment: pytest.MonkeyPatch
) -> None:
    with FaultServer(then=response(b"<h1>Cache Access Denied</h1>", status=407, content_type="text/html")) as proxy:
        environment.setenv("HTTP_PROXY", proxy.url)
        environment.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(AlyxError, match=r"The proxy .* requires a login \(status 407 .* NO_PROXY"):
            connect(REMOTE).send(LIST)
        with pytest.raises(AlyxError, match=r"through the proxy .* \(HTTPS_PROXY\) \(407"):
            connect("https://alyx.invalid").send(LIST)


def test_tunnel_to_a_server_with_tls(fetch: Fetch, environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path, "alyx.invalid")
    environment.setenv("REQUESTS_CA_BUNDLE", str(certificate.path))
    server = FaultServer(then=json_response([]), tls=certificate.serving)
    with server, FaultServer(then=tunnel(server.port)) as proxy:
        environment.setenv("HTTPS_PROXY", proxy.url.removeprefix("http://"))
        assert fetch("https://alyx.invalid") == 200
    assert server.requests[0].headers["host"] == "alyx.invalid"


@pytest.fixture
def doubly_encrypted(environment: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FaultServer]:
    """Serve ``https://alyx.invalid`` over TLS, through a proxy that is spoken to over TLS, too."""
    certificates = [make_certificate(tmp_path, host) for host in ("alyx.invalid", "localhost")]
    trusted = tmp_path / "both.pem"
    trusted.write_text("".join(certificate.path.read_text() for certificate in certificates))
    environment.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    server = FaultServer(then=json_response([]), tls=certificates[0].serving)
    with server, FaultServer(then=tunnel(server.port), tls=certificates[1].serving) as proxy:
        environment.setenv("HTTPS_PROXY", proxy.url)
        yield server


def test_tunnel_through_a_proxy_with_tls(fetch: Fetch, doubly_encrypted: FaultServer) -> None:
    assert fetch("https://alyx.invalid") == 200
    assert doubly_encrypted.requests[0].headers["host"] == "alyx.invalid"


def test_deadline_ends_a_call_within_two_encryptions(connect: TransportFactory, doubly_encrypted: FaultServer) -> None:
    doubly_encrypted.script("/subjects", silent())
    with pytest.raises(DeadlineExceededError):
        connect("https://alyx.invalid", call_timeout=1.0).send(LIST)


def test_proxy_with_tls(fetch: Fetch, environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with FaultServer(then=json_response([]), tls=certificate.serving) as proxy:
        environment.setenv("HTTP_PROXY", proxy.url)
        with pytest.raises(AlyxConnectionError, match="not trusted"):
            fetch(REMOTE)
        environment.setenv("CURL_CA_BUNDLE", str(certificate.path))
        assert fetch(REMOTE) == 200


@pytest.mark.parametrize("reply", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"\x05", b"\x05\xff", b"\x05\x00"])
def test_server_that_does_not_speak_socks(fetch: Fetch, environment: pytest.MonkeyPatch, reply: bytes) -> None:
    pytest.importorskip("socksio")

    def serve(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(100)
                    connection.sendall(reply)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        environment.setenv("ALL_PROXY", f"socks5h://127.0.0.1:{listener.getsockname()[1]}")
        # The connection may be reset before the answer of the proxy is read: then only the server is known.
        with pytest.raises(AlyxConnectionError, match=r"through the proxy socks5://.* \(ALL_PROXY\)|broke before GET"):
            fetch(REMOTE)
        listener.shutdown(socket.SHUT_RDWR)


def test_errors_reach_callers_of_the_client(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("ALL_PROXY", "http://proxy:3128:9")
    client = AlyxClient(REMOTE, token="secret", cache_dir=tmp_path, data_server="http://data.invalid")
    calls: list[Callable[[], object]] = [
        lambda: client.get("/subjects"),
        lambda: client.subjects.list()[0],
        lambda: client.authenticate(username="olivier", password="wrong"),
        lambda: client.download_file("http://data.invalid/file.npy"),
        client.download_cache_tables,
    ]
    for call in calls:
        with pytest.raises(AlyxError, match="ALL_PROXY"):
            call()
