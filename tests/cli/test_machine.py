"""``alyx login``, ``cache``, ``open``, and files."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from alyx_client.testing import LocalAlyx

from .conftest import Run


def test_login_is_stored(alyx: LocalAlyx, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("whoami").code == 2
    assert run("login").err == "alyx: pass the server: alyx login https://alyx.example.org\n"
    assert run("--url", alyx.url, "whoami").code == 4
    monkeypatch.setattr(sys, "stdin", io.StringIO("wrong\n"))
    assert run("login", alyx.url, "--username", "olivier", "--password-stdin").code == 4
    monkeypatch.setattr(sys, "stdin", io.StringIO("olivier\n"))
    result = run("login", alyx.url, "--username", "olivier", "--password-stdin")
    assert (result.code, result.err) == (0, f"logged in as olivier at {alyx.url}\n")
    assert run("whoami").out == f"olivier at {alyx.url}\n"
    assert run("list", "labs", "--max", 1).code == 0
    assert run("logout").code == 0
    assert run("whoami").code == 4
    monkeypatch.setattr(sys, "stdin", io.StringIO(alyx.token("admin")))
    assert run("login", "--username", "admin", "--token-stdin").code == 0
    assert run("whoami").out == f"admin at {alyx.url}\n"
    assert run("login", "--setup").code == 2


def test_cache(logged_in: LocalAlyx, run: Run) -> None:
    run("list", "labs")
    assert "0 B in 0 files" not in run("cache", "info").out.splitlines()[0]
    assert run("--offline", "list", "labs").code == 0
    assert run("cache", "clear").code == 0
    assert run("--offline", "list", "labs").code == 5


def test_open(logged_in: LocalAlyx, run: Run) -> None:
    subject = json.loads(run("get", "subjects", "flowers").out)
    page = f"{logged_in.url}/admin/subjects/subject/{subject['id']}/change/\n"
    assert run("open", "subjects", "flowers").out == page
    assert run("open", subject["url"]).out == page
    assert run("open", "flowers").code == 2
    assert run("open", "cache-info", "x").code == 2


def test_files(logged_in: LocalAlyx, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    username, password = logged_in.data_login
    monkeypatch.setenv("ALYX_DATA_SERVER", logged_in.data_url)
    monkeypatch.setenv("ALYX_DATA_USERNAME", username)
    monkeypatch.setenv("ALYX_DATA_PASSWORD", password)
    listed = run("list", "datasets", "--max", 2).out
    monkeypatch.setattr(sys, "stdin", io.StringIO(listed))
    paths = run("download", "-", "--to", tmp_path / "flat").out.splitlines()
    assert len(paths) == 2
    assert all(Path(path).parent == tmp_path / "flat" and Path(path).is_file() for path in paths)
    dataset = json.loads(listed.splitlines()[0])
    session = run("download", "--session", dataset["session"], "--tree", "--verify", "--to", tmp_path / "tree")
    assert session.code == 0
    assert all(Path(path).parent != tmp_path / "tree" for path in session.out.splitlines())
    assert run("download", dataset["url"], "--to", tmp_path / "flat").out.splitlines() == paths[:1]
    assert run("download", "no/such/file.npy", "--to", tmp_path).code == 3
    assert run("download").code == 2
    tables = run("tables", "--to", tmp_path / "tables").out.splitlines()
    assert [Path(path).name for path in tables] == ["sessions.pqt", "datasets.pqt"]
