"""Measures the project's budgets: ``make bench``.

Each figure is the median of several fresh processes or repetitions, and compared within one run, since absolute times
say more about the machine than about the code.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from uuid import UUID, uuid5

from alyx_generator.cli import build_shipped

from alyx_client.drift import DriftLog
from alyx_client.endpoints.datasets import _LIST
from alyx_client.messages import Response

ROWS = 3000


# As where it is installed: compiled modules are kept.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def process(code: str, runs: int = 9) -> float:
    """Return the median seconds of fresh interpreters that run `code`."""
    times: list[float] = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, env=ENVIRONMENT)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def once(call: Callable[[], object]) -> float:
    """Return the seconds of one call; freeing its result is no part of it."""
    start = time.perf_counter()
    result = call()
    seconds = time.perf_counter() - start
    del result
    return seconds


def datasets() -> bytes:
    """Return a page of dataset rows such as a server sends."""
    space = UUID(int=0)
    rows = [
        {
            "url": f"https://alyx.example.org/datasets/{uuid5(space, str(n))}",
            "name": f"spikes.times.{n}.npy",
            "created_by": "olivier" if n % 4 else None,
            "created_datetime": "2021-01-02T15:52:00",
            "dataset_type": "spikes.times",
            "data_format": "npy",
            "collection": "alf/probe00",
            "session": f"https://alyx.example.org/sessions/{uuid5(space, f's{n}')}",
            "file_size": 239200 + n,
            "hash": f"{n:032x}",
            "version": "2.1.0",
            "experiment_number": n % 5 or None,
            "file_records": [
                {
                    "id": str(uuid5(space, f"{n}{repository}")),
                    "data_repository": repository,
                    "data_repository_path": "/public/",
                    "relative_path": f"cortexlab/Subjects/KS005/2020-01-01/001/alf/spikes.times.{n}.npy",
                    "data_url": None if repository == "local" else f"https://data.example.org/{n}",
                    "exists": True,
                }
                for repository in ("flatiron", "local")
            ],
            "auto_datetime": "2026-11-23T06:43:00.888236",
            "revision": None,
            "default_dataset": True,
            "protected": 0,
            "public": 1,
            "tags": ["2022_Q2_IBL"],
            "qc": "PASS",
            "json": None,
        }
        for n in range(ROWS)
    ]
    return json.dumps({"count": ROWS, "next": None, "previous": None, "results": rows}).encode()


def line(what: str, value: str, budget: str, kept: bool) -> None:
    """Print one row of the table."""
    print(f"{what:52} {value:>26}   {budget:32} {'kept' if kept else 'MISSED'}")


def main() -> None:
    """Measure and print."""
    bare = process("pass")
    imported = process("import alyx_client")
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, alyx_client; print(*(m for m in ('pydantic', 'httpx') if m in sys.modules))",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    extra = (imported - bare) * 1000
    line("import alyx_client, above bare Python", f"{extra:.1f} ms", "under 25 ms", extra < 25)
    line("pydantic or httpx loaded by it", loaded or "no", "no", not loaded)

    # A typed call needs the client, the endpoint, its shapes and the transport; the server's time is not ours.
    call = (
        "from alyx_client import AlyxClient; from alyx_client.messages import Response;"
        "c = AlyxClient('http://127.0.0.1:9', token='x');"
        'c.send = lambda request: Response(200, {}, b\'{"count": 0, "next": null, "results": []}\');'
    )
    first = process(call + "c.subjects.list()") - bare
    every = process(
        call + "import alyx_client.models as m; shapes = [getattr(m, name) for name in m.__all__];"
        "[shape.model_rebuild() for shape in shapes if hasattr(shape, 'model_rebuild')]"
    )
    every -= bare
    line("to the first typed call, above bare Python", f"{first * 1000:.0f} ms", "under 250 ms", first < 0.25)
    line(
        "  against importing every endpoint",
        f"{first / every:.2f} of {every * 1000:.0f} ms",
        "under half",
        first < every / 2,
    )

    content = datasets()
    response = Response(200, {}, content)
    log = DriftLog(strict=True)
    # In turn, so that both meet the machine in the same mood.
    pairs = [(once(lambda: _LIST.parse(response, log)), once(lambda: json.loads(content))) for _ in range(31)]
    ratio = statistics.median(typed / plain for typed, plain in pairs)
    typed, plain = (statistics.median(times) / ROWS * 1e6 for times in zip(*pairs, strict=True))
    value = f"{ratio:.2f} ({typed:.1f} / {plain:.1f} us a row)"
    line(f"{ROWS} datasets parsed and validated / json.loads", value, "at most 2", ratio <= 2)

    seconds = statistics.median(once(build_shipped) for _ in range(3))
    line("the whole client generated", f"{seconds:.1f} s", "under 10 s", seconds < 10)


if __name__ == "__main__":
    main()
