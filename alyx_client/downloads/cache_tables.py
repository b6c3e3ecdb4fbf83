"""Alyx's tables of sessions and datasets: fetched when there are newer ones, and replaced all or none."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, cast

from alyx_client.downloads.archive import unpack
from alyx_client.downloads.cancellation import sleep
from alyx_client.downloads.data_servers import DataServers
from alyx_client.downloads.disk import disk_errors
from alyx_client.downloads.job import Job
from alyx_client.downloads.obstacles import require_regular_files
from alyx_client.downloads.options import Options
from alyx_client.errors import ForeignURLError, UnexpectedAnswerError
from alyx_client.http.json_body import decode_or_none, parse_json
from alyx_client.http.log import logger
from alyx_client.storage.atomic import replace_file, sync_file
from alyx_client.storage.file_system import read_regular_file
from alyx_client.storage.lock import exclusive_lock

_METADATA = ".alyx-cache-tables.json"
_LOCKED = "alyx-cache-tables"
_ZIP = "cache.zip"
_TABLE_SUFFIXES = {".pqt", ".parquet"}
_LOCK_TIMEOUT = 600.0  # seconds: gigabytes of tables take minutes on a slow line
_POLL_SECONDS = 0.1

Info = Mapping[str, Any]
"""The response of ``/cache/info/``."""
Fetch = Callable[[Job], Path]


class CacheTables:
    """Downloads the tables of one server.

    Parameters
    ----------
    servers
        The servers that they may come from.
    fetch
        Downloads one file.
    cancelled
        Set to cancel the call.
    """

    def __init__(self, servers: DataServers, fetch: Fetch, cancelled: threading.Event | None = None) -> None:
        self._servers = servers
        self._fetch = fetch
        self._cancelled = cancelled or threading.Event()

    def download(self, folder: Path, source: str | None, info: Info | None) -> list[Path]:
        """Download the tables, unless those in the folder are current.

        Parameters
        ----------
        folder
            The folder for the tables.
        source
            Another zip file or the folder with ``cache.zip``; None: Alyx's own.
        info
            The response of ``/cache/info/``; None: it is requested.

        Returns
        -------
        list of pathlib.Path
            The Parquet files.
        """
        with disk_errors(folder / _ZIP):
            folder.mkdir(parents=True, exist_ok=True)
            return self._download(folder, source, info)

    def _download(self, folder: Path, source: str | None, info: Info | None) -> list[Path]:
        with self._lock(folder), _temporary_folder(folder) as temporary:
            if source is not None:
                # Only Alyx's own zip file comes with a date: another one is fetched each time.
                return self._replace_tables(_zip_url(source), folder, temporary, None)
            info = self._checked(info) if info else self._request_info(temporary)
            url = self._location(info)
            current = _current_tables(folder, url, info)
            if current:
                logger.debug("the cache tables in %s are current", folder)
                return current
            return self._replace_tables(url, folder, temporary, info)

    def _replace_tables(self, url: str, folder: Path, temporary: Path, info: Info | None) -> list[Path]:
        names = self._fetch_zip(url, folder, temporary)
        # Before the first one is replaced: tables of different versions do not fit together.
        _require_replaceable(folder, names)
        for name in names:
            sync_file(temporary / "unpacked" / name)
        with contextlib.suppress(FileNotFoundError):
            # If the process dies from here on, the next call finds no current tables and fetches them again.
            (folder / _METADATA).unlink()
        for name in names:
            replace_file(temporary / "unpacked" / name, folder / name)
        tables = [name for name in names if Path(name).suffix in _TABLE_SUFFIXES]
        if info:
            _write_metadata(folder, temporary, url, info, tables)
        return [folder / name for name in tables]

    def _request_info(self, temporary: Path) -> Info:
        url = f"{self._base_url()}/cache/info/"
        # Fetched like a file, with the credentials, redirects and retries of one.
        content = self._fetch(self._job(url, temporary / "info.json", self._servers)).read_bytes()
        return self._checked(decode_or_none(content))

    def _checked(self, info: object) -> Info:
        url = f"{self._base_url()}/cache/info/"
        if not isinstance(info, Mapping) or "date_created" not in info:
            raise UnexpectedAnswerError(f"{url} does not describe any tables. Is it an Alyx server?", url=url)
        return cast("Info", info)

    def _location(self, info: Info) -> str:
        location = info.get("location")
        return location if isinstance(location, str) and location else f"{self._base_url()}/{_ZIP}"

    def _base_url(self) -> str:
        if self._servers.base_url is None:
            raise ForeignURLError("Which Alyx server? Without one, the tables need a source=.")
        return self._servers.base_url

    def _fetch_zip(self, url: str, folder: Path, temporary: Path) -> list[str]:
        # Alyx may name a store elsewhere, which receives no credentials but those in the URL itself.
        servers = self._servers.with_any_server()
        url, login = servers.resolve(url)
        if login:
            servers = servers.with_login(url, login)
        # Into the folder itself, which outlives this call: an interrupted download is resumed by the next one.
        archive = self._fetch(self._job(url, folder / _ZIP, servers))
        try:
            return unpack(archive, temporary / "unpacked")
        finally:
            with contextlib.suppress(OSError):
                archive.unlink()

    def _lock(self, folder: Path) -> AbstractContextManager[object]:
        return exclusive_lock(
            folder / _LOCKED,
            timeout=_LOCK_TIMEOUT,
            poll=_POLL_SECONDS,
            wait=lambda seconds: sleep(seconds, self._cancelled),
        )

    def _job(self, url: str, target: Path, servers: DataServers) -> Job:
        return Job(url, target, servers, Options(clobber=True))


def _zip_url(source: str) -> str:
    return source if source.partition("?")[0].endswith(".zip") else f"{source.rstrip('/')}/{_ZIP}"


def _require_replaceable(folder: Path, names: list[str]) -> None:
    for target in (folder / name for name in names):
        target.parent.mkdir(parents=True, exist_ok=True)
        require_regular_files(target)


def _unsigned(info: Info) -> dict[str, Any]:
    """Leave out the signature of the location, which differs in each response and must not be stored."""
    location = info.get("location")
    return {**info, "location": location.partition("?")[0] if isinstance(location, str) else location}


def _current_tables(folder: Path, url: str, info: Info) -> list[Path] | None:
    """Return the tables in the folder if they are those that the server has now, and as large as they were."""
    try:
        metadata: dict[str, Any] = parse_json(read_regular_file(folder / _METADATA))
        if metadata["source"] != url.partition("?")[0] or metadata["info"] != _unsigned(info):
            return None
        # Sizes are enough to notice a missing or truncated table; hashing gigabytes at each start would be slow.
        sizes: dict[str, int] = metadata["sizes"]
        paths = [folder / name for name in sizes]
        return paths if paths and [path.stat().st_size for path in paths] == list(sizes.values()) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # missing, damaged, or of another form
        return None


def _write_metadata(folder: Path, temporary: Path, url: str, info: Info, tables: list[str]) -> None:
    sizes = {name: (folder / name).stat().st_size for name in tables}
    metadata = {"source": url.partition("?")[0], "info": _unsigned(info), "sizes": sizes}
    unfinished = temporary / _METADATA
    unfinished.write_text(json.dumps(metadata, indent=1), encoding="utf-8")
    replace_file(unfinished, folder / _METADATA)


@contextlib.contextmanager
def _temporary_folder(folder: Path) -> Generator[Path]:
    # On the same file system as the folder, so that files can be renamed into it.
    temporary = Path(tempfile.mkdtemp(dir=folder, prefix=".alyx-cache-"))
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
