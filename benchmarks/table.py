"""Prints what was measured, a row as soon as it is known."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median


def budget(what: str, value: str, limit: str, kept: bool) -> None:
    """Print a figure that has a limit."""
    print(f"{what:52} {value:>26}   {limit:32} {'kept' if kept else 'MISSED'}", flush=True)


def heading(what: str, *columns: str) -> None:
    """Print the names of the columns of a comparison."""
    print(f"\n{what:52}{''.join(f'{column:>16}' for column in columns)}", flush=True)


def comparison(what: str, theirs: Sequence[float], ours: Sequence[float]) -> None:
    """Print the medians of two clients' seconds, round by round, and how many times longer the first took."""
    first, second = median(theirs), median(ours)
    rounds = sorted(one / other for one, other in zip(theirs, ours, strict=True))
    spread = f"{rounds[0]:.1f} to {rounds[-1]:.1f}"
    print(f"{what:52}{_seconds(first):>16}{_seconds(second):>16}{first / second:>14.1f} x{spread:>16}", flush=True)


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{seconds * 1000:.1f} ms"
