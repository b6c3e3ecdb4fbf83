from __future__ import annotations

import operator
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient
from alyx_client.testing import LocalAlyx

ROOT = Path(__file__).parents[1]
QUICKSTART = ROOT / "examples" / "quickstart.py"


def test_quickstart_runs_and_deletes_its_records(local_alyx: LocalAlyx) -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", str(QUICKSTART)],
        env={**os.environ, "ALYX_URL": local_alyx.url, "ALYX_TOKEN": local_alyx.token()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "0 subjects of that name are left" in run.stdout
    assert "Did you mean 'subject'?" in run.stdout
    assert "lab: Object with name=no-such-lab does not exist." in run.stdout
    assert "quality checks {'wheel': 'PASS', 'dlc': 0.9}" in run.stdout
    assert "no drift" in run.stdout
    assert local_alyx.token() not in run.stdout + run.stderr


def example(name: str, local_alyx: LocalAlyx, *arguments: str) -> tuple[str, int]:
    """Run an example, and return what it printed and its exit code."""
    run = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "examples" / name), *arguments],
        env={**os.environ, "ALYX_URL": local_alyx.url, "ALYX_TOKEN": local_alyx.token()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return run.stdout, run.returncode


def test_pipeline_writes_qc_once(local_alyx: LocalAlyx) -> None:
    assert example("write_qc.py", local_alyx, "cortexlab") == ("3 sessions of cortexlab judged, 1 of them passed\n", 0)
    assert example("write_qc.py", local_alyx, "cortexlab") == ("0 sessions of cortexlab judged, 0 of them passed\n", 0)


def test_rig_records_weights_when_the_server_is_back(local_alyx: LocalAlyx) -> None:
    local_alyx.faults.add("/weighings", "status", times=None, status=503)
    text, code = example("weighing_rig.py", local_alyx, "flowers", "23.4")
    assert (text, code) == ("flowers: 23.4 g waits for the server\n", 1)
    local_alyx.faults.clear()
    text, code = example("weighing_rig.py", local_alyx, "clover", "21.9", "nobody", "20")
    assert text.startswith("1 sent\nclover: 21.9 g recorded\nnobody: not recorded: ")
    assert code == 0


def test_examples_of_readme_run_in_order_as_one_script(
    local_alyx: LocalAlyx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    quickstart, asynchronous, many, outbox, conditions, downloads = blocks("README.md")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}

    run(quickstart, local_alyx, names)
    assert names["mouse"].nickname == "rosebud"
    assert len(names["sessions"]) >= 2
    assert len(capsys.readouterr().out.splitlines()) == len(names["sessions"])
    assert {row.id for row in names["client"].notes.list(django={"object_id": names["mouse"].id})} == {names["note"].id}
    changed = names["client"].sessions.read(names["sessions"][0].id)
    assert changed.qc == "PASS"
    assert changed.extended_qc["dlc"] == 0.9
    assert len(changed.extended_qc) > 1

    run(asynchronous, local_alyx, names)
    assert len(capsys.readouterr().out.splitlines()) > len(names["sessions"])

    run(many, local_alyx, names)
    assert len(names["mice"]) == 20
    assert {names["client"].sessions.read(detail).qc for detail in names["details"]} == {"PASS"}

    run(outbox, local_alyx, names)
    assert names["report"]
    assert names["client"].weighings.list(nickname="at_the_rig")[0].weight == 23.4

    run(conditions, local_alyx, names)
    run(downloads, local_alyx, names)
    assert len(names["files"]) >= 2
    assert len(names["tables"]) >= 2
    assert names["file"] == Path("data/trials.table.pqt")
    assert all(path.stat().st_size for path in (*names["files"], names["file"], *names["tables"]))
    assert not names["client"].drift


def test_examples_of_the_page_on_filters_run_in_order(local_alyx: LocalAlyx) -> None:
    names: dict[str, Any] = {}
    for code in blocks("docs/guides/finding-records.md"):
        run(code, local_alyx, names)
    assert not names["client"].drift


def test_examples_of_the_page_on_the_outbox_run(local_alyx: LocalAlyx) -> None:
    names: dict[str, Any] = {}
    for code in blocks("docs/guides/outbox.md"):
        run(code, local_alyx, names)
    assert names["client"].sessions.list(subject="SWC_001")[0].number == 1


def test_methods_of_readme_exist() -> None:
    """Every call and attribute of the client that the page mentions in passing."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Coming from ONE")[0]
    client = AlyxClient("http://localhost", silent=True)
    mentioned = set(re.findall(r"`(?:with )?client\.([\w.]+)", text))
    assert mentioned
    for path in mentioned:
        operator.attrgetter(path)(client)


def blocks(page: str) -> list[str]:
    """Return the Python examples of a page."""
    return re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def run(code: str, server: LocalAlyx, names: dict[str, Any]) -> None:
    """Run an example with the address of this server, and without a warning."""
    assert "http://127.0.0.1:8000" in code or "client" in names
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(compile(code.replace("http://127.0.0.1:8000", server.url), "README.md", "exec"), names)
