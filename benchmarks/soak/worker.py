"""A process with clients: ``python -m benchmarks.soak.worker``, with its orders (JSON) as its only argument.

It works for the time that it is told, prints a line, waits for one, finishes on the server that no longer fails, and
prints its report (JSON).
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
import random
import sys
import threading
import time
import tracemalloc
import warnings
from collections.abc import AsyncIterable, Sequence
from pathlib import Path
from typing import Any

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.config import DataServer
from alyx_client.errors import AlyxError
from alyx_client.http.retry import Retries
from benchmarks.soak import tasks
from benchmarks.soak.ledger import Ledger
from benchmarks.soak.resources import MemoryLog, descriptors, growth, peak
from benchmarks.soak.server import LOGIN
from benchmarks.soak.tasks import Call, Task, Worker

HURRIED, INTERRUPTED, FRESH = 0.05, 0.05, 0.02
"""Shares of tasks with a time limit that is too short, of cancelled ones, and of those with a client of their own."""


class Process:
    """The clients of this process.

    Parameters
    ----------
    orders
        What to do; see `benchmarks.soak.__main__`.
    """

    def __init__(self, orders: dict[str, Any]) -> None:
        self.folder = Path(orders["folder"])
        facts = json.loads((self.folder / "facts.json").read_text(encoding="utf-8"))
        self.ledger = Ledger(self.folder / f"ledger-{orders['number']}.jsonl")
        self.end = time.monotonic() + orders["seconds"]
        first = orders["number"] * orders["workers"]
        self.workers = [
            Worker(number, facts, self.ledger, self.folder, random.Random(f"{orders['seed']} {number}"))
            for number in range(first, first + orders["workers"])
        ]
        self.connection = {
            "base_url": orders["url"],
            "username": orders["user"],
            "password": orders["user"],
            "cache_dir": self.folder / "cache",
            "silent": True,
            "data_server": DataServer(facts["data"], *LOGIN),
            # Short waits, so that more is tried.
            "retries": Retries(base=0.05, cap=0.4),
        }

    def run(self) -> None:
        """Work in threads until the time is over, and finish when told."""
        with AlyxClient(**self.connection) as patient, AlyxClient(**self.connection, timeout=0.4) as hurried:
            threads = [threading.Thread(target=self._work, args=(worker, patient, hurried)) for worker in self.workers]
            in_parallel(threads)
            wait_for_calm()
            threads = [
                threading.Thread(target=self._do, args=(worker, "finish", tasks.finish, patient))
                for worker in self.workers
            ]
            in_parallel(threads)

    def _work(self, worker: Worker, patient: AlyxClient, hurried: AlyxClient) -> None:
        while time.monotonic() < self.end:
            name, task = worker.choose()
            chance = worker.random.random()
            if chance < FRESH:
                with AlyxClient(**self.connection) as fresh:
                    self._do(worker, name, task, fresh)
            else:
                self._do(worker, name, task, hurried if chance < FRESH + HURRIED else patient)

    def _do(self, worker: Worker, name: str, task: Any, client: AlyxClient) -> None:
        try:
            drive(task(worker), client)
        except Exception as error:
            self._failed(name, error)
        else:
            self.ledger.success(name)

    async def arun(self) -> None:
        """Work in tasks until the time is over, and finish when told."""
        async with (
            AsyncAlyxClient(**self.connection) as patient,
            AsyncAlyxClient(**self.connection, timeout=0.4) as hurried,
        ):
            await asyncio.gather(*(self._awork(worker, patient, hurried) for worker in self.workers))
            await asyncio.to_thread(wait_for_calm)
            await asyncio.gather(*(self._ado(worker, "finish", tasks.finish, patient) for worker in self.workers))
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left:
            self.ledger.violation(f"tasks left: {left}")

    async def _awork(self, worker: Worker, patient: AsyncAlyxClient, hurried: AsyncAlyxClient) -> None:
        while time.monotonic() < self.end:
            name, task = worker.choose()
            chance = worker.random.random()
            if chance < FRESH:
                async with AsyncAlyxClient(**self.connection) as fresh:
                    await self._ado(worker, name, task, fresh)
            elif chance < FRESH + INTERRUPTED:
                limit = worker.random.random() / 4
                await self._ado(worker, name, task, patient, limit)
            else:
                client = hurried if chance < FRESH + INTERRUPTED + HURRIED else patient
                await self._ado(worker, name, task, client)

    async def _ado(
        self, worker: Worker, name: str, task: Any, client: AsyncAlyxClient, limit: float | None = None
    ) -> None:
        try:
            async with asyncio.timeout(limit):
                await adrive(task(worker), client)
        except Exception as error:
            self._failed(name, error, cancelled=limit is not None)
        else:
            self.ledger.success(name)

    def _failed(self, name: str, error: Exception, *, cancelled: bool = False) -> None:
        self.ledger.failure(name, error)
        is_expected = isinstance(error, AlyxError) or (cancelled and isinstance(error, TimeoutError))
        if not is_expected or name == "finish":
            self.ledger.violation(f"{name} raised {type(error).__name__}: {error}")


def drive(task: Task, client: Any) -> None:
    """Carry out a task with a blocking client."""
    result: Any = None
    error: BaseException | None = None
    while True:
        try:
            call: Call = task.send(result) if error is None else task.throw(error)
        except StopIteration:
            return
        result, error = None, None
        try:
            result = call(client)
            if isinstance(result, Sequence) and not isinstance(result, list):
                result = list(result)
        except BaseException as problem:
            error = problem


async def adrive(task: Task, client: Any) -> None:
    """Carry out a task with an asynchronous client."""
    result: Any = None
    error: BaseException | None = None
    while True:
        try:
            call: Call = task.send(result) if error is None else task.throw(error)
        except StopIteration:
            return
        result, error = None, None
        try:
            result = call(client)
            if isinstance(result, AsyncIterable):
                result = [row async for row in result]
            elif inspect.isawaitable(result):
                result = await result
        except BaseException as problem:
            error = problem


def in_parallel(threads: Sequence[threading.Thread]) -> None:
    """Run threads until all have ended."""
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def wait_for_calm() -> None:
    """Say that the time is over, and wait until the server no longer fails."""
    print("done", flush=True)
    sys.stdin.readline()


def leaks(before: Sequence[str]) -> list[str]:
    """Return what is left of closed clients: threads, and what was opened; some of it may take a moment to end."""
    for _ in range(50):
        gc.collect()
        threads = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
        opened = list(descriptors())
        for target in before:
            if target in opened:
                opened.remove(target)
        if not threads and not opened:
            break
        time.sleep(0.1)
    return [*(f"thread {name}" for name in threads), *(f"open: {Path(target).name}" for target in opened)]


def main() -> None:
    """Work, finish, and report."""
    orders = json.loads(sys.argv[1])
    if orders["trace"]:
        tracemalloc.start()
    process = Process(orders)
    warnings.simplefilter("always")
    warnings.showwarning = lambda _message, category, *_: process.ledger.warning(category.__name__)
    # The modules that the first call imports, and the event loop's own sockets, are no leak.
    before = descriptors()
    memory = MemoryLog()
    if orders["kind"] == "threads":
        process.run()
    else:
        asyncio.run(process.arun())
    memory.stop()
    ledger = process.ledger
    report = {
        "done": ledger.done,
        "failed": ledger.failed,
        "warnings": ledger.warnings,
        "violations": [*ledger.violations, *(f"left: {leak}" for leak in leaks(before))],
        "growth": growth(memory.samples),
        "memory": memory.samples[-1] if memory.samples else None,
        "peak": peak(),
    }
    ledger.close()
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
