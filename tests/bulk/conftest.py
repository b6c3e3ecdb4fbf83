"""Fixtures of the tests of calls for many records: a local Alyx, and both clients behind one blocking interface."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, Protocol

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.http.retry import Retries
from alyx_client.testing import LocalAlyx

QUICK = Retries(base=0.001, cap=0.001)


class Many(Protocol):
    """Calls a method for many records: ``many(url, "labs.read_many", keys)``."""

    is_async: bool

    def __call__(
        self, url: str, method: str, *args: Any, _settings: dict[str, Any] | None = None, **options: Any
    ) -> Any: ...


class _Sync:
    is_async = False

    def __call__(
        self, url: str, method: str, *args: Any, _settings: dict[str, Any] | None = None, **options: Any
    ) -> Any:
        endpoint, _, name = method.partition(".")
        with AlyxClient(url, **_with_defaults(_settings)) as client:
            return getattr(getattr(client, endpoint), name)(*args, **options)


class _Async:
    is_async = True

    def __call__(
        self, url: str, method: str, *args: Any, _settings: dict[str, Any] | None = None, **options: Any
    ) -> Any:
        endpoint, _, name = method.partition(".")

        async def run() -> Any:
            async with AsyncAlyxClient(url, **_with_defaults(_settings)) as client:
                return await getattr(getattr(client, endpoint), name)(*args, **options)

        return asyncio.run(run())


def _with_defaults(settings: dict[str, Any] | None) -> dict[str, Any]:
    return {"token": "t", "cache_rest": None, "retries": QUICK, **(settings or {})}


@pytest.fixture(scope="module")
def alyx() -> Iterator[LocalAlyx]:
    with LocalAlyx() as server:
        yield server


@pytest.fixture
def client(alyx: LocalAlyx) -> Iterator[AlyxClient]:
    with AlyxClient(alyx.url, "olivier", "olivier", cache_rest=None) as client:
        yield client


@pytest.fixture(params=[_Sync, _Async], ids=["sync", "async"])
def many(request: pytest.FixtureRequest) -> Many:
    return request.param()
