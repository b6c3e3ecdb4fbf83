from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient
from alyx_client.models import Session
from alyx_client.testing import LocalAlyx

QUICKSTART = Path(__file__).parents[1] / "examples" / "quickstart.py"


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


def test_quickstart_of_readme_runs_unchanged(
    local_alyx: LocalAlyx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    code = readme.partition("```python\n")[2].partition("```")[0]
    # The reader's own server has no subject of that name yet; the local Alyx has one.
    code = code.replace("https://alyx.example.org", local_alyx.url).replace('nickname="flowers"', 'nickname="rosebud"')
    monkeypatch.setenv("ALYX_TOKEN", local_alyx.token())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "brain.png").write_bytes(quickstart_image())
    client = AlyxClient(local_alyx.url, token=local_alyx.token(), cache_rest=None)
    session = client.sessions.create(
        Session(subject="flowers", start_time=datetime(2020, 1, 14, 10), number=1, extended_qc={"wheel": "PASS"})
    )
    names: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), names)
    assert names["mouse"].nickname == "rosebud"
    assert not names["client"].drift
    changed = client.sessions.read(session.id)
    assert changed.qc == "PASS"
    assert changed.extended_qc == {"wheel": "PASS", "dlc": 0.9}


def quickstart_image() -> bytes:
    names: dict[str, Any] = {"__name__": "quickstart"}
    exec(compile(QUICKSTART.read_text(encoding="utf-8"), str(QUICKSTART), "exec"), names)
    image: bytes = names["PIXEL"]
    return image
