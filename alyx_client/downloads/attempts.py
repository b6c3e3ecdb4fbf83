"""The decision whether a failed attempt to download a file is followed by another one."""

from __future__ import annotations

from alyx_client.downloads.part_file import FileVersion
from alyx_client.errors import AlyxError, AlyxHTTPError
from alyx_client.http.failure import Unanswered
from alyx_client.http.retry import TRANSIENT_STATUSES, Retries

_MAX_CHANGES = 3


class Attempts:
    """Counts the failed attempts of one download.

    The count starts over with each attempt that made progress: a connection that breaks every gigabyte must not stop
    a file of a hundred. A file that changes again and again on the server would never end, and is given up.

    Parameters
    ----------
    retries
        How many attempts, and how long to wait between them.
    received
        Number of bytes received before the first attempt.
    version
        The version that these belong to.
    """

    def __init__(self, retries: Retries, received: int, version: FileVersion | None) -> None:
        self.changes = 0
        self._retries = retries
        self._received = received
        self._version = version
        self._failures = 0

    @property
    def changed_too_often(self) -> bool:
        """True if the file changes on the server again and again."""
        return self.changes > _MAX_CHANGES

    def add_failure(self, received: int, version: FileVersion | None, *, is_slow: bool = False) -> None:
        """Count a failed attempt.

        Parameters
        ----------
        received
            Number of bytes received so far.
        version
            The version that these belong to.
        is_slow
            Whether the attempt ended because bytes came too slowly, so that they are no progress.
        """
        if self._version is not None and version is not None and self._version != version:
            self.changes += 1
            self._received = 0
        self._version = version or self._version
        if received > self._received:
            self._failures, self._received = self._failures if is_slow else 0, received
        self._failures += 1

    def wait(self, retry_after: float | None) -> float | None:
        """Return the seconds to wait before the next attempt; None if there is to be none.

        Parameters
        ----------
        retry_after
            Seconds that the server asked for.
        """
        if self._failures >= self._retries.tries:
            return None
        return self._retries.wait(self._failures, retry_after)


def retried_error(error: AlyxHTTPError | Unanswered, *, from_alyx: bool = True) -> AlyxError | None:
    """Return the error to raise if no attempt succeeds; None if another attempt cannot help.

    Parameters
    ----------
    error
        The error of the attempt.
    from_alyx
        Whether it is Alyx's, not a data server's.
    """
    if isinstance(error, Unanswered):
        return error.error if error.retryable else None
    # A GET changes nothing, so that it can be repeated after each of them. Other errors would be the same again.
    if error.status_code in TRANSIENT_STATUSES:
        return error
    # Alyx sends 500 for mistakes in a request, which would be the same again; a data server only for its own failures.
    return error if error.status_code == 500 and not from_alyx else None
