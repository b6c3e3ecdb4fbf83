"""Fetching the next page of a list in the background, while the rows of the last one are used."""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Prefetch"]

T = TypeVar("T")


class Prefetch(Generic[T]):
    """A function called in a thread of its own, whose result is needed later.

    Parameters
    ----------
    function
        The function.
    """

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._results: list[T] = []
        self._error: BaseException | None = None
        self._pid = os.getpid()
        context = contextvars.copy_context()  # `no_cache` blocks apply in the thread, too
        # A daemon: a program that ends in the middle of a list does not wait for the next page.
        self._thread = threading.Thread(
            target=context.run, args=(self._run,), daemon=True, name="alyx-client: next page"
        )
        self._thread.start()

    def _run(self) -> None:
        try:
            self._results.append(self._function())
        except BaseException as error:  # raised where the result is used, and not printed by the thread
            self._error = error

    def result(self) -> T:
        """Return the function's result, or raise its exception.

        Raises
        ------
        Exception
            The function raised it.
        """
        if self._pid != os.getpid():
            return self._function()  # a fork has no threads but the one that forked
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._results[0]
