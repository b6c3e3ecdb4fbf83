"""Figures, each with its budget, floor and peers, printed as the rows of a table as soon as they are available."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Literal

Limit = Literal["at most", "at least", "under"]


@dataclass(frozen=True)
class Budget:
    """The limit of a figure.

    Parameters
    ----------
    kind
        The side on which the figure has to stay.
    limit
        The limit, in the unit of the figure.
    """

    kind: Limit
    limit: float

    def is_met(self, value: float) -> bool:
        """Return whether a figure stays within the budget."""
        if self.kind == "at least":
            return value >= self.limit
        return value <= self.limit if self.kind == "at most" else value < self.limit


def at_most(limit: float) -> Budget:
    return Budget("at most", limit)


def at_least(limit: float) -> Budget:
    return Budget("at least", limit)


def under(limit: float) -> Budget:
    return Budget("under", limit)


@dataclass(frozen=True)
class Beside:
    """A value to compare a figure with, in the same unit: its floor, or that of a peer.

    Parameters
    ----------
    name
        What was measured: the least that the task needs, or another library that does the same.
    value
        The value.
    """

    name: str
    value: float


@dataclass(frozen=True)
class Figure:
    """One measurement.

    Parameters
    ----------
    name
        What was measured; the same in every revision, since revisions are compared by it.
    rounds
        The value of each round; the figure is their median.
    unit
        The unit, such as ``"ms"``; ``"x"`` for a ratio.
    budget
        The limit, if there is one.
    floor
        The best value that any program could reach.
    peers
        What other libraries reach.
    note
        What the figure was calculated from.
    part
        The part of the benchmark; `add` sets it.
    """

    name: str
    rounds: Sequence[float]
    unit: str = ""
    budget: Budget | None = None
    floor: Beside | None = None
    peers: Sequence[Beside] = ()
    note: str = ""
    part: str = ""

    @property
    def value(self) -> float:
        """The median of the rounds."""
        return median(self.rounds)

    @property
    def is_met(self) -> bool | None:
        """Whether the budget is met; None without a budget."""
        return None if self.budget is None else self.budget.is_met(self.value)


figures: list[Figure] = []
"""The figures measured so far."""
_part = ""


def begin(part: str) -> None:
    """Start a part of the table."""
    global _part
    _part = part
    print(f"\n{part}", flush=True)


def add(figure: Figure) -> None:
    """Print a figure, and keep it for the results."""
    figures.append(replace(figure, part=_part))
    print(row(figure), flush=True)


def rounds(usual: int) -> int:
    """Return how often to measure: as usual, or ``BENCH_ROUNDS`` times."""
    return int(os.environ.get("BENCH_ROUNDS", usual))


def row(figure: Figure) -> str:
    """Return a figure as one row."""
    budget, met = "", ""
    if figure.budget is not None:
        budget = f"{figure.budget.kind} {text(figure.budget.limit, figure.unit)}"
        met = "met" if figure.is_met else "MISSED"
    low, high = min(figure.rounds), max(figure.rounds)
    spread = f"{text(low)} to {text(high)}" if len(figure.rounds) > 1 else ""
    floor = f"floor {text(figure.floor.value, figure.unit)} ({figure.floor.name})" if figure.floor else ""
    peers = [f"{peer.name} {text(peer.value, figure.unit)}" for peer in figure.peers]
    beside = "; ".join(part for part in (floor, *peers, figure.note) if part)
    columns = f"  {figure.name:54}{text(figure.value, figure.unit):>11}{spread:>16}  {budget:18} {met:7} {beside}"
    return columns.rstrip()


def text(value: float, unit: str = "") -> str:
    """Return a value with three significant digits."""
    digits = f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{digits} {unit}".rstrip()


def seconds(value: float) -> str:
    """Return a time in seconds or milliseconds."""
    return text(value, "s") if value >= 0.1 else text(value * 1000, "ms")


def budget(name: str, value: str, limit: str, is_met: bool) -> None:
    """Add a measurement that has a limit, both as text."""
    match = re.match(r"(under|at most|at least) (.*)", limit)
    amount, unit = _number(value)
    if amount is None or match is None or (expected := _number(match[2])[0]) is None:
        print(f"  {name:54}{value:>27}  {limit:18} {'met' if is_met else 'MISSED'}", flush=True)
        return
    kind: Limit = "at least" if match[1] == "at least" else "under" if match[1] == "under" else "at most"
    add(Figure(name.strip(), [amount], unit, Budget(kind, expected), note=value))


def figure(name: str, value: str) -> None:
    """Add a measurement that has no limit, as text."""
    amount, unit = _number(value)
    if amount is None:
        print(f"  {name:54}{value:>27}", flush=True)
    else:
        add(Figure(name.strip(), [amount], unit, note=value))


def _number(words: str) -> tuple[float | None, str]:
    match = re.match(r"(-?\d+(?:[_,]\d{3})*(?:\.\d+)?)\s*(ms|us|s|MB|MiB|GB|%|x)?\b", words)
    return (float(re.sub("[_,]", "", match[1])), match[2] or "") if match else (None, "")
