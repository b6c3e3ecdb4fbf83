"""Cache files that cannot be written: no query breaks, and no stale response is served."""

from __future__ import annotations

import logging
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from alyx_client.http.cache.store import CacheStore
from tests.http.cache.stores import (
    MEGABYTE,
    SERVER,
    add_identity,
    files,
    fill,
    load,
    output_of,
    posix,
    start_program,
    store,
)


@pytest.mark.parametrize("what", ["a_file", "below_a_file", "a_folder_for_the_file"])
def test_unusable_folder_breaks_nothing_and_warns_once(
    tmp_path: Path, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "cache"
    if what == "a_folder_for_the_file":
        cache = CacheStore(folder, SERVER, MEGABYTE)
        store(cache, "a")
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
            store(cache, "a")
            assert load(cache, "a") is None
            cache.new_generation("subjects")
            cache.clear()
            add_identity(cache, "olivier", "alice", replace=True)
            assert cache.identity_of("olivier") is None
        cache.close()
    assert [record.levelname for record in caplog.records].count("WARNING") == 1


@posix
def test_read_only_folder_warns_once_and_stores_nothing(open_folder: Path) -> None:
    inside = open_folder / "cache"
    inside.mkdir()
    inside.chmod(0o555)
    code = """
    drop_privileges()
    logging.basicConfig(stream=sys.stdout)
    cache = CacheStore(Path(sys.argv[1]), SERVER, MEGABYTE)
    for _ in range(3):
        store(cache, "a")
        assert load(cache, "a") is None
        cache.new_generation("subjects")
    """
    printed = output_of(start_program(code, inside))
    assert printed.count("\n") == 0
    assert printed.startswith("WARNING:alyx_client:responses are not cached:")
    assert not list(inside.iterdir())


@posix
@pytest.mark.parametrize("mode", [0o444, 0o000])
def test_read_only_file_stores_nothing_and_serves_nothing_after_a_write(open_folder: Path, mode: int) -> None:
    inside = open_folder / "cache"
    fill(inside)
    files(inside)[0].chmod(mode)
    inside.chmod(0o555)
    code = """
    drop_privileges()
    cache = CacheStore(Path(sys.argv[1]), SERVER, MEGABYTE)
    load(cache, "a1")
    store(cache, "b")
    assert load(cache, "b") is None
    cache.new_generation("subjects")
    assert load(cache, "a1") is None
    assert load(cache, "a2") is None
    """
    output_of(start_program(code, inside))


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
def test_file_that_cannot_grow_serves_correct_responses_only(open_folder: Path, limit: int) -> None:
    code = """
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
    for number in range(40):
        store(cache, f"a{number}", 5000)
        assert load(cache, f"a{number}") in (None, response(f"a{number}", 5000))
        if number % 10 == 9:
            cache.new_generation("subjects")
            assert all(load(cache, f"a{earlier}") is None for earlier in range(number))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    cache._paused_until = 0.0
    store(cache, "b")
    assert load(cache, "b") == response("b")
    """
    output_of(start_program(FULL + textwrap.dedent(code), open_folder / "cache", limit))


@posix
def test_generation_that_cannot_be_written_discards_the_file(open_folder: Path) -> None:
    # Another process must not serve stale responses either.
    other = CacheStore(open_folder / "cache", SERVER, MEGABYTE)
    store(other, "a")
    store(other, "b", endpoint="sessions")
    code = """
    assert load(cache, "a")
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    cache.new_generation("subjects")
    assert load(cache, "a") is None
    """
    output_of(start_program(FULL + textwrap.dedent(code), open_folder / "cache"))
    assert load(other, "a") is None
    assert load(other, "b", endpoint="sessions") is None
    other.close()


@posix
def test_generation_that_cannot_be_written_anywhere_disables_the_cache(open_folder: Path) -> None:
    code = """
    drop_privileges()
    (folder / "cache").mkdir()
    cache, second = (CacheStore(folder / "cache", SERVER, MEGABYTE) for _ in range(2))
    store(cache, "a")
    store(cache, "b", endpoint="sessions")
    assert load(second, "b", endpoint="sessions")
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    (folder / "cache").chmod(0o500)
    cache.new_generation("subjects")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    for user in (cache, second):
        assert load(user, "a") is None
        assert load(user, "b", endpoint="sessions") is None
    cache.new_generation("subjects")
    """
    open_folder.chmod(0o777)
    printed = output_of(start_program(FULL + textwrap.dedent(code), open_folder))
    assert printed.count("responses are not cached") == 2  # each of the two warns once


@posix
def test_full_disk_breaks_nothing(open_folder: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k,mode=777", "tmpfs", str(open_folder)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("file systems cannot be mounted here")
    code = """
    for number in range(60):
        store(cache, f"a{number}", 20_000)
        cache._paused_until = 0.0
        assert load(cache, f"a{number}") in (None, response(f"a{number}", 20_000))
    cache.new_generation("subjects")
    assert all(load(cache, f"a{number}") is None for number in range(60))
    """
    try:
        assert "disk is full" in output_of(start_program(FULL + textwrap.dedent(code), open_folder / "cache"))
    finally:
        subprocess.run(["umount", str(open_folder)], check=True)


def test_python_without_sqlite_stores_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    cache = CacheStore(folder, SERVER, MEGABYTE)
    store(cache, "a")
    cache.new_generation("subjects")
    assert load(cache, "a") is None
