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
    ("alyx list nowhere --where x", []),
    ("alyx list nowhere --whe", ["--where"]),
    ("alyx list nowhere --sex ", []),
    ("alyx list tags --where na", []),
    ("alyx list sessions ", []),
    ("alyx list sessions -w", ["-w"]),
    ("alyx list subjects --nosuch ", []),
    ("alyx --package nowhere list x", []),
    ("alyx get water-requirement flowers --sta", ["--start-date"]),
    ("alyx update subjects flowers --sex ", ["M", "F", "U"]),
    ("alyx update surgeries x --outc", ["--outcome-type"]),
    ("alyx create notes --ima", ["--image"]),
    ("alyx --url http://127.0.0.1:8000 list water-t", ["water-type"]),
]


@pytest.mark.parametrize(("line", "expected"), WORDS, ids=[line for line, _ in WORDS])
def test_words(run: Run, monkeypatch: pytest.MonkeyPatch, line: str, expected: list[str]) -> None:
    monkeypatch.setenv("_ALYX_COMPLETE", "complete_fish")
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", line)
    assert [one.partition("\t")[0] for one in run().out.split("\n") if one] == expected


@pytest.mark.parametrize("shell", ["fish", "powershell", "zsh"])
def test_completions_are_one_line_each(run: Run, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    """Also those with long descriptions, in a narrow terminal."""
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setenv("_ALYX_COMPLETE", f"complete_{shell}")
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "alyx list sessions --")
    monkeypatch.setenv("_TYPER_COMPLETE_WORD_TO_COMPLETE", "--")
    lines = run().out.splitlines()
    assert len(lines) > 40
    assert all("--" in line.split("\t")[0].split(":::")[0] for line in lines)


def test_descriptions_of_a_package_are_no_markup(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "lab_with_markup"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "client.py").write_text(
        "from .things import Things\nclass Client(BaseClient):\n    def things(self) -> Things:\n"
        '        """Things [/bold] in [red]\n        colours."""\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("_ALYX_COMPLETE", "complete_fish")
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "alyx --package lab_with_markup list ")
    assert run().out == "things\tThings (/bold) in (red) colours.\n"


SPLIT = [
    (["alyx", "--url", "http", ":", "//127.0.0.1", ":", "8000", "list", "water-t"], 8, ["water-type"]),
    (["alyx", "list", "subjects", "--lab", "=", "cortexlab", "--se"], 6, ["--sex"]),
    (["alyx", "list", "water-t"], 2, ["water-type"]),
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
        pytest.skip(f"no {shell} is on the path")
    program = folder / "bin" / ("alyx.cmd" if sys.platform == "win32" else "alyx")
    program.parent.mkdir()
    call = f'"{sys.executable}" -m alyx_client.cli'
    program.write_text(f"@{call} %*\n" if sys.platform == "win32" else f'#!/bin/sh\nexec {call} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    show = [sys.executable, "-m", "alyx_client.cli", "--show-completion", shell]
    script = folder / f"completion.{'ps1' if shell in ('pwsh', 'powershell') else shell}"
    script.write_text(subprocess.run(show, capture_output=True, text=True, check=True).stdout)
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


# The command as PowerShell writes it, without a space at its end, and the word at the cursor: of names with commas
# between them, which are an array in PowerShell, the last.
POWERSHELL = [
    ("alyx list water-t", "water-t", ["water-type"]),
    ("alyx describe", "", ["brain-regions", "sessions", "water-type"]),
    ("alyx --url http://127.0.0.1:8000 list water-t", "water-t", ["water-type"]),
    ("alyx list sessions --su", "--su", ["--subject"]),
    ("alyx list sessions --whe", "--whe", ["--where"]),
    ("alyx list subjects --sex", "", ["F", "M", "U"]),
    ("alyx list sessions --columns id,nu", "nu", ["number"]),
    ("alyx list sessions --where nu", "nu", ["number"]),
    ("alyx list sessions --where subject.lab.na", "subject.lab.na", ["subject.lab.name"]),
    ("alyx list sessions --lab 'cortex lab' --su", "--su", ["--subject"]),
    ('alyx list sessions --where "number > 1" --su', "--su", ["--subject"]),
    ("alyx list sessions --where \"lab.name == 'nu", "\"lab.name == 'nu", []),
    ('alyx list sessions --where "number > 1 and nu', '"number > 1 and nu', []),
]


@pytest.mark.parametrize("shell", ["powershell", "pwsh"])
@pytest.mark.parametrize(("line", "word", "expected"), POWERSHELL, ids=[line for line, _, _ in POWERSHELL])
def test_replies_to_powershell(
    run: Run, monkeypatch: pytest.MonkeyPatch, shell: str, line: str, word: str, expected: list[str]
) -> None:
    monkeypatch.setenv("_ALYX_COMPLETE", f"complete_{shell}")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", line)
    monkeypatch.setenv("_TYPER_COMPLETE_WORD_TO_COMPLETE", word)
    result = run()
    replies = [reply.split(":::") for reply in result.out.splitlines() if reply]
    names = [name for name, _ in replies]
    assert names == expected or (not word and set(expected) <= set(names))
    # PowerShell refuses completions without a name or a description.
    assert all(name and description for name, description in replies)
    assert result.err == ""


def test_replies_have_colons_in_descriptions(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_ALYX_COMPLETE", "complete_powershell")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "alyx list sess")
    monkeypatch.setenv("_TYPER_COMPLETE_WORD_TO_COMPLETE", "sess")
    assert run().out == "sessions:::Sessions: experiments or training with a subject.\n"


def test_powershell_script(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    scripts = {run("--show-completion", shell).out for shell in ("powershell", "pwsh")}
    assert len(scripts) == 1
    (script,) = scripts
    assert "Register-ArgumentCompleter -Native -CommandName alyx -ScriptBlock $scriptblock" in script
    assert script.count("{") == script.count("}")
    for name in ("_ALYX_COMPLETE", "_TYPER_COMPLETE_ARGS", "_TYPER_COMPLETE_WORD_TO_COMPLETE"):
        assert f'$Env:{name} = ""' in script  # or the next command of the shell would be taken for a completion


TYPED = [
    ("alyx list water-t", ["water-type"]),
    ("alyx list sessions --su", ["--subject"]),
    ("alyx list subjects --sex ", ["F", "M", "U"]),
    ("alyx list sessions --columns nu", ["number"]),
    ("alyx list sessions --lab 'cortex lab' --su", ["--subject"]),
]


@pytest.mark.parametrize("shell", ["pwsh", "powershell"])
def test_powershell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    """One process completes all lines, as the tabulator key would."""
    script = script_of(shell, tmp_path, monkeypatch)
    # What another version of PowerShell has set there hides the modules of this one.
    monkeypatch.delenv("PSModulePath", raising=False)
    lines = ", ".join(f"'{line.replace(chr(39), chr(39) * 2)}'" for line, _ in TYPED)
    driver = tmp_path / "complete.ps1"
    driver.write_text(
        # Without a console, the key cannot be bound, which is an error that ends nothing.
        f"$ErrorActionPreference = 'Continue'\n. '{script}'\nforeach ($line in @({lines})) {{\n"
        "    $reply = [System.Management.Automation.CommandCompletion]::CompleteInput($line, $line.Length, $null)\n"
        '    foreach ($match in $reply.CompletionMatches) { Write-Output "$line|$($match.CompletionText)" }\n'
        "}\n"
    )
    command = [shell, "-NoLogo", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File", str(driver)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=240)
    shown = [line.rpartition("|") for line in done.stdout.splitlines()]
    completed = {typed: sorted(name for line, _, name in shown if line == typed) for typed, _ in TYPED}
    assert completed == dict(TYPED), done.stderr
