"""Prints what was measured, a row as soon as it is known."""

from __future__ import annotations


def budget(what: str, value: str, limit: str, kept: bool) -> None:
    """Print a figure that has a limit."""
    print(f"{what:52} {value:>26}   {limit:32} {'kept' if kept else 'MISSED'}", flush=True)


def heading(what: str, *columns: str) -> None:
    """Print the names of the columns of a comparison."""
    print(f"\n{what:52}{''.join(f'{column:>18}' for column in columns)}", flush=True)


def comparison(what: str, theirs: float, ours: float) -> None:
    """Print two times in seconds, and how many times longer the first is."""
    print(f"{what:52}{_seconds(theirs):>18}{_seconds(ours):>18}{theirs / ours:>16.1f} x", flush=True)


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{seconds * 1000:.1f} ms"
