"""What ONE has stored about servers in ``~/.one``; read, never written."""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from alyx_client.http.log import logger
from alyx_client.http.url import normalise_base_url, same_origin

_PUBLIC_DATA = "https://ibl.flatironinstitute.org/public"


@dataclass(frozen=True, slots=True)
class OneServer:
    """What ONE knows of one server.

    Parameters
    ----------
    login, password
        The user and, rarely, the password.
    tokens
        Tokens by user, not validated.
    data_server, data_login, data_password
        Where data files come from.
    """

    login: str | None = None
    password: str | None = field(default=None, repr=False)
    tokens: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    data_server: str | None = None
    data_login: str | None = None
    data_password: str | None = field(default=None, repr=False)


def server_key(base_url: str) -> str:
    """Return the name that ONE gives a server in its files and folders: ``alyx.example.org``, ``x.org_8443_main``."""
    parts = urlsplit(base_url)
    name = unicodedata.normalize("NFKC", f"{parts.netloc}{parts.path}").strip("/").lower()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^.\w\s-]", "_", name))


def server(base_url: str) -> OneServer:
    """Read what ONE has stored for a server; what is missing or damaged is None.

    Parameters
    ----------
    base_url
        The server, in its normal form.
    """
    content = _read(f".{server_key(base_url)}")
    url = _url(content.get("ALYX_URL"))
    # ONE's file name leaves the scheme out; a token made over https must not go out over http.
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
    # The key becomes a file's name, which must not lead out of the folder.
    return _url(_read(f".{key}").get("ALYX_URL")) if key and re.fullmatch(r"[\w.-]+", key) else None


def cache_dir(base_url: str) -> Path | None:
    """Return the folder that ONE downloads a server's files to."""
    folders = _map(_read(".caches").get("CLIENT_MAP"))
    folder = _text(folders.get(server_key(base_url)))
    return Path(folder).expanduser() if folder else None


def default_cache_dir(base_url: str) -> Path:
    """Return the folder that ONE proposes for a server's files."""
    return Path.home() / "Downloads" / "ONE" / server_key(base_url)


def _folder() -> Path:
    windows = os.environ.get("APPDATA") if sys.platform in {"win32", "cygwin"} else None
    return (Path(windows) if windows else Path.home()) / ".one"


def _read(name: str) -> Mapping[str, object]:
    file = _folder() / name
    try:
        content: object = json.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        logger.info("ONE's settings in %s cannot be read and were passed over: %s", file, type(error).__name__)
        return {}
    return _map(content)


def _data_server(value: object, url: str) -> str | None:
    address = _url(value)
    # Settings made before the public data moved lack the folder.
    moved = address is not None and "openalyx" in url and urlsplit(address).netloc == urlsplit(_PUBLIC_DATA).netloc
    return _PUBLIC_DATA if moved and not urlsplit(address or "").path else address


def _tokens(value: object) -> dict[str, str]:
    entries = {user: _map(entry).get("token", entry) for user, entry in _map(value).items()}
    return {user: token for user, token in entries.items() if isinstance(token, str)}


def _url(value: object) -> str | None:
    text = _text(value)
    try:
        return normalise_base_url(text) if text else None
    except ValueError:
        logger.info("ONE's settings hold an address that is none; it was passed over")
        return None


def _map(value: object) -> Mapping[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None
