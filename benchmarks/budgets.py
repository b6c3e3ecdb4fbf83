"""The project's budgets.

Each figure is the median of several processes or repetitions, compared within one run, because absolute times depend
more on the machine than on the code.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from functools import partial

from alyx_generator.package.shipped import generate_shipped

from alyx_client import SchemaDriftWarning
from alyx_client.endpoints.datasets import _LIST
from alyx_client.http.message import Response
from alyx_client.runtime.drift import DriftLog
from alyx_client.runtime.rows import make_records
from benchmarks import datasets
from benchmarks.table import budget, figure

# As in an installation, where compiled modules are cached.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def measure() -> None:
    """Measure and print all budgets."""
    bare = process("pass")
    importing(bare)
    first_call(bare)
    parsing()
    generating()


def importing(bare: float) -> None:
    imported = process("import alyx_client")
    code = "import sys, alyx_client; print(*(m for m in ('pydantic', 'httpx') if m in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    extra = (imported - bare) * 1000
    budget("import alyx_client, above bare Python", f"{extra:.1f} ms", "under 25 ms", extra < 25)
    budget("pydantic or httpx loaded by it", loaded or "no", "no", not loaded)


def first_call(bare: float) -> None:
    # A typed call needs the client, the endpoint, its models and the transport; the server's time is excluded.
    call = (
        "from alyx_client import AlyxClient; from alyx_client.http.message import Response;"
        "c = AlyxClient('http://127.0.0.1:9', token='x');"
        'c.send = lambda request, **_: Response(200, {}, b\'{"count": 0, "next": null, "results": []}\');'
    )
    first = process(call + "c.subjects.list()") - bare
    every = process(
        call + "import alyx_client.models as m; models = [getattr(m, name) for name in m.__all__];"
        "[model.model_rebuild() for model in models if hasattr(model, 'model_rebuild')]"
    )
    every -= bare
    budget("to the first typed call, above bare Python", f"{first * 1000:.0f} ms", "under 250 ms", first < 0.25)
    share = f"{first / every:.2f} of {every * 1000:.0f} ms"
    budget("  against importing every endpoint", share, "under half", first < every / 2)


def parsing() -> None:
    count = datasets.ROWS
    rows = datasets.rows()
    content = datasets.page(rows)
    log = DriftLog(strict=True)
    page, record = partial(_LIST.parse, Response(200, {}, content), log), _LIST.parser.record
    figures = cpu_times(
        {
            "json.loads": lambda: json.loads(content),
            "rows": page,
            "records": lambda: make_records(page().rows, record),
        }
    )
    plain = figures["json.loads"]
    ratio = figures["rows"] / plain
    value = f"{ratio:.2f} ({figures['rows'] / count * 1e6:.1f} / {plain / count * 1e6:.1f} us a row)"
    budget(f"{count} datasets parsed and validated / json.loads", value, "at most 1.4", ratio <= 1.4)
    figure("  and a record made of each", f"{figures['records'] / plain:.2f}")
    rows = rows[:1000]
    good = Response(200, {}, datasets.page(rows))
    bad = Response(200, {}, datasets.page([*rows[:500], {**rows[500], "file_size": "unknown"}, *rows[501:]]))
    log = DriftLog()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SchemaDriftWarning)
        figures = cpu_times({"good": lambda: _LIST.parse(good, log), "bad": lambda: _LIST.parse(bad, log)})
    ratio = figures["bad"] / figures["good"]
    budget("a page of 1000 with one row that drifts / without", f"{ratio:.2f}", "at most 1.5", ratio <= 1.5)


def cpu_times(calls: Mapping[str, Callable[[], object]], repetitions: int = 31) -> dict[str, float]:
    """Return the median CPU time of each call, in seconds; they alternate, so that load affects all of them equally."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repetitions):
        for name, call in calls.items():
            times[name].append(once(call, time.process_time))
    return {name: statistics.median(values) for name, values in times.items()}


def generating() -> None:
    seconds = statistics.median(once(generate_shipped) for _ in range(3))
    budget("the whole client generated", f"{seconds:.1f} s", "under 10 s", seconds < 10)


def process(code: str, runs: int = 9) -> float:
    """Return the median time of new interpreters that run `code`, in seconds."""
    times: list[float] = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, env=ENVIRONMENT)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def once(call: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the time of one call in seconds, excluding the time to free its result."""
    start = clock()
    result = call()
    seconds = clock() - start
    del result
    return seconds
