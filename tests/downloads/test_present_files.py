"""Files that are present already: used, compared or other again."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.download_faults import serve
from tests.downloads.support import BODY, MD5, downloader
from tests.faults import FaultServer


def test_present_file_is_trusted_unless_clobber_or_verify(folder: Path) -> None:
    folder.mkdir()
    target = folder / "a.npy"
    target.write_bytes(b"mine")
    with FaultServer(then=serve(BODY)) as server:
        files, url = downloader(server, folder), f"{server.url}/a.npy"
        assert files.download(url, return_md5=True) == (target, hashlib.md5(b"mine").hexdigest())
        assert not server.requests
        files.download(url, clobber=True)
        assert target.read_bytes() == BODY
        target.write_bytes(b"mine")
        files.download(url, verify=True)
        assert target.read_bytes() == BODY
        request_count = len(server.requests)
        files.download(url, verify=True)
        assert len(server.requests) == request_count + 1
        assert server.count("/a.npy") == len(server.requests)


@pytest.mark.parametrize(
    ("record", "matching", "other"),
    [
        ({"file_size": len(BODY), "hash": None}, b"x" * len(BODY), b"x"),
        ({"file_size": None, "hash": MD5}, BODY, b"x" * len(BODY)),
        ({"file_size": None, "hash": hashlib.sha1(BODY).hexdigest()}, BODY, b"x"),
        ({"file_size": None, "hash": hashlib.sha256(BODY).hexdigest().upper()}, BODY, b"x"),
        ({"file_size": None, "hash": "of another kind"}, b"x", None),
    ],
)
def test_present_file_is_used_if_it_matches_its_record(
    record: dict[str, Any], matching: bytes, other: bytes | None, folder: Path
) -> None:
    folder.mkdir()
    with FaultServer(then=serve(BODY)) as server:
        source = {**record, "file_records": [{"data_url": f"{server.url}/a.npy", "exists": True}]}
        (folder / "a.npy").write_bytes(matching)
        downloader(server, folder).download(source)
        assert not server.requests
        if other is not None:
            (folder / "a.npy").write_bytes(other)
            assert downloader(server, folder).download(source).read_bytes() == BODY


def test_verify_compares_hash_even_if_size_matches(folder: Path) -> None:
    folder.mkdir()
    (folder / "a.npy").write_bytes(b"x" * len(BODY))
    with FaultServer(then=serve(BODY)) as server:
        source = {"data_url": f"{server.url}/a.npy", "file_size": len(BODY), "hash": MD5}
        downloader(server, folder).download(source)
        assert not server.requests
        assert downloader(server, folder).download(source, verify=True).read_bytes() == BODY


def test_folder_in_place_of_file_is_an_error(folder: Path) -> None:
    (folder / "a.npy").mkdir(parents=True)
    with FaultServer(then=serve(BODY)) as server, pytest.raises(IsADirectoryError):
        downloader(server, folder).download("a.npy")
