"""Large files, fetched in segments."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from alyx_client.downloads import part_file, segments
from alyx_client.downloads.part_file import FileVersion, PartFile
from tests import faults
from tests.download_faults import Zeros, content, serve, tag
from tests.downloads.support import MIB, downloader, interrupted, names
from tests.faults import FaultServer


def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MIN_SEGMENTED_BYTES", 4 * MIB)
    monkeypatch.setattr(segments, "MIN_SEGMENT_BYTES", MIB)
    # Fewer than there are segments, so that the thread with the first response goes on to the next ones.
    monkeypatch.setenv("ONE_HTTP_DL_THREADS", "4")


def test_large_file_is_fetched_in_parallel_segments(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_segments(monkeypatch)
    body = content(10 * MIB + 77)
    digest = hashlib.sha256(body).hexdigest()
    with FaultServer(then=serve(body, drip=0.00002)) as server:
        source = {"data_url": f"{server.url}/a.npy", "file_size": len(body), "hash": digest}
        assert downloader(server, folder).download(source).read_bytes() == body
        spans = [request.headers.get("range") for request in server.requests]
        assert spans[0] is None
        assert len(spans) > 3
        assert all(request.headers.get("if-range") == tag(body) for request in server.requests[1:])
        downloader(server, folder).download(source, clobber=True, threads=1)
        assert len(server.requests) == len(spans) + 1
    assert names(folder) == ["a.npy"]


def test_large_file_survives_reset_of_every_segment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_segments(monkeypatch)
    body = content(6 * MIB)
    with FaultServer(then=serve(body, reset_after=400_000)) as server:
        assert downloader(server, folder).download("a.npy").read_bytes() == body
    assert names(folder) == ["a.npy"]


def test_versions_of_changed_large_file_are_never_mixed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_segments(monkeypatch)
    body, newer = content(6 * MIB), content(5 * MIB, b"newer")
    first = [serve(body, reset_after=1_500_000), serve(body, reset_after=200_000), serve(body, reset_after=200_000)]
    with FaultServer(first, then=serve(newer)) as server:
        assert downloader(server, folder).download("a.npy").read_bytes() == newer


@pytest.mark.parametrize("changed", [False, True])
def test_segments_are_resumed_unless_file_changed(changed: bool, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_segments(monkeypatch)
    body, newer = content(8 * MIB), content(8 * MIB, b"newer")
    with FaultServer([serve(body, close_after=3 * MIB + 5)], then=faults.response(status=404)) as server:
        interrupted(server, folder)
        server.then = serve(newer if changed else body)
        metadata = json.loads((folder / "a.npy.part.json").read_text())
        assert sum(metadata["pieces"]) >= 3 * MIB
        request_count = len(server.requests)
        path = downloader(server, folder).download("a.npy")
        assert path.read_bytes() == (newer if changed else body)
        if not changed:
            assert all("range" in request.headers for request in server.requests[request_count:])
    assert names(folder) == ["a.npy"]


@pytest.mark.parametrize("kept", [0, 1, 5 * MIB, 8 * MIB - 1])
def test_segments_that_power_cut_took_are_fetched_again(
    kept: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_segments(monkeypatch)
    body = content(8 * MIB)
    with FaultServer([serve(body, close_after=6 * MIB)], then=faults.response(status=404)) as server:
        interrupted(server, folder)
        server.then = serve(body)
        part, metadata = folder / "a.npy.part", folder / "a.npy.part.json"
        note = json.loads(metadata.read_text())
        # The metadata of a download that was complete but for its final name.
        metadata.write_text(json.dumps({**note, "pieces": [MIB] * 8, "synced": len(body), "boot": "another"}))
        part.write_bytes(body[:kept])
        assert downloader(server, folder).download("a.npy").read_bytes() == body
    assert names(folder) == ["a.npy"]


@pytest.mark.skipif(shutil.disk_usage("/").free < 3 * 2**30, reason="little space on the disk")
def test_gibibyte_is_received(folder: Path) -> None:
    zeros = Zeros(2**30)
    with FaultServer(then=zeros) as server:
        path = downloader(server, folder).download({"data_url": f"{server.url}/a.npy", "file_size": 2**30})
    assert path.stat().st_size == 2**30
    with open(path, "rb") as file:
        assert all(not any(file.read(4096)) for _ in range(100) if file.seek(2**23, os.SEEK_CUR))
    path.unlink()


def test_one_thread_at_a_time_waits_for_the_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncing, released = threading.Event(), threading.Event()
    synced: list[bool] = []

    def slow_sync(path: Path) -> None:
        syncing.set()
        synced.append(released.wait(10))

    folder.mkdir(exist_ok=True)
    part = PartFile(folder / "a.npy", "http://localhost/a.npy")
    part.start(FileVersion("", '"a"', None, 4 * MIB, 4 * MIB))
    part.divide(MIB)
    part.path.write_bytes(bytes(4 * MIB))
    parts = segments.Segments(part)
    leases = [parts.lease() for _ in range(3)]
    monkeypatch.setattr(part_file, "sync_file", slow_sync)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(parts.release, 0)
        assert syncing.wait(10)
        for lease in leases[1:]:
            assert lease is not None
            with lease:
                parts.add(lease.index, 100)
        assert not first.done()
        released.set()
        first.result(10)
    # Once more for both of the others.
    assert synced == [True, True]
    assert json.loads((folder / "a.npy.part.json").read_text())["pieces"] == [0, 100, 100, 0]
    parts.close()
