"""Fixtures of the calls by name: every test runs with both clients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from alyx_client.testing import LocalAlyx

from .clients import Async, Sync


@pytest.fixture(params=[Sync, Async], ids=["sync", "async"])
def connect(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    clients: list[Any] = []

    def make(url: str, **settings: Any) -> Any:
        clients.append(request.param(url, **settings))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def alyx(connect: Callable[..., Any], local_alyx: LocalAlyx) -> Any:
    return connect(local_alyx.url, token=local_alyx.token())


@pytest.fixture
def session(alyx: Any) -> str:
    return str(alyx.rest("sessions", "list")[0]["id"])
