"""Compare ONE on its own client with ONE on this one, 40 ms away, in one run.

As in `against_one`: new processes, empty home folders, in turn; the figures are medians.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path

from benchmarks import distant_alyx, replay_server
from benchmarks.against_one import environment, find_one, settings_of_one
from benchmarks.table import comparison, heading

ROUNDS = 3
CLIENTS = ("theirs", "ours")
TASKS = {
    "start": "import ONE, connect",
    "load_cache": "load_cache: tables downloaded",
    "load_cache again": "  again: tables are current",
    "search": "search: 200 sessions on one page",
    "search again": "  again, from the cache",
    "search in pages": "search: 200 sessions in pages of 20",
    "search in pages again": "  again, from the cache",
    "list_datasets": "list_datasets of 8 sessions",
    "list_datasets again": "  again, from the cache",
    "load_dataset": "load_dataset of 8 sessions",
    "load_dataset again": "  again: the files are there",
    "eid2path": "eid2path of 200 sessions",
    "eid2path again": "  again, from the cache",
}


def measure() -> None:
    """Measure and print the comparison, if ONE is installed."""
    python, version = find_one()
    if version is None:
        return
    times: dict[str, dict[str, list[float]]] = {client: defaultdict(list) for client in CLIENTS}
    # ONE's environment has pandas, which writes the cache tables.
    with replay_server.running("benchmarks.distant_alyx", str(Path(python).absolute())) as url:
        once(python, "theirs", url)  # fills the server's memory
        once(python, "ours", url)
        for number in range(ROUNDS):
            for client in CLIENTS if number % 2 else CLIENTS[::-1]:
                for task, seconds in once(python, client, url).items():
                    times[client][task].append(seconds)
    latency = f"{replay_server.ROUND_TRIP * 1000:.0f} ms latency, median of {ROUNDS} rounds"
    heading(latency, f"ONE {version}", "on alyx-client", "ratio", "range")
    for task, name in TASKS.items():
        comparison(name, times["theirs"][task], times["ours"][task])
        # Pages are read ahead while ONE works, so that the client's time is no part of the whole.
        if min(times["theirs"][f"{task}: client"]) > 0 and "pages" not in task:
            comparison("    in the client", times["theirs"][f"{task}: client"], times["ours"][f"{task}: client"])


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
            raise SystemExit(f"ONE on {client} failed:\n{process.stderr}")
        seconds: dict[str, float] = json.loads(process.stdout.splitlines()[-1])
        return seconds
