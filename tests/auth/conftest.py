from __future__ import annotations

import pytest


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
