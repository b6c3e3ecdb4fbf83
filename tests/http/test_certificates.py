"""Certificates: what the environment trusts, and messages for those that are refused."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from alyx_client.errors import AlyxConnectionError, ConfigurationError
from alyx_client.http.failure import FailureKind, certificate_failure
from tests.faults import FaultServer, json_response
from tests.http.certificates import Certificate, make_certificate
from tests.http.transports import LIST, TransportFactory

Fetch = Callable[[str], int]


@pytest.fixture(scope="module")
def localhost(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("localhost"))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("other"), "alyx.invalid")


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_file_of_the_environment_is_trusted(
    fetch: Fetch, environment: pytest.MonkeyPatch, localhost: Certificate, variable: str
) -> None:
    environment.setenv(variable, str(localhost.path))
    with FaultServer(then=json_response([]), tls=localhost.serving) as server:
        assert fetch(server.url) == 200


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_DIR"])
def test_folder_of_the_environment_is_trusted(
    fetch: Fetch, environment: pytest.MonkeyPatch, localhost: Certificate, variable: str, tmp_path: Path
) -> None:
    environment.setenv(variable, str(localhost.add_to_folder(tmp_path / "authorities")))
    with FaultServer(then=json_response([]), tls=localhost.serving) as server:
        assert fetch(server.url) == 200


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_environment_is_trusted_where_the_system_has_no_trust_store(
    fetch: Fetch, environment: pytest.MonkeyPatch, localhost: Certificate, variable: str, tmp_path: Path
) -> None:
    environment.setitem(sys.modules, "truststore", None)
    path = localhost.path if variable == "SSL_CERT_FILE" else localhost.add_to_folder(tmp_path / "authorities")
    environment.setenv(variable, str(path))
    with FaultServer(then=json_response([]), tls=localhost.serving) as server:
        assert fetch(server.url) == 200


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        ("CURL_CA_BUNDLE", "SSL_CERT_FILE"),
        ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"),
    ],
)
def test_precedence(
    fetch: Fetch,
    environment: pytest.MonkeyPatch,
    localhost: Certificate,
    other: Certificate,
    right: str,
    wrong: str,
) -> None:
    with FaultServer(then=json_response([]), tls=localhost.serving) as server:
        environment.setenv(right, str(other.path))
        environment.setenv(wrong, str(localhost.path))
        with pytest.raises(AlyxConnectionError, match="not trusted"):
            fetch(server.url)


def test_empty_variables_and_unreadable_additions_are_ignored(
    fetch: Fetch, environment: pytest.MonkeyPatch, localhost: Certificate, tmp_path: Path
) -> None:
    environment.setenv("REQUESTS_CA_BUNDLE", "")
    environment.setenv("SSL_CERT_FILE", str(localhost.path))
    environment.setenv("SSL_CERT_DIR", str(tmp_path / "missing"))
    with FaultServer(then=json_response([]), tls=localhost.serving) as server:
        assert fetch(server.url) == 200


@pytest.mark.parametrize("content", [None, "", "not a certificate"])
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_unreadable_bundle_is_an_error_where_it_is_needed(
    fetch: Fetch, environment: pytest.MonkeyPatch, variable: str, content: str | None, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_text(content)
    environment.setenv(variable, str(bundle))
    with FaultServer(then=json_response([])) as server:
        assert fetch(server.url) == 200
        with pytest.raises(ConfigurationError, match=rf"variable {variable} names no certificates .*bundle\.pem"):
            fetch(f"https://127.0.0.1:{server.port}")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_bundle_that_never_ends_is_refused(
    fetch: Fetch, environment: pytest.MonkeyPatch, variable: str, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    environment.setenv(variable, str(pipe))
    with FaultServer(then=json_response([])) as server:
        assert fetch(server.url) == 200
        with pytest.raises(ConfigurationError, match=rf"{variable}.*pipe' \(neither a file nor a folder\)"):
            fetch(f"https://127.0.0.1:{server.port}")


def test_argument_overrides_the_environment(
    connect: TransportFactory, environment: pytest.MonkeyPatch, localhost: Certificate, other: Certificate
) -> None:
    environment.setenv("REQUESTS_CA_BUNDLE", str(other.path))
    trusting = ssl.create_default_context(cafile=str(localhost.path))
    with FaultServer(then=json_response([]), tls=localhost.serving) as server:
        assert connect(server.url, verify=trusting).send(LIST).status == 200
        assert connect(server.url, verify=False).send(LIST).status == 200


def test_expired_certificate(fetch: Fetch, environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    expired = make_certificate(tmp_path, days=-1)
    environment.setenv("REQUESTS_CA_BUNDLE", str(expired.path))
    with (
        FaultServer(then=json_response([]), tls=expired.serving) as server,
        pytest.raises(AlyxConnectionError, match=r"localhost:\d+ has expired \(certificate has expired\)") as caught,
    ):
        fetch(server.url)
    assert "administrators" in str(caught.value)
    assert "trust store" not in str(caught.value)


def test_certificate_of_another_host(fetch: Fetch, environment: pytest.MonkeyPatch, other: Certificate) -> None:
    environment.setenv("REQUESTS_CA_BUNDLE", str(other.path))
    with FaultServer(then=json_response([]), tls=other.serving) as server:
        for url in (server.url, f"https://127.0.0.1:{server.port}"):
            with pytest.raises(AlyxConnectionError, match=r"is for another host \(.*mismatch.*Check the") as caught:
                fetch(url)
            assert "trust store" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (0, FailureKind.UNTRUSTED_CERTIFICATE),
        (18, FailureKind.UNTRUSTED_CERTIFICATE),
        (20, FailureKind.UNTRUSTED_CERTIFICATE),
        (9, FailureKind.EARLY_CERTIFICATE),
        (10, FailureKind.EXPIRED_CERTIFICATE),
        (62, FailureKind.MISNAMED_CERTIFICATE),
        (23, FailureKind.REJECTED_CERTIFICATE),
        (-67818, FailureKind.EXPIRED_CERTIFICATE),
        (-67602, FailureKind.MISNAMED_CERTIFICATE),
        (0x800B010F, FailureKind.MISNAMED_CERTIFICATE),
        (0x800B010F - 2**32, FailureKind.MISNAMED_CERTIFICATE),
    ],
)
def test_kinds_of_refused_certificates(code: int, kind: FailureKind) -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, "The reason."
    assert certificate_failure(error) == (kind, "The reason")
