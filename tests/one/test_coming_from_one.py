"""The examples of docs/guides/coming-from-one.md run in order as one script; with ONE, if it is installed."""

from __future__ import annotations

import re
import warnings
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import alyx_client.one
from alyx_client import AlyxClient
from alyx_client.testing import LocalAlyx

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "coming-from-one.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.filterwarnings("ignore::alyx_client.StaleAnswerWarning")
def test_examples_run_in_order(
    local_alyx: LocalAlyx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    first, *others = (code for code in BLOCKS if not code.startswith("# pipeline.py"))
    names: dict[str, Any] = {"one": SimpleNamespace(alyx=AlyxClient(local_alyx.url, "olivier", "olivier"))}
    if find_spec("one"):
        alyx_client.one.install()  # which the first import of it does, and other tests have undone
    try:
        for code in [first, *others] if find_spec("one") else others:
            with warnings.catch_warnings():
                warnings.filterwarnings("error", module="alyx_client")
                exec(compile(code.replace("http://127.0.0.1:8000", local_alyx.url), str(PAGE), "exec"), names)
    finally:
        alyx_client.one.uninstall()
    assert len(names["typed"]) == len(names["by_name"]) > 1
    assert names["names"]
    assert names["first_day"].year == 2020
    assert names["cached"].id == names["detail"].id
    assert "404" in capsys.readouterr().out
    assert not local_alyx.store.find("subjects", "nickname", "violet")


def test_command_prints_what_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("libcst")
    from alyx_client.one.migrate.command import main

    monkeypatch.chdir(tmp_path)
    (code,) = (code for code in BLOCKS if code.startswith("# pipeline.py"))
    Path("pipeline.py").write_text(code, encoding="utf-8")
    assert main(["pipeline.py"]) == 1
    assert f"```text\n{capsys.readouterr().out}```" in TEXT
