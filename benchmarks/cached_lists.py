"""CPU time and look-ups of a list that is in the response cache: ``python -m benchmarks.cached_lists``."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable
from typing import Any

from alyx_client import AlyxClient
from alyx_client.http.cache import tables
from alyx_client.http.cache.key import CacheKey
from benchmarks import datasets
from benchmarks.replay_server import running
from benchmarks.table import Figure, add, at_most, rounds


def measure() -> None:
    """Read the list until it is in the cache, and then from there, typed and by name."""
    with (
        running() as url,
        tempfile.TemporaryDirectory() as folder,
        AlyxClient(url, token="x", cache_dir=folder, silent=True) as client,
    ):
        ways: dict[str, Callable[[], Any]] = {
            "typed": client.datasets.list,
            "by name": lambda: client.get("/datasets"),
        }
        for way, rows in ways.items():
            _read(rows)
            times = [_read(rows) for _ in range(rounds(15))]
            lookups = [_look_up_nothing(client) for _ in range(rounds(15))]
            name = f"{datasets.ROWS} datasets from the cache, {way}"
            add(Figure(name, [seconds * 1000 for seconds in times], "ms", note="CPU time"))
            # The first page tells how many there are, and is all that len() and rows[0] need. To look the others up
            # together with it would save this much.
            shares = [lookup / time for lookup, time in zip(lookups, times, strict=True)]
            add(Figure(f"{name}: look-ups", [_lookups(rows)], "", at_most(2)))
            add(Figure(f"{name}: one look-up / the whole list", shares, "x", at_most(0.02)))


def _read(rows: Callable[[], Any]) -> float:
    """Return the CPU time of reading all rows, in seconds."""
    gc.collect()
    start = time.process_time()
    assert sum(1 for _ in rows()) == datasets.ROWS
    return time.process_time() - start


def _look_up_nothing(client: AlyxClient) -> float:
    """Return the CPU time of one look-up, in seconds."""
    key = CacheKey(b"missing", "nobody", "datasets")
    start = time.process_time()
    for _ in range(20):
        client._cache._store.find(key)
    return (time.process_time() - start) / 20


def _lookups(rows: Callable[[], Any]) -> int:
    """Return how often the cache's file is asked for entries."""
    count = 0
    find = tables.find_several

    def counted(*arguments: Any) -> tables.Found:
        nonlocal count
        count += 1
        return find(*arguments)

    tables.find_several = counted
    try:
        _read(rows)
    finally:
        tables.find_several = find
    return count


if __name__ == "__main__":
    measure()
