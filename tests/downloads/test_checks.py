"""Responses without length, encoded, empty, wrong or refused."""

from __future__ import annotations

import gzip
import hashlib
import pickle
import socket
from pathlib import Path

import pytest

from alyx_client import AsyncAlyxClient
from alyx_client.errors import (
    AlyxHTTPError,
    AlyxNoticeWarning,
    AuthenticationError,
    ChecksumError,
    IncompleteDownloadError,
    NotFoundError,
    PermissionDeniedError,
    RangeNotSatisfiableError,
    ServerError,
    UnexpectedAnswerError,
)
from tests import faults
from tests.download_faults import chunked, content, gzipped, serve, tag, until_closed
from tests.downloads.support import BODY, MD5, downloader, names
from tests.faults import FaultServer


def test_file_without_content_length_is_received(folder: Path) -> None:
    for name, step in {"a": until_closed(BODY), "b": chunked(BODY), "c": until_closed(b"")}.items():
        with FaultServer(then=step) as server:
            assert downloader(server, folder).download(name).read_bytes() == (b"" if name == "c" else BODY)


@pytest.mark.parametrize("length", ["5", "0", str(len(BODY)), "99999999"])
@pytest.mark.parametrize("etag", [None, '"v1"'])
def test_content_length_beside_transfer_encoding_counts_for_nothing(
    length: str, etag: str | None, folder: Path
) -> None:
    step = chunked(BODY, etag=etag, headers={"Content-Length": length, "Accept-Ranges": "bytes"})
    cut = chunked(BODY, etag=etag, headers={"Content-Length": length}, cut_at=5)
    with FaultServer([cut], then=step) as server:
        files = downloader(server, folder)
        assert files.download("a.npy").read_bytes() == BODY
        assert files.download("a.npy", verify=True).read_bytes() == BODY
        record = {"data_url": f"{server.url}/b.npy", "file_size": len(BODY), "hash": MD5}
        assert files.download(record).read_bytes() == BODY
        assert files.download("a.npy", chunks=(10, 50)).read_bytes() == BODY[10:60]


def test_body_without_length_is_compared_with_record(folder: Path) -> None:
    with FaultServer(then=until_closed(BODY[:500])) as server:
        for record in ({"file_size": len(BODY)}, {"hash": MD5}):
            with pytest.raises((IncompleteDownloadError, ChecksumError)):
                downloader(server, folder).download({"data_url": f"{server.url}/a.npy", **record})
    assert names(folder) == []


def test_gzip_encoding_may_have_several_members_and_be_damaged(folder: Path) -> None:
    encoded = gzip.compress(BODY[:40_000]) + gzip.compress(BODY[40_000:])
    damaged = encoded[:1000] + bytes(1000) + encoded[2000:]
    headers = {"Content-Encoding": "gzip"}
    with FaultServer(
        [faults.response(damaged, headers=headers)], then=faults.response(encoded, headers=headers)
    ) as server:
        assert downloader(server, folder).download("a.npy").read_bytes() == BODY
        assert len(server.requests) == 2


def test_gzip_encoding_is_undone_unless_file_is_gz(folder: Path) -> None:
    with FaultServer(then=gzipped(BODY)) as server:
        files = downloader(server, folder)
        source = {"data_url": f"{server.url}/a.npy", "file_size": len(BODY), "hash": MD5}
        assert files.download(source).read_bytes() == BODY
        assert gzip.decompress(files.download("b.nii.gz").read_bytes()) == BODY
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


def test_empty_file_is_downloaded(folder: Path) -> None:
    with FaultServer(then=serve(b"")) as server:
        path, md5 = downloader(server, folder).download(
            {"data_url": f"{server.url}/a.npy", "file_size": 0}, return_md5=True
        )
        assert (path.read_bytes(), md5) == (b"", hashlib.md5(b"").hexdigest())


def test_wrong_hash_is_an_error_and_nothing_is_resumed(folder: Path) -> None:
    other = content(len(BODY), b"other")
    with FaultServer([serve(other)], then=serve(BODY)) as server:
        source = {"data_url": f"{server.url}/a.npy?sig=s3cret", "file_size": len(BODY), "hash": MD5}
        with pytest.raises(ChecksumError, match=MD5) as raised:
            downloader(server, folder).download(source)
        assert "s3cret" not in str(raised.value)
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
def test_error_status_raises_error_by_meaning(status: int, kind: type[AlyxHTTPError], folder: Path) -> None:
    page = b"<Error><StringToSign>s3cret</StringToSign></Error>" if status not in {204, 304} else b""
    with FaultServer(then=faults.response(page, status=status)) as server:
        with pytest.raises(kind) as raised:
            downloader(server, folder).download(f"{server.url}/lab/a.npy?sig=s3cret")
        error = raised.value
        # A data server's 500 may be gone at the next attempt.
        assert (error.status_code, len(server.requests)) == (status, 4 if status == 500 else 1)
        assert str(error).startswith(f"The data server {server.url.partition('//')[2]} ")
        assert f"status {status}" in str(error)
        for word in ("Alyx", "endpoint", "token", "django="):
            assert word not in str(error)
        assert f"{server.url}/lab/a.npy" in str(error)
        assert "s3cret" not in repr(error.__dict__)
        if status in {401, 403}:
            assert "HTTP_DATA_SERVER_LOGIN" in str(error)
            assert "No login was sent" in str(error)
            with pytest.raises(kind, match="login that was sent"):
                downloader(server, folder).download(f"{server.url}/lab/a.npy", username="me", password="wrong")
        assert isinstance(pickle.loads(pickle.dumps(error)), kind)
    assert names(folder) == []


def endless(fields: dict[str, str], sent: list[int], *, gzipped: bool = False) -> faults.Step:
    """Send a body in chunks until the client closes the connection, or it is a hundred megabytes."""
    block = gzip.compress(bytes(2**20)) if gzipped else bytes(2**16)

    def step(request: faults.Received, connection: socket.socket) -> bool:
        status = 206 if "Content-Range" in fields and "range" in request.headers else 200
        connection.sendall(faults.response_head(status, {"Transfer-Encoding": "chunked", **fields}))
        sent.append(0)
        while sent[-1] < 100 * 2**20:
            connection.sendall(f"{len(block):x}\r\n".encode() + block + b"\r\n")
            sent[-1] += len(block)
        return False

    return step


@pytest.mark.parametrize("digest", [None, MD5])
@pytest.mark.parametrize("gzipped", [False, True])
def test_body_longer_than_record_is_not_received(digest: str | None, gzipped: bool, folder: Path) -> None:
    sent: list[int] = []
    fields = {"Content-Encoding": "gzip"} if gzipped else {}
    with FaultServer(then=endless(fields, sent, gzipped=gzipped)) as server:
        source = {"data_url": f"{server.url}/a.npy", "file_size": 1000, "hash": digest}
        with pytest.raises(IncompleteDownloadError, match="record says 1000"):
            downloader(server, folder).download(source)
        assert len(server.requests) == 1
    assert len(sent) == 1
    assert sent[0] < 50 * 2**20
    assert names(folder) == []


def test_range_longer_than_server_announced_is_not_received(folder: Path) -> None:
    sent: list[int] = []
    fields = {"ETag": tag(BODY), "Content-Range": f"bytes 30000-{len(BODY) - 1}/{len(BODY)}"}
    with FaultServer([serve(BODY, close_after=30_000), endless(fields, sent)], then=serve(BODY)) as server:
        assert downloader(server, folder).download("a.npy").read_bytes() == BODY
        assert server.count("/a.npy") == 3
    assert sent[0] < 50 * 2**20
    assert names(folder) == ["a.npy"]


@pytest.mark.parametrize("size", [1, len(BODY) - 1, len(BODY) + 1, 10**12])
def test_hash_of_record_counts_more_than_its_size(size: int, folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as server:
        source = {"data_url": f"{server.url}/a.npy", "file_size": size, "hash": MD5}
        files = downloader(server, folder)
        with pytest.warns(AlyxNoticeWarning, match=f"{len(BODY)} bytes instead of {size}") as caught:
            assert files.download(source).read_bytes() == BODY
        assert [warning.filename for warning in caught if warning.category is AlyxNoticeWarning] == [__file__]
        assert files.download(source, verify=True).read_bytes() == BODY
        assert len(server.requests) == 1
        with pytest.raises(ChecksumError):
            files.download({**source, "hash": "0" * 32})
        with pytest.raises(IncompleteDownloadError):
            files.download({**source, "hash": "of another kind"}, clobber=True)
    assert names(folder) == ["a.npy"]


async def test_warning_of_an_asynchronous_download_points_at_the_users_line(folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as server:
        source = {"data_url": f"{server.url}/a.npy", "file_size": 1, "hash": MD5}
        async with AsyncAlyxClient(server.url, token="t", data_server=server.url, cache_dir=folder) as client:
            with pytest.warns(AlyxNoticeWarning, match="instead of 1") as caught:
                await client.download_file(source, silent=True)
    assert [warning.filename for warning in caught if warning.category is AlyxNoticeWarning] == [__file__]
