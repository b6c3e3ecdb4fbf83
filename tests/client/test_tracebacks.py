"""Notebooks and Python show a traceback that ends at the user's line; the error itself has all frames."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
import traceback
from collections.abc import Callable

import pytest

from alyx_client import (
    AlyxClient,
    AlyxConnectionError,
    AlyxError,
    InvalidFieldError,
    InvalidKeyError,
    UnknownFilterError,
)
from alyx_client.http.tracebacks import install
from tests.rest.clients import QUICK


def failure(name: str) -> AlyxError:
    client = AlyxClient("http://127.0.0.1:9", token="x", retries=QUICK, cache_rest=None)
    try:
        if name == "key":
            client.sessions.read("no UUID")
        elif name == "field":
            client.sessions.partial_update("0b12ba9e-01e3-4784-8c35-d7bb1bab414f", qcc=1)  # type: ignore[call-arg]
        elif name == "filter":
            client.sessions.list(subjct="x")  # type: ignore[call-arg]
        else:
            client.sessions.list()
    except AlyxError as error:
        return error
    raise AssertionError("no error")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("key", InvalidKeyError),
        ("field", InvalidFieldError),
        ("filter", UnknownFilterError),
        ("server", AlyxConnectionError),
    ],
)
def test_notebooks_show_a_short_traceback(name: str, kind: type[AlyxError], monkeypatch: pytest.MonkeyPatch) -> None:
    error = failure(name)
    assert isinstance(error, kind)
    lines = error._render_traceback_()
    assert len(lines) <= 10
    assert [line for line in lines if "test_tracebacks.py" in line and "in failure" in line]
    assert not [line for line in lines if f"{os.sep}alyx_client{os.sep}" in line and line.strip().startswith("File")]
    assert lines[-1] == f"{kind.__name__}: {error}"
    # Nothing is lost: Python, and the setting, show every frame.
    assert len(traceback.extract_tb(error.__traceback__)) >= 3
    monkeypatch.setenv("ALYX_FULL_TRACEBACKS", "1")
    assert not hasattr(error, "_render_traceback_")


SCRIPT = """
from alyx_client import AlyxClient
client = AlyxClient("http://127.0.0.1:9", token="x")
client.sessions.list(subjct="x")
"""


def test_python_shows_a_short_traceback_at_the_end_of_a_program() -> None:
    ended = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    lines = ended.stderr.splitlines()
    assert ended.returncode == 1
    # Later Pythons mark the expression, and show the lines of a program that is no file.
    assert len(lines) <= 6
    assert [line for line in lines if line.startswith("  File")] == lines[1:2]
    assert "line 4, in <module>" in lines[1]
    assert lines[-1].startswith("UnknownFilterError: Sessions.list() has no filter 'subjct'. Did you mean 'subject'?")


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[BaseException], str]:
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    install()

    def show(error: BaseException) -> str:
        sys.excepthook(type(error), error, error.__traceback__)
        return capsys.readouterr().err

    return show


def raised(function: Callable[[], object]) -> Exception:
    try:
        function()
    except Exception as error:
        return error
    raise AssertionError("no error")


def chained() -> None:
    try:
        raise KeyError("the user's own")
    except KeyError:
        raise failure("filter")  # noqa: B904 - Python's own chain is tested


def test_causes_within_the_package_are_one_line(shown: Callable[[BaseException], str]) -> None:
    text = shown(failure("server"))
    assert "Caused by" in text
    assert f"{os.sep}alyx_client{os.sep}" not in text
    assert len(text.splitlines()) < 10


def test_wrong_arguments_end_at_the_users_line_too(shown: Callable[[BaseException], str]) -> None:
    error = raised(lambda: AlyxClient("http://127.0.0.1:9", timeout="x"))  # type: ignore[arg-type]
    assert type(error) is TypeError
    assert f"{os.sep}alyx_client{os.sep}" not in shown(error)


def test_notes_are_shown(shown: Callable[[BaseException], str]) -> None:
    error = failure("key")
    error.add_note("of the user")
    assert shown(error).endswith("of the user\n")


def test_errors_of_others_and_chains_of_the_user_are_shown_in_full(
    shown: Callable[[BaseException], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "ZeroDivisionError" in shown(raised(lambda: 1 / 0))
    assert "invalid literal" in shown(raised(lambda: int("x")))
    both = shown(raised(chained))
    assert "the user's own" in both
    assert "During handling" in both
    monkeypatch.setenv("ALYX_FULL_TRACEBACKS", "1")
    assert f"{os.sep}alyx_client{os.sep}" in shown(failure("key"))


def test_hook_of_a_program_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    own = lambda *_: None  # noqa: E731
    monkeypatch.setattr(sys, "excepthook", own)
    AlyxClient("http://127.0.0.1:9")
    assert sys.excepthook is own


def test_unknown_filter_is_of_both_kinds_and_can_be_pickled() -> None:
    error = failure("filter")
    assert isinstance(error, TypeError)
    assert isinstance(pickle.loads(pickle.dumps(error)), UnknownFilterError)


CELLS = [
    "client.sesions",
    "client.sessions.lisst",
    "weighing.weigt",
    "weighing['weigt']",
    "def f():\n    client.sessions.list(x=1)\nf()",
]
SHELL = f"""
from IPython.core.interactiveshell import InteractiveShell
from alyx_client import AlyxClient
from alyx_client.models import WeighingRecord
shell = InteractiveShell.instance(colors="nocolor")
shell.user_ns["client"] = AlyxClient("http://127.0.0.1:9", token="x")
shell.user_ns["weighing"] = WeighingRecord.model_construct(weight=1)
for cell in {CELLS}:
    shell.run_cell(cell, store_history=True)
"""


def test_notebooks_name_the_cell_and_hide_our_frames_of_hints_too() -> None:
    pytest.importorskip("IPython")
    ended = subprocess.run([sys.executable, "-c", SHELL], capture_output=True, text=True, check=True)
    shown = ended.stdout + ended.stderr
    assert f"{os.sep}alyx_client{os.sep}" not in shown
    assert "ipython-input" not in shown
    for number, place in enumerate(["", "", "", "", ", in f"], 1):
        assert re.search(rf"^  Cell In\[{number}\], line \d+{place}$", shown, re.MULTILINE), shown
    kinds = ["AttributeError", "AttributeError", "AttributeError", "KeyError", "UnknownFilterError"]
    assert re.findall(r"^(\w+Error): ", shown, re.MULTILINE) == kinds
    assert shown.count("Did you mean") >= 4
