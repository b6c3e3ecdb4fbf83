"""The project's budgets.

Each figure is the median of several processes or repetitions, compared within one run, because absolute times depend
more on the machine than on the code.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from benchmarks import datasets
from benchmarks.table import Figure, add, at_most, rounds, seconds, under

# As in an installation, where compiled modules are cached.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def start() -> None:
    bare = process("pass")
    dependencies()
    importing(bare)
    first_call(bare)


def importing(bare: Sequence[float]) -> None:
    imported = process("import alyx_client")
    code = "import sys, alyx_client; print(*(m for m in ('pydantic', 'httpx') if m in sys.modules))"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    add(Figure("import alyx_client, above bare Python", above(imported, bare), "ms", under(25)))
    note = " and ".join(loaded)
    add(Figure("import alyx_client: of pydantic and httpx, loaded", [len(loaded)], budget=at_most(0), note=note))


def dependencies() -> None:
    """Count the core's dependencies that are not among those agreed on."""
    requirements = importlib.metadata.requires("alyx-client") or []
    names = {match[0] for line in requirements if "extra ==" not in line and (match := re.match(r"[\w-]+", line))}
    others = sorted(names - {"httpx", "pydantic", "platformdirs", "tqdm", "truststore"})
    add(Figure("further dependencies of the core", [len(others)], budget=at_most(0), note=" and ".join(others)))


def first_call(bare: Sequence[float]) -> None:
    # A typed call needs the client, the endpoint, its models and the transport; the server's time is excluded.
    call = (
        "from alyx_client import AlyxClient; from alyx_client.http.message import Response;"
        "c = AlyxClient('http://127.0.0.1:9', token='x');"
        'c.send = lambda request, **_: Response(200, {}, b\'{"count": 0, "next": null, "results": []}\');'
    )
    first = above(process(call + "c.subjects.list()"), bare)
    every = above(
        process(
            call + "import alyx_client.models as m; models = [getattr(m, name) for name in m.__all__];"
            "[model.model_rebuild() for model in models if hasattr(model, 'model_rebuild')]"
        ),
        bare,
    )
    add(Figure("to the first typed call, above bare Python", first, "ms", under(250)))
    ratios = [one / all_of_them for one, all_of_them in zip(first, every, strict=True)]
    note = f"of {seconds(statistics.median(every) / 1000)}"
    add(Figure("to the first typed call / importing every endpoint", ratios, "x", under(0.5), note=note))


def parsing() -> None:
    # Imported here, since other revisions may lack some of these, but not what the other functions need.
    from alyx_client import SchemaDriftWarning
    from alyx_client.endpoints.datasets import _LIST
    from alyx_client.http.message import Response
    from alyx_client.runtime.drift import DriftLog
    from alyx_client.runtime.rows import make_records

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
    note = f"{figures['rows'] / count * 1e6:.1f} / {plain / count * 1e6:.1f} us a row"
    name = f"{count} datasets parsed and validated / json.loads"
    add(Figure(name, [figures["rows"] / plain], "x", at_most(1.4), note=note))
    add(Figure("and a record made of each / json.loads", [figures["records"] / plain], "x"))
    rows = rows[:1000]
    good = Response(200, {}, datasets.page(rows))
    bad = Response(200, {}, datasets.page([*rows[:500], {**rows[500], "file_size": "unknown"}, *rows[501:]]))
    log = DriftLog()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SchemaDriftWarning)
        figures = cpu_times({"good": lambda: _LIST.parse(good, log), "bad": lambda: _LIST.parse(bad, log)})
    ratio = figures["bad"] / figures["good"]
    add(Figure("a page of 1000 with one row that drifts / without", [ratio], "x", at_most(1.5)))


def cpu_times(calls: Mapping[str, Callable[[], object]], repetitions: int = 31) -> dict[str, float]:
    """Return the median CPU time of each call, in seconds; they alternate, so that load affects all of them equally."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repetitions):
        for name, call in calls.items():
            times[name].append(once(call, time.process_time))
    return {name: statistics.median(values) for name, values in times.items()}


def generating() -> None:
    from alyx_generator.package.shipped import generate_shipped

    times = [once(generate_shipped) for _ in range(rounds(3))]
    add(Figure("the whole client generated", times, "s", under(5)))
    few, many = (once(partial(generate_operations, number)) for number in (1000, 5000))
    note = f"{seconds(many)} / {seconds(few)}"
    add(Figure("5000 operations generated / 1000", [many / few], "x", at_most(6), note=note))


def generate_operations(number: int) -> None:
    """Generate a client with a number of operations, five on each endpoint."""
    from alyx_generator.package.pipeline import generate_client
    from alyx_generator.render.modules import Package

    def content(schema: str) -> dict[str, object]:
        return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}

    def operation(name: str, schema: str, *, body: bool = False) -> dict[str, object]:
        request = {"requestBody": {"content": content(schema)}} if body else {}
        return {"operationId": name, "responses": {"200": {"content": content(schema)}}, **request}

    paths: dict[str, object] = {}
    schemas: dict[str, object] = {}
    for n in range(number // 5):
        fields = {name: {"type": kind} for name, kind in (("id", "string"), ("name", "string"), ("size", "integer"))}
        schemas[f"Thing{n}"] = {"type": "object", "properties": fields, "required": list(fields)}
        rows = {"type": "array", "items": {"$ref": f"#/components/schemas/Thing{n}"}}
        schemas[f"Things{n}"] = {"type": "object", "properties": {"count": {"type": "integer"}, "results": rows}}
        paths[f"/things{n}"] = {
            "get": operation(f"things{n}_list", f"Things{n}"),
            "post": operation(f"things{n}_create", f"Thing{n}", body=True),
        }
        key = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
        paths[f"/things{n}/{{id}}"] = {
            "parameters": [key],
            "get": operation(f"things{n}_read", f"Thing{n}"),
            "put": operation(f"things{n}_update", f"Thing{n}", body=True),
            "delete": {"operationId": f"things{n}_delete", "responses": {"204": {}}},
        }
    document = {"openapi": "3.0.3", "info": {}, "paths": paths, "components": {"schemas": schemas}}
    generated = generate_client(document, (), package=Package("Client", "AsyncClient", "make", "many"), strict=False)
    assert generated.api.operations == number, generated.api.operations


def process(code: str, runs: int = 9) -> list[float]:
    """Return the times of new interpreters that run `code`, in seconds."""
    times: list[float] = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, env=ENVIRONMENT)
        times.append(time.perf_counter() - start)
    return times[1:]


def above(times: Sequence[float], bare: Sequence[float]) -> list[float]:
    """Return by how much times exceed those of a bare interpreter, in milliseconds."""
    return [(total - statistics.median(bare)) * 1000 for total in times]


def once(call: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the time of one call in seconds, excluding the time to free its result."""
    start = clock()
    result = call()
    seconds = clock() - start
    del result
    return seconds
