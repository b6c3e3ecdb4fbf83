"""The limiter that all threads, tasks and processes of one user of a computer share; loaded once a limit is known."""

from __future__ import annotations

import contextlib
import math
import os
import re
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from alyx_client.errors import ClientClosedError, DeadlineExceededError
from alyx_client.http.deadline import Deadline, deadline_exceeded
from alyx_client.http.failure import Unanswered
from alyx_client.http.flow import Blocking, Flow, Send, Sleep
from alyx_client.http.headers import retry_after
from alyx_client.http.log import logger
from alyx_client.http.message import Request, Response
from alyx_client.http.pace import Pace, Turn
from alyx_client.http.rate import Rate
from alyx_client.http.throttle import SentRequests
from alyx_client.storage.shared_file import SharedFile

__all__ = ["Limiter"]

T = TypeVar("T")

_CLOSED = "The client was closed while a request was waiting for its turn, so it was not sent."
_OUTDATED_SECONDS = 2 * 86400
# Django REST framework says it in words, too.
_AVAILABLE_IN = re.compile(rb"available in ([0-9]{1,9}) second")


class Limiter:
    """Sends the requests of one token in turn.

    Parameters
    ----------
    file
        The file that the processes share. Where it cannot be used, this process paces its own requests.
    sent
        The requests that this process has sent, for the time before the limit was known.
    rates
        Rates to keep to, besides the one that the server is found to have.
    clock
        The clock, which all processes share.
    """

    def __init__(
        self,
        file: str,
        sent: SentRequests,
        rates: Sequence[Rate] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file = SharedFile(Path(file))
        self._sent = sent
        self._rates = rates
        self._clock = clock
        self._epoch = 0
        self._is_new = True

    def send(self, step: Send, deadline: Deadline) -> Flow[Response]:
        """Send a request when its turn has come; parameters and errors as for `Throttle.send`."""
        turn = yield from self._wait(step.request, deadline)
        slot = turn.slot
        began = self._clock()
        response: Response
        try:
            response = yield step
        except Unanswered as failure:
            if not failure.sent:
                self._give_up(slot)
            raise
        if response.status == 429:
            yield Blocking(partial(self.refuse, response, began, slot))
        else:
            now = self._clock()
            if now >= turn.until:
                yield Blocking(partial(self.count, slot))
            self._sent.add(now)
        return response

    def count(self, slot: float | None = None) -> None:
        """Count a request that the server has accepted.

        Parameters
        ----------
        slot
            Where it was counted when it was sent, if it was.
        """
        self._update(lambda pace, now: pace.finish(now, now if slot is None else slot, self._rates))

    def refuse(self, response: Response, sent: float, slot: float | None = None) -> None:
        """Note that the server has refused a request.

        Parameters
        ----------
        response
            The response.
        sent
            The time when the request was sent.
        slot
            Where it was counted, if it was.
        """
        wait = retry_after(response.headers, time.time())
        match = _AVAILABLE_IN.search(response.content) if wait is None else None
        seconds = float(match[1]) if match else wait

        def change(pace: Pace, now: float) -> None:
            if slot is not None:
                pace.cancel(slot)
            pace.refuse(now, seconds, sent, self._rates)

        self._update(change)
        logger.info("the server refused a request (429); all requests wait, and are paced from then on")

    def _wait(self, request: Request, deadline: Deadline) -> Flow[Turn]:
        """Wait for the turn of a request."""
        slot: float | None = None
        try:
            while True:
                longest = deadline.remaining
                turn: Turn = yield Blocking(partial(self._take_turn, slot, longest))
                slot = turn.slot
                if turn.wait <= 0 and slot is not None:
                    return turn
                if turn.wait >= longest:
                    raise Unanswered(_not_in_time(request, deadline, turn), sent=False, retryable=False)
                logger.debug("%s %s waits %.2f s for its turn", request.method, request.path, turn.wait)
                yield Sleep(turn.wait)
        except ClientClosedError:
            self._give_up(slot)
            raise ClientClosedError(_CLOSED) from None
        except BaseException:  # KeyboardInterrupt and CancelledError, too
            self._give_up(slot)
            raise

    def _take_turn(self, slot: float | None, longest: float) -> Turn:
        def change(pace: Pace, now: float) -> Turn:
            if slot is None:
                return pace.take_turn(now, self._rates, longest)
            return pace.confirm_turn(now, slot, self._rates)

        return self._update(change)

    def _give_up(self, slot: float | None) -> None:
        if slot is not None:
            with contextlib.suppress(Exception):
                self._update(lambda pace, now: pace.cancel(slot))

    def _update(self, change: Callable[[Pace, float], T]) -> T:
        """Change the shared state, or that of this process where files cannot be shared."""
        results: list[T] = []

        def rewrite(content: bytes) -> bytes | None:
            now = self._clock()
            pace = Pace.load(content, now)
            self._join(pace, now)
            results.append(change(pace, now))
            self._join(pace, now)
            # Not written any more, a limit that was forgotten is not looked for by processes that start later.
            return pace.dump() if self._rates or pace.has_refused else None

        try:
            self._file.update(rewrite)
        except OSError as error:
            logger.debug("requests are paced for this process alone: %s", error)
            _update_own(str(self._file.path), rewrite)
        if self._is_new:
            self._is_new = False
            _remove_outdated(self._file.path)
        return results[-1]

    def _join(self, pace: Pace, now: float) -> None:
        if pace.epoch != self._epoch:
            self._epoch = pace.epoch
            pace.join(self._sent.since(now - pace.window), self._rates)


_own: dict[str, bytes] = {}
_own_lock = threading.RLock()


def _update_own(file: str, rewrite: Callable[[bytes], bytes | None]) -> None:
    # After a fork, a thread that does not exist here may hold the lock.
    is_locked = _own_lock.acquire(timeout=1.0)
    try:
        _own[file] = rewrite(_own.get(file, b"")) or b""
    finally:
        if is_locked:  # pragma: no branch - runs in a child process
            _own_lock.release()


def _not_in_time(request: Request, deadline: Deadline, turn: Turn) -> DeadlineExceededError:
    reason = "the server refused requests (429) until then" if turn.rate is None else f"the limit is {turn.rate}"
    error = deadline_exceeded(
        deadline,
        f"{request.method} {request.path}",
        f"its turn would come in {math.ceil(turn.wait)} s, since {reason}",
        method=request.method,
    )
    error.unreached = True
    return error


def _remove_outdated(file: Path) -> None:
    # Each start of the computer, and each token, has a file of its own.
    with contextlib.suppress(OSError), os.scandir(file.parent) as entries:
        for entry in entries:
            if entry.name != file.name and time.time() - entry.stat().st_mtime > _OUTDATED_SECONDS:
                os.unlink(entry.path)
