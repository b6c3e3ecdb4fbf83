"""The least rate of downloads: what trickles is resumed with a new connection, and fails in the end."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from alyx_client import AlyxClient
from alyx_client.errors import AlyxTimeoutError
from alyx_client.http import download_rate
from tests.download_faults import content, serve, tag
from tests.downloads.support import downloader
from tests.faults import FaultServer, Received, Step, response_head

BODY = content(50_000)


@pytest.fixture(autouse=True)
def short_period(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download_rate, "_PERIOD", 0.2)


def trickle(body: bytes = BODY, *, ranges: bool = True) -> Step:
    """Send a file byte by byte, from the byte that is requested."""

    def step(request: Received, connection: socket.socket) -> bool:
        first = int(request.headers.get("range", "bytes=0-")[6:].partition("-")[0]) if ranges else 0
        head = {"Content-Length": str(len(body) - first), "ETag": tag(body)}
        if first:
            head["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
        if ranges:
            head["Accept-Ranges"] = "bytes"
        connection.sendall(response_head(206 if first else 200, head))
        for position in range(first, len(body)):
            connection.sendall(body[position : position + 1])
            time.sleep(0.01)
        return False

    return step


@pytest.mark.parametrize("ranges", [True, False])
def test_trickling_download_fails_in_the_end(folder: Path, ranges: bool) -> None:
    with FaultServer(then=trickle(ranges=ranges)) as server:
        with pytest.raises(AlyxTimeoutError, match=r"less than 1000 bytes per second.*min_download_rate"):
            downloader(server, folder).download("a.npy")
        # Each attempt made some progress, which must not count.
        assert len(server.requests) == 4
    assert not (folder / "a.npy").exists()


def test_trickling_download_is_resumed(folder: Path) -> None:
    with FaultServer([trickle()], then=serve(BODY)) as server:
        assert downloader(server, folder).download("a.npy").read_bytes() == BODY
        first, second = server.requests
    assert "range" not in first.headers
    assert int(second.headers["range"][6:].partition("-")[0]) > 0


def test_least_rate_can_be_disabled(folder: Path) -> None:
    body = content(60)
    with FaultServer([trickle(body)]) as server:
        assert downloader(server, folder, min_rate=0.0).download("a.npy").read_bytes() == body


def test_client_sets_the_least_rate(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = content(60)
    monkeypatch.setenv("ALYX_MIN_DOWNLOAD_RATE", "10")
    with FaultServer([trickle(body)], then=trickle()) as server:
        settings = {"token": "t", "data_server": server.url, "cache_dir": folder, "silent": True}
        with AlyxClient(server.url, **settings) as client:
            assert client.download_file("a.npy").read_bytes() == body
        client = AlyxClient(server.url, min_download_rate=1e6, **settings)
        with client, pytest.raises(AlyxTimeoutError, match=r"less than 1e\+06 bytes"):
            client.download_file("b.npy")


def test_headers_that_trickle_end(folder: Path) -> None:
    def step(request: Received, connection: socket.socket) -> bool:
        letters: Iterator[bytes] = itertools.chain([b"HTTP/1.1 200 OK\r\nA: "], itertools.repeat(b"x"))
        for piece in letters:
            connection.sendall(piece)
            time.sleep(0.02)
        return False

    with FaultServer(then=step) as server, pytest.raises(AlyxTimeoutError):
        downloader(server, folder, read_timeout=0.2, connect_timeout=0.1).download("a.npy")
