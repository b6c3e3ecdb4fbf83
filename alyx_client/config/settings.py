"""The settings of a server: from arguments, environment, the settings file and ONE's files, in this order.

>>> from alyx_client.config import find_settings
>>> find_settings("https://alyx.example.org").cache_dir  # doctest: +SKIP
PosixPath('/home/me/Downloads/ONE/alyx.example.org')
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from types import MappingProxyType, NoneType
from typing import TYPE_CHECKING, TypeVar

from alyx_client.config import one as one_settings
from alyx_client.config.data_server import DataServer, DataServerArgument, choose_data_servers, parse_argument
from alyx_client.config.environment import flag_of_environment, headers_of_environment, names_variable, variable
from alyx_client.config.limits import Limits, find_limits, find_rate_limit
from alyx_client.config.servers_toml import ServersFile, read_servers
from alyx_client.errors import MissingCredentialsError
from alyx_client.http.arguments import require, require_folder, require_text
from alyx_client.http.own_headers import OwnHeaders
from alyx_client.http.url import normalise_base_url
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.storage.file_system import user_folder, user_label

if TYPE_CHECKING:
    from alyx_client.http.rate import Rate

__all__ = ["Settings", "find_base_url", "find_package", "find_settings"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one server.

    Parameters
    ----------
    base_url
        The server.
    username
        The user.
    data_servers
        The data servers with their logins, the preferred one first.
    cache_dir
        The folder for data files.
    rest_cache_dir
        The folder for cached responses: the user's own (``.rest-<user>``) below ``cache_dir`` if that was chosen, else
        the platform's cache folder.
    keyring
        Whether to store secrets in the system's keyring.
    limits
        The limits of calls and responses.
    headers
        Header fields that are sent to this server alone.
    rate_limit
        The rate that requests keep to; None for what the server allows.
    pickle_token
        Whether tokens travel to other processes with a client.
    send_outbox
        Whether writes that wait are sent without a call of their own.
    sources
        The source of each value, for messages: ``{"username": "ALYX_USERNAME"}``.
    """

    base_url: str
    username: str | None
    data_servers: tuple[DataServer, ...]
    cache_dir: Path
    rest_cache_dir: Path
    keyring: bool = False
    limits: Limits = field(default_factory=Limits)
    headers: OwnHeaders = field(default_factory=OwnHeaders, compare=False)
    rate_limit: Rate | None = None
    pickle_token: bool = True
    send_outbox: bool = False
    sources: Mapping[str, str] = field(default_factory=dict[str, str], compare=False, repr=False)

    @property
    def data_server(self) -> DataServer | None:
        """The preferred data server."""
        return self.data_servers[0] if self.data_servers else None


def find_base_url(base_url: str | None = None) -> str:
    """Find the server to connect to.

    Parameters
    ----------
    base_url
        The server's address; by default ``ALYX_URL``, the settings file's default, or ONE's.

    Returns
    -------
    str
        The address in its normal form.

    Raises
    ------
    MissingCredentialsError
        No source names a server.
    ConfigurationError
        The settings file was needed and cannot be read.
    ValueError
        The address is invalid.
    """
    return _find_base_url(base_url, None)[0]


def find_package(base_url: str | None = None) -> str | None:
    """Find the package that was generated for a server, for the command ``alyx``.

    Parameters
    ----------
    base_url
        The server; by default the one that `find_base_url` finds.

    Returns
    -------
    str or None
        ``ALYX_PACKAGE``, or the settings file's; None if there is neither, or no server.

    Raises
    ------
    ConfigurationError
        The settings file was needed and cannot be read.
    ValueError
        The address is invalid.
    """
    servers = read_servers()
    try:
        url, _ = _find_base_url(base_url, servers)
    except MissingCredentialsError:
        return variable("ALYX_PACKAGE")
    return variable("ALYX_PACKAGE", url) or servers.server(url).package


def find_settings(
    base_url: str | None = None,
    *,
    username: str | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    data_server: DataServerArgument = None,
    data_username: str | None = None,
    data_password: str | None = None,
    limits: Mapping[str, float | None] = MappingProxyType({}),
    headers: OwnHeaders | None = None,
    rate_limit: str | None = None,
    pickle_token: bool | None = None,
    send_outbox: bool | None = None,
) -> Settings:
    """Find the settings of a server; nothing is written, and no folder created.

    Arguments come first, then the environment (``ALYX_URL``, ``ALYX_USERNAME``, ``ALYX_CACHE_DIR``, ``ALYX_HEADERS``,
    ``ALYX_DATA_SERVER``, ``ALYX_DATA_USERNAME``, ``ALYX_DATA_PASSWORD``), then the settings file, then ONE's files.
    If ``ALYX_URL`` is set, the other variables apply to that server only. A login is used for the data server that it
    was given for only.

    Parameters
    ----------
    base_url
        The server's address; by default ``ALYX_URL``, the settings file's default, or ONE's.
    username
        The user.
    cache_dir
        The folder for data files; by default the one that ONE proposes, ``~/Downloads/ONE/<server>``.
    data_server
        The data server, or several, the preferred one first.
    data_username, data_password
        The login at the first of them.
    limits
        The limits that were passed, by name; for the others ``ALYX_TIMEOUT`` and so on.
    headers
        The header fields that were passed.
    rate_limit
        The rate that was passed; by default ``ALYX_RATE_LIMIT``, then the settings file's.
    pickle_token
        Whether the token is in the client's pickle; by default ``ALYX_PICKLE_TOKEN``, then the settings file's, then
        True.
    send_outbox
        Whether writes that wait are sent without a call of their own; by default ``ALYX_SEND_OUTBOX``, then the
        settings file's, then False.

    Returns
    -------
    Settings
        The settings.

    Raises
    ------
    MissingCredentialsError
        No source names a server.
    ConfigurationError
        The settings file cannot be read, or a value in it or in a variable is invalid.
    ValueError
        An address is invalid.
    """
    for name, text in {"base_url": base_url, "username": username, "data_username": data_username}.items():
        require_text(name, text)
    require_text("data_password", data_password)
    require_folder("cache_dir", cache_dir)
    servers = read_servers()
    url, url_source = _find_base_url(base_url, servers)
    stored, one_server = servers.server(url), one_settings.server(url)
    file = str(servers.file)
    # ONE comes last: what users told this client goes before what they once told ONE.
    user, user_source = _first(
        (username, "argument"),
        (variable("ALYX_USERNAME", url), "ALYX_USERNAME"),
        (stored.username, file),
        (one_server.login, "ONE"),
    )
    folder, folder_source = _first(
        (_as_text(cache_dir), "argument"),
        (variable("ALYX_CACHE_DIR", url, is_path=True), "ALYX_CACHE_DIR"),
        (_as_text(stored.cache_dir), file),
        (_as_text(one_settings.cache_dir(url)), "ONE"),
    )
    # Absolute, so that it stays the same when the program changes its working directory.
    with names_variable(folder_source):
        require_folder("cache_dir", folder)
    chosen = Path(folder).expanduser().absolute() if folder else one_settings.default_cache_dir(url)
    with names_variable("ALYX_DATA_SERVER"):
        environment_servers = parse_argument(variable("ALYX_DATA_SERVER", url))
    data_sources = [
        ("argument", parse_argument(data_server)),
        ("ALYX_DATA_SERVER", environment_servers),
        (file, stored.data_servers),
        ("ONE", _one_data_servers(one_server)),
    ]
    data_servers, data_source = choose_data_servers(
        data_sources, data_username, data_password, url, keyring=stored.keyring
    )
    if headers is None:
        headers = headers_of_environment(url)
    found_limits, limit_sources = find_limits(limits, url, stored.limits)
    found_rate, rate_sources = find_rate_limit(rate_limit, url, stored.rate_limit)
    return Settings(
        base_url=url,
        username=user,
        data_servers=data_servers,
        cache_dir=chosen,
        # The default folder is also ONE's, where nothing but data files belongs.
        # Users may share a folder for data files, but not each other's responses.
        rest_cache_dir=chosen / f".rest-{user_label()}" if folder else _platform_cache(),
        keyring=stored.keyring,
        limits=found_limits,
        headers=stored.headers if headers is None else headers,
        rate_limit=found_rate,
        pickle_token=_flag("pickle_token", pickle_token, url, stored.pickle_token, default=True),
        send_outbox=_flag("send_outbox", send_outbox, url, stored.send_outbox, default=False),
        sources={
            "base_url": url_source,
            "username": user_source,
            "data_servers": data_source,
            "cache_dir": folder_source,
            "keyring": file if stored.keyring else "default",
            **limit_sources,
            **rate_sources,
        },
    )


def _flag(name: str, argument: bool | None, base_url: str, stored: bool | None, *, default: bool) -> bool:
    require(name, argument, (bool, NoneType), "True or False")
    choices = (argument, flag_of_environment(f"ALYX_{name.upper()}", base_url), stored)
    return next((choice for choice in choices if choice is not None), default)


def _find_base_url(base_url: str | None, servers: ServersFile | None) -> tuple[str, str]:
    url, source = _first((base_url, "argument"), (variable("ALYX_URL"), "ALYX_URL"))
    if url is None:
        # Read as late as possible: a broken file must not matter if it is not needed.
        servers = servers or read_servers()
        url, source = _first((servers.default, str(servers.file)))
    if url is None:
        url, source = _first((one_settings.default_server(), "ONE"))
    if url is None:
        raise MissingCredentialsError(
            "Which server? Pass its address, as in AlyxClient('https://alyx.example.org'), set ALYX_URL, or run "
            "AlyxClient.setup() once."
        )
    with names_variable(source):
        return normalise_base_url(url), source


def _first(*values: tuple[_T | None, str]) -> tuple[_T | None, str]:
    # Empty text counts as missing, in arguments and files as in the environment.
    return next(((value, source) for value, source in values if value), (None, "default"))


def _as_text(folder: str | os.PathLike[str] | None) -> str | None:
    return os.fspath(folder) if folder is not None else None


def _platform_cache() -> Path:
    return user_folder("cache") / "rest"


def _one_data_servers(server: one_settings.OneServer) -> tuple[DataServer, ...]:
    if not server.data_server:
        return ()
    return (DataServer(server.data_server, server.data_login, server.data_password),)
