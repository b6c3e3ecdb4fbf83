"""Downloads files from web servers, with or without a client: resumed, checked, and whole or not at all."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from alyx_client.downloads.downloader import Downloader
from alyx_client.downloads.planning import Folder
from alyx_client.downloads.sources import dataset_record_to_url, file_record_to_url, is_several

__all__ = [
    "Downloader",
    "dataset_record_to_url",
    "file_record_to_url",
    "http_download_file",
    "http_download_file_list",
]


@functools.cache
def _for_anyone() -> Downloader:
    return Downloader(anywhere=True)


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
        Its URL; an empty one gives None.
    chunks
        ``(first_byte, n_bytes)``: only these bytes, to a file of another name: bytes 100 to 149 of ``a.npy`` go to
        ``a.bytes-100-149.npy``.
    clobber
        Fetch the file even if it is there.
    silent
        Show no progress.
    username, password
        A login for the URL's own server.
    cache_dir, target_dir
        The folder for the file (two names for the same); by default ``~/Downloads``.
    return_md5
        Return the file's MD5, too.
    headers
        Further headers. What is a credential among them goes no further than the URL's own server.

    Returns
    -------
    pathlib.Path or tuple
        Where the file is; with ``return_md5`` a pair of this and the MD5 in hexadecimal digits.

    Raises
    ------
    AlyxError
        By its meaning; there is nothing new under the file's name.
    """
    return _for_anyone().download(
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
        As for `http_download_file`; the login goes to the server of each URL.
    cache_dir, target_dir
        The folder for the files, or one for each; by default ``~/Downloads``.

    Returns
    -------
    list
        Where the files are, in the order of the URLs; with ``return_md5`` a tuple of these and a tuple of the MD5s.

    Raises
    ------
    DownloadsFailedError
        Some files could not be downloaded, and all others were; ``results`` has the path or the error of each.
    OSError, TypeError, ValueError
        An argument is wrong, or the folder for all files cannot be made; nothing was fetched.
    """
    if not is_several(links_to_file_list):
        raise TypeError(
            f"Pass a list of URLs, not an object of type {type(links_to_file_list).__name__}; http_download_file "
            "takes a single one."
        )
    return cast(
        "list[Any]",
        _for_anyone().download(
            links_to_file_list,
            target_dir=target_dir or cache_dir or None,
            chunks=chunks,
            clobber=clobber,
            silent=silent,
            username=username,
            password=password,
            return_md5=return_md5,
            headers=headers,
        ),
    )
