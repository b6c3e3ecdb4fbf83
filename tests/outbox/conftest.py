"""Fixtures of the tests of the outbox: a local Alyx that can be out of reach, behind a client of either kind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.http.retry import Retries
from alyx_client.testing import LocalAlyx

QUICK = Retries(base=0.001, cap=0.001)


class Rig:
    """A client whose server can be cut off: its writes, one after the other, and what the server then has."""

    def __init__(self, alyx: LocalAlyx, *, is_async: bool = False) -> None:
        self.alyx = alyx
        self.is_async = is_async

    def options(self, **settings: Any) -> dict[str, Any]:
        """Return the arguments of a client."""
        return {**_LOGIN, "cache_rest": None, "retries": QUICK, **settings}

    def client(self, **settings: Any) -> AlyxClient:
        return AlyxClient(self.alyx.url, **self.options(**settings))

    def write(
        self, method: str, *args: Any, offline: bool = False, send_outbox: bool | None = None, **keywords: Any
    ) -> Any:
        """Write with a client of this kind."""
        endpoint, _, name = method.partition(".")
        settings = self.options(offline=offline, send_outbox=send_outbox)
        if not self.is_async:
            with AlyxClient(self.alyx.url, **settings) as client:
                return client.outbox.write(getattr(getattr(client, endpoint), name), *args, **keywords)

        async def run() -> Any:
            async with AsyncAlyxClient(self.alyx.url, **settings) as client:
                return await client.outbox.write(getattr(getattr(client, endpoint), name), *args, **keywords)

        return asyncio.run(run())

    def send(self) -> Any:
        """Send with a client of this kind."""
        if not self.is_async:
            with self.client() as client:
                return client.outbox.send()

        async def run() -> Any:
            async with AsyncAlyxClient(self.alyx.url, **_LOGIN, cache_rest=None, retries=QUICK) as client:
                return await client.outbox.send()

        return asyncio.run(run())

    def count(self, path: str, method: str = "POST") -> int:
        """Return how often a path was requested."""
        return sum(request.method == method and request.path == path for request in self.alyx.requests)

    def labs(self) -> list[str]:
        """Return the names of the labs that tests have created, one for each that the server has."""
        with self.client() as client:
            return sorted({lab.name for lab in client.labs.list()} - {"attic", "cortexlab", "hillside"})


_LOGIN: dict[str, Any] = {"username": "olivier", "password": "olivier"}


@pytest.fixture(scope="session")
def server() -> Iterator[LocalAlyx]:
    with LocalAlyx() as server:
        yield server


@pytest.fixture
def alyx(server: LocalAlyx) -> Iterator[LocalAlyx]:
    server.reset()
    yield server
    server.faults.clear()


@pytest.fixture
def rig(alyx: LocalAlyx) -> Rig:
    return Rig(alyx)


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def any_rig(request: pytest.FixtureRequest, alyx: LocalAlyx) -> Rig:
    return Rig(alyx, is_async=request.param)
