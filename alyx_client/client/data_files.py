"""A client's data files: the downloader, made from the client's settings when it is needed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from alyx_client.auth.state import AuthState
from alyx_client.config import Settings
from alyx_client.http.arguments import require, require_folder, require_text
from alyx_client.http.own_headers import OwnHeaders
from alyx_client.http.token_scheme import ALYX_TOKENS, TokenScheme
from alyx_client.http.transport_options import ConnectionOptions
from alyx_client.runtime.checked_calls import with_checked_calls

if TYPE_CHECKING:
    from alyx_client.downloads.downloader import Downloader

__all__ = ["DataFiles"]


@with_checked_calls
class DataFiles:
    """The source of data files; a part of the client."""

    silent: bool
    _settings: Settings
    _auth: AuthState
    # The way in which the server takes tokens.
    _token_scheme: TokenScheme = ALYX_TOKENS
    _own_headers: OwnHeaders
    _connection_options: ConnectionOptions
    _cache_dir: Path
    _last_downloader: tuple[object, Downloader] | None

    @property
    def cache_dir(self) -> Path:
        """The folder for data files; it can be set, and is created then."""
        return self._cache_dir

    @cache_dir.setter
    def cache_dir(self, folder: str | os.PathLike[str]) -> None:
        self._set_cache_dir(folder)

    def _set_cache_dir(self, folder: str | os.PathLike[str]) -> None:
        require("cache_dir", folder, (str, os.PathLike), "the path of a folder")
        require_folder("cache_dir", folder)
        path = Path(folder).expanduser().absolute()
        path.mkdir(parents=True, exist_ok=True)
        self._cache_dir = path

    def rel_path2url(self, path: str | os.PathLike[str]) -> str:
        """Return the URL of a file on the data server.

        Parameters
        ----------
        path
            The path below the data server.

        Raises
        ------
        ForeignURLError
            No data server is known, or the path is a URL already.
        InvalidFileNameError
            The path leads out of the server's folder.
        """
        require("path", path, (str, os.PathLike), "a path on the data server")
        require_text("path", os.fspath(path))
        return self._downloader.rel_path2url(path)

    @property
    def _downloader(self) -> Downloader:
        """The downloader; a new one whenever a setting has changed."""
        from alyx_client.downloads.addresses import Login
        from alyx_client.downloads.data_servers import DataServers
        from alyx_client.downloads.downloader import Downloader

        settings = (self._cache_dir, self.silent)
        if self._last_downloader is None or self._last_downloader[0] != settings:
            logins = (Login(server.url, *(server.login() or (None, None))) for server in self._settings.data_servers)
            servers = DataServers(
                logins, base_url=self._settings.base_url, token=self._token_headers, own_headers=self._own_headers
            )
            downloader = Downloader(
                servers,
                folder=self._cache_dir,
                silent=self.silent,
                min_rate=self._settings.limits.min_download_rate,
                **self._connection_options,
            )
            self._last_downloader = settings, downloader
        return self._last_downloader[1]

    def _token_headers(self) -> Mapping[str, str]:
        token = self._auth.known_token()
        return {} if token is None else self._token_scheme.fields(token)

    def _close_downloader(self) -> None:
        last, self._last_downloader = self._last_downloader, None
        if last is not None:
            last[1].close()
