"""Download files from the replay server, with this client, others, and eight raw sockets as a floor.

The clients alternate in running `fetch` in new processes, so that changes in the machine's load affect them equally.
Every downloaded file is compared with the original.

A file of 512 MiB is fetched twice. Over a link of unlimited bandwidth it is the machine's own speed that counts: the
floor shows how far any client can be ahead there. Over a network, one connection carries what its window allows per
round trip (`replay_server.WINDOW`), and several carry more. TCP's slow start, which makes new connections slower, is
not simulated.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from benchmarks import peers, replay_server
from benchmarks.fetch import CONNECTIONS
from benchmarks.programs import environment
from benchmarks.table import Beside, Budget, Figure, add, at_least, at_most, rounds, seconds

ROUNDS = 5
MIB = 2**20
OURS, ONE, HUB, SOCKETS = "alyx_client.webclient", "one.webclient", "huggingface_hub", "sockets"


@dataclass(frozen=True)
class Task:
    """Files to download.

    Parameters
    ----------
    name
        The name of the figure.
    count, size
        Number of files, and of the bytes of each.
    budget
        The least multiple of our time that ONE's must be; or, where the link's own time is known, the greatest
        multiple of that.
    folder
        The server's folder, which selects the link.
    """

    name: str
    count: int
    size: int
    budget: Budget | None = None
    folder: str = "data"


FILES = Task("100 files of 1 MiB", 100, MIB, at_least(3))
BIG = Task("one file of 512 MiB, 4 MiB per round trip", 1, 512 * MIB, at_least(3), "windowed")
BIG_UNLIMITED = Task("one file of 512 MiB, unlimited bandwidth", 1, 512 * MIB, at_least(3))
SMALL = Task("2,000 files of 4 kB", 2000, 4096, at_most(1.5))


def measure() -> None:
    """Measure all tasks."""
    with replay_server.running() as data, replay_server.running("benchmarks.hub_server") as hub:
        for task in (FILES, BIG, BIG_UNLIMITED):
            report(task, in_turn(task, data, hub))
        report_small(in_turn(SMALL, data, hub), request_time(data))


def interpreters(task: Task) -> dict[str, str]:
    """Return the interpreter of each library that is installed and can do a task."""
    libraries = {OURS: sys.executable, SOCKETS: sys.executable, ONE: peers.python("ONE-api")}
    if task.folder == "data":
        libraries[HUB] = peers.python("huggingface-hub")
    return {library: python for library, python in libraries.items() if python}


def in_turn(task: Task, data: str, hub: str) -> dict[str, list[float]]:
    """Return the times of each library, one per round, in seconds."""
    libraries = interpreters(task)
    times: dict[str, list[float]] = {library: [] for library in libraries}
    # Two thousand requests are rounds enough in themselves, and ONE needs minutes for them.
    for number in range(rounds(2 if task is SMALL else ROUNDS)):
        for library in list(libraries)[:: 1 if number % 2 else -1]:
            times[library].append(once(library, libraries[library], task, data, hub))
    return times


def once(library: str, python: str, task: Task, data: str, hub: str) -> float:
    """Download with one library in a new process, check the files, and return the time in seconds."""
    names = [f"{number}.npy" for number in range(task.count)]
    with tempfile.TemporaryDirectory() as folder:
        home, target = Path(folder, "home"), Path(folder, "files")
        home.mkdir()
        target.mkdir()
        work = {
            "urls": [f"{data}/{task.folder}/{task.size}/{name}" for name in names],
            "size": task.size,
            "folder": str(target),
            "repository": f"replay/{task.count}x{task.size}",
            "hub": hub,
        }
        process = subprocess.run(
            [python, str(Path(__file__).with_name("fetch.py")), library],
            input=json.dumps(work),
            capture_output=True,
            text=True,
            env=environment(home),
            check=False,
        )
        if process.returncode:
            raise RuntimeError(f"{library} failed:\n{process.stderr}")
        for name in names:
            verify(target / name, task.size)
        return float(process.stdout.splitlines()[-1])


def verify(path: Path, size: int) -> None:
    """Check that a file is complete."""
    with path.open("rb") as file:
        for part in replay_server.content(0, size):
            if file.read(len(part)) != part:
                raise RuntimeError(f"{path.name} differs from the original")
        if file.read(1):
            raise RuntimeError(f"{path.name} is longer than the original")


def report(task: Task, times: dict[str, list[float]]) -> None:
    """Add a figure: ONE's time as a multiple of ours, or our time without ONE's."""
    ours, theirs, note = times[OURS], times.get(ONE), listed(times)
    if theirs is None:
        add(Figure(task.name, ours, "s", floor=Beside("eight sockets", median(times[SOCKETS])), note=note))
        return

    def multiples(library: str) -> list[float]:
        return [their / its for their, its in zip(theirs, times[library], strict=True)]

    others = [Beside("huggingface-hub", median(multiples(HUB)))] if HUB in times else []
    floor = Beside("eight sockets", median(multiples(SOCKETS)))
    add(Figure(task.name, multiples(OURS), "x ONE", task.budget, floor, others, note))


def report_small(times: dict[str, list[float]], request: float) -> None:
    """Add the figure of many small files: our time as a multiple of what eight connections need for the requests."""
    ideal = SMALL.count * request / CONNECTIONS

    def multiples(library: str) -> list[float]:
        return [time / ideal for time in times[library]]

    names = {ONE: "ONE", HUB: "huggingface-hub"}
    others = [Beside(name, median(multiples(library))) for library, name in names.items() if library in times]
    floor = Beside("eight sockets", median(multiples(SOCKETS)))
    note = f"{listed(times)}; ideal {seconds(ideal)}"
    add(Figure(f"{SMALL.name} / ideal", multiples(OURS), "x", SMALL.budget, floor, others, note))


def request_time(data: str, count: int = 20) -> float:
    """Return the median time of a request for a small file over an open connection, with the server's own time."""
    connection = http.client.HTTPConnection(urlsplit(data).netloc)
    times: list[float] = []
    for number in range(count):
        start = time.perf_counter()
        connection.request("GET", f"/data/{SMALL.size}/{number}.npy")
        connection.getresponse().read()
        times.append(time.perf_counter() - start)
    connection.close()
    return median(times)


def listed(times: dict[str, list[float]]) -> str:
    """Return the median times of all libraries."""
    names = {ONE: "ONE", OURS: "this client", HUB: "huggingface-hub", SOCKETS: "sockets"}
    return ", ".join(f"{name} {seconds(median(times[library]))}" for library, name in names.items() if library in times)
