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
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import GenericAlias
from typing import TYPE_CHECKING, Any, Literal, cast, get_args, get_origin

from benchmarks import datasets, replay_server
from benchmarks.table import Beside, Figure, add, at_most, rounds, seconds, under

if TYPE_CHECKING:
    from pydantic import TypeAdapter

# As in an installation, where compiled modules are cached.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def start() -> None:
    bare = process("pass")
    dependencies()
    importing(bare)
    first_call(bare)


def importing(bare: Sequence[float]) -> None:
    imported = process("import alyx_client")
    code = "import sys, alyx_client; print(*(m for m in ('pydantic', 'httpx2') if m in sys.modules))"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    add(Figure("import alyx_client, above bare Python", above(imported, bare), "ms", under(25)))
    note = " and ".join(loaded)
    add(Figure("import alyx_client: of pydantic and httpx2, loaded", [len(loaded)], budget=at_most(0), note=note))


def dependencies() -> None:
    """Count the core's dependencies that are not among those agreed on."""
    requirements = importlib.metadata.requires("alyx-client") or []
    names = {match[0] for line in requirements if "extra ==" not in line and (match := re.match(r"[\w-]+", line))}
    others = sorted(names - {"httpx2", "pydantic", "platformdirs", "tqdm", "truststore"})
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
    start_of_floor(call + "c.subjects.list()")
    ratios = [one / all_of_them for one, all_of_them in zip(first, every, strict=True)]
    note = f"of {seconds(statistics.median(every) / 1000)}"
    add(Figure("to the first typed call / importing every endpoint", ratios, "x", under(0.5), note=note))


def start_of_floor(first: str) -> None:
    """Compare the first typed call with importing what it cannot do without."""
    # A third of what is above the floor is httpcore2, and a third finding, reading and freeing some 120 modules of this
    # package, 0.25 ms each. Half of the rest are the endpoint's models, all of which pydantic makes when their module
    # is imported, in 1.2 ms each; the other half are platformdirs, the methods of two dozen dataclasses, and the call.
    pydantic = "from pydantic import BaseModel; Model = type('Model', (BaseModel,), {'__annotations__': {'name': str}})"
    programs = {
        "first": first,
        "floor": f"import httpx2; {pydantic}",
        "with httpcore2": f"import httpcore2, httpx2; {pydantic}",
    }
    times: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(rounds(15)):
        for name, program in programs.items():
            times[name].append(cpu_time(program))
    floor = statistics.median(times["floor"])
    note = f"of {seconds(floor)} of CPU time"
    name = "to the first typed call / importing httpx2 and pydantic"
    add(Figure(name, [one / floor for one in times["first"]], "x", at_most(1.25), note=note))
    floor = statistics.median(times["with httpcore2"])
    note = f"of {seconds(floor)}; every request of httpx2 imports httpcore2"
    add(Figure("the same / importing httpcore2, too", [one / floor for one in times["first"]], "x", note=note))


def cpu_time(code: str) -> float:
    """Return the CPU time of a new interpreter that runs `code`, in seconds."""
    before = os.times()
    subprocess.run([sys.executable, "-c", code], check=True, env=ENVIRONMENT)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def cached_read() -> None:
    from alyx_client import AlyxClient

    with (
        replay_server.running() as alyx,
        tempfile.TemporaryDirectory() as folder,
        AlyxClient(alyx, token="x", cache_dir=folder) as client,
    ):
        (row,) = datasets.rows(alyx, 1)
        key = str(row["url"]).rpartition("/")[2]
        client.datasets.read(key)
        times = [once(lambda: client.datasets.read(key), time.process_time) for _ in range(5000)]
    note = f"{len(json.dumps(row))} bytes; median of {len(times)}"
    add(Figure("a cached read, typed, CPU time", [statistics.median(times) * 1000], "ms", at_most(0.08), note=note))


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
    bare = bare_models(_LIST.parser.row)
    known = bare_dictionaries(_LIST.parser.row, "ignore")
    # Fields that the schema lacks are passed on; finding them costs a look-up of each name, a quarter of json.loads.
    whole = bare_dictionaries(_LIST.parser.row, "allow")
    figures = cpu_times(
        {
            "json.loads": lambda: json.loads(content),
            "pydantic": lambda: bare.validate_json(content),
            "known": lambda: known.validate_json(content),
            "whole": lambda: whole.validate_json(content),
            "rows": page,
            "records": lambda: make_records(page().rows, record),
        }
    )
    plain = figures["json.loads"]
    note = f"{figures['rows'] / count * 1e6:.1f} / {plain / count * 1e6:.1f} us a row"
    note += f"; {figures['known'] / plain:.2f} x if unknown fields were dropped"
    name = f"{count} datasets parsed and validated / json.loads"
    floor = Beside("pydantic-core into dictionaries of the same fields and others", figures["whole"] / plain)
    add(Figure(name, [figures["rows"] / plain], "x", at_most(1.4), floor, note=note))
    floor = Beside("pydantic-core on bare models of the same fields", figures["pydantic"] / plain)
    add(Figure("and a record made of each / json.loads", [figures["records"] / plain], "x", at_most(1.96), floor))
    rows = rows[:1000]
    good = Response(200, {}, datasets.page(rows))
    bad = Response(200, {}, datasets.page([*rows[:500], {**rows[500], "file_size": "unknown"}, *rows[501:]]))
    log = DriftLog()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SchemaDriftWarning)
        figures = cpu_times({"good": lambda: _LIST.parse(good, log), "bad": lambda: _LIST.parse(bad, log)})
    ratio = figures["bad"] / figures["good"]
    add(Figure("a page of 1000 with one row that drifts / without", [ratio], "x", at_most(1.5)))


def tables() -> None:
    import pandas

    from alyx_client.endpoints.datasets import _LIST
    from alyx_client.frames import to_arrow, to_pandas, to_polars
    from alyx_client.http.message import Response
    from alyx_client.runtime.drift import DriftLog

    content = datasets.page(datasets.rows())
    declared = _LIST.parser.row

    def parsed() -> Sequence[Any]:
        return _LIST.parse(Response(200, {}, content), DriftLog(strict=True)).rows

    figures = cpu_times(
        {
            "json": lambda: pandas.DataFrame(json.loads(content)["results"]),
            "pandas": lambda: to_pandas(parsed(), declared),
            "polars": lambda: to_polars(parsed(), declared),
            "arrow": lambda: to_arrow(parsed(), declared),
        }
    )
    plain = figures["json"]
    for library, budget in (("pandas", at_most(1.5)), ("polars", None), ("arrow", None)):
        name = f"{datasets.ROWS} datasets parsed, validated, to_{library} / pandas of json.loads"
        note = f"{seconds(figures[library])} / {seconds(plain)}"
        add(Figure(name, [figures[library] / plain], "x", budget, note=note))


def bare_models(row: Any) -> TypeAdapter[Any]:
    """Return what validates a page into plain models of pydantic that have the fields of a row."""
    from pydantic import BaseModel, ConfigDict, create_model

    class Bare(BaseModel):
        model_config = ConfigDict(strict=True, protected_namespaces=())

    def make(name: str, fields: Mapping[str, Any]) -> Any:
        required = {field: (kind, ...) for field, kind in fields.items()}
        return create_model(name, __base__=Bare, **cast("dict[str, Any]", required))

    return bare_page(row, make)


def bare_dictionaries(row: Any, extra: Literal["allow", "ignore"]) -> TypeAdapter[Any]:
    """Return what validates a page into dictionaries with the fields of a row, and perhaps others."""
    from pydantic import ConfigDict
    from typing_extensions import TypedDict

    def make(name: str, fields: Mapping[str, Any]) -> Any:
        kind: Any = TypedDict(name, dict(fields))  # pyright: ignore[reportGeneralTypeIssues, reportArgumentType]
        kind.__pydantic_config__ = ConfigDict(strict=True, extra=extra)
        return kind

    return bare_page(row, make)


def bare_page(row: Any, make: Callable[[str, Mapping[str, Any]], Any]) -> TypeAdapter[Any]:
    """Return what validates a page of rows whose records are of types that a function makes of name and fields."""
    from pydantic import BaseModel, TypeAdapter

    def bare(kind: Any) -> Any:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind.model_rebuild()
            return make(kind.__name__, {name: bare(field.annotation) for name, field in kind.model_fields.items()})
        if get_origin(kind) is list:
            return GenericAlias(list, tuple(map(bare, get_args(kind))))
        return kind

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a field of datasets is called "json"
        fields = {"count": int, "next": str | None, "results": GenericAlias(list, bare(row))}
        return TypeAdapter(make("Page", fields))


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
