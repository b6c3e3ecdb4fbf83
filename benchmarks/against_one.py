"""Compare this client with ONE-api and other libraries on the same replay server, in one run.

The programs alternate in new processes with an empty home folder, so that changes in the machine's load affect them
equally; the figures are medians.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks import datasets, peers, replay_server, typed_peer
from benchmarks.programs import READS, Program, Times, in_turn
from benchmarks.table import Beside, Budget, Figure, add, at_least, seconds

ROUNDS = 5
TASKS = {
    "start": "import, login, schema",
    "list": f"{datasets.ROWS} datasets listed",
    "reads": f"{READS} datasets read",
    "cached reads": f"{READS} datasets read again, from the cache",
    "read many": f"{READS} datasets read with read_many",
}
BUDGETS = {
    "start": at_least(1),
    "list": at_least(5),
    "reads": at_least(1.9),
    "read many": at_least(20),
}
FLOORS = {
    "list": "the same bytes, JSON parsed",
    "reads": "the same bytes, JSON parsed",
    "read many": "as many connections as records",
}
STRINGS = Program(
    "alyx-client by name",
    sys.executable,
    ("user_code.py", "alyx_client", "strings"),
    frozenset(TASKS) - {"read many"},
)
TYPED = Program(
    "alyx-client",
    sys.executable,
    ("user_code.py", "alyx_client", "typed"),
    frozenset(TASKS) - {"start"},
)
FLOOR = Program("floor", sys.executable, ("peer_code.py", "floor"), frozenset(FLOORS))


def measure(*tasks: str) -> None:
    """Measure some tasks with all libraries that are installed."""
    with tempfile.TemporaryDirectory() as folder:
        one, others = _others(tasks, Path(folder))
        # Times of two revisions are compared with each other alone.
        floor = [] if "BENCH_ALONE" in os.environ else [FLOOR]
        programs = [*([one] if one else []), STRINGS, TYPED, *floor, *others]
        with replay_server.running() as alyx:
            times = in_turn(programs, tasks, alyx, ROUNDS)
    for task in tasks:
        theirs = times[one][task] if one else None
        if task in TYPED.tasks:
            name = f"{TASKS[task]}, typed"
            add(compared(name, times[TYPED][task], theirs, BUDGETS.get(task), *_beside(task, times, theirs)))
            if task in STRINGS.tasks:
                add(compared(f"{TASKS[task]}, by name", times[STRINGS][task], theirs))
        else:
            beside = _beside(task, times, theirs)
            add(compared(TASKS[task], times[STRINGS][task], theirs, BUDGETS.get(task), *beside))


def compared(
    name: str,
    ours: Sequence[float],
    theirs: Sequence[float] | None,
    budget: Budget | None = None,
    floor: Beside | None = None,
    peers: Sequence[Beside] = (),
) -> Figure:
    """Return ONE's time as a multiple of ours, or our time in seconds without ONE's."""
    if theirs is None:
        return Figure(name, ours, "s", floor=floor, peers=peers)
    ratios = [their / our for their, our in zip(theirs, ours, strict=True)]
    note = f"{seconds(median(theirs))} / {seconds(median(ours))}"
    return Figure(name, ratios, "x ONE", budget, floor, peers, note)


def _others(tasks: Sequence[str], folder: Path) -> tuple[Program | None, list[Program]]:
    """Return the programs of ONE and of other libraries, as far as they are installed and can do a task."""
    python = peers.python("ONE-api")
    arguments = ("user_code.py", "one.webclient", "strings")
    one = Program("ONE-api", python, arguments, frozenset(TASKS)) if python else None
    others: list[Program] = []
    python = peers.python("openapi-python-client")
    if python and "list" in tasks:
        path = typed_peer.generate(python, folder)
        others.append(
            Program("openapi-python-client", python, ("peer_code.py", "typed-lists"), frozenset({"list"}), str(path))
        )
    return one, others


def _beside(
    task: str, times: Mapping[Program, Times], theirs: Sequence[float] | None
) -> tuple[Beside | None, list[Beside]]:
    """Return the floor and the peers of a task, in the unit of its figure."""
    besides: list[Beside] = []
    floor: Beside | None = None
    for program, measured in times.items():
        if program.arguments[0] != "peer_code.py" or not measured[task]:
            continue
        value = median(measured[task])
        if theirs is not None:
            value = median(their / time for their, time in zip(theirs, measured[task], strict=True))
        if program == FLOOR:
            floor = Beside(FLOORS[task], value)
        else:
            besides.append(Beside(program.name, value))
    return floor, besides
