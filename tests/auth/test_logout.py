"""Logging out, for both clients."""

from __future__ import annotations

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from alyx_client import AlyxClient
from alyx_client.auth.credentials import Credentials
from alyx_client.errors import (
    MissingCredentialsError,
)
from alyx_client.testing import LocalAlyx
from tests.auth.clients import Connect, newer_alyx
from tests.auth.stored_settings import stored_tokens
from tests.faults import FaultServer, token_response


def test_logout_removes_the_token_everywhere(connect: Connect, isolated_settings: Path) -> None:
    with newer_alyx({"T1": "ana"}) as server:
        Credentials(server.url, store=True).remember("T2", "miles")
        client = connect(server.url)
        client.client._auth.credentials.store = True
        client("authenticate", token="T1")
        client("logout")
        assert not client.client.is_logged_in
        assert client.client.user is None
        assert "T1" not in stored_tokens(isolated_settings)
        assert "T2" in stored_tokens(isolated_settings)
        count = len(server.requests)
        with pytest.raises(MissingCredentialsError, match=r"logged out.*authenticate\(\)"):
            client("get", "/users")
        assert len(server.requests) == count


@pytest.mark.parametrize("source", ["argument", "environment", "login", "file"])
def test_credentials_are_ignored_after_a_logout_until_the_next_login(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    with newer_alyx({"T1": "ana"}, **{"/auth-token": [token_response("T1")] * 5}) as server:
        settings = {"argument": {"token": "T1"}, "login": {"username": "ana", "password": "p"}}.get(source, {})
        if source == "environment":
            monkeypatch.setenv("ALYX_TOKEN", "T1")
        if source == "file":
            Credentials(server.url, store=True).remember("T1", "ana")
        client = connect(server.url, **settings)
        client("get", "/users")
        client("logout")
        for _ in range(2):
            with pytest.raises(MissingCredentialsError, match="logged out"):
                client("get", "/users")
        worker = pickle.loads(pickle.dumps(client.client))
        assert not worker.is_logged_in
        if source == "environment":
            client("authenticate")
        else:
            client("authenticate", "ana", "p")
        assert client.client.is_logged_in
        client("get", "/users", clobber=True)


def test_logout_without_a_login_is_no_error(connect: Connect) -> None:
    with FaultServer() as server:
        client = connect(server.url)
        client("logout")
        client("logout")
        assert server.requests == []


def test_prompt_is_shown_after_a_logout(connect: Connect, replies: list[str], alyx: LocalAlyx) -> None:
    client = connect(alyx.url, username="admin", password="admin", silent=False)
    client("get", "/users/admin")
    client("logout")
    replies += ["olivier", "olivier"]
    assert client("get", "/users/olivier")["username"] == "olivier"
    assert (client.client.user, replies) == ("olivier", [])


def test_logout_during_concurrent_requests_ends_each_in_a_response_or_a_refusal(alyx: LocalAlyx) -> None:
    """Threads log in, log out and send requests; no call hangs."""
    client = AlyxClient(alyx.url, silent=True, cache_rest=None)
    client.authenticate("olivier", "olivier")
    start = threading.Barrier(8)

    def work(number: int) -> set[str]:
        start.wait()
        outcomes: set[str] = set()
        for attempt in range(8):
            try:
                if number == 0:
                    client.logout()
                elif number < 3:
                    client.authenticate(*(("olivier", "olivier") if attempt % 2 else ("admin", "admin")))
                else:
                    client.get("/users/olivier")
                outcomes.add("done")
            except MissingCredentialsError:
                outcomes.add("refused")
        return outcomes

    with ThreadPoolExecutor(8) as pool:
        all_outcomes = set().union(*pool.map(work, range(8)))
    assert all_outcomes <= {"done", "refused"}
    assert not client._auth.renewal_lock.locked()
    client.logout()
    assert not client.is_logged_in
    client.close()
