"""Full disks and folders that cannot be written."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from alyx_client.errors import DiskFullError
from tests import faults
from tests.download_faults import serve, until_closed
from tests.downloads.support import BODY, downloader, names, run
from tests.faults import FaultServer


def test_too_little_space_is_reported_before_writing(folder: Path) -> None:
    with FaultServer(then=faults.response(b"", headers={"Content-Length": str(2**60)})) as server:
        with pytest.raises(DiskFullError, match=r"it needs \d+ GB more, and .* are free") as raised:
            downloader(server, folder).download("a.npy")
        assert raised.value.errno == errno.ENOSPC
    assert "a.npy" not in names(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of processes")
def test_full_disk_leaves_resumable_part(folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as server:
        child = run(
            """
            import resource, signal, sys
            from alyx_client.errors import DiskFullError
            from alyx_client.downloads.functions import http_download_file
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
            try:
                http_download_file(sys.argv[1], target_dir=sys.argv[2])
            except DiskFullError as error:
                print("full:", error)
            """,
            f"{server.url}/a.npy",
            folder,
        )
        out, err = child.communicate(timeout=30)
        assert "full: There is too little space" in out, err
        assert "needs 60 kB more" in out
        assert names(folder) == ["a.npy.part", "a.npy.part.json"]
        assert downloader(server, folder).download("a.npy").read_bytes() == BODY
        assert server.requests[-1].headers["range"] == "bytes=40000-"


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounts a small file system")
def test_full_file_system_raises_disk_full_error(folder: Path) -> None:
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], capture_output=True
    ).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        with FaultServer(then=until_closed(BODY * 4)) as server, pytest.raises(DiskFullError):
            downloader(server, folder).download("a.npy")
        assert "a.npy" not in names(folder)
    finally:
        subprocess.run(["umount", str(folder)], check=False)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_unwritable_folder_is_an_error(folder: Path) -> None:
    folder.mkdir(mode=0o500)
    with FaultServer(then=serve(BODY)) as server, pytest.raises(PermissionError):
        downloader(server, folder).download("a.npy")
