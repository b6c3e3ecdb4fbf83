"""The user for whom a response is stored: the one whose token was sent with its request, whoever logs in meanwhile."""

from __future__ import annotations

import asyncio
import pickle
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.errors import OfflineError
from tests.client.cached_clients import QUICK
from tests.faults import (
    FaultServer,
    Received,
    Step,
    json_response,
    redirect,
    stale_token,
    token_response,
    unavailable,
)

USERS = {"A": "ana", "B": "miles"}
LOGIN = {"username": "miles", "password": "secret"}


def me(received: Received, connection: socket.socket) -> bool:
    """Respond with the token's owner, as Alyx of 2026 does."""
    return json_response({"username": USERS[received.token or ""]})(received, connection)


def no_me(received: Received, connection: socket.socket) -> bool:
    return json_response({"detail": "Not found."}, status=404)(received, connection)


def echo(received: Received, connection: socket.socket) -> bool:
    return json_response({"token": received.token})(received, connection)


class Gate:
    """A step that waits, so that a test can log in between the request and its response."""

    def __init__(self, step: Step) -> None:
        self.arrived, self.opened = threading.Event(), threading.Event()
        self._step = step

    def __call__(self, received: Received, connection: socket.socket) -> bool:
        self.arrived.set()
        self.opened.wait(10)
        return self._step(received, connection)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer(then=echo) as created:
        created.script("/me", *[me] * 10)
        yield created


def read_while(server: FaultServer, folder: Path, step: Step, kind: str, **login: Any) -> Any:
    """Read ``/labs`` with the token A, log in before the response is sent, and return what was read."""
    gate = Gate(step)
    server.script("/labs", gate)
    settings: dict[str, Any] = {"token": "A", "cache_dir": folder, "silent": True, "retries": QUICK}
    if kind == "threads":
        return _read_in_thread(AlyxClient(server.url, **settings), gate, login)
    return asyncio.run(_read_in_task(AsyncAlyxClient(server.url, **settings), gate, login))


def _read_in_thread(client: AlyxClient, gate: Gate, login: dict[str, Any]) -> Any:
    read: list[Any] = []
    reader = threading.Thread(target=lambda: read.append(client.get("/labs")))
    reader.start()
    assert gate.arrived.wait(10)
    client.authenticate(**login)
    gate.opened.set()
    reader.join(10)
    return read[0]


async def _read_in_task(client: AsyncAlyxClient, gate: Gate, login: dict[str, Any]) -> Any:
    async with client:
        reader = asyncio.ensure_future(client.get("/labs"))
        assert await asyncio.to_thread(gate.arrived.wait, 10)
        await client.authenticate(**login)
        gate.opened.set()
        return await reader


def stored_for(server: FaultServer, folder: Path, **user: Any) -> object:
    """Return the token of the response that is stored for a user; None if there is none."""
    client = AlyxClient(server.url, cache_dir=folder, silent=True, offline=True, **user)
    try:
        return client.get("/labs")["token"]
    except OfflineError:
        return None


@pytest.mark.parametrize("kind", ["threads", "tasks"])
@pytest.mark.parametrize("owner", [me, no_me], ids=["owner reported", "owner unknown"])
@pytest.mark.parametrize(
    ("step", "login", "sent"),
    [
        (echo, {"token": "B"}, "A"),
        (echo, LOGIN, "A"),
        # These requests are sent again, with the token of the user who has logged in meanwhile.
        (unavailable(503), {"token": "B"}, "B"),
        (stale_token(), LOGIN, "B"),
    ],
    ids=["token", "password", "retry", "refused"],
)
def test_response_is_stored_for_the_user_whose_token_was_sent(
    server: FaultServer, folder: Path, step: Step, login: dict[str, Any], sent: str, owner: Step, kind: str
) -> None:
    server.script("/me", *[owner] * 10)
    server.script("/auth-token", token_response("B"))
    assert read_while(server, folder, step, kind, **login)["token"] == sent
    for token in USERS:
        assert stored_for(server, folder, token=token) == (token if token == sent else None)
    online = AlyxClient(server.url, token="B", cache_dir=folder, silent=True)
    assert online.get("/labs")["token"] == "B"


@pytest.mark.parametrize("kind", ["threads", "tasks"])
@pytest.mark.parametrize("login", [{"token": "B"}, LOGIN], ids=["token", "password"])
def test_names_lead_to_their_own_users_responses(
    server: FaultServer, folder: Path, login: dict[str, Any], kind: str
) -> None:
    server.script("/auth-token", token_response("B"))
    client = AlyxClient(server.url, cache_dir=folder, silent=True)
    client.authenticate(token="A")
    client.get("/tags")
    read_while(server, folder, echo, kind, **login)
    assert stored_for(server, folder, username="miles") is None
    assert stored_for(server, folder, username="ana") == "A"


def test_name_leads_to_the_token_of_its_last_login(server: FaultServer, folder: Path) -> None:
    server.script("/auth-token", token_response("old"), token_response("new"))
    client = AlyxClient(server.url, cache_dir=folder, silent=True, **LOGIN)
    client.get("/labs")
    # The password was changed, and with it the token.
    server.script("/labs", stale_token(), echo)
    assert client.get("/labs", clobber=True)["token"] == "new"
    assert stored_for(server, folder, username="miles") == "new"


def test_name_is_not_taken_from_a_login_that_is_under_way(
    server: FaultServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = AlyxClient(server.url, token="A", cache_dir=folder, silent=True)
    credentials = type(client._auth.credentials)
    log_in_as: Callable[..., None] = credentials.log_in_as
    readers: list[threading.Thread] = []

    def log_in_slowly(self: Any, *arguments: Any, **settings: Any) -> None:
        log_in_as(self, *arguments, **settings)
        readers.append(threading.Thread(target=client.get, args=("/labs",)))
        readers[0].start()
        # The reader either waits for the login or has its response.
        readers[0].join(0.2)

    monkeypatch.setattr(credentials, "log_in_as", log_in_slowly)
    # The token is found without a request, so that its owner is not known yet.
    assert client.is_logged_in
    client.authenticate(token="B")
    readers[0].join(10)
    assert stored_for(server, folder, username="miles") in ("B", None)


def lead_home(received: Received, connection: socket.socket) -> bool:
    """Redirect to an address that depends on the user, which responds with itself."""
    return redirect(f"/labs/{received.token}")(received, connection)


@pytest.mark.parametrize("kind", ["threads", "tasks"])
def test_redirect_of_one_user_is_not_stored_for_another(server: FaultServer, folder: Path, kind: str) -> None:
    read_while(server, folder, lead_home, kind, token="B")
    assert stored_for(server, folder, token="A") is None
    assert stored_for(server, folder, token="B") is None
    server.script("/labs", lead_home)
    online = AlyxClient(server.url, token="B", cache_dir=folder, silent=True)
    online.get("/labs")
    assert server.paths[-2:] == ["/labs", "/labs/B"]
    assert stored_for(server, folder, token="B") == "B"


@pytest.mark.parametrize("others", [{"X-Lab": "b"}, {"X-Labs": "a"}, {}], ids=["value", "name", "none"])
def test_response_is_stored_for_the_headers_that_were_sent(
    server: FaultServer, folder: Path, others: dict[str, str]
) -> None:
    def lab(received: Received, connection: socket.socket) -> bool:
        return json_response({"lab": received.headers.get("x-lab")})(received, connection)

    server.script("/labs", *[lab] * 2)
    settings: dict[str, Any] = {"token": "A", "cache_dir": folder, "silent": True}
    AlyxClient(server.url, headers={"X-Lab": "a"}, **settings).get("/labs")
    assert AlyxClient(server.url, headers=others, **settings).get("/labs") == {"lab": others.get("X-Lab")}
    copy: AlyxClient = pickle.loads(pickle.dumps(AlyxClient(server.url, headers={"x-lab": "a"}, **settings)))
    assert copy.get("/labs") == {"lab": "a"}
    assert server.count("/labs") == 2
