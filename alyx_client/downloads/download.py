"""One file's download: asking, going on after an interruption, checking, and only then giving the file its name."""

from __future__ import annotations

import hashlib
import re
import shutil
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

from alyx_client.downloads.file_requests import Answer, FileRequests, Job
from alyx_client.downloads.parallel import copy, help_with
from alyx_client.downloads.part_file import Origin, PartFile, cancelled, claimed, disk_errors, disk_full, write_all
from alyx_client.downloads.response_headers import unpacked
from alyx_client.downloads.segments import SMALLEST, Claim, Pieces, piece_size
from alyx_client.errors import (
    AlyxError,
    AlyxHTTPError,
    ChecksumError,
    IncompleteDownloadError,
    RangeNotSatisfiableError,
)
from alyx_client.http.failure import Unanswered
from alyx_client.http.log import logger
from alyx_client.http.retry import Retries

_MAX_CHANGES = 3
_AGAIN = frozenset({429, 502, 503, 504})
_BLOCK = 2**20
_ALGORITHMS = {32: "md5", 40: "sha1", 64: "sha256"}
_PATIENCE = 120.0

Invite = Callable[[Callable[[], None]], None]


class Download:
    """Takes one job to its end.

    Parameters
    ----------
    requests
        Asks for the job's file.
    retries
        How often and how patiently to try again; the count starts anew when there was progress.
    stop
        Set when the download is to be given up.
    invite
        Asks other threads to help; None if there are none.

    Attributes
    ----------
    total
        How many bytes there will be; None if that is not known.
    active, ended
        Whether it is under way, and whether it has come to an end.
    md5
        The file's MD5, if it was wanted.
    """

    def __init__(
        self, requests: FileRequests, retries: Retries, stop: threading.Event, invite: Invite | None = None
    ) -> None:
        self.job: Job = requests.job
        self.total = self.job.size if self.job.count is None else self.job.count
        self.active = self.ended = False
        self.md5: str | None = None
        self._requests = requests
        self._retries = retries
        self._stop = stop
        self._invite = invite
        self._received = 0
        self._pieces: Pieces | None = None
        self._invited = False
        self._without_ranges = False

    @property
    def received(self) -> int:
        """How many bytes are there."""
        pieces = self._pieces
        return pieces.part.received if pieces else self._received

    def run(self) -> Path:
        """Download the file, unless it is there.

        Raises
        ------
        AlyxError
            By its meaning; then there is nothing new under the final name.
        OSError
            It cannot be written.
        """
        job = self.job
        self.active = True
        try:
            if not job.clobber and self._is_there():
                return self._taken()
            job.target.parent.mkdir(parents=True, exist_ok=True)
            with claimed(job.target, self._stop, self._requests.streams.timeout.read or _PATIENCE) as shared:
                # Another process or thread may have fetched it meanwhile.
                if not job.clobber and self._is_there():
                    return self._taken()
                self._fetch(PartFile(job.target, job.url, shared=shared))
            return job.target
        finally:
            self.active, self.ended = False, True

    def _taken(self) -> Path:
        logger.debug("%s is there already", self.job.target)
        if self.job.want_md5 and self.md5 is None:
            self._hash(self.job.target, "md5")
        return self.job.target

    def _is_there(self) -> bool:
        job = self.job
        try:
            size = job.target.stat().st_size
        except FileNotFoundError:
            return False
        if job.target.is_dir():
            raise IsADirectoryError(f"{job.target} is a folder, so that no file can have this name.")
        if job.count is not None:
            return size == job.count
        if job.size is not None and size != job.size:
            return False
        algorithm = self._algorithm()
        if algorithm and (job.verify or job.size is None):
            return self._hash(job.target, algorithm) == str(job.digest).lower()
        if job.verify and job.size is None:
            with self._requests.open() as answer:
                return answer.offer.total in {None, size}
        return True

    def _algorithm(self) -> str | None:
        digest = self.job.digest
        if not digest:
            return None
        algorithm = _ALGORITHMS.get(len(digest)) if re.fullmatch("[0-9a-fA-F]+", digest) else None
        if algorithm is None:
            logger.debug("the hash of %s is of an unknown kind and is not compared", self.job.target.name)
        return algorithm

    def _hash(self, path: Path, algorithm: str) -> str:
        digest = hashlib.new(algorithm, usedforsecurity=False)
        with open(path, "rb") as file:
            while block := file.read(_BLOCK):
                if self._stop.is_set():
                    raise cancelled()
                digest.update(block)
        found = digest.hexdigest()
        if algorithm == "md5":
            self.md5 = found
        return found

    def _fetch(self, part: PartFile) -> None:
        try:
            self._try(part)
            self._check(part)
            with disk_errors(self.job.target):
                part.finish()
        finally:
            self._close_pieces()
            part.leave()

    def _close_pieces(self) -> None:
        pieces, self._pieces = self._pieces, None
        if pieces:
            self._received, self._invited = pieces.part.received, False
            pieces.close()
            if pieces.part.origin:
                pieces.part.note()

    def _check(self, part: PartFile) -> None:
        job = self.job
        # What is on the disk is what counts, not what came: it is read again.
        self.md5 = None
        algorithm = self._algorithm() if job.count is None else None
        size = part.path.stat().st_size
        if job.count is None and job.size is not None and size != job.size:
            part.drop()
            raise self._wrong_size(size)
        found = self._hash(part.path, algorithm) if algorithm else None
        if found is not None and found != str(job.digest).lower():
            part.drop()
            raise ChecksumError(
                f"{job.shown} came with the {algorithm} {found}, but its record says {job.digest}. Nothing was kept. "
                "Try again; if it comes the same way, the file or the record is wrong on the server.",
                method="GET",
                url=job.shown,
            )
        if job.want_md5 and self.md5 is None:
            self._hash(part.path, "md5")

    def _wrong_size(self, size: int) -> IncompleteDownloadError:
        return IncompleteDownloadError(
            f"{self.job.shown} has {size} bytes on the server, but its record says {self.job.size}: the file or the "
            "record is wrong there. Nothing was kept.",
            method="GET",
            url=self.job.shown,
        )

    def _try(self, part: PartFile) -> None:
        failures, most, origin, changes = 0, part.received, part.origin, 0
        while (error := self._attempt_once(part)) is not None:
            if origin is not None and part.origin is not None and origin != part.origin:
                changes, most = changes + 1, 0
                if changes > _MAX_CHANGES:
                    raise self._changing(changes) from error
            origin, received = part.origin or origin, part.received
            if received > most:
                failures, most = 0, received
            failures += 1
            seconds = self._retries.wait(failures, error.retry_after) if failures < self._retries.tries else None
            if seconds is None:
                raise error
            logger.info("trying again in %.1f s: %s", seconds, error)
            if self._stop.wait(seconds):
                raise cancelled()

    def _changing(self, changes: int) -> IncompleteDownloadError:
        return IncompleteDownloadError(
            f"{self.job.shown} changed on the server {changes} times while it was downloaded. Try again when it is "
            "finished there.",
            method="GET",
            url=self.job.shown,
        )

    def _attempt_once(self, part: PartFile) -> AlyxError | None:
        """Try once; returns what went wrong if another try may help."""
        try:
            with disk_errors(self.job.target, lambda: self.total and self.total - part.received):
                if part.pieces and not self._without_ranges:
                    self._attempt_pieces(part)
                else:
                    self._attempt(part)
        except Unanswered as error:
            if self._stop.is_set():
                raise cancelled() from error
            if not error.retryable:
                raise error.error from error
            return error.error
        except AlyxHTTPError as error:
            if error.status_code not in _AGAIN:
                raise
            return error
        return None

    def _attempt(self, part: PartFile) -> None:
        """Fetch the file, or what follows on what is there, from one answer; a large one is divided."""
        job, origin = self.job, part.origin
        offset = part.received if origin and origin.validator and not self._without_ranges else 0
        if offset and origin and origin.length == offset:
            # All is there; the last byte is asked for again, to learn whether the file is still the same.
            offset -= 1
        ranged = not self._without_ranges and (offset > 0 or job.count is not None)
        first = job.first + offset if ranged else None
        end = None if job.count is None else job.first + job.count
        with self._requests.open(first, end if ranged else None, origin if offset else None) as answer:
            offset = self._begin(answer, part, first, offset)
            length = part.origin.length if part.origin else None
            self.total = length
            self._make_room(None if length is None else length - offset)
            if not self._may_divide(answer, length, offset):
                return self._read(answer, part, offset)
            part.divide(piece_size(length or 0))
            pieces = self._pieces = Pieces(part)
            claim = pieces.claim()
            assert claim is not None
            with claim:
                self._go_along(answer, claim)
        return self._attempt_pieces(part)

    def _begin(self, answer: Answer, part: PartFile, first: int | None, offset: int) -> int:
        """Make the part ready for an answer; returns where its bytes are written."""
        offer = answer.offer
        if offer.status == 200:
            self._start_anew(answer, part)
            return 0
        if first is not None and answer.is_range(first, part.origin if offset else None):
            if not offset:
                part.start(self._origin_of_bytes(answer))
            return offset
        if offer.status == 416 and not offset:
            raise answer.refusal()
        self._close_pieces()
        part.drop()
        if offer.status == 206:
            self._without_ranges = True
            raise self._requests.again("the server sent other bytes than were asked for")
        raise self._requests.again("the server no longer has the bytes that were to come next")

    def _origin_of_bytes(self, answer: Answer) -> Origin:
        offer, job = answer.offer, self.job
        assert job.count is not None
        assert offer.last is not None
        length = min(job.count, offer.last + 1 - job.first)
        return Origin("", offer.etag, offer.modified, length, offer.total)

    def _start_anew(self, answer: Answer, part: PartFile) -> None:
        job, offer = self.job, answer.offer
        length = offer.total
        if job.count is not None:
            if length is not None and length <= job.first:
                raise self._no_byte(f"it has {length} bytes")
            length = None if length is None else min(job.count, length - job.first)
        elif length is not None and job.size is not None and length != job.size:
            part.drop()
            raise self._wrong_size(length)
        self._close_pieces()
        part.start(Origin("", offer.etag, offer.modified, length, offer.total))

    def _no_byte(self, why: str) -> RangeNotSatisfiableError:
        shown = self.job.shown
        return RangeNotSatisfiableError(f"{shown} has no byte {self.job.first}: {why}.", method="GET", url=shown)

    def _make_room(self, needed: int | None) -> None:
        if needed is None:
            return
        free = shutil.disk_usage(self.job.target.parent).free
        if needed > free:
            raise disk_full(self.job.target, needed, free)

    def _read(self, answer: Answer, part: PartFile, offset: int) -> None:
        """Write an answer's bytes one after the other."""
        job, offer = self.job, answer.offer
        length = part.origin.length if part.origin else None
        end = job.count if length is None else length
        body = answer.stream.pieces()
        if offer.encoding:
            body = unpacked(body, offer.encoding)
        if offer.status == 200 and job.count is not None:
            body = _from(job.first, body)
        try:
            with open(part.path, "r+b", buffering=0) as file:
                file.seek(offset)
                self._received = offset
                for piece in body:
                    if self._stop.is_set():
                        raise cancelled()
                    if end is not None and offset + len(piece) > end:
                        piece = piece[: end - offset]
                    write_all(file, piece)
                    offset += len(piece)
                    self._received = offset
                    if offset == end and job.count is not None:
                        break
        except IncompleteDownloadError as error:
            raise self._requests.again(str(error)) from error
        if length is not None and offset < length:
            raise self._requests.again(f"only {offset} of {length} bytes came")
        if job.count is not None and not offset:
            raise self._no_byte("it is shorter")

    def _may_divide(self, answer: Answer, length: int | None, offset: int) -> bool:
        offer = answer.offer
        worthwhile = length is not None and length - offset >= SMALLEST and self.job.count is None
        return self._invite is not None and worthwhile and offer.validator is not None and offer.ranges

    def _attempt_pieces(self, part: PartFile) -> None:
        """Fetch what is missing of a divided file, together with those who help."""
        pieces = self._pieces
        if pieces is None:
            pieces = self._pieces = Pieces(part)
            self.total = pieces.length
            if pieces.finished:
                # The last byte is asked for again, to learn whether the file is still the same.
                pieces.add(-1, -1)
            self._make_room(pieces.length - part.received)
        while not pieces.finished:
            claim = pieces.claim()
            if claim is None:
                if self._stop.is_set():
                    raise cancelled()
                pieces.wait(0.1)
                continue
            with claim:
                start, end = claim.start, pieces.gap_end(claim.index)
                with self._requests.open(start, end, pieces.origin) as answer:
                    self._begin(answer, part, start, start or 1)
                    if answer.offer.status == 200:
                        return self._read(answer, part, 0)
                    self._go_along(answer, claim)
        return None

    def _go_along(self, answer: Answer, claim: Claim) -> None:
        pieces = claim.pieces
        if self._invite is not None and not self._invited:
            self._invited = True
            self._invite(lambda: help_with(pieces, self._requests, self._retries, self._stop))
        copy(answer, claim, self._requests, self._stop, along=True)


def _from(skip: int, pieces: Iterator[bytes]) -> Generator[bytes]:
    for piece in pieces:
        if skip < len(piece):
            yield piece[skip:] if skip else piece
        skip = max(0, skip - len(piece))
