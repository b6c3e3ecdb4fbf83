"""The examples of ``docs/guides/command-line.md`` run."""

from __future__ import annotations

import io
import re
import shlex
import sys
from pathlib import Path

import pytest

from alyx_client.testing import LocalAlyx

from .conftest import Result, Run

PAGE = (Path(__file__).parents[2] / "docs" / "guides" / "command-line.md").read_text(encoding="utf-8")
# These print nothing to stdout.
SILENT = ("login", "logout", "delete", "clear", "outbox list")


def test_the_examples_run(alyx: LocalAlyx, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("password.txt").write_text("olivier\n")
    Path("weighings.jsonl").write_text('{"weight": 20.5}\n{"weight": 21}\n')
    username, password = alyx.data_login
    variables = {"URL": alyx.url, "USERNAME": "admin", "PASSWORD": "admin", "DATA_SERVER": alyx.data_url}
    for name, value in (variables | {"DATA_USERNAME": username, "DATA_PASSWORD": password}).items():
        monkeypatch.setenv(f"ALYX_{name}", value)
    lines = re.findall(r"^\$ (alyx .*)$", PAGE, re.MULTILINE)
    assert len(lines) > 20
    for line in lines:
        if line.startswith("alyx login"):
            monkeypatch.delenv("ALYX_USERNAME")
            monkeypatch.delenv("ALYX_PASSWORD")
        result = Result(0, "", "")
        command, _, file = line.partition(" < ")
        for number, part in enumerate(command.split(" | ")):
            stdin = Path(file).read_text() if file else result.out if number else ""
            monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
            result = run(*shlex.split(part)[1:])
        has_output = not any(word in line for word in SILENT) or "--dry-run" in line
        assert (result.code, result.out != "") == (0, has_output), f"{line}: {result.out}{result.err}"
