"""Processes, signals, cancelling and forks."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from alyx_client.errors import DownloadCancelledError
from tests.download_faults import serve, stuck_after
from tests.downloads.support import BODY, FETCH, MD5, downloader, names, run, size_of, wait_for
from tests.faults import FaultServer


def test_processes_with_the_same_file_fetch_it_once(folder: Path) -> None:
    with FaultServer(then=serve(BODY, drip=0.01)) as server:
        children = [run(FETCH, f"{server.url}/a.npy", folder) for _ in range(8)]
        outputs = [child.communicate(timeout=60) for child in children]
        assert [out.strip() for out, _ in outputs] == [MD5] * 8, outputs
        assert len(server.requests) == 1
    assert names(folder) == ["a.npy"]


def test_part_of_killed_process_is_resumed(folder: Path) -> None:
    part = folder / "a.npy.part"
    with FaultServer([stuck_after(BODY, 60_000)], then=serve(BODY)) as server:
        child = run(FETCH, f"{server.url}/a.npy", folder)
        wait_for(lambda: size_of(part) == 60_000)
        child.kill()
        child.communicate(timeout=10)
        assert names(folder) == ["a.npy.part", "a.npy.part.json", "a.npy.part.lock"]
        assert downloader(server, folder).download("a.npy").read_bytes() == BODY
        assert server.requests[-1].headers["range"] == "bytes=60000-"
    assert names(folder) == ["a.npy"]


def test_waiter_resumes_at_once_when_holder_is_killed(folder: Path) -> None:
    part = folder / "a.npy.part"
    with FaultServer([stuck_after(BODY, 60_000)], then=serve(BODY)) as server:
        child = run(FETCH, f"{server.url}/a.npy", folder)
        wait_for(lambda: size_of(part) == 60_000)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(downloader(server, folder).download, "a.npy")
            time.sleep(0.3)
            assert not waiting.done()
            child.kill()
            assert waiting.result(20).read_bytes() == BODY
        child.communicate(timeout=10)


def test_waiter_fetches_separately_when_holder_makes_no_progress(folder: Path) -> None:
    part = folder / "a.npy.part"
    with FaultServer([stuck_after(BODY, 60_000)], then=serve(BODY)) as server:
        child = run(FETCH, f"{server.url}/a.npy", folder)
        wait_for(lambda: size_of(part) == 60_000)
        path = downloader(server, folder, read_timeout=0.5).download("a.npy")
        assert path.read_bytes() == BODY
        assert part.stat().st_size == 60_000
        child.kill()
        child.communicate(timeout=10)


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
def test_ctrl_c_stops_at_once_and_leaves_resumable_part(folder: Path) -> None:
    part = folder / "b.npy.part"
    with FaultServer(then=stuck_after(BODY, 60_000)) as server:
        child = run(
            """
            import sys, time
            from alyx_client.downloads.functions import http_download_file_list
            try:
                http_download_file_list([f"{sys.argv[1]}/{name}.npy" for name in "abcdefgh"], target_dir=sys.argv[2])
            except KeyboardInterrupt:
                print("interrupted")
            """,
            server.url,
            folder,
        )
        wait_for(lambda: size_of(part) == 60_000)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=10)
        assert (out.strip(), err) == ("interrupted", "")
    assert {name.partition(".npy")[2] for name in names(folder)} == {".part", ".part.json"}
    with FaultServer(then=serve(BODY)) as server:
        again = folder.parent / "again"
        again.mkdir()
        assert downloader(server, folder).download("b.npy").read_bytes() == BODY


def test_cancelled_download_leaves_resumable_part(folder: Path) -> None:
    cancelled = threading.Event()
    with FaultServer([stuck_after(BODY, 60_000)], then=serve(BODY)) as server, ThreadPoolExecutor(1) as pool:
        files = downloader(server, folder)
        running = pool.submit(files.download, "a.npy", cancelled=cancelled)
        wait_for(lambda: size_of(folder / "a.npy.part") == 60_000)
        cancelled.set()
        with pytest.raises(DownloadCancelledError):
            running.result(10)
        assert names(folder) == ["a.npy.part", "a.npy.part.json"]
        assert files.download("a.npy").read_bytes() == BODY
        assert server.requests[-1].headers["range"] == "bytes=60000-"


def test_cancelling_one_call_does_not_disturb_others(folder: Path) -> None:
    cancelled = threading.Event()
    with FaultServer(then=stuck_after(BODY, 60_000)) as server, ThreadPoolExecutor(2) as pool:
        server.script("/b.npy", serve(BODY, drip=0.01))
        files = downloader(server, folder)
        first = pool.submit(files.download, "a.npy", cancelled=cancelled)
        second = pool.submit(files.download, "b.npy")
        wait_for(lambda: size_of(folder / "a.npy.part") == 60_000 and size_of(folder / "b.npy.part") > 0)
        cancelled.set()
        with pytest.raises(DownloadCancelledError):
            first.result(10)
        assert second.result(10).read_bytes() == BODY
        assert server.count("/b.npy") == 1


def test_forked_process_opens_its_own_connections(folder: Path) -> None:
    if not hasattr(os, "fork"):
        pytest.skip("no fork here")
    with FaultServer(then=serve(BODY)) as server:
        child = run(
            """
            import os, sys
            from alyx_client.downloads.addresses import Login
            from alyx_client.downloads.data_servers import DataServers
            from alyx_client.downloads.downloader import Downloader
            files = Downloader(DataServers([Login(sys.argv[1])]), folder=sys.argv[2])
            files.download("a.npy")
            if os.fork() == 0:
                files.download("b.npy")
                os._exit(0)
            print(os.waitstatus_to_exitcode(os.wait()[1]))
            files.download("c.npy")
            """,
            server.url,
            folder,
        )
        out, err = child.communicate(timeout=30)
        assert out.strip() == "0", err
        assert server.connections == 2
    assert names(folder) == ["a.npy", "b.npy", "c.npy"]
