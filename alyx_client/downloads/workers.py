"""Threads that work for one call, which the caller can always interrupt."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Self

from alyx_client.downloads.part_file import cancelled

_TICK = 0.1
_GRACE = 1.0


class Workers:
    """Does tasks in a few threads, in the order in which they came.

    Unlike those of `concurrent.futures`, the threads do not keep the interpreter from ending, and the caller is woken
    by Ctrl-C on every system.

    Parameters
    ----------
    limit
        How many threads there are at most; they are started as they are needed.
    cancelled
        Set by the caller's caller when all is to be given up.
    wake
        Wakes threads that wait for a server.
    """

    def __init__(self, limit: int, cancelled: threading.Event | None, wake: Callable[[], None]) -> None:
        self.limit = limit
        self.stop = threading.Event()
        self._cancelled = cancelled
        self._wake = wake
        self._tasks: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._over = False

    def submit(self, task: Callable[[], None]) -> None:
        """Add a task; it must not raise."""
        with self._changed:
            if self._over:
                return
            self._tasks.append(task)
            if len(self._tasks) > self._idle and len(self._threads) < self.limit:
                thread = threading.Thread(target=self._work, daemon=True, name="alyx-download")
                self._threads.append(thread)
                thread.start()
            self._changed.notify()

    def invite(self, task: Callable[[], None]) -> None:
        """Add a task for each further thread; whoever has nothing else to do takes it."""
        for _ in range(self.limit - 1):
            self.submit(task)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                while not self._tasks and not self._over:
                    self._changed.wait()
                self._idle -= 1
                if self._over:
                    return
                task = self._tasks.popleft()
            task()

    def wait(self, done: threading.Event, tick: Callable[[], None]) -> None:
        """Wait until all is done.

        Parameters
        ----------
        done
            Set when it is.
        tick
            Called now and then in the caller's thread.

        Raises
        ------
        DownloadCancelledError
            It was given up.
        """
        while not done.wait(_TICK):
            if self._cancelled is not None and self._cancelled.is_set():
                raise cancelled()
            tick()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._changed:
            self._over = True
            self._tasks.clear()
            self._changed.notify_all()
        if kind is not None:
            self.stop.set()
            self._wake()
        # A thread that looks for a host cannot be woken; it writes nothing when it comes back.
        until = time.monotonic() + _GRACE
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
