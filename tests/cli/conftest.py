"""The command ``alyx`` with a local Alyx, in this process and in others."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from alyx_client.cli.__main__ import main
from alyx_client.testing import LocalAlyx


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture(scope="package")
def alyx() -> Iterator[LocalAlyx]:
    with LocalAlyx() as server:
        yield server


@pytest.fixture
def logged_in(alyx: LocalAlyx, monkeypatch: pytest.MonkeyPatch) -> LocalAlyx:
    monkeypatch.setenv("ALYX_URL", alyx.url)
    monkeypatch.setenv("ALYX_TOKEN", alyx.token("admin"))
    return alyx


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in this process, without a terminal."""
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)

    def run(*arguments: object) -> Result:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        return Result(code, *capfd.readouterr())

    return run


def process(*arguments: object, **options: object) -> subprocess.Popen[str]:
    """Start the command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "alyx_client.cli", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        **options,  # type: ignore[arg-type]
        env={**os.environ, **options.pop("env", {})},  # type: ignore[dict-item]
    )
