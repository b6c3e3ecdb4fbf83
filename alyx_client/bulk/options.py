"""Options of a call for many records, checked before anything is sent."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from types import NoneType
from typing import Literal, Self

from alyx_client.http.arguments import require, require_seconds, require_whole_number, shown
from alyx_client.runtime.bulk_options import BulkOptions

__all__ = ["Options"]

OnError = Literal["raise", "return"]


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a call for many records.

    Parameters
    ----------
    max_workers
        How many requests are under way at a time; with an executor, how many of its tasks; None for the default.
    executor
        Runs the work; None for threads of the call, or tasks of the event loop.
    on_error
        Whether failures are raised or returned.
    silent
        Whether no progress is shown; None: as the client.
    timeout
        Time limit for each record, in seconds; None for that of the client.
    """

    max_workers: int | None = None
    executor: Executor | None = None
    on_error: OnError = "raise"
    silent: bool | None = None
    timeout: float | None = None

    @classmethod
    def of(cls, options: BulkOptions) -> Self:
        """Return checked options.

        Raises
        ------
        TypeError, ValueError
            One of them is wrong, or there is no such option.
        """
        checked = cls(**options)
        if checked.max_workers is not None:
            object.__setattr__(checked, "max_workers", require_whole_number("max_workers", checked.max_workers))
        if checked.executor is not None:
            require("executor", checked.executor, Executor, "a concurrent.futures.Executor")
        require("on_error", checked.on_error, str, "'raise' or 'return'")
        require("silent", checked.silent, (bool, NoneType), "True or False")
        if checked.on_error not in ("raise", "return"):
            raise ValueError(f"on_error={shown(checked.on_error)}: pass 'raise' or 'return'.")
        object.__setattr__(checked, "timeout", require_seconds("timeout", checked.timeout))
        return checked
