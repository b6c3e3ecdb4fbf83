"""Faults of ONE's cache and logins that this client does not have."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from alyx_client import AlyxClient
from alyx_client import webclient as ours
from alyx_client.errors import AuthenticationError, MissingCredentialsError
from alyx_client.testing import LocalAlyx

theirs: Any = pytest.importorskip("one.webclient", reason="ONE-api is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")


def test_read_after_write_is_current(one: Any, alyx: AlyxClient, facts: dict[str, Any]) -> None:
    def narrative(client: Any, text: str) -> str:
        client.rest("sessions", "read", id=facts["session"])
        client.rest("sessions", "partial_update", id=facts["session"], data={"narrative": text})
        return str(client.rest("sessions", "read", id=facts["session"])["narrative"])

    assert narrative(one, "new") != "new"
    assert narrative(alyx, "newer") == "newer"


def test_users_have_separate_cache_entries(local_alyx: LocalAlyx, one: Any, alyx: AlyxClient) -> None:
    one.rest("labs", "list")
    before = len(local_alyx.requests)
    one.authenticate("olivier", "olivier")
    one.rest("labs", "list")
    assert "/labs" not in [request.path for request in local_alyx.requests[before:]]
    alyx.rest("labs", "list")
    alyx.authenticate("olivier", "olivier")
    before = len(local_alyx.requests)
    alyx.rest("labs", "list")
    assert "/labs" in [request.path for request in local_alyx.requests[before:]]


def test_overlapping_no_cache_blocks_restore_the_cache(one: Any, alyx: AlyxClient, local_alyx: LocalAlyx) -> None:
    def overlap(module: Any, client: Any) -> list[str]:
        inside, left = threading.Event(), threading.Event()

        def second() -> None:
            with module.no_cache(client):
                inside.set()
                left.wait(10)

        thread = threading.Thread(target=second)
        with module.no_cache(client):
            thread.start()
            assert inside.wait(10)
        left.set()
        thread.join()
        client.get("/labs")
        local_alyx.requests.clear()
        client.get("/labs")
        return [request.path for request in local_alyx.requests]

    assert overlap(theirs, one) == ["/labs"]
    assert overlap(ours, alyx) == []


def test_post_is_sent_despite_a_cached_get(one: Any, alyx: AlyxClient) -> None:
    for client, is_created in ((one, False), (alyx, True)):
        client.cache_mode = "*"
        client.get("/tags")
        client.post("/tags", {"name": "new", "description": "", "protected": False, "public": True})
        assert ("new" in [row["name"] for row in alyx.rest("tags", "list", no_cache=True)]) is is_created


def test_failed_login_changes_nothing(one: Any, alyx: AlyxClient) -> None:
    alyx.authenticate()
    for client, logged_in in ((one, False), (alyx, True)):
        with pytest.raises(OSError, match=r"password"):
            client.authenticate("admin", "wrong")
        assert bool(client.is_logged_in) is logged_in


def test_wrong_token_is_not_stored(one: Any, alyx: AlyxClient) -> None:
    one.authenticate("olivier", token="0" * 40)
    assert one.is_logged_in
    with pytest.raises(AuthenticationError):
        alyx.authenticate("olivier", token="0" * 40)


# The password from the constructor is still available for another login.
def test_stale_token_is_renewed_with_the_password(one: Any, alyx: AlyxClient, local_alyx: LocalAlyx) -> None:
    alyx.get("/labs", clobber=True)
    local_alyx.revoke("admin")
    with pytest.raises(OSError, match="password = None"):
        one.get("/labs", clobber=True)
    assert alyx.get("/labs", clobber=True)


def test_login_without_password_is_not_sent(one: Any, alyx: AlyxClient, local_alyx: LocalAlyx) -> None:
    for client, error, sent in ((one, OSError, ["/auth-token"]), (alyx, MissingCredentialsError, [])):
        client.logout()
        local_alyx.requests.clear()
        with pytest.raises(error):
            client.authenticate("bo")
        assert [request.path for request in local_alyx.requests] == sent


# ONE's documentation uses both spellings.
def test_is_logged_in_can_be_called(one: Any, alyx: AlyxClient) -> None:
    alyx.authenticate()
    with pytest.raises(TypeError):
        one.is_logged_in()
    assert alyx.is_logged_in() is True


# A trailing slash does not make it another server.
def test_trailing_slash_of_the_base_url_is_accepted(local_alyx: LocalAlyx, one: Any) -> None:
    login = {"username": "admin", "password": "admin", "silent": True}
    with pytest.raises(OSError, match="404"):
        theirs.AlyxClient(f"{local_alyx.url}/", **login)
    with AlyxClient(f"{local_alyx.url}/", **login) as client:
        assert client.get("/labs")
