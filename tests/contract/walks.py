"""Row counts of whole lists of a live server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Walked:
    """The counts of one endpoint, read to its end."""

    counted: int
    rows: int
    distinct: int
    read: int


WALKS: dict[str, Walked] = {}
BESIDE_WRITERS: Counter[tuple[str, str]] = Counter()
"""Counts of lists that were read while others wrote, by endpoint and by what was counted."""


def table() -> Iterator[str]:
    yield f"{'endpoint':28}{'counted':>9}{'rows':>9}{'distinct':>10}{'read':>7}"
    for name, walked in sorted(WALKS.items()):
        yield f"{name:28}{walked.counted:9}{walked.rows:9}{walked.distinct:10}{walked.read:7}"
    sums = [sum(getattr(walked, name) for walked in WALKS.values()) for name in ("counted", "rows", "distinct", "read")]
    yield f"{'all':28}{sums[0]:9}{sums[1]:9}{sums[2]:10}{sums[3]:7}"


def table_beside_writers() -> Iterator[str]:
    for endpoint in sorted({endpoint for endpoint, _ in BESIDE_WRITERS}):
        counts = (f"{name} {count}" for (of, name), count in BESIDE_WRITERS.items() if of == endpoint)
        yield f"{endpoint:12}{', '.join(counts)}"
