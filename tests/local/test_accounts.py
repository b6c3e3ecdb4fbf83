from __future__ import annotations

import httpx2
import pytest

from alyx_client.testing import LocalAlyx


@pytest.mark.parametrize("form", [True, False])
def test_password_is_exchanged_for_a_token(local_alyx: LocalAlyx, form: bool) -> None:
    login = {"username": "olivier", "password": "olivier"}
    url = f"{local_alyx.url}/auth-token"
    response = httpx2.post(url, data=login) if form else httpx2.post(url, json=login)
    assert response.status_code == 200
    assert response.json() == {"token": local_alyx.token("olivier")}


@pytest.mark.parametrize(
    ("login", "body"),
    [
        (
            {"username": "admin", "password": "wrong"},
            {"non_field_errors": ["Unable to log in with provided credentials."]},
        ),
        ({"username": "admin"}, {"password": ["This field is required."]}),
        ({"username": "", "password": "x"}, {"username": ["This field may not be blank."]}),
    ],
)
def test_failed_login_is_a_400_with_messages_by_field(
    local_alyx: LocalAlyx, login: dict[str, str], body: dict[str, object]
) -> None:
    response = httpx2.post(f"{local_alyx.url}/auth-token", json=login)
    assert response.status_code == 400
    assert response.json() == {**body, "status_code": 400}


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        (None, "Authentication credentials were not provided."),
        ("Bearer abc", "Authentication credentials were not provided."),
        ("Token abc", "Invalid token."),
        ("Token", "Invalid token header. No credentials provided."),
        ("Token a b", "Invalid token header. Token string should not contain spaces."),
    ],
)
def test_request_without_valid_token_is_a_403(local_alyx: LocalAlyx, header: str | None, detail: str) -> None:
    response = httpx2.get(f"{local_alyx.url}/sessions", headers={"Authorization": header} if header else {})
    assert response.status_code == 403
    assert response.json() == {"detail": detail, "status_code": 403}


def test_revoked_token_is_invalid_until_the_next_login(local_alyx: LocalAlyx) -> None:
    old = local_alyx.token("olivier")
    local_alyx.revoke("olivier")
    assert httpx2.get(f"{local_alyx.url}/labs", headers={"Authorization": f"Token {old}"}).status_code == 403
    login = {"username": "olivier", "password": "olivier"}
    new = httpx2.post(f"{local_alyx.url}/auth-token", json=login).json()["token"]
    assert new != old
    assert httpx2.get(f"{local_alyx.url}/labs", headers={"Authorization": f"Token {new}"}).status_code == 200


def test_public_user_can_only_read(local_alyx: LocalAlyx) -> None:
    headers = {"Authorization": f"Token {local_alyx.token('visitor')}"}
    assert httpx2.get(f"{local_alyx.url}/labs", headers=headers).status_code == 200
    response = httpx2.post(f"{local_alyx.url}/labs", headers=headers, json={"name": "new"})
    assert response.status_code == 403
    assert response.json()["detail"] == "You do not have permission to perform this action."


def test_account_without_password_has_a_token(local_alyx: LocalAlyx) -> None:
    headers = {"Authorization": f"Token {local_alyx.token('amina')}"}
    assert httpx2.get(f"{local_alyx.url}/labs", headers=headers).status_code == 200
    with pytest.raises(KeyError, match="nobody"):
        local_alyx.token("nobody")


def test_request_log_contains_no_secrets(local_alyx: LocalAlyx, http: httpx2.Client) -> None:
    http.get("/sessions", params={"limit": 2})
    http.post("/labs", json={"name": "counted"})
    listed, created = local_alyx.requests
    assert (listed.method, listed.path, listed.query) == ("GET", "/sessions", "limit=2")
    assert created.body_length == int(created.headers["content-length"]) > 0
    assert listed.headers["authorization"] == "Token ***"
    assert local_alyx.token() not in repr(local_alyx.requests)


def test_responses_identify_the_local_alyx(http: httpx2.Client) -> None:
    assert http.get("/labs").headers["server"] == "alyx-client local Alyx"
