"""Fixtures of the tests of the response cache."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alyx_client.http.cache.store import CacheStore
from alyx_client.storage import sqlite_connection
from tests.faults import FaultServer
from tests.http.cache.clients import Client, Connect, echo
from tests.http.cache.stores import (
    MEGABYTE,
    SERVER,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "rest"


@pytest.fixture
def cache(folder: Path) -> Iterator[CacheStore]:
    created = CacheStore(folder, SERVER, 512 * MEGABYTE)
    yield created
    created.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the waits for locks and after failures."""
    monkeypatch.setattr(sqlite_connection, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr("alyx_client.http.cache.store._PAUSE", 0.0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Create a folder that a process without privileges can enter."""
    with tempfile.TemporaryDirectory() as created:
        folder = Path(created)
        folder.chmod(0o755)
        yield folder
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755)


@pytest.fixture
def connect(folder: Path) -> Iterator[Connect]:
    created: list[Client] = []

    def make(server: FaultServer | str, **settings: Any) -> Client:
        created.append(Client(folder, server if isinstance(server, str) else server.url, **settings))
        return created[-1]

    yield make
    for client in created:
        client.close()


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer(then=echo) as created:
        yield created
