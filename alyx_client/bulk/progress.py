"""The progress bar of a call for many records."""

from __future__ import annotations

from typing import Any, Self

from alyx_client.bulk.ledger import Ledger
from alyx_client.downloads import bars

__all__ = ["Progress"]


class Progress:
    """The progress bar of one call, drawn by the thread that calls `draw`.

    Parameters
    ----------
    ledger
        The outcomes.
    silent
        Draw nothing.
    """

    def __init__(self, ledger: Ledger, *, silent: bool) -> None:
        self._ledger = ledger
        self._bar: Any = None
        if silent or len(ledger.plan.inputs) < 2:
            return
        if bars.are_shown():
            new_bar, _ = bars.find_bars()
            self._bar = new_bar(total=len(ledger.plan.inputs), desc=ledger.plan.label, unit="record", leave=False)

    def draw(self) -> None:
        """Update the bar."""
        if self._bar is not None:
            bars.set_count(self._bar, self._ledger.count)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.draw()
        if self._bar is not None:
            self._bar.close()
