"""ONE's client, made of this one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar, Unpack

from alyx_client.downloads.options import DownloadOptions
from alyx_client.endpoints import AlyxClient
from alyx_client.http.deadline import Deadline
from alyx_client.http.flow import Expires, Flow
from alyx_client.http.message import Request, Response
from alyx_client.one.calls import OneCallsByName
from alyx_client.one.errors import one_errors
from alyx_client.one.libraries import one_parameters
from alyx_client.one.parameters import ParametersOfOne

__all__ = ["OneAlyxClient"]

T = TypeVar("T")


class OneAlyxClient(OneCallsByName, ParametersOfOne, AlyxClient):
    """The client that ONE uses in place of its own: an `AlyxClient` with ONE's signatures, return values and settings.

    Its errors are also those of requests and of urllib that ONE's users catch. Settings and tokens are those that ONE
    stores; tokens of logins are stored there, too.

    Parameters
    ----------
    base_url, username, password, cache_dir, silent, cache_rest, token
        As in ONE. With a password or a token, it logs in at once.
    stay_logged_in
        Whether to store the token.
    strict_filters
        Whether filters that the server does not have are refused; by default as `install` was told.
    **settings
        Other arguments of `AlyxClient`, such as ``timeout``.

    Raises
    ------
    AuthenticationError
        The server refused the password or the token.

    Attributes
    ----------
    refuse_unknown_filters
        The default of `strict_filters`.
    """

    refuse_unknown_filters: ClassVar[bool] = True

    def __init__(
        self,
        base_url: str | None = None,
        username: str | None = None,
        password: str | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        silent: bool = False,
        cache_rest: str | None = "GET",
        token: str | Mapping[str, str] | None = None,
        *,
        stay_logged_in: bool = True,
        strict_filters: bool | None = None,
        **settings: Any,
    ) -> None:
        parameters = one_parameters().get(client=base_url, silent=silent, username=username)
        self._follows_data_server = "data_server" not in settings
        with one_errors():
            super().__init__(
                base_url or parameters.ALYX_URL,
                username or parameters.ALYX_LOGIN or None,
                password or getattr(parameters, "ALYX_PWD", None),
                cache_dir or parameters.CACHE_DIR,
                silent,
                cache_rest,
                stay_logged_in,
                strict_filters=self.refuse_unknown_filters if strict_filters is None else strict_filters,
                **settings,
            )
        self._par = parameters.set("CACHE_DIR", self._cache_dir)
        if password or token:
            self.authenticate(username, password, token=token)
        else:
            self._take_token_of_one()

    def send(
        self,
        request: Request,
        *,
        expires: Expires = None,
        bypass_cache: bool = False,
        timeout: float | Deadline | None = None,
    ) -> Response:
        """Send a request, as `AlyxClient.send` does."""
        with one_errors():
            response = super().send(request, expires=expires, bypass_cache=bypass_cache, timeout=timeout)
        self._mirror_token()
        return response

    def run(self, flow: Flow[T], timeout: float | None = None) -> T:
        """Run a flow, as `AlyxClient.run` does."""
        with one_errors():
            return super().run(flow, timeout)

    def authenticate(
        self,
        username: str | None = None,
        password: str | None = None,
        cache_token: bool = True,
        force: bool = False,
        token: str | Mapping[str, str] | None = None,
    ) -> None:
        """Log in now, as `AlyxClient.authenticate` does; the token is stored where ONE reads it, too.

        After a logout, the login that ONE's settings hold is used again, if none is passed.
        """
        if password is None and token is None and not self.is_logged_in:
            username, password = self._login_of_one(username)
        with one_errors():
            super().authenticate(username, password, cache_token, force, token)
        self._mirrored = None
        if cache_token:
            self._mirror_token(always=True)

    def logout(self) -> None:
        """Forget the token, as `AlyxClient.logout` does, also where ONE reads it."""
        user = self.user
        with one_errors():
            super().logout()
        self._forget_token(user)

    def rel_path2url(self, path: str | os.PathLike[str]) -> str:
        """Return the URL of a file on the data server.

        Parameters
        ----------
        path
            The path below the data server. It is not percent-encoded: ONE makes paths of folders of it.
        """
        with one_errors(downloads=True):
            super().rel_path2url(path)  # which refuses what is no path on the server
        text = os.fspath(path).strip("/")
        return f"{self._downloader.servers.logins[0].url}/{text}"

    def download_file(self, url: Any, **options: Unpack[DownloadOptions]) -> Any:
        """Download data files, as `AlyxClient.download_file` does; errors are also those of urllib."""
        with one_errors(downloads=True):
            return super().download_file(url, **options)

    def download_cache_tables(
        self, source: str | os.PathLike[str] | None = None, destination: str | os.PathLike[str] | None = None
    ) -> list[Path]:
        """Download the tables of sessions and datasets, as `AlyxClient.download_cache_tables` does."""
        address = None if source is None else os.fspath(source)
        with one_errors(downloads=True):
            return super().download_cache_tables(address, destination)
