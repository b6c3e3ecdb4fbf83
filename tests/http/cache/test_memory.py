"""Entries that are held in memory: as current as those of the file, whoever changes it, and bounded."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sqlite3
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from alyx_client.http.cache.entry import CachedResponse
from alyx_client.http.cache.memory import EntryMemory
from alyx_client.http.cache.response_cache import ResponseCache
from alyx_client.http.cache.store import CacheStore
from alyx_client.http.message import Response
from alyx_client.storage import sqlite
from alyx_client.storage.log_state import LogState, log_files, log_state
from tests.http.cache.stores import (
    MEGABYTE,
    SERVER,
    files,
    key,
    load,
    output_of,
    posix,
    response,
    start_program,
    store,
)

pytestmark = posix  # on Windows, nothing is held


def settle(folder: Path, nanoseconds: int = -1_000_000_007) -> None:
    """Change the time of the last write, by default to one that is past; a state is settled after some time only."""
    (log,) = folder.glob("*-wal")
    moment = time.time_ns() + nanoseconds
    os.utime(log, ns=(moment, moment | 1))


def hold(cache: CacheStore, folder: Path, *names: str, user: str = "alice") -> None:
    """Read responses so that they are held."""
    settle(folder)
    cache._memory._paused_until = 0.0
    for name in names:
        assert load(cache, name, user=user) is not None
        assert is_held(cache, name, user)


def is_held(cache: CacheStore, name: str, user: str = "alice") -> bool:
    return cache._memory.find(key(name, user), cache._database.state()) is not None


@pytest.fixture
def held(cache: CacheStore, folder: Path) -> CacheStore:
    """Return a store that holds the response ``a``."""
    store(cache, "a")
    hold(cache, folder, "a")
    return cache


def test_held_response_needs_no_statement(held: CacheStore, monkeypatch: pytest.MonkeyPatch) -> None:
    before = held.find(key("a"))
    monkeypatch.setattr(held._database, "run", None)
    assert held.find(key("a")) == before
    assert load(held, "a") == response("a")


def overwrite(other: CacheStore, folder: Path) -> None:
    generation, _ = other.find(None)
    other.store(key("a"), response("a", 500), lifetime=60.0, generation=generation or b"")


def discard(other: CacheStore, folder: Path) -> None:
    other.find(None)
    assert other._database._replace()


def remove(other: CacheStore, folder: Path) -> None:
    files(folder)[0].unlink()


def replace(other: CacheStore, folder: Path) -> None:
    remove(other, folder)
    CacheStore(folder, SERVER, MEGABYTE).find(None)


def delete_row(other: CacheStore, folder: Path) -> None:
    with sqlite3.connect(files(folder)[0]) as connection:
        connection.execute("DELETE FROM answers")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda other, _: other.clear(), None),
        (lambda other, _: other.clear("alice"), None),
        (lambda other, _: other.clear("bob"), "stale"),
        (lambda other, _: other.new_generation("subjects"), None),
        (lambda other, _: other.new_generation("sessions"), "stale"),
        (lambda other, _: other.new_generation(), "stale"),
        (overwrite, "new"),
        (delete_row, None),
        (discard, None),
        (remove, None),
        (replace, None),
    ],
)
@pytest.mark.parametrize("is_own", [True, False])
def test_change_is_seen_at_once(
    held: CacheStore, folder: Path, change: Callable[[CacheStore, Path], object], expected: str | None, is_own: bool
) -> None:
    # For SQLite, another connection is as another process.
    other = held if is_own else CacheStore(folder, SERVER, MEGABYTE)
    change(other, folder)
    _, cached = held.find(key("a"))
    if expected is None:
        assert cached is None
    else:
        assert cached is not None
        assert cached.current is (expected == "new")
        assert cached.response == response("a", 500 if expected == "new" else 100)
    other.close()


def test_changes_of_another_process_are_seen_when_they_are_made(held: CacheStore, folder: Path) -> None:
    code = """
    cache = CacheStore(Path(sys.argv[1]), SERVER, 512 * MEGABYTE)
    for line in sys.stdin:
        size = int(line)
        store(cache, "a", size) if size else cache.clear()
        print("done", flush=True)
    """
    process = start_program(code, folder, stdin=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    for size in [1000, 2000, 0, 3000, 0, *range(200, 220)]:
        process.stdin.write(f"{size}\n")
        process.stdin.flush()
        assert process.stdout.readline() == "done\n"
        assert load(held, "a") == (response("a", size) if size else None)
        if size:
            hold(held, folder, "a")
    output_of(process)


def test_write_under_way_is_seen_when_it_ends(cache: CacheStore, folder: Path) -> None:
    store(cache, "a")
    connection = sqlite3.connect(files(folder)[0], isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    # What it has written to the log may be old already, and nothing is written when it ends.
    settle(folder)
    assert load(cache, "a") == response("a")
    assert cache._memory.is_empty
    assert cache._database.run(lambda own: own.execute("PRAGMA busy_timeout").fetchone()[0]) == 5000
    connection.execute("DELETE FROM answers")
    connection.execute("COMMIT")
    connection.close()
    assert load(cache, "a") is None


@pytest.mark.parametrize("is_networked", [False, True])
@pytest.mark.parametrize("moment", ["now", "in whole seconds"])
def test_nothing_is_held_where_the_next_write_might_leave_no_trace(
    folder: Path, monkeypatch: pytest.MonkeyPatch, moment: str, is_networked: bool
) -> None:
    monkeypatch.setattr("alyx_client.storage.sqlite.is_networked", lambda _: is_networked)
    cache = CacheStore(folder, SERVER, MEGABYTE)
    store(cache, "a")
    for log in folder.glob("*-wal"):
        os.utime(log, (1e9, 1e9) if moment == "in whole seconds" else (time.time() + 60.5,) * 2)
    for _ in range(3):
        assert load(cache, "a") == response("a")
    assert cache._memory.is_empty
    cache.close()


def test_locked_file_is_not_waited_for(held: CacheStore, folder: Path) -> None:
    connection = sqlite3.connect(files(folder)[0], isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM answers")
    assert load(held, "a") == response("a")
    connection.close()


def test_held_response_is_not_served_in_the_middle_of_work(held: CacheStore) -> None:
    # A signal handler's write is left to the work that it interrupts, and its read comes before that.
    def work(_: object) -> Response | None:
        held.new_generation("subjects")
        return load(held, "a")

    assert held._database.run(work) is None
    assert load(held, "a") is None


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError])
def test_write_of_a_signal_handler_that_raises_is_seen_at_once(
    held: CacheStore, folder: Path, error: type[BaseException]
) -> None:
    def work(_: object) -> None:
        held.new_generation()
        raise error

    with pytest.raises(error):
        held._database.run(work)
    # First by others: this process may do nothing more.
    for cache in (CacheStore(folder, SERVER, MEGABYTE), held):
        _, cached = cache.find(key("a"))
        assert cached is not None
        assert not cached.current


def test_write_that_was_interrupted_twice_is_seen_by_the_next_call(
    held: CacheStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    def work(_: object) -> None:
        held.new_generation()
        monkeypatch.setattr(held._database, "run_or_discard", interrupted)

    with pytest.raises(KeyboardInterrupt):
        held._database.run(work)
    monkeypatch.undo()
    _, cached = held.find(key("a"))
    assert cached is not None
    assert not cached.current


def test_abandoned_file_is_not_served(held: CacheStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "_ABANDONED", {held._database._base})
    assert load(held, "a") is None


def test_users_are_separate(held: CacheStore, folder: Path) -> None:
    assert load(held, "a", user="bob") is None
    store(held, "a", user="bob")
    hold(held, folder, "a", user="bob")
    hold(held, folder, "a")
    for user in ("alice", "bob", "alice"):
        assert load(held, "a", user=user) == response("a", user=user)
    # Nor with the same digest.
    state = held._database.state()
    forged = key("a", "bob")
    object.__setattr__(forged, "digest", key("a").digest)
    assert held._memory.find(forged, state) is None


def test_headers_belong_to_the_caller(held: CacheStore) -> None:
    for _ in range(3):
        loaded = load(held, "a")
        assert loaded is not None
        assert loaded.headers == {"content-type": "application/json"}
        assert isinstance(loaded.headers, dict)
        loaded.headers["content-type"] = "text/html"


def test_age_is_that_of_the_response(held: CacheStore, monkeypatch: pytest.MonkeyPatch) -> None:
    _, cached = held.find(key("a"))
    assert cached is not None
    assert cached.is_fresh(None)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 59.5)
    assert is_held(held, "a")
    assert held.find(key("a"))[1] == cached
    for moment in (now + 61, now - 3600):
        monkeypatch.setattr(time, "time", lambda moment=moment: moment)
        _, cached = held.find(key("a"))
        assert cached is not None
        assert not cached.is_fresh(None)


def test_uses_of_held_responses_are_noted(held: CacheStore, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    later = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: later)
    assert load(held, "a") is not None
    with sqlite3.connect(files(folder)[0]) as connection:
        assert connection.execute("SELECT used FROM answers").fetchall() == [(later,)]


def test_memory_is_bounded(cache: CacheStore, folder: Path) -> None:
    cache._memory = EntryMemory(100_000)
    names = [f"a{number}" for number in range(40)]
    for name in names:
        store(cache, name, 10_000)
    store(cache, "large", 150_000)
    settle(folder)
    for name in [*names, "large", *names]:
        assert load(cache, name) is not None
        entries = cache._memory._held[1].values()
        assert sum(len(entry.cached.response.content) for entry in entries) < cache._memory._bytes <= 100_000
    assert is_held(cache, "a39")
    assert not is_held(cache, "a0")
    assert not is_held(cache, "large")
    cache.close()
    assert cache._memory.is_empty


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_forked_child_sees_the_changes_of_its_parent(held: CacheStore, folder: Path) -> None:
    context = multiprocessing.get_context("fork")
    go, results = context.Event(), context.Queue()

    def child() -> None:
        first = load(held, "a")
        results.put(first == response("a"))
        go.wait(60)
        results.put(load(held, "a") is None)

    process = context.Process(target=child)
    process.start()
    assert results.get(timeout=60)
    held.clear()
    go.set()
    assert results.get(timeout=60)
    process.join(60)
    assert load(held, "a") is None


def test_pickle_has_no_responses(folder: Path) -> None:
    cache = ResponseCache(folder, SERVER)
    store(cache._store, "a")
    hold(cache._store, folder, "a")
    data = pickle.dumps(cache)
    assert b"application/json" not in data
    copy: Any = pickle.loads(data)
    assert copy._store._memory.is_empty
    cache.close()


def test_threads_see_what_was_stored_before_they_read(cache: CacheStore, folder: Path) -> None:
    sizes = range(200, 260)
    stored = [0]
    store(cache, "a", sizes[0])

    def read(_: int) -> int:
        count = 0
        while stored[0] < sizes[-1]:
            least = stored[0]
            loaded = load(cache, "a")
            assert loaded is not None
            assert len(loaded.content) >= least - 1
            count += is_held(cache, "a")
        return count

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read, number) for number in range(4)]
        try:
            for size in sizes:
                store(cache, "a", size)
                stored[0] = size
                settle(folder, -1_000_000_007 - size)
                cache._memory._paused_until = 0.0
                time.sleep(0.002)
        finally:
            stored[0] = sizes[-1]
        assert sum(reader.result() for reader in readers) > 0


def entry(size: int) -> CachedResponse:
    return CachedResponse(response("a", size), time.time(), 60.0, True)


def state_of(folder: Path) -> LogState:
    """Return the state of a file of these very bytes in a folder."""
    (folder / "db-wal").write_bytes(b"x" * 100)
    os.utime(folder / "db-wal", ns=(1_000_000_001, 1_000_000_001))
    state = log_state(str(folder / "db"), (1, 2))
    assert state is not None
    return state


def test_entries_take_exactly_the_memory_that_there_is(tmp_path: Path) -> None:
    state = state_of(tmp_path)
    probe = EntryMemory()
    probe.begin(state)
    probe.add(key("a"), b"g", entry(100), 1.0)
    (size,) = (held_entry.size for held_entry in probe._held[1].values())
    memory = EntryMemory(2 * size)
    for _ in range(2):
        # Another state begins with no entry.
        assert memory.begin(state)
        for name in ("a", "b", "b", "b"):
            memory.add(key(name), b"g", entry(100), 1.0)
        assert [memory.find(key(name), state) is not None for name in ("a", "b")] == [True, True]
        state = state._replace(size=state.size + 1)
    largest = EntryMemory(size)
    largest.begin(state)
    largest.add(key("a"), b"g", entry(100), 1.0)
    largest.add(key("b"), b"g", entry(200), 1.0)
    assert [largest.find(key(name), state) is not None for name in ("a", "b")] == [True, False]


def test_held_entry_has_the_generation_of_the_file(held: CacheStore, folder: Path) -> None:
    other = CacheStore(folder, SERVER, MEGABYTE)
    generation, _ = other.find(None)
    other.close()
    assert generation
    assert held.find(key("a"))[0] == generation


def test_file_that_is_not_settled_is_left_alone_for_a_moment() -> None:
    memory = EntryMemory()
    assert not memory.is_paused
    assert not memory.begin(None)
    assert memory.is_paused


def test_state_is_that_of_the_database_and_of_its_log(tmp_path: Path) -> None:
    state = state_of(tmp_path)
    status = os.stat(tmp_path / "db-wal")
    assert state == LogState((1, 2), (status.st_dev, status.st_ino), 100, 1_000_000_001)


def test_files_of_a_log_are_others_once_one_is_replaced(tmp_path: Path) -> None:
    path = str(tmp_path / "db")
    for end in ("wal", "shm"):
        Path(f"{path}-{end}").write_bytes(b"")
    seen = [log_files(path)]
    for end in ("wal", "shm"):
        Path(f"{path}-{end}").rename(f"{path}-{end}-old")
        Path(f"{path}-{end}").write_bytes(b"")
        seen.append(log_files(path))
        assert log_files(path) == seen[-1]
    assert len(set(seen)) == 3
