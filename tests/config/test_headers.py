"""Header fields in ``ALYX_HEADERS``."""

from __future__ import annotations

import pytest

from alyx_client import AlyxClient
from alyx_client.config import find_settings
from alyx_client.errors import ConfigurationError
from tests.faults import FaultServer, json_response

SECRET = "s3cr3t-of-the-gateway"
SERVER = "https://alyx.example.org"


def test_headers_of_the_environment_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALYX_HEADERS", f'{{"X-Gateway": "{SECRET}"}}\n')
    with FaultServer(then=json_response({})) as server:
        AlyxClient(server.url, token="t").get("/x")
        AlyxClient(server.url, token="t", headers={"X-Other": "a"}).get("/y")
        AlyxClient(server.url, token="t", headers={}).get("/z")
        assert [request.headers.get("x-gateway") for request in server.requests] == [SECRET, None, None]
        assert SECRET not in repr(find_settings(server.url))


def test_headers_of_another_server_are_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALYX_HEADERS", f'{{"X-Gateway": "{SECRET}"}}')
    monkeypatch.setenv("ALYX_URL", "https://other.example.org")
    assert not find_settings(SERVER).headers
    assert find_settings("https://other.example.org").headers


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("X-A: {0}", "not JSON"),
        ('["{0}"]', "not a JSON object"),
        ('"{0}"', "not a JSON object"),
        ('{{"X-A": ["{0}"]}}', "must be text"),
        ('{{"X-A": "{0}", "X-A": "b"}}', "twice"),
        ('{{"Authorization": "{0}"}}', "pass token="),
        ('{{"X-A": "{0}\\n"}}', "the value of X-A"),
        ("[" * 100_000, "not a JSON object"),
    ],
)
def test_what_cannot_be_sent_is_an_error_that_quotes_no_value(
    monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    monkeypatch.setenv("ALYX_HEADERS", text.format(SECRET))
    with pytest.raises(ConfigurationError, match="ALYX_HEADERS") as caught:
        find_settings(SERVER)
    assert message in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
