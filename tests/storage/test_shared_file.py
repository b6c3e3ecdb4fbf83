"""A small file that threads and processes update one at a time."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from alyx_client.storage import locking
from alyx_client.storage.shared_file import SharedFile

COUNTER = """
import sys
from pathlib import Path
from alyx_client.storage.shared_file import SharedFile
file = SharedFile(Path(sys.argv[1]))
for _ in range(200):
    file.update(lambda content: b"%d\\n" % (int(content or b"0") + 1))
"""


def count(content: bytes) -> bytes:
    return b"%d\n" % (int(content or b"0") + 1)


def test_no_update_of_threads_and_processes_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "counter"
    programs = [subprocess.Popen([sys.executable, "-c", COUNTER, str(path)]) for _ in range(2)]
    file = SharedFile(path)
    threads = [threading.Thread(target=lambda: [file.update(count) for _ in range(100)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [program.wait(60) for program in programs] == [0, 0]
    assert path.read_bytes() == b"800\n"


def test_shorter_content_replaces_a_longer_one(tmp_path: Path) -> None:
    file = SharedFile(tmp_path / "file")
    file.update(lambda content: b"x" * 100)
    file.update(lambda content: b"short")
    assert file.path.read_bytes() == b"short"


def test_failed_change_leaves_the_content_and_the_lock_free(tmp_path: Path) -> None:
    file = SharedFile(tmp_path / "file")
    file.update(count)

    def fail(content: bytes) -> bytes:
        raise ValueError("failed")

    with pytest.raises(ValueError, match="failed"):
        file.update(fail)
    file.update(count)
    assert file.path.read_bytes() == b"2\n"


def test_folder_that_was_removed_is_created_again(tmp_path: Path) -> None:
    file = SharedFile(tmp_path / "folder" / "file")
    file.update(count)
    file.path.unlink()
    file.path.parent.rmdir()
    file.update(count)
    assert file.path.read_bytes() == b"1\n"


@pytest.mark.skipif(sys.platform == "win32", reason="links")
def test_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"another's")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="link"):
        SharedFile(tmp_path / "link").update(count)
    assert (tmp_path / "target").read_bytes() == b"another's"


def test_windows_locks_serve(tmp_path: Path) -> None:
    class Regions:
        LK_NBLCK, LK_UNLCK = 2, 0

        def __init__(self) -> None:
            self.modes: list[int] = []

        def locking(self, fd: int, mode: int, nbytes: int, /) -> None:
            self.modes.append(mode)

    regions = Regions()
    SharedFile(tmp_path / "file", locking.WindowsLocking(regions)).update(count)
    assert (regions.modes, (tmp_path / "file").read_bytes()) == ([2, 0], b"1\n")
