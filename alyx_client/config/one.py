"""ONE's settings of servers, in ``~/.one``: read, never written."""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from urllib.parse import urlsplit

from alyx_client.config.tables import Table, is_table
from alyx_client.http.json_body import parse_json
from alyx_client.http.log import logger
from alyx_client.http.url import is_encodable, normalise_base_url, same_origin
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.storage.file_system import home_folder, read_regular_file

__all__ = ["OneServer", "cache_dir", "default_cache_dir", "default_server", "server", "server_key"]

_PUBLIC_DATA = "https://ibl.flatironinstitute.org/public"


@dataclass(frozen=True, slots=True)
class OneServer:
    """ONE's settings of one server; a missing or damaged value is None.

    Parameters
    ----------
    login, password
        The user and, rarely, the password.
    tokens
        Tokens by user, not validated.
    data_server, data_login, data_password
        The data server and the login there.
    """

    login: str | None = None
    password: str | None = field(default=None, repr=False)
    tokens: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    data_server: str | None = None
    data_login: str | None = None
    data_password: str | None = field(default=None, repr=False)


def server_key(base_url: str) -> str:
    """Return ONE's name of a server in file and folder names: ``alyx.example.org``, ``x.org_8443_main``."""
    parts = urlsplit(base_url)
    name = unicodedata.normalize("NFKC", f"{parts.netloc}{parts.path}").strip("/").lower()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^.\w\s-]", "_", name))


def server(base_url: str) -> OneServer:
    """Read ONE's settings of a server.

    Parameters
    ----------
    base_url
        The server, in its normal form.
    """
    content = _read(f".{server_key(base_url)}")
    url = _url(content.get("ALYX_URL"))
    # ONE's file names leave out the scheme, but a token obtained over https must not be sent over http.
    if url is None or not same_origin(url, base_url):
        return OneServer()
    return OneServer(
        login=_text(content.get("ALYX_LOGIN")),
        password=_text(content.get("ALYX_PWD")),
        tokens=_tokens(content.get("TOKEN")),
        data_server=_data_server(content.get("HTTP_DATA_SERVER"), url),
        data_login=_text(content.get("HTTP_DATA_SERVER_LOGIN")),
        data_password=_text(content.get("HTTP_DATA_SERVER_PWD")),
    )


def default_server() -> str | None:
    """Return the address of the server that ONE connects to by default."""
    key = _text(_read(".caches").get("DEFAULT"))
    # The key becomes part of a file name, which must not lead out of the folder.
    return _url(_read(f".{key}").get("ALYX_URL")) if key and re.fullmatch(r"[\w.-]+", key) else None


def cache_dir(base_url: str) -> Path | None:
    """Return the folder to which ONE downloads a server's files."""
    folders = _read(".caches").get("CLIENT_MAP")
    folder = _text(folders.get(server_key(base_url))) if is_table(folders) else None
    try:
        return Path(folder).expanduser() if folder and "\0" not in folder else None
    except RuntimeError:
        logger.info("ONE's settings place files in the home folder of an unknown user, which was ignored")
        return None


def default_cache_dir(base_url: str) -> Path:
    """Return the folder that ONE proposes for a server's files."""
    return home_folder() / "Downloads" / "ONE" / server_key(base_url)


def _folder() -> Path:
    windows = os.environ.get("APPDATA") if sys.platform in {"win32", "cygwin"} else None
    return (Path(windows) if windows else home_folder()) / ".one"


def _read(name: str) -> Table:
    file = _folder() / name
    try:
        content: object = parse_json(read_regular_file(file))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        logger.info("ONE's settings in %s cannot be read and were ignored: %s", file, type(error).__name__)
        return {}
    return content if is_table(content) else {}


def _data_server(value: object, alyx_url: str) -> str | None:
    url = _url(value)
    if url is None or "openalyx" not in alyx_url or urlsplit(url).netloc != urlsplit(_PUBLIC_DATA).netloc:
        return url
    # Settings written before the public data moved lack the folder.
    return url if urlsplit(url).path else _PUBLIC_DATA


def _tokens(value: object) -> dict[str, str]:
    tokens: dict[str, str] = {}
    for user, entry in value.items() if is_table(value) else ():
        # ONE stores the server's whole response to the login.
        token = entry.get("token") if is_table(entry) else entry
        if isinstance(token, str):
            tokens[user] = token
    return tokens


def _url(value: object) -> str | None:
    text = _text(value)
    try:
        return normalise_base_url(text) if text else None
    except ValueError:
        # Not logged: a malformed address may contain a password.
        logger.info("ONE's settings contain an invalid address, which was ignored")
        return None


def _text(value: object) -> str | None:
    # What is no text in a request or in a path counts as damaged.
    is_usable = isinstance(value, str) and "\0" not in value and is_encodable(value)
    return value.strip() or None if isinstance(value, str) and is_usable else None
