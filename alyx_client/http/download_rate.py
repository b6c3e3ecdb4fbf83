"""The least rate of a download: a server that sends a byte a second would hold it for ever."""

from __future__ import annotations

from typing import Final

from alyx_client.errors import AlyxTimeoutError
from alyx_client.http.failure import Unanswered

__all__ = ["DEFAULT_MIN_RATE", "DownloadRate", "too_slow"]

DEFAULT_MIN_RATE: Final = 1000.0
"""The least rate if nothing else is set, in bytes per second."""

# Seconds over which the rate is measured: slow links have pauses.
_PERIOD = 60.0


class DownloadRate:
    """Measures the rate of one response; the time that its reader takes for other things does not count.

    Parameters
    ----------
    least
        The least rate, in bytes per second.
    """

    def __init__(self, least: float) -> None:
        self._least = least
        self._bytes = 0
        self._seconds = 0.0

    def add(self, received: int, seconds: float) -> bool:
        """Add a piece and how long it was waited for; returns whether the response is too slow."""
        self._bytes += received
        self._seconds += seconds
        if self._seconds < _PERIOD:
            return False
        is_slow = self._bytes < self._least * self._seconds
        self._bytes, self._seconds = 0, 0.0
        return is_slow


def too_slow(url: str, least: float) -> Unanswered:
    """Return the failure of a download that is slower than the least rate; another attempt may be faster."""
    message = (
        f"{url} is received at less than {least:g} bytes per second. Try again later, or allow less with "
        "min_download_rate= of the client or ALYX_MIN_DOWNLOAD_RATE."
    )
    return Unanswered(AlyxTimeoutError(message, method="GET", url=url), sent=True, is_slow=True)
