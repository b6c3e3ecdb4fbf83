"""Eight processes of sixteen threads against a local Alyx that allows 550 requests a minute: ``make polite``.

The ideal time is what the limit alone costs: the first 550 requests are free, and each further 550 take a minute.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from alyx_client.testing import LocalAlyx
from benchmarks import peers
from benchmarks.programs import environment, settings_of_one
from benchmarks.table import Figure, add, at_most, begin, figure, under

PROCESSES, THREADS, REQUESTS = 8, 16, 9
LIMIT, SECONDS = 550, 60.0
CALLS = PROCESSES * THREADS * REQUESTS
IDEAL = (CALLS - 1) // LIMIT * SECONDS

_USER = Path(__file__).with_name("polite_user.py")


def measure() -> None:
    """Measure this client without and with what it has learned, and with a rate; then others."""
    with LocalAlyx() as alyx, tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        run(alyx, "alyx_client=550/minute", home / "set", "rate_limit set", budgets=True)
        run(alyx, "alyx_client", home / "learned", "limit learned from the first refusals")
        # The same users a minute later, whom the server still counts.
        time.sleep(SECONDS + 1)
        run(alyx, "alyx_client", home / "learned", "limit remembered", budgets=True, is_new=False)
        run(alyx, "httpx2", home / "httpx2", "a loop on httpx2 that waits for Retry-After")
        one = peers.python("ONE-api")
        if one is not None:
            run(alyx, "one.webclient", home / "one", "ONE's client", python=one)


def run(
    alyx: LocalAlyx,
    client: str,
    home: Path,
    name: str,
    *,
    python: str = sys.executable,
    budgets: bool = False,
    is_new: bool = True,
) -> None:
    """Measure one client; ONE's has a folder for each process, since several that begin at once damage its settings."""
    command = [python, str(_USER), client, alyx.url, alyx.token("olivier"), str(THREADS), str(REQUESTS)]
    programs: list[subprocess.Popen[str]] = []
    for number in range(PROCESSES):
        own = home / str(number) if client == "one.webclient" else home
        if not own.exists():
            settings_of_one(own, alyx.url, alyx.data_url)
        variables = dict(environment(own))
        programs.append(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=variables)
        )
    for program in programs:
        assert program.stdout is not None
        if program.stdout.readline() != "ready\n":
            raise SystemExit(f"{name} failed")
    if is_new:
        alyx.faults.throttle(LIMIT, SECONDS)
    refused, received = alyx.faults.throttled, len(alyx.requests)
    began = time.monotonic()
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("\n")
        program.stdin.flush()
    succeeded = sum(int(program.communicate()[0]) for program in programs)
    seconds = time.monotonic() - began
    refused, received = alyx.faults.throttled - refused, len(alyx.requests) - received
    ratio, share = seconds / IDEAL, 100 * refused / received
    note = f"{seconds:.0f} s; ideal {IDEAL:.0f} s; {succeeded} of {CALLS} calls succeeded"
    add(Figure(f"{name}: time", [ratio], "x", at_most(1.1) if budgets else None, note=note))
    note = f"{refused} of {received} responses"
    add(Figure(f"{name}: refused", [share], "%", under(1) if budgets else None, note=note))


def main() -> None:
    """Measure and print."""
    begin(f"polite: {CALLS} requests")
    figure("processes", f"{PROCESSES} with {THREADS} threads each")
    measure()


if __name__ == "__main__":
    main()
