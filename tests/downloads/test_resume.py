"""Resuming a partial download of an earlier call."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from alyx_client.errors import IncompleteDownloadError
from tests import faults
from tests.download_faults import content, serve, tag
from tests.downloads.support import BODY, downloader, interrupted, names, size_of, wait_for
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


ODD_METADATA = {
    "synced is a text": {"synced": "30000"},
    "more segments than the file has": {"pieces": [1, 1], "piece_size": len(BODY)},
    "segments without a size": {"pieces": [1], "piece_size": None},
    "more bytes than a segment": {"pieces": [20], "piece_size": 10},
    "no origin": {"origin": None},
    "odd validator": {"origin": {"url": "x", "etag": 1}},
    "odd length": {"origin": {"url": "x", "length": "all"}},
}


@pytest.mark.parametrize("changes", ODD_METADATA.values(), ids=ODD_METADATA)
def test_metadata_that_something_else_wrote_are_not_relied_on(changes: dict[str, object], folder: Path) -> None:
    with FaultServer([serve(BODY, close_after=30_000), faults.response(status=404)], then=serve(BODY)) as server:
        interrupted(server, folder)
        metadata = folder / "a.npy.part.json"
        metadata.write_text(json.dumps(json.loads(metadata.read_text()) | changes))
        assert downloader(server, folder).download("a.npy").read_bytes() == BODY
        assert "range" not in server.requests[-1].headers
    assert names(folder) == ["a.npy"]


@pytest.mark.parametrize(
    ("on_disk", "boot", "resumed_at"),
    [
        pytest.param(BODY[:30_000] + bytes(20_000), "another", 30_000, id="unsynced bytes after a power cut"),
        pytest.param(bytes(0), "another", None, id="nothing"),
        pytest.param(BODY[:20_000], "another", None, id="end missing after a power cut"),
        pytest.param(BODY[:20_000], None, None, id="end missing"),
        pytest.param(BODY[:50_000], None, 50_000, id="unsynced bytes of a killed process"),
    ],
)
def test_bytes_that_power_cut_took_are_fetched_again(
    on_disk: bytes, boot: str | None, resumed_at: int | None, folder: Path
) -> None:
    with FaultServer([serve(BODY, close_after=30_000), faults.response(status=404)], then=serve(BODY)) as server:
        interrupted(server, folder)
        metadata = folder / "a.npy.part.json"
        note = json.loads(metadata.read_text())
        assert note["synced"] == 30_000
        metadata.write_text(json.dumps({**note, "boot": boot or note["boot"]}))
        (folder / "a.npy.part").write_bytes(on_disk)
        assert downloader(server, folder).download("a.npy").read_bytes() == BODY
        expected = None if resumed_at is None else f"bytes={resumed_at}-"
        assert server.requests[-1].headers.get("range") == expected
    assert names(folder) == ["a.npy"]


def test_part_that_something_else_shortens_is_an_error(folder: Path) -> None:
    def shorten(request: faults.Received, connection: socket.socket) -> bool:
        fields = {"Content-Length": str(len(BODY)), "ETag": tag(BODY)}
        connection.sendall(faults.response_head(200, fields) + BODY[:60_000])
        wait_for(lambda: size_of(folder / "a.npy.part") == 60_000)
        # What is written next leaves a hole; what is not written any more is missing.
        os.truncate(folder / "a.npy.part", 10)
        os.rename(folder / "a.npy.part", folder / "elsewhere")
        (folder / "a.npy.part").write_bytes(BODY[:10])
        connection.sendall(BODY[60_000:])
        return True

    with FaultServer(then=shorten) as server, pytest.raises(IncompleteDownloadError, match="100000 bytes"):
        downloader(server, folder).download("a.npy")
    assert names(folder) == ["elsewhere"]


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
