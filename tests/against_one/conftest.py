"""Clients of ONE and of this project for the same local Alyx."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient
from alyx_client import webclient as ours
from alyx_client.config import DataServer
from alyx_client.testing import LocalAlyx


@pytest.fixture
def one(local_alyx: LocalAlyx, tmp_path: Path) -> Any:
    importlib.import_module("one.params").setup(
        client=local_alyx.url, silent=True, username="admin", cache_dir=tmp_path / "one"
    )
    client = importlib.import_module("one.webclient").AlyxClient(
        local_alyx.url, "admin", "admin", cache_dir=tmp_path / "one", silent=True
    )
    client._par = client._par.set("HTTP_DATA_SERVER", local_alyx.data_url.rstrip("/"))
    client._par = client._par.set("HTTP_DATA_SERVER_LOGIN", "local").set("HTTP_DATA_SERVER_PWD", "alyx")
    return client


@pytest.fixture
def alyx(local_alyx: LocalAlyx, tmp_path: Path) -> Iterator[AlyxClient]:
    server = DataServer(local_alyx.data_url, "local", "alyx")
    with AlyxClient(
        local_alyx.url, "admin", "admin", cache_dir=tmp_path / "ours", silent=True, data_server=server
    ) as client:
        yield client


@pytest.fixture
def facts(alyx: AlyxClient) -> dict[str, Any]:
    """Return keys of the first session, and the address of the server."""
    session = alyx.rest("sessions", "list")[0]
    return {"session": session["id"], "url": session["url"], "subject": session["subject"], "server": alyx.base_url}


def whole_files(alyx: AlyxClient) -> list[str]:
    """Return the URLs of the files on the data server that need no percent-encoding."""
    files = [file for row in alyx.rest("datasets", "list") for file in row["file_records"] if file["exists"]]
    return [url for url in ours.file_record_to_url(files) if "%" not in url]
