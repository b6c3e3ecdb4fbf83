"""The command at a terminal: prompts, Ctrl-C, widths and progress."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from alyx_client.client import BaseClient
from alyx_client.testing import LocalAlyx

from .conftest import Result, Run
from .test_outbox import waiting

__all__ = ["waiting"]


class Terminal(io.StringIO):
    """What is typed at a terminal; then Ctrl-D."""

    def isatty(self) -> bool:
        return True


def show(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take stdout and stderr for a terminal of 60 columns; each phase of a test has its own."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(text))


ANSWERS = [("n\n", 1, "nothing was deleted"), ("\n", 1, "nothing was deleted"), ("", 130, "alyx: interrupted")]


@pytest.mark.parametrize(("text", "code", "message"), ANSWERS)
def test_nothing_is_deleted_without_consent(
    logged_in: LocalAlyx, run: Run, monkeypatch: pytest.MonkeyPatch, text: str, code: int, message: str
) -> None:
    typed(monkeypatch, text)
    result = run("delete", "subjects", "flowers")
    assert (result.code, result.out.strip()) == (code, "")  # the prompt ends with a space there
    assert result.err.splitlines()[-1].endswith(message)
    assert run("get", "subjects", "flowers").code == 0


def test_consent_deletes(logged_in: LocalAlyx, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("create", "subjects", "--nickname", "asked", "--lab", "cortexlab")
    typed(monkeypatch, "y\n")
    result = run("delete", "subjects", "asked")
    assert f"Delete asked of subjects at {logged_in.url}?" in result.err
    assert (result.code, run("get", "subjects", "asked").code) == (0, 3)


def test_writes_that_wait(waiting: None, logged_in: LocalAlyx, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    show(monkeypatch)
    typed(monkeypatch, "n\n")
    refused = run("outbox", "drop", 1, 2)
    assert (refused.code, "nothing was dropped" in refused.err) == (1, True)
    typed(monkeypatch, "y\n")
    dropped = run("outbox", "drop", 1, 2)
    assert [json.loads(line)["number"] for line in dropped.out.strip().splitlines()] == [1, 2]
    assert run("outbox", "list") == Result(0, "", "no writes wait\n")


def test_ctrl_c(logged_in: LocalAlyx, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("alyx_client.cli.records.print_rows", interrupted)
    assert run("list", "labs") == Result(130, "", "alyx: interrupted\n")


@pytest.mark.parametrize("words", [(), ("cache",), ("outbox",)])
def test_no_command_shows_help(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words)
    assert result.code == 2
    assert "Commands:" in result.out + result.err


def test_setup_prompts(logged_in: LocalAlyx, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(BaseClient, "setup", classmethod(lambda _, url, **others: calls.append((url, others))))
    typed(monkeypatch, "")
    assert run("login", "https://alyx.example.org", "--setup", "-u", "me").code == 0
    assert calls == [("https://alyx.example.org", {"username": "me"})]
    assert "not both" in run("login", "--password-stdin", "--token-stdin").err


def test_whoami_offline(logged_in: LocalAlyx, run: Run) -> None:
    before = len(logged_in.requests)
    assert run("--offline", "whoami").out.endswith(f" at {logged_in.url}\n")
    assert len(logged_in.requests) == before


def test_widths(logged_in: LocalAlyx, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    show(monkeypatch)
    assert max(map(len, run("describe").out.splitlines())) <= 60
    assert max(map(len, run("describe", "weighings").out.splitlines())) <= 60


def test_tables(logged_in: LocalAlyx, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    show(monkeypatch)
    assert run("list", "labs", "--name", "nowhere") == Result(0, "", "no records match\n")
    monkeypatch.setattr("alyx_client.cli.output.TABLE_ROWS", 5)
    many = run("list", "datasets", "--columns", "name")
    assert len(many.out.splitlines()) == 6
    assert many.err.startswith("5 of ")
    dataset = json.loads(run("list", "datasets", "--max", 1, "--format", "jsonl").out)
    nested = run("get", "sessions", dataset["session"])
    assert " records" in nested.out
    assert nested.err == "--format json shows nested records\n"
    assert run("get", "labs", "cortexlab", "--format", "json").out.startswith('{\n  "')


def test_progress_is_shown_for_files(
    logged_in: LocalAlyx, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    show(monkeypatch)
    assert "rows" in run("list", "labs", "-o", tmp_path / "labs.csv").err
    assert run("--silent", "list", "labs", "-o", tmp_path / "labs.jsonl").err == ""


def test_pyarrow_is_named_where_it_is_missing(
    logged_in: LocalAlyx, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = run("list", "labs", "-o", tmp_path / "labs.parquet")
    assert (result.code, 'pip install "alyx-client[arrow]"' in result.err) == (2, True)
