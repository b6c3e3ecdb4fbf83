"""Run clients on a local Alyx that fails at random, and check what became of their work.

``make soak``, or ``python -m benchmarks.soak --seconds 60 --seed 7``. Processes with threads and with asyncio tasks
share a user's home and one cache; they list, read, write and download all the time. Some calls have a time limit that
is too short, some tasks are cancelled, and some clients are used once. At the end the server stops to fail, and every
process does all of it once more. The exit status is 1 if

- a write was doubled, or lost without an error, or a record is in a state that was never written or was overwritten;
- a list was not whole, or had a row twice; a cached response was older than a write of the same user;
- a file differs from the original, or was left unfinished at the end;
- a call raised an error that is none of the client's, or any at the end;
- memory grew (runs of a minute or more), or threads, sockets or files were left open by closed clients.

The seed sets the choices of the server and of each client; how they interleave, and so which request meets which fault,
differs from run to run.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.programs import ROOT, environment
from benchmarks.soak.ledger import check_records, possible_states

WORKERS = 4
PROCESSES = [("threads", False), ("threads", True), ("tasks", False), ("tasks", True)]
"""Kind of each process, and whether its memory is measured by tracemalloc; otherwise it is that of the process."""
GROWTH = {False: 16.0, True: 6.0}
"""The most that memory may grow in MiB, by the same; a client fills 4 MiB with cached responses in time."""
PATIENCE = 120.0
"""Seconds after which a process that does not end hangs."""


@dataclass(frozen=True)
class Outcome:
    """What came out of a run.

    Parameters
    ----------
    server
        The number of requests, and of each fault.
    reports
        The reports of the processes.
    violations
        What must not have happened.
    """

    server: Mapping[str, Any]
    reports: Sequence[Mapping[str, Any]]
    violations: Sequence[str]


def soak(seconds: float, seed: int, rate: float, processes: Sequence[tuple[str, bool]] = PROCESSES) -> Outcome:
    """Run clients for some time, and return what came out."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, ExitStack() as stack:
        folder = Path(name)
        (folder / "shared").mkdir()
        home = folder / "home"
        home.mkdir()
        server = stack.enter_context(running(home, "benchmarks.soak.server", str(seed), str(rate), str(folder)))
        url = read_line(server, PATIENCE)
        workers: list[subprocess.Popen[str]] = []
        for number, (kind, trace) in enumerate(processes):
            orders = {"number": number, "kind": kind, "trace": trace, "user": ("olivier", "admin")[number % 2]}
            orders |= {"url": url, "seed": seed, "seconds": seconds, "workers": WORKERS, "folder": name}
            command = ("benchmarks.soak.worker", json.dumps(orders))
            workers.append(stack.enter_context(running(home, *command)))
        for worker in workers:
            read_line(worker, seconds + PATIENCE)
        numbers = json.loads(tell(server))
        reports = [json.loads(line) for line in tell_all(workers)]
        found = json.loads(tell(server))
        violations = [violation for report in reports for violation in report["violations"]]
        states = {key: value for file in folder.glob("*.jsonl") for key, value in possible_states(file).items()}
        violations += check_records(states, {table: [(a, b) for a, b in rows] for table, rows in found.items()})
        for (kind, trace), report in zip(processes, reports, strict=True):
            if (report["growth"] or 0.0) > GROWTH[trace]:
                violations.append(f"memory of the {kind} grew by {report['growth']:.1f} MiB")
        return Outcome(numbers, reports, violations)


@contextmanager
def running(home: Path, module: str, *arguments: str) -> Generator[subprocess.Popen[str]]:
    """Run a module in a process with an empty home folder; it is ended if it does not end."""
    variables = {**environment(home), "XDG_CACHE_HOME": str(home / "cache"), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", module, *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def tell(process: subprocess.Popen[str]) -> str:
    """Send a line to a process, and return the line that it prints next."""
    return tell_all([process])[0]


def tell_all(processes: Sequence[subprocess.Popen[str]]) -> list[str]:
    """Send a line to processes, and return the line that each prints next."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    return [read_line(process, PATIENCE) for process in processes]


def read_line(process: subprocess.Popen[str], seconds: float) -> str:
    """Return the next line that a process prints.

    Raises
    ------
    SystemExit
        It ended without, or does not end.
    """
    assert process.stdout is not None
    # A process that hangs is ended, which closes the pipe; on no system can a read of a pipe be given up otherwise.
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    line = process.stdout.readline()
    timer.cancel()
    if not line:
        raise SystemExit(f"A process hung or failed: {list(process.args)[2:4]}")  # type: ignore[arg-type]
    return line.strip()


def report(outcome: Outcome, seconds: float, processes: Sequence[tuple[str, bool]] = PROCESSES) -> Generator[str]:
    """Yield the lines of the table."""
    done, failed, warned = (sum_of(outcome, name) for name in ("done", "failed", "warnings"))
    yield f"{'task':22}{'done':>10}{'failed':>10}  errors"
    names = dict.fromkeys([*done, *(key.partition(": ")[0] for key in failed)])
    for name in sorted(names):
        errors = {key.partition(": ")[2]: number for key, number in failed.items() if key.startswith(f"{name}: ")}
        listed = ", ".join(f"{error} {number}" for error, number in sorted(errors.items()))
        yield f"{name:22}{done[name]:>10}{sum(errors.values()):>10}  {listed}".rstrip()
    numbers = outcome.server["faults"]
    total = sum(numbers.values())
    requests = outcome.server["requests"]
    yield f"\n{requests} requests in {seconds:.0f} s, {total} of them with a fault:"
    yield from (f"  {number:>7}  {fault}" for fault, number in sorted(numbers.items(), key=lambda item: -item[1]))
    yield f"\nwarnings: {', '.join(f'{name} {number}' for name, number in sorted(warned.items())) or 'none'}"
    for (kind, trace), process in zip(processes, outcome.reports, strict=True):
        grown = "" if process["growth"] is None else f", grown by {process['growth']:.1f}"
        what = "allocated (tracemalloc)" if trace else "used"
        memory = f"{process['memory'] or 0:.1f} MiB {what} at the end{grown}, peak {process['peak']:.0f}"
        yield f"{WORKERS} {kind}: {memory}"
    yield f"\n{len(outcome.violations)} violations"
    yield from (f"  {violation}" for violation in outcome.violations[:50])


def sum_of(outcome: Outcome, name: str) -> Counter[str]:
    """Return the sum of the counters of all processes."""
    total: Counter[str] = Counter()
    for process in outcome.reports:
        total.update(process[name])
    return total


def main() -> None:
    """Run the soak from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, help="repeat the choices of an earlier run")
    parser.add_argument("--rate", type=float, default=0.08, help="the share of requests that meet a fault")
    arguments = parser.parse_args()
    seed = random.randrange(2**31) if arguments.seed is None else arguments.seed
    print(f"seed {seed}: repeat with --seed {seed}", flush=True)
    if not 0 <= arguments.rate < 1:
        parser.error("--rate is a share, from 0 to 1")
    outcome = soak(arguments.seconds, seed, arguments.rate)
    for line in report(outcome, arguments.seconds):
        print(line)
    sys.exit(1 if outcome.violations else 0)


if __name__ == "__main__":
    main()
