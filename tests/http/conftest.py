from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import FaultServer, json_response
from tests.http.transports import TransportFactory


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[tuple[FaultServer, ssl.SSLContext]]:
    """Serve over TLS with a certificate that only the given context trusts."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    options = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    options += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", "req", "-x509", *options], check=True, capture_output=True)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate, key)
    with FaultServer(then=json_response([]), tls=serving) as server:
        yield server, ssl.create_default_context(cafile=str(certificate))


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest) -> Iterator[TransportFactory]:
    factory = TransportFactory(request.param)
    yield factory
    factory.close()
