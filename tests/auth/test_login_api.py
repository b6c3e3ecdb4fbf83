"""The login endpoint: requests, responses, and expired tokens."""

from __future__ import annotations

import json

import pytest

from alyx_client.auth.login_api import is_stale, login_request, token_from
from alyx_client.errors import UnexpectedAnswerError
from alyx_client.http.message import Response
from tests.auth.stored_settings import URL


def test_login_request_is_sent_without_a_token() -> None:
    request = login_request("olivier", 'p"ä')
    assert (request.method, request.path, request.authenticate) == ("POST", "/auth-token", False)
    assert json.loads(request.json or b"") == {"username": "olivier", "password": 'p"ä'}


def test_token_is_read_from_the_response() -> None:
    assert token_from(Response(200, {}, b'{"token": "abc"}')) == "abc"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"token": ""}', b'{"token": 3}', b'{"token": "a b"}', b"{}", b""])
def test_response_without_token_is_unexpected(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswerError, match="contains no token"):
        token_from(Response(200, {}, body, "POST", f"{URL}/auth-token"))


@pytest.mark.parametrize(
    ("status", "body", "stale"),
    [
        (401, b"", True),
        (403, b'{"detail": "Invalid token.", "status_code": 403}', True),
        (403, b'"Invalid token."', True),
        (403, b'{"detail": "You do not have permission to perform this action."}', False),
        (403, b"<html>", False),
        (400, b'{"detail": "Invalid token."}', False),
        (200, b"", False),
    ],
)
def test_stale_token_is_distinguished_from_missing_permission(status: int, body: bytes, stale: bool) -> None:
    assert is_stale(Response(status, {}, body)) is stale
