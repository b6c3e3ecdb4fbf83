"""Locks between processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from alyx_client.storage.lock import FileLock, LockResult, exclusive_lock


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


def test_lock_is_busy_while_it_is_held_and_leaves_no_file(folder: Path) -> None:
    first, second = FileLock(folder / "lock"), FileLock(folder / "lock")
    assert first.acquire() is LockResult.ACQUIRED
    assert second.acquire() is LockResult.BUSY
    first.release()
    assert second.acquire() is LockResult.ACQUIRED
    second.release()
    second.release()
    assert not list(folder.iterdir())


def test_file_left_by_a_killed_process_locks_nothing(folder: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from alyx_client.storage.lock import FileLock;"
        "lock = FileLock(Path(sys.argv[1])); print(lock.acquire().name, flush=True); os._exit(1)"
    )
    command = [sys.executable, "-c", code, str(folder / "lock")]
    process = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert process.stdout == "ACQUIRED\n", process.stderr
    assert (folder / "lock").exists()
    assert FileLock(folder / "lock").acquire() is LockResult.ACQUIRED


def test_update_without_a_lock_goes_on_when_the_lock_stays_busy(folder: Path) -> None:
    file = folder / "file"
    with exclusive_lock(file) as outer, exclusive_lock(file, timeout=0.05) as inner:
        assert (outer, inner) == (LockResult.ACQUIRED, LockResult.BUSY)
    with exclusive_lock(file) as again:
        assert again is LockResult.ACQUIRED
    assert not list(folder.iterdir())


def test_waiting_for_a_lock_ends_with_the_error_of_wait(folder: Path) -> None:
    def cancel(seconds: float) -> None:
        raise InterruptedError(seconds)

    file = folder / "file"
    with exclusive_lock(file), pytest.raises(InterruptedError), exclusive_lock(file, wait=cancel):
        pytest.fail("the lock is held")


def test_folder_that_cannot_be_created_has_no_lock(folder: Path) -> None:
    (folder / "folder").write_text("a file")
    with exclusive_lock(folder / "folder" / "file") as result:
        assert result is LockResult.UNSUPPORTED
