"""The parts of the benchmark."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.table import begin


@dataclass(frozen=True)
class Measurement:
    """A function that adds figures to the table.

    Parameters
    ----------
    module, function
        The function; its module is imported when it is called, since an older revision may not support it.
    arguments
        Its arguments.
    """

    module: str
    function: str
    arguments: tuple[str, ...] = ()

    def run(self) -> None:
        """Measure."""
        getattr(importlib.import_module(f"benchmarks.{self.module}"), self.function)(*self.arguments)


_AGAINST_ONE = ("against_one", "measure")

PARTS: Mapping[str, Sequence[Measurement]] = {
    "start": [Measurement("budgets", "start"), Measurement(*_AGAINST_ONE, ("start",))],
    "parsing": [Measurement("budgets", "parsing")],
    "tables": [Measurement("budgets", "tables")],
    "lists": [Measurement(*_AGAINST_ONE, ("list",))],
    "reads": [
        Measurement("budgets", "cached_read"),
        Measurement("cached_lists", "measure"),
        Measurement(*_AGAINST_ONE, ("reads", "cached reads")),
        Measurement(*_AGAINST_ONE, ("read many",)),
    ],
    "files": [Measurement("files", "measure")],
    "polite": [Measurement("polite", "measure")],
    "memory": [Measurement("memory", "measure")],
    "generating": [Measurement("budgets", "generating")],
    "one": [Measurement("under_one", "measure")],
}
"""What is measured, by the name that selects it."""


def run(names: Iterable[str]) -> list[str]:
    """Measure some parts, and return the names of those that failed."""
    failed: list[str] = []
    for name in names:
        begin(name)
        for measurement in PARTS[name]:
            try:
                measurement.run()
            except Exception:
                # The other figures are worth having; one may have taken an hour.
                traceback.print_exc()
                failed.append(name)
    return failed
