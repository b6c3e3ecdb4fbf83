"""The cache of one client: disabling, clearing, closing, pickling."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from alyx_client.errors import (
    AlyxConnectionError,
)
from alyx_client.http.cache.response_cache import ResponseCache
from tests.faults import FaultServer
from tests.http.cache.clients import CREATE, SESSIONS, SUBJECTS, WEEK, Connect


def test_disabled_cache_neither_serves_nor_stores(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(SUBJECTS)
    with client.cache.disabled():
        client(SUBJECTS)
        client(SESSIONS)
        assert client.cache.mode == "GET"
    client(SUBJECTS)
    client(SESSIONS)
    assert len(server.requests) == 4


def test_disabling_may_be_nested_and_is_ended_by_an_error(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(SUBJECTS)
    with client.cache.disabled():
        with pytest.raises(KeyError), client.cache.disabled():
            raise KeyError
        client(SUBJECTS)
    client(SUBJECTS)
    assert len(server.requests) == 2


def test_disabling_concerns_one_client(connect: Connect, server: FaultServer) -> None:
    one, two = connect(server), connect(server)
    one(SUBJECTS)
    first, second = one.cache.disabled(), two.cache.disabled()
    first.__enter__()
    two(SUBJECTS)
    second.__enter__()
    first.__exit__(None, None, None)
    one(SUBJECTS)
    assert len(server.requests) == 1
    two(SUBJECTS)
    assert len(server.requests) == 2
    second.__exit__(None, None, None)
    two(SUBJECTS)
    assert len(server.requests) == 2


def test_disabling_may_end_in_another_context(connect: Connect, server: FaultServer) -> None:
    # As in an asynchronous generator that another task closes.
    client = connect(server)
    client(SUBJECTS)
    block = client.cache.disabled()
    contextvars.copy_context().run(block.__enter__)
    block.__exit__(None, None, None)
    client(SUBJECTS)
    assert len(server.requests) == 1


def test_responses_from_the_cache_are_logged(
    connect: Connect, server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = connect(server)
    client(SUBJECTS)
    with caplog.at_level(logging.DEBUG, "alyx_client"):
        client(SUBJECTS)
    assert "GET /subjects from the cache" in caplog.messages


def test_disabling_in_one_thread_leaves_others_alone(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(SUBJECTS)
    inside, done = threading.Event(), threading.Event()

    def other() -> None:
        with client.cache.disabled():
            inside.set()
            assert done.wait(30)
            client(SUBJECTS)

    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(contextvars.Context().run, other)
        assert inside.wait(30)
        client(SUBJECTS)
        assert len(server.requests) == 1
        done.set()
        result.result()
    assert len(server.requests) == 2


async def test_disabling_in_one_task_leaves_others_alone(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(SUBJECTS)
    inside, done = asyncio.Event(), asyncio.Event()

    async def other() -> None:
        with client.cache.disabled():
            inside.set()
            await done.wait()
            await asyncio.to_thread(client, SUBJECTS)

    task = asyncio.create_task(other())
    await inside.wait()
    await asyncio.to_thread(client, SUBJECTS)
    assert len(server.requests) == 1
    done.set()
    await task
    assert len(server.requests) == 2


def test_clear_deletes_all_or_one_users_responses(connect: Connect, server: FaultServer) -> None:
    alice, bob = connect(server, user="alice"), connect(server, user="bob")
    for client in (alice, bob):
        client(SUBJECTS)
    alice.cache.clear("alice")
    alice(SUBJECTS)
    assert len(server.requests) == 3
    server.close()
    alice.cache.clear()
    for client in (alice, bob):
        with pytest.raises(AlyxConnectionError):
            client(SUBJECTS)


def test_settings_are_pickled(folder: Path, server: FaultServer) -> None:
    cache = ResponseCache(folder, server.url, mode="*", default_expiry=WEEK, offline=True, max_bytes=10**6)
    with cache.disabled():
        copy = pickle.loads(pickle.dumps(cache))
    assert (copy.mode, copy.default_expiry, copy.offline) == ("*", WEEK, True)
    assert copy.__getstate__() == cache.__getstate__()


def test_closed_cache_opens_again(connect: Connect, server: FaultServer) -> None:
    client = connect(server)
    client(SUBJECTS)
    client.cache.close()
    client.cache.close()
    client(SUBJECTS)
    assert len(server.requests) == 1


def test_creating_a_cache_touches_no_file_and_imports_no_sqlite(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from alyx_client.http.cache.response_cache import ResponseCache;"
        "cache = ResponseCache(Path(sys.argv[1]), 'https://alyx.example.org'); cache.close();"
        "assert not Path(sys.argv[1]).exists(); assert 'sqlite3' not in sys.modules; assert 'httpx2' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)


@pytest.mark.parametrize("content", [b"x" * 10_000, b""])
def test_unusable_file_breaks_no_query(
    connect: Connect, server: FaultServer, folder: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    folder.parent.mkdir()
    folder.write_bytes(content)
    client = connect(server, mode="*")
    with caplog.at_level(logging.WARNING, "alyx_client"):
        for _ in range(3):
            assert client(SUBJECTS).status == 200
            assert client(CREATE).status == 200
    assert len(caplog.records) == 1
    client.cache.clear()
    server.close()
    with pytest.raises(AlyxConnectionError):
        client(SUBJECTS)
