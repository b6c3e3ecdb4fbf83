"""The settings file ``servers.toml``: one table for each server, written by setup or by hand."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from alyx_client.config import toml_edit as toml_text
from alyx_client.config.toml_edit import TablePath
from alyx_client.errors import AlyxWarning, ConfigurationError
from alyx_client.http.log import warn
from alyx_client.http.url import normalise_base_url
from alyx_client.storage.atomic import write_private
from alyx_client.storage.keyring import KeyringUnavailableError, read_secret, write_secret
from alyx_client.storage.lock import exclusive_lock

_NEW_FILE = """\
# The servers that alyx-client knows. You may edit this file: what you add stays, also when setup is run again.
# Passwords are never written here; a data server's may be added by hand as data_password = "...".
default = ""
"""
_MORE = "more_data_servers"
_NAMES = ("username", "cache_dir", "keyring", "data_server", "data_username", "data_password", _MORE)
_DATA_SECRETS = "alyx-client data server"


@dataclass(frozen=True, slots=True)
class DataServer:
    """A server of data files.

    Parameters
    ----------
    url
        Its address.
    username, password
        The login; both None where it needs none.
    keyring
        Whether a password that is not given here is looked for in the system's keyring.
    """

    url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    keyring: bool = False

    def login(self) -> tuple[str, str] | None:
        """Return user name and password, the latter from the keyring if that is where it is; None without both."""
        password = self.password
        if self.username and password is None and self.keyring:
            try:
                password = read_secret(_DATA_SECRETS, f"{self.username} {self.url}")
            except KeyringUnavailableError as error:
                warn(str(error), AlyxWarning)
        return (self.username, password) if self.username and password else None

    def keep_password(self, password: str) -> bool:
        """Keep the password in the system's keyring; returns whether that worked."""
        try:
            write_secret(_DATA_SECRETS, f"{self.username} {self.url}", password)
        except KeyringUnavailableError as error:
            warn(str(error), AlyxWarning)
            return False
        return True


@dataclass(frozen=True, slots=True)
class StoredServer:
    """What the file says about one server; what it leaves out is None.

    Parameters
    ----------
    username
        The user.
    cache_dir
        Where data files go.
    keyring
        Whether secrets go to the system's keyring.
    data_servers
        Where data files come from, the usual one first.
    """

    username: str | None = None
    cache_dir: Path | None = None
    keyring: bool = False
    data_servers: tuple[DataServer, ...] = ()


@dataclass(frozen=True, slots=True)
class ServersFile:
    r"""The file as it was read.

    Parameters
    ----------
    file
        Where it is, or will be.
    text
        Its content, with ``\n`` at line ends.
    document
        The content, parsed.
    names
        What each server's table is called, by the server's address.
    """

    file: Path
    text: str = field(repr=False)
    document: Mapping[str, Any] = field(repr=False)
    names: Mapping[str, str]

    @property
    def default(self) -> str | None:
        """The address of the server that is taken when none is named."""
        url = self._get((), self.document, "default", str)
        return self._address(url, (), "default") if url else None

    def server(self, base_url: str) -> StoredServer:
        """Return what is said about a server.

        Raises
        ------
        ConfigurationError
            A value is not what it must be.
        """
        name = self.names.get(base_url)
        if name is None:
            return StoredServer()
        path = ("servers", name)
        table = cast("Mapping[str, Any]", self.document["servers"][name])
        self._warn_about_unknown(table)
        folder = self._get(path, table, "cache_dir", str)
        keyring = bool(self._get(path, table, "keyring", bool))
        return StoredServer(
            username=self._get(path, table, "username", str) or None,
            cache_dir=self._folder(folder, path) if folder else None,
            keyring=keyring,
            data_servers=self._data_servers(path, table, keyring),
        )

    def _data_servers(self, path: TablePath, table: Mapping[str, Any], keyring: bool) -> tuple[DataServer, ...]:
        found: list[DataServer] = []
        if self._get(path, table, "data_server", str):
            found.append(self._data_server(path, table, ("data_server", "data_username", "data_password"), keyring))
        for entry in cast("Sequence[object]", self._get(path, table, _MORE, list) or ()):
            if not isinstance(entry, dict) or "url" not in entry:
                raise self._wrong(path, _MORE, "must hold tables with a url each")
            inner = cast("Mapping[str, Any]", entry)
            found.append(self._data_server((*path, _MORE), inner, ("url", "username", "password"), keyring))
        return tuple(found)

    def _data_server(
        self, path: TablePath, table: Mapping[str, Any], names: tuple[str, str, str], keyring: bool
    ) -> DataServer:
        url, username, password = (self._get(path, table, name, str) or None for name in names)
        return DataServer(self._address(url or "", path, names[0]), username, password, keyring)

    def _get(self, path: TablePath, table: Mapping[str, Any], name: str, kind: type) -> Any:
        value = table.get(name)
        if value is None or isinstance(value, kind):
            return value
        wanted = {str: "text in quotes", bool: "true or false", list: "a list of tables"}[kind]
        raise self._wrong(path, name, f"must be {wanted}")

    def _address(self, url: str, path: TablePath, name: str) -> str:
        try:
            return normalise_base_url(url)
        except ValueError as error:
            raise self._wrong(path, name, f"is wrong: {error}") from None

    def _folder(self, text: str, path: TablePath) -> Path:
        try:
            folder = Path(text).expanduser()
        except RuntimeError:
            raise self._wrong(path, "cache_dir", "begins with the home folder of somebody who has none") from None
        if not folder.is_absolute():
            raise self._wrong(path, "cache_dir", "must be a whole path, from / or a drive on, or begin with ~")
        return folder

    def _wrong(self, path: TablePath, name: str, what: str) -> ConfigurationError:
        line = toml_text.line_of(self.text, path, name)
        where = f"{self.file}{f', line {line}' if line else ''}"
        whose = f" of {path[1]}" if len(path) > 1 else ""
        return ConfigurationError(f"{where}: {name}{whose} {what}. Correct it there, or run AlyxClient.setup() again.")

    def _warn_about_unknown(self, table: Mapping[str, Any]) -> None:
        for name in table.keys() - set(_NAMES):
            near = get_close_matches(name, _NAMES, n=1)
            meant = f"; is {near[0]} meant?" if near else "; it was passed over."
            warn(f"{self.file}: there is no setting {name!r}{meant}", AlyxWarning)


def servers_file() -> Path:
    """Return where the settings file is, or will be."""
    import platformdirs

    return platformdirs.user_config_path("alyx-client") / "servers.toml"


def read_servers() -> ServersFile:
    """Read the settings file; one that is not there counts as empty.

    Raises
    ------
    ConfigurationError
        It cannot be read, or is no TOML; the message says where.
    """
    file = servers_file()
    text = ""
    try:
        # Editors on Windows put a mark in front.
        text = file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        document = tomllib.loads(text)
    except (FileNotFoundError, NotADirectoryError):
        return ServersFile(file, "", {}, {})
    except OSError as error:
        raise ConfigurationError(f"The settings file {file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise ConfigurationError(
            f"The settings file {file} is not in UTF-8; save it as UTF-8 in your editor."
        ) from None
    except tomllib.TOMLDecodeError as error:
        reason = str(error).replace("at end of document", f"at line {len(text.splitlines())}, the last")
        raise ConfigurationError(
            f"The settings file {file} is no valid TOML: {reason}. Correct that line, or move the file away and run "
            "AlyxClient.setup() again."
        ) from None
    return ServersFile(file, text, document, _names(file, document))


def write_server(
    base_url: str,
    values: Mapping[str, object],
    more_data_servers: Sequence[Mapping[str, object]] | None = None,
    *,
    default: bool,
) -> Path:
    """Write what is known of a server; other servers, comments and settings of other names stay.

    Only a file written in a form that cannot be changed line by line (one with inline tables for servers, say) is
    written anew; the old one is then kept beside it, and a warning says so.

    Parameters
    ----------
    base_url
        The server.
    values
        What to set; None takes a value out.
    more_data_servers
        Further data servers, as tables; None leaves them.
    default
        Whether it is the default server from now on. With False, another one stays the default.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ConfigurationError
        The present file cannot be read; it is left alone.
    OSError
        The file cannot be written; it is as it was.
    """
    with exclusive_lock(servers_file()):
        present = read_servers()
        table = ("servers", present.names.get(base_url, base_url))
        text = present.text if present.text.strip() else _NEW_FILE
        wanted = copy.deepcopy(dict(tomllib.loads(text)))
        if default:
            text = toml_text.set_values(text, (), {"default": base_url})
            wanted["default"] = base_url
        elif present.default == base_url:
            text = toml_text.set_values(text, (), {"default": ""})
            wanted["default"] = ""
        text = toml_text.set_values(text, table, values)
        entry = wanted.setdefault("servers", {}).setdefault(table[1], {})
        _update(entry, values)
        if more_data_servers is not None:
            text = toml_text.replace_list(text, (*table, _MORE), more_data_servers)
            tables = [{name: value for name, value in more.items() if value is not None} for more in more_data_servers]
            _update(entry, {_MORE: tables or None})
        if not _means(text, wanted):
            text = toml_text.write_document(wanted)
            kept = present.file.with_name(f"{present.file.name}.old")
            write_private(kept, present.text)
            warn(f"{present.file} was written anew, without its comments; the old one is {kept}.", AlyxWarning)
        write_private(present.file, text)
        return present.file


def _update(table: dict[str, object], values: Mapping[str, object]) -> None:
    for name, value in values.items():
        if value is None:
            table.pop(name, None)
        else:
            table[name] = value


def _means(text: str, document: Mapping[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == document
    except tomllib.TOMLDecodeError:
        return False


def _names(file: Path, document: Mapping[str, Any]) -> dict[str, str]:
    tables = document.get("servers", {})
    if not isinstance(tables, dict):
        raise ConfigurationError(f'{file}: servers must hold tables, as in [servers."https://alyx.example.org"].')
    names: dict[str, str] = {}
    for name, table in cast("dict[str, object]", tables).items():
        try:
            url = normalise_base_url(name)
        except ValueError as error:
            raise ConfigurationError(f"{file}: the table of {name!r} has a wrong name: {error}") from None
        if not isinstance(table, dict):
            raise ConfigurationError(f'{file}: {name} must be a table with a heading: [servers."{url}"].')
        if url in names:
            raise ConfigurationError(f"{file}: {names[url]} and {name} are the same server; make one table of both.")
        names[url] = name
    return names
