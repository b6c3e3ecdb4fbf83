"""Print measurements as a table, each row as soon as it is available."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median


def budget(name: str, value: str, limit: str, is_met: bool) -> None:
    """Print a measurement that has a limit."""
    print(f"{name:52} {value:>26}   {limit:32} {'met' if is_met else 'MISSED'}", flush=True)


def figure(name: str, value: str) -> None:
    """Print a measurement that has no limit."""
    print(f"{name:52} {value:>26}", flush=True)


def heading(title: str, *columns: str) -> None:
    """Print the title and the column names of a comparison."""
    print(f"\n{title:52}{''.join(f'{column:>16}' for column in columns)}", flush=True)


def comparison(name: str, theirs: Sequence[float], ours: Sequence[float]) -> None:
    """Print the median times of two clients, and their ratio with its range over the rounds."""
    first, second = median(theirs), median(ours)
    ratios = sorted(their / our for their, our in zip(theirs, ours, strict=True))
    spread = f"{ratios[0]:.1f} to {ratios[-1]:.1f}"
    print(f"{name:52}{_seconds(first):>16}{_seconds(second):>16}{first / second:>14.1f} x{spread:>16}", flush=True)


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{seconds * 1000:.1f} ms"
