"""The settings of a server: found in arguments, environment, the settings file and ONE's files, in this order.

>>> from alyx_client.config import find_settings
>>> find_settings("https://alyx.example.org").cache_dir  # doctest: +SKIP
PosixPath('/home/me/Downloads/ONE/alyx.example.org')
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from alyx_client.config import one as one_settings
from alyx_client.config.environment import variable
from alyx_client.config.servers_toml import (
    DataServer,
    ServersFile,
    StoredServer,
    read_servers,
    servers_file,
    write_server,
)
from alyx_client.errors import MissingCredentialsError
from alyx_client.http.url import normalise_base_url, redact_url, same_origin

_T = TypeVar("_T")

__all__ = ["DataServer", "Settings", "find_base_url", "find_settings", "save_settings", "servers_file"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What is known of one server.

    Parameters
    ----------
    base_url
        The server.
    username
        The user.
    data_servers
        Where data files come from, the usual one first, each with its own login.
    cache_dir
        Where data files go.
    rest_cache_dir
        Where answers are kept: below ``cache_dir`` where somebody chose that, else in the platform's cache folder.
    keyring
        Whether secrets go to the system's keyring.
    sources
        Where each value comes from, for messages: ``{"username": "ALYX_USERNAME"}``.
    """

    base_url: str
    username: str | None
    data_servers: tuple[DataServer, ...]
    cache_dir: Path
    rest_cache_dir: Path
    keyring: bool = False
    sources: Mapping[str, str] = field(default_factory=dict[str, str], compare=False, repr=False)

    @property
    def data_server(self) -> DataServer | None:
        """The usual data server."""
        return self.data_servers[0] if self.data_servers else None


def find_base_url(base_url: str | None = None) -> str:
    """Find which server is meant.

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
        No server is named anywhere.
    ConfigurationError
        The settings file was needed and cannot be read.
    ValueError
        The address is not one.
    """
    return _find_base_url(base_url, None)[0]


def find_settings(
    base_url: str | None = None,
    *,
    username: str | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    data_server: str | DataServer | Sequence[str | DataServer] | None = None,
    data_username: str | None = None,
    data_password: str | None = None,
) -> Settings:
    """Find the settings of a server; nothing is written, and no folder made.

    Arguments come first, then the environment (``ALYX_URL``, ``ALYX_USERNAME``, ``ALYX_CACHE_DIR``,
    ``ALYX_DATA_SERVER``, ``ALYX_DATA_USERNAME``, ``ALYX_DATA_PASSWORD``), then the settings file, then ONE's files.
    With ``ALYX_URL`` set, the other variables serve that server alone. A login goes only to the data server that it was
    given for.

    Parameters
    ----------
    base_url
        The server's address; by default ``ALYX_URL``, the settings file's default, or ONE's.
    username
        The user.
    cache_dir
        Where data files go; by default the folder that ONE proposes, ``~/Downloads/ONE/<server>``.
    data_server
        Where data files come from; several, the usual one first.
    data_username, data_password
        The login for the first of them.

    Returns
    -------
    Settings
        The settings.

    Raises
    ------
    MissingCredentialsError
        No server is named anywhere.
    ConfigurationError
        The settings file cannot be read, or holds what it must not.
    ValueError
        An address is not one.
    """
    stored = read_servers()
    url, url_source = _find_base_url(base_url, stored)
    ours, ones = stored.server(url), one_settings.server(url)
    file = str(stored.file)
    user, user_source = _first(
        (username, "argument"),
        (variable("ALYX_USERNAME", url), "ALYX_USERNAME"),
        (ours.username, file),
        (ones.login, "ONE"),
    )
    folder, folder_source = _first(
        (_as_text(cache_dir), "argument"),
        (variable("ALYX_CACHE_DIR", url), "ALYX_CACHE_DIR"),
        (_as_text(ours.cache_dir), file),
        (_as_text(one_settings.cache_dir(url)), "ONE"),
    )
    # Made absolute so that it stays where it is when the program changes its folder.
    chosen = Path(folder).expanduser().absolute() if folder else one_settings.default_cache_dir(url)
    levels = list(_levels(url, data_server, ours, ones))
    data_servers, data_source = _data_servers(levels, data_username, data_password, url, keyring=ours.keyring)
    return Settings(
        base_url=url,
        username=user,
        data_servers=data_servers,
        cache_dir=chosen,
        rest_cache_dir=chosen / ".rest" if folder else _platform_cache(),
        keyring=ours.keyring,
        sources={
            "base_url": url_source,
            "username": user_source,
            "data_servers": data_source.format(file=file),
            "cache_dir": folder_source,
            "keyring": file if ours.keyring else "default",
        },
    )


def save_settings(settings: Settings, *, default: bool) -> Path:
    """Write a server's settings to the settings file; other servers and comments stay as they are.

    No password is ever written. One that somebody wrote into the file stays as long as it is for the same user of the
    same data server, and is taken out when that changes. A cache folder that is only the default is not written.

    Parameters
    ----------
    settings
        The settings.
    default
        Whether this becomes the server that ``AlyxClient()`` connects to.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ConfigurationError
        The present file cannot be read; it is left alone.
    OSError
        The file cannot be written.
    """
    before = read_servers().server(settings.base_url)
    first = settings.data_server
    values: dict[str, object] = {
        "username": settings.username,
        "cache_dir": None if settings.sources.get("cache_dir") == "default" else str(settings.cache_dir),
        "keyring": settings.keyring or (False if before.keyring else None),
        "data_server": first.url if first else None,
        "data_username": first.username if first else None,
    }
    if before.data_servers and not _same_login(before.data_servers[0], first):
        values["data_password"] = None
    more = [_without_password(server) for server in settings.data_servers[1:]]
    further = None
    if more != [_without_password(server) for server in before.data_servers[1:]]:
        further = [_as_table(server, before.data_servers) for server in settings.data_servers[1:]]
    return write_server(settings.base_url, values, further, default=default)


def _find_base_url(base_url: str | None, stored: ServersFile | None) -> tuple[str, str]:
    url, source = _first((base_url, "argument"), (variable("ALYX_URL"), "ALYX_URL"))
    if url is None:
        stored = stored or read_servers()
        url, source = _first((stored.default, str(stored.file)))
    if url is None:
        url, source = _first((one_settings.default_server(), "ONE"))
    if url is None:
        raise MissingCredentialsError(
            "Which server? Pass its address, as in AlyxClient('https://alyx.example.org'), set ALYX_URL, or run "
            "AlyxClient.setup() once."
        )
    return normalise_base_url(url), source


def _first(*values: tuple[_T | None, str]) -> tuple[_T | None, str]:
    return next(((value, source) for value, source in values if value), (None, "default"))


def _as_text(folder: str | os.PathLike[str] | None) -> str | None:
    return os.fspath(folder) if folder is not None else None


def _platform_cache() -> Path:
    import platformdirs

    return platformdirs.user_cache_path("alyx-client") / "rest"


def _levels(
    base_url: str,
    argument: str | DataServer | Sequence[str | DataServer] | None,
    ours: StoredServer,
    ones: one_settings.OneServer,
) -> Iterator[tuple[str, tuple[DataServer, ...]]]:
    """Yield the data servers that each source names, the first source first."""
    yield "argument", _arguments(argument)
    yield "ALYX_DATA_SERVER", _arguments(variable("ALYX_DATA_SERVER", base_url))
    yield "{file}", ours.data_servers
    if ones.data_server:
        yield "ONE", (DataServer(ones.data_server, ones.data_login, ones.data_password),)


def _arguments(argument: str | DataServer | Sequence[str | DataServer] | None) -> tuple[DataServer, ...]:
    if argument is None:
        return ()
    several = [argument] if isinstance(argument, str | DataServer) else argument
    found: list[DataServer] = []
    for server in several:
        server = DataServer(server) if isinstance(server, str) else server
        try:
            found.append(replace(server, url=normalise_base_url(server.url)))
        except ValueError as error:
            raise ValueError(f"The data server {redact_url(server.url)!r} cannot be used: {error}") from None
    return tuple(found)


def _data_servers(
    levels: Sequence[tuple[str, tuple[DataServer, ...]]],
    username: str | None,
    password: str | None,
    base_url: str,
    *,
    keyring: bool,
) -> tuple[tuple[DataServer, ...], str]:
    """Take the servers of the first source that names any; add the logins that other sources have for the same ones."""
    source, servers = next(((source, servers) for source, servers in levels if servers), ("default", ()))
    known = [server for _, servers in levels for server in servers]
    found: list[DataServer] = []
    for server in servers:
        logins = [(server.username, server.password)]
        if not found:
            logins = [(username, password), *logins, *_environment_login(server.url, base_url)]
        logins += [(other.username, other.password) for other in known if same_origin(other.url, server.url)]
        found.append(_with_login(server, logins, keyring=keyring))
    return tuple(found), source


def _environment_login(data_server: str, base_url: str) -> Iterator[tuple[str | None, str | None]]:
    meant = variable("ALYX_DATA_SERVER", base_url)
    if meant is None or same_origin(meant if "://" in meant else f"https://{meant}", data_server):
        yield variable("ALYX_DATA_USERNAME", base_url), variable("ALYX_DATA_PASSWORD", base_url)


def _with_login(server: DataServer, logins: Sequence[tuple[str | None, str | None]], *, keyring: bool) -> DataServer:
    user = next((name for name, _ in logins if name), None)
    # A password goes with its own user; one without a user's name goes with any.
    password = next((secret for name, secret in logins if secret and name in {None, user}), None)
    return replace(server, username=user, password=password, keyring=keyring)


def _same_login(before: DataServer, after: DataServer | None) -> bool:
    return after is not None and same_origin(before.url, after.url) and before.username == after.username


def _without_password(server: DataServer) -> tuple[str, str | None]:
    return server.url, server.username


def _as_table(server: DataServer, before: Sequence[DataServer]) -> dict[str, object]:
    kept = next((old.password for old in before if _same_login(old, server)), None)
    return {"url": server.url, "username": server.username, "password": kept}
