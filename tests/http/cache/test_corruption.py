"""Corrupt and missing cache files: recreated, and never a wrong response."""

from __future__ import annotations

import logging
import random
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from alyx_client.http.cache.store import CacheStore
from tests.http.cache.stores import (
    MEGABYTE,
    SERVER,
    check_usable,
    files,
    fill,
    key,
    load,
    output_of,
    posix,
    response,
    start_program,
    store,
    write_files,
)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: random.Random(1).randbytes(len(content)),
        lambda content: b"",
        lambda content: b"{}",
        lambda content: b"\0" * len(content),
        lambda content: content[:100] + random.Random(2).randbytes(len(content) - 100),
        lambda content: content[: len(content) // 2] + b"\0" * (len(content) // 2),
        lambda content: content[:60] + (99).to_bytes(4, "big") + content[64:],
        lambda content: content + b"\0" * 4096,
        lambda content: content + b"x" * 1000,
    ],
    ids=["random", "empty", "json", "zeros", "random_after_head", "second_half", "version", "longer", "longer_odd"],
)
def test_corrupt_file_is_recreated(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    [(name, content)] = fill(folder).items()
    write_files(folder, {name: damage(content)})
    check_usable(folder)
    assert len(files(folder)) == 1


def test_file_truncated_anywhere_breaks_nothing(folder: Path) -> None:
    [(name, content)] = fill(folder).items()
    for length in [*range(0, 120, 7), *range(120, len(content), 1777)]:
        write_files(folder, {name: content[:length]})
        check_usable(folder)


def test_zeros_anywhere_break_nothing(folder: Path) -> None:
    [(name, content)] = fill(folder).items()
    for start in range(0, len(content), 1500):
        write_files(folder, {name: content[:start] + bytes(1600) + content[start + 1600 :]})
        check_usable(folder)


def test_flipped_bit_anywhere_breaks_nothing(folder: Path) -> None:
    [(name, content)] = fill(folder).items()
    chance = random.Random(3)
    for offset in [*range(0, 110, 2), *chance.sample(range(len(content)), 60)]:
        flipped = bytearray(content)
        flipped[offset] ^= 1 << chance.randrange(8)
        write_files(folder, {name: bytes(flipped)})
        check_usable(folder)


def test_corrupt_write_ahead_log_breaks_nothing(folder: Path) -> None:
    contents = fill(folder, logged=True)
    log = next(name for name in contents if name.endswith("-wal"))
    for cut in range(0, len(contents[log]), 9999):
        write_files(folder, {**contents, log: contents[log][:cut]})
        check_usable(folder)
        write_files(folder, {**contents, log: contents[log][:cut] + bytes(300) + contents[log][cut + 300 :]})
        check_usable(folder)


@pytest.mark.parametrize("column", ["body", "head", "user", "endpoint", "generation", "received", "digest"])
def test_altered_response_is_not_served(folder: Path, column: str, caplog: pytest.LogCaptureFixture) -> None:
    fill(folder)
    with sqlite3.connect(files(folder)[0]) as connection:
        was = connection.execute(f"SELECT {column} FROM answers WHERE key = ?", (key("a9").digest,)).fetchone()[0]
        wrong: object = (
            was + 1
            if isinstance(was, float)
            else (was[:-1] + (bytes([was[-1] ^ 1]) if isinstance(was, bytes) else chr(ord(was[-1]) ^ 1)))
        )
        connection.execute(f"UPDATE answers SET {column} = ? WHERE key = ?", (wrong, key("a9").digest))
    connection.close()
    cache = CacheStore(folder, SERVER, 512 * MEGABYTE)
    with caplog.at_level(logging.WARNING, "alyx_client"):
        assert load(cache, "a9") is None
    assert "recreated" in caplog.text
    assert load(cache, "a8") is None
    store(cache, "a9")
    assert load(cache, "a9") == response("a9")
    cache.close()


def test_response_under_another_users_key_is_not_served(folder: Path) -> None:
    cache = CacheStore(folder, SERVER, MEGABYTE)
    store(cache, "a", user="alice")
    with sqlite3.connect(files(folder)[0]) as connection:
        connection.execute("UPDATE answers SET key = ?, user = 'bob'", (key("a", "bob").digest,))
    connection.close()
    assert load(cache, "a", user="bob") is None
    cache.close()


@pytest.mark.parametrize("table", ["state", "answers", "names"])
def test_missing_table_breaks_nothing(folder: Path, table: str) -> None:
    fill(folder)
    with sqlite3.connect(files(folder)[0]) as connection:
        connection.execute(f"DROP TABLE {table}")
    connection.close()
    check_usable(folder)


ODD_VALUES = {
    "generation": "UPDATE state SET generation = 'not bytes'",
    "name": "INSERT OR REPLACE INTO names VALUES ('alice', x'00')",
}


@pytest.mark.parametrize("statement", ODD_VALUES.values(), ids=ODD_VALUES)
def test_value_of_another_type_breaks_nothing(folder: Path, statement: str) -> None:
    fill(folder)
    with sqlite3.connect(files(folder)[0]) as connection:
        connection.execute(statement)
    connection.close()
    cache = CacheStore(folder, SERVER, MEGABYTE)
    assert cache.identity_of("alice") is None
    cache.close()
    check_usable(folder)


def test_missing_generation_breaks_nothing(folder: Path) -> None:
    fill(folder)
    with sqlite3.connect(files(folder)[0]) as connection:
        connection.execute("DELETE FROM state")
    connection.close()
    check_usable(folder)


def test_corruption_under_an_open_connection_breaks_nothing(cache: CacheStore, folder: Path) -> None:
    for number in range(30):
        store(cache, f"a{number}", 3000)
    cache.close()
    assert load(cache, "a1") is not None
    file = files(folder)[0]
    with file.open("r+b") as stream:
        stream.write(random.Random(4).randbytes(file.stat().st_size))
    for number in range(30):
        assert load(cache, f"a{number}") in (None, response(f"a{number}", 3000))
    store(cache, "next")
    check_usable(folder)


def test_corrupt_file_that_cannot_be_removed_is_replaced(
    folder: Path, monkeypatch: pytest.MonkeyPatch, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    [(name, content)] = fill(folder).items()
    write_files(folder, {name: b"x" * len(content)})

    def refuse(path: str) -> None:
        raise PermissionError(13, "used by another process", path)  # as Windows does

    monkeypatch.setattr("alyx_client.storage.sqlite.os.unlink", refuse)
    check_usable(folder)
    assert len(files(folder)) == 2
    monkeypatch.undo()
    check_usable(folder)
    assert len(files(folder)) == 1


def test_eight_processes_recreate_a_corrupt_file_once(folder: Path) -> None:
    [(name, content)] = fill(folder).items()
    write_files(folder, {name: content[:100] + b"x" * len(content)})
    processes = [
        start_program(
            """
            folder, number = Path(sys.argv[1]), sys.argv[2]
            cache = CacheStore(folder, SERVER, 512 * MEGABYTE)
            logging.basicConfig()
            sys.stdin.read(1)
            for step in range(20):
                store(cache, f"{number}-{step}", 2000)
                loaded = load(cache, f"{number}-{step}")
                assert loaded == response(f"{number}-{step}", 2000) or (loaded is None and step < 3), step
            assert not cache._warned
            sys.stdin.read()
            """,
            folder,
            number,
            stdin=subprocess.PIPE,
        )
        for number in range(8)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("xx")
        process.stdin.flush()
    for process in processes:
        output_of(process)
    cache = CacheStore(folder, SERVER, 512 * MEGABYTE)
    assert all(load(cache, f"{number}-{step}") for number in range(8) for step in range(3, 20))
    cache.close()
    assert len(files(folder)) == 1


@posix
def test_removed_file_is_noticed(cache: CacheStore, folder: Path) -> None:
    store(cache, "a")
    for file in folder.iterdir():
        file.unlink()
    assert load(cache, "a") is None
    store(cache, "a")
    other = CacheStore(folder, SERVER, MEGABYTE)
    assert load(other, "a") is not None
    other.new_generation("subjects")
    assert load(cache, "a") is None
    other.close()


@posix
def test_response_requested_with_another_files_generation_is_not_stored(cache: CacheStore, folder: Path) -> None:
    generation, _ = cache.find(None)
    for file in folder.iterdir():
        file.unlink()
    cache.find(None)
    cache.store(key("a"), response("a"), lifetime=60.0, generation=generation or b"")
    assert load(cache, "a") is None
