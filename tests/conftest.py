from __future__ import annotations

import os
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--server",
        choices=["local", "live", "record"],
        help="run the contract tests against the local Alyx alone, or the Alyx at ALYX_URL; record: keep the exchanges",
    )


@pytest.fixture(autouse=True)
def isolated_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test from the developer's real settings, tokens and caches; returns the home folder it sees.

    Fixtures of a wider scope run before it: those of live tests read the real environment there.
    """
    # A type checker started by a test keeps the Node.js that it has already.
    tools = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    monkeypatch.setenv(
        "PYRIGHT_PYTHON_CACHE_DIR", os.environ.get("PYRIGHT_PYTHON_CACHE_DIR") or f"{tools}/pyright-python"
    )
    home = tmp_path / "home"
    home.mkdir()
    for name in [name for name in os.environ if name.startswith("ALYX_")]:
        monkeypatch.delenv(name)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    for name, folder in {
        "APPDATA": "AppData/Roaming",
        "LOCALAPPDATA": "AppData/Local",
        "XDG_CONFIG_HOME": ".config",
        "XDG_CACHE_HOME": ".cache",
        "XDG_DATA_HOME": ".local/share",
    }.items():
        monkeypatch.setenv(name, str(home / folder))
    return home
