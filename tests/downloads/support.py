"""Helpers of the tests of downloads."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from alyx_client.downloads.addresses import Login
from alyx_client.downloads.data_servers import DataServers
from alyx_client.downloads.downloader import Downloader
from alyx_client.errors import NotFoundError
from alyx_client.http.retry import Retries
from tests.download_faults import content
from tests.faults import FaultServer

QUICK = Retries(base=0.001, cap=0.001)
BODY = content(100_000)
MD5 = hashlib.md5(BODY, usedforsecurity=False).hexdigest()
MIB = 2**20
ROOT = Path(__file__).parents[2]  # for imports of scripts in other processes


def downloader(
    server: FaultServer | str | Sequence[Login],
    folder: Path,
    *,
    base_url: str | None = None,
    token: Callable[[], Mapping[str, str]] | None = None,
    **settings: Any,
) -> Downloader:
    """Return a downloader for one data server, or for several with their logins."""
    if isinstance(server, Sequence) and not isinstance(server, str):
        logins: Sequence[Login] = server
    else:
        logins = [Login(server if isinstance(server, str) else server.url)]
    servers = DataServers(logins, base_url=base_url, token=token)
    return Downloader(servers, folder=folder, **{"retries": QUICK, "silent": True, **settings})


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def interrupted(server: FaultServer, folder: Path, name: str = "a.npy") -> None:
    """Leave a part of the file behind."""
    with pytest.raises(NotFoundError):
        downloader(server, folder).download(name)


def run(script: str, *arguments: object, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


FETCH = """
    import sys
    from alyx_client.downloads.functions import http_download_file
    print(http_download_file(sys.argv[1], target_dir=sys.argv[2], return_md5=True)[1])
"""


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def size_of(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0
