"""Programs that do the same tasks with different libraries, in processes of their own, in turn."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import datasets
from benchmarks.table import rounds

READS = 50
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Program:
    """A program that does some tasks.

    Parameters
    ----------
    name
        The name of the library.
    python
        The interpreter that has it.
    arguments
        The program, a file of this folder, and its arguments.
    tasks
        The tasks that it can do.
    path
        A further folder of modules.
    """

    name: str
    python: str
    arguments: tuple[str, ...]
    tasks: frozenset[str]
    path: str = ""


Times = dict[str, list[float]]
"""The times of each task in seconds, one a round."""


def in_turn(programs: Iterable[Program], tasks: Iterable[str], alyx: str, usual: int) -> dict[Program, Times]:
    """Return the times of the tasks that each program can do.

    Parameters
    ----------
    programs
        The programs.
    tasks
        The tasks.
    alyx
        The server.
    usual
        The usual number of rounds.
    """
    does = {program: [task for task in tasks if task in program.tasks] for program in programs}
    times: dict[Program, Times] = {program: defaultdict(list) for program in does}
    for number in range(rounds(usual)):
        # The order alternates, too.
        for program in list(does)[:: 1 if number % 2 else -1]:
            if does[program]:
                for task, time in once(program, does[program], alyx).items():
                    times[program][task].append(time)
    return times


def once(program: Program, tasks: Sequence[str], alyx: str) -> dict[str, float]:
    """Run a program in a new process with an empty home, and return the time of each task in seconds."""
    keys = [str(row["url"]).rpartition("/")[2] for row in datasets.rows(alyx, READS)]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "home")
        settings_of_one(home, alyx, alyx)
        file, *arguments = program.arguments
        process = subprocess.run(
            [program.python, str(Path(__file__).with_name(file)), *arguments],
            input=json.dumps({"alyx": alyx, "tasks": tasks, "ids": keys}),
            capture_output=True,
            text=True,
            env=environment(home, program.path),
            check=False,
        )
        if process.returncode:
            raise RuntimeError(f"{program.name} failed:\n{process.stderr}")
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


def environment(home: Path, path: str = "") -> Mapping[str, str]:
    """Return the environment of a user who has only these settings, and this checkout or other modules."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("ALYX_", "ONE_", "XDG_", "PYTHON")) and not name.upper().endswith("_PROXY")
    }
    folders = ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA")
    return {**inherited, **dict.fromkeys(folders, str(home)), "PYTHONPATH": path or str(ROOT)}
