"""A partial download (``<name>.part``) and the metadata to resume it (``<name>.part.json``).

The metadata says which version of which remote file the bytes belong to (validator, length, digest of the URL) and,
for a file that is fetched in segments, how many bytes of each segment have arrived. The writer holds the lock
``<name>.part.lock`` (see `part_lock`), which the operating system releases when the process dies: the next one resumes.

The metadata never counts bytes that a power cut could take: they are on the disk before it is written. What was
written since then is still there if the process died, but perhaps not if the computer did.

A file of one of these names that has no such metadata is the user's own: it is left alone, and the download is written
to a file of another name, which cannot be resumed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from alyx_client.downloads.disk import disk_errors
from alyx_client.downloads.names import part_name
from alyx_client.http.json_body import as_object, is_array, parse_json
from alyx_client.http.log import logger
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.storage.atomic import boot_id, replace_file, sync_file
from alyx_client.storage.file_system import read_regular_file

_BLOCK = 2**20
# Query parameters of signed URLs (S3, Google, CloudFront, Azure): they differ each time the same file is signed.
_SIGNATURE_PARAMETER = re.compile(
    r"^(x-(amz|goog)-.*|awsaccesskeyid|googleaccessid|signature|sig|expires|policy|key-pair-id|token|access_token"
    r"|se|sp|sr|st|sv|spr|ske|skoid|sks|skt|sktid|skv)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class FileVersion:
    """One version of a remote file, as far as its server identifies it.

    Parameters
    ----------
    url_digest
        Digest of the URL without its signature.
    etag, modified
        Strong validators.
    length
        Number of bytes to download; None if the server did not say.
    total
        Number of bytes of the remote file, which is more than `length` if only a range is wanted.
    """

    url_digest: str = ""
    etag: str | None = None
    modified: str | None = None
    length: int | None = None
    total: int | None = None

    @property
    def validator(self) -> str | None:
        """The value of ``If-Range``; None if the version cannot be told from others, so that it cannot be resumed."""
        return self.etag or self.modified


class PartFile:
    """A partial download, written by one thread of one process at a time.

    Parameters
    ----------
    target
        The file's final path.
    url
        The file's URL.
    infix
        The infix of the partial download whose lock the caller holds; with None, a file of its own is used, which is
        removed in the end and cannot be resumed.

    Attributes
    ----------
    version
        The version that the bytes belong to; None if there are none.
    segment_size, segment_bytes
        Size of the segments, and number of bytes received of each; empty unless the file is fetched in segments.
    """

    def __init__(self, target: Path, url: str, *, infix: str | None = "") -> None:
        self.target = target
        self.version: FileVersion | None = None
        self.segment_size = 0
        self.segment_bytes: list[int] = []
        self._is_finished = False
        self._metadata_lock = threading.Lock()
        self._url_digest = digest_of_url(url)
        # Beside the target, so that the final rename stays within one file system.
        self.path = target.with_name(part_name(target.name, infix or ""))
        self._metadata = _metadata_path(self.path)
        self._foreign_path: Path | None = None
        shared = infix is not None
        metadata: Mapping[str, object] = _read_metadata(self._metadata) if shared else {}
        if metadata:
            self._load(metadata)
        elif shared and (self.path.exists() or self._metadata.exists()):
            logger.info("%s is no partial download that can be resumed: the file is fetched separately", self.path)
            self._foreign_path, shared = self.path, False
        self._shared = shared
        if not shared:
            self.path = target.with_name(part_name(target.name, f".{secrets.token_hex(6)}"))
            self._metadata = _metadata_path(self.path)

    def _load(self, metadata: Mapping[str, object]) -> None:
        try:
            version = _read_version(as_object(metadata.get("origin")))
            segment_bytes, size = _read_segments(metadata)
            synced, same_boot = metadata["synced"], metadata["boot"] == boot_id()
            if not isinstance(synced, int):
                return
            on_disk = self.path.stat().st_size
            # More bytes than the file has, fewer than were on the disk already, or another number of segments:
            # something else wrote to the file.
            length = version.length if version.length is not None else on_disk
            if version.url_digest != self._url_digest or not version.validator or not synced <= on_disk <= length:
                return
            if segment_bytes and (size <= 0 or len(segment_bytes) != -(-length // size)):
                return
            if not segment_bytes and not same_boot:
                os.truncate(self.path, synced)
        except (OSError, ValueError, TypeError, KeyError):
            return  # missing, or of another format: the download starts over
        self.version, self.segment_bytes, self.segment_size = version, segment_bytes, size

    @property
    def received(self) -> int:
        """Number of bytes received so far."""
        if self.segment_bytes:
            return sum(self.segment_bytes)
        if self.version is None:
            return 0
        return self._size()

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    @property
    def resumable(self) -> bool:
        """True if another call can resume from the bytes received so far."""
        return self._shared and self.version is not None and self.version.validator is not None

    def start(self, version: FileVersion) -> None:
        """Start over, with the bytes of a version."""
        with disk_errors(self.target, lambda: version.length):
            # The bytes are emptied before the metadata changes: a process killed in between leaves an empty part,
            # never the bytes of one version under the validator of another.
            exists = self.path.exists()
            if exists:
                os.truncate(self.path, 0)
            self.version = replace(version, url_digest=self._url_digest)
            self.segment_bytes, self.segment_size = [], 0
            self.save()
            if not exists:
                # After its metadata, since a part without is taken for the user's own file; a file that appeared
                # meanwhile is one.
                with open(self.path, "xb"):
                    pass

    def divide(self, size: int) -> None:
        """Record the bytes received per segment of `size` bytes from now on."""
        assert self.version is not None
        assert self.version.length is not None
        received = self.received
        count = -(-self.version.length // size)
        self.segment_bytes = [max(0, min(size, received - index * size)) for index in range(count)]
        self.segment_size = size
        self.save()

    def save(self) -> None:
        """Write the metadata, once the bytes it counts are on the disk."""
        version = self.version
        if not self._shared or version is None:
            return
        origin = {
            "url": version.url_digest,
            "etag": version.etag,
            "modified": version.modified,
            "length": version.length,
            "total": version.total,
        }
        unfinished = self._metadata.with_name(f"{self._metadata.name}~")
        with self._metadata_lock, disk_errors(self.target):
            # Counted before they are synced, since other threads write meanwhile.
            segment_bytes, synced = list(self.segment_bytes), self._size()
            if synced:
                sync_file(self.path)
            # "pieces" are the segments.
            metadata = {
                "origin": origin,
                "piece_size": self.segment_size,
                "pieces": segment_bytes,
                "synced": synced,
                "boot": boot_id(),
            }
            unfinished.write_text(json.dumps(metadata), encoding="utf-8")
            replace_file(unfinished, self._metadata)

    def finish(self) -> None:
        """Rename the file to its final name."""
        # A file under its final name is trusted from now on, also after a power cut.
        sync_file(self.path)
        replace_file(self.path, self.target)
        self._remove(self._metadata)
        self._is_finished = True
        if self._foreign_path and _begins_with(self.target, self._foreign_path):
            # It was an earlier partial download, whose metadata is lost: nothing is in it that is not in the file.
            for path in (self._foreign_path, _metadata_path(self._foreign_path)):
                with contextlib.suppress(OSError):
                    path.unlink()

    def discard(self) -> None:
        """Remove the bytes and their metadata."""
        self._remove(self.path, self._metadata)

    def _remove(self, *paths: Path) -> None:
        self.version, self.segment_bytes = None, []
        for path in paths:
            with contextlib.suppress(OSError):
                path.unlink()

    def close(self) -> None:
        """Keep the bytes for the next call if it can resume from them; otherwise remove them."""
        if self._is_finished:
            return
        if not self.resumable:
            self.discard()
        else:
            # Whatever ended the download is the error to raise: the metadata of the last save holds, too.
            with contextlib.suppress(OSError):
                self.save()


def _read_version(origin: Mapping[str, object]) -> FileVersion:
    url_digest, etag, modified = (origin.get(name) for name in ("url", "etag", "modified"))
    length, total = (origin.get(name) for name in ("length", "total"))
    if (
        not isinstance(url_digest, str)
        or not (isinstance(etag, str | None) and isinstance(modified, str | None))
        or not (isinstance(length, int | None) and isinstance(total, int | None))
    ):
        raise ValueError("not the version of a file")
    return FileVersion(url_digest, etag, modified, length, total)


def _read_segments(metadata: Mapping[str, object]) -> tuple[list[int], int]:
    counts, size = metadata.get("pieces"), metadata.get("piece_size")
    if not is_array(counts) or not isinstance(size, int):
        raise ValueError("not the segments of a file")
    segment_bytes = [count for count in counts if isinstance(count, int) and 0 <= count <= size]
    if len(segment_bytes) != len(counts):
        raise ValueError("not the segments of a file")
    return segment_bytes, size


def _metadata_path(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _read_metadata(path: Path) -> Mapping[str, object]:
    """Return metadata, of whichever version of the format; empty if there is none, or it is another file."""
    try:
        metadata = as_object(parse_json(read_regular_file(path)))
    except (OSError, ValueError):
        return {}
    return metadata if "url" in as_object(metadata.get("origin")) else {}


def _begins_with(file: Path, beginning: Path) -> bool:
    """Return whether a file begins with the bytes of another, which has some but not all."""
    try:
        with open(file, "rb") as whole, open(beginning, "rb") as part:
            if not 0 < os.fstat(part.fileno()).st_size < os.fstat(whole.fileno()).st_size:
                return False
            while block := part.read(_BLOCK):
                if whole.read(len(block)) != block:
                    return False
            return True
    except OSError:
        return False


def digest_of_url(url: str) -> str:
    """Return a digest of a URL without its signature.

    A URL has the same digest each time it is signed, and metadata on a shared disk does not reveal the signature.
    """
    parts = urlsplit(url)
    query = "&".join(
        pair for pair in parts.query.split("&") if pair and not _SIGNATURE_PARAMETER.match(pair.partition("=")[0])
    )
    return hashlib.sha256(f"{parts.scheme}://{parts.netloc}{parts.path}?{query}".encode()).hexdigest()
