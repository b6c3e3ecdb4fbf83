"""What is there of a file so far: ``<name>.part``, and beside it what is needed to go on from there.

``<name>.part.json`` says which file on the server the bytes are of (its validator, its length, a digest of its address)
and, where ranges are fetched side by side, how much of each range is there. Whoever writes holds the lock
``<name>.part.lock``, which the operating system gives up when the process dies: then the next one goes on.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import hashlib
import json
import os
import re
import secrets
import sys
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from alyx_client.errors import DiskFullError, DownloadCancelledError
from alyx_client.http.log import logger, readable_size
from alyx_client.storage.lock import FileLock, LockResult

_LONGEST_NAME = 240
_POLL = 0.1
_SIGNATURE = re.compile(
    r"^(x-(amz|goog)-.*|awsaccesskeyid|googleaccessid|signature|sig|expires|policy|key-pair-id|token|access_token"
    r"|se|sp|sr|st|sv|spr|ske|skoid|sks|skt|sktid|skv)$",
    re.IGNORECASE,
)
_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})


@dataclass(frozen=True, slots=True)
class Origin:
    """Which file the bytes are of.

    Parameters
    ----------
    url
        Digest of the address, without its signature.
    etag, modified
        Its strong validators.
    length
        How many bytes are to be there in the end; None if the server did not say.
    total
        How many bytes the whole file has on the server, which is more if only some are wanted.
    """

    url: str
    etag: str | None = None
    modified: str | None = None
    length: int | None = None
    total: int | None = None

    @property
    def validator(self) -> str | None:
        """What ``If-Range`` takes."""
        return self.etag or self.modified


class PartFile:
    """The bytes of one file that are there, in the hands of one thread of one process.

    Parameters
    ----------
    target
        The file's final name.
    url
        Its address.
    shared
        Whether the next one may go on from what is left; else it is removed at the end.

    Attributes
    ----------
    origin
        Which file the bytes are of; None while there are none.
    piece_size, pieces
        Where ranges are fetched side by side: the size of each, and how many bytes are there of each.
    """

    def __init__(self, target: Path, url: str, *, shared: bool = True) -> None:
        self.target = target
        stem = _stem(target.name)
        self.path = target.with_name(f"{stem}.part" if shared else f"{stem}.{secrets.token_hex(6)}.part")
        self._notes = self.path.with_name(f"{self.path.name}.json")
        self._shared = shared
        self._digest = digest_of_url(url)
        self.origin: Origin | None = None
        self.piece_size = 0
        self.pieces: list[int] = []
        self._notes_lock = threading.Lock()
        if shared:
            self._read()

    def _read(self) -> None:
        try:
            notes = cast("dict[str, Any]", json.loads(self._notes.read_bytes()))
            origin = Origin(**notes["origin"])
            pieces, size = [int(count) for count in notes["pieces"]], int(notes["piece_size"])
            there = self.path.stat().st_size
        except (OSError, ValueError, TypeError, KeyError):
            return
        known = origin.length if origin.length is not None else there
        if origin.url != self._digest or not origin.validator or there > known:
            return
        if pieces and (size <= 0 or len(pieces) != -(-known // size)):
            return
        self.origin, self.pieces, self.piece_size = origin, pieces, size

    @property
    def received(self) -> int:
        """How many bytes are there."""
        if self.pieces:
            return sum(self.pieces)
        if self.origin is None:
            return 0
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def start(self, origin: Origin) -> None:
        """Start anew with the bytes of this file."""
        # First the bytes, then what they are of: whoever is killed in between leaves an empty part.
        with disk_errors(self.target, lambda: origin.length):
            with open(self.path, "wb"):
                pass
            self.origin = dataclasses.replace(origin, url=self._digest)
            self.pieces, self.piece_size = [], 0
            self.note()

    def divide(self, size: int) -> None:
        """Record from now on how much is there of each range of ``size`` bytes."""
        assert self.origin is not None
        assert self.origin.length is not None
        there = self.received
        count = -(-self.origin.length // size)
        self.pieces = [max(0, min(size, there - index * size)) for index in range(count)]
        self.piece_size = size
        self.note()

    def note(self) -> None:
        """Write down what the bytes are of, if that can help the next one."""
        if not self._shared or self.origin is None or not self.origin.validator:
            with contextlib.suppress(OSError):
                self._notes.unlink()
            return
        unfinished = self._notes.with_name(f"{self._notes.name}~")
        with self._notes_lock, disk_errors(self.target):
            notes = {"origin": asdict(self.origin), "piece_size": self.piece_size, "pieces": self.pieces}
            unfinished.write_text(json.dumps(notes), encoding="utf-8")
            replace(unfinished, self._notes)

    def finish(self) -> None:
        """Give the bytes their final name."""
        replace(self.path, self.target)
        self.drop()

    def drop(self) -> None:
        """Remove the bytes and what was noted about them."""
        self.origin, self.pieces = None, []
        for path in (self.path, self._notes):
            with contextlib.suppress(OSError):
                path.unlink()

    def leave(self) -> None:
        """Leave what is there to the next one, if that can go on from it."""
        if not self._shared or self.origin is None or not self.origin.validator:
            self.drop()


@contextlib.contextmanager
def claimed(target: Path, stop: threading.Event, patience: float) -> Generator[bool]:
    """Hold the right to write a file's part: one thread of one process has it, and the others wait.

    They wait as long as the part grows. Where it does not for ``patience`` seconds, or the file system has no locks, a
    part with a name of its own is used, which nobody else can go on from.

    Yields
    ------
    bool
        Whether the part is shared.
    """
    stem = _stem(target.name)
    lock, part = FileLock(target.with_name(f"{stem}.part.lock")), target.with_name(f"{stem}.part")
    seen, until = None, time.monotonic() + patience
    while (result := lock.acquire()) is LockResult.BUSY:
        if stop.wait(_POLL):
            raise cancelled()
        now = _state(part)
        if now != seen:
            seen, until = now, time.monotonic() + patience
        elif time.monotonic() > until:
            logger.info("another process has been at %s for long without progress: it is fetched apart", part)
            break
    try:
        yield result is LockResult.ACQUIRED
    finally:
        lock.release()


def cancelled() -> DownloadCancelledError:
    """Make the error for a download that was given up."""
    return DownloadCancelledError("The download was cancelled; what was fetched is kept, to go on from there.")


@contextlib.contextmanager
def disk_errors(target: Path, needed: Callable[[], int | None] = lambda: None) -> Generator[None]:
    """Raise DiskFullError where the system says that there is no space.

    Parameters
    ----------
    target
        The file.
    needed
        Tells how many bytes more it needs; None if that is not known.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, DiskFullError) or error.errno not in _FULL:
            raise
        raise disk_full(target, needed(), None) from error


def disk_full(target: Path, needed: int | None, free: int | None) -> DiskFullError:
    """Make the error for a full disk.

    Parameters
    ----------
    target
        The file.
    needed, free
        Bytes that it needs yet and that there are; None if that is not known.
    """
    wanted = "" if needed is None else f": it needs {readable_size(needed)} more"
    there = "" if free is None else f", and {readable_size(free)} are free"
    error = DiskFullError(
        f"There is too little space in {target.parent} for {target.name}{wanted}{there}. Make room there, or choose "
        "another target_dir, and start the download again: it goes on from what is there."
    )
    error.errno = errno.ENOSPC
    error.filename = str(target)
    return error


def write_all(file: FileIO, content: bytes | memoryview) -> None:
    """Write all of it: a disk that is nearly full takes a part, and only then says so."""
    written = file.write(content)
    while written < len(content):
        content = memoryview(content)[written:]
        written = file.write(content)


def digest_of_url(url: str) -> str:
    """Return a digest of an address that is the same whenever it was signed, and does not show the signature."""
    parts = urlsplit(url)
    pairs = [pair for pair in parts.query.split("&") if pair and not _SIGNATURE.match(pair.partition("=")[0])]
    return hashlib.sha256(f"{parts.scheme}://{parts.netloc}{parts.path}?{'&'.join(pairs)}".encode()).hexdigest()


def replace(source: Path, target: Path) -> None:
    """Rename; Windows refuses that for the moment in which another process reads the target."""
    for _ in range(20 if sys.platform == "win32" else 0):
        try:
            return os.replace(source, target)
        except PermissionError:
            time.sleep(0.05)
    return os.replace(source, target)


def _stem(name: str) -> str:
    if len(name.encode()) <= _LONGEST_NAME - 20:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    return f"{name.encode()[: _LONGEST_NAME - 40].decode('utf-8', 'ignore')}.{digest}"


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
