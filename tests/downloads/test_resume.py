"""Resuming a partial download of an earlier call."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import faults
from tests.download_faults import content, serve
from tests.downloads.support import BODY, downloader, interrupted, names
from tests.faults import FaultServer


def test_next_call_resumes(folder: Path) -> None:
    with FaultServer([serve(BODY, close_after=30_000), faults.response(status=404)], then=serve(BODY)) as server:
        interrupted(server, folder, f"{server.url}/a.npy?X-Amz-Signature=one")
        assert names(folder) == ["a.npy.part", "a.npy.part.json"]
        path = downloader(server, folder).download(f"{server.url}/a.npy?X-Amz-Signature=two")
        assert path.read_bytes() == BODY
        assert server.requests[-1].headers["range"] == "bytes=30000-"
    assert names(folder) == ["a.npy"]


def test_partial_download_of_another_url_is_not_resumed(folder: Path) -> None:
    with FaultServer([serve(BODY, close_after=30_000), faults.response(status=404)], then=serve(BODY)) as server:
        interrupted(server, folder, f"{server.url}/one/a.npy")
        downloader(server, folder).download(f"{server.url}/two/a.npy")
        assert "range" not in server.requests[-1].headers


@pytest.mark.parametrize(
    "damage", ["metadata damaged", "metadata missing", "part missing", "part too long", "metadata of another format"]
)
def test_damaged_partial_download_is_fetched_again(damage: str, folder: Path) -> None:
    with FaultServer([serve(BODY, close_after=30_000), faults.response(status=404)], then=serve(BODY)) as server:
        interrupted(server, folder)
        part, metadata = folder / "a.npy.part", folder / "a.npy.part.json"
        if damage == "metadata damaged":
            metadata.write_bytes(b"{half")
        elif damage == "metadata missing":
            metadata.unlink()
        elif damage == "part missing":
            part.unlink()
        elif damage == "part too long":
            part.write_bytes(BODY + b"more")
        else:
            metadata.write_text(json.dumps([1, 2]))
        assert downloader(server, folder).download("a.npy").read_bytes() == BODY
    assert names(folder) == ["a.npy"]


def test_complete_part_is_revalidated(folder: Path) -> None:
    newer = content(len(BODY), b"newer")
    for now, expected in ((BODY, BODY), (newer, newer)):
        with FaultServer([serve(BODY, close_after=30_000), faults.response(status=404)], then=serve(now)) as server:
            interrupted(server, folder)
            (folder / "a.npy.part").write_bytes(BODY)
            assert downloader(server, folder).download("a.npy").read_bytes() == expected
            assert server.requests[-1].headers["range"] == f"bytes={len(BODY) - 1}-"
        (folder / "a.npy").unlink()


def test_file_that_shrank_is_fetched_whole(folder: Path) -> None:
    steps = [serve(BODY, close_after=30_000), faults.response(status=404), faults.response(status=416)]
    with FaultServer(steps, then=serve(BODY[:100])) as server:
        interrupted(server, folder)
        assert downloader(server, folder).download("a.npy").read_bytes() == BODY[:100]
