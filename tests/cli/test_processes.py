"""The command as a process: pipes, signals, terminals, start-up."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from alyx_client import __version__
from alyx_client.testing import LocalAlyx

from .conftest import Run

ALYX = [sys.executable, "-m", "alyx_client.cli"]
posix = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals and signals of POSIX")


def test_missing_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['typer'] = None; from alyx_client.cli.__main__ import main; sys.exit(main(['--help']))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == 'alyx needs typer: pip install "alyx-client[cli]"\n'


def test_help_and_completion_load_no_client() -> None:
    """One process, and what it has imported after each."""
    code = (
        "import os, sys\n"
        "from alyx_client.cli.__main__ import main\n"
        "names = ('httpx2', 'sqlite3', 'alyx_client.runtime', 'alyx_client.endpoints')\n"
        "def loaded(): print('LOADED', [name for name in names if name in sys.modules])\n"
        "main(['--help']); main(['--version']); print('pydantic' in sys.modules)\n"
        "main(['list', '--help']); main(['describe', 'sessions']); loaded()\n"
        "os.environ.update(_ALYX_COMPLETE='complete_bash', COMP_CWORD='3')\n"
        "for words in ('alyx list sessions --su', 'alyx create subjects --nick', 'alyx update weighings --'):\n"
        "    os.environ['COMP_WORDS'] = words; main([])\n"
        "os.environ.update(COMP_WORDS='alyx list wat', COMP_CWORD='2'); main([])\n"
        "os.environ.update(COMP_WORDS='alyx list subjects --sex ', COMP_CWORD='4'); main([])\n"
        "os.environ.update(COMP_WORDS='alyx list nowhere --x', COMP_CWORD='3'); main([])\n"
        "for shell, variable in (('zsh', '_TYPER_COMPLETE_ARGS'), ('fish', '_TYPER_COMPLETE_ARGS'),\n"
        "                        ('powershell', '_TYPER_COMPLETE_ARGS')):\n"
        "    os.environ.update({'_ALYX_COMPLETE': f'complete_{shell}', variable: 'alyx list water-t',\n"
        "                       '_TYPER_COMPLETE_WORD_TO_COMPLETE': 'water-t',\n"
        "                       '_TYPER_COMPLETE_FISH_ACTION': 'get-args'})\n"
        "    main([])\n"
        "loaded()\n"
    )
    # No server is reachable, and none is set up.
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.stderr == ""
    assert f"\nalyx {__version__}\nFalse\n" in result.stdout  # Typer loads pydantic where it converts values
    assert result.stdout.count("LOADED []") == 2, result.stdout
    completed = result.stdout.split("LOADED []")[1].split()
    assert {"--subject", "--nickname", "water-administrations", "F", "M", "U"} <= set(completed)
    assert "--weight" not in completed  # weighings cannot be changed
    assert result.stdout.count("water-type") >= 4


def test_pipes(logged_in: LocalAlyx) -> None:
    """The reader ends after one line; there are more than a pipe's buffer holds."""
    started = subprocess.Popen(
        [*ALYX, "list", "datasets", "--page-size", "20"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert started.stdout is not None
    assert started.stderr is not None
    assert json.loads(started.stdout.readline())["url"]
    started.stdout.close()
    errors = started.stderr.read()
    assert errors == b""
    assert started.wait(30) in (0, 141)


@posix
@pytest.mark.parametrize(
    ("number", "everyone", "code"), [(signal.SIGINT, True, 0), (signal.SIGINT, False, 0), (signal.SIGTERM, False, 0)]
)
def test_signals_end_the_local_alyx(number: int, everyone: bool, code: int, logged_in: LocalAlyx) -> None:
    """Ctrl-C reaches all processes of a terminal; a supervisor's signal only the one that it has started."""
    started = subprocess.Popen(
        [*ALYX, "local", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert started.stdout is not None
    assert started.stdout.readline().startswith("Local Alyx")
    while "Ctrl-C" not in started.stdout.readline():
        pass
    (os.killpg if everyone else os.kill)(started.pid, number)
    # Ends when the last process that has these pipes ends.
    out, errors = started.communicate(timeout=30)
    assert (out, errors, started.returncode) == ("Stopped.\n", "", code)


@posix
def test_interrupted_call(tmp_path: Path, logged_in: LocalAlyx) -> None:
    """A command that waits for stdin is interrupted there."""
    started = subprocess.Popen(
        [*ALYX, "create", "subjects", "--from", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert started.stderr is not None
    with waiting_for_input(started.pid):
        started.send_signal(signal.SIGINT)
    assert started.wait(30) == 130
    assert started.stderr.read() == "alyx: interrupted\n"


@contextmanager
def waiting_for_input(pid: int) -> Iterator[None]:
    """Wait until a process has opened nothing more to read than its standard input."""
    wchan = Path(f"/proc/{pid}/syscall")
    for _ in range(200):
        # read(2) of descriptor 0 on Linux; elsewhere, a moment has to do.
        if not wchan.exists() or wchan.read_text().startswith("0 0x0 "):
            break
        time.sleep(0.05)
    yield


@posix
@pytest.mark.parametrize("no_color", [True, False])
def test_terminal(logged_in: LocalAlyx, no_color: bool) -> None:
    import pty

    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"} | ({"NO_COLOR": "1"} if no_color else {})
    environment.pop("NO_COLOR" if not no_color else "", None)
    leader, follower = pty.openpty()
    started = subprocess.Popen(
        [*ALYX, "list", "subjects", "--max", "3"],
        stdin=follower,
        stdout=follower,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    os.close(follower)
    shown = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # Linux reports the end of a terminal in this way
            part = b""
        if not part:
            break
        shown += part
    os.close(leader)
    assert started.stderr is not None
    errors = started.stderr.read()
    assert started.wait(30) == 0
    lines = re.sub(r"\x1b\[[0-9;]*m", "", shown.decode()).splitlines()
    assert lines[0].split()[:2] == ["id", "nickname"]
    assert max(map(len, lines)) <= 80
    assert "not shown: " in errors
    assert (b"\x1b[1m" in shown) or no_color
    # Rich leaves bold letters without colours.
    assert not re.search(rb"\x1b\[[0-9;]*3[0-7]", shown)


def test_a_generated_package(run: Run, logged_in: LocalAlyx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of a lab is found by its name, its variable and the settings file."""
    pytest.importorskip("alyx_generator")
    from alyx_generator.__main__ import main as generate

    from alyx_client.config.save import write_server
    from tests.generator.commands import few_endpoints

    schema = few_endpoints(tmp_path / "schema.json")
    assert generate(["client", str(schema), "--package", "lab_alyx_cli", "--out", str(tmp_path)]) == 0
    monkeypatch.syspath_prepend(tmp_path)
    assert run("--package", "lab_alyx_cli", "get", "subjects", "flowers").code == 0
    assert run("--package", "lab_alyx_cli", "list", "subjects", "--sex", "F", "--max", 1).code == 0
    shipped = run("describe").out
    monkeypatch.setenv("ALYX_PACKAGE", "lab_alyx_cli")
    assert run("describe").out != shipped
    monkeypatch.delenv("ALYX_PACKAGE")
    write_server(logged_in.url, {"package": "lab_alyx_cli"}, default=True)
    assert run("describe").out != shipped
