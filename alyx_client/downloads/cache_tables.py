"""Alyx's tables of sessions and datasets: fetched when there are newer ones, and unpacked whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import stat
import tempfile
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any, cast

from alyx_client.downloads.data_servers import DataServers
from alyx_client.downloads.file_requests import Job
from alyx_client.downloads.names import check_name, same_on_some_systems
from alyx_client.downloads.part_file import cancelled, disk_errors, disk_full, replace
from alyx_client.errors import DamagedArchiveError, ForeignURLError, InvalidFileNameError, UnexpectedAnswerError
from alyx_client.http.log import logger
from alyx_client.storage.lock import FileLock, LockResult

_NOTES = ".alyx-cache-tables.json"
_LOCK = ".alyx-cache-tables.lock"
_ZIP = "cache.zip"
_TABLES = {".pqt", ".parquet"}
_POLL = 0.1
_PATIENCE = 600.0

Fetch = Callable[[Job, DataServers], Path]


class CacheTables:
    """Downloads the tables of one server.

    Parameters
    ----------
    servers
        Where they come from.
    fetch
        Downloads one file.
    cancelled
        Set when all is to be given up.
    """

    def __init__(self, servers: DataServers, fetch: Fetch, cancelled: threading.Event | None = None) -> None:
        self._servers = servers
        self._fetch = fetch
        self._cancelled = cancelled or threading.Event()

    def download(self, folder: Path, source: str | None, info: Mapping[str, Any] | None) -> list[Path]:
        """Download the tables, unless those in the folder are current.

        Parameters
        ----------
        folder
            Where they go.
        source
            Another zip file or the folder with ``cache.zip``; None: Alyx's own.
        info
            What ``/cache/info/`` answered; None: it is asked.

        Returns
        -------
        list of pathlib.Path
            The Parquet files.
        """
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder, self._cancelled), _workplace(folder) as workplace:
            if source is None:
                info = info or self._info(workplace)
                url = self._zip_url(info)
            else:
                info, url = None, _zip_in(source)
            shown = url.partition("?")[0]
            if info and (current := _current(folder, shown, info)):
                logger.debug("the cache tables in %s are current", folder)
                return current
            names = self._fetch_zip(url, folder, workplace)
            # Before the first is replaced: tables of different versions do not fit together.
            _make_way(folder, names)
            with contextlib.suppress(FileNotFoundError):
                # Whoever is killed from here on finds no current tables, and fetches them again.
                (folder / _NOTES).unlink()
            for name in names:
                replace(workplace / "unpacked" / name, folder / name)
            tables = [name for name in names if Path(name).suffix in _TABLES]
            if info:
                _write_notes(folder, shown, info, tables)
            return [folder / name for name in tables]

    def _info(self, workplace: Path) -> dict[str, Any]:
        job = Job(f"{self._alyx()}/cache/info/", workplace / "info.json", clobber=True)
        content = self._fetch(job, self._servers).read_bytes()
        try:
            info: object = json.loads(content)
        except ValueError:
            info = None
        if not isinstance(info, dict) or "date_created" not in info:
            raise UnexpectedAnswerError(
                f"{job.url} does not say which tables there are. Is there an Alyx?", url=job.url
            )
        return cast("dict[str, Any]", info)

    def _zip_url(self, info: Mapping[str, Any]) -> str:
        location = info.get("location")
        return location if isinstance(location, str) and location else f"{self._alyx()}/{_ZIP}"

    def _alyx(self) -> str:
        if self._servers.base_url is None:
            raise ForeignURLError("Which Alyx? The tables of a client without a server need a source=.")
        return self._servers.base_url

    def _fetch_zip(self, url: str, folder: Path, workplace: Path) -> list[str]:
        servers = self._servers.and_anywhere()
        url, login = servers.complete(url)
        if login:
            servers = servers.with_login(url, login.username or "", login.password or "")
        # In the folder itself: what an interruption leaves of it is gone on from the next time.
        archive = self._fetch(Job(url, folder / _ZIP, clobber=True), servers)
        try:
            return unpack(archive, workplace / "unpacked")
        finally:
            with contextlib.suppress(OSError):
                archive.unlink()


def _zip_in(source: str) -> str:
    return source if source.partition("?")[0].endswith(".zip") else f"{source.rstrip('/')}/{_ZIP}"


def unpack(archive: Path, folder: Path) -> list[str]:
    """Unpack a zip file into a new folder.

    Parameters
    ----------
    archive
        The zip file.
    folder
        Where to.

    Returns
    -------
    list of str
        The files' names, with ``/`` between folders.

    Raises
    ------
    DamagedArchiveError
        It is damaged, or has an entry that must not be unpacked; such entries are looked for before any is unpacked.
    DiskFullError
        There is too little space.
    """
    folder.mkdir()
    needed = None
    try:
        with zipfile.ZipFile(archive) as packed:
            entries = [entry for entry in packed.infolist() if not entry.is_dir()]
            for entry in entries:
                _check_entry(entry, archive.name)
            names = [entry.filename for entry in entries]
            if len({same_on_some_systems(Path(name)) for name in names}) < len(names):
                raise DamagedArchiveError(f"{archive.name} has two files of the same name; nothing was unpacked.")
            needed, free = sum(entry.file_size for entry in entries), shutil.disk_usage(folder).free
            if needed > free:
                raise disk_full(folder / archive.name, needed, free)
            with disk_errors(folder / archive.name, lambda: needed):
                for entry in entries:
                    target = folder / entry.filename
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with packed.open(entry) as content, open(target, "wb") as file:
                        shutil.copyfileobj(content, file, 2**20)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        if isinstance(error, DamagedArchiveError):
            raise
        raise DamagedArchiveError(
            f"{archive.name} is no zip file, or is damaged ({error}). The files that it was to replace are untouched. "
            "Try again; if it comes the same way, it is damaged on the server."
        ) from error
    return names


def _check_entry(entry: zipfile.ZipInfo, archive: str) -> None:
    try:
        for segment in entry.orig_filename.split("/"):
            check_name(segment)
    except InvalidFileNameError as error:
        raise DamagedArchiveError(f"{archive} must not be unpacked: {error}") from error
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise DamagedArchiveError(f"{archive} must not be unpacked: {entry.filename!r} is a link. Nothing was written.")


def _make_way(folder: Path, names: list[str]) -> None:
    for target in (folder / name for name in names):
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))


def _unsigned(info: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the signature of an address, which is another one each time."""
    location = info.get("location")
    return {**info, "location": location.partition("?")[0] if isinstance(location, str) else location}


def _current(folder: Path, url: str, info: Mapping[str, Any]) -> list[Path] | None:
    try:
        notes = cast("dict[str, Any]", json.loads((folder / _NOTES).read_bytes()))
        if notes["source"] != url or notes["info"] != _unsigned(info):
            return None
        sizes = cast("dict[str, int]", notes["sizes"])
        paths = [folder / name for name in sizes]
        return paths if paths and [path.stat().st_size for path in paths] == list(sizes.values()) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_notes(folder: Path, url: str, info: Mapping[str, Any], tables: list[str]) -> None:
    sizes = {name: (folder / name).stat().st_size for name in tables}
    unfinished = folder / f"{_NOTES}~"
    unfinished.write_text(
        json.dumps({"source": url, "info": _unsigned(info), "sizes": sizes}, indent=1), encoding="utf-8"
    )
    replace(unfinished, folder / _NOTES)


@contextlib.contextmanager
def _workplace(folder: Path) -> Generator[Path]:
    made = Path(tempfile.mkdtemp(dir=folder, prefix=".alyx-cache-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextlib.contextmanager
def _alone(folder: Path, stop: threading.Event) -> Generator[None]:
    """Wait until no other process is at the tables of this folder."""
    lock, until = FileLock(folder / _LOCK), time.monotonic() + _PATIENCE
    while lock.acquire() is LockResult.BUSY and time.monotonic() < until:
        if stop.wait(_POLL):
            raise cancelled()
    try:
        yield
    finally:
        lock.release()
