"""The download of one file: attempts until it is complete, checks, and only then its final name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alyx_client.downloads.attempts import Attempts, retried_error
from alyx_client.downloads.cancellation import raise_if_cancelled, sleep
from alyx_client.downloads.checks import FileCheck
from alyx_client.downloads.disk import disk_errors
from alyx_client.downloads.file_requests import FileRequests
from alyx_client.downloads.obstacles import require_regular_files
from alyx_client.downloads.part_file import PartFile
from alyx_client.downloads.part_lock import part_lock
from alyx_client.downloads.receiver import Receiver, RequestHelp
from alyx_client.errors import AlyxError, AlyxHTTPError, ChecksumError, IncompleteDownloadError
from alyx_client.http.failure import Unanswered
from alyx_client.http.log import logger
from alyx_client.http.retry import Retries

_DEFAULT_PATIENCE = 120.0  # seconds


class Download:
    """The download of one job.

    Parameters
    ----------
    requests
        Sends requests for the job's file.
    retries
        How many attempts, and how long to wait between them; the count starts over after progress.
    request_help
        Has other threads help with a large file; None if there are none.
    finishing
        Called once all bytes have been received, when another file may use the connection.

    Attributes
    ----------
    active, ended
        Whether it is under way, and whether it has ended.
    """

    def __init__(
        self,
        requests: FileRequests,
        retries: Retries,
        request_help: RequestHelp | None = None,
        finishing: Callable[[], None] = lambda: None,
    ) -> None:
        self.job = requests.job
        self.active = self.ended = self._was_slow = False
        self._requests = requests
        self._retries = retries
        self._finishing = finishing
        self._check = FileCheck(self.job, requests.stop)
        self._receiver = Receiver(requests, retries, self._check, request_help)

    @property
    def total(self) -> int | None:
        """Number of bytes to receive; None if unknown."""
        return self._receiver.total

    @property
    def received(self) -> int:
        """Number of bytes received so far."""
        return self._receiver.received

    @property
    def md5(self) -> str | None:
        """The file's MD5, if it was requested."""
        return self._check.md5

    def run(self) -> Path:
        """Download the file, unless it is present already.

        Raises
        ------
        AlyxError
            One of its subclasses, by meaning; then there is nothing new under the final name.
        OSError
            The file cannot be written.
        """
        self.active = True
        try:
            with disk_errors(self.job.target):
                return self._run()
        finally:
            self.active, self.ended = False, True

    def _run(self) -> Path:
        job, requests = self.job, self._requests
        require_regular_files(job.target)
        if not self._is_present():
            job.target.parent.mkdir(parents=True, exist_ok=True)
            # A live process either writes within the read timeout, or tries again with a fresh connection.
            with part_lock(job.target, requests.stop, requests.read_timeout or _DEFAULT_PATIENCE) as infix:
                # Another process or thread may have fetched the file while this one waited for the lock.
                if not self._is_present():
                    self._fetch(PartFile(job.target, job.url, infix=infix))
        return job.target

    def _is_present(self) -> bool:
        job = self.job
        if job.options.clobber or not self._check.is_present(self._remote_size):
            return False
        logger.debug("%s is present already", job.target)
        self._check.require_md5(job.target)
        return True

    def _remote_size(self) -> int | None:
        with self._requests.open() as response:
            return response.headers.total

    def _fetch(self, part: PartFile) -> None:
        try:
            self._receive(part)
            # A thread that helped may still be saving the metadata, which is removed in the end.
            self._receiver.close()
            self._finishing()
            try:
                self._check.check(part.path, part.version.length if part.version else None)
            except (ChecksumError, IncompleteDownloadError):
                # The next call must not resume from these bytes.
                part.discard()
                raise
            with disk_errors(self.job.target):
                part.finish()
        finally:
            self._receiver.close()
            part.close()

    def _receive(self, part: PartFile) -> None:
        attempts = Attempts(self._retries, part.received, part.version)
        while (error := self._attempt(part)) is not None:
            attempts.add_failure(part.received, part.version, is_slow=self._was_slow)
            if attempts.changed_too_often:
                raise self._changing(attempts.changes) from error
            seconds = attempts.wait(error.retry_after)
            if seconds is None:
                raise error
            logger.info("trying again in %.1f s: %s", seconds, error)
            sleep(seconds, self._requests.stop)

    def _attempt(self, part: PartFile) -> AlyxError | None:
        """Make one attempt; return its error if another attempt may help."""
        self._was_slow = False
        try:
            with disk_errors(self.job.target, lambda: self.total and self.total - part.received):
                self._receiver.receive(part)
        except (Unanswered, AlyxHTTPError) as error:
            if isinstance(error, Unanswered):
                self._was_slow = error.is_slow
                # Cancelling a call breaks its connections to wake the threads that wait for them.
                raise_if_cancelled(self._requests.stop)
            from_alyx = self.job.servers.is_from_alyx(getattr(error, "url", None) or self.job.url)
            retried = retried_error(error, from_alyx=from_alyx)
            if retried is not None:
                return retried
            if isinstance(error, Unanswered):
                raise error.error from error
            raise
        return None

    def _changing(self, changes: int) -> IncompleteDownloadError:
        return IncompleteDownloadError(
            f"{self.job.printable_url} changed on the server {changes} times while it was being downloaded. Try again "
            "when it is complete there.",
            method="GET",
            url=self.job.printable_url,
        )
