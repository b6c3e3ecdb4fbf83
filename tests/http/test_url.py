from __future__ import annotations

import pytest

from alyx_client.http.url import is_loopback, normalise_base_url, redact_text, redact_url, same_origin


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("https://alyx.example.org", "https://alyx.example.org"),
        (" HTTPS://Alyx.Example.ORG:443/ ", "https://alyx.example.org"),
        ("alyx.example.org", "https://alyx.example.org"),
        ("http://localhost:8000//", "http://localhost:8000"),
        ("http://x.org:80/alyx/", "http://x.org/alyx"),
        ("https://x.org/Alyx A", "https://x.org/Alyx%20A"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_base_url_has_one_form(given: str, normal: str) -> None:
    assert normalise_base_url(given) == normal
    assert normalise_base_url(normal) == normal


@pytest.mark.parametrize(
    "url", ["", "https://", "ftp://x.org", "https://x.org:port", "https://a b", "https://x.org?a=b"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        normalise_base_url(url)


def test_address_with_a_password_is_refused_without_showing_it() -> None:
    with pytest.raises(ValueError, match="username= and password=") as caught:
        normalise_base_url("https://olivier:hunter2@alyx.example.org")
    assert "hunter2" not in str(caught.value)


def test_origin_is_scheme_host_and_port() -> None:
    assert same_origin("https://X.org/a", "https://x.org:443/b")
    for other in (
        "http://x.org",
        "https://x.org:8443",
        "https://y.org",
        "https://x.org@y.org",
        "nonsense",
        "https://x:y",
    ):
        assert not same_origin("https://x.org", other)


@pytest.mark.parametrize("url", ["http://localhost:1", "http://127.0.0.1", "http://127.1.2.3", "http://[::1]:2"])
def test_loopback(url: str) -> None:
    assert is_loopback(url)


@pytest.mark.parametrize("url", ["http://localhost.org", "http://128.0.0.1", "http://x", "http://127.0.0.1.evil.org"])
def test_not_loopback(url: str) -> None:
    assert not is_loopback(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:pw@x.org/a?b=c", "https://x.org/a?b=c"),
        ("https://x.org/a?password=1&TOKEN=2&api_key=3", "https://x.org/a?password=***&TOKEN=***&api_key=***"),
        ("https://x.org/a?X-Amz-Signature=abc&x=1#f", "https://x.org/a?X-Amz-Signature=***&x=1#f"),
        ("https://x.org/a?author=1&tokens_used=2&lab=a@b", "https://x.org/a?author=1&tokens_used=2&lab=a@b"),
        ("https://x.org/me@home", "https://x.org/me@home"),
    ],
)
def test_urls_are_shown_without_secrets(url: str, shown: str) -> None:
    assert redact_url(url) == shown


def test_texts_are_shown_without_headers_secrets() -> None:
    assert redact_text("Illegal header value b'Token abc123'") == "Illegal header value b'Token ***'"
    assert redact_text("at https://me:pw@x.org/a") == "at https://x.org/a"
