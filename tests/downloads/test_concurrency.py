"""Several files and threads."""

from __future__ import annotations

import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from alyx_client.downloads import part_file
from alyx_client.errors import ChecksumError, DownloadsFailedError, NotFoundError
from tests import faults
from tests.download_faults import serve
from tests.downloads.support import BODY, MD5, downloader, names
from tests.faults import FaultServer, Received


def test_one_failure_does_not_stop_the_others(folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as server:
        server.script("/b.npy", faults.response(status=404))
        server.script("/d.npy", serve(BODY[:50]))
        sources: list[Any] = ["a.npy", "b.npy", "c.npy", {"data_url": f"{server.url}/d.npy", "hash": MD5}, "e.npy"]
        with pytest.raises(DownloadsFailedError, match=r"2 of 5 files") as raised:
            downloader(server, folder).download(sources)
        error = raised.value
        kinds = [type(result) for result in error.results]
        path = type(folder)
        assert kinds == [path, NotFoundError, path, ChecksumError, path]
        assert error.results[4] == folder / "e.npy"
        assert f"{server.url}/b.npy" in str(error)
        assert f"{server.url}/d.npy" in str(error)
        assert pickle.loads(pickle.dumps(error)).results[0] == folder / "a.npy"
        server.script("/f.npy", faults.response(status=404))
        with pytest.raises(DownloadsFailedError):
            downloader(server, folder).download(["f.npy"])
    assert names(folder) == ["a.npy", "c.npy", "e.npy"]


@pytest.mark.parametrize(("setting", "limit"), [("2", 2), (None, 8), ("nonsense", 8)])
def test_concurrent_files_are_limited(
    setting: str | None, limit: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ONE_HTTP_DL_THREADS", raising=False)
    if setting:
        monkeypatch.setenv("ONE_HTTP_DL_THREADS", setting)
    active, peak, lock = 0, 0, threading.Lock()
    barrier = threading.Event()

    def counting(request: Received, connection: Any) -> bool:
        nonlocal active, peak
        with lock:
            active += 1
            peak = max(peak, active)
            if active == limit:
                barrier.set()
        barrier.wait(5)
        time.sleep(0.02)
        with lock:
            active -= 1
        return serve(BODY)(request, connection)

    with FaultServer(then=counting) as server:
        downloader(server, folder).download([f"{number}.npy" for number in range(12)])
    assert peak == limit


@pytest.mark.parametrize("threads", [1, 2])
def test_connections_do_not_wait_for_the_disk(threads: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count, requests, all_requested = 2 * threads, 0, threading.Event()
    in_time: list[bool] = []

    def counting(request: Received, connection: Any) -> bool:
        nonlocal requests
        requests += 1
        if requests == count:
            all_requested.set()
        return serve(BODY)(request, connection)

    def slow_sync(path: Path) -> None:
        in_time.append(all_requested.wait(0.1 if threads == 1 else 10))

    monkeypatch.setattr(part_file, "sync_file", slow_sync)
    with FaultServer(then=counting) as server:
        downloader(server, folder).download([f"{number}.npy" for number in range(count)], threads=threads)
    # With one thread, files are still fetched one after the other.
    assert in_time == ([False, True] if threads == 1 else [True] * count)


def test_connections_are_reused_and_closed(folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as server:
        files = downloader(server, folder)
        for number in range(5):
            files.download(f"{number}.npy")
        assert server.connections == 1
        files.close()
        files.download("again.npy")
        assert server.connections == 2


def test_threads_with_the_same_file_fetch_it_once(folder: Path) -> None:
    with FaultServer(then=serve(BODY, drip=0.001)) as server, ThreadPoolExecutor(6) as pool:
        files = downloader(server, folder)
        paths = list(pool.map(lambda _: files.download("a.npy"), range(6)))
        assert {path.read_bytes() for path in paths} == {BODY}
        assert len(server.requests) == 1
    assert names(folder) == ["a.npy"]
