"""Compare ONE on its own client with ONE on this one, 40 ms away, in one run.

As in `against_one`: new processes, empty home folders, in turn; the figures are medians.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path

from benchmarks import distant_alyx, peers, replay_server
from benchmarks.against_one import compared
from benchmarks.programs import environment, settings_of_one
from benchmarks.table import add, rounds

ROUNDS = 3
CLIENTS = ("theirs", "ours")
TASKS = {
    "start": "import ONE, connect",
    "load_cache": "load_cache: tables downloaded",
    "load_cache again": "load_cache again: tables are current",
    "search": "search: 200 sessions on one page",
    "search again": "search on one page again, cached",
    "search in pages": "search: 200 sessions in pages of 20",
    "search in pages again": "search in pages again, cached",
    "list_datasets": "list_datasets of 8 sessions",
    "list_datasets again": "list_datasets again, cached",
    "load_dataset": "load_dataset of 8 sessions",
    "load_dataset again": "load_dataset again: the files are there",
    "eid2path": "eid2path of 200 sessions",
    "eid2path again": "eid2path again, cached",
}


def measure() -> None:
    """Measure the comparison, if ONE is installed."""
    python = peers.python("ONE-api")
    if python is None:
        return
    times: dict[str, dict[str, list[float]]] = {client: defaultdict(list) for client in CLIENTS}
    # ONE's environment has pandas, which writes the cache tables.
    with replay_server.running("benchmarks.distant_alyx", str(Path(python).absolute())) as url:
        once(python, "theirs", url)  # fills the server's memory
        once(python, "ours", url)
        for number in range(rounds(ROUNDS)):
            for client in CLIENTS if number % 2 else CLIENTS[::-1]:
                for task, time in once(python, client, url).items():
                    times[client][task].append(time)
    theirs, ours = times["theirs"], times["ours"]
    for task, name in TASKS.items():
        add(compared(name, ours[task], theirs[task]))
        # Pages are read ahead while ONE works, so that the client's time is no part of the whole.
        if min(theirs[f"{task}: client"]) > 0 and "pages" not in task:
            add(compared(f"{name}, in the client", ours[f"{task}: client"], theirs[f"{task}: client"]))


def once(python: str, client: str, url: str) -> dict[str, float]:
    """Run the user's program in a new process, and return the time of each task in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "home")
        settings_of_one(home, url, url, distant_alyx.LOGIN)
        process = subprocess.run(
            [python, str(Path(__file__).with_name("one_code.py")), client, url],
            capture_output=True,
            text=True,
            env=environment(home),
            check=False,
        )
        if process.returncode:
            raise RuntimeError(f"ONE on {client} failed:\n{process.stderr}")
        times: dict[str, float] = json.loads(process.stdout.splitlines()[-1])
        return times
