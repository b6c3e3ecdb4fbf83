"""Calls for many records of an asynchronous client: tasks of the event loop, as many as are under way at a time."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from concurrent.futures import Executor
from typing import Any, Protocol, Unpack

from alyx_client.bulk.calls import Settings, begin, finish, interruptions, mark_stale
from alyx_client.bulk.ledger import Ledger
from alyx_client.bulk.options import Options
from alyx_client.bulk.progress import Progress
from alyx_client.bulk.tasks import Task
from alyx_client.http.flow import to_thread
from alyx_client.http.log import context_of_caller
from alyx_client.runtime.action import Action
from alyx_client.runtime.bulk_options import BulkArguments
from alyx_client.runtime.bulk_results import BulkResults
from alyx_client.runtime.client import AsyncClient

__all__ = ["run_many"]


class _Client(Settings, AsyncClient, Protocol):
    async def ensure_token(self) -> None: ...


async def run_many(
    client: _Client, action: Action[Any], items: object, **arguments: Unpack[BulkArguments]
) -> BulkResults[Any]:
    """Carry out an action for many records; parameters, result and errors as for `calls.run_many`.

    Cancelling it cancels the requests that are under way.
    """
    options, workers, ledger = begin(client, action, items, arguments)
    if ledger.plan.tasks:
        silent = client.silent if options.silent is None else options.silent
        with interruptions(ledger):
            if options.executor is None:
                await _Tasks(client, ledger, workers, options.timeout).run(silent=silent)
            else:
                await _run_with_executor(client, ledger, options.executor, options, silent=silent)
    return finish(ledger, options)


async def _run_with_executor(
    client: _Client, ledger: Ledger, executor: Executor, options: Options, *, silent: bool
) -> None:
    """Wait for an executor in a thread, which is told to stop, and waited for, when the task is cancelled."""
    from alyx_client.bulk.executors import run_with_executor

    await client.ensure_token()
    cancelled = threading.Event()
    running = to_thread(run_with_executor, client, ledger, executor, options, silent=silent, cancelled=cancelled)
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        cancelled.set()
        with contextlib.suppress(Exception):
            await running
        raise
    finally:
        await to_thread(mark_stale, client, ledger)


class _Tasks:
    """The event loop's tasks of one call, which take the tasks of its plan from a queue."""

    def __init__(self, client: AsyncClient, ledger: Ledger, workers: int, timeout: float | None) -> None:
        self._client, self._ledger, self._workers, self._timeout = client, ledger, workers, timeout
        self._queue = deque(ledger.plan.tasks)
        self._running = 0

    async def run(self, *, silent: bool) -> None:
        with Progress(self._ledger, silent=silent) as progress:
            async with asyncio.TaskGroup() as group:
                self._start(group, progress)

    def _start(self, group: asyncio.TaskGroup, progress: Progress) -> None:
        for _ in range(min(self._workers - self._running, len(self._queue))):
            self._running += 1
            group.create_task(self._work(group, progress), context=context_of_caller())

    async def _work(self, group: asyncio.TaskGroup, progress: Progress) -> None:
        try:
            while self._queue:
                await self._run_one(self._queue.popleft())
                progress.draw()
                # What a list lacks is read record by record, by others as well.
                self._start(group, progress)
        finally:
            self._running -= 1

    async def _run_one(self, task: Task) -> None:
        if not self._ledger.begin(task):
            return
        outcome: object
        try:
            outcome = await self._client.run(task.flow(self._ledger.plan.work, self._client), self._timeout)
        except Exception as error:  # a failure of one record must not stop the others
            outcome = error
        self._queue.extend(self._ledger.settle(task, outcome))
