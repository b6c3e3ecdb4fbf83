"""Errors for threads that Python does not start because it exits."""

from __future__ import annotations

import threading

from alyx_client.errors import ClientClosedError

__all__ = ["explain_exit"]


def explain_exit(error: RuntimeError) -> None:
    """Raise the error for a thread that was not started, if the reason is that Python exits.

    Parameters
    ----------
    error
        Python's own error, of which there are several texts.

    Raises
    ------
    ClientClosedError
        Python exits: in functions of `atexit`, and in daemon threads that outlive the main one.
    """
    # The main thread has ended before functions of atexit are called.
    if not threading.main_thread().is_alive():
        raise ClientClosedError(
            "Python is exiting and starts no more threads, which this call needs. Make it before the program ends; "
            "functions of atexit can call AlyxClient for one record, or one list, at a time."
        ) from error
