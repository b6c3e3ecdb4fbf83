"""The examples of ``docs/command-line.md`` run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from alyx_client.testing import LocalAlyx

from .conftest import Run

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")


def test_the_examples_run(logged_in: LocalAlyx, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^\$ (alyx .*)$", PAGE, re.MULTILINE)
    assert commands
    for command in commands:
        result = run(*shlex.split(command)[1:])
        assert (result.code, result.out != "") == (0, True), f"{command}: {result.err}"
