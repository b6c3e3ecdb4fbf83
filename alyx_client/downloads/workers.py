"""Threads that work for one call, which the caller can always interrupt."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Self

from alyx_client.downloads.cancellation import raise_if_cancelled
from alyx_client.http.log import context_of_caller

_TICK_SECONDS = 0.1
_GRACE_SECONDS = 1.0


class Workers:
    """Run tasks in a few threads, in the order of submission.

    Unlike those of `concurrent.futures`, the threads do not keep the interpreter from exiting, and Ctrl-C wakes the
    caller on every operating system.

    Parameters
    ----------
    limit
        Maximum number of tasks at a time; threads are started as they are needed. As many tasks may finish meanwhile
        (see `finishing`), unless it is 1.
    cancelled
        Set to cancel the whole call.
    wake
        Wakes threads that wait for a server.
    name
        The name of the threads.

    Attributes
    ----------
    stop
        Set when all tasks are to stop.
    """

    def __init__(
        self, limit: int, cancelled: threading.Event | None, wake: Callable[[], None], *, name: str = "alyx-download"
    ) -> None:
        self.limit = limit
        self._name = name
        self.stop = threading.Event()
        self._cancelled = cancelled
        self._wake = wake
        self._tasks: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._max_threads = 2 * limit if limit > 1 else 1
        self._idle = 0
        self._busy: set[threading.Thread] = set()
        self._closed = False

    def submit(self, task: Callable[[], None]) -> None:
        """Add a task, which must not raise."""
        with self._changed:
            if self._closed:  # pragma: no cover - race of threads or processes
                return
            self._tasks.append(task)
            if len(self._tasks) > self._idle and len(self._threads) < self.limit:
                self._start_thread()
            self._changed.notify()

    def submit_to_others(self, task: Callable[[], None]) -> None:
        """Add a task once for each other thread: those that are busy run it when they have nothing else to do."""
        for _ in range(self.limit - 1):
            self.submit(task)

    def finishing(self) -> None:
        """Let the next task begin, called by a task whose rest takes the disk or the processor, but no connection."""
        with self._changed:
            self._busy.discard(threading.current_thread())
            if self._tasks and not self._idle and len(self._threads) < self._max_threads:
                self._start_thread()
            self._changed.notify()

    def _start_thread(self) -> None:
        # A daemon: the interpreter exits without waiting for a thread that hangs in a system call.
        context = context_of_caller()
        thread = threading.Thread(target=context.run, args=(self._work,), daemon=True, name=self._name)
        try:
            thread.start()
        except RuntimeError as error:
            from alyx_client.http.exiting import explain_exit  # rarely needed

            explain_exit(error)
            raise
        self._threads.append(thread)

    def _work(self) -> None:
        thread = threading.current_thread()
        while True:
            with self._changed:
                self._busy.discard(thread)
                self._idle += 1
                # A thread that had to wait for its turn was notified in vain.
                while not self._closed and not (self._tasks and len(self._busy) < self.limit):
                    self._changed.wait()
                self._idle -= 1
                if self._closed:
                    return
                task = self._tasks.popleft()
                self._busy.add(thread)
            task()

    def wait(self, done: threading.Event, tick: Callable[[], None]) -> None:
        """Wait for an event.

        Parameters
        ----------
        done
            Set when all tasks are done.
        tick
            Called several times a second, in the caller's thread.

        Raises
        ------
        DownloadCancelledError
            The call was cancelled.
        """
        # A short timeout instead of none: on Windows, Ctrl-C does not interrupt an unlimited wait.
        while not done.wait(_TICK_SECONDS):
            if self._cancelled is not None:
                raise_if_cancelled(self._cancelled)
            tick()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._changed:
            self._closed = True
            self._tasks.clear()
            self._changed.notify_all()
        if kind is not None:
            self.stop.set()
            self._wake()
        # A thread that resolves a host name cannot be woken, so that it is not waited for; it writes nothing when it
        # returns, since `stop` is set.
        deadline = time.monotonic() + _GRACE_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
