"""Saving settings to ``servers.toml`` without disturbing what users wrote there."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from alyx_client.config.data_server import DataServer
from alyx_client.config.servers_toml import MORE_DATA_SERVERS, read_servers, servers_file
from alyx_client.config.settings import Settings
from alyx_client.config.toml_edit import replace_list, set_values
from alyx_client.config.toml_write import write_document
from alyx_client.errors import AlyxWarning
from alyx_client.http.log import warn
from alyx_client.http.url import same_origin
from alyx_client.storage.atomic import write_private
from alyx_client.storage.lock import exclusive_lock

__all__ = ["save_settings", "write_server"]

_NEW_FILE = """\
# The servers that alyx-client knows. You may edit this file: your additions stay, also when setup is run again.
# Passwords are never written here; a data server's may be added by hand as data_password = "...".
default = ""
"""


def save_settings(settings: Settings, *, default: bool) -> Path:
    """Save a server's settings; other servers and comments stay as they are.

    Passwords are never written. One that was added by hand stays as long as it belongs to the same user of the same
    data server, and is removed otherwise. A cache folder that is only the default is not written.

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
        The file cannot be written; the old content is unchanged.
    """
    before = read_servers().server(settings.base_url)
    first = settings.data_server
    values: dict[str, object] = {
        "username": settings.username,
        # Written, a default would outlive a change of the default.
        "cache_dir": None if settings.sources.get("cache_dir") == "default" else str(settings.cache_dir),
        # False is the default, and written only in place of True.
        "keyring": settings.keyring or (False if before.keyring else None),
        "data_server": first.url if first else None,
        "data_username": first.username if first else None,
    }
    if before.data_servers and (first is None or not _same_login(before.data_servers[0], first)):
        values["data_password"] = None
    more = settings.data_servers[1:]
    # Rewriting the list loses the comments in it.
    if _addresses(more) == _addresses(before.data_servers[1:]):
        return write_server(settings.base_url, values, default=default)
    tables = [_as_table(server, before.data_servers) for server in more]
    return write_server(settings.base_url, values, tables, default=default)


def write_server(
    base_url: str,
    values: Mapping[str, object],
    more_data_servers: Sequence[Mapping[str, object]] | None = None,
    *,
    default: bool,
) -> Path:
    """Set values in a server's table, as `save_settings` does.

    A file that cannot be edited line by line, such as one with inline tables for servers, is rewritten without its
    comments; the old one is then preserved beside it, and a warning says so.

    Parameters
    ----------
    base_url
        The server.
    values
        The values; None removes one.
    more_data_servers
        The data servers after the first, as tables; None leaves them alone.
    default
        Whether the server becomes the default one. With False, another one stays the default.
    """
    with exclusive_lock(servers_file()):
        # Read within the lock: another process may have just saved another server.
        present = read_servers()
        table = ("servers", present.names.get(base_url, base_url))
        text = present.text if present.text.strip() else _NEW_FILE
        # Edited twice: as text, which preserves comments, and as values, which tells whether the text came out right.
        expected = copy.deepcopy(tomllib.loads(text))
        if default or present.default == base_url:
            chosen = base_url if default else ""
            text = set_values(text, (), {"default": chosen})
            expected["default"] = chosen
        text = set_values(text, table, values)
        entry: dict[str, object] = expected.setdefault("servers", {}).setdefault(table[1], {})
        _update(entry, values)
        if more_data_servers is not None:
            text = replace_list(text, (*table, MORE_DATA_SERVERS), more_data_servers)
            tables = [{name: value for name, value in more.items() if value is not None} for more in more_data_servers]
            _update(entry, {MORE_DATA_SERVERS: tables or None})
        if not _means(text, expected):
            text = write_document(expected)
            # Comments cannot be carried over, so the user gets the old file.
            backup = present.file.with_name(f"{present.file.name}.old")
            write_private(backup, present.text)
            warn(f"{present.file} was rewritten without its comments; the old file is {backup}.", AlyxWarning)
        write_private(present.file, text)
        return present.file


def _update(table: dict[str, object], values: Mapping[str, object]) -> None:
    for name, value in values.items():
        if value is None:
            table.pop(name, None)
        else:
            table[name] = value


def _means(text: str, document: Mapping[str, object]) -> bool:
    try:
        return tomllib.loads(text) == document
    except ValueError:
        return False


def _same_login(one: DataServer, other: DataServer) -> bool:
    return same_origin(one.url, other.url) and one.username == other.username


def _addresses(servers: Sequence[DataServer]) -> list[tuple[str, str | None]]:
    return [(server.url, server.username) for server in servers]


def _as_table(server: DataServer, before: Sequence[DataServer]) -> dict[str, object]:
    password = next((old.password for old in before if _same_login(old, server)), None)
    return {"url": server.url, "username": server.username, "password": password}
