"""Downloads files for a client: plans a call, runs it in several threads, and returns paths or raises errors."""

from __future__ import annotations

import functools
import os
import ssl
import threading
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Unpack, cast

from alyx_client.downloads.batch import Batch
from alyx_client.downloads.cache_tables import CacheTables
from alyx_client.downloads.data_servers import DataServers
from alyx_client.downloads.job import Job
from alyx_client.downloads.options import DownloadOptions, Folder, read_folders, read_options, thread_count
from alyx_client.downloads.outcomes import Outcome, raise_failures, result_of
from alyx_client.downloads.planning import Plan, plan
from alyx_client.downloads.sources import is_several
from alyx_client.http.download_rate import DEFAULT_MIN_RATE
from alyx_client.http.retry import Retries
from alyx_client.http.streaming import Streams
from alyx_client.storage.file_system import home_folder

_MAX_SOURCES = 1_000_000


class Downloader:
    """Downloads files for one client, or for none.

    Parameters
    ----------
    servers
        The servers that files may come from.
    folder
        The default folder for files; None: ``~/Downloads``.
    silent
        Show no progress.
    retries
        How many attempts, and how long to wait between them.
    connect_timeout, read_timeout
        Seconds to wait for a connection, and for the next bytes of a response.
    verify
        True: the operating system's trust store; False: no check of certificates; or a context of your own.
    min_rate
        The least rate of a download, in bytes per second.
    """

    def __init__(
        self,
        servers: DataServers,
        *,
        folder: Folder | None = None,
        silent: bool = False,
        retries: Retries | None = None,
        connect_timeout: float | None = 10.0,
        read_timeout: float | None = 120.0,
        verify: bool | ssl.SSLContext = True,
        min_rate: float = DEFAULT_MIN_RATE,
    ) -> None:
        self.servers = servers
        self.folder = Path(folder).expanduser() if folder else None
        self.silent = silent
        self._retries = retries or Retries()
        self._new_streams = functools.partial(
            Streams,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            verify=verify,
            min_rate=min_rate,
        )
        self._lock = threading.RLock()
        self._idle_streams: list[Streams] = []
        self._closings = 0
        self._pid = os.getpid()

    def download(
        self,
        source: Any,
        *,
        threads: int | None = None,
        cancelled: threading.Event | None = None,
        **options: Unpack[DownloadOptions],
    ) -> Any:
        """Download a file, or several.

        Parameters
        ----------
        source
            As for `FileApi.download_file`; without a source, the result is None.
        threads
            Maximum number of files, or parts of a large file, that are received at a time; by default
            ``ONE_HTTP_DL_THREADS``, or 8.
        cancelled
            When it is set, the download is cancelled within about a second.
        **options
            As for `FileApi.download_file`.

        Returns
        -------
        pathlib.Path or list of pathlib.Path
            As for `FileApi.download_file`.

        Raises
        ------
        DownloadCancelledError
            `cancelled` was set.
        AlyxError, OSError
            As for `FileApi.download_file`.
        """
        checked = read_options(options)
        several = is_several(source)
        # Before anything is fetched, so that an iterator that fails halfway leaves no half of its files.
        sources: list[object] = (
            list(islice(cast("Iterable[object]", source), _MAX_SOURCES + 1)) if several else [source]
        )
        if len(sources) > _MAX_SOURCES:
            raise ValueError(f"url: pass {_MAX_SOURCES:,} files at a time, or fewer.")
        folders = read_folders(checked.target_dir, len(sources), self._default_folder)
        plans = plan(sources, folders, checked, self.servers)
        silent = self.silent if checked.silent is None else checked.silent
        outcomes = self._run(plans, threads=threads, silent=silent, cancelled=cancelled)
        if not several:
            return result_of(outcomes[0], md5=checked.return_md5)
        raise_failures(outcomes, sources, plans)
        results = [result_of(outcome, md5=checked.return_md5) for outcome in outcomes]
        # ONE returns the paths and the MD5s of a list as two tuples.
        return list(zip(*results, strict=True)) if checked.return_md5 else results

    def rel_path2url(self, path: Folder) -> str:
        """Return the URL of a path on the first data server.

        Parameters
        ----------
        path
            The path on the server; characters that are special in URLs are percent-encoded.

        Raises
        ------
        ForeignURLError
            There is no data server, or the path is a URL already.
        InvalidFileNameError
            The path leads out of the server's folder.
        """
        return self.servers.url_of_path(os.fspath(path))

    def download_cache_tables(
        self,
        source: Folder | None = None,
        destination: Folder | None = None,
        *,
        info: Mapping[str, Any] | None = None,
        cancelled: threading.Event | None = None,
    ) -> list[Path]:
        """Download Alyx's tables of sessions and datasets, unless the local ones are current.

        Parameters
        ----------
        source
            The URL of another zip file, or of the folder that contains ``cache.zip``; it is always fetched.
        destination
            The folder for the tables; by default the client's.
        info
            The response of ``/cache/info/``; by default it is requested.
        cancelled
            When it is set, the download is cancelled within about a second.

        Returns
        -------
        list of pathlib.Path
            The Parquet files.

        Raises
        ------
        DamagedArchiveError
            The zip file is damaged, or would write outside the folder; the old tables are untouched.
        AlyxError
            Another of its subclasses, by meaning.
        """

        def fetch(job: Job) -> Path:
            path: Path = result_of(self._run([job], silent=self.silent, cancelled=cancelled)[0], md5=False)
            return path

        folder = Path(destination).expanduser() if destination else self._default_folder()
        tables = CacheTables(self.servers, fetch, cancelled)
        return tables.download(folder, None if source is None else os.fspath(source), info)

    def close(self) -> None:
        """Close the connections, or those in use at the end of their call; another call opens new ones."""
        with self._lock:
            self._closings += 1
            idle, self._idle_streams = self._idle_streams, []
        for streams in idle:
            streams.close()

    def _default_folder(self) -> Path:
        return self.folder or home_folder() / "Downloads"

    def _run(
        self, plans: list[Plan], *, threads: int | None = None, silent: bool, cancelled: threading.Event | None
    ) -> list[Outcome]:
        with self._streams() as streams:
            batch = Batch(plans, streams, self._retries)
            return batch.run(thread_count(threads), silent=silent, cancelled=cancelled)

    @contextmanager
    def _streams(self) -> Generator[Streams]:
        """Lend connections to one call, so that cancelling it, which breaks them, does not disturb other calls."""
        with self._lock:
            if self._pid != os.getpid():  # pragma: no cover - runs in a child process
                # After a fork, both processes would read from the same sockets and receive each other's responses.
                self._pid, self._idle_streams = os.getpid(), []
            streams = self._idle_streams.pop() if self._idle_streams else self._new_streams()
            closings = self._closings
        try:
            yield streams
        finally:
            with self._lock:
                is_reusable = not streams.aborted and closings == self._closings
                if is_reusable:
                    self._idle_streams.append(streams)
            if not is_reusable:
                streams.close()
