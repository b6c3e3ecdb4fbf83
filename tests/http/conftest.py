from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alyx_client.http.failure import Unanswered
from alyx_client.http.message import Request
from alyx_client.http.streaming import Streams
from tests.faults import FaultServer, json_response
from tests.http.certificates import make_certificate
from tests.http.transports import TransportFactory

Fetch = Callable[[str], int]


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[tuple[FaultServer, ssl.SSLContext]]:
    """Serve over TLS with a certificate that only the given context trusts."""
    certificate = make_certificate(tmp_path)
    with FaultServer(then=json_response([]), tls=certificate.serving) as server:
        yield server, ssl.create_default_context(cafile=str(certificate.path))


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest) -> Iterator[TransportFactory]:
    factory = TransportFactory(request.param)
    yield factory
    factory.close()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Remove proxies and certificates from the environment."""
    certificates = {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"}
    for name in [name for name in os.environ if name in certificates or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    return monkeypatch


@pytest.fixture(params=["sync", "async", "stream"])
def fetch(request: pytest.FixtureRequest, environment: pytest.MonkeyPatch) -> Iterator[Fetch]:
    """Request a URL with each kind of connection, and return the status."""
    if request.param == "stream":

        def get(url: str) -> int:
            streams = Streams()
            try:
                with streams.get(url, {}) as stream:
                    return stream.status
            except Unanswered as failure:
                raise failure.error from failure
            finally:
                streams.close()

        yield get
    else:
        factory = TransportFactory(request.param)
        yield lambda url: factory(url).send(Request("GET", "/subjects", endpoint="subjects", action="list")).status
        factory.close()
