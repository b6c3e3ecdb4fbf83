"""The store of cached responses: what it stores, for whom, and how much."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from alyx_client.http.cache.key import CacheKey
from alyx_client.http.cache.store import CacheStore
from tests.http.cache.stores import (
    MEGABYTE,
    SERVER,
    add_identity,
    files,
    key,
    load,
    posix,
    response,
    store,
)


@pytest.mark.parametrize("size", [0, 100, 5000, 700_000])
def test_response_is_loaded_as_it_was_stored(cache: CacheStore, size: int) -> None:
    store(cache, "a", size)
    assert load(cache, "a") == response("a", size)


def test_response_outlives_the_process(cache: CacheStore, folder: Path) -> None:
    store(cache, "a")
    cache.close()
    other = CacheStore(folder, SERVER, 512 * MEGABYTE)
    assert load(other, "a") == response("a")
    other.close()


def test_no_file_is_created_before_a_lookup(cache: CacheStore, folder: Path) -> None:
    assert cache.new_generation("subjects") is None
    cache.clear()
    assert cache.identity_of("alice") is None
    assert cache.find(key("a"), create=False) == (None, None)
    cache.close()
    assert not folder.exists()


@posix
def test_folder_and_files_are_readable_by_their_owner_only(cache: CacheStore, folder: Path) -> None:
    store(cache, "a")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()] == [0o600] * 3


def test_every_server_has_a_file_that_names_it(folder: Path) -> None:
    servers = ["https://alyx.example.org", "http://alyx.example.org", "https://alyx.example.org/b", "http://con:8080"]
    for server in servers:
        cache = CacheStore(folder, server, MEGABYTE)
        store(cache, server)
        cache.close()
    names = [file.name for file in files(folder)]
    assert len(names) == len(servers)
    assert sum("alyx.example.org" in name for name in names) == 3
    assert all(name.startswith("rest1-") and ":" not in name for name in names)


def test_other_files_in_the_folder_are_left_alone(cache: CacheStore, folder: Path) -> None:
    folder.mkdir(parents=True)
    others = [folder / "0a1b2c3d", folder / "rest1-alyx.example.org-x.sqlite", folder / "rest1-other-0.sqlite"]
    for other in others:
        other.write_text("not ours")
    store(cache, "a")
    assert load(cache, "a")
    assert [other.read_text() for other in others] == ["not ours"] * 3


def test_new_generation_makes_responses_stale_and_deletes_the_endpoints(cache: CacheStore) -> None:
    store(cache, "a")
    store(cache, "b", endpoint="sessions")
    cache.new_generation("subjects")
    assert load(cache, "a") is None
    _, cached = cache.find(key("b", endpoint="sessions"))
    assert cached is not None
    assert not cached.current


def test_response_of_an_ended_generation_is_not_stored(cache: CacheStore) -> None:
    generation, _ = cache.find(None)
    assert generation is not None
    cache.new_generation("sessions")
    cache.store(key("a"), response("a"), lifetime=60.0, generation=generation)
    assert load(cache, "a") is None


def test_response_that_survives_writes_outlives_generations(cache: CacheStore) -> None:
    schema = CacheKey(b"schema", "alice", "api", survives_writes=True)
    generation, _ = cache.find(None)
    cache.store(schema, response("schema"), lifetime=60.0, generation=generation or b"")
    cache.new_generation("sessions")
    _, cached = cache.find(schema)
    assert cached is not None
    assert cached.current


def test_clear_deletes_one_users_responses_or_all(cache: CacheStore) -> None:
    for user in ("alice", "bob"):
        store(cache, "a", user=user)
        add_identity(cache, user.title(), user, replace=True)
    cache.clear("alice")
    assert load(cache, "a") is None
    assert load(cache, "a", user="bob")
    assert (cache.identity_of("Alice"), cache.identity_of("Bob")) == (None, "bob")
    cache.clear()
    assert load(cache, "a", user="bob") is None


def test_clear_shrinks_the_file(cache: CacheStore, folder: Path) -> None:
    for number in range(20):
        store(cache, f"a{number}", 200_000)
    cache.clear()
    cache.close()
    assert sum(file.stat().st_size for file in folder.iterdir()) < 100_000


def test_response_requested_before_clear_is_not_stored(cache: CacheStore) -> None:
    generation, _ = cache.find(None)
    cache.clear("alice")
    cache.store(key("a"), response("a"), lifetime=60.0, generation=generation or b"")
    assert load(cache, "a") is None


def test_identity_of_a_name_is_replaced_on_request_only(cache: CacheStore) -> None:
    add_identity(cache, "olivier", "first", replace=False)
    add_identity(cache, "olivier", "second", replace=False)
    assert cache.identity_of("olivier") == "first"
    add_identity(cache, "olivier", "second", replace=True)
    assert cache.identity_of("olivier") == "second"


def content_size(folder: Path) -> int:
    with sqlite3.connect(files(folder)[-1]) as connection:
        pages, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
    connection.close()
    return (pages - free) * size


@pytest.mark.parametrize("size", [50, 3000, 100_000])
def test_content_stays_within_max_bytes(folder: Path, size: int) -> None:
    cache = CacheStore(folder, SERVER, MEGABYTE)
    count = 4 * MEGABYTE // (size // 2 + 600)
    for number in range(count):
        store(cache, f"a{number}", size)
        if number % (count // 20) == 0:
            assert content_size(folder) <= MEGABYTE
    assert content_size(folder) > MEGABYTE // 2
    assert load(cache, f"a{count - 1}", user="alice")
    assert load(cache, "a0") is None
    cache.close()
    assert files(folder)[0].stat().st_size <= MEGABYTE


def test_least_recently_used_responses_are_deleted_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alyx_client.http.cache.tables._USE_RESOLUTION", 0.0)
    cache = CacheStore(folder, SERVER, MEGABYTE)
    store(cache, "used", 50_000)
    store(cache, "unused", 50_000)
    for number in range(60):
        store(cache, f"a{number}", 50_000)
        assert load(cache, "used") is not None
    assert load(cache, "unused") is None
    cache.close()


def test_response_too_large_to_store_displaces_nothing(folder: Path) -> None:
    cache = CacheStore(folder, SERVER, MEGABYTE)
    store(cache, "small")
    store(cache, "large", 6 * MEGABYTE)
    assert load(cache, "large") is None
    assert load(cache, "small") is not None
    cache.close()


def test_max_bytes_below_an_empty_file_stores_nothing(folder: Path) -> None:
    cache = CacheStore(folder, SERVER, 100)
    store(cache, "a")
    assert load(cache, "a") is None
    cache.close()


def test_write_ahead_log_stays_small(cache: CacheStore, folder: Path) -> None:
    for number in range(100):
        store(cache, f"a{number}", 400_000)
    assert sum(file.stat().st_size for file in folder.glob("*-wal")) < 16 * MEGABYTE
