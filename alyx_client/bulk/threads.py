"""Runs a plan in threads of the call, which the caller can always interrupt."""

from __future__ import annotations

import threading
from functools import partial

from alyx_client.bulk.ledger import Ledger
from alyx_client.bulk.progress import Progress
from alyx_client.bulk.tasks import Task
from alyx_client.downloads.workers import Workers
from alyx_client.runtime.client import SyncClient

__all__ = ["run_in_threads"]


def run_in_threads(client: SyncClient, ledger: Ledger, *, workers: int, silent: bool, timeout: float | None) -> None:
    """Run the tasks of a plan.

    Parameters
    ----------
    client
        The client.
    ledger
        The plan, and where the outcomes go.
    workers
        How many threads.
    silent
        Show no progress.
    timeout
        Time limit for each task, in seconds; None for that of the client.
    """
    finished = threading.Event()

    def run(task: Task) -> None:
        if ledger.begin(task):
            outcome: object
            try:
                outcome = client.run(task.flow(ledger.plan.work, client), timeout)
            except Exception as error:  # a failure of one record must not stop the others
                outcome = error
            for follower in ledger.settle(task, outcome):
                pool.submit(partial(run, follower))
        if ledger.is_done:
            finished.set()

    # After Ctrl-C, requests under way have a moment to end; those that do not are reported as sent without a response.
    with Workers(workers, None, _wake_none, name="alyx-bulk") as pool, Progress(ledger, silent=silent) as progress:
        try:
            for task in ledger.plan.tasks:
                pool.submit(partial(run, task))
            pool.wait(finished, progress.draw)
        except BaseException as error:
            ledger.stop(error)
            raise


def _wake_none() -> None:
    """Wake nobody: requests that are under way cannot be interrupted."""
