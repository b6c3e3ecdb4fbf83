"""A cache file that another program has locked: the first wait tells, then the cache is left aside for a while."""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from alyx_client.errors import AlyxWarning
from alyx_client.storage import sqlite_connection
from tests.faults import FaultServer
from tests.http.cache.clients import CREATE, SESSIONS, SUBJECTS, Connect, echo
from tests.http.cache.stores import files

# A wait of this length would never end.
FOR_EVER = 1e6


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a cache file as a program does that wants it for itself alone."""
    [file] = [path for path in files(folder) if path.suffix == ".sqlite"]
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE").fetchall()
        connection.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        connection.close()


@pytest.fixture
def locked_once(
    folder: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Connect, FaultServer]]:
    monkeypatch.setattr(sqlite_connection, "BUSY_SECONDS", 0.05)
    with FaultServer(then=echo) as server:
        client = connect(server)
        client(SUBJECTS)
        client.cache.close()
        yield connect, server


def test_first_wait_warns_and_no_other_call_waits(
    folder: Path, locked_once: tuple[Connect, FaultServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, server = locked_once
    client = connect(server)
    with locked(folder):
        with pytest.warns(AlyxWarning, match="another program has locked the cache.*used again once it is free"):
            client(SUBJECTS)
        monkeypatch.setattr(sqlite_connection, "BUSY_SECONDS", FOR_EVER)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for request in (SUBJECTS, SESSIONS, SUBJECTS):
                client(request, username="alice")
    assert server.paths == ["/subjects", "/subjects", "/subjects", "/sessions", "/subjects"]


def test_cache_comes_back_by_itself(
    folder: Path, locked_once: tuple[Connect, FaultServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, server = locked_once
    client = connect(server)
    with locked(folder):
        with pytest.warns(AlyxWarning, match="locked"):
            client(SUBJECTS)
        monkeypatch.setattr(sqlite_connection, "BUSY_SECONDS", FOR_EVER)
        # The pause is over, but the file is still locked: nobody waits for it a second time.
        monkeypatch.setattr("alyx_client.http.cache.store._PAUSE", 0.0)
        client.cache._store._paused_until = 0.0
        client(SUBJECTS)
        client(SESSIONS)
    assert len(server.requests) == 4
    client(SUBJECTS)
    client(SESSIONS)
    client(SESSIONS)
    assert server.paths[4:] == ["/sessions"]


def test_write_makes_a_locked_cache_stale(
    folder: Path, locked_once: tuple[Connect, FaultServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, server = locked_once
    client = connect(server)
    with locked(folder):
        with pytest.warns(AlyxWarning, match="locked"):
            client(SUBJECTS)
        monkeypatch.setattr(sqlite_connection, "BUSY_SECONDS", FOR_EVER)
        client(CREATE)
    client(SUBJECTS)
    connect(server)(SUBJECTS)
    assert server.paths == ["/subjects", "/subjects", "/subjects", "/subjects"]
    assert [request.method for request in server.requests] == ["GET", "GET", "POST", "GET"]
