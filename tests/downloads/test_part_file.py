"""Partial downloads and their metadata on the disk, without a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alyx_client.downloads.part_file import FileVersion, PartFile, digest_of_url
from alyx_client.downloads.segments import Segments
from tests.downloads.support import names

URL = "https://data.example.org/a.npy"
# A range of 100 bytes of a file of 250.
VERSION = FileVersion(digest_of_url(URL), '"tag"', None, 100, 250)


@pytest.fixture
def target(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder / "a.npy"


def part_of(target: Path, received: int = 40, version: FileVersion = VERSION, segment: int = 0) -> PartFile:
    """Leave the part of a download that was interrupted."""
    part = PartFile(target, URL)
    part.start(version)
    part.path.write_bytes(bytes(received))
    if segment:
        part.divide(segment)
    part.close()
    return part


@pytest.mark.parametrize(
    "version",
    [
        VERSION,
        FileVersion(VERSION.url_digest, None, "Wed, 01 Jan 2020 00:00:00 GMT", 100, None),
        FileVersion(VERSION.url_digest, '"tag"', None, None, None),
    ],
)
def test_next_download_has_the_version_and_the_bytes_of_the_last_one(target: Path, version: FileVersion) -> None:
    part_of(target, version=version)
    part = PartFile(target, URL)
    assert (part.version, part.received, part.resumable) == (version, 40, True)


def test_next_download_has_the_segments_of_the_last_one(target: Path) -> None:
    part_of(target, segment=30)
    part = PartFile(target, URL)
    assert (part.version, part.segment_size, part.segment_bytes) == (VERSION, 30, [30, 10, 0, 0])
    assert part.received == 40


@pytest.mark.parametrize(
    "change",
    [
        {"synced": "40"}, {"synced": 41}, {"synced": None}, {"pieces": None}, {"pieces": [30, 10, 0]},
        {"pieces": [30, 10, 0, "0"]}, {"pieces": [31, 10, 0, 0]}, {"pieces": [30, -1, 0, 0]}, {"piece_size": "30"},
        {"piece_size": 0, "pieces": [0, 0]}, {"piece_size": 29}, {"url": "another"}, {"etag": None}, {"etag": 1},
        {"modified": 1}, {"length": 39}, {"length": "100"}, {"total": "250"},
    ],
)  # fmt: skip
def test_metadata_that_do_not_fit_the_bytes_start_the_download_over(target: Path, change: dict[str, Any]) -> None:
    metadata = part_of(target, segment=30).path.with_name("a.npy.part.json")
    state = json.loads(metadata.read_text())
    for name, value in change.items():
        (state if name in state else state["origin"])[name] = value
    metadata.write_text(json.dumps(state))
    part = PartFile(target, URL)
    assert (part.version, part.received, part.segment_bytes, part.resumable) == (None, 0, [], False)


def test_bytes_of_a_file_without_a_validator_are_removed(target: Path) -> None:
    part_of(target, version=FileVersion(length=100))
    assert names(target.parent) == []


def test_part_that_is_not_shared_has_no_metadata_and_is_removed(target: Path) -> None:
    part = PartFile(target, URL, infix=None)
    part.start(VERSION)
    assert len({part.path, PartFile(target, URL).path, PartFile(target, URL, infix=None).path}) == 3
    assert names(target.parent) == [part.path.name]
    assert not part.resumable
    part.close()
    assert names(target.parent) == []


def test_finished_download_leaves_the_next_ones_part_alone(target: Path) -> None:
    part = PartFile(target, URL)
    part.start(VERSION)
    part.finish()
    following = PartFile(target, URL)
    following.start(VERSION)
    part.close()
    assert names(target.parent) == ["a.npy", "a.npy.part", "a.npy.part.json"]


@pytest.mark.parametrize(
    ("own", "is_removed"), [(b"begin", True), (b"other", False), (b"", False), (b"begin and end", False)]
)
def test_file_without_metadata_is_removed_only_if_all_its_bytes_are_in_the_download(
    target: Path, own: bytes, is_removed: bool
) -> None:
    target.with_name("a.npy.part").write_bytes(own)
    part = PartFile(target, URL)
    part.start(VERSION)
    part.path.write_bytes(b"begin and end")
    part.finish()
    part.close()
    assert names(target.parent) == (["a.npy"] if is_removed else ["a.npy", "a.npy.part"])


@pytest.mark.parametrize("changed", ["Signature", "X-Amz-Date", "X-Goog-Expires", "se", "token"])
def test_signature_is_no_part_of_the_url(changed: str) -> None:
    assert digest_of_url(f"{URL}?{changed}=YQ==&version=2") == digest_of_url(f"{URL}?version=2&{changed.lower()}=3")


@pytest.mark.parametrize("other", [f"{URL}?version=2", URL.replace("https", "http"), URL.replace("a.npy", "b/a.npy"),
                                   URL.replace("data.", ""), f"{URL}?design=1", f"{URL}?versions=1"])  # fmt: skip
def test_other_urls_are_of_other_files(other: str) -> None:
    assert len({digest_of_url(url) for url in (URL, f"{URL}?version=1", other)}) == 3


def segments_of(target: Path, received: list[int]) -> Segments:
    part = PartFile(target, URL)
    part.start(VERSION)
    part.divide(30)
    part.segment_bytes[:] = received
    return Segments(part)


@pytest.mark.parametrize(
    ("received", "starts", "gap_ends", "first", "last"),
    [
        ([0, 0, 0, 0], [0, 30, 60, 90], [100, 100, 100, 100], 0, 3),
        ([30, 5, 0, 10], [30, 35, 60, 100], [30, 90, 90, 100], 1, 2),
        ([10, 30, 0, 0], [10, 60, 60, 90], [30, 100, 100, 100], 0, 3),
        ([30, 30, 30, 10], [30, 60, 90, 100], [30, 60, 90, 100], None, None),
    ],
)
def test_missing_bytes_of_segments(
    target: Path, received: list[int], starts: list[int], gap_ends: list[int], first: int | None, last: int | None
) -> None:
    segments = segments_of(target, received)
    assert [segments.start(index) for index in range(4)] == starts
    assert [segments.end(index) for index in range(4)] == [30, 60, 90, 100]
    assert segments.finished == (first is None)
    assert [segments.gap_end(index) for index in range(4)] == gap_ends
    for backwards, expected in ((False, first), (True, last)):
        lease = segments_of(target, received).lease(backwards=backwards)
        assert (lease and lease.index) == expected


def test_segment_has_one_thread_at_a_time(target: Path) -> None:
    segments = segments_of(target, [30, 5, 0, 0])
    first, last = segments.lease(), segments.lease(backwards=True)
    assert first is not None
    assert last is not None
    assert (first.index, first.start, first.end, last.index) == (1, 35, 60, 3)
    # The empty ones between two threads belong to the gap of the first, which takes them in turn.
    assert segments.gap_end(1) == 90
    assert first.advance()
    assert not first.advance()
    assert segments.gap_end(first.index) == 90
    taken = segments.lease()
    assert taken is not None
    assert taken.index == 1
    assert segments.lease() is None
    with last:
        pass
    again = segments.lease()
    assert again is not None
    assert again.index == 3
    segments.close()
