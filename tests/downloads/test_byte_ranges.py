"""Downloads of a byte range."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from alyx_client.errors import RangeNotSatisfiableError
from tests.download_faults import serve
from tests.downloads.support import BODY, MD5, downloader, names
from tests.faults import FaultServer


@pytest.mark.parametrize("ranges", [True, False])
def test_byte_range_is_written_to_a_file_of_another_name(ranges: bool, folder: Path) -> None:
    with FaultServer(then=serve(BODY, ranges=ranges)) as server:
        files = downloader(server, folder)
        path = files.download("a.npy", chunks=(100, 50))
        assert (path.name, path.read_bytes()) == ("a.bytes-100-149.npy", BODY[100:150])
        whole = files.download("a.npy")
        assert (whole.name, whole.read_bytes()) == ("a.npy", BODY)
        assert files.download("a.npy", chunks=(100, 50)) == path
        assert len(server.requests) == 2
        end = files.download("a.npy", chunks=(len(BODY) - 5, 50), return_md5=True)
        assert end[0].read_bytes() == BODY[-5:]
        assert end[1] == hashlib.md5(BODY[-5:]).hexdigest()
        with pytest.raises(RangeNotSatisfiableError):
            files.download("a.npy", chunks=(len(BODY), 1))
    assert names(folder) == ["a.bytes-100-149.npy", f"a.bytes-{len(BODY) - 5}-{len(BODY) + 44}.npy", "a.npy"]


def test_byte_range_resumes_and_is_not_compared_with_record(folder: Path) -> None:
    with FaultServer(then=serve(BODY, reset_after=7000)) as server:
        source = {"data_url": f"{server.url}/a.npy", "file_size": len(BODY), "hash": MD5}
        path = downloader(server, folder).download(source, chunks=(1000, 50_000))
        assert path.read_bytes() == BODY[1000:51_000]
        assert {request.headers["range"].partition("-")[2] for request in server.requests} == {"50999"}


@pytest.mark.parametrize("chunks", [(-1, 5), (0, 0), (5, -1)])
def test_invalid_byte_range_is_refused(chunks: tuple[int, int], folder: Path) -> None:
    with pytest.raises(ValueError, match="chunks="):
        downloader("https://x.org", folder).download("a.npy", chunks=chunks)
