"""What both clients do with data files."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from alyx_client.client.connection import AsyncConnection, Connection, SyncConnection
from alyx_client.http.message import Request
from alyx_client.rest.lists import read_json

if TYPE_CHECKING:
    from alyx_client.downloads.downloader import Downloader
    from alyx_client.downloads.options import DownloadOptions

__all__ = ["AsyncFileApi", "FileApi"]

T = TypeVar("T")
Folder = str | os.PathLike[str]

_INFO = Request("GET", "/cache/info/", endpoint="cache_info", action="read")


class _Files(Connection):
    _made: tuple[object, Downloader] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_made"}

    def _token_headers(self) -> Mapping[str, str]:
        token = self._auth.known_token()
        return {} if token is None else {"Authorization": f"Token {token}"}

    @property
    def _downloader(self) -> Downloader:
        """The downloader, made anew where a setting has changed."""
        from alyx_client.downloads.addresses import Login
        from alyx_client.downloads.data_servers import DataServers
        from alyx_client.downloads.downloader import Downloader

        transport = self._transport
        wanted = (self.cache_dir, self.silent)
        if self._made is None or self._made[0] != wanted:
            logins = (Login(server.url, *(server.login() or (None, None))) for server in self._settings.data_servers)
            downloader = Downloader(
                DataServers(logins, base_url=self.base_url, token=self._token_headers),
                folder=self.cache_dir,
                silent=self.silent,
                retries=transport.retries,
                connect_timeout=transport.timeout.connect,
                read_timeout=transport.timeout.read,
                verify=self._verify,
            )
            self._made = (wanted, downloader)
        return self._made[1]

    def rel_path2url(self, path: Folder) -> str:
        """Return the URL of a file on the data server.

        Parameters
        ----------
        path
            Its path below the data server.

        Raises
        ------
        ForeignURLError
            No data server is known, or the path is a URL already.
        InvalidFileNameError
            The path leads out of the server's folder.
        """
        return self._downloader.rel_path2url(path)


class FileApi(_Files, SyncConnection):
    """Downloads of a synchronous client."""

    def download_file(
        self,
        url: Any,
        **options: Unpack[DownloadOptions],
    ) -> Any:
        """Download a data file, or several.

        A file is written to ``<name>.part`` and gets its name only when it is whole; after an interruption, the next
        call goes on from what is there. A file that is there already is taken if its size is the record's, or its hash
        where the record has no size; without a record it is trusted.

        Parameters
        ----------
        url
            A URL, a path on the data server, the record of a dataset or a file (a dictionary or typed), or a list of
            these.
        target_dir
            The folder for the files, or one for each; by default `cache_dir`.
        keep_tree
            Whether the server's folders are made below it; by default the files lie in it side by side.
        clobber
            Fetch files even if they are there.
        chunks
            ``(first_byte, n_bytes)``: only these bytes. They go to a file of another name, so that nobody takes it for
            the whole one: bytes 100 to 149 of ``a.npy`` to ``a.bytes-100-149.npy``. It is shorter where the file ends
            before.
        return_md5
            Return the MD5 of each file, too.
        verify
            Compare also files that are there with the record's hash, or else with the server's size.
        silent
            Show no progress; by default as the client is.
        headers
            Further headers. What is a credential among them goes no further than the source's own server.
        username, password
            A login for the files' server, in place of the data server's own.

        Returns
        -------
        pathlib.Path or list of pathlib.Path
            Where the file is, or the files in the order of the sources. With ``return_md5`` a pair of path and MD5, or
            the paths and the MD5s as two tuples in a list.

        Raises
        ------
        DownloadsFailedError
            Of a list: some files could not be downloaded, for any of the reasons below, and all others were;
            ``results`` has the path or the error of each. Two files that would have the same path are both refused.
        ForeignURLError, InvalidFileNameError, NoDataURLError
            Of a single file: it is on none of the servers, would be written where it must not, or its record has no
            file; nothing was sent.
        AlyxError
            Of a single file: by its meaning.
        OSError
            A single file cannot be written, or the folder for all files cannot be made.
        TypeError, ValueError
            A single source or an argument of the call is wrong; nothing was fetched.
        """
        return self._downloader.download(url, **options)

    def download_cache_tables(self, source: str | None = None, destination: Folder | None = None) -> list[Path]:
        """Download the tables of sessions and datasets, unless those that are there are current.

        Parameters
        ----------
        source
            Where the zip is; by default Alyx's own.
        destination
            The folder for the tables; by default `cache_dir`.

        Returns
        -------
        list of pathlib.Path
            The parquet files.

        Raises
        ------
        AlyxError
            They did not come, or are damaged; the present ones are left alone.
        """
        info = read_json(self.send(_INFO, clobber=True)) if source is None else None
        return self._downloader.download_cache_tables(source, destination, info=info)

    def close(self) -> None:
        """Close the connections; another call opens new ones."""
        super().close()
        if self._made is not None:
            self._made[1].close()


class AsyncFileApi(_Files, AsyncConnection):
    """Downloads of an asynchronous client: as `FileApi` has them, awaited; cancelling one stops it."""

    async def download_file(self, url: Any, **options: Unpack[DownloadOptions]) -> Any:
        """As `FileApi.download_file`; the list may be an asynchronous one, such as that of an endpoint."""
        if hasattr(url, "__aiter__"):
            url = [source async for source in url]
        return await _in_thread(lambda cancelled: self._downloader.download(url, **options, cancelled=cancelled))

    async def download_cache_tables(self, source: str | None = None, destination: Folder | None = None) -> list[Path]:
        """As `FileApi.download_cache_tables`."""
        info = read_json(await self.send(_INFO, clobber=True)) if source is None else None
        return await _in_thread(
            lambda cancelled: self._downloader.download_cache_tables(
                source, destination, info=info, cancelled=cancelled
            )
        )

    async def aclose(self) -> None:
        """Close the connections; another call opens new ones."""
        await super().aclose()
        if self._made is not None:
            self._made[1].close()


async def _in_thread(work: Callable[[threading.Event], T]) -> T:
    """Do work in a thread that is told to stop, and waited for, when the task is cancelled."""
    cancelled = threading.Event()
    running = asyncio.ensure_future(asyncio.to_thread(work, cancelled))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        cancelled.set()
        with contextlib.suppress(Exception):
            await running
        raise
