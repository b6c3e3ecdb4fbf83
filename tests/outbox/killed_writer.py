"""A program that writes through the outbox in processes that are killed, each at another point; see test_crashes."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from alyx_client import AlyxClient
from alyx_client.http.retry import Retries
from alyx_client.models import Subject, Weighing
from alyx_client.storage.durable import DurableDatabase

DAY = "2024-05-01T10:00:00"
QUICK = Retries(base=0.001, cap=0.001)


def kill_at(number: int, *, committed: bool) -> None:
    """Kill this process in a transaction, before its end or after it."""
    original, count = DurableDatabase.transaction, 0

    @contextmanager
    def transaction(self: DurableDatabase) -> Generator[Any]:
        nonlocal count
        count += 1
        is_last = count == number
        with original(self) as connection:
            yield connection
            if is_last and not committed:
                os.kill(os.getpid(), signal.SIGKILL)
        if is_last:
            os.kill(os.getpid(), signal.SIGKILL)

    DurableDatabase.transaction = transaction  # type: ignore[method-assign,assignment]


def connect(url: str, *, offline: bool = False) -> AlyxClient:
    headers = {"X-Process": str(os.getpid())}
    return AlyxClient(
        url, "rig", token="t", headers=headers, cache_rest=None, retries=QUICK, offline=offline, silent=True
    )


def write(url: str, case: int) -> None:
    with connect(url) as client:
        client.outbox.write(client.weighings.create, Weighing(subject="m", date_time=DAY, weight=float(case)))


def store(url: str, case: int) -> None:
    with connect(url, offline=True) as client:
        outbox = client.outbox
        subject = outbox.write(client.subjects.create, Subject(nickname=f"m{case}", lab="lab"))
        outbox.write(client.weighings.create, Weighing(subject=subject, date_time=DAY, weight=float(case)))


def send(url: str, case: int) -> None:
    with connect(url) as client:
        client.outbox.send()


def several(url: str, case: int) -> None:
    with connect(url) as client:
        for number in range(4):
            weight = case * 100.0 + number
            client.outbox.write(client.weighings.create, Weighing(subject="m", date_time=DAY, weight=weight))
            with open(os.path.join(os.environ["XDG_DATA_HOME"], "returned"), "a") as returned:
                returned.write(f"{weight}\n")
            client.outbox.send()


WORK: dict[str, Callable[[str, int], None]] = {"write": write, "store": store, "send": send, "several": several}


def run(url: str, folder: str, case: dict[str, Any]) -> None:
    os.environ["XDG_DATA_HOME"] = os.path.join(folder, case.get("folder", str(case["number"])))
    *before, last = case["work"]
    for name in before:
        WORK[name](url, case["number"])
    if "kill" in case:
        kill_at(case["kill"], committed=case["committed"])
    WORK[last](url, case["number"])


def main() -> None:
    url, folder, text = sys.argv[1:]
    outcomes: dict[int, int] = {}
    running: dict[int, dict[str, Any]] = {}
    for case in json.loads(text):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                run(url, folder, case)
                code = 0
            finally:
                os._exit(code)
        running[child] = case
        if not case.get("parallel"):
            outcomes[case["number"]] = os.waitpid(child, 0)[1]
            del running[child]
    for child, case in running.items():
        outcomes[case["number"]] = os.waitpid(child, 0)[1]
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main()
