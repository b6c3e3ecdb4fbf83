"""Atomic replacement of files."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path

import pytest

from alyx_client.storage.atomic import write_atomic, write_private

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


@posix
def test_private_file_is_readable_by_its_owner_only_whatever_it_replaces(folder: Path) -> None:
    file = folder / "folder" / "secret"
    write_private(file, "one\r\n")
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    file.chmod(0o644)
    write_private(file, "two")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


@posix
def test_other_files_get_the_default_mode_or_keep_theirs(folder: Path) -> None:
    file = folder / "file"
    mask = os.umask(0o027)
    try:
        write_atomic(file, b"one")
    finally:
        os.umask(mask)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    file.chmod(0o755)
    write_atomic(file, b"two")
    assert stat.S_IMODE(file.stat().st_mode) == 0o755
    assert file.read_bytes() == b"two"


def test_failure_leaves_the_old_content_and_no_temporary_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder / "file"
    write_atomic(file, b"old")

    def refuse(source: object, target: object) -> None:
        raise PermissionError(13, "in use", str(target))

    monkeypatch.setattr("alyx_client.storage.atomic.os.replace", refuse)
    monkeypatch.setattr("alyx_client.storage.atomic._WINDOWS_PAUSE", 0)
    with pytest.raises(PermissionError) as caught:
        write_atomic(file, b"new")
    assert (caught.value.filename, caught.value.filename2) == (str(file), None), "the error is about the file alone"
    assert [path.name for path in folder.iterdir()] == ["file"]
    assert file.read_bytes() == b"old"


@pytest.mark.parametrize(("code", "is_error"), [(errno.EINVAL, False), (errno.ENOSYS, False), (errno.EIO, True)])
def test_file_system_without_sync_is_no_error_and_a_broken_disk_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch, code: int, is_error: bool
) -> None:
    def fail(handle: int) -> None:
        raise OSError(code, os.strerror(code))

    file = folder / "secret"
    write_private(file, "old")
    monkeypatch.setattr(os, "fsync", fail)
    if is_error:
        with pytest.raises(OSError, match=os.strerror(code)):
            write_private(file, "new")
    else:
        write_private(file, "new")
    assert file.read_text() == ("old" if is_error else "new")
    assert list(folder.iterdir()) == [file]
