from __future__ import annotations

import base64
import contextlib
import errno
import gzip
import hashlib
import json
import logging
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from alyx_client.downloads import segments as ranges
from alyx_client.downloads.functions import (
    Downloader,
    dataset_record_to_url,
    file_record_to_url,
    http_download_file,
    http_download_file_list,
)
from alyx_client.errors import (
    AlyxConnectionError,
    AlyxHTTPError,
    AlyxTimeoutError,
    AuthenticationError,
    ChecksumError,
    DiskFullError,
    DownloadCancelledError,
    DownloadsFailedError,
    ForeignURLError,
    IncompleteDownloadError,
    InvalidFileNameError,
    NoDataURLError,
    NotFoundError,
    PermissionDeniedError,
    RangeNotSatisfiableError,
    ServerError,
    UnexpectedAnswerError,
)
from alyx_client.http.retry import Retries
from alyx_client.testing import LocalAlyx
from tests import faults
from tests.download_faults import (
    Zeros,
    chunked,
    content,
    gzipped,
    serve,
    stuck_after,
    tag,
    until_closed,
    wrong_range,
)
from tests.faults import FaultServer, Received

QUICK = Retries(base=0.001, cap=0.001)
BODY = content(100_000)
MD5 = hashlib.md5(BODY, usedforsecurity=False).hexdigest()
MIB = 2**20
ROOT = Path(__file__).parents[2]


def downloader(server: FaultServer | str, folder: Path, **settings: Any) -> Downloader:
    url = server if isinstance(server, str) else server.url
    return Downloader(None, [url], folder=folder, **{"retries": QUICK, "silent": True, **settings})


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


# What is downloaded, and where to


def test_a_file_is_downloaded_under_its_own_name(folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as server:
        path = downloader(server, folder).download(f"{server.url}/lab/spikes.times.npy")
    assert path == folder / "spikes.times.npy"
    assert path.read_bytes() == BODY
    assert names(folder) == ["spikes.times.npy"]
    assert server.requests[0].headers["accept-encoding"] == "identity"


def test_without_a_client_files_go_to_downloads(folder: Path, isolated_settings: Path) -> None:
    with FaultServer(then=serve(BODY)) as server:
        assert http_download_file(f"{server.url}/a.npy", silent=True) == isolated_settings / "Downloads" / "a.npy"
        path, md5 = http_download_file(f"{server.url}/a.npy", cache_dir=folder, return_md5=True)
        assert (path, md5) == (folder / "a.npy", MD5)
        assert http_download_file("") is None
        assert http_download_file("", return_md5=True) == (None, None)


def test_a_list_gives_a_path_for_each_in_order(folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as server:
        links = [f"{server.url}/{number}.npy" for number in range(9)]
        paths = http_download_file_list((link for link in links), target_dir=folder)
        assert [path.name for path in paths] == [f"{number}.npy" for number in range(9)]
        assert all(path.read_bytes() == BODY for path in paths)
        pairs = http_download_file_list(links[:2], target_dir=[folder / "x", folder / "y"], return_md5=True)
        assert pairs == [(folder / "x" / "0.npy", folder / "y" / "1.npy"), (MD5, MD5)]
        with pytest.raises(ValueError, match="1 folders for 2 sources"):
            http_download_file_list(links[:2], target_dir=[folder])
        assert http_download_file_list([]) == []


def test_a_source_that_stands_twice_is_fetched_once(folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as server:
        paths = downloader(server, folder).download([f"{server.url}/a.npy", "", f"{server.url}/a.npy"])
        assert paths == [folder / "a.npy", None, folder / "a.npy"]
        assert len(server.requests) == 1


def test_paths_and_records_are_sources(folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as server:
        files = downloader(server, folder)
        assert files.rel_path2url("lab/#1#/a b.npy") == f"{server.url}/lab/%231%23/a%20b.npy"
        record = {
            "name": "c.npy",
            "file_size": len(BODY),
            "hash": MD5,
            "file_records": [
                {"data_url": None, "exists": True},
                {"data_url": f"{server.url}/gone/c.npy", "exists": False},
                {"data_url": "https://elsewhere.example.org/c.npy", "exists": True},
                {"data_url": f"{server.url}/there/c.npy", "exists": True},
            ],
        }
        sources = ["lab/#1#/a b.npy", Path("lab/b.npy"), record, {"data_url": f"{server.url}/d.npy", "file_size": None}]
        paths = files.download(sources)
        assert [path.name for path in paths] == ["a b.npy", "b.npy", "c.npy", "d.npy"]
        targets = {request.target for request in server.requests}
        assert targets == {"/lab/%231%23/a%20b.npy", "/lab/b.npy", "/there/c.npy", "/d.npy"}


def test_typed_records_are_sources(folder: Path) -> None:
    with LocalAlyx() as local:
        from alyx_client import AlyxClient

        with AlyxClient(local.url, "olivier", "olivier", silent=True) as client:
            dataset = next(
                found
                for found in client.datasets.list(exists=True)
                if found.file_size and any(file.data_url and file.exists for file in found.file_records)
            )
            detail = client.datasets.read(dataset.id)
        urls = dataset_record_to_url([dataset])
        assert urls
        assert urls == dataset_record_to_url(detail.model_dump()) == file_record_to_url(dataset.file_records)
        files = Downloader(local.url, [(local.data_url, *local.data_login)], folder=folder, silent=True)
        path = files.download(dataset, keep_tree=True)
        assert path.stat().st_size == dataset.file_size
        assert path.is_relative_to(folder)
        assert len(path.relative_to(folder).parts) > 3
        assert files.download([detail]) == [folder / path.name]


def test_records_without_an_address_are_left_out_or_named() -> None:
    record = {"id": "0b12", "name": "a.npy", "file_records": [{"data_url": None}, {"data_url": "https://x.org/a.npy"}]}
    assert dataset_record_to_url(record) == ["https://x.org/a.npy"]
    assert dataset_record_to_url([record, {"file_records": []}]) == ["https://x.org/a.npy"]
    assert file_record_to_url(record["file_records"]) == ["https://x.org/a.npy"]
    assert file_record_to_url({"data_url": "https://x.org/b.npy"}) == ["https://x.org/b.npy"]
    files = Downloader(None, ["https://x.org"])
    empty = {"id": "0b12", "name": "a.npy", "file_records": [{"data_url": None, "exists": True}]}
    with pytest.raises(NoDataURLError, match=r"'a\.npy' '0b12'"):
        files.download(empty)
    with pytest.raises(NoDataURLError, match="exists"):
        files.download({"name": "a", "file_records": [{"data_url": "https://x.org/a.npy", "exists": False}]})
    with pytest.raises(NoDataURLError, match="data_url"):
        files.download({"relative_path": "lab/a.npy"})
    with pytest.raises(TypeError, match="int"):
        files.download(5)


def test_a_server_that_is_not_allowed_is_never_asked(folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as server, FaultServer(then=serve(BODY)) as other:
        with pytest.raises(ForeignURLError, match="data_server="):
            downloader(server, folder).download(f"{other.url}/b.npy?sig=geheim")
        assert not server.requests
        with pytest.raises(DownloadsFailedError, match="data_server="):
            downloader(server, folder).download([f"{server.url}/a.npy", f"{other.url}/b.npy?sig=geheim"])
        assert server.paths == ["/a.npy"]
        assert not other.requests
        assert Downloader(None, [server.url, other.url], folder=folder).download(f"{other.url}/b.npy")


def test_the_servers_tree_is_kept_on_request(folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as server:
        files = downloader(f"{server.url}/public", folder)
        paths = files.download([f"{server.url}/public/lab/x/a%20b.npy", "lab/y/a b.npy"], keep_tree=True)
        assert paths == [folder / "lab" / "x" / "a b.npy", folder / "lab" / "y" / "a b.npy"]
        with pytest.raises(DownloadsFailedError, match="keep_tree"):
            files.download(["lab/x/a.npy", "lab/y/A.npy"])
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("link", "name"),
    [
        ("/a/two words.npy", "two words.npy"),
        ("/a/#2022-08-08#.npy", "#2022-08-08#.npy"),
        ("/a/%232022%23.npy", "#2022#.npy"),
        ("/a/100%.npy", "100%.npy"),
        ("/a/50%25.npy", "50%.npy"),
        ("/a/été 測.npy", "été 測.npy"),
        ("/a/signed.npy?X-Amz-Signature=geheim&name=b/c", "signed.npy"),
    ],
)
def test_names_are_what_the_server_calls_the_file(link: str, name: str, folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as server:
        path = downloader(server, folder).download(f"{server.url}{link}")
        assert (path.name, path.read_bytes()) == (name, BODY)
        assert names(folder) == [name]
        assert "#" not in server.requests[0].target


@pytest.mark.parametrize(
    "link", ["/a/..", "/a/%2e%2e", "/a/..%2f..%2fb", "/a/..%5Cb", "/a/NUL", "/a/", "/a/x%00", "/a/x."]
)
def test_names_that_must_not_be_are_refused_before_anything_is_sent(link: str, folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as server:
        with pytest.raises(InvalidFileNameError):
            downloader(server, folder).download(f"{server.url}{link}")
        assert not server.requests
    assert not folder.exists()


def test_a_name_near_the_limit_has_a_part(folder: Path) -> None:
    name = "x" * 255
    with FaultServer([serve(BODY, close_after=500)], then=serve(BODY)) as server:
        path = downloader(server, folder).download(f"{server.url}/{name}")
    assert path.read_bytes() == BODY
    assert names(folder) == [name]


# A file that is there already


def test_a_file_that_is_there_is_trusted_or_fetched_again(folder: Path) -> None:
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
        asked = len(server.requests)
        files.download(url, verify=True)
        assert len(server.requests) == asked + 1
        assert server.count("/a.npy") == len(server.requests)


@pytest.mark.parametrize(
    ("record", "taken", "fetched"),
    [
        ({"file_size": len(BODY), "hash": None}, b"x" * len(BODY), b"x"),
        ({"file_size": None, "hash": MD5}, BODY, b"x" * len(BODY)),
        ({"file_size": None, "hash": hashlib.sha1(BODY).hexdigest()}, BODY, b"x"),
        ({"file_size": None, "hash": hashlib.sha256(BODY).hexdigest().upper()}, BODY, b"x"),
        ({"file_size": None, "hash": "of another kind"}, b"x", None),
    ],
)
def test_a_file_that_is_there_is_taken_if_it_is_as_the_record_says(
    record: dict[str, Any], taken: bytes, fetched: bytes | None, folder: Path
) -> None:
    folder.mkdir()
    with FaultServer(then=serve(BODY)) as server:
        source = {**record, "file_records": [{"data_url": f"{server.url}/a.npy", "exists": True}]}
        (folder / "a.npy").write_bytes(taken)
        downloader(server, folder).download(source)
        assert not server.requests
        if fetched is not None:
            (folder / "a.npy").write_bytes(fetched)
            assert downloader(server, folder).download(source).read_bytes() == BODY


def test_verify_compares_the_hash_although_the_size_is_right(folder: Path) -> None:
    folder.mkdir()
    (folder / "a.npy").write_bytes(b"x" * len(BODY))
    with FaultServer(then=serve(BODY)) as server:
        source = {"data_url": f"{server.url}/a.npy", "file_size": len(BODY), "hash": MD5}
        downloader(server, folder).download(source)
        assert not server.requests
        assert downloader(server, folder).download(source, verify=True).read_bytes() == BODY


def test_a_folder_of_that_name_is_an_error(folder: Path) -> None:
    (folder / "a.npy").mkdir(parents=True)
    with FaultServer(then=serve(BODY)) as server, pytest.raises(IsADirectoryError):
        downloader(server, folder).download("a.npy")


# Some bytes of a file


@pytest.mark.parametrize("ranges", [True, False])
def test_some_bytes_go_to_a_file_of_their_own(ranges: bool, folder: Path) -> None:
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


def test_some_bytes_survive_resets_and_records_do_not_apply_to_them(folder: Path) -> None:
    with FaultServer(then=serve(BODY, reset_after=7000)) as server:
        source = {"data_url": f"{server.url}/a.npy", "file_size": len(BODY), "hash": MD5}
        path = downloader(server, folder).download(source, chunks=(1000, 50_000))
        assert path.read_bytes() == BODY[1000:51_000]
        assert {request.headers["range"].partition("-")[2] for request in server.requests} == {"50999"}


@pytest.mark.parametrize("chunks", [(-1, 5), (0, 0), (5, -1)])
def test_bytes_that_cannot_be_are_refused(chunks: tuple[int, int], folder: Path) -> None:
    with pytest.raises(ValueError, match="chunks="):
        Downloader(None, ["https://x.org"], folder=folder).download("a.npy", chunks=chunks)


# Faults on the way


def test_a_reset_at_every_tenth_still_ends_in_the_whole_file(folder: Path) -> None:
    with FaultServer(then=serve(BODY, reset_after=len(BODY) // 10)) as server:
        path, md5 = downloader(server, folder).download("a.npy", return_md5=True)
    assert (path.read_bytes(), md5) == (BODY, MD5)
    assert len(server.requests) >= 10
    assert all(request.headers["if-range"] == tag(BODY) for request in server.requests[1:])
    assert names(folder) == ["a.npy"]


def test_a_short_body_is_continued(folder: Path) -> None:
    with FaultServer([serve(BODY, close_after=30_000)], then=serve(BODY)) as server:
        assert downloader(server, folder).download("a.npy").read_bytes() == BODY
        assert [request.headers.get("range") for request in server.requests] == [None, "bytes=30000-"]


def test_a_body_that_never_comes_whole_is_an_error_and_no_file(folder: Path) -> None:
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


def test_a_slow_drip_arrives(folder: Path) -> None:
    with FaultServer(then=serve(BODY[:20_000], drip=0.01)) as server:
        assert downloader(server, folder, read_timeout=1.0).download("a.npy").read_bytes() == BODY[:20_000]


def test_a_server_that_falls_silent_is_asked_again(folder: Path) -> None:
    with FaultServer([stuck_after(BODY, 40_000)], then=serve(BODY)) as server:
        assert downloader(server, folder, read_timeout=0.3).download("a.npy").read_bytes() == BODY
        assert server.requests[1].headers["range"] == "bytes=40000-"
    with FaultServer(then=faults.silent()) as server, pytest.raises(AlyxTimeoutError):
        downloader(server, folder, read_timeout=0.1).download("b.npy")


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(serve(BODY, ranges=False), id="200 instead of 206"),
        pytest.param(wrong_range(BODY), id="other bytes than asked"),
        pytest.param(serve(BODY, headers={"Content-Range": "nonsense"}), id="a range that cannot be read"),
    ],
)
def test_a_server_without_proper_ranges_is_asked_for_the_whole(second: faults.Step, folder: Path) -> None:
    with FaultServer([serve(BODY, close_after=30_000), second], then=serve(BODY)) as server:
        assert downloader(server, folder).download("a.npy").read_bytes() == BODY


def test_a_file_that_changes_in_between_is_never_mixed(folder: Path) -> None:
    newer = content(80_000, b"newer")
    with FaultServer([serve(BODY, close_after=30_000)], then=serve(newer)) as server:
        assert downloader(server, folder).download("a.npy").read_bytes() == newer
        assert len(server.requests) == 2


def test_a_file_that_changes_all_the_time_is_an_error(folder: Path) -> None:
    numbers = count()

    def changing(request: Received, connection: Any) -> bool:
        return serve(content(90_000, str(next(numbers)).encode()), close_after=30_000)(request, connection)

    with FaultServer(then=changing) as server, pytest.raises(IncompleteDownloadError, match="changed on the server"):
        downloader(server, folder).download("a.npy")
    assert "a.npy" not in names(folder)


@pytest.mark.parametrize("etag", ['W/"weak"', None])
def test_without_a_strong_validator_it_starts_again(etag: str | None, folder: Path) -> None:
    with FaultServer([serve(BODY, etag=etag, close_after=30_000)], then=serve(BODY, etag=etag)) as server:
        assert downloader(server, folder).download("a.npy").read_bytes() == BODY
        assert all("range" not in request.headers for request in server.requests)


def test_a_date_long_past_is_a_validator_and_a_fresh_one_is_not(folder: Path) -> None:
    for modified, resumed in ((faults.http_date(-3600), True), (faults.http_date(-5), False)):
        headers = {"Last-Modified": modified, "Date": faults.http_date(0)}
        first = serve(BODY, etag=None, headers=headers, close_after=30_000)
        with FaultServer([first], then=serve(BODY, etag=None, headers=headers)) as server:
            assert downloader(server, folder).download("a.npy", clobber=True).read_bytes() == BODY
            assert server.requests[1].headers.get("if-range") == (modified if resumed else None)


def test_no_length_is_no_obstacle(folder: Path) -> None:
    for name, step in {"a": until_closed(BODY), "b": chunked(BODY), "c": until_closed(b"")}.items():
        with FaultServer(then=step) as server:
            assert downloader(server, folder).download(name).read_bytes() == (b"" if name == "c" else BODY)


def test_a_chunked_body_that_breaks_off_is_continued(folder: Path) -> None:
    steps = [chunked(BODY, etag='"v1"', cut_at=30_000), chunked(BODY, etag='"v1"', cut_at=20_000)]
    with FaultServer(steps, then=chunked(BODY, etag='"v1"')) as server:
        assert downloader(server, folder).download("a.npy").read_bytes() == BODY
        assert [request.headers.get("range") for request in server.requests] == [None, "bytes=30000-", "bytes=50000-"]


def test_a_body_without_length_is_compared_with_the_record(folder: Path) -> None:
    with FaultServer(then=until_closed(BODY[:500])) as server:
        for known in ({"file_size": len(BODY)}, {"hash": MD5}):
            with pytest.raises((IncompleteDownloadError, ChecksumError)):
                downloader(server, folder).download({"data_url": f"{server.url}/a.npy", **known})
    assert names(folder) == []


def test_gzip_is_undone_unless_the_file_is_called_so(folder: Path) -> None:
    with FaultServer(then=gzipped(BODY)) as server:
        files = downloader(server, folder)
        source = {"data_url": f"{server.url}/a.npy", "file_size": len(BODY), "hash": MD5}
        assert files.download(source).read_bytes() == BODY
        assert files.download("b.nii.gz").read_bytes() == gzip.compress(BODY)
    with FaultServer([gzipped(BODY, cut=True)], then=gzipped(BODY)) as server:
        assert downloader(server, folder).download("c.npy").read_bytes() == BODY
        assert len(server.requests) == 2
    with FaultServer(then=gzipped(BODY, cut=True)) as server, pytest.raises(IncompleteDownloadError, match="gzip"):
        downloader(server, folder).download("d.npy")
    with (
        FaultServer(then=serve(BODY, headers={"Content-Encoding": "br"})) as server,
        pytest.raises(UnexpectedAnswerError, match="br"),
    ):
        downloader(server, folder).download("e.npy")
    assert names(folder) == ["a.npy", "b.nii.gz", "c.npy"]


def test_an_empty_file_is_a_file(folder: Path) -> None:
    with FaultServer(then=serve(b"")) as server:
        path, md5 = downloader(server, folder).download(
            {"data_url": f"{server.url}/a.npy", "file_size": 0}, return_md5=True
        )
        assert (path.read_bytes(), md5) == (b"", hashlib.md5(b"").hexdigest())


def test_the_wrong_content_is_an_error_and_the_next_try_starts_anew(folder: Path) -> None:
    other = content(len(BODY), b"other")
    with FaultServer([serve(other)], then=serve(BODY)) as server:
        source = {"data_url": f"{server.url}/a.npy?sig=geheim", "file_size": len(BODY), "hash": MD5}
        with pytest.raises(ChecksumError, match=MD5) as caught:
            downloader(server, folder).download(source)
        assert "geheim" not in str(caught.value)
        assert names(folder) == []
        assert downloader(server, folder).download(source).read_bytes() == BODY
        assert "range" not in server.requests[1].headers


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AuthenticationError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (416, RangeNotSatisfiableError),
        (500, ServerError),
        (204, AlyxHTTPError),
        (304, AlyxHTTPError),
    ],
)
def test_a_refusal_is_an_error_by_its_meaning(status: int, kind: type[AlyxHTTPError], folder: Path) -> None:
    page = b"<Error><StringToSign>geheim</StringToSign></Error>" if status not in {204, 304} else b""
    with FaultServer(then=faults.answer(page, status=status)) as server:
        with pytest.raises(kind) as caught:
            downloader(server, folder).download(f"{server.url}/lab/a.npy?sig=geheim")
        error = caught.value
        assert (error.status_code, len(server.requests)) == (status, 1)
        assert f"{server.url}/lab/a.npy" in str(error)
        assert "geheim" not in repr(error.__dict__)
        if status in {401, 403}:
            assert "HTTP_DATA_SERVER_LOGIN" in str(error)
        assert isinstance(pickle.loads(pickle.dumps(error)), kind)
    assert names(folder) == []


def test_a_busy_server_is_asked_again(folder: Path) -> None:
    with FaultServer(
        [faults.too_many("0"), faults.unavailable(503), faults.unavailable(502)], then=serve(BODY)
    ) as server:
        assert downloader(server, folder).download("a.npy").read_bytes() == BODY
        assert len(server.requests) == 4
    with FaultServer(then=faults.unavailable(503, "3600")) as server:
        with pytest.raises(ServerError):
            downloader(server, folder).download("b.npy")
        assert len(server.requests) == 1


def test_no_server_at_all_is_an_error(folder: Path) -> None:
    with pytest.raises(AlyxConnectionError, match="cannot be reached"):
        downloader(f"http://127.0.0.1:{faults.closed_port()}", folder).download("a.npy")


# Redirects and secrets


def test_a_login_goes_to_its_server_and_not_along_with_redirects(folder: Path) -> None:
    login = basic("reader", "geheim")
    with FaultServer(then=serve(BODY)) as store, FaultServer() as server:
        away = faults.redirect(f"{store.url}/bucket/xyz?X-Amz-Signature=geheim")
        here = faults.redirect("/moved/a.npy", 307)
        server._scripts.update({"/a.npy": iter([here]), "/moved/a.npy": iter([away])})
        files = Downloader(None, [(server.url, "reader", "geheim")], folder=folder, retries=QUICK)
        headers = {"Cookie": "geheim", "X-Api-Key": "geheim", "X-Lab": "lab"}
        assert files.download("a.npy", headers=headers).name == "a.npy"
        assert [request.headers.get("authorization") for request in server.requests] == [login, login]
        assert [request.headers.get("x-api-key") for request in server.requests] == ["geheim", "geheim"]
        received = store.requests[0].headers
        assert received["x-lab"] == "lab"
        assert not {"authorization", "cookie", "x-api-key"} & set(received)


def test_a_foreign_server_cannot_send_back_with_credentials(folder: Path) -> None:
    with FaultServer() as foreign, FaultServer(then=serve(BODY)) as server:
        foreign._then = faults.redirect(f"{server.url}/private.npy")
        server._scripts["/a.npy"] = iter([faults.redirect(f"{foreign.url}/x")])
        Downloader(None, [(server.url, "reader", "geheim")], folder=folder, retries=QUICK).download("a.npy")
        assert server.requests[0].headers["authorization"]
        assert "authorization" not in server.requests[1].headers


def test_the_login_of_a_call_or_an_address_is_for_that_server(folder: Path) -> None:
    login = basic("me", "p@ss")
    with FaultServer(then=serve(BODY, login=login)) as server, FaultServer(then=serve(BODY)) as other:
        files = downloader(server, folder)
        with pytest.raises(AuthenticationError):
            files.download("a.npy")
        assert files.download("a.npy", username="me", password="p@ss")
        assert files.download(server.url.replace("//", "//me:p%40ss@") + "/b.npy").name == "b.npy"
        assert http_download_file(f"{server.url}/c.npy", username="me", password="p@ss", target_dir=folder)
        assert http_download_file(f"{other.url}/d.npy", target_dir=folder)
        assert "authorization" not in other.requests[0].headers


def test_the_token_goes_to_alyx_alone(folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as data, FaultServer(then=serve(BODY)) as alyx:
        alyx._scripts["/away.npy"] = iter([faults.redirect(f"{data.url}/b.npy")])
        files = Downloader(
            alyx.url, [(data.url, "u", "p")], folder=folder, token=lambda: {"Authorization": "Token geheim"}
        )
        files.download([f"{alyx.url}/uploaded/a.npy", f"{alyx.url}/away.npy", f"{data.url}/c.npy"])
        assert set(alyx.tokens) == {"geheim"}
        assert {request.headers["authorization"] for request in data.requests} == {basic("u", "p")}


def test_redirects_end(folder: Path) -> None:
    with FaultServer(then=faults.redirect("/again.npy")) as server, pytest.raises(AlyxHTTPError, match="more than 10"):
        downloader(server, folder).download("a.npy")
    assert len(server.requests) == 11


def test_no_signature_is_written_or_logged(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with FaultServer([serve(BODY, close_after=30_000)], then=faults.answer(status=404)) as server:
        away = faults.redirect(f"{server.url}/b.npy?X-Amz-Signature=geheim")
        server._scripts["/a.npy"] = iter([away, away])
        with pytest.raises(NotFoundError) as caught:
            downloader(server, folder).download(f"{server.url}/a.npy?X-Amz-Signature=geheim&x=geheim")
        assert "geheim" in server.requests[1].target
    assert "/a.npy" in caplog.text
    assert "geheim" not in caplog.text
    assert "geheim" not in str(caught.value)
    for path in folder.iterdir():
        assert "geheim" not in path.name
        assert path.suffix != ".json" or "geheim" not in path.read_text()


# Going on from what is there


def interrupted(server: FaultServer, folder: Path, name: str = "a.npy") -> None:
    """Leave a part of the file behind."""
    with pytest.raises(NotFoundError):
        downloader(server, folder).download(name)


def test_another_call_goes_on_from_what_is_there(folder: Path) -> None:
    with FaultServer([serve(BODY, close_after=30_000), faults.answer(status=404)], then=serve(BODY)) as server:
        interrupted(server, folder, f"{server.url}/a.npy?X-Amz-Signature=one")
        assert names(folder) == ["a.npy.part", "a.npy.part.json"]
        path = downloader(server, folder).download(f"{server.url}/a.npy?X-Amz-Signature=two")
        assert path.read_bytes() == BODY
        assert server.requests[-1].headers["range"] == "bytes=30000-"
    assert names(folder) == ["a.npy"]


def test_a_part_of_another_file_is_not_gone_on_from(folder: Path) -> None:
    with FaultServer([serve(BODY, close_after=30_000), faults.answer(status=404)], then=serve(BODY)) as server:
        interrupted(server, folder, f"{server.url}/one/a.npy")
        downloader(server, folder).download(f"{server.url}/two/a.npy")
        assert "range" not in server.requests[-1].headers


@pytest.mark.parametrize("damage", ["notes", "notes gone", "part gone", "part longer", "notes of another form"])
def test_damaged_leftovers_do_no_harm(damage: str, folder: Path) -> None:
    with FaultServer([serve(BODY, close_after=30_000), faults.answer(status=404)], then=serve(BODY)) as server:
        interrupted(server, folder)
        part, notes = folder / "a.npy.part", folder / "a.npy.part.json"
        if damage == "notes":
            notes.write_bytes(b"{half")
        elif damage == "notes gone":
            notes.unlink()
        elif damage == "part gone":
            part.unlink()
        elif damage == "part longer":
            part.write_bytes(BODY + b"more")
        else:
            notes.write_text(json.dumps([1, 2]))
        assert downloader(server, folder).download("a.npy").read_bytes() == BODY
    assert names(folder) == ["a.npy"]


def test_a_complete_part_is_compared_with_the_server_once_more(folder: Path) -> None:
    newer = content(len(BODY), b"newer")
    for now, expected in ((BODY, BODY), (newer, newer)):
        with FaultServer([serve(BODY, close_after=30_000), faults.answer(status=404)], then=serve(now)) as server:
            interrupted(server, folder)
            (folder / "a.npy.part").write_bytes(BODY)
            assert downloader(server, folder).download("a.npy").read_bytes() == expected
            assert server.requests[-1].headers["range"] == f"bytes={len(BODY) - 1}-"
        (folder / "a.npy").unlink()


def test_a_server_that_has_less_than_before_is_asked_for_the_whole(folder: Path) -> None:
    steps = [serve(BODY, close_after=30_000), faults.answer(status=404), faults.answer(status=416)]
    with FaultServer(steps, then=serve(BODY[:100])) as server:
        interrupted(server, folder)
        assert downloader(server, folder).download("a.npy").read_bytes() == BODY[:100]


# Several files


def test_one_failure_does_not_stop_the_others(folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as server:
        server._scripts["/b.npy"] = iter([faults.answer(status=404)])
        server._scripts["/d.npy"] = iter([serve(BODY[:50])])
        sources: list[Any] = ["a.npy", "b.npy", "c.npy", {"data_url": f"{server.url}/d.npy", "hash": MD5}, "e.npy"]
        with pytest.raises(DownloadsFailedError, match=r"2 of 5 files") as caught:
            downloader(server, folder).download(sources)
        error = caught.value
        kinds = [type(result) for result in error.results]
        path = type(folder)
        assert kinds == [path, NotFoundError, path, ChecksumError, path]
        assert error.results[4] == folder / "e.npy"
        assert f"{server.url}/b.npy" in str(error)
        assert f"{server.url}/d.npy" in str(error)
        assert pickle.loads(pickle.dumps(error)).results[0] == folder / "a.npy"
        server._scripts["/f.npy"] = iter([faults.answer(status=404)])
        with pytest.raises(DownloadsFailedError):
            downloader(server, folder).download(["f.npy"])
    assert names(folder) == ["a.npy", "c.npy", "e.npy"]


@pytest.mark.parametrize(("setting", "most"), [("2", 2), (None, 4), ("nonsense", 4)])
def test_no_more_files_at_once_than_wanted(
    setting: str | None, most: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ONE_HTTP_DL_THREADS", raising=False)
    if setting:
        monkeypatch.setenv("ONE_HTTP_DL_THREADS", setting)
    active, seen, lock = 0, 0, threading.Lock()
    barrier = threading.Event()

    def counting(request: Received, connection: Any) -> bool:
        nonlocal active, seen
        with lock:
            active += 1
            seen = max(seen, active)
            if active == most:
                barrier.set()
        barrier.wait(5)
        time.sleep(0.02)
        with lock:
            active -= 1
        return serve(BODY)(request, connection)

    with FaultServer(then=counting) as server:
        downloader(server, folder).download([f"{number}.npy" for number in range(12)])
    assert seen == most


def test_connections_are_used_again_and_closed_at_the_end(folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as server:
        files = downloader(server, folder)
        for number in range(5):
            files.download(f"{number}.npy")
        assert server.connections == 1
        files.close()
        files.download("again.npy")
        assert server.connections == 2


def test_two_threads_for_one_file_fetch_it_once(folder: Path) -> None:
    with FaultServer(then=serve(BODY, drip=0.001)) as server, ThreadPoolExecutor(6) as pool:
        files = downloader(server, folder)
        paths = list(pool.map(lambda _: files.download("a.npy"), range(6)))
        assert {path.read_bytes() for path in paths} == {BODY}
        assert len(server.requests) == 1
    assert names(folder) == ["a.npy"]


# Large files


def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alyx_client.downloads.download.SMALLEST", 4 * MIB)
    monkeypatch.setattr(ranges, "_PIECE", MIB)


def test_a_large_file_comes_in_ranges_side_by_side(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_pieces(monkeypatch)
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


def test_a_large_file_survives_resets_of_every_range(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_pieces(monkeypatch)
    body = content(6 * MIB)
    with FaultServer(then=serve(body, reset_after=400_000)) as server:
        assert downloader(server, folder).download("a.npy").read_bytes() == body
    assert names(folder) == ["a.npy"]


def test_a_large_file_that_changes_is_never_mixed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_pieces(monkeypatch)
    body, newer = content(6 * MIB), content(5 * MIB, b"newer")
    first = [serve(body, reset_after=1_500_000), serve(body, reset_after=200_000), serve(body, reset_after=200_000)]
    with FaultServer(first, then=serve(newer)) as server:
        assert downloader(server, folder).download("a.npy").read_bytes() == newer


@pytest.mark.parametrize("changed", [False, True])
def test_the_ranges_of_a_large_file_are_gone_on_from(
    changed: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_pieces(monkeypatch)
    body, newer = content(8 * MIB), content(8 * MIB, b"newer")
    with FaultServer([serve(body, close_after=3 * MIB + 5)], then=faults.answer(status=404)) as server:
        interrupted(server, folder)
        server._then = serve(newer if changed else body)
        notes = json.loads((folder / "a.npy.part.json").read_text())
        assert sum(notes["pieces"]) >= 3 * MIB
        asked = len(server.requests)
        path = downloader(server, folder).download("a.npy")
        assert path.read_bytes() == (newer if changed else body)
        if not changed:
            assert all("range" in request.headers for request in server.requests[asked:])
    assert names(folder) == ["a.npy"]


@pytest.mark.skipif(shutil.disk_usage("/").free < 3 * 2**30, reason="little space on the disk")
def test_a_gibibyte_arrives(folder: Path) -> None:
    zeros = Zeros(2**30)
    with FaultServer(then=zeros) as server:
        path = downloader(server, folder).download({"data_url": f"{server.url}/a.npy", "file_size": 2**30})
    assert path.stat().st_size == 2**30
    with open(path, "rb") as file:
        assert all(not any(file.read(4096)) for _ in range(100) if file.seek(2**23, os.SEEK_CUR))
    path.unlink()


# The disk


def test_too_little_space_is_said_before_anything_is_written(folder: Path) -> None:
    with FaultServer(then=faults.answer(b"", headers={"Content-Length": str(2**60)})) as server:
        with pytest.raises(DiskFullError, match=r"it needs \d+ GB more, and .* are free") as caught:
            downloader(server, folder).download("a.npy")
        assert caught.value.errno == errno.ENOSPC
    assert "a.npy" not in names(folder)


def run(script: str, *arguments: object, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of processes")
def test_a_disk_that_fills_up_leaves_a_part_to_go_on_from(folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as server:
        child = run(
            """
            import resource, signal, sys
            from alyx_client.errors import DiskFullError
            from alyx_client.downloads.functions import http_download_file
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
            try:
                http_download_file(sys.argv[1], target_dir=sys.argv[2])
            except DiskFullError as error:
                print("full:", error)
            """,
            f"{server.url}/a.npy",
            folder,
        )
        out, err = child.communicate(timeout=30)
        assert "full: There is too little space" in out, err
        assert "needs 60 kB more" in out
        assert names(folder) == ["a.npy.part", "a.npy.part.json"]
        assert downloader(server, folder).download("a.npy").read_bytes() == BODY
        assert server.requests[-1].headers["range"] == "bytes=40000-"


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounts a small file system")
def test_a_full_file_system_is_an_error_by_its_meaning(folder: Path) -> None:
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], capture_output=True
    ).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        with FaultServer(then=until_closed(BODY * 4)) as server, pytest.raises(DiskFullError):
            downloader(server, folder).download("a.npy")
        assert "a.npy" not in names(folder)
    finally:
        subprocess.run(["umount", str(folder)], check=False)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_an_error(folder: Path) -> None:
    folder.mkdir(mode=0o500)
    with FaultServer(then=serve(BODY)) as server, pytest.raises(PermissionError):
        downloader(server, folder).download("a.npy")


# Processes, signals, cancelling

FETCH = """
    import sys
    from alyx_client.downloads.functions import http_download_file
    print(http_download_file(sys.argv[1], target_dir=sys.argv[2], return_md5=True)[1])
"""


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def size_of(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0


def test_eight_processes_for_one_file_each_end_with_the_whole(folder: Path) -> None:
    with FaultServer(then=serve(BODY, drip=0.01)) as server:
        children = [run(FETCH, f"{server.url}/a.npy", folder) for _ in range(8)]
        answers = [child.communicate(timeout=60) for child in children]
        assert [out.strip() for out, _ in answers] == [MD5] * 8, answers
        assert len(server.requests) == 1
    assert names(folder) == ["a.npy"]


def test_what_a_killed_process_leaves_is_gone_on_from(folder: Path) -> None:
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


def test_whoever_waits_for_a_killed_process_goes_on_at_once(folder: Path) -> None:
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


def test_whoever_waits_for_one_without_progress_fetches_it_apart(folder: Path) -> None:
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
def test_ctrl_c_stops_at_once_and_leaves_a_part(folder: Path) -> None:
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


def test_a_download_can_be_cancelled(folder: Path) -> None:
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


def test_cancelling_one_call_leaves_the_others_alone(folder: Path) -> None:
    cancelled = threading.Event()
    with FaultServer(then=stuck_after(BODY, 60_000)) as server, ThreadPoolExecutor(2) as pool:
        server._scripts["/b.npy"] = iter([serve(BODY, drip=0.01)])
        files = downloader(server, folder)
        first = pool.submit(files.download, "a.npy", cancelled=cancelled)
        second = pool.submit(files.download, "b.npy")
        wait_for(lambda: size_of(folder / "a.npy.part") == 60_000 and size_of(folder / "b.npy.part") > 0)
        cancelled.set()
        with pytest.raises(DownloadCancelledError):
            first.result(10)
        assert second.result(10).read_bytes() == BODY
        assert server.count("/b.npy") == 1


# Progress


def shown(folder: Path, url: str, options: str) -> str:
    """Return what a download prints on a terminal."""
    import fcntl
    import pty
    import struct
    import termios

    script = f"""
        import sys
        from alyx_client.downloads.functions import http_download_file_list
        try:
            http_download_file_list(sys.argv[1:3], target_dir=sys.argv[3]{options})
        except Exception as error:
            pass
    """
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), f"{url}/a.npy", f"{url}/b.npy", str(folder)],
        cwd=ROOT,
        stderr=terminal,
        stdout=terminal,
    )
    os.close(terminal)
    seen = b""
    with contextlib.suppress(OSError):
        while more := os.read(main, 65536):
            seen += more
    child.wait(20)
    os.close(main)
    return seen.decode()


def left_on_screen(printed: str) -> str:
    """Return what a terminal shows in the end."""
    rows: dict[int, dict[int, str]] = {}
    row = column = 0
    for piece in re.split(r"(\r|\n|\x1b\[A)", printed):
        if piece == "\r":
            column = 0
        elif piece == "\n":
            row += 1
        elif piece == "\x1b[A":
            row -= 1
        else:
            rows.setdefault(row, {}).update(enumerate(piece, column))
            column += len(piece)
    return "\n".join("".join(line.values()) for line in rows.values()).strip()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_bars_are_shown_on_a_terminal_unless_silent(folder: Path) -> None:
    with FaultServer(then=serve(BODY[:50_000], drip=0.01)) as server:
        bars = shown(folder, server.url, "")
        assert "2 files" in bars
        assert "a.npy" in bars
        assert "b.npy" in bars
        assert shown(folder.with_name("silent"), server.url, ", silent=True") == ""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_bars_are_gone_after_an_error(folder: Path) -> None:
    with FaultServer(then=faults.answer(status=404, delay=0.3)) as server:
        bars = shown(folder, server.url, "")
        assert "2 files" in bars
        assert left_on_screen(bars) == ""


def test_nothing_is_printed_where_there_is_no_terminal(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with FaultServer(then=serve(BODY)) as server:
        http_download_file(f"{server.url}/a.npy", target_dir=folder)
    assert capfd.readouterr() == ("", "")


def test_a_client_that_forks_opens_connections_of_its_own(folder: Path) -> None:
    if not hasattr(os, "fork"):
        pytest.skip("no fork here")
    with FaultServer(then=serve(BODY)) as server:
        child = run(
            """
            import os, sys
            from alyx_client.downloads.functions import Downloader
            files = Downloader(None, [sys.argv[1]], folder=sys.argv[2])
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
