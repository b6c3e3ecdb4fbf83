"""Deadlines of calls: the time limit of everything that one call does, its retries, waits and logins included."""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from alyx_client.errors import AlyxError, DeadlineExceededError
from alyx_client.http.arguments import require_seconds

__all__ = ["DEFAULT_TIMEOUT", "LOGIN_TIMEOUT", "Deadline", "deadline_exceeded"]

DEFAULT_TIMEOUT: Final = 300.0
"""Seconds that a call may take if nothing else is set: two slow queries of Alyx, and the waits between them."""
LOGIN_TIMEOUT: Final = 30.0
"""Seconds that a login may take if nothing else is set; the time that a user takes at a prompt does not count."""

# Timers fire this much too early at times, in seconds.
_TOLERANCE = 0.002
# Longer waits, in seconds, are waits without a limit: sockets and locks accept some weeks at most.
_LONGEST = 1e6


class Deadline:
    """The end of a call's time, which begins now.

    Parameters
    ----------
    limit
        How long the call may take, in seconds; infinity for no limit.
    setting
        The argument that sets the limit, for messages.
    """

    __slots__ = ("_end", "_started", "limit", "setting")

    def __init__(self, limit: float, setting: str = "timeout") -> None:
        self.limit = limit
        self.setting = setting
        self._started = time.monotonic()
        self._end = self._started + limit

    @classmethod
    def of(cls, timeout: float | Deadline | None, default: float) -> Deadline:
        """Return the deadline for a call's argument.

        Parameters
        ----------
        timeout
            Seconds; None for the default; or the deadline of a call that this one is a part of.
        default
            Seconds.

        Raises
        ------
        TypeError, ValueError
            It is not a positive number.
        """
        if timeout is None:
            return cls(default)
        if isinstance(timeout, Deadline):
            return timeout
        return cls(require_seconds("timeout", timeout) or default)

    @property
    def remaining(self) -> float:
        """The seconds that are left; negative once the deadline has passed."""
        return self._end - time.monotonic()

    @property
    def is_over(self) -> bool:
        """True once the deadline has passed."""
        return self.remaining <= _TOLERANCE

    @property
    def elapsed(self) -> float:
        """The seconds since the call began."""
        return time.monotonic() - self._started

    def longest_wait(self, seconds: float | None = None) -> float | None:
        """Return how long to wait at most, in seconds: until the deadline, or as long as passed; None for ever."""
        longest = self.remaining if seconds is None else min(seconds, self.remaining)
        return None if longest > _LONGEST else max(longest, 0.0)

    def lift(self) -> None:
        """Let what follows take as long as it needs."""
        self._end = math.inf

    def within(self, limit: float | None, setting: str) -> Deadline:
        """Return the deadline of a part of the call that has a limit of its own: the one that comes first."""
        if limit is None or limit >= self.remaining:
            return self
        return Deadline(limit, setting)

    @contextmanager
    def paused(self) -> Generator[None]:
        """Do not count the time in a ``with`` block, such as that of a user at a prompt."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._end += time.monotonic() - began


def deadline_exceeded(
    deadline: Deadline,
    what: str,
    waited_for: str,
    *,
    attempts: int = 0,
    may_have_acted: bool = False,
    method: str | None = None,
    url: str | None = None,
    last: AlyxError | None = None,
) -> DeadlineExceededError:
    """Return the error for a call that did not end in time.

    Parameters
    ----------
    deadline
        Its deadline.
    what
        The call.
    waited_for
        What it was waiting for, as the end of a sentence.
    attempts
        How often the request was sent.
    may_have_acted
        Whether one of these may have been carried out by the server.
    method, url
        The request, if there is one; the URL holds no credentials.
    last
        The failure of the last attempt before the time ran out.
    """
    message = f"{what} did not end within {deadline.setting}={deadline.limit:g} s: {waited_for}."
    if may_have_acted and method in {"POST", "PATCH"}:
        message += " It was sent, and the server may have acted on it: check before sending it again."
    places = {
        "timeout": "of the call or the client, or ALYX_TIMEOUT",
        "login_timeout": "of the client, or ALYX_LOGIN_TIMEOUT",
    }.get(deadline.setting, "of the client")
    message += f" Allow more time ({deadline.setting}= {places}), or ask for less."
    if last is not None:
        message += f" The failure was: {last}"
    error = DeadlineExceededError(
        message,
        method=method,
        url=url,
        status_code=None if last is None else last.status_code,
        detail=None if last is None else last.detail,
        retry_after=None if last is None else last.retry_after,
    )
    error.attempts, error.seconds, error.setting = attempts, deadline.elapsed, deadline.setting
    error.may_have_acted = may_have_acted and method not in {"GET", "HEAD"}
    error.unreached = last is not None and last.unreached
    error.__cause__ = last
    return error
