"""Runs a plan with any `concurrent.futures.Executor`: threads, processes of this machine, or those of a cluster."""

from __future__ import annotations

import asyncio
import functools
import inspect
import pickle
import threading
import uuid
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from dataclasses import dataclass, field
from typing import Any

from alyx_client.bulk.claims import is_claimed
from alyx_client.bulk.ledger import Ledger
from alyx_client.bulk.options import Options
from alyx_client.bulk.progress import Progress
from alyx_client.bulk.tasks import Outcome, Settled, Task, Work, stops_all
from alyx_client.errors import AlyxError, NotCompletedError
from alyx_client.http.flow import Flow

__all__ = ["Chunk", "run_chunk", "run_with_executor"]

# Records of one task of the executor, if they are requested one by one.
_LARGEST = 16
# Tasks under way if the executor does not tell how many it works on at a time.
_UNKNOWN_WORKERS = 64
# Each worker has one task that it works on, and another one that waits for it.
_PER_WORKER = 2
_TICK_SECONDS = 0.1
_GRACE_SECONDS = 1.0


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Job:
    """What all chunks of a call share; it is unpickled once in each process, with a client of its own.

    Parameters
    ----------
    client
        The client; one that travels leaves its password behind.
    work
        What all tasks share.
    timeout
        Time limit for each task, in seconds.
    key
        A name that no other call has.
    """

    client: Any
    work: Work
    timeout: float | None
    key: str = field(default_factory=lambda: uuid.uuid4().hex)
    pickled: list[bytes] = field(default_factory=list[bytes], init=False)

    def __reduce__(self) -> tuple[object, ...]:
        # Once for all chunks. It belongs to the job, since a cache of the module would hold the client for ever.
        if not self.pickled:
            self.pickled.append(pickle.dumps((self.client, self.work, self.timeout, self.key)))
        return _load_job, (_Pickle(self.key, self.pickled[0]),)

    def __repr__(self) -> str:
        # Executors log and show the arguments of their tasks, and the client holds a token.
        return f"<{self.work.action.endpoint}.{self.work.action.name}_many() {self.key[:8]}>"

    def __dask_tokenize__(self) -> str:
        """Return what tells calls apart: without it, Dask would take an equal call for one that it has made already."""
        return self.key


@dataclass(frozen=True, slots=True)
class _Pickle:
    """A pickled job, whose content is not shown."""

    key: str
    content: bytes = field(repr=False, compare=False)


@functools.lru_cache(maxsize=4)
def _load_job(pickled: _Pickle) -> Job:
    return Job(*pickle.loads(pickled.content))


@dataclass(frozen=True, slots=True)
class Chunk:
    """Tasks that a worker runs one after the other.

    Parameters
    ----------
    job
        What all chunks share.
    number
        Its number in the call.
    tasks
        The tasks.
    """

    job: Job
    number: int
    tasks: tuple[Task, ...]

    @property
    def indices(self) -> tuple[int, ...]:
        """The indices of its records."""
        return tuple(index for task in self.tasks for index in task.indices)

    def __repr__(self) -> str:
        return f"<chunk {self.number} of {self.job}>"

    def __dask_tokenize__(self) -> str:
        """Return what tells chunks apart, without their contents."""
        return f"{self.job.key}-{self.number}"


def run_chunk(chunk: Chunk) -> list[tuple[int, Outcome]]:
    """Run a chunk, in whatever process; nothing is raised, since errors of other libraries may not travel back.

    Parameters
    ----------
    chunk
        The chunk.

    Returns
    -------
    list
        The outcome of each record, by index.
    """
    job = chunk.job
    if job.work.is_write and is_claimed(f"alyx-{job.key}-{chunk.number}"):
        error = NotCompletedError(
            "The executor ran this a second time, after it had lost a worker; it was not repeated"
        )
        error.may_have_acted = True
        return [(index, error) for index in chunk.indices]
    if inspect.iscoroutinefunction(job.client.run):
        return asyncio.run(_run_async(job, chunk.tasks))
    outcomes: dict[int, Outcome] = {}
    queue = deque(chunk.tasks)
    while queue:
        task = queue.popleft()
        outcome: Any
        try:
            outcome = job.client.run(task.flow(job.work, job.client), job.timeout)
        except Exception as problem:
            outcome = problem
        _note(task.settle(outcome), outcome, outcomes, queue)
    return [(index, _portable(outcome)) for index, outcome in outcomes.items()]


async def _run_async(job: Job, tasks: Iterable[Task]) -> list[tuple[int, Outcome]]:
    outcomes: dict[int, Outcome] = {}
    queue = deque(tasks)
    async with job.client:
        while queue:
            task = queue.popleft()
            outcome: Any
            try:
                flow: Flow[Any] = task.flow(job.work, job.client)
                outcome = await job.client.run(flow, job.timeout)
            except Exception as problem:
                outcome = problem
            _note(task.settle(outcome), outcome, outcomes, queue)
    return [(index, _portable(outcome)) for index, outcome in outcomes.items()]


def _note(settled: Settled, outcome: object, outcomes: dict[int, Outcome], queue: deque[Task]) -> None:
    outcomes.update(settled.outcomes)
    queue.extend(settled.tasks)
    if stops_all(outcome):
        error = NotCompletedError(f"This was not sent before the call ended: {outcome}")
        outcomes.update({index: error for task in queue for index in task.indices})
        queue.clear()


def _portable(outcome: Outcome) -> Outcome:
    """Return an outcome that can be pickled: errors of other libraries may not be."""
    if not isinstance(outcome, Exception) or isinstance(outcome, AlyxError):
        return outcome
    try:
        pickle.loads(pickle.dumps(outcome))
    except Exception:
        return AlyxError(f"{type(outcome).__name__}: {outcome}")
    return outcome


def run_with_executor(
    client: Any,
    ledger: Ledger,
    executor: Executor,
    options: Options,
    *,
    silent: bool,
    cancelled: threading.Event | None = None,
) -> None:
    """Run the tasks of a plan.

    Parameters
    ----------
    client
        The client, which has a token already, if its token is to travel.
    ledger
        The plan, and where the outcomes go.
    executor
        The executor.
    options
        The options of the call.
    silent
        Show no progress.
    cancelled
        Set to end the call.
    """
    count = options.max_workers or getattr(executor, "_max_workers", None) or _UNKNOWN_WORKERS
    job = Job(client, ledger.plan.work, options.timeout)
    waiting = deque(_chunks(job, ledger.plan.tasks, count))
    most = options.max_workers or count * _PER_WORKER
    under_way: dict[Future[list[tuple[int, Outcome]]], Chunk] = {}
    try:
        with Progress(ledger, silent=silent) as progress:
            while under_way or (waiting and not ledger.is_stopped):
                while waiting and len(under_way) < most and not ledger.is_stopped:
                    chunk = waiting.popleft()
                    _submit(executor, chunk, under_way, ledger)
                # A short timeout instead of none: on Windows, Ctrl-C does not interrupt an unlimited wait.
                interrupted = _collect(under_way, ledger, wait(under_way, _TICK_SECONDS, FIRST_COMPLETED).done)
                progress.draw()
                if interrupted is not None:
                    raise interrupted
                if cancelled is not None and cancelled.is_set():
                    raise CancelledError
    except BaseException as error:
        ledger.stop(error)
        # Those that have not begun are not sent; the others have a moment to end. Executors of clusters do not tell
        # which ones have begun.
        tells_begun = hasattr(executor, "_max_workers")
        for future in [future for future in under_way if future.cancel()]:
            chunk = under_way.pop(future)
            if tells_begun:
                ledger.withdraw(chunk)
        _collect(under_way, ledger, wait(under_way, _GRACE_SECONDS).done)
        raise


def _chunks(job: Job, tasks: Sequence[Task], workers: int) -> Iterable[Chunk]:
    # Small enough for all workers to have some, and to say soon what was done; large enough to be worth the way.
    size = max(1, min(_LARGEST, -(-len(tasks) // (workers * _PER_WORKER))))
    for start in range(0, len(tasks), size):
        yield Chunk(job, start // size, tuple(tasks[start : start + size]))


def _submit(executor: Executor, chunk: Chunk, under_way: dict[Future[Any], Chunk], ledger: Ledger) -> None:
    if not ledger.begin(chunk):
        return
    try:
        under_way[executor.submit(run_chunk, chunk)] = chunk
    except (BrokenExecutor, RuntimeError) as error:  # broken by another task, or shut down
        ledger.withdraw(chunk)
        ledger.stop(error)


def _collect(
    under_way: dict[Future[list[tuple[int, Outcome]]], Chunk],
    ledger: Ledger,
    done: Iterable[Future[list[tuple[int, Outcome]]]],
) -> BaseException | None:
    """Note the outcomes of chunks that came back; returns the exception of one that a signal ended, if any."""
    interrupted = None
    for future in done:
        chunk = under_way.pop(future)
        # Cancelled by whoever owns the executor, unless it has an exception.
        error = CancelledError() if future.cancelled() else future.exception()
        ledger.finish(chunk, future.result() if error is None else _lost(chunk, error))
        if isinstance(error, BrokenExecutor):
            ledger.stop(error)
        elif not isinstance(error, Exception | None):
            # A terminal sends Ctrl-C to the workers, too. The outcomes of the others still count.
            interrupted = error
    return interrupted


def _lost(chunk: Chunk, cause: BaseException) -> list[tuple[int, Outcome]]:
    """Return the outcomes of a chunk that did not come back, for instance because its process died."""
    error = NotCompletedError(f"The executor lost this ({type(cause).__name__}: {cause})")
    error.may_have_acted = chunk.job.work.is_write
    return [(index, error) for index in chunk.indices]
