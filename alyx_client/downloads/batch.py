"""The downloads of one call, several at once."""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence

from alyx_client.downloads.download import Download
from alyx_client.downloads.file_requests import FileRequests
from alyx_client.downloads.job import Job, JobKey
from alyx_client.downloads.outcomes import Downloaded, Outcome
from alyx_client.downloads.planning import Plan
from alyx_client.downloads.progress import Progress
from alyx_client.downloads.workers import Workers
from alyx_client.http.retry import Retries
from alyx_client.http.streaming import Streams


class Batch:
    """The downloads of one call; the same job is done once, however often it is planned.

    Parameters
    ----------
    plans
        The plan for each source.
    streams
        The connections.
    retries
        How many attempts, and how long to wait between them.
    """

    def __init__(self, plans: Sequence[Plan], streams: Streams, retries: Retries) -> None:
        self._plans = plans
        # Two downloads of the same file would only wait for each other's lock, and occupy a thread meanwhile.
        self._jobs = {plan.key: plan for plan in plans if isinstance(plan, Job)}
        self._streams = streams
        self._retries = retries
        self._outcomes: dict[JobKey, Outcome] = {}
        self._done = threading.Event()

    def run(self, threads: int, *, silent: bool = False, cancelled: threading.Event | None = None) -> list[Outcome]:
        """Download all files.

        Parameters
        ----------
        threads
            Maximum number of files, or parts of a large file, that are received at a time.
        silent
            Show no progress.
        cancelled
            Set by the caller to cancel.

        Returns
        -------
        list
            The outcome of each source.

        Raises
        ------
        DownloadCancelledError
            `cancelled` was set.
        """
        with Workers(threads, cancelled, self._streams.abort) as workers:
            request_help = workers.submit_to_others if threads > 1 else None
            downloads = [
                Download(FileRequests(job, self._streams, workers.stop), self._retries, request_help, workers.finishing)
                for job in self._jobs.values()
            ]
            for download in downloads:
                workers.submit(functools.partial(self._run, download))
            if downloads:
                with Progress(downloads, silent=silent) as progress:
                    workers.wait(self._done, progress.draw)
        return [self._outcomes[plan.key] if isinstance(plan, Job) else plan for plan in self._plans]

    def _run(self, download: Download) -> None:
        outcome: Outcome
        try:
            outcome = Downloaded(download.run(), download.md5)
        except Exception as error:  # one file's failure must not stop the others
            outcome = error
        self._outcomes[download.job.key] = outcome
        if len(self._outcomes) == len(self._jobs):
            self._done.set()
