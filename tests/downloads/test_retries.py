"""Faults on the way: retried, resumed or raised."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import pytest

from alyx_client.errors import AlyxConnectionError, AlyxTimeoutError, IncompleteDownloadError, ServerError
from tests import faults
from tests.download_faults import chunked, content, serve, stuck_after, tag, wrong_range
from tests.downloads.support import BODY, MD5, downloader, names
from tests.faults import FaultServer, Received


def test_repeated_resets_still_yield_complete_file(folder: Path) -> None:
    with FaultServer(then=serve(BODY, reset_after=len(BODY) // 10)) as server:
        path, md5 = downloader(server, folder).download("a.npy", return_md5=True)
    assert (path.read_bytes(), md5) == (BODY, MD5)
    assert len(server.requests) >= 10
    assert all(request.headers["if-range"] == tag(BODY) for request in server.requests[1:])
    assert names(folder) == ["a.npy"]


def test_short_body_is_resumed(folder: Path) -> None:
    with FaultServer([serve(BODY, close_after=30_000)], then=serve(BODY)) as server:
        assert downloader(server, folder).download("a.npy").read_bytes() == BODY
        assert [request.headers.get("range") for request in server.requests] == [None, "bytes=30000-"]


def test_body_that_is_never_complete_is_an_error(folder: Path) -> None:
    with FaultServer(then=serve(BODY, ranges=False, close_after=50_000)) as server:
        with pytest.raises(AlyxConnectionError, match="broke"):
            downloader(server, folder).download("a.npy")
        assert 4 <= len(server.requests) <= 5
    assert "a.npy" not in names(folder)
    with FaultServer(then=serve(BODY, headers={"Content-Length": "50000"})) as server:
        with pytest.raises(IncompleteDownloadError, match="record says 100000"):
            downloader(server, folder).download({"data_url": f"{server.url}/b.npy", "file_size": 100_000})
        assert len(server.requests) == 1
    assert "b.npy" not in names(folder)


def test_slow_body_is_received(folder: Path) -> None:
    with FaultServer(then=serve(BODY[:20_000], drip=0.01)) as server:
        assert downloader(server, folder, read_timeout=1.0).download("a.npy").read_bytes() == BODY[:20_000]


def test_stalled_body_is_resumed_after_read_timeout(folder: Path) -> None:
    with FaultServer([stuck_after(BODY, 40_000)], then=serve(BODY)) as server:
        assert downloader(server, folder, read_timeout=0.3).download("a.npy").read_bytes() == BODY
        assert server.requests[1].headers["range"] == "bytes=40000-"
    with (
        FaultServer(then=faults.silent()) as server,
        pytest.raises(AlyxTimeoutError, match=r"allow more time \(read_timeout="),
    ):
        downloader(server, folder, read_timeout=0.1).download("b.npy")


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(serve(BODY, ranges=False), id="200 instead of 206"),
        pytest.param(wrong_range(BODY), id="other bytes than requested"),
        pytest.param(serve(BODY, headers={"Content-Range": "nonsense"}), id="a range that cannot be read"),
    ],
)
def test_server_without_usable_ranges_sends_whole_file(second: faults.Step, folder: Path) -> None:
    with FaultServer([serve(BODY, close_after=30_000), second], then=serve(BODY)) as server:
        assert downloader(server, folder).download("a.npy").read_bytes() == BODY


def test_versions_of_changed_file_are_never_mixed(folder: Path) -> None:
    newer = content(80_000, b"newer")
    with FaultServer([serve(BODY, close_after=30_000)], then=serve(newer)) as server:
        assert downloader(server, folder).download("a.npy").read_bytes() == newer
        assert len(server.requests) == 2


def test_file_that_keeps_changing_is_an_error(folder: Path) -> None:
    numbers = count()

    def changing(request: Received, connection: Any) -> bool:
        return serve(content(90_000, str(next(numbers)).encode()), close_after=30_000)(request, connection)

    with FaultServer(then=changing) as server, pytest.raises(IncompleteDownloadError, match="changed on the server"):
        downloader(server, folder).download("a.npy")
    assert "a.npy" not in names(folder)


@pytest.mark.parametrize("etag", ['W/"weak"', None])
def test_without_strong_validator_download_starts_over(etag: str | None, folder: Path) -> None:
    with FaultServer([serve(BODY, etag=etag, close_after=30_000)], then=serve(BODY, etag=etag)) as server:
        assert downloader(server, folder).download("a.npy").read_bytes() == BODY
        assert all("range" not in request.headers for request in server.requests)


def test_only_old_modification_date_is_a_validator(folder: Path) -> None:
    for modified, resumed in ((faults.http_date(-3600), True), (faults.http_date(-5), False)):
        headers = {"Last-Modified": modified, "Date": faults.http_date(0)}
        first = serve(BODY, etag=None, headers=headers, close_after=30_000)
        with FaultServer([first], then=serve(BODY, etag=None, headers=headers)) as server:
            assert downloader(server, folder).download("a.npy", clobber=True).read_bytes() == BODY
            assert server.requests[1].headers.get("if-range") == (modified if resumed else None)


def test_truncated_chunked_body_is_resumed(folder: Path) -> None:
    steps = [chunked(BODY, etag='"v1"', cut_at=30_000), chunked(BODY, etag='"v1"', cut_at=20_000)]
    with FaultServer(steps, then=chunked(BODY, etag='"v1"')) as server:
        assert downloader(server, folder).download("a.npy").read_bytes() == BODY
        assert [request.headers.get("range") for request in server.requests] == [None, "bytes=30000-", "bytes=50000-"]


def test_busy_server_is_retried(folder: Path) -> None:
    with FaultServer(
        [faults.too_many("0"), faults.unavailable(503), faults.unavailable(502)], then=serve(BODY)
    ) as server:
        assert downloader(server, folder).download("a.npy").read_bytes() == BODY
        assert len(server.requests) == 4
    with FaultServer(then=faults.unavailable(503, "3600")) as server:
        with pytest.raises(ServerError):
            downloader(server, folder).download("b.npy")
        assert len(server.requests) == 1


def test_unreachable_server_is_an_error(folder: Path) -> None:
    with pytest.raises(AlyxConnectionError, match="cannot be reached"):
        downloader(f"http://127.0.0.1:{faults.closed_port()}", folder).download("a.npy")


def test_data_server_that_fails_once_is_retried_but_alyx_is_not(folder: Path) -> None:
    failure = faults.response(b"<h1>Server Error</h1>", status=500)
    with FaultServer([failure], then=serve(BODY)) as server:
        assert downloader(server, folder).download("a.npy").read_bytes() == BODY
    with FaultServer([failure], then=serve(BODY)) as server:
        with pytest.raises(ServerError):
            downloader([], folder, base_url=server.url).download(f"{server.url}/b.npy")
        assert len(server.requests) == 1
