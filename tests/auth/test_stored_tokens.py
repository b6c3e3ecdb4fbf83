"""Logins with stored tokens, and which tokens are stored, for both clients."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alyx_client.auth.credentials import Credentials
from alyx_client.config.servers_toml import servers_file
from alyx_client.errors import (
    AlyxWarning,
    ConfigurationError,
    MissingCredentialsError,
)
from alyx_client.testing import LocalAlyx
from tests import faults
from tests.auth.clients import Connect, newer_alyx
from tests.auth.stored_settings import stored_tokens
from tests.faults import FaultServer, page, token_response

USERS = page([{"username": "ana"}])


def test_stored_token_is_checked_and_adopted(connect: Connect) -> None:
    with newer_alyx({"T1": "ana"}) as server:
        Credentials(server.url, store=True).remember("T1", "ana")
        client = connect(server.url)
        client("authenticate")
        assert client.client.user == "ana"
        assert server.paths == ["/me"]


def test_stale_stored_token_is_replaced_by_a_login(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    with newer_alyx({"T2": "ana"}, **{"/auth-token": [token_response("T2")]}) as server:
        Credentials(server.url, store=True).remember("stale", "ana")
        client = connect(server.url)
        with pytest.raises(MissingCredentialsError):
            client("authenticate", "ana")
        monkeypatch.setenv("ALYX_PASSWORD", "p")
        client("authenticate", "ana")
        assert client.client._auth.token == "T2"


def test_force_ignores_stored_tokens(connect: Connect) -> None:
    with newer_alyx({"T1": "ana", "T2": "ana"}, **{"/auth-token": [token_response("T2")]}) as server:
        Credentials(server.url, store=True).remember("T1", "ana")
        client = connect(server.url, username="ana", password="p")
        client("authenticate", force=True)
        assert server.paths == ["/auth-token"]
        silent = connect(server.url)
        with pytest.raises(MissingCredentialsError):
            silent("authenticate", force=True)
        assert server.paths == ["/auth-token"]


def test_stored_token_is_adopted_unchecked_if_the_server_is_unreachable(connect: Connect) -> None:
    url = f"http://127.0.0.1:{faults.closed_port()}"
    Credentials(url, store=True).remember("T1", "ana")
    client = connect(url)
    client("authenticate")
    assert (client.client.user, bool(client.client.is_logged_in)) == ("ana", True)


def test_stored_token_of_another_user_is_skipped(connect: Connect) -> None:
    with newer_alyx({"T1": "miles"}) as server:
        Credentials(server.url, store=True).remember("T1", "ana")
        with pytest.raises(MissingCredentialsError, match="'ana'"):
            connect(server.url)("authenticate", "ana")


def test_token_of_one_logs_in_without_setup(connect: Connect, alyx: LocalAlyx, isolated_settings: Path) -> None:
    folder = isolated_settings / ".one"
    folder.mkdir()
    key = alyx.url.removeprefix("http://").replace(":", "_")
    (folder / ".caches").write_text(json.dumps({"CLIENT_MAP": {key: str(isolated_settings / "d")}, "DEFAULT": key}))
    token = {"olivier": {"token": alyx.token("olivier")}}
    (folder / f".{key}").write_text(json.dumps({"ALYX_URL": alyx.url, "ALYX_LOGIN": "olivier", "TOKEN": token}))
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()}
    client = connect(None)
    assert (client.client.base_url, client.client.user) == (alyx.url, "olivier")
    assert client("get", "/users/olivier")["username"] == "olivier"
    client("logout")
    assert not client.client.is_logged_in
    assert {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()} == before


@pytest.mark.parametrize("cache_token", [True, False])
def test_token_is_stored_only_on_request(connect: Connect, isolated_settings: Path, cache_token: bool) -> None:
    with newer_alyx({"T1": "ana"}) as server:
        client = connect(server.url)
        # By default, a token of a server on this machine is not stored.
        client.client._auth.credentials.store = True
        client("authenticate", token="T1", cache_token=cache_token)
        assert ("T1" in stored_tokens(isolated_settings)) is cache_token
        assert (connect(server.url).client.user == "ana") is cache_token


def test_renewed_token_of_a_transient_login_is_not_stored(connect: Connect, isolated_settings: Path) -> None:
    script = [token_response("T1"), faults.stale_token(), token_response("T2")]
    with FaultServer(script, then=USERS) as server:
        client = connect(server.url)
        client.client._auth.credentials.store = True
        client("authenticate", "ana", "p", cache_token=False)
        client("get", "/users")
        assert server.tokens[-1] == "T2"
        assert stored_tokens(isolated_settings) == ""


def test_nothing_is_stored_without_stay_logged_in(
    connect: Connect, isolated_settings: Path, replies: list[str]
) -> None:
    with FaultServer(routes={"/auth-token": [token_response("T1")]}, then=USERS) as server:
        replies += ["ana", "p"]
        connect(server.url, silent=False, stay_logged_in=False)("authenticate")
        assert replies == []
        assert stored_tokens(isolated_settings) == ""


def test_token_from_the_environment_is_not_stored(
    connect: Connect, isolated_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with newer_alyx({"T1": "ana"}) as server:
        monkeypatch.setenv("ALYX_TOKEN", "T1")
        client = connect(server.url)
        client.client._auth.credentials.store = True
        client("authenticate")
        assert client.client.user == "ana"
        assert stored_tokens(isolated_settings) == ""


def test_broken_settings_do_not_prevent_a_login(connect: Connect, isolated_settings: Path) -> None:
    with FaultServer(routes={"/auth-token": [token_response("T1")]}, then=USERS) as server:
        client = connect(server.url, username="ana", password="p")
        client.client._auth.credentials.store = True
        servers_file().parent.mkdir(parents=True)
        servers_file().write_text("broken")
        with pytest.warns(AlyxWarning, match=r"token was not stored.*servers\.toml"):
            client("authenticate", force=True)
        assert client.client.is_logged_in
        # If they might select the token, they are not ignored silently.
        with pytest.raises(ConfigurationError):
            Credentials(server.url).token()
