"""Downloads files for a client: finds out where from and where to, and does several at once."""

from __future__ import annotations

import functools
import os
import ssl
import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypedDict, cast

from alyx_client.downloads.cache_tables import CacheTables
from alyx_client.downloads.data_servers import DataServers, Login, check_headers
from alyx_client.downloads.download import Download
from alyx_client.downloads.file_requests import FileRequests, Job
from alyx_client.downloads.planning import Folder, Options, Plan, Planned, plan, raise_failures, read_folders
from alyx_client.downloads.progress import Progress
from alyx_client.downloads.sources import is_several
from alyx_client.downloads.workers import Workers
from alyx_client.http.retry import Retries
from alyx_client.http.streaming import Streams

_THREADS = 4


class DownloadOptions(TypedDict, total=False):
    """What may be wanted of a download; `FileApi.download_file` says what each is."""

    target_dir: Folder | Sequence[Folder] | None
    keep_tree: bool
    clobber: bool
    chunks: tuple[int, int] | None
    return_md5: bool
    verify: bool
    silent: bool | None
    headers: Mapping[str, str] | None
    username: str | None
    password: str | None


class Downloader:
    """Downloads files for one client, or for none.

    Parameters
    ----------
    base_url
        Alyx itself, whose own files may be downloaded with its token.
    data_servers
        Where files come from: ``(url, username, password)``, or objects with such attributes. Paths are on the first.
        A login goes to its server alone.
    folder
        Where files go by default; None: ``~/Downloads``.
    silent
        Show no progress.
    retries
        How often and how patiently to try again.
    connect_timeout, read_timeout
        Seconds to wait for a connection, and for each next part of an answer.
    verify
        True: the operating system's trust store; False: no check of certificates; or a context of your own.
    token
        Gives the header with Alyx's token: it goes to Alyx alone.
    anywhere
        Whether files may also come from other servers, without credentials.
    """

    def __init__(
        self,
        base_url: str | None = None,
        data_servers: Iterable[Any] = (),
        *,
        folder: Folder | None = None,
        silent: bool = False,
        retries: Retries | None = None,
        connect_timeout: float = 10.0,
        read_timeout: float = 120.0,
        verify: bool | ssl.SSLContext = True,
        token: Callable[[], Mapping[str, str]] | None = None,
        anywhere: bool = False,
    ) -> None:
        logins = tuple(_login(server) for server in data_servers)
        self.servers = DataServers(logins, base_url=base_url, token=token, anywhere=anywhere)
        self.folder = Path(folder).expanduser() if folder else None
        self.silent = silent
        self._retries = retries or Retries()
        self._new_streams = functools.partial(
            Streams, connect_timeout=connect_timeout, read_timeout=read_timeout, verify=verify
        )
        self._lock = threading.Lock()
        self._idle: list[Streams] = []
        self._pid = os.getpid()

    def download(
        self,
        source: Any,
        *,
        target_dir: Folder | Sequence[Folder] | None = None,
        keep_tree: bool = False,
        clobber: bool = False,
        chunks: tuple[int, int] | None = None,
        return_md5: bool = False,
        verify: bool = False,
        silent: bool | None = None,
        headers: Mapping[str, str] | None = None,
        username: str | None = None,
        password: str | None = None,
        threads: int | None = None,
        cancelled: threading.Event | None = None,
    ) -> Any:
        """Download a file, or several.

        Parameters
        ----------
        source
            As for `FileApi.download_file`, as are the others that do not stand here; without a source, None.
        threads
            How many threads there are at most; by default ``ONE_HTTP_DL_THREADS``, or 4.
        cancelled
            When it is set, the download is given up within about a second.

        Returns
        -------
        pathlib.Path or list of pathlib.Path
            As for `FileApi.download_file`.

        Raises
        ------
        DownloadCancelledError
            ``cancelled`` was set.
        AlyxError, OSError
            As for `FileApi.download_file`.
        """
        several = is_several(source)
        check_headers(headers)
        options = Options(keep_tree, clobber, _checked(chunks), return_md5, verify, headers, username, password)
        sources: list[Any] = list(cast("Iterable[Any]", source)) if several else [source]
        plans = plan(sources, read_folders(target_dir, len(sources), self._default_folder), options, self.servers)
        hidden = self.silent if silent is None else silent
        results = self._run(plans, silent=hidden, threads=_threads(threads), cancelled=cancelled)
        if several:
            raise_failures(results, sources, plans)
        elif isinstance(results[0], Exception):
            raise results[0]
        nothing: Any = (None, None) if return_md5 else None
        answers = [nothing if result is None else result if return_md5 else result[0] for result in results]
        if not several:
            return answers[0]
        return list(zip(*answers, strict=True)) if return_md5 else answers

    def rel_path2url(self, path: Folder) -> str:
        """Return the URL of a path on the first data server.

        Parameters
        ----------
        path
            The path, as it is on the server; what is special in URLs is percent-encoded.

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
        """Download Alyx's tables of sessions and datasets, unless those that are there are current.

        Parameters
        ----------
        source
            The URL of another zip file, or of the folder that holds ``cache.zip``; then it is always fetched.
        destination
            The folder for the tables; by default the client's.
        info
            What ``/cache/info/`` answered; by default it is asked.
        cancelled
            When it is set, the download is given up within about a second.

        Returns
        -------
        list of pathlib.Path
            The Parquet files.

        Raises
        ------
        DamagedArchiveError
            The zip file is damaged, or would write outside the folder; the old tables are untouched.
        AlyxError
            By its meaning.
        """
        folder = Path(destination).expanduser() if destination else self._default_folder()
        return CacheTables(self.servers, functools.partial(self._fetch, cancelled=cancelled), cancelled).download(
            folder, None if source is None else os.fspath(source), info
        )

    def close(self) -> None:
        """Close the connections; another call opens new ones."""
        with self._lock:
            idle, self._idle = self._idle, []
        for streams in idle:
            streams.close()

    def _default_folder(self) -> Path:
        return self.folder or Path.home() / "Downloads"

    def _fetch(self, job: Job, servers: DataServers, cancelled: threading.Event | None) -> Path:
        plans = [Planned(job, servers)]
        result = self._run(plans, silent=self.silent, threads=_threads(None), cancelled=cancelled)[0]
        if isinstance(result, Exception):
            raise result
        return cast("Path", result[0])

    def _run(
        self,
        plans: Sequence[Plan],
        *,
        silent: bool,
        threads: int,
        cancelled: threading.Event | None,
    ) -> list[Any]:
        """Do what is planned, the same job only once. Returns a path and an MD5, or an exception, for each."""
        with self._streams() as streams, Workers(threads, cancelled, streams.abort) as workers:
            invite = workers.invite if threads > 1 else None
            downloads: dict[tuple[str, Path], Download] = {}
            for planned in plans:
                if isinstance(planned, Planned) and planned.key not in downloads:
                    requests = FileRequests(planned.job, planned.servers, streams, workers.stop)
                    downloads[planned.key] = Download(requests, self._retries, workers.stop, invite)
            outcomes: dict[tuple[str, Path], Any] = {}
            done = threading.Event()
            for key, download in downloads.items():
                workers.submit(functools.partial(_do, download, key, outcomes, len(downloads), done))
            if downloads:
                with Progress(list(downloads.values()), silent=silent) as progress:
                    workers.wait(done, progress.draw)
        return [outcomes[planned.key] if isinstance(planned, Planned) else planned for planned in plans]

    @contextmanager
    def _streams(self) -> Generator[Streams]:
        """Give a call connections of its own, so that giving it up disturbs no other; they are kept for the next."""
        with self._lock:
            if self._pid != os.getpid():
                # Connections shared with the parent process would mix up both processes' answers.
                self._pid, self._idle = os.getpid(), []
            streams = self._idle.pop() if self._idle else self._new_streams()
        try:
            yield streams
        finally:
            if streams.aborted:
                streams.close()
            else:
                with self._lock:
                    self._idle.append(streams)


def _do(
    download: Download, key: tuple[str, Path], outcomes: dict[tuple[str, Path], Any], count: int, done: threading.Event
) -> None:
    outcome: Any
    try:
        outcome = download.run(), download.md5
    except Exception as error:  # each file's failure is a result of its own
        outcome = error
    outcomes[key] = outcome
    if len(outcomes) == count:
        done.set()


def _login(server: Any) -> Login:
    if isinstance(server, str):
        return Login(server)
    if isinstance(server, tuple):
        return Login(*cast("tuple[str, str | None, str | None]", server))
    pair = server.login() if hasattr(server, "login") else (server.username, server.password)
    return Login(server.url, *(pair or (None, None)))


def _checked(chunks: Any) -> tuple[int, int] | None:
    if chunks is None:
        return None
    try:
        first, count = (int(number) for number in chunks)
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"chunks={chunks!r}: pass two numbers, the first byte and how many there are.") from None
    if first < 0 or count < 1:
        raise ValueError(f"chunks=({first}, {count}): pass the first byte, from 0, and how many there are, at least 1.")
    return first, count


def _threads(wanted: int | None) -> int:
    if wanted is None:
        text = os.environ.get("ONE_HTTP_DL_THREADS", "").strip()
        wanted = int(text) if text.isdecimal() else _THREADS
    return max(1, wanted)
