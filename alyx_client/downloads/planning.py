"""Plan downloads: where each file comes from, where it goes, and which items cannot be downloaded at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from alyx_client.downloads.data_servers import DataServers, Login
from alyx_client.downloads.file_requests import Job
from alyx_client.downloads.names import collisions, local_name, local_names, name_of_bytes
from alyx_client.downloads.sources import describe, read_source
from alyx_client.errors import DownloadsFailedError, ForeignURLError, InvalidFileNameError
from alyx_client.runtime.coerce import is_list

_SHOWN_FAILURES = 20
Folder = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Options:
    """Options that apply to all files of a call.

    Parameters
    ----------
    keep_tree, clobber, chunks, return_md5, verify, headers, username, password
        As for `FileApi.download_file`, checked.
    """

    keep_tree: bool = False
    clobber: bool = False
    chunks: tuple[int, int] | None = None
    return_md5: bool = False
    verify: bool = False
    headers: Mapping[str, str] | None = None
    username: str | None = None
    password: str | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """One download.

    Parameters
    ----------
    job
        The file and its target.
    servers
        The servers, with the login that was passed for this file.
    """

    job: Job
    servers: DataServers

    @property
    def key(self) -> tuple[str, Path]:
        """The address and the target: items that share both are downloaded once."""
        return self.job.url, self.job.target


# A download, the reason why there can be none, or None for an empty source.
Plan = Planned | Exception | None


def read_folders(
    target_dir: Folder | Sequence[Folder] | None, count: int, default: Callable[[], Path]
) -> Path | list[Path]:
    """Return the folder for all files, or a list with the folder of each.

    Parameters
    ----------
    target_dir
        The argument of the call.
    count
        The number of sources.
    default
        Returns the folder for files that have no other.

    Raises
    ------
    TypeError
        It is neither a folder nor a list of folders.
    ValueError
        It has more or fewer folders than there are sources.
    """
    if target_dir is None or isinstance(target_dir, str | os.PathLike):
        return Path(target_dir).expanduser() if target_dir else default()
    folders: list[object] = list(target_dir) if is_list(target_dir) else []
    wrong = [folder for folder in folders if folder and not isinstance(folder, str | os.PathLike)]
    if wrong or not is_list(target_dir):
        kind = type(wrong[0] if wrong else target_dir).__name__
        raise TypeError(f"target_dir: pass the path of a folder, or a list with one for each file, not {kind}.")
    # Expanded when its file is planned: a user who does not exist is a fault of that item alone.
    paths = [Path(cast("Folder", folder)) if folder else default() for folder in folders]
    if len(paths) != count:
        raise ValueError(f"target_dir has {len(paths)} folders for {count} sources; pass one, or one for each.")
    return paths


def plan(sources: Sequence[Any], folders: Path | list[Path], options: Options, servers: DataServers) -> list[Plan]:
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
        For each source its download, or the exception that tells why there is none; None for an empty source.

    Raises
    ------
    OSError, ValueError
        The folder for all of them cannot be made.
    """
    paths = [folders] * len(sources) if isinstance(folders, Path) else folders
    plans = [_plan(source, path, options, servers) for source, path in zip(sources, paths, strict=True)]
    refused = collisions(planned.key for planned in plans if isinstance(planned, Planned))
    plans = [refused.get(planned.key, planned) if isinstance(planned, Planned) else planned for planned in plans]
    if isinstance(folders, Path) and any(isinstance(planned, Planned) for planned in plans):
        _make_folder(folders)
    return plans


def _plan(source: Any, folder: Path, options: Options, servers: DataServers) -> Plan:
    if source is None or (isinstance(source, str) and not source.strip()):
        return None
    try:
        return _plan_file(source, folder.expanduser(), options, servers)
    except Exception as error:  # whatever is wrong with one item must not stop the others
        return error


def _plan_file(source: Any, folder: Path, options: Options, servers: DataServers) -> Planned:
    file = read_source(source)
    url, login = _choose(file.urls, servers)
    path = servers.path_below(url) if options.keep_tree else url.partition("?")[0]
    if options.username or options.password:
        servers = servers.with_login(url, options.username or "", options.password or "")
    elif login and login.username:
        servers = servers.with_login(url, login.username, login.password or "")
    names = local_names(path) if options.keep_tree else (local_name(path),)
    first, count = options.chunks or (0, None)
    name = names[-1] if count is None else name_of_bytes(names[-1], first, count)
    job = Job(
        url,
        folder.joinpath(*names[:-1], name),
        file.size,
        file.digest,
        dict(options.headers or {}),
        first,
        count,
        options.clobber,
        options.verify,
        options.return_md5,
    )
    return Planned(job, servers)


def _choose(urls: tuple[str, ...], servers: DataServers) -> tuple[str, Login | None]:
    """Return the first address that may be used; where none may, raise the first one's error."""
    errors: list[Exception] = []
    for url in urls:
        try:
            return servers.complete(url)
        except (ForeignURLError, InvalidFileNameError) as error:
            errors.append(error)
    raise errors[0]


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from error


def raise_failures(results: list[Any], sources: Sequence[Any], plans: Sequence[Plan]) -> None:
    """Raise one error that has the result of each item, if some failed.

    Parameters
    ----------
    results
        For each item a path and its MD5, an exception, or None.
    sources, plans
        The items, and what was planned for them.

    Raises
    ------
    DownloadsFailedError
        Some failed.
    """
    failed = [index for index, result in enumerate(results) if isinstance(result, Exception)]
    if not failed:
        return
    lines = [f"- results[{index}], {_label(sources[index], plans[index])}: {results[index]}" for index in failed]
    if len(lines) > _SHOWN_FAILURES:
        lines[_SHOWN_FAILURES:] = [f"- {len(lines) - _SHOWN_FAILURES} more, in `results` of this error"]
    others = "; the others were" if len(failed) < len(results) else ""
    heading = f"{len(failed)} of {len(results)} files could not be downloaded{others}:"
    error = DownloadsFailedError("\n".join([heading, *lines]))
    error.results = [cast("Any", result)[0] if isinstance(result, tuple) else result for result in results]
    raise error


def _label(source: Any, planned: Plan) -> str:
    return planned.job.shown if isinstance(planned, Planned) else describe(source)
