"""Cancelling a download: the event that threads watch, and the error that they raise."""

from __future__ import annotations

import threading

from alyx_client.errors import DownloadCancelledError


def cancelled_error() -> DownloadCancelledError:
    """Return the error for a cancelled download."""
    return DownloadCancelledError("The download was cancelled; the next call resumes from the bytes received so far.")


def raise_if_cancelled(stop: threading.Event) -> None:
    """Raise an error if a download is to stop.

    Raises
    ------
    DownloadCancelledError
        `stop` is set.
    """
    if stop.is_set():
        raise cancelled_error()


def sleep(seconds: float, stop: threading.Event) -> None:
    """Wait, but no longer than until a download is to stop.

    Raises
    ------
    DownloadCancelledError
        `stop` is set.
    """
    if stop.wait(seconds):
        raise cancelled_error()
