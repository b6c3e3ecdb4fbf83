"""Clients with a cache, and a server that counts its requests."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from alyx_client import AlyxClient
from alyx_client.http.retry import Retries
from tests.faults import FaultServer, Received, json_response

QUICK = Retries(base=0.001, cap=0.001)


class CountingServer:
    """A server that responds with the number of requests so far, and with the token."""

    def __init__(self, **settings: Any) -> None:
        self.number = 0
        self.server = FaultServer(then=self._respond, **settings)

    def _respond(self, received: Received, connection: socket.socket) -> bool:
        self.number += 1
        body = received.body.decode()
        value = {"n": self.number, "method": received.method, "sender": received.token, "body": body}
        return json_response(value)(received, connection)


def connect(counting_server: CountingServer, folder: Path, token: str = "a", **settings: Any) -> AlyxClient:
    return AlyxClient(counting_server.server.url, token=token, cache_dir=folder, silent=True, retries=QUICK, **settings)


def run_elsewhere(client: AlyxClient, folder: Path, code: str) -> str:
    """Run code in another process, with a client of the same user."""
    prelude = f"from alyx_client import AlyxClient; client = AlyxClient({client.base_url!r}, token='a', "
    prelude += f"cache_dir={str(folder)!r})"
    return subprocess.run(
        [sys.executable, "-c", f"{prelude}\n{code}"], capture_output=True, text=True, check=True
    ).stdout


def cache_file(client: AlyxClient) -> Path:
    return next(client._settings.rest_cache_dir.glob("*.sqlite"))
