"""Settings files for the tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from alyx_client.config import DataServer, Settings, servers_file
from alyx_client.storage.file_system import user_label

URL = "https://alyx.example.org"
OTHER = "https://other.example.org"
DATA = "https://data.example.org/public"
HOSTILE = [
    "",
    "plain",
    'say "hi"',
    "it's",
    '"""',
    "back\\slash \\u0041 \\",
    "C:\\Users\\Ana María\\neuro\\x86",
    "line\nbreak\r\n\ttab",
    "\x00\x01\x1f\x7f\x80\x9f",
    "ä ß 漢字 🐭 e\u0301",
    "\u2028\u2029\u200e\ufeff",
    "# no comment",
    "[servers]",
    "a = 1",
    "{x}",
]


def write_toml(text: str) -> Path:
    file = servers_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())
    return file


def write_one(home: Path, default: bool = True, cache: str | None = "/data/one", **values: object) -> list[Path]:
    folder = home / ".one"
    folder.mkdir(exist_ok=True)
    caches: dict[str, object] = {"CLIENT_MAP": {"alyx.example.org": cache} if cache else {}}
    if default:
        caches["DEFAULT"] = "alyx.example.org"
    (folder / ".caches").write_text(json.dumps(caches))
    (folder / ".alyx.example.org").write_text(json.dumps({"ALYX_URL": URL, **values}))
    return sorted(folder.iterdir())


def everything_below(folder: Path) -> dict[Path, tuple[bytes, int]]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in files}


def settings_of(**changes: Any) -> Settings:
    values: dict[str, Any] = {
        "base_url": URL,
        "username": "olivier",
        "data_servers": (DataServer(DATA, "ibl"),),
        "cache_dir": Path.home() / "data",
        "rest_cache_dir": Path.home() / "data" / f".rest-{user_label()}",
    }
    return Settings(**{**values, **changes})
