"""Processes that write and send through one outbox until their time is over, some of them killed; see test_hostile."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

from alyx_client import AlyxClient, Receipt
from alyx_client.errors import AlyxError, OutboxError
from alyx_client.http.retry import Retries
from alyx_client.models import Subject, Weighing

DAY = "2024-05-01T10:00:00"


def note(file: Any, *values: object) -> None:
    file.write(" ".join(map(str, values)) + "\n")
    file.flush()
    os.fsync(file.fileno())


def work(url: str, seed: int, seconds: float) -> None:
    chance = random.Random(seed)
    now: Callable[[], float] = time.time
    shift = 0.0
    end = time.monotonic() + seconds
    weight = seed * 1_000.0
    options: dict[str, Any] = {"token": "t", "cache_rest": None, "retries": Retries(tries=2, base=0.001, cap=0.001)}
    with (
        open(os.path.join(os.environ["XDG_DATA_HOME"], f"log-{seed}"), "a", encoding="utf-8") as log,
        mock.patch("time.time", side_effect=lambda: now() + shift),
    ):
        while time.monotonic() < end:
            offline, sends = chance.random() < 0.3, chance.random() < 0.5
            shift = chance.choice((0.0, 0.0, 3e9, -1e9))
            with AlyxClient(url, "rig", **options, offline=offline, send_outbox=sends, read_timeout=1.0) as client:
                for _ in range(chance.randrange(1, 4)):
                    weight += 1
                    subject: Any = "m"
                    try:
                        if chance.random() < 0.2:
                            subject = client.outbox.write(
                                client.subjects.create, Subject(nickname=f"m{weight:.0f}", lab="lab")
                            )
                            subject = subject if isinstance(subject, Receipt) else subject.nickname
                        weighing = Weighing(subject=subject, date_time=DAY, weight=weight)
                        result = client.outbox.write(client.weighings.create, weighing)
                    except OutboxError as error:
                        note(log, "problem", weight, repr(error))
                    except AlyxError as error:
                        note(log, "raised", weight, type(error).__name__)
                    else:
                        note(log, "stored", weight, isinstance(result, Receipt))
                if chance.random() < 0.4:
                    try:
                        client.outbox.send(timeout=5)
                    except AlyxError as error:
                        note(log, "unsent", type(error).__name__, error)
                try:
                    if chance.random() < 0.5:
                        len(client.weighings.list(nickname="nobody"))
                except AlyxError:
                    pass


def main() -> None:
    url, processes, seed, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    chance = random.Random(seed)
    children: list[int] = []
    for number in range(processes):
        child = os.fork()
        if child == 0:
            try:
                work(url, seed * 100 + number, seconds)
            finally:
                os._exit(0)
        children.append(child)
    time.sleep(seconds / 3)
    for child in children[::2]:
        # While others go on.
        time.sleep(seconds / 3 / processes * chance.random())
        os.kill(child, chance.choice((signal.SIGKILL, signal.SIGINT)))
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
