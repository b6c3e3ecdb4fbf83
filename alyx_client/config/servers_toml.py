"""The settings file ``servers.toml``: one table for each server, written by setup or by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from alyx_client.config.data_server import DataServer
from alyx_client.config.limits import LIMITS, check_limit
from alyx_client.config.tables import Table, TablePath, is_list, is_table
from alyx_client.errors import AlyxWarning, ConfigurationError
from alyx_client.http.json_body import is_deeply_nested
from alyx_client.http.log import warn
from alyx_client.http.own_headers import OwnHeaders
from alyx_client.http.suggestions import nearest
from alyx_client.http.url import normalise_base_url, redact_url
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.storage.file_system import read_regular_file, user_folder

if TYPE_CHECKING:
    from alyx_client.http.rate import Rate

__all__ = ["MORE_DATA_SERVERS", "SETTINGS", "ServersFile", "StoredServer", "read_servers", "servers_file"]

MORE_DATA_SERVERS = "more_data_servers"
"""The setting for all data servers after the first."""

# The settings have four levels.
_MAX_DEPTH = 20
SETTINGS = (
    *("username", "cache_dir", "keyring", "data_server", "data_username", "data_password", MORE_DATA_SERVERS),
    *LIMITS,
    *("headers", "rate_limit", "pickle_token", "send_outbox", "package"),
)
"""The names of the settings of a server."""
_EXPECTED: Mapping[type, str] = {str: "text in quotes", bool: "true or false", list: "a list of tables"}

_T = TypeVar("_T", str, bool)


@dataclass(frozen=True, slots=True)
class StoredServer:
    """The file's settings of one server; a missing one is None.

    Parameters
    ----------
    username
        The user.
    cache_dir
        The folder for data files.
    keyring
        Whether to store secrets in the system's keyring.
    data_servers
        The data servers, the preferred one first.
    limits
        The limits, by name.
    headers
        Header fields that are sent to this server alone.
    rate_limit
        The rate that requests keep to.
    pickle_token
        Whether tokens travel to other processes with a client.
    send_outbox
        Whether writes that wait are sent without a call of their own.
    package
        The package generated for the server, which the command ``alyx`` uses.
    """

    username: str | None = None
    cache_dir: Path | None = None
    keyring: bool = False
    data_servers: tuple[DataServer, ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict[str, float])
    headers: OwnHeaders = field(default_factory=OwnHeaders)
    rate_limit: Rate | None = None
    pickle_token: bool | None = None
    send_outbox: bool | None = None
    package: str | None = None


@dataclass(frozen=True, slots=True)
class ServersFile:
    r"""The content of the file.

    Parameters
    ----------
    file
        Its path, whether or not it exists.
    text
        Its text, with ``\n`` as line ending.
    document
        The parsed text.
    names
        The name of each server's table, by the server's address.
    """

    file: Path
    text: str = field(repr=False)
    document: Table = field(repr=False)
    names: Mapping[str, str]

    @property
    def default(self) -> str | None:
        """The address of the server to connect to if none is named."""
        top = _TableReader(self, (), self.document)
        return top.address("default") if top.get("default", str) else None

    def server(self, base_url: str) -> StoredServer:
        """Return the settings of a server.

        Raises
        ------
        ConfigurationError
            A value has a wrong type or form.
        """
        name = self.names.get(base_url)
        servers = self.document.get("servers")
        table = servers.get(name) if name is not None and is_table(servers) else None
        if name is None or not is_table(table):
            return StoredServer()
        settings = _TableReader(self, ("servers", name), table)
        settings.warn_about_unknown()
        # One setting for tokens and for the passwords of data servers.
        keyring = bool(settings.get("keyring", bool))
        return StoredServer(
            username=settings.get("username", str) or None,
            cache_dir=settings.folder("cache_dir"),
            keyring=keyring,
            data_servers=tuple(_data_servers(settings, keyring)),
            limits=dict(settings.limits()),
            headers=settings.headers(),
            rate_limit=settings.rate_limit(),
            pickle_token=settings.get("pickle_token", bool),
            send_outbox=settings.get("send_outbox", bool),
            package=settings.get("package", str) or None,
        )


@dataclass(frozen=True, slots=True)
class _TableReader:
    """Reads values of a table; a wrong one is an error that names the line."""

    source: ServersFile
    path: TablePath
    table: Table

    def get(self, name: str, kind: type[_T]) -> _T | None:
        value = self.table.get(name)
        if value is None or isinstance(value, kind):
            return value
        raise self.error(name, f"must be {_EXPECTED[kind]}")

    def tables(self, name: str) -> Iterator[_TableReader]:
        entries = self.table.get(name)
        if entries is None:
            return
        if not is_list(entries):
            raise self.error(name, f"must be {_EXPECTED[list]}")
        for entry in entries:
            if not is_table(entry) or "url" not in entry:
                raise self.error(name, "must be tables with a url each")
            yield _TableReader(self.source, (*self.path, name), entry)

    def address(self, name: str) -> str:
        try:
            return normalise_base_url(self.get(name, str) or "")
        except ValueError as error:
            raise self.error(name, f"is wrong: {error}") from None

    def folder(self, name: str) -> Path | None:
        text = self.get(name, str)
        if not text:
            return None
        if "\0" in text:
            raise self.error(name, "contains a NUL character, which no path has")
        try:
            folder = Path(text).expanduser()
        except RuntimeError:
            raise self.error(name, "begins with the home folder of an unknown user") from None
        # A relative path would depend on where the program is started.
        if not folder.is_absolute():
            raise self.error(name, "must be a whole path, beginning with / or a drive, or with ~")
        return folder

    def limits(self) -> Iterator[tuple[str, float]]:
        for name in LIMITS:
            value = self.table.get(name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise self.error(name, "must be a number")
            try:
                yield name, check_limit(name, value)
            except ValueError as error:
                raise self.error(name, f"is not a limit: {error}") from None

    def headers(self) -> OwnHeaders:
        table = self.table.get("headers")
        if not (table is None or is_table(table)):
            raise self.error("headers", "must be a table of names and values")
        try:
            return OwnHeaders(cast("Any", table))
        except (TypeError, ValueError) as error:
            raise self.error("headers", f"cannot be sent: {error}") from None

    def rate_limit(self) -> Rate | None:
        text = self.get("rate_limit", str)
        if text is None:
            return None
        from alyx_client.http.rate import parse_rate

        try:
            return parse_rate("rate_limit", text)
        except ValueError as error:
            raise self.error("rate_limit", f"is not a rate: {error}") from None

    def warn_about_unknown(self) -> None:
        for name in self.table.keys() - set(SETTINGS):
            matches = nearest(name, SETTINGS, count=1, parts=False)
            hint = f"; is {matches[0]} meant?" if matches else "; it was ignored."
            warn(f"{self.source.file}: there is no setting {name!r}{hint}", AlyxWarning)

    def error(self, name: str, problem: str) -> ConfigurationError:
        from alyx_client.config.toml_edit import line_of

        line = line_of(self.source.text, self.path, name)
        place = f"{self.source.file}{f', line {line}' if line else ''}"
        server = f" of {self.path[1]}" if len(self.path) > 1 else ""
        return ConfigurationError(f"{place}: {name}{server} {problem}. Correct it there, or run AlyxClient.setup().")


def servers_file() -> Path:
    """Return the path of the settings file, whether or not it exists."""
    return user_folder("config") / "servers.toml"


def read_servers() -> ServersFile:
    """Read the settings file; a missing one counts as empty.

    Raises
    ------
    ConfigurationError
        It cannot be read or is not valid TOML; the message names the line.
    """
    file = servers_file()
    text = ""
    try:
        # Editors on Windows put a byte order mark in front.
        text = read_regular_file(file).decode("utf-8-sig").replace("\r\n", "\n")
    except (FileNotFoundError, NotADirectoryError):
        return ServersFile(file, "", {}, {})
    except OSError as error:
        raise ConfigurationError(f"The settings file {file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise ConfigurationError(
            f"The settings file {file} is not in UTF-8; save it as UTF-8 in your editor."
        ) from None
    document = _parse(file, text)
    return ServersFile(file, text, document, _table_names(file, document))


def _parse(file: Path, text: str) -> Table:
    import tomllib  # ONE's settings, which most users have, are JSON

    document: Table | None = None
    try:
        document = tomllib.loads(text)
    except RecursionError:
        pass
    # tomllib.TOMLDecodeError, or Python's own error for a number of thousands of digits.
    except ValueError as error:
        reason = str(error).replace("at end of document", f"at line {len(text.splitlines())}, the last")
        raise ConfigurationError(
            f"The settings file {file} is not valid TOML: {reason}. Correct that line, or move the file away and run "
            "AlyxClient.setup() again."
        ) from None
    if document is None or is_deeply_nested(document, _MAX_DEPTH):
        raise ConfigurationError(
            f"The settings file {file} is not one of this client: its values are nested too deeply. Correct it, or "
            "move it away and run AlyxClient.setup() again."
        )
    return document


def _data_servers(settings: _TableReader, keyring: bool) -> Iterator[DataServer]:
    if settings.get("data_server", str):
        yield _data_server(settings, ("data_server", "data_username", "data_password"), keyring)
    for table in settings.tables(MORE_DATA_SERVERS):
        yield _data_server(table, ("url", "username", "password"), keyring)


def _data_server(table: _TableReader, names: tuple[str, str, str], keyring: bool) -> DataServer:
    url, username, password = names
    return DataServer(table.address(url), table.get(username, str) or None, table.get(password, str) or None, keyring)


def _table_names(file: Path, document: Table) -> dict[str, str]:
    """Return the name of each server's table, by the server's address in normal form."""
    tables = document.get("servers", {})
    if not is_table(tables):
        raise ConfigurationError(f'{file}: servers must hold tables, as in [servers."https://alyx.example.org"].')
    names: dict[str, str] = {}
    for name, table in tables.items():
        try:
            url = normalise_base_url(name)
        except ValueError as error:
            # The name may hold a password, as the address of a server should not.
            shown = redact_url(name if "://" in name else f"//{name}").removeprefix("//")
            raise ConfigurationError(f"{file}: the table of {shown!r} has a wrong name: {error}") from None
        if not is_table(table):
            raise ConfigurationError(f'{file}: {name} must be a table with a heading: [servers."{url}"].')
        # Two names can have one normal form, as with and without https://.
        if url in names:
            raise ConfigurationError(f"{file}: {names[url]} and {name} are the same server; make one table of both.")
        names[url] = name
    return names
