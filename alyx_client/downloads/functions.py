"""ONE's functions for downloads, with or without a client: resumed, checked, and complete or not there at all."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from alyx_client.downloads.data_servers import DataServers
from alyx_client.downloads.downloader import Downloader
from alyx_client.downloads.options import Folder
from alyx_client.downloads.sources import dataset_record_to_url, file_record_to_url, is_several

__all__ = [
    "dataset_record_to_url",
    "file_record_to_url",
    "http_download_file",
    "http_download_file_list",
]


@functools.cache
def _downloader() -> Downloader:
    return Downloader(DataServers(any_server=True))


# The signatures are ONE's, so that code written for it runs unchanged.
def http_download_file(
    full_link_to_file: Any,
    chunks: tuple[int, int] | None = None,
    *,
    clobber: bool = False,
    silent: bool = False,
    username: str = "",
    password: str = "",
    cache_dir: Folder = "",
    target_dir: Folder = "",
    return_md5: bool = False,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """Download a file from any web server; no stored credentials are sent.

    Parameters
    ----------
    full_link_to_file
        Its URL; for an empty one, the result is None.
    chunks
        ``(first_byte, n_bytes)``: download these bytes only, to a file of another name: bytes 100 to 149 of ``a.npy``
        go to ``a.bytes-100-149.npy``.
    clobber
        Fetch the file even if it is present already.
    silent
        Show no progress.
    username, password
        A login for the URL's own server.
    cache_dir, target_dir
        The folder for the file (two names for the same); by default ``~/Downloads``.
    return_md5
        Return the file's MD5, too.
    headers
        Additional headers; credentials among them are sent to the URL's own server only.

    Returns
    -------
    pathlib.Path or tuple
        The local path; with ``return_md5`` a pair of this and the MD5 in hexadecimal digits.

    Raises
    ------
    AlyxError
        One of its subclasses, by meaning; there is nothing new under the file's name.
    """
    return _downloader().download(
        full_link_to_file,
        target_dir=target_dir or cache_dir or None,
        chunks=chunks,
        clobber=clobber,
        silent=silent,
        username=username,
        password=password,
        return_md5=return_md5,
        headers=headers,
    )


def http_download_file_list(
    links_to_file_list: Iterable[Any],
    chunks: tuple[int, int] | None = None,
    *,
    clobber: bool = False,
    silent: bool = False,
    username: str = "",
    password: str = "",
    cache_dir: Folder | Sequence[Folder] = "",
    target_dir: Folder | Sequence[Folder] | None = None,
    return_md5: bool = False,
    headers: Mapping[str, str] | None = None,
) -> list[Any]:
    """Download several files from any web servers, some at once; no stored credentials are sent.

    Parameters
    ----------
    links_to_file_list
        Their URLs.
    chunks, clobber, silent, username, password, return_md5, headers
        As for `http_download_file`; the login is sent to the server of each URL.
    cache_dir, target_dir
        The folder for the files, or one for each; by default ``~/Downloads``.

    Returns
    -------
    list
        The local paths, in the order of the URLs; with ``return_md5`` a tuple of these and a tuple of the MD5s.

    Raises
    ------
    DownloadsFailedError
        Some of the files could not be downloaded; ``results`` has the path or the error of each.
    OSError, TypeError, ValueError
        An argument is wrong, or the folder for all files cannot be made; nothing was fetched.
    """
    if not is_several(links_to_file_list):
        raise TypeError(
            f"Pass a list of URLs, not an object of type {type(links_to_file_list).__name__}; http_download_file "
            "takes a single one."
        )
    results: list[Any] = _downloader().download(
        links_to_file_list,
        target_dir=target_dir or cache_dir or None,
        chunks=chunks,
        clobber=clobber,
        silent=silent,
        username=username,
        password=password,
        return_md5=return_md5,
        headers=headers,
    )
    return results
