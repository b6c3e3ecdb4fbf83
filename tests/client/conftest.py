"""Fixtures of the tests of clients."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alyx_client import AlyxClient
from tests.client.cached_clients import CountingServer, connect


@pytest.fixture
def counting_server() -> Iterator[CountingServer]:
    created = CountingServer()
    yield created
    created.server.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def client(counting_server: CountingServer, folder: Path) -> AlyxClient:
    return connect(counting_server, folder)


@pytest.fixture
def advance_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return a function that sets the clock forward, in seconds."""
    now = time.time
    return lambda seconds: monkeypatch.setattr(time, "time", lambda: now() + seconds)
