"""Plan downloads: where each file comes from, where it goes, and which sources cannot be downloaded at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from alyx_client.downloads.addresses import Login
from alyx_client.downloads.data_servers import DataServers
from alyx_client.downloads.disk import disk_errors
from alyx_client.downloads.job import Job
from alyx_client.downloads.names import collisions, local_name, local_names, name_of_bytes
from alyx_client.downloads.options import Options
from alyx_client.downloads.sources import is_url_of_record, read_source, refuse_key
from alyx_client.errors import ForeignURLError, InvalidFileNameError

Plan = Job | Exception | None
"""A download, the reason why there is none, or None for an empty source."""


def plan(sources: Sequence[object], folders: Path | list[Path], options: Options, servers: DataServers) -> list[Plan]:
    """Plan the download of each source.

    Parameters
    ----------
    sources
        URLs, paths and records.
    folders
        The folder for all of them, or that of each.
    options
        Options of the call.
    servers
        The client's servers.

    Returns
    -------
    list
        For each source its download, or the exception with the reason why there is none; None for an empty source.

    Raises
    ------
    OSError, ValueError
        The folder for all of them cannot be made.
    """
    paths = [folders] * len(sources) if isinstance(folders, Path) else folders
    plans = [_plan(source, path, options, servers) for source, path in zip(sources, paths, strict=True)]
    refused = collisions(job.key for job in plans if isinstance(job, Job))
    plans = [refused.get(job.key, job) if isinstance(job, Job) else job for job in plans]
    # A folder of one file alone is made when the file is fetched: if that fails, the fault is that file's.
    if isinstance(folders, Path) and any(isinstance(job, Job) for job in plans):
        _make_folder(folders)
    return plans


def _plan(source: object, folder: Path, options: Options, servers: DataServers) -> Plan:
    if source is None or (isinstance(source, str) and not source.strip()):
        return None
    try:
        return _plan_file(source, folder.expanduser(), options, servers)
    except Exception as error:  # whatever is wrong with one source must not stop the others
        return error


def _plan_file(source: object, folder: Path, options: Options, servers: DataServers) -> Job:
    file = read_source(source)
    url, url_login = _resolve_first(file.addresses, servers)
    # Alyx responds with the record, which would be stored as if it were the file.
    if servers.is_from_alyx(url) and is_url_of_record(url):
        raise refuse_key(url)
    names = _local_path(url, options, servers)
    # The login of the call takes precedence over one that is part of the URL.
    login = Login(url, options.username, options.password) if options.username or options.password else url_login
    if login and (login.username or options.password):
        servers = servers.with_login(url, login)
    if options.chunks:
        # The record describes the whole file, not a range of its bytes.
        return Job(url, folder.joinpath(*names[:-1], name_of_bytes(names[-1], *options.chunks)), servers, options)
    return Job(url, folder.joinpath(*names), servers, options, file.size, file.digest)


def _local_path(url: str, options: Options, servers: DataServers) -> tuple[str, ...]:
    if options.keep_tree:
        return local_names(servers.path_on_server(url))
    return (local_name(url.partition("?")[0]),)


def _resolve_first(addresses: tuple[str, ...], servers: DataServers) -> tuple[str, Login | None]:
    """Return the first usable URL and its login; if there is none, raise the first one's error."""
    errors: list[Exception] = []
    for address in addresses:
        try:
            return servers.resolve(address)
        except (ForeignURLError, InvalidFileNameError) as error:
            errors.append(error)
    raise errors[0]


def _make_folder(folder: Path) -> None:
    try:
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from error
