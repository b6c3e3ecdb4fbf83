"""Settings and tokens as they are stored in the home folder of a test."""

from __future__ import annotations

import json
from pathlib import Path

from alyx_client.config.servers_toml import servers_file

URL = "https://alyx.example.org"


def write_one_settings(home: Path, name: str = ".alyx.example.org", **settings: object) -> None:
    folder = home / ".one"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps({"ALYX_URL": URL, **settings}))


def token_files(home: Path) -> list[Path]:
    return [file for file in home.rglob("*") if file.is_file() and "tokens" in file.parts]


def enable_keyring() -> None:
    servers_file().parent.mkdir(parents=True, exist_ok=True)
    servers_file().write_text(f'[servers."{URL}"]\nkeyring = true\n')


def stored_tokens(home: Path) -> str:
    """Return the content of all token files."""
    return "".join(file.read_text() for file in token_files(home))
