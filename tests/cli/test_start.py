"""The start of the command: what is missing, and what it starts itself."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.abc import MetaPathFinder

import pytest

import alyx_client.cli
from alyx_client.cli.__main__ import main

from .conftest import Result, Run


def stop_import(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    class Finder(MetaPathFinder):
        def find_spec(self, name: str, path: object, target: object = None) -> None:
            if name == "alyx_client.cli.app":
                raise error

    monkeypatch.delitem(sys.modules, "alyx_client.cli.app", raising=False)
    monkeypatch.delattr(alyx_client.cli, "app", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])


def test_ctrl_c_while_it_loads(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stop_import(monkeypatch, KeyboardInterrupt())
    assert main(["list", "labs"]) == 130
    assert capsys.readouterr() == ("", "alyx: interrupted\n")


def test_ctrl_c_while_typer_reads_the_commands(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("alyx_client.cli.app.app", interrupted)
    assert run("list", "labs") == Result(130, "", "alyx: interrupted\n")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full")
@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_that_cannot_be_written(run: Run, monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert run(option) == Result(1, "", "alyx: No space left on device\n")
        full.buffer.raw.close()  # what is left cannot be written either


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX")
def test_closed_streams() -> None:
    """Programs without a terminal, such as those of cron, may start with closed ones."""
    alyx = f'"{sys.executable}" -m alyx_client.cli'
    calls = ("describe >&-", "create subjects --from - <&- 2>&1", "describe x 2>&-")
    code = "; ".join(f"{alyx} {call}; echo $?" for call in calls)
    done = subprocess.run(["sh", "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "0\nalyx: --from: stdin holds no JSON object with the fields\n2\n2\n"
    assert done.stderr == ""


def test_missing_library(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stop_import(monkeypatch, ModuleNotFoundError(name="typer.core"))
    assert main(["list", "labs"]) == 2
    assert 'pip install "alyx-client[cli]"' in capsys.readouterr().err


def test_missing_module_of_ours_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_import(monkeypatch, ModuleNotFoundError(name="alyx_client.gone"))
    with pytest.raises(ModuleNotFoundError):
        main([])


@pytest.mark.skipif(sys.platform == "win32", reason="exec of POSIX")
def test_local_becomes_the_server(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def replace(_: str, words: list[str]) -> None:
        calls.extend(words[1:])
        raise SystemExit(7)  # nothing runs after it

    monkeypatch.setattr(os, "execv", replace)
    words = ["--port", "0", "--schema", "alyx-3.3.1", "--database", "lab.sqlite", "--empty"]
    assert run("local", *words).code == 7
    assert calls == ["-m", "alyx_client.testing", *words]
