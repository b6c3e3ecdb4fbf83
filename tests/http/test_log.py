from __future__ import annotations

import logging
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from alyx_client.http.log import configure, logger, readable_size


def stderr_of(code: str, **environ: str) -> str:
    command = [sys.executable, "-c", f"import alyx_client.http.log as log; {code}"]
    return subprocess.run(command, env=environ, check=True, capture_output=True, text=True).stderr


ANSWERED = "log.log_response('GET', 'https://x.org/subjects?token=abc', 200, 12300, 0.131)"


def test_nothing_is_logged_unless_asked_for() -> None:
    assert stderr_of(f"{ANSWERED}; log.logger.error('x')") == ""


def test_alyx_log_shows_each_request_once() -> None:
    shown = stderr_of(f"log.configure(); {ANSWERED}", ALYX_LOG="debug")
    assert shown.count("GET /subjects?token=*** 200 12 kB 0.13 s") == 1


@pytest.mark.parametrize(("level", "lines"), [("INFO", 2), ("warning", 1), ("nonsense", 0), ("", 0)])
def test_alyx_log_sets_the_level(level: str, lines: int) -> None:
    shown = stderr_of(f"{ANSWERED}; log.logger.info('i'); log.logger.warning('w')", ALYX_LOG=level)
    assert len(shown.splitlines()) == lines


def test_alyx_log_adds_one_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "level", logging.NOTSET)
    for _ in range(2):
        configure({"ALYX_LOG": " Info "})
    assert [type(handler).__name__ for handler in logger.handlers] == ["NullHandler", "_EnvironmentHandler"]
    assert logger.level == logging.INFO


def test_text_of_others_cannot_forge_lines(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "alyx_client"):
        logger.info("the server says %s", "good\nbad\x1b[2J")
    (message,) = caplog.messages
    assert message.isprintable()


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (12_300, "12 kB"), (5_000_000, "5.0 MB"), (7 * 10**12, "7000 GB")],
)
def test_sizes_are_readable(size: int, text: str) -> None:
    assert readable_size(size) == text


def test_warning_from_another_thread_in_a_program_started_as_a_module(tmp_path: Path) -> None:
    code = """
        import threading
        from alyx_client.http.log import context_of_caller, warn

        threading.Thread(target=context_of_caller().run, args=(warn, "from a thread", UserWarning)).start()
    """
    (tmp_path / "program.py").write_text(textwrap.dedent(code), encoding="utf-8")
    command = [sys.executable, "-m", "program"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    process = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert "UserWarning: from a thread" in process.stderr
    assert "Error" not in process.stderr
