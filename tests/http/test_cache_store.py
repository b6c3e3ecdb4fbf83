"""The file in which answers are kept: what it survives, and that it never gives what was not kept."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from alyx_client.http.cache.key import CacheKey
from alyx_client.http.cache.store import CacheStore
from alyx_client.http.message import Response
from alyx_client.storage import file_system, sqlite_connection
from alyx_client.storage.sqlite import CacheDatabase, CacheUnavailableError

SERVER = "https://alyx.example.org"
MEGABYTE = 2**20
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX alone")


def place(name: str, user: str = "alice", endpoint: str = "subjects") -> CacheKey:
    return CacheKey(f"{user}/{endpoint}/{name}".encode().ljust(20), user, endpoint)


def response(name: str, size: int = 100, user: str = "alice") -> Response:
    """An answer that names its key and user, and is of the size."""
    content = json.dumps({"name": name, "user": user}).encode()
    filling = random.Random(name).randbytes(max(0, size - len(content)) // 2).hex()
    return Response(
        200, {"content-type": "application/json"}, content + filling.encode(), "GET", f"{SERVER}/subjects/{name}"
    )


def keep(cache: CacheStore, name: str, size: int = 100, *, user: str = "alice", endpoint: str = "subjects") -> None:
    generation, _ = cache.find(None)
    if generation is not None:
        cache.store(place(name, user, endpoint), response(name, size, user), lifetime=60.0, generation=generation)


def found(cache: CacheStore, name: str, *, user: str = "alice", endpoint: str = "subjects") -> Response | None:
    _, kept = cache.find(place(name, user, endpoint))
    return kept.response if kept else None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "rest"


@pytest.fixture
def cache(folder: Path) -> Iterator[CacheStore]:
    made = CacheStore(folder, SERVER, 512 * MEGABYTE)
    yield made
    made.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for locks, and after failures, for a moment alone."""
    monkeypatch.setattr(sqlite_connection, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr("alyx_client.http.cache.store._PAUSE", 0.0)


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.sqlite"))


def program(code: str, *arguments: object, **settings: Any) -> subprocess.Popen[str]:
    """Start a Python program in the checkout, with this module's names."""
    code = "from tests.http.test_cache_store import *\n" + textwrap.dedent(code)
    command = [sys.executable, "-c", code, *map(str, arguments)]
    settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **settings}
    return subprocess.Popen(command, cwd=Path(__file__).parents[2], **settings)


def output(process: subprocess.Popen[str]) -> str:
    said, wrong = process.communicate(timeout=120)
    assert process.returncode == 0, wrong
    return said.strip()


# --- what is kept


@pytest.mark.parametrize("size", [0, 100, 5000, 700_000])
def test_answer_comes_back_as_it_was(cache: CacheStore, size: int) -> None:
    keep(cache, "a", size)
    assert found(cache, "a") == response("a", size)


def test_answer_outlives_the_process(cache: CacheStore, folder: Path) -> None:
    keep(cache, "a")
    cache.close()
    other = CacheStore(folder, SERVER, 512 * MEGABYTE)
    assert found(other, "a") == response("a")
    other.close()


def test_nothing_is_made_before_something_is_asked_for(cache: CacheStore, folder: Path) -> None:
    assert cache.new_generation("subjects") is None
    cache.clear()
    assert cache.identity_of("alice") is None
    assert cache.find(place("a"), create=False) == (None, None)
    cache.close()
    assert not folder.exists()


@posix
def test_folder_and_files_are_the_users_alone(cache: CacheStore, folder: Path) -> None:
    keep(cache, "a")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()] == [0o600] * 3


def test_file_tells_its_server_and_each_server_has_its_own(folder: Path) -> None:
    servers = ["https://alyx.example.org", "http://alyx.example.org", "https://alyx.example.org/b", "http://con:8080"]
    for server in servers:
        cache = CacheStore(folder, server, MEGABYTE)
        keep(cache, server)
        cache.close()
    names = [file.name for file in files(folder)]
    assert len(names) == len(servers)
    assert sum("alyx.example.org" in name for name in names) == 3
    assert all(name.startswith("rest1-") and ":" not in name for name in names)


def test_files_of_others_in_the_folder_are_left_alone(cache: CacheStore, folder: Path) -> None:
    folder.mkdir(parents=True)
    others = [folder / "0a1b2c3d", folder / "rest1-alyx.example.org-x.sqlite", folder / "rest1-other-0.sqlite"]
    for other in others:
        other.write_text("not ours")
    keep(cache, "a")
    assert found(cache, "a")
    assert [other.read_text() for other in others] == ["not ours"] * 3


def test_change_ends_the_generation_and_drops_the_endpoint(cache: CacheStore) -> None:
    keep(cache, "a")
    keep(cache, "b", endpoint="sessions")
    cache.new_generation("subjects")
    assert found(cache, "a") is None
    _, kept = cache.find(place("b", endpoint="sessions"))
    assert kept is not None
    assert not kept.current


def test_answer_of_an_ended_generation_is_not_kept(cache: CacheStore) -> None:
    generation, _ = cache.find(None)
    assert generation is not None
    cache.new_generation("sessions")
    cache.store(place("a"), response("a"), lifetime=60.0, generation=generation)
    assert found(cache, "a") is None


def test_lasting_answer_outlives_generations(cache: CacheStore) -> None:
    schema = CacheKey(b"schema", "alice", "api", survives_writes=True)
    generation, _ = cache.find(None)
    cache.store(schema, response("schema"), lifetime=60.0, generation=generation or b"")
    cache.new_generation("sessions")
    _, kept = cache.find(schema)
    assert kept is not None
    assert kept.current


def test_clear_drops_one_user_or_all(cache: CacheStore) -> None:
    for user in ("alice", "bob"):
        keep(cache, "a", user=user)
        cache.add_identity(user.title(), user, replace=True)
    cache.clear("alice")
    assert found(cache, "a") is None
    assert found(cache, "a", user="bob")
    assert (cache.identity_of("Alice"), cache.identity_of("Bob")) == (None, "bob")
    cache.clear()
    assert found(cache, "a", user="bob") is None


def test_clear_gives_the_room_back(cache: CacheStore, folder: Path) -> None:
    for number in range(20):
        keep(cache, f"a{number}", 200_000)
    cache.clear()
    cache.close()
    assert sum(file.stat().st_size for file in folder.iterdir()) < 100_000


def test_answer_asked_for_before_clear_is_not_kept(cache: CacheStore) -> None:
    generation, _ = cache.find(None)
    cache.clear("alice")
    cache.store(place("a"), response("a"), lifetime=60.0, generation=generation or b"")
    assert found(cache, "a") is None


def test_name_is_replaced_only_where_that_is_asked(cache: CacheStore) -> None:
    cache.add_identity("olivier", "first", replace=False)
    cache.add_identity("olivier", "second", replace=False)
    assert cache.identity_of("olivier") == "first"
    cache.add_identity("olivier", "second", replace=True)
    assert cache.identity_of("olivier") == "second"


# --- how much is kept


def content_size(folder: Path) -> int:
    with sqlite3.connect(files(folder)[-1]) as connection:
        pages, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
    connection.close()
    return (pages - free) * size


@pytest.mark.parametrize("size", [50, 3000, 100_000])
def test_content_stays_within_its_bound(folder: Path, size: int) -> None:
    cache = CacheStore(folder, SERVER, MEGABYTE)
    count = 4 * MEGABYTE // (size // 2 + 600)
    for number in range(count):
        keep(cache, f"a{number}", size)
        if number % (count // 20) == 0:
            assert content_size(folder) <= MEGABYTE
    assert content_size(folder) > MEGABYTE // 2
    assert found(cache, f"a{count - 1}", user="alice")
    assert found(cache, "a0") is None
    cache.close()
    assert files(folder)[0].stat().st_size <= MEGABYTE


def test_least_recently_used_go_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alyx_client.http.cache.tables._USE_RESOLUTION", 0.0)
    cache = CacheStore(folder, SERVER, MEGABYTE)
    keep(cache, "used", 50_000)
    keep(cache, "unused", 50_000)
    for number in range(60):
        keep(cache, f"a{number}", 50_000)
        assert found(cache, "used") is not None
    assert found(cache, "unused") is None
    cache.close()


def test_answer_too_large_for_the_bound_pushes_nothing_out(folder: Path) -> None:
    cache = CacheStore(folder, SERVER, MEGABYTE)
    keep(cache, "small")
    keep(cache, "large", 6 * MEGABYTE)
    assert found(cache, "large") is None
    assert found(cache, "small") is not None
    cache.close()


def test_bound_below_an_empty_file_keeps_nothing(folder: Path) -> None:
    cache = CacheStore(folder, SERVER, 100)
    keep(cache, "a")
    assert found(cache, "a") is None
    cache.close()


def test_log_beside_the_file_stays_small(cache: CacheStore, folder: Path) -> None:
    for number in range(100):
        keep(cache, f"a{number}", 400_000)
    assert sum(file.stat().st_size for file in folder.glob("*-wal")) < 16 * MEGABYTE


# --- damage


def filled(folder: Path, *, logged: bool = False) -> dict[str, bytes]:
    """Make a cache with answers of several sizes; return its files' contents."""
    cache = CacheStore(folder, SERVER, 512 * MEGABYTE)
    for number in range(30):
        keep(cache, f"a{number}", 100 * number)
    keep(cache, "large", 30_000)
    kept = {file.name: file.read_bytes() for file in folder.iterdir()} if logged else {}
    cache.close()
    return kept or {file.name: file.read_bytes() for file in folder.iterdir()}


def survives(folder: Path) -> None:
    """A cache gives right answers or none, and keeps the next."""
    cache = CacheStore(folder, SERVER, 512 * MEGABYTE)
    for name, size in {"large": 30_000, **{f"a{number}": 100 * number for number in range(30)}}.items():
        assert found(cache, name) in (None, response(name, size))
    cache.new_generation("sessions")
    cache.add_identity("olivier", "alice", replace=True)
    for _ in range(3):
        # The damage may come to light here alone; then this answer was asked for before the file was made anew.
        keep(cache, "next")
        if found(cache, "next") == response("next"):
            break
    else:
        pytest.fail("nothing is kept any more")
    cache.close()


def lay_out(folder: Path, contents: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, content in contents.items():
        (folder / name).write_bytes(content)


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
def test_damaged_file_is_made_anew(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    [(name, content)] = filled(folder).items()
    lay_out(folder, {name: damage(content)})
    survives(folder)
    assert len(files(folder)) == 1


def test_truncated_anywhere(folder: Path) -> None:
    [(name, content)] = filled(folder).items()
    for length in [*range(0, 120, 7), *range(120, len(content), 1777)]:
        lay_out(folder, {name: content[:length]})
        survives(folder)


def test_zeros_anywhere(folder: Path) -> None:
    [(name, content)] = filled(folder).items()
    for start in range(0, len(content), 1000):
        lay_out(folder, {name: content[:start] + bytes(1500) + content[start + 1500 :]})
        survives(folder)


def test_flipped_bit_anywhere(folder: Path) -> None:
    [(name, content)] = filled(folder).items()
    chance = random.Random(3)
    for offset in [*range(110), *chance.sample(range(len(content)), 200)]:
        flipped = bytearray(content)
        flipped[offset] ^= 1 << chance.randrange(8)
        lay_out(folder, {name: bytes(flipped)})
        survives(folder)


def test_damaged_log(folder: Path) -> None:
    contents = filled(folder, logged=True)
    log = next(name for name in contents if name.endswith("-wal"))
    for cut in range(0, len(contents[log]), 9999):
        lay_out(folder, {**contents, log: contents[log][:cut]})
        survives(folder)
        lay_out(folder, {**contents, log: contents[log][:cut] + bytes(300) + contents[log][cut + 300 :]})
        survives(folder)


@pytest.mark.parametrize("column", ["body", "head", "user", "endpoint", "generation", "received", "digest"])
def test_changed_answer_is_not_given(folder: Path, column: str, caplog: pytest.LogCaptureFixture) -> None:
    filled(folder)
    with sqlite3.connect(files(folder)[0]) as connection:
        was = connection.execute(f"SELECT {column} FROM answers WHERE key = ?", (place("a9").digest,)).fetchone()[0]
        wrong: object = was + 1 if isinstance(was, float) else was[:-1] + type(was)(b"!" if was[:0] == b"" else "!")
        connection.execute(f"UPDATE answers SET {column} = ? WHERE key = ?", (wrong, place("a9").digest))
    connection.close()
    cache = CacheStore(folder, SERVER, 512 * MEGABYTE)
    with caplog.at_level(logging.WARNING, "alyx_client"):
        assert found(cache, "a9") is None
    assert "recreated" in caplog.text
    assert found(cache, "a8") is None
    keep(cache, "a9")
    assert found(cache, "a9") == response("a9")
    cache.close()


def test_answer_under_anothers_key_is_not_given(folder: Path) -> None:
    cache = CacheStore(folder, SERVER, MEGABYTE)
    keep(cache, "a", user="alice")
    with sqlite3.connect(files(folder)[0]) as connection:
        connection.execute("UPDATE answers SET key = ?, user = 'bob'", (place("a", "bob").digest,))
    connection.close()
    assert found(cache, "a", user="bob") is None
    cache.close()


@pytest.mark.parametrize("table", ["state", "answers", "names"])
def test_missing_table(folder: Path, table: str) -> None:
    filled(folder)
    with sqlite3.connect(files(folder)[0]) as connection:
        connection.execute(f"DROP TABLE {table}")
    connection.close()
    survives(folder)


def test_lost_generation(folder: Path) -> None:
    filled(folder)
    with sqlite3.connect(files(folder)[0]) as connection:
        connection.execute("DELETE FROM state")
    connection.close()
    survives(folder)


def test_damage_under_an_open_connection(cache: CacheStore, folder: Path) -> None:
    for number in range(30):
        keep(cache, f"a{number}", 3000)
    cache.close()
    assert found(cache, "a1") is not None
    file = files(folder)[0]
    with file.open("r+b") as stream:
        stream.write(random.Random(4).randbytes(file.stat().st_size))
    for number in range(30):
        assert found(cache, f"a{number}") in (None, response(f"a{number}", 3000))
    keep(cache, "next")
    survives(folder)


def test_damage_that_cannot_be_removed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    [(name, content)] = filled(folder).items()
    lay_out(folder, {name: b"x" * len(content)})

    def refuse(path: str) -> None:
        raise PermissionError(13, "used by another process", path)  # as Windows does

    monkeypatch.setattr("alyx_client.storage.sqlite.os.unlink", refuse)
    survives(folder)
    assert len(files(folder)) == 2
    monkeypatch.undo()
    survives(folder)
    assert len(files(folder)) == 1


def test_eight_processes_find_the_damage_at_once(folder: Path) -> None:
    [(name, content)] = filled(folder).items()
    lay_out(folder, {name: content[:100] + b"x" * len(content)})
    processes = [
        program(
            """
            folder, number = Path(sys.argv[1]), sys.argv[2]
            cache = CacheStore(folder, SERVER, 512 * MEGABYTE)
            logging.basicConfig()
            sys.stdin.read(1)
            for step in range(20):
                keep(cache, f"{number}-{step}", 2000)
                kept = found(cache, f"{number}-{step}")
                assert kept == response(f"{number}-{step}", 2000) or (kept is None and step < 3), step
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
        output(process)
    cache = CacheStore(folder, SERVER, 512 * MEGABYTE)
    assert all(found(cache, f"{number}-{step}") for number in range(8) for step in range(3, 20))
    cache.close()
    assert len(files(folder)) == 1


# --- a file that goes away


@posix
def test_removed_file_is_noticed(cache: CacheStore, folder: Path) -> None:
    keep(cache, "a")
    for file in folder.iterdir():
        file.unlink()
    assert found(cache, "a") is None
    keep(cache, "a")
    other = CacheStore(folder, SERVER, MEGABYTE)
    assert found(other, "a") is not None
    other.new_generation("subjects")
    assert found(cache, "a") is None
    other.close()


@posix
def test_answer_asked_for_in_another_file_is_not_kept(cache: CacheStore, folder: Path) -> None:
    generation, _ = cache.find(None)
    for file in folder.iterdir():
        file.unlink()
    cache.find(None)
    cache.store(place("a"), response("a"), lifetime=60.0, generation=generation or b"")
    assert found(cache, "a") is None


# --- where nothing can be kept


@pytest.mark.parametrize("what", ["a_file", "below_a_file", "a_folder_for_the_file"])
def test_impossible_folder_disturbs_nothing(tmp_path: Path, what: str, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "cache"
    if what == "a_folder_for_the_file":
        cache = CacheStore(folder, SERVER, MEGABYTE)
        keep(cache, "a")
        cache.close()
        [file] = files(folder)
        file.unlink()
        file.mkdir()
    else:
        folder.write_text("a file")
        folder = folder / "below" if what == "below_a_file" else folder
    with caplog.at_level(logging.INFO, "alyx_client"):
        cache = CacheStore(folder, SERVER, MEGABYTE)
        for _ in range(3):
            keep(cache, "a")
            assert found(cache, "a") is None
            cache.new_generation("subjects")
            cache.clear()
            cache.add_identity("olivier", "alice", replace=True)
            assert cache.identity_of("olivier") is None
        cache.close()
    assert [record.levelname for record in caplog.records].count("WARNING") == 1


def give_up_privileges() -> None:
    """Become a user whom permissions bind, as they do not bind the administrator."""
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that a process without privileges reaches."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)
        yield folder
        for each in (folder, *folder.rglob("*")):
            each.chmod(0o755)


@posix
def test_read_only_folder(open_folder: Path) -> None:
    inside = open_folder / "cache"
    inside.mkdir()
    inside.chmod(0o555)
    code = """
    give_up_privileges()
    logging.basicConfig(stream=sys.stdout)
    cache = CacheStore(Path(sys.argv[1]), SERVER, MEGABYTE)
    for _ in range(3):
        keep(cache, "a")
        assert found(cache, "a") is None
        cache.new_generation("subjects")
    """
    said = output(program(code, inside))
    assert said.count("\n") == 0
    assert said.startswith("WARNING:alyx_client:responses are not cached:")
    assert not list(inside.iterdir())


@posix
@pytest.mark.parametrize("mode", [0o444, 0o000])
def test_read_only_file(open_folder: Path, mode: int) -> None:
    inside = open_folder / "cache"
    filled(inside)
    files(inside)[0].chmod(mode)
    inside.chmod(0o555)
    code = """
    give_up_privileges()
    cache = CacheStore(Path(sys.argv[1]), SERVER, MEGABYTE)
    found(cache, "a1")
    keep(cache, "b")
    assert found(cache, "b") is None
    cache.new_generation("subjects")
    assert found(cache, "a1") is None
    assert found(cache, "a2") is None
    """
    output(program(code, inside))


FULL = """
import resource
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
logging.basicConfig(stream=sys.stdout)
sqlite_connection.BUSY_SECONDS = 0.05
folder = Path(sys.argv[1])
cache = CacheStore(folder, SERVER, 512 * MEGABYTE)
"""


@posix
@pytest.mark.parametrize("limit", [0, 4096, 10_000, 50_000, 100_000])
def test_file_that_cannot_grow(open_folder: Path, limit: int) -> None:
    code = """
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
    for number in range(40):
        keep(cache, f"a{number}", 5000)
        assert found(cache, f"a{number}") in (None, response(f"a{number}", 5000))
        if number % 10 == 9:
            cache.new_generation("subjects")
            assert all(found(cache, f"a{each}") is None for each in range(number))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    cache._paused_until = 0.0
    keep(cache, "b")
    assert found(cache, "b") == response("b")
    """
    output(program(FULL + textwrap.dedent(code), open_folder / "cache", limit))


@posix
def test_change_that_cannot_be_written_gives_the_file_up(open_folder: Path) -> None:
    # Another process must not give old answers either.
    other = CacheStore(open_folder / "cache", SERVER, MEGABYTE)
    keep(other, "a")
    keep(other, "b", endpoint="sessions")
    code = """
    assert found(cache, "a")
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    cache.new_generation("subjects")
    assert found(cache, "a") is None
    """
    output(program(FULL + textwrap.dedent(code), open_folder / "cache"))
    assert found(other, "a") is None
    assert found(other, "b", endpoint="sessions") is None
    other.close()


@posix
def test_change_that_can_be_written_nowhere_ends_the_use_of_the_cache(open_folder: Path) -> None:
    code = """
    give_up_privileges()
    (folder / "cache").mkdir()
    cache, second = (CacheStore(folder / "cache", SERVER, MEGABYTE) for _ in range(2))
    keep(cache, "a")
    keep(cache, "b", endpoint="sessions")
    assert found(second, "b", endpoint="sessions")
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    (folder / "cache").chmod(0o500)
    cache.new_generation("subjects")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    for each in (cache, second):
        assert found(each, "a") is None
        assert found(each, "b", endpoint="sessions") is None
    cache.new_generation("subjects")
    """
    open_folder.chmod(0o777)
    said = output(program(FULL + textwrap.dedent(code), open_folder))
    assert said.count("responses are not cached") == 2  # each of the two says it once


@posix
def test_full_disk(open_folder: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k,mode=777", "tmpfs", str(open_folder)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("no file system may be mounted here")
    code = """
    for number in range(60):
        keep(cache, f"a{number}", 20_000)
        cache._paused_until = 0.0
        assert found(cache, f"a{number}") in (None, response(f"a{number}", 20_000))
    cache.new_generation("subjects")
    assert all(found(cache, f"a{each}") is None for each in range(60))
    """
    try:
        assert "disk is full" in output(program(FULL + textwrap.dedent(code), open_folder / "cache"))
    finally:
        subprocess.run(["umount", str(open_folder)], check=True)


# --- locks


@pytest.fixture
def locked(cache: CacheStore, folder: Path, quick: None) -> Iterator[sqlite3.Connection]:
    """Another process writes and never ends."""
    keep(cache, "a")
    keep(cache, "b", endpoint="sessions")
    connection = sqlite3.connect(files(folder)[0], isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield connection
    connection.close()


def test_reading_waits_for_no_writer(cache: CacheStore, locked: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alyx_client.http.cache.tables._USE_RESOLUTION", 0.0)
    assert found(cache, "a") == response("a")


def test_keeping_gives_way_to_a_writer(cache: CacheStore, locked: object) -> None:
    keep(cache, "new")
    assert found(cache, "new") is None
    assert found(cache, "a") is not None


def test_change_during_a_lock_that_is_never_given_up(cache: CacheStore, folder: Path, locked: object) -> None:
    other = CacheStore(folder, SERVER, MEGABYTE)
    assert found(other, "a") is not None
    cache.new_generation("subjects")
    for each in (cache, other):
        assert found(each, "a") is None
        assert found(each, "b", endpoint="sessions") is None
    keep(cache, "new")
    assert found(other, "new") is not None
    other.close()


# --- threads, forks, processes


def test_threads_share_a_cache(cache: CacheStore) -> None:
    def work(number: int) -> bool:
        user = f"user{number % 4}"
        for step in range(30):
            keep(cache, f"{number}-{step}", 3000, user=user)
            assert found(cache, f"{number}-{step}", user=user) == response(f"{number}-{step}", 3000, user)
        return True

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(work, range(16)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_forked_child_opens_its_own_connection(cache: CacheStore, folder: Path) -> None:
    keep(cache, "parent")
    context = multiprocessing.get_context("fork")

    def child(answers: Any) -> None:
        for step in range(20):
            keep(cache, f"child{os.getpid()}-{step}")
        answers.put((os.getpid(), found(cache, "parent") == response("parent")))

    answers = context.Queue()
    children = [context.Process(target=child, args=(answers,)) for _ in range(4)]
    for each in children:
        each.start()
    for step in range(20):
        keep(cache, f"parent{step}")
    pids = [answers.get(timeout=60) for _ in children]
    for each in children:
        each.join(60)
        assert each.exitcode == 0
    assert all(right for _, right in pids)
    assert all(found(cache, f"child{pid}-{step}") for pid, _ in pids for step in range(20))
    assert all(found(cache, f"parent{step}") for step in range(20))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_fork_while_threads_use_the_cache(folder: Path) -> None:
    code = """
    import threading, warnings
    warnings.simplefilter("ignore")
    cache, ending = CacheStore(Path(sys.argv[1]), SERVER, 512 * MEGABYTE), threading.Event()
    def work(number):
        for step in range(10**9):
            if ending.is_set():
                return
            keep(cache, f"{number}-{step % 50}")
    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for number in range(30):
        pid = os.fork()
        if pid == 0:
            keep(cache, f"child{number}")
            os._exit(0 if found(cache, f"child{number}") == response(f"child{number}") else 1)
        assert os.waitpid(pid, 0)[1] == 0
    ending.set()
    for thread in threads:
        thread.join()
    assert all(found(cache, f"child{number}") for number in range(30))
    """
    output(program(code, folder))


@posix
def test_killed_writer_leaves_whole_answers(folder: Path) -> None:
    code = """
    cache = CacheStore(Path(sys.argv[1]), SERVER, 2 * MEGABYTE)
    chance = random.Random()
    print("begun", flush=True)
    while True:
        number = chance.randrange(40)
        keep(cache, f"a{number}", number * 3000)
        if number == 0:
            cache.new_generation("sessions")
    """
    chance, seen = random.Random(5), 0
    for _ in range(25):
        process = program(code, folder)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.random() * 0.15)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        cache = CacheStore(folder, SERVER, 512 * MEGABYTE)
        for number in range(40):
            answer = found(cache, f"a{number}")
            assert answer is None or answer == response(f"a{number}", number * 3000)
            seen += answer is not None
        cache.close()
    assert seen > 100
    assert [file.name[-8:] for file in files(folder)] == ["0.sqlite"]  # never taken for damaged


HAMMER = """
cache = CacheStore(Path(sys.argv[1]), SERVER, 512 * MEGABYTE)
chance, given = random.Random(int(sys.argv[2])), 0
for step in range(500):
    user, name, endpoint = f"user{chance.randrange(3)}", f"a{chance.randrange(5)}", chance.choice(["x", "y"])
    act = chance.random()
    if act < 0.55:
        answer = found(cache, name, user=user, endpoint=endpoint)
        assert answer is None or answer == response(name, 3000, user), (name, user, answer)
        given += answer is not None
    elif act < 0.95:
        keep(cache, name, 3000, user=user, endpoint=endpoint)
    elif act < 0.99:
        cache.new_generation(endpoint)
    else:
        cache.clear(user if act < 0.995 else None)
assert not cache._warned
print(given)
"""


def test_eight_processes_mix_nothing(folder: Path) -> None:
    processes = [program(HAMMER, folder, number) for number in range(8)]
    assert all(int(output(each)) > 20 for each in processes)
    assert [file.name[-8:] for file in files(folder)] == ["0.sqlite"]  # never taken for damaged


def test_eight_processes_lose_no_answer(folder: Path) -> None:
    code = """
    cache, number = CacheStore(Path(sys.argv[1]), SERVER, 512 * MEGABYTE), sys.argv[2]
    for step in range(100):
        keep(cache, f"{number}-{step}", 3000, user=number)
        earlier = f"{number}-{step // 2}"
        assert found(cache, earlier, user=number) == response(earlier, 3000, number)
    """
    for process in [program(code, folder, number) for number in range(8)]:
        output(process)
    cache = CacheStore(folder, SERVER, 512 * MEGABYTE)
    for number in map(str, range(8)):
        for step in range(100):
            assert found(cache, f"{number}-{step}", user=number) == response(f"{number}-{step}", 3000, number)
    cache.close()


def test_change_is_seen_by_every_process_when_it_returns(folder: Path) -> None:
    # Each process keeps an answer; after its change, no answer that was there before is current for anybody.
    code = """
    cache, number = CacheStore(Path(sys.argv[1]), SERVER, 512 * MEGABYTE), sys.argv[2]
    for step in range(60):
        keep(cache, number, endpoint=number)
        before = {each: cache.find(place(each, endpoint=each)) for each in map(str, range(4))}
        old, new = cache.new_generation("nothing")
        for each, (_, kept) in before.items():
            _, again = cache.find(place(each, endpoint=each))
            if kept and again and again.received == kept.received:
                assert not again.current
    """
    for process in [program(code, folder, number) for number in range(4)]:
        output(process)


def test_interrupted_work_leaves_no_lock(cache: CacheStore, folder: Path) -> None:
    keep(cache, "a")

    def interrupted(connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM answers")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache._database.run(interrupted)
    other = CacheStore(folder, SERVER, MEGABYTE)
    keep(other, "b")
    assert found(other, "a") is not None
    assert found(cache, "b") is not None
    other.close()


# --- file systems


def test_network_file_system_is_told_from_the_mounts() -> None:
    mounts = (
        "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
        "30 22 0:40 / /home rw shared:2 - nfs4 server:/home rw\n"
        "31 30 0:41 / /home/local\\040disk rw - xfs /dev/vdb rw\n"
        "32 22 0:42 / /data rw master:1 - fuse.sshfs me@server rw\n"
        "broken line\n"
    )
    kinds = {
        "/tmp/cache": "ext4",
        "/home/me/.cache": "nfs4",
        "/home/local disk/x": "xfs",
        "/homeless": "ext4",
        "/data": "fuse.sshfs",
    }
    for path, kind in kinds.items():
        assert file_system.file_system_of(path, mounts) == kind
    networked = [kind for kind in kinds.values() if file_system.is_network_type(kind)]
    assert networked == ["nfs4", "fuse.sshfs"]


def test_network_file_system_gets_a_journal_that_works_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []
    for networked in (True, False):
        monkeypatch.setattr("alyx_client.storage.sqlite.is_networked", lambda _, networked=networked: networked)
        cache = CacheStore(folder / str(networked), SERVER, MEGABYTE)
        keep(cache, "a")
        assert found(cache, "a") is not None
        cache.new_generation("subjects")
        assert found(cache, "a") is None
        modes.append(sorted(file.name[-4:] for file in (folder / str(networked)).iterdir()))
        cache.close()
    assert modes == [["lite"], ["-shm", "-wal", "lite"]]


def test_log_of_another_computer_is_not_shared(folder: Path, monkeypatch: pytest.MonkeyPatch, quick: None) -> None:
    local = CacheStore(folder, SERVER, MEGABYTE)
    keep(local, "a")
    monkeypatch.setattr("alyx_client.storage.sqlite.is_networked", lambda _: True)
    remote = CacheStore(folder, SERVER, MEGABYTE)
    assert found(remote, "a") is None
    local.close()
    assert found(remote, "a") is not None
    assert not list(folder.glob("*-wal"))
    remote.close()


def test_python_without_sqlite(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    cache = CacheStore(folder, SERVER, MEGABYTE)
    keep(cache, "a")
    cache.new_generation("subjects")
    assert found(cache, "a") is None


def test_file_says_why_it_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    file = CacheDatabase(tmp_path / "cache", "name", (), 1)
    with pytest.raises(CacheUnavailableError, match="cache"):
        file.run(lambda connection: 1)
