"""The cache, logins and settings work as in ONE."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient
from alyx_client import webclient as ours
from alyx_client.testing import LocalAlyx

theirs: Any = pytest.importorskip("one.webclient", reason="ONE-api is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")

CACHED: dict[str, Callable[[Any, Any], object]] = {
    "twice": lambda client, module: [client.rest("labs", "list"), client.rest("labs", "list")],
    "a record": lambda client, module: [client.rest("labs", "read", id="attic") for _ in range(2)],
    "no rows": lambda client, module: [client.rest("sessions", "list", lab="nowhere") for _ in range(2)],
    "bypassed": lambda client, module: [
        client.rest("labs", "list", no_cache=bypass) for bypass in (False, True, False)
    ],
    "not stored": lambda client, module: [client.rest("labs", "list", expires=True), client.rest("labs", "list")],
    "not stored by get": lambda client, module: [client.get("/labs", expires=True), client.get("/labs")],
    "overwritten": lambda client, module: [client.get("/labs"), client.get("/labs", clobber=True), client.get("/labs")],
    "stored for an hour": lambda client, module: [
        client.rest("labs", "list", expires=timedelta(hours=1)),
        client.rest("labs", "list"),
    ],
    "stored for no time": lambda client, module: [
        setattr(client, "default_expiry", timedelta(0)),
        client.get("/labs"),
        client.get("/labs"),
    ],
    "off": lambda client, module: [setattr(client, "cache_mode", None), client.get("/labs"), client.get("/labs")],
    "cleared": lambda client, module: [client.get("/labs"), client.clear_rest_cache(), client.get("/labs")],
    "off in a block": lambda client, module: [client.get("/labs"), in_block(client, module), client.get("/labs")],
}


def in_block(client: Any, module: Any) -> object:
    with module.no_cache(client) as same:
        assert same is client
        return client.get("/labs")


@pytest.mark.parametrize("name", CACHED)
def test_cache_lets_the_same_requests_through(name: str, local_alyx: LocalAlyx, one: Any, alyx: AlyxClient) -> None:
    sent = []
    for client, module in ((one, theirs), (alyx, ours)):
        client.authenticate()
        local_alyx.requests.clear()
        CACHED[name](client, module)
        sent.append([(request.method, request.path) for request in local_alyx.requests if "schema" not in request.path])
    assert sent[0] == sent[1] != []


def test_logins_and_logouts_are_the_same(local_alyx: LocalAlyx, one: Any, alyx: AlyxClient) -> None:
    def steps(client: Any) -> Iterator[tuple[Any, ...]]:
        token = local_alyx.token("olivier")
        for change in (
            client.authenticate,
            client.logout,
            client.logout,
            lambda: client.authenticate("admin", "admin"),
            lambda: client.authenticate("olivier", "olivier", cache_token=False),
            lambda: client.authenticate("admin", "admin", force=True),
            lambda: client.authenticate("olivier", token=token),
            lambda: client.authenticate("olivier", token={"token": token}),
        ):
            yield change(), client.user, bool(client.is_logged_in)

    assert list(steps(alyx)) == list(steps(one))


def test_cache_folder_is_set_in_the_same_way(one: Any, alyx: AlyxClient, tmp_path: Path) -> None:
    for client in (one, alyx):
        client.cache_dir = str(tmp_path / type(client).__module__ / "new")
        assert client.cache_dir == tmp_path / type(client).__module__ / "new"
        assert client.cache_dir.is_dir()


def test_stored_settings_of_one_suffice(local_alyx: LocalAlyx, one: Any, tmp_path: Path) -> None:
    local_alyx.requests.clear()  # the client of the fixture has logged in
    for module in (theirs, ours):
        client = module.AlyxClient(silent=True)
        assert client.base_url == local_alyx.url
        assert client.cache_dir == tmp_path / "one"
        assert client.get("/labs", expires=True)
        assert client.user == "admin"
    assert "/auth-token" not in [request.path for request in local_alyx.requests]
