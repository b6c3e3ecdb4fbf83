"""Locks by the calls of each system; those of Windows are a stand-in elsewhere."""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alyx_client.storage import atomic
from alyx_client.storage.atomic import replace_file, write_private
from alyx_client.storage.lock import FileLock, LockResult
from alyx_client.storage.locking import Locking, PosixLocking, WindowsLocking
from tests.windows import Msvcrt, OpenFiles


@pytest.fixture(params=["posix", "windows"])
def locking(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Locking]:
    """The locking of a system, with its rules for open files."""
    if request.param == "posix":
        yield PosixLocking(pytest.importorskip("fcntl"))
        return
    if sys.platform == "win32":
        import msvcrt

        yield WindowsLocking(msvcrt)
        return
    OpenFiles(monkeypatch.setattr)
    calls = Msvcrt()
    yield WindowsLocking(calls)
    assert calls.regions == {}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


def test_lock_is_held_by_one_at_a_time_and_leaves_no_file(locking: Locking, folder: Path) -> None:
    path = folder / "lock"
    first, second = FileLock(path, locking), FileLock(path, locking)
    for _ in range(3):
        assert first.acquire() is LockResult.ACQUIRED
        assert second.acquire() is LockResult.BUSY
        first.release()
        assert second.acquire() is LockResult.ACQUIRED
        assert first.acquire() is LockResult.BUSY
        second.release()
        second.release()
    assert list(folder.iterdir()) == []


def test_file_that_was_left_behind_locks_nothing(locking: Locking, folder: Path) -> None:
    path = folder / "lock"
    path.write_bytes(b"")
    lock = FileLock(path, locking)
    assert lock.acquire() is LockResult.ACQUIRED
    lock.release()
    assert list(folder.iterdir()) == []


def test_same_region_is_locked_at_any_position(locking: Locking, folder: Path) -> None:
    path = folder / "lock"
    path.write_bytes(b"0123456789")
    handles = [os.open(path, os.O_RDWR) for _ in range(2)]
    os.lseek(handles[0], 5, os.SEEK_SET)
    assert locking.lock(handles[0]) is LockResult.ACQUIRED
    assert locking.lock(handles[1]) is LockResult.BUSY
    os.lseek(handles[0], 7, os.SEEK_SET)
    locking.unlock(handles[0])
    assert locking.lock(handles[1]) is LockResult.ACQUIRED
    locking.unlock(handles[1])
    for handle in handles:
        os.close(handle)


def test_threads_exclude_each_other(locking: Locking, folder: Path) -> None:
    inside, most, done = [0], [0], []
    guard = threading.Lock()

    def work() -> None:
        for _ in range(20):
            lock = FileLock(folder / "lock", locking)
            while lock.acquire() is not LockResult.ACQUIRED:
                threading.Event().wait(0.001)
            with guard:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            with guard:
                inside[0] -= 1
            lock.release()
        done.append(True)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (len(done), most[0]) == (4, 1)


@pytest.mark.parametrize(
    ("code", "result"),
    [
        (errno.EACCES, LockResult.BUSY),
        (errno.EDEADLK, LockResult.BUSY),
        (36, LockResult.BUSY),
        (errno.EWOULDBLOCK, LockResult.BUSY),
        (errno.ENOLCK, LockResult.UNSUPPORTED),
        (errno.EINVAL, LockResult.UNSUPPORTED),
    ],
)
@pytest.mark.parametrize("system", [PosixLocking, WindowsLocking])
def test_errors_of_the_system_are_told_apart(system: Any, code: int, result: LockResult, folder: Path) -> None:
    class Calls:
        LOCK_EX = LOCK_NB = LOCK_UN = LK_NBLCK = LK_UNLCK = 1

        def flock(self, *_: int) -> None:
            raise OSError(code, "")

        locking = flock

    lock = FileLock(folder / "lock", system(Calls()))
    assert lock.acquire() is result
    lock.release()


def test_file_being_removed_counts_as_locked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object, *_: object, **__: object) -> int:
        raise PermissionError(errno.EACCES, "Access is denied", str(path))

    path = folder / "lock"
    path.write_bytes(b"")
    monkeypatch.setattr(os, "open", refuse)
    assert FileLock(path, WindowsLocking(Msvcrt())).acquire() is LockResult.BUSY
    path.unlink()
    with pytest.raises(PermissionError):
        FileLock(path, WindowsLocking(Msvcrt())).acquire()


@pytest.mark.skipif(sys.platform == "win32", reason="replaces calls of another system")
@pytest.mark.parametrize("refusals", [1, 19, 20, 10**6])
def test_open_file_is_replaced_as_soon_as_it_is_closed(
    refusals: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = folder / "new", folder / "old"
    source.write_text("new")
    target.write_text("old")
    open_files = OpenFiles(monkeypatch.setattr)
    reader = os.open(target, os.O_RDONLY)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == refusals:
            os.close(reader)

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(atomic.time, "sleep", pause)
    if refusals <= 20:
        replace_file(source, target)
        assert target.read_text() == "new"
        assert open_files.refused == refusals
    else:
        with pytest.raises(PermissionError):
            write_private(target, "newer")
        assert target.read_text() == "old"
        assert sorted(path.name for path in folder.iterdir()) == ["new", "old"]
        os.close(reader)
