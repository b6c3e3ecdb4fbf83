from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--server",
        choices=["local", "live", "record"],
        help="run the contract tests against the local Alyx only, or the Alyx at ALYX_URL; record: save the exchanges",
    )
    parser.addoption(
        "--beside-writers",
        type=float,
        default=10.0,
        metavar="SECONDS",
        help="with --server=live: how long lists are read while others write",
    )
    parser.addoption(
        "--every-comparison",
        action="store_true",
        help="with --server=live: send every comparison of every field, some 10,000 requests, not one in twenty",
    )


def pytest_configure() -> None:
    # Jobs in the background start with SIGINT ignored, and so would the programs that tests interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def isolated_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Isolate every test from the developer's settings, tokens and caches; return its home folder.

    Fixtures of a wider scope run earlier, so those of live tests still read the real environment.
    """
    # Type checkers started by tests use the Node.js that is already installed.
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
