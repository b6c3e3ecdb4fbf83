"""Checks of files against their records: which local file is complete, and whether a received one is correct."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable
from pathlib import Path

from alyx_client.downloads.cancellation import raise_if_cancelled
from alyx_client.downloads.job import Job
from alyx_client.errors import AlyxNoticeWarning, ChecksumError, IncompleteDownloadError
from alyx_client.http.log import logger, warn

_BLOCK = 2**20
# Alyx's records do not name the hash's algorithm; its length does.
_ALGORITHM_OF_LENGTH = {32: "md5", 40: "sha1", 64: "sha256"}


class FileCheck:
    """Checks the files of one job.

    Parameters
    ----------
    job
        The job.
    stop
        Set to cancel the download.

    Attributes
    ----------
    md5
        The file's MD5, once it was computed.
    """

    def __init__(self, job: Job, stop: threading.Event) -> None:
        self.md5: str | None = None
        self._job = job
        self._stop = stop

    def is_present(self, remote_size: Callable[[], int | None]) -> bool:
        """Return whether the target exists and need not be fetched.

        A size that matches the record's decides, for a hash takes seconds per gigabyte; `verify` compares the hash,
        too. Where the sizes differ, the hash decides, if the record has one. Without a record the file is trusted, as
        ONE does, unless `verify` asks for the size on the server.

        Parameters
        ----------
        remote_size
            Requests the file's size from the server.
        """
        job, verify = self._job, self._job.options.verify
        try:
            size = job.target.stat().st_size
        except FileNotFoundError:
            return False
        if job.count is not None:
            return size == job.count
        algorithm = self._algorithm()
        if job.size is not None and size != job.size and not algorithm:
            return False
        if algorithm and (verify or size != job.size):
            return self._hash(job.target, algorithm) == str(job.digest).lower()
        return not verify or job.size is not None or remote_size() in {None, size}

    def check(self, path: Path, length: int | None) -> None:
        """Compare a received file with the record, reading it from the disk again.

        Parameters
        ----------
        path
            The file, not yet under its final name.
        length
            Number of bytes that the server named; None if it named none.

        Raises
        ------
        ChecksumError
            Its hash is another one.
        IncompleteDownloadError
            Its size is another one than the server named, or than that of a record without a hash.
        """
        job = self._job
        # The file on disk is hashed, not the bytes as they arrive: the disk or another process may have changed them.
        self.md5 = None
        size = path.stat().st_size
        if length is not None and size != length:
            raise IncompleteDownloadError(
                f"{job.printable_url} has {length} bytes on the server, but {path.name} has {size}: it was changed "
                "while it was being written, and was discarded. Try again.",
                method="GET",
                url=job.printable_url,
            )
        algorithm = self._algorithm()
        if job.size is not None and size != job.size and algorithm is None:
            raise self.wrong_size(size)
        digest = self._hash(path, algorithm) if algorithm else None
        if digest is not None and digest != str(job.digest).lower():
            raise ChecksumError(
                f"{job.printable_url} was received with the {algorithm} {digest}, but its record says {job.digest}. "
                "The received file was discarded. Try again; if the error persists, the file or the record is wrong on "
                "the server.",
                method="GET",
                url=job.printable_url,
            )
        if job.size is not None and size != job.size:
            # The hash is of the content itself, while Alyx takes the size from whoever registered the file.
            warn(
                f"{job.printable_url} has the hash of its record, but {size} bytes instead of {job.size}: the size in "
                "the record is wrong.",
                AlyxNoticeWarning,
            )
        self.require_md5(path)

    @property
    def has_hash(self) -> bool:
        """True if the record has a hash that files can be compared with."""
        return self._algorithm() is not None

    def require_md5(self, path: Path) -> None:
        """Compute the MD5 if it was requested and is not known yet."""
        if self._job.options.return_md5 and self.md5 is None:
            self._hash(path, "md5")

    def wrong_size(self, size: int, *, at_least: bool = False) -> IncompleteDownloadError:
        """Return the error for a file whose size is not the record's."""
        amount = f"{size} bytes or more" if at_least else f"{size} bytes"
        return IncompleteDownloadError(
            f"{self._job.printable_url} has {amount} on the server, but its record says {self._job.size}: the file "
            "or the record is wrong there. The received file was discarded.",
            method="GET",
            url=self._job.printable_url,
        )

    def _algorithm(self) -> str | None:
        digest = self._job.digest
        if not digest:
            return None
        algorithm = _ALGORITHM_OF_LENGTH.get(len(digest)) if re.fullmatch("[0-9a-fA-F]+", digest) else None
        if algorithm is None:
            logger.debug("the hash of %s is of an unknown kind and is not compared", self._job.target.name)
        return algorithm

    def _hash(self, path: Path, algorithm: str) -> str:
        hasher = hashlib.new(algorithm, usedforsecurity=False)
        with open(path, "rb") as file:
            while block := file.read(_BLOCK):
                raise_if_cancelled(self._stop)
                hasher.update(block)
        digest = hasher.hexdigest()
        if algorithm == "md5":
            self.md5 = digest
        return digest
