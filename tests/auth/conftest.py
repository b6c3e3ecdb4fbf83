from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from alyx_client.testing import LocalAlyx
from tests.auth.clients import Async, Connect, Sync


@pytest.fixture(params=[Sync, Async])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Make clients, of one kind after the other; they are closed at the end."""
    clients: list[Any] = []

    def make(url: str | None, **settings: Any) -> Any:
        clients.append(request.param(url, **settings))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def alyx() -> Iterator[LocalAlyx]:
    with LocalAlyx() as server:
        yield server


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Simulate a user at a terminal who enters "typed-user" and "typed-password"; returns the prompts shown."""
    prompts: list[str] = []

    def reply(prompt: str, text: str) -> str:
        prompts.append(prompt)
        return text

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda prompt: reply(prompt, "typed-user"))
    monkeypatch.setattr("getpass.getpass", lambda prompt: reply(prompt, "typed-password"))
    return prompts


@pytest.fixture
def replies(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Simulate a user at a terminal who enters what the test puts into the list."""
    texts: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda prompt: texts.pop(0))
    monkeypatch.setattr("getpass.getpass", lambda prompt: texts.pop(0))
    return texts
