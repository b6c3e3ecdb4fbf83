"""``ONE`` on ONE's own client and on this one, for the same local Alyx."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import alyx_client.one
from alyx_client.testing import LocalAlyx

MakeOne = Callable[..., Any]

# Importing it has installed it, if another module had imported ONE.
alyx_client.one.uninstall()


@pytest.fixture
def new_one(local_alyx: LocalAlyx, tmp_path: Path) -> Iterator[MakeOne]:
    """Return a function that makes an object of ONE, on ONE's own client or on this one."""
    api = importlib.import_module("one.api")

    def make(client: str, user: str = "admin", **settings: Any) -> Any:
        # Each client begins without tokens and settings of the other.
        shutil.rmtree(Path.home() / ".one", ignore_errors=True)
        alyx_client.one.uninstall()
        if client == "ours":
            alyx_client.one.install()
        defaults = {"cache_dir": tmp_path / client, "silent": True, "base_url": local_alyx.url}
        one = api.ONE(username=user, password=user, **defaults | settings)
        one.alyx._par = (
            one.alyx._par.set("HTTP_DATA_SERVER", local_alyx.data_url.rstrip("/"))
            .set("HTTP_DATA_SERVER_LOGIN", "local")
            .set("HTTP_DATA_SERVER_PWD", "alyx")
        )
        return one

    yield make
    alyx_client.one.uninstall()


@pytest.fixture
def one(new_one: MakeOne) -> Any:
    """Return an object of ONE on this client."""
    return new_one("ours")
