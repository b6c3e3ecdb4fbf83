"""Both clients behind one interface, and servers that know tokens, for tests of logins."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.http.retry import Retries
from tests import faults
from tests.faults import FaultServer, Received, json_response

QUICK_RETRIES = Retries(base=0.001, cap=0.001)
NO_SUCH_PAGE = faults.html_response(404, "Not Found")


class Sync:
    """The synchronous client, with calls by name, as the tests make them on both."""

    def __init__(self, url: str | None, **settings: Any) -> None:
        self.client: Any = AlyxClient(url, **{"retries": QUICK_RETRIES, "silent": True, **settings})

    def __call__(self, name: str, *args: Any, **settings: Any) -> Any:
        return getattr(self.client, name)(*args, **settings)

    def close(self) -> None:
        self.client.close()


class Async:
    """The asynchronous client, with each call run to completion."""

    def __init__(self, url: str | None, **settings: Any) -> None:
        self.client: Any = AsyncAlyxClient(url, **{"retries": QUICK_RETRIES, "silent": True, **settings})
        self._runner = asyncio.Runner()

    def __call__(self, name: str, *args: Any, **settings: Any) -> Any:
        async def run() -> Any:
            return await getattr(self.client, name)(*args, **settings)

        return self._runner.run(run())

    def close(self) -> None:
        self._runner.run(self.client.aclose())
        self._runner.close()


Connect = Callable[..., Any]


def by_token(owners: dict[str, object]) -> faults.Step:
    """Respond by token, and to unknown tokens as Alyx does."""

    def step(request: Received, connection: socket.socket) -> bool:
        if request.token not in owners:
            return faults.stale_token()(request, connection)
        return json_response(owners[request.token])(request, connection)

    return step


def newer_alyx(owners: dict[str, str], **routes: Any) -> FaultServer:
    """Serve ``/me``, which reports the owner of the token."""
    me = by_token({token: {"username": name} for token, name in owners.items()})
    rows = by_token({key: {"count": 0, "next": None, "previous": None, "results": []} for key in owners})
    return FaultServer(routes={"/me": [me] * 20, **routes}, then=rows)


def older_alyx(*script: faults.Step, **settings: Any) -> FaultServer:
    """Serve no ``/me``."""
    return FaultServer(script, routes={"/me": [NO_SUCH_PAGE] * 20}, **settings)
