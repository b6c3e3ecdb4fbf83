"""Memory of lists of a million rows that are iterated over: ``python -m benchmarks.memory``.

The pages are made in memory, so that only the client is measured; each way runs in a process of its own, once for the
peak of the process, and once with the interpreter's own count of allocated bytes, which makes it three times slower.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any
from uuid import UUID

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.http.message import Request, Response
from benchmarks import datasets
from benchmarks.table import Figure, add, at_most

ROWS = 1_000_000
_MEGABYTES = 80
_URL = "https://alyx.example.org"
_KEY = "00000000-0000-4000-8000-000000000000"
# The steps of a generator of the whole range 2**122: all keys differ, and follow each other in no order.
_STEP = 0x9E3779B97F4A7C15F39CC0605CEDC83 % 2**122 | 1


def measure(rows: int = ROWS) -> None:
    """Measure the memory of each way to iterate over a list, and whether it slows down."""
    for way in _WAYS:
        peak, pace = _run(way, rows)
        traced, _ = _run(way, rows, "traced")
        name = f"{way}, {rows} rows"
        add(Figure(f"{name}: peak of the process", [peak / 10**6], "MB", at_most(_MEGABYTES)))
        add(Figure(f"{name}: allocated by Python", [traced / 10**6], "MB", at_most(_MEGABYTES)))
        add(Figure(f"{name}: CPU, last tenth / second", [pace], "x", at_most(1.1)))


def _run(way: str, rows: int, *traced: str) -> tuple[float, float]:
    command = [sys.executable, "-m", "benchmarks.memory", way, str(rows), *traced]
    output = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ).stdout
    peak, pace = map(float, output.split())
    return peak, pace


class Pages:
    """Respond to requests for pages of datasets as a server with so many rows would.

    Parameters
    ----------
    rows
        The number of rows.
    """

    def __init__(self, rows: int) -> None:
        self._count = rows
        (row,) = datasets.rows(_URL, 1)
        self._start, self._end = json.dumps({**row, "url": f"{_URL}/datasets/{_KEY}"}).split(_KEY)

    def respond(self, request: Request, **_: Any) -> Response:
        """Return a page."""
        query = dict(request.params)
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", 250))
        end = min(offset + limit, self._count)
        following = f"{_URL}/datasets?limit={limit}&offset={end}" if end < self._count else None
        rows = ",".join(f"{self._start}{_key(number)}{self._end}" for number in range(offset, end))
        head = json.dumps({"count": self._count, "next": following, "previous": None})
        content = f'{head[:-1]}, "results": [{rows}]}}'.encode()
        return Response(200, {"content-type": "application/json"}, content, "GET", f"{_URL}/datasets")

    async def respond_later(self, request: Request, **_: Any) -> Response:
        """Return a page."""
        return self.respond(request)


def _key(number: int) -> UUID:
    return UUID(int=number * _STEP % 2**122)


class Meter:
    """Measures the memory above that at the start, and the CPU time of the second and the last tenth of the rows."""

    def __init__(self, rows: int, *, traced: bool) -> None:
        tenth = rows // 10
        self._marks = {tenth: 0.0, 2 * tenth: 0.0, rows - tenth: 0.0, rows: 0.0}
        self._traced = traced
        if traced:
            tracemalloc.start()
        self._start = _resident()

    def count(self, number: int) -> None:
        """Take note of a row."""
        if number in self._marks:
            self._marks[number] = time.process_time()

    def report(self) -> None:
        """Print the peak, and how much slower the last tenth was than the second."""
        peak = tracemalloc.get_traced_memory()[1] if self._traced else _peak() - self._start
        begin_second, end_second, begin_last, end_last = self._marks.values()
        print(peak, (end_last - begin_last) / (end_second - begin_second))


def _resident() -> int:
    """Return the bytes of memory that this process has now; where the system does not say, its peak."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return _peak()


def _peak() -> int:
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _typed(pages: Pages, meter: Meter) -> None:
    client = AlyxClient(_URL, token="x", cache_rest=None)
    client.send = pages.respond  # type: ignore[method-assign]
    for number, _ in enumerate(client.datasets.list(), 1):
        meter.count(number)


def _by_name(pages: Pages, meter: Meter) -> None:
    client = AlyxClient(_URL, token="x", cache_rest=None)
    client.send = pages.respond  # type: ignore[method-assign]
    for number, _ in enumerate(client.get("/datasets"), 1):
        meter.count(number)


def _typed_async(pages: Pages, meter: Meter) -> None:
    async def read() -> None:
        client = AsyncAlyxClient(_URL, token="x", cache_rest=None)
        client.send = pages.respond_later  # type: ignore[method-assign]
        number = 0
        async for _ in client.datasets.list():
            number += 1
            meter.count(number)

    asyncio.run(read())


def _by_name_async(pages: Pages, meter: Meter) -> None:
    async def read() -> None:
        client = AsyncAlyxClient(_URL, token="x", cache_rest=None)
        client.send = pages.respond_later  # type: ignore[method-assign]
        number = 0
        async for _ in await client.get("/datasets"):
            number += 1
            meter.count(number)

    asyncio.run(read())


_WAYS: dict[str, Callable[[Pages, Meter], None]] = {
    "typed": _typed,
    "by name": _by_name,
    "typed, asyncio": _typed_async,
    "by name, asyncio": _by_name_async,
}


def main(way: str, rows: str, traced: str = "") -> None:
    """Iterate once in one way, after a short list that loads all modules."""
    count = int(rows)
    _WAYS[way](Pages(1500), Meter(1500, traced=False))
    meter = Meter(count, traced=bool(traced))
    _WAYS[way](Pages(count), meter)
    meter.report()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(*sys.argv[1:])
    else:
        measure()
