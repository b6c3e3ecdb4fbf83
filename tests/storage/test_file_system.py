"""Folders of users, and file systems that other computers use, too."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from alyx_client.storage.file_system import home_folder, user_folder

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")


@posix
@pytest.mark.parametrize("home", ["", "relative/home", None])
def test_without_a_home_nothing_can_be_created(monkeypatch: pytest.MonkeyPatch, home: str | None) -> None:
    import pwd

    def unknown(uid: int) -> None:
        raise KeyError(uid)

    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    if home is None:
        monkeypatch.delenv("HOME")
        monkeypatch.setattr(pwd, "getpwuid", unknown)
    else:
        monkeypatch.setenv("HOME", home)
    assert home_folder() == Path(os.devnull)
    for kind in ("cache", "config", "data"):
        with pytest.raises(OSError, match=os.devnull):
            user_folder(kind).mkdir(parents=True)
