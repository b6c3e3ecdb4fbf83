"""Connection failures: what each kind means for retries, and what its message says."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from alyx_client.errors import AlyxConnectionError, AlyxError, AlyxTimeoutError
from alyx_client.http.failure import FailureKind, LoginRefused, causes, certificate_failure, connection_failure
from alyx_client.http.message import Request, Response

HOST, URL, PROXY = "alyx.example.org", "https://alyx.example.org/subjects", "https://proxy.example.org (HTTPS_PROXY)"
CERTIFICATES = [kind for kind in FailureKind if kind.name.endswith("CERTIFICATE")]
SENT = {FailureKind.READ_TIMEOUT, FailureKind.MALFORMED_RESPONSE, FailureKind.BROKEN_CONNECTION}
UNREACHED = {FailureKind.CONNECT_TIMEOUT, FailureKind.UNKNOWN_HOST, FailureKind.UNREACHABLE}


def message(kind: FailureKind, method: str = "GET", url: str = URL, **settings: Any) -> str:
    failure = connection_failure(kind, "the cause", method=method, url=url, host=HOST, **settings)
    return str(failure.error)


@pytest.mark.parametrize("kind", FailureKind)
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "PATCH"])
def test_meaning_of_each_failure(kind: FailureKind, method: str) -> None:
    failure = connection_failure(kind, "the cause", method=method, url=URL, host=HOST)
    is_timeout = kind in {FailureKind.READ_TIMEOUT, FailureKind.CONNECT_TIMEOUT}
    assert type(failure.error) is (AlyxTimeoutError if is_timeout else AlyxConnectionError)
    assert (failure.error.method, failure.error.url) == (method, URL)
    assert failure.sent == (kind in SENT)
    assert failure.error.unreached == (kind in UNREACHED)
    is_permanent = kind in {FailureKind.UNKNOWN_HOST, FailureKind.INVALID_REQUEST, *CERTIFICATES}
    assert (failure.retryable, failure.is_slow) == (not is_permanent, False)
    text = str(failure.error)
    assert (f"{method} {URL}" in text) == (kind not in {*CERTIFICATES, *UNREACHED})
    assert ("may have acted on it" in text) == (kind in SENT and method in {"POST", "PATCH"})
    assert ("the cause" in text) == (not is_timeout and kind is not FailureKind.CLIENT_CLOSED)


def test_limit_is_named_where_it_was_exceeded() -> None:
    for kind in (FailureKind.READ_TIMEOUT, FailureKind.CONNECT_TIMEOUT):
        assert "within 2.5 s" in message(kind, limit=2.5)
        assert "in time" in message(kind)


def test_advice_for_files_differs_from_that_for_queries() -> None:
    assert "read_timeout=" in message(FailureKind.READ_TIMEOUT, is_file=True)
    assert "a smaller limit" in message(FailureKind.READ_TIMEOUT)


@pytest.mark.parametrize("sign", ["WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "another"])
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_server_that_answers_a_handshake_in_plain_text_is_told_from_others(scheme: str, sign: str) -> None:
    url = URL.replace("https:", f"{scheme}:")
    failure = connection_failure(FailureKind.UNREACHABLE, f"[SSL: {sign}]", method="GET", url=url, host=HOST)
    speaks_no_tls = scheme == "https" and sign != "another"
    assert ("does not speak HTTPS" in str(failure.error)) == speaks_no_tls
    assert ("the network and the VPN" in str(failure.error)) != speaks_no_tls


@pytest.mark.parametrize("length", [300, 301, 5000])
def test_long_urls_are_shortened(length: int) -> None:
    url = f"{URL}?a=".ljust(length, "x")
    text = message(FailureKind.BROKEN_CONNECTION, url=url)
    assert (f"{url} was" in text) == (length == 300)
    assert (f"GET {url[:299]}… was" in text) == (length > 300)


@pytest.mark.parametrize("kind", FailureKind)
def test_proxy_is_named_where_it_may_be_at_fault(kind: FailureKind) -> None:
    by_http = message(kind, proxy=PROXY.replace("https:", "http:"))
    assert ("through the proxy http://proxy.example.org (HTTPS_PROXY) (the cause)" in by_http) == (kind in UNREACHED)
    by_https = message(kind, proxy=PROXY)
    # Which of the two certificates was refused is not known.
    assert (f"{HOST}, or that of the proxy {PROXY}," in by_https) == (kind in CERTIFICATES)
    assert (f"through the proxy {PROXY}" in by_https) == (kind in UNREACHED)


class Refused(ssl.SSLCertVerificationError):
    """As truststore raises it on macOS and Windows, in some cases without a code or a message."""

    def __init__(self, text: str, **attributes: object) -> None:
        super().__init__(1, text)
        for name, value in attributes.items():
            setattr(self, name, value)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (None, FailureKind.UNTRUSTED_CERTIFICATE), (18, FailureKind.UNTRUSTED_CERTIFICATE),
        (10, FailureKind.EXPIRED_CERTIFICATE), (9, FailureKind.EARLY_CERTIFICATE),
        (62, FailureKind.MISNAMED_CERTIFICATE), (-67818, FailureKind.EXPIRED_CERTIFICATE),
        (0x800B0101, FailureKind.EXPIRED_CERTIFICATE), (0x800B0101 - 2**32, FailureKind.EXPIRED_CERTIFICATE),
        (0x800B0109 - 2**32, FailureKind.UNTRUSTED_CERTIFICATE), (23, FailureKind.REJECTED_CERTIFICATE),
    ],
)  # fmt: skip
def test_kind_of_a_refused_certificate(code: int | None, kind: FailureKind) -> None:
    attributes = {} if code is None else {"verify_code": code}
    assert certificate_failure(Refused("text", verify_message="reason.", **attributes)) == (kind, "reason")
    assert certificate_failure(Refused("text.", verify_message="", **attributes)) == (kind, "text")
    assert certificate_failure(Refused("text.", **attributes)) == (kind, "text")


def test_refused_login_has_its_request_and_response() -> None:
    request, response = Request("POST", "/auth-token"), Response(400, {}, b"")
    refused = LoginRefused(request, response)
    assert (refused.request, refused.response, refused.args) == (request, response, (400,))


def test_causes_of_an_error() -> None:
    first, second, third = OSError("1"), ValueError("2"), AlyxError("3")
    third.__cause__, second.__context__ = second, first
    assert list(causes(third)) == [third, second, first]
    assert list(causes(None)) == []
