"""Prompts for logins, and detection of an interactive session."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from alyx_client.auth.credentials import Credentials
from tests.auth.stored_settings import URL, write_one_settings


def test_known_user_is_prompted_for_the_password_only(isolated_settings: Path, terminal: list[str]) -> None:
    write_one_settings(isolated_settings, ALYX_LOGIN="olivier")
    assert Credentials(URL).login() == ("olivier", "typed-password")
    assert Credentials(URL, username="miles").login() == ("miles", "typed-password")
    assert len(terminal) == 2


def test_silent_or_unattended_session_is_not_prompted(terminal: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert Credentials(URL, silent=True).login() is None
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    assert Credentials(URL).login() is None
    monkeypatch.setattr("sys.stdin", None)
    assert Credentials(URL).login() is None
    assert terminal == []


@pytest.mark.parametrize("allow_stdin", [True, False])
def test_notebook_prompts_if_its_kernel_allows_input(
    allow_stdin: bool, terminal: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The part of IPython that tells of the kernel; a real kernel is too much to install for one test.
    shell = SimpleNamespace(kernel=SimpleNamespace(_allow_stdin=allow_stdin))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    assert Credentials(URL).login() == (("typed-user", "typed-password") if allow_stdin else None)


def test_token_without_username_causes_no_prompt(terminal: list[str]) -> None:
    assert Credentials(URL, explicit_token="t").login() is None
    assert terminal == []
