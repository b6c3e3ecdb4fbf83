"""Completion, in this process and in real shells."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import Run

WORDS = [
    ("alyx list water-t", ["water-type"]),
    ("alyx list sessions --su", ["--subject"]),
    ("alyx list subjects --sex ", ["F", "M", "U"]),
    ("alyx create subjects --nick", ["--nickname"]),
    ("alyx list sessions --columns nu", ["number"]),
    ("alyx list sessions --columns id,nu", ["id,number"]),
    ("alyx get subjects KS023 --columns nick", ["nickname"]),
    ("alyx list sessions --where nu", ["number"]),
    ("alyx list sessions -w subject.lab.na", ["subject.lab.name"]),
    ('alyx list sessions --where "number > 1 and subject.nick', ["number > 1 and subject.nickname"]),
    ("""alyx list sessions --where "lab.name == 'nu""", []),
    ("alyx list sessions --where nofield.x", []),
    ("alyx list nowhere --columns x", []),
    ("alyx --url http://127.0.0.1:8000 list water-t", ["water-type"]),
]


@pytest.mark.parametrize(("line", "expected"), WORDS, ids=[line for line, _ in WORDS])
def test_words(run: Run, monkeypatch: pytest.MonkeyPatch, line: str, expected: list[str]) -> None:
    monkeypatch.setenv("_ALYX_COMPLETE", "complete_fish")
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", line)
    assert [one.partition("\t")[0] for one in run().out.split("\n") if one] == expected


SPLIT = [
    (["alyx", "--url", "http", ":", "//127.0.0.1", ":", "8000", "list", "water-t"], 8, ["water-type"]),
    (["alyx", "list", "subjects", "--lab", "=", "cortexlab", "--se"], 6, ["--sex"]),
]


@pytest.mark.parametrize(("words", "place", "expected"), SPLIT)
def test_words_that_bash_splits(
    run: Run, monkeypatch: pytest.MonkeyPatch, words: list[str], place: int, expected: list[str]
) -> None:
    monkeypatch.setenv("_ALYX_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "\n".join(words))
    monkeypatch.setenv("COMP_CWORD", str(place))
    assert run().out.splitlines() == expected


def script_of(shell: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the command on the path, and return the script that it prints for a shell."""
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    program = folder / "bin" / "alyx"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m alyx_client.cli "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    text = subprocess.run(["alyx", "--show-completion", shell], capture_output=True, text=True, check=True).stdout
    script = folder / f"completion.{shell}"
    script.write_text(text)
    return script


def test_bash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = script_of("bash", tmp_path, monkeypatch)
    code = (
        f". {script}; COMP_WORDS=(alyx list sessions --where '\"number > 1 and subject.nick'); COMP_CWORD=4; "
        '_alyx_completion alyx; printf "%s\\n" "${COMPREPLY[@]}"; complete -p alyx'
    )
    lines = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines == ["number > 1 and subject.nickname", "complete -o default -F _alyx_completion alyx"]


def test_fish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = script_of("fish", tmp_path, monkeypatch)
    monkeypatch.setenv("TERM", "xterm")
    code = f"source {script}; complete -C 'alyx list sessions --columns id,nu'"
    shown = subprocess.run(["fish", "--no-config", "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.startswith("id,number\t")


def test_zsh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = script_of("zsh", tmp_path, monkeypatch)
    import pty

    leader, follower = pty.openpty()
    monkeypatch.setenv("TERM", "dumb")
    shell = subprocess.Popen(["zsh", "-f", "-i"], stdin=follower, stdout=follower, stderr=follower, close_fds=True)
    os.close(follower)
    try:
        # `compdef` comes with compinit, as in the file that --install-completion writes.
        os.write(leader, f"PS1=; autoload -U compinit; compinit -D -u; source {script}; echo rea''dy\n".encode())
        wait_for(leader, "ready")
        os.write(leader, b"alyx list sessions --columns id,nu\t\n")
        wait_for(leader, "number")
    finally:
        shell.kill()
        shell.wait()
        os.close(leader)


def wait_for(terminal: int, text: str) -> None:
    """Read from a terminal until a text is there."""
    shown = ""
    for _ in range(600):
        if select.select([terminal], [], [], 0.1)[0]:
            shown += os.read(terminal, 65536).decode(errors="replace")
        if text in shown:
            return
        time.sleep(0.01)
    raise AssertionError(shown)


@pytest.mark.parametrize("shell", ["powershell", "pwsh"])
def test_powershell(run: Run, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    """No shell runs it here: what it registers, and the reply that it splits."""
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    script = run("--show-completion", shell).out
    assert "Register-ArgumentCompleter -Native -CommandName alyx -ScriptBlock $scriptblock" in script
    assert script.count("{") == script.count("}")
    monkeypatch.setenv("_ALYX_COMPLETE", f"complete_{shell}")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "alyx list water-t")
    monkeypatch.setenv("_TYPER_COMPLETE_WORD_TO_COMPLETE", "water-t")
    name, separator, text = run().out.rstrip("\n").partition(":::")
    assert (name, separator, text != "") == ("water-type", ":::", True)
