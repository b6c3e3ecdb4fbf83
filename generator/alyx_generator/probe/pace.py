"""The rate of a probe's requests."""

from __future__ import annotations

import time


class Pace:
    """Spaces requests evenly.

    Parameters
    ----------
    per_minute
        The maximum number of requests per minute.
    """

    def __init__(self, per_minute: float) -> None:
        self._interval = 60.0 / per_minute
        self._next_request = 0.0

    def wait(self) -> None:
        """Wait until the next request may be sent."""
        time.sleep(max(0.0, self._next_request - time.monotonic()))
        self._next_request = time.monotonic() + self._interval
