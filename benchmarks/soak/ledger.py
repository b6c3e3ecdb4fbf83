"""The record of what a process did: numbers, violations, and each write with its outcome."""

from __future__ import annotations

import json
import threading
from collections import Counter
from pathlib import Path
from typing import Any


class Ledger:
    """Counts what was done, and writes down each write in a file; several threads may use it.

    Parameters
    ----------
    file
        The file of the writes: one JSON array a line, with the table, the name of the record, and its state.
    """

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        # Not in memory, whose growth is watched.
        self._file = file.open("w", encoding="utf-8", buffering=1)
        self.done: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.warnings: Counter[str] = Counter()
        self.violations: list[str] = []

    def success(self, task: str) -> None:
        """Count a task that was done."""
        with self._lock:
            self.done[task] += 1

    def failure(self, task: str, error: BaseException) -> None:
        """Count a task that raised one of the client's own errors."""
        with self._lock:
            self.failed[f"{task}: {type(error).__name__}"] += 1

    def warning(self, category: str) -> None:
        """Count a warning."""
        with self._lock:
            self.warnings[category] += 1

    def violation(self, text: str) -> None:
        """Write down what must not happen."""
        with self._lock:
            self.violations.append(text)

    def write(self, table: str, name: str, state: str | None, *, is_certain: bool) -> None:
        """Write down a write.

        Parameters
        ----------
        table
            The table of the record.
        name
            What identifies the record.
        state
            The state that was written; None for deleted.
        is_certain
            Whether the call returned; otherwise the state may be this one, or that before it.
        """
        with self._lock:
            self._file.write(json.dumps([table, name, state, is_certain]) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def possible_states(file: Path) -> dict[tuple[str, str], set[str | None]]:
    """Return the states in which each record may be, by table and name, after the writes of a file."""
    states: dict[tuple[str, str], set[str | None]] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        entry: list[Any] = json.loads(line)
        table, name, state, is_certain = entry
        before = states.get((table, name), {None})
        states[table, name] = {state} if is_certain else {*before, state}
    return states


def check_records(states: dict[tuple[str, str], set[str | None]], found: dict[str, list[tuple[str, str]]]) -> list[str]:
    """Compare the records of a server with the possible states.

    Parameters
    ----------
    states
        The possible states.
    found
        The records of each table: name and state of each.

    Returns
    -------
    list of str
        The violations.
    """
    violations: list[str] = []
    for table, records in found.items():
        by_name: dict[str, list[str]] = {}
        for name, state in records:
            by_name.setdefault(name, []).append(state)
        for name, those in by_name.items():
            if len(those) > 1:
                violations.append(f"{table} {name}: written {len(those)} times")
        for (of, name), possible in states.items():
            actual = by_name[name][0] if name in by_name else None
            if of == table and actual not in possible:
                violations.append(f"{table} {name}: is {actual!r}, should be {' or '.join(map(repr, possible))}")
    return violations
