"""Compare this client with ONE-api on the same replay server, in one run.

The clients alternate in running ``user_code.py`` in new processes with an empty home folder, so that changes in the
machine's load affect them equally; the figures are medians.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks import datasets, peers, replay_server
from benchmarks.table import Budget, Figure, add, at_least, rounds, seconds

ROUNDS = 5

Run = tuple[str, str, str]
"""Interpreter, module of the client, style."""
TASKS = {
    "start": "import, login, schema",
    "list": f"{datasets.ROWS} datasets listed",
    "reads": "50 datasets read",
    "cached reads": "50 datasets read again, from the cache",
}
TYPED = frozenset({"list", "reads", "cached reads"})
BUDGETS = {
    "start": at_least(1),
    "list": at_least(5),
    "reads": at_least(1.9),
}
ROOT = Path(__file__).parents[1]


def measure(*tasks: str) -> None:
    """Measure some tasks with both clients, or with this one alone if ONE-api is not installed."""
    python = peers.python("ONE-api")
    strings: Run = (sys.executable, "alyx_client", "strings")
    typed: Run = (sys.executable, "alyx_client", "typed")
    one: Run | None = (python, "one.webclient", "strings") if python else None
    runs = [run for run in (one, strings, typed if TYPED.intersection(tasks) else None) if run]
    with replay_server.running() as alyx, replay_server.running() as data:
        times = in_turn(runs, tasks, alyx, data)
    for task in tasks:
        theirs = times[one][task] if one else None
        if task in TYPED:
            add(compared(f"{TASKS[task]}, typed", times[typed][task], theirs, BUDGETS.get(task)))
            add(compared(f"{TASKS[task]}, by name", times[strings][task], theirs))
        else:
            add(compared(TASKS[task], times[strings][task], theirs, BUDGETS.get(task)))


def compared(name: str, ours: Sequence[float], theirs: Sequence[float] | None, budget: Budget | None = None) -> Figure:
    """Return ONE's time as a multiple of ours, or our time in seconds without ONE's."""
    if theirs is None:
        return Figure(name, ours, "s")
    ratios = [their / our for their, our in zip(theirs, ours, strict=True)]
    note = f"{seconds(median(theirs))} / {seconds(median(ours))}"
    return Figure(name, ratios, "x ONE", budget, note=note)


def in_turn(runs: list[Run], tasks: Sequence[str], alyx: str, data: str) -> dict[Run, dict[str, list[float]]]:
    """Return the times of each task, one per round, in seconds."""
    times: dict[Run, dict[str, list[float]]] = {run: defaultdict(list) for run in runs}
    for number in range(rounds(ROUNDS)):
        # The order alternates, too.
        for run in runs if number % 2 else runs[::-1]:
            for task, time in once(run, tasks, alyx, data).items():
                times[run][task].append(time)
    return times


def once(run: Run, tasks: Sequence[str], alyx: str, data: str) -> dict[str, float]:
    """Run the user's code in a new process, and return the time of each task in seconds."""
    python, module, style = run
    keys = [str(row["url"]).rpartition("/")[2] for row in datasets.rows(alyx, 50)]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "home")
        settings_of_one(home, alyx, data)
        process = subprocess.run(
            [python, str(Path(__file__).with_name("user_code.py")), module, style],
            input=json.dumps({"alyx": alyx, "tasks": tasks, "ids": keys}),
            capture_output=True,
            text=True,
            env=environment(home),
            check=False,
        )
        if process.returncode:
            raise RuntimeError(f"{module} ({style}) failed:\n{process.stderr}")
        times: dict[str, float] = json.loads(process.stdout.splitlines()[-1])
        return times


def settings_of_one(home: Path, alyx: str, data: str, login: tuple[str | None, str | None] = (None, None)) -> None:
    """Write the settings that ONE's setup creates; both clients read them."""
    folder = home / ".one"
    folder.mkdir(parents=True)
    key = alyx.removeprefix("http://").replace(":", "_")
    caches = {"CLIENT_MAP": {key: str(home / "ONE")}, "DEFAULT": key}
    server = {
        "ALYX_URL": alyx,
        "ALYX_LOGIN": "olivier",
        "HTTP_DATA_SERVER": f"{data}/data",
        "HTTP_DATA_SERVER_LOGIN": login[0],
        "HTTP_DATA_SERVER_PWD": login[1],
    }
    (folder / ".caches").write_text(json.dumps(caches))
    (folder / f".{key}").write_text(json.dumps(server))


def environment(home: Path) -> Mapping[str, str]:
    """Return the environment of a user who has only these settings, and this checkout."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("ALYX_", "ONE_", "XDG_", "PYTHON")) and not name.upper().endswith("_PROXY")
    }
    folders = ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA")
    return {**inherited, **dict.fromkeys(folders, str(home)), "PYTHONPATH": str(ROOT)}
