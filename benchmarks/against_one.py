"""Compare this client with ONE-api on the same replay server, in one run.

The clients alternate in running ``user_code.py`` in new processes with an empty home folder, so that changes in the
machine's load affect them equally; the figures are medians. Every downloaded file is compared with the original.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from benchmarks import datasets, replay_server
from benchmarks.table import comparison, heading

ROUNDS = 5
MIB = 1024 * 1024
FILES = [f"{MIB}/spikes.times.{n}.npy" for n in range(100)]
BIG = f"{512 * MIB}/ephys.cbin"

Run = tuple[str, str, str]
"""Interpreter, module of the client, style."""
TASKS = {
    "start": "import, login, schema",
    "list": f"{datasets.ROWS} datasets listed",
    "reads": "50 datasets read",
    "cached reads": "50 datasets read again, from the cache",
    "files": "100 files of 1 MiB",
    "big file": "one file of 512 MiB",
}


def measure() -> None:
    """Measure and print the comparison, or print how to enable it."""
    python, version = find_one()
    if version is None:
        print(f"\nNot compared: {python} has no ONE-api; make bench ONE=1, or ONE_PYTHON=/path/to/python make bench")
        return
    one: Run = (python, "one.webclient", "strings")
    strings: Run = (sys.executable, "alyx_client", "strings")
    typed: Run = (sys.executable, "alyx_client", "typed")
    with replay_server.running() as alyx, replay_server.running() as data:
        times = in_turn([one, strings, typed], alyx, data)
    report(version, times[one], times[strings], times[typed])


def find_one() -> tuple[str, str | None]:
    """Return an interpreter and its version of ONE-api, if installed."""
    python = os.environ.get("ONE_PYTHON") or sys.executable
    code = "import importlib.metadata as m; print(m.version('ONE-api'))"
    try:
        process = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return python, None
    return python, process.stdout.strip()


def in_turn(runs: list[Run], alyx: str, data: str) -> dict[Run, dict[str, list[float]]]:
    """Return the times of each task, one per round, in seconds."""
    times: dict[Run, dict[str, list[float]]] = {run: defaultdict(list) for run in runs}
    for number in range(ROUNDS):
        # The order alternates, too.
        for run in runs if number % 2 else runs[::-1]:
            for task, seconds in once(run, alyx, data).items():
                times[run][task].append(seconds)
    return times


def once(run: Run, alyx: str, data: str) -> dict[str, float]:
    """Run the user's code in a new process, and return the time of each task in seconds."""
    python, module, style = run
    keys = [str(row["url"]).rpartition("/")[2] for row in datasets.rows(alyx, 50)]
    with tempfile.TemporaryDirectory() as folder:
        home, target = Path(folder, "home"), Path(folder, "files")
        target.mkdir()
        settings_of_one(home, alyx, data)
        files = [f"{data}/data/{name}" for name in FILES]
        task = {"alyx": alyx, "ids": keys, "files": files, "big": f"{data}/data/{BIG}", "folder": str(target)}
        process = subprocess.run(
            [python, str(Path(__file__).with_name("user_code.py")), module, style],
            input=json.dumps(task),
            capture_output=True,
            text=True,
            env=environment(home),
            check=False,
        )
        if process.returncode:
            raise SystemExit(f"{module} ({style}) failed:\n{process.stderr}")
        if style == "strings":
            verify(target)
        seconds: dict[str, float] = json.loads(process.stdout.splitlines()[-1])
        return seconds


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
    """Return the environment of a user who has only these settings."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("ALYX_", "ONE_", "XDG_", "PYTHON")) and not name.upper().endswith("_PROXY")
    }
    folders = ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA")
    return {**inherited, **dict.fromkeys(folders, str(home))}


def verify(folder: Path) -> None:
    """Check that every file is present and complete."""
    for name in (*FILES, BIG):
        size, _, filename = name.partition("/")
        with (folder / filename).open("rb") as file:
            for part in replay_server.content(0, int(size)):
                if file.read(len(part)) != bytes(part):
                    raise SystemExit(f"{filename} differs from the original")
            if file.read(1):
                raise SystemExit(f"{filename} is longer than the original")


def report(
    version: str,
    one: Mapping[str, list[float]],
    strings: Mapping[str, list[float]],
    typed: Mapping[str, list[float]],
) -> None:
    """Print the medians, and ONE's times as multiples of ours."""
    title = f"{replay_server.ROUND_TRIP * 1000:.0f} ms latency, median of {ROUNDS} rounds"
    heading(title, f"ONE-api {version}", "alyx-client", "ratio", "range")
    for task, name in TASKS.items():
        comparison(name, one[task], strings[task])
        if task in typed and task != "start":
            comparison("  typed", one[task], typed[task])
