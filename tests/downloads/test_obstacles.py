"""Files of the user's own, pipes, devices and links at the names that a download needs."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alyx_client.downloads.names import collisions
from alyx_client.errors import DownloadsFailedError, InvalidFileNameError, NotARegularFileError
from tests import faults
from tests.download_faults import content, serve
from tests.downloads.support import BODY, downloader, interrupted, names
from tests.faults import FaultServer

COMPANIONS = ["a.npy.part", "a.npy.part.json", "a.npy.part.json~", "a.npy.part.lock"]


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer(then=serve(BODY)) as running:
        yield running


def make_socket(path: Path) -> None:
    # The path of a socket may have some hundred characters only.
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(path.parent)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    finally:
        os.fchdir(here)
        os.close(here)


def make_link(path: Path) -> None:
    victim = path.parent.parent / "victim"
    victim.write_bytes(b"precious")
    path.symlink_to(victim)


OBSTACLES: dict[str, Callable[[Path], None]] = {
    "pipe": lambda path: os.mkfifo(path),
    "socket": make_socket,
    "link to a device": lambda path: path.symlink_to("/dev/null"),
    "link to a file": make_link,
    "dangling link": lambda path: path.symlink_to(path.parent.parent / "nowhere"),
    "folder": lambda path: path.mkdir(),
}


@pytest.mark.skipif(sys.platform == "win32", reason="makes pipes and links")
@pytest.mark.parametrize("obstacle", OBSTACLES)
@pytest.mark.parametrize("name", ["a.npy", *COMPANIONS])
def test_what_is_no_regular_file_is_refused(name: str, obstacle: str, folder: Path, server: FaultServer) -> None:
    if name == "a.npy" and obstacle in {"link to a file", "dangling link", "folder"}:
        pytest.skip("the target may be a link to a file; a folder is an error of its own")
    folder.mkdir()
    OBSTACLES[obstacle](folder / name)
    for options in ({}, {"clobber": True}, {"verify": True}):
        with pytest.raises(NotARegularFileError, match=name):
            downloader(server, folder).download("a.npy", **options)
    with pytest.raises(DownloadsFailedError) as raised:
        downloader(server, folder).download(["a.npy", "b.npy"])
    assert raised.value.results[1] == folder / "b.npy"
    assert names(folder) == sorted([name, "b.npy"])
    assert server.count("/a.npy") == 0
    assert not (folder.parent / "nowhere").exists()
    assert obstacle != "link to a file" or (folder.parent / "victim").read_bytes() == b"precious"


@pytest.mark.skipif(sys.platform == "win32", reason="makes links")
def test_target_that_links_to_file_is_replaced(folder: Path, server: FaultServer) -> None:
    folder.mkdir()
    make_link(folder / "a.npy")
    assert downloader(server, folder).download("a.npy").read_bytes() == b"precious"
    assert downloader(server, folder).download("a.npy", clobber=True).read_bytes() == BODY
    assert (folder.parent / "victim").read_bytes() == b"precious"


@pytest.mark.parametrize("size", [0, 10, 2 * len(BODY)])
@pytest.mark.parametrize("name", ["a.npy.part", "a.npy.part.json", "a.npy.part.lock"])
def test_files_of_the_user_are_left_alone(name: str, size: int, folder: Path, server: FaultServer) -> None:
    if name == "a.npy.part.lock" and not size:
        pytest.skip("an empty lock is one that a killed process left")
    folder.mkdir()
    own = content(size, b"own")
    (folder / name).write_bytes(own)
    for options in ({}, {"clobber": True}):
        assert downloader(server, folder).download("a.npy", **options).read_bytes() == BODY
    with FaultServer(then=serve(BODY, etag=None, close_after=30_000)) as broken, pytest.raises(OSError, match="broke"):
        downloader(broken, folder).download("a.npy", clobber=True)
    assert (folder / name).read_bytes() == own
    assert names(folder) == ["a.npy", name]


def test_part_without_metadata_is_removed_once_the_file_has_its_bytes(folder: Path, server: FaultServer) -> None:
    steps = [serve(BODY, close_after=30_000), faults.response(status=404)]
    with FaultServer(steps, then=serve(BODY)) as broken:
        interrupted(broken, folder)
        (folder / "a.npy.part.json").unlink()
        assert downloader(broken, folder).download("a.npy").read_bytes() == BODY
        assert "range" not in broken.requests[-1].headers
    assert names(folder) == ["a.npy"]


@pytest.mark.parametrize("name", [*COMPANIONS, "A.NPY.part"])
@pytest.mark.parametrize("clobber", [False, True])
def test_file_named_like_partial_download_of_another_is_refused(
    name: str, clobber: bool, folder: Path, server: FaultServer
) -> None:
    for sources in (["a.npy", name, "b.npy"], [name, "b.npy", "a.npy"]):
        with pytest.raises(DownloadsFailedError) as raised:
            downloader(server, folder).download(sources, clobber=clobber)
        by_source = dict(zip(sources, raised.value.results, strict=True))
        assert by_source.pop("b.npy") == folder / "b.npy"
        assert [type(error) for error in by_source.values()] == [InvalidFileNameError] * 2
        assert "neither" in str(raised.value)
    assert names(folder) == ["b.npy"]
    assert downloader(server, folder).download("a.npy").read_bytes() == BODY
    if name != "a.npy.part.json~":
        # In calls of their own, both are fetched.
        assert downloader(server, folder).download(name).read_bytes() == BODY
        downloader(server, folder).download("a.npy", clobber=True)
        assert (folder / name).read_bytes() == BODY


def test_long_names_are_compared_by_names_of_their_partial_downloads() -> None:
    folder, long = Path("data"), "x" * 250
    assert collisions([("https://x.org/1", folder / long), ("https://x.org/2", folder / f"{long}.part")]) == {}
