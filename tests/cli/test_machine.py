"""``alyx login``, ``cache``, ``open``, and files."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from alyx_client.testing import LocalAlyx

from .conftest import Result, Run


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
    assert run("open", "check-protected", "x").code == 2


def test_pages_of_the_admin(logged_in: LocalAlyx, run: Run) -> None:
    """Each endpoint with a page has a primary key in its records, or says that it has none."""
    from alyx_client.cli.admin import _PAGES

    opened = 0
    for endpoint, page in _PAGES.items():
        first = run("list", endpoint, "--max", 1, "--format", "jsonl").out
        if first and "url" in json.loads(first):
            result = run("open", endpoint, json.loads(first)["url"])
            assert f"/admin/{page}/" in result.out or "does not tell the primary key" in result.err
            opened += result.code == 0
    assert opened > 4


def test_cache_in_the_folder_for_files(
    logged_in: LocalAlyx, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALYX_CACHE_DIR", str(tmp_path / "data"))
    run("list", "labs")
    (tmp_path / "data" / "lab").mkdir()
    (tmp_path / "data" / "lab" / "file.npy").write_bytes(bytes(10))
    responses, files = run("cache", "info").out.splitlines()
    assert files.endswith("data  10 B in 1 file")
    assert " 0 B " not in responses


def test_login_without_a_name(alyx: LocalAlyx, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(alyx.token("admin")))
    assert run("login", alyx.url, "--token-stdin").err.startswith("logged in as ")
    monkeypatch.setenv("ALYX_URL", "ftp://x")
    assert run("login").code == 2


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
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))
    assert run("download", "-") == Result(0, "", "")
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"data_url": \n'))
    assert "a line of stdin is not JSON" in run("download", "-").err
    many = run("download", *(f"no/{number}.npy" for number in range(25)), "--to", tmp_path / "many")
    assert (many.code, many.err.splitlines()[-1]) == (1, "- 5 more")
    session = json.loads(run("create", "sessions", "--subject", "flowers").out)["url"]
    assert run("download", "--session", session).err == f"alyx: warning: session {session} has no datasets\n"
    tables = run("tables", "--to", tmp_path / "tables").out.splitlines()
    assert [Path(path).name for path in tables] == ["sessions.pqt", "datasets.pqt"]
