"""Time limits of calls while another program has the cache file locked: the wait for it is a part of the call."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.storage import sqlite_connection
from tests.client.cached_clients import cache_file
from tests.faults import FaultServer, json_response

pytestmark = pytest.mark.filterwarnings("ignore:Responses are not cached")


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer(then=json_response({"name": "lab"})) as created:
        yield created


@contextmanager
def locked(server: FaultServer, folder: Path, statement: str) -> Iterator[dict[str, Any]]:
    """Lock the cache file of a client of these settings."""
    settings: dict[str, Any] = {"token": "a", "cache_dir": folder, "silent": True}
    with AlyxClient(server.url, **settings) as client:
        client.get("/labs")
        file = cache_file(client)
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    try:
        if statement == "BEGIN EXCLUSIVE":
            connection.execute("PRAGMA locking_mode=EXCLUSIVE").fetchall()
        connection.execute(statement)
        yield settings
    finally:
        connection.close()


@pytest.mark.parametrize("statement", ["BEGIN EXCLUSIVE", "BEGIN IMMEDIATE"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_call_with_a_time_limit_waits_for_the_cache_a_part_of_it(
    server: FaultServer, folder: Path, monkeypatch: pytest.MonkeyPatch, method: str, statement: str
) -> None:
    monkeypatch.setattr(sqlite_connection, "BUSY_SECONDS", 1e6)  # a wait that would never end

    async def call(settings: dict[str, Any]) -> object:
        async with AsyncAlyxClient(server.url, **settings) as client:
            sent = client.get("/tags", timeout=1.5) if method == "GET" else client.post("/tags", data={}, timeout=1.5)
            return await sent

    with locked(server, folder, statement) as settings:
        with AlyxClient(server.url, **settings) as client:
            sent = client.get("/tags", timeout=1.5) if method == "GET" else client.post("/tags", data={}, timeout=1.5)
        assert sent == {"name": "lab"}
    with locked(server, folder, statement) as settings:
        assert asyncio.run(call(settings)) == {"name": "lab"}


def test_call_does_not_wait_for_another_threads_wait(
    server: FaultServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_connection, "BUSY_SECONDS", 1e6)
    with locked(server, folder, "BEGIN EXCLUSIVE") as settings:
        client = AlyxClient(server.url, **settings)
        patient = threading.Thread(target=client.get, args=("/tags",), kwargs={"timeout": 1e5})
        patient.start()
        # Its wait begins at any time; each of these calls ends in any case.
        for _ in range(3):
            assert client.get("/labs", clobber=True, timeout=0.5) == {"name": "lab"}
    patient.join(10)
    assert not patient.is_alive()
