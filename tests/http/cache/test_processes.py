"""A cache file shared by threads, forks, processes and computers."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from alyx_client.http.cache.store import CacheStore
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


@pytest.fixture
def write_lock(cache: CacheStore, folder: Path, quick: None) -> Iterator[sqlite3.Connection]:
    """Hold the lock of a writer that never ends."""
    store(cache, "a")
    store(cache, "b", endpoint="sessions")
    connection = sqlite3.connect(files(folder)[0], isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield connection
    connection.close()


def test_lookup_does_not_wait_for_a_writer(
    cache: CacheStore, write_lock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alyx_client.http.cache.tables._USE_RESOLUTION", 0.0)
    assert load(cache, "a") == response("a")


def test_storing_gives_way_to_a_writer(cache: CacheStore, write_lock: object) -> None:
    store(cache, "new")
    assert load(cache, "new") is None
    assert load(cache, "a") is not None


def test_new_generation_during_a_lock_that_is_never_released_discards_the_file(
    cache: CacheStore, folder: Path, write_lock: object
) -> None:
    other = CacheStore(folder, SERVER, MEGABYTE)
    assert load(other, "a") is not None
    cache.new_generation("subjects")
    for user in (cache, other):
        assert load(user, "a") is None
        assert load(user, "b", endpoint="sessions") is None
    store(cache, "new")
    assert load(other, "new") is not None
    other.close()


def test_threads_share_a_store(cache: CacheStore) -> None:
    def work(number: int) -> bool:
        user = f"user{number % 4}"
        for step in range(30):
            store(cache, f"{number}-{step}", 3000, user=user)
            assert load(cache, f"{number}-{step}", user=user) == response(f"{number}-{step}", 3000, user)
        return True

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(work, range(16)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_forked_child_opens_its_own_connection(cache: CacheStore, folder: Path) -> None:
    store(cache, "parent")
    context = multiprocessing.get_context("fork")

    def child(results: Any) -> None:
        for step in range(20):
            store(cache, f"child{os.getpid()}-{step}")
        results.put((os.getpid(), load(cache, "parent") == response("parent")))

    results = context.Queue()
    children = [context.Process(target=child, args=(results,)) for _ in range(4)]
    for process in children:
        process.start()
    for step in range(20):
        store(cache, f"parent{step}")
    pids = [results.get(timeout=60) for _ in children]
    for process in children:
        process.join(60)
        assert process.exitcode == 0
    assert all(is_right for _, is_right in pids)
    assert all(load(cache, f"child{pid}-{step}") for pid, _ in pids for step in range(20))
    assert all(load(cache, f"parent{step}") for step in range(20))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_fork_while_threads_use_the_store(folder: Path) -> None:
    code = """
    import threading, warnings
    warnings.simplefilter("ignore")
    cache, ending = CacheStore(Path(sys.argv[1]), SERVER, 512 * MEGABYTE), threading.Event()
    def work(number):
        for step in range(10**9):
            if ending.is_set():
                return
            store(cache, f"{number}-{step % 50}")
    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for number in range(30):
        pid = os.fork()
        if pid == 0:
            store(cache, f"child{number}")
            os._exit(0 if load(cache, f"child{number}") == response(f"child{number}") else 1)
        assert os.waitpid(pid, 0)[1] == 0
    ending.set()
    for thread in threads:
        thread.join()
    assert all(load(cache, f"child{number}") for number in range(30))
    """
    output_of(start_program(code, folder))


@posix
def test_killed_writer_leaves_whole_responses(folder: Path) -> None:
    code = """
    cache = CacheStore(Path(sys.argv[1]), SERVER, 2 * MEGABYTE)
    chance = random.Random()
    print("begun", flush=True)
    while True:
        number = chance.randrange(40)
        store(cache, f"a{number}", number * 3000)
        if number == 0:
            cache.new_generation("sessions")
    """
    chance, count = random.Random(5), 0
    for _ in range(25):
        process = start_program(code, folder)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.random() * 0.15)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        cache = CacheStore(folder, SERVER, 512 * MEGABYTE)
        for number in range(40):
            loaded = load(cache, f"a{number}")
            assert loaded is None or loaded == response(f"a{number}", number * 3000)
            count += loaded is not None
        cache.close()
    assert count > 100
    assert [file.name[-8:] for file in files(folder)] == ["0.sqlite"]  # never mistaken for a corrupt file


HAMMER = """
cache = CacheStore(Path(sys.argv[1]), SERVER, 512 * MEGABYTE)
chance, count = random.Random(int(sys.argv[2])), 0
for step in range(500):
    user, name, endpoint = f"user{chance.randrange(3)}", f"a{chance.randrange(5)}", chance.choice(["x", "y"])
    action = chance.random()
    if action < 0.55:
        loaded = load(cache, name, user=user, endpoint=endpoint)
        assert loaded is None or loaded == response(name, 3000, user), (name, user, loaded)
        count += loaded is not None
    elif action < 0.95:
        store(cache, name, 3000, user=user, endpoint=endpoint)
    elif action < 0.99:
        cache.new_generation(endpoint)
    else:
        cache.clear(user if action < 0.995 else None)
assert not cache._warned
print(count)
"""


def test_eight_processes_mix_up_no_responses(folder: Path) -> None:
    processes = [start_program(HAMMER, folder, number) for number in range(8)]
    assert all(int(output_of(process)) > 20 for process in processes)
    assert [file.name[-8:] for file in files(folder)] == ["0.sqlite"]  # never mistaken for a corrupt file


def test_eight_processes_lose_no_response(folder: Path) -> None:
    code = """
    cache, number = CacheStore(Path(sys.argv[1]), SERVER, 512 * MEGABYTE), sys.argv[2]
    for step in range(100):
        store(cache, f"{number}-{step}", 3000, user=number)
        earlier = f"{number}-{step // 2}"
        assert load(cache, earlier, user=number) == response(earlier, 3000, number)
    """
    for process in [start_program(code, folder, number) for number in range(8)]:
        output_of(process)
    cache = CacheStore(folder, SERVER, 512 * MEGABYTE)
    for number in map(str, range(8)):
        for step in range(100):
            assert load(cache, f"{number}-{step}", user=number) == response(f"{number}-{step}", 3000, number)
    cache.close()


def test_new_generation_is_seen_by_every_process_when_it_returns(folder: Path) -> None:
    # Every process stores a response; after its new generation, no earlier response is current for any process.
    code = """
    cache, number = CacheStore(Path(sys.argv[1]), SERVER, 512 * MEGABYTE), sys.argv[2]
    for step in range(60):
        store(cache, number, endpoint=number)
        before = {name: cache.find(key(name, endpoint=name)) for name in map(str, range(4))}
        old, new = cache.new_generation("nothing")
        for name, (_, cached) in before.items():
            _, again = cache.find(key(name, endpoint=name))
            if cached and again and again.received == cached.received:
                assert not again.current
    """
    for process in [start_program(code, folder, number) for number in range(4)]:
        output_of(process)


@posix
@pytest.mark.parametrize("writes_first", [True, False], ids=["other_writes", "own_write"])
@pytest.mark.parametrize("removed", [["-shm"], ["-wal"], ["-wal", "-shm"]], ids="".join)
def test_writes_are_seen_after_files_beside_the_database_were_removed(
    cache: CacheStore, folder: Path, removed: list[str], writes_first: bool
) -> None:
    store(cache, "a")
    # As after some time: the database itself has everything.
    with contextlib.closing(sqlite3.connect(files(folder)[0])) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    assert load(cache, "a") is not None
    for suffix in removed:
        Path(f"{files(folder)[0]}{suffix}").unlink()
    code = """
        cache = CacheStore(Path(sys.argv[1]), SERVER, MEGABYTE)
        store(cache, "b")
        print(load(cache, "b") is not None, flush=True)
        sys.stdin.readline()
        if sys.argv[2] == "True":
            cache.new_generation()
        else:
            _, cached = cache.find(key("b"))
            assert not cached or not cached.current
    """
    process = start_program(code, folder, writes_first, stdin=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    process.stdout.readline()
    if not writes_first:
        cache.new_generation()
    process.stdin.write("\n")
    output_of(process)
    _, cached = cache.find(key("a"))
    assert not cached or not cached.current


def test_interrupted_work_leaves_no_lock(cache: CacheStore, folder: Path) -> None:
    store(cache, "a")

    def interrupted(connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM answers")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache._database.run(interrupted)
    other = CacheStore(folder, SERVER, MEGABYTE)
    store(other, "b")
    assert load(other, "a") is not None
    assert load(cache, "b") is not None
    other.close()


def test_network_file_system_gets_a_journal_that_works_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []
    for networked in (True, False):
        monkeypatch.setattr("alyx_client.storage.sqlite.is_networked", lambda _, networked=networked: networked)
        cache = CacheStore(folder / str(networked), SERVER, MEGABYTE)
        store(cache, "a")
        assert load(cache, "a") is not None
        cache.new_generation("subjects")
        assert load(cache, "a") is None
        modes.append(sorted(file.name[-4:] for file in (folder / str(networked)).iterdir()))
        cache.close()
    assert modes == [["lite"], ["-shm", "-wal", "lite"]]


def test_write_ahead_log_of_another_computer_is_not_shared(
    folder: Path, monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    local = CacheStore(folder, SERVER, MEGABYTE)
    store(local, "a")
    monkeypatch.setattr("alyx_client.storage.sqlite.is_networked", lambda _: True)
    remote = CacheStore(folder, SERVER, MEGABYTE)
    assert load(remote, "a") is None
    local.close()
    assert load(remote, "a") is not None
    assert not list(folder.glob("*-wal"))
    remote.close()
