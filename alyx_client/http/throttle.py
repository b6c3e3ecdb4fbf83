"""Requests as the server's limit allows: sent at once until a limit is known, and paced from then on.

The limit is known once a rate is set, or the server has refused a request of this user with 429, in any process of this
computer. Until then a request costs a look at a clock, and `limiter` is not loaded.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Final

from alyx_client.http.flow import Blocking, Flow, Send
from alyx_client.http.message import Response

if TYPE_CHECKING:
    from alyx_client.http.deadline import Deadline
    from alyx_client.http.limiter import Limiter
    from alyx_client.http.rate import Rate

__all__ = ["SentRequests", "Throttle"]

_TOO_MANY: Final = 429
# Alyx limits requests for its schema apart from all others.
_APART = frozenset({"api/schema", "docs"})
# How often to look whether another process was refused; a look takes a few microseconds.
_LOOK_SECONDS = 0.1
# A file without a refusal for a day tells nothing any more.
_MEMORY_SECONDS = 86400
_PART_SECONDS, _MAX_PARTS = 0.25, 4096


class SentRequests:
    """How many requests of this process the server has accepted lately, and when."""

    def __init__(self) -> None:
        # Reentrant, so that a signal handler does not wait for the call that it interrupts.
        self._lock = threading.RLock()
        self._parts: deque[tuple[float, int]] = deque(maxlen=_MAX_PARTS)

    def add(self, now: float) -> None:
        """Count a request."""
        with self._lock:
            if self._parts and now < self._parts[-1][0] + _PART_SECONDS:
                began, count = self._parts.pop()
                self._parts.append((began, count + 1))
            else:
                self._parts.append((now, 1))

    def since(self, time: float) -> Iterable[tuple[float, int]]:
        """Return times and numbers."""
        with self._lock:
            return [part for part in self._parts if part[0] >= time]


class Throttle:
    """Sends the requests of one client when the server's limit allows.

    Parameters
    ----------
    base_url
        The server.
    rate
        The rate to keep to; None for what the server allows.
    is_password
        Whether tokens are passwords, whose digest is not for the name of a file.
    clock
        The clock, which all processes of this computer share.
    """

    def __init__(
        self,
        base_url: str,
        rate: Rate | None = None,
        *,
        is_password: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base_url = base_url
        self._rate = rate
        self._is_password = is_password
        self._clock = clock
        self._sent = SentRequests()
        self._limiters: dict[str, Limiter] = {}
        self._next_look = 0.0
        self._files: dict[str, str] = {}

    def send(self, step: Send, deadline: Deadline) -> Flow[Response]:
        """Send a request when its turn has come.

        Parameters
        ----------
        step
            The request. Without a token, or for the schema, it is sent at once: the server counts no such requests.
        deadline
            The end of the call's time.

        Raises
        ------
        Unanswered
            Its turn comes after the deadline, so that it was not sent; or whatever sending it raised.
        ClientClosedError
            The client was closed before its turn, so that it was not sent.
        """
        response: Response
        if step.token is None or step.request.endpoint in _APART:
            response = yield step
            return response
        now = self._clock()
        limiter = self._limiters.get(step.token)
        if limiter is None and (self._rate is not None or self._is_limited(step.token, now)):
            limiter = self._open(step.token)
        if limiter is not None:
            return (yield from limiter.send(step, deadline))
        response = yield step
        limiter = self._limiters.get(step.token)
        if response.status == _TOO_MANY:
            limiter = limiter or self._open(step.token)
            yield Blocking(partial(limiter.refuse, response, now))
            return response
        if limiter is not None:
            # Another thread was refused meanwhile.
            yield Blocking(limiter.count)
        self._sent.add(self._clock())
        return response

    def _is_limited(self, token: str, now: float) -> bool:
        """Look whether another process was refused, unless that was looked at a moment ago."""
        if now < self._next_look:
            return False
        self._next_look = now + _LOOK_SECONDS
        try:
            return time.time() - os.stat(self._file(token)).st_mtime < _MEMORY_SECONDS
        except OSError:
            return False

    def _file(self, token: str) -> str:
        file = self._files.get(token)
        if file is None:
            file = self._files[token] = limit_file(self._base_url, "" if self._is_password else token)
        return file

    def _open(self, token: str) -> Limiter:
        from alyx_client.http.limiter import Limiter

        new = Limiter(self._file(token), self._sent, () if self._rate is None else (self._rate,), clock=self._clock)
        # Threads may open one at the same time; the history is counted once for each limiter.
        return self._limiters.setdefault(token, new)


def limit_file(base_url: str, token: str) -> str:
    """Return the path of the file that all processes of this computer share for a user of a server."""
    import hashlib

    from alyx_client.storage.atomic import boot_id
    from alyx_client.storage.file_system import user_folder

    # Tokens have 160 random bits, so that the digest cannot be reversed by trial. The clock begins anew with each start
    # of the computer, and several computers may share the folder.
    name = hashlib.sha256(f"{boot_id()}\n{base_url}\n{token}".encode()).hexdigest()[:32]
    return os.path.join(user_folder("cache"), "limits", f"{name}.json")
