"""The command: files, exit codes and reports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from alyx_client.one.migrate import command, files
from alyx_client.one.migrate.command import main

CALL = "x = one.alyx.rest('labs', 'list')\n"
TYPED = "x = one.alyx.labs.list()\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "code.py"
    path.write_text(CALL)
    return path


def test_shows_a_diff_and_changes_nothing(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(file)]) == 0
    out = capsys.readouterr().out
    assert f"--- a/{file}\n+++ b/{file}\n@@ -1 +1 @@\n-{CALL}+{TYPED}" in out
    assert out.endswith("1 file, 1 call: 1 moved, 0 left\n")
    assert file.read_text() == CALL


def test_writes_on_request(file: Path) -> None:
    assert main([str(file), "--write"]) == 0
    assert file.read_text() == TYPED
    before = file.stat()
    assert main([str(file), "--write"]) == 0
    assert file.stat().st_mtime_ns == before.st_mtime_ns


def test_diff_applies_as_a_patch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "code.py").write_bytes(b"a = '\x0c'\n" + CALL.encode() + b"b = 1")
    main([str(tmp_path / "code.py")])
    assert "\\ No newline at end of file" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (CALL.encode().replace(b"\n", b"\r\n"), TYPED.encode().replace(b"\n", b"\r\n")),
        (b"\xef\xbb\xbf" + CALL.encode(), b"\xef\xbb\xbf" + TYPED.encode()),
        (b"# coding: latin-1\n# \xe9\n" + CALL.encode(), b"# coding: latin-1\n# \xe9\n" + TYPED.encode()),
        (CALL.encode()[:-1], TYPED.encode()[:-1]),
        ("# é\t \n\n\n".encode() + CALL.encode(), "# é\t \n\n\n".encode() + TYPED.encode()),
    ],
    ids=["line endings", "byte order mark", "encoding", "no line at the end", "blank lines"],
)
def test_keeps_bytes_that_it_does_not_change(file: Path, before: bytes, after: bytes) -> None:
    file.write_bytes(before)
    assert main([str(file), "--write"]) == 0
    assert file.read_bytes() == after


def test_keeps_permissions_and_links(file: Path, tmp_path: Path) -> None:
    file.chmod(0o750)
    link = tmp_path / "link.py"
    link.symlink_to(file)
    assert main([str(link), "--write"]) == 0
    assert link.is_symlink()
    assert file.read_text() == TYPED
    assert file.stat().st_mode & 0o777 == 0o750


def test_leaves_what_was_changed_meanwhile(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def write(source: files.Source, text: str) -> None:
        file.write_text("# saved by an editor\n")
        files.write_source(source, text)

    monkeypatch.setattr(command, "write_source", write)
    assert main([str(file), "--write"]) == 1
    assert "changed meanwhile" in capsys.readouterr().out
    assert file.read_text() == "# saved by an editor\n"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_leaves_what_is_read_only(file: Path) -> None:
    file.chmod(0o444)
    assert main([str(file), "--write"]) == 1
    assert file.read_text() == CALL


def test_goes_on_after_files_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.py").write_text("one.alyx.rest('labs', 'list'\n")
    (tmp_path / "b.py").write_bytes(b"\xff\xfe one.alyx.rest(")
    (tmp_path / "c.py").write_text(CALL)
    (tmp_path / "d.ipynb").write_text("one.alyx.rest(")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "e.py").write_text(CALL)
    assert main([str(tmp_path), "--write"]) == 1
    out = capsys.readouterr().out
    assert "4 files, 1 call: 1 moved, 0 left" in out
    assert all(f"{name}: " in out.partition("Not done:")[2] for name in ("a.py", "b.py", "d.ipynb"))
    assert (tmp_path / "c.py").read_text() == TYPED


def test_names_what_is_misspelled(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("one.alyx.rest('datasets', 'list', exist=True)\none.alyx.rest(name, 'list')\n")
    assert main([str(file)]) == 1
    left, _, misspelled = capsys.readouterr().out.partition("Misspelled:\n")
    assert f"{file}:2: the endpoint or the action is not literal" in left
    assert misspelled == (
        f"  {file}:1: the endpoint has no such filter: datasets has no filter 'exist'. Did you mean 'exists'?\n"
    )


def test_reports_as_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(f"{CALL}one.alyx.rest('datasets', 'list', exist=True)\n")
    assert main([str(file), "--report", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["moved"] == 1
    assert report["left"] == {"filter": 1}
    assert report["calls"][0]["place"] == "2"
    assert report["calls"][0]["misspelled"]
    assert f"+{TYPED}" in report["diff"]


@pytest.mark.parametrize(
    "arguments", [[], ["missing.py"], [".", "--package", "no_such_package"], [".", "--report", "x"]]
)
def test_usage_errors(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2


def test_takes_endpoints_from_another_package(file: Path) -> None:
    file.write_text("one.alyx.rest('tags', 'create', data={'name': 'x'})\n")
    assert main([str(file), "--write", "--package", "alyx_client.endpoints"]) == 0
    assert file.read_text() == ("from alyx_client.endpoints.models import Tag\n\none.alyx.tags.create(Tag(name='x'))\n")


def test_names_that_other_files_import_are_left(tmp_path: Path) -> None:
    (tmp_path / "tables.py").write_text(CALL)
    (tmp_path / "others.py").write_text("from .tables import x\n")
    assert main([str(tmp_path), "--write"]) == 0
    assert (tmp_path / "tables.py").read_text() == CALL


def test_command_imports_neither_one_nor_its_code(file: Path) -> None:
    (file.parent / "one.py").write_text("raise SystemExit('ONE was imported')")
    file.write_text(f"raise SystemExit('run')\n{CALL}")
    check = (
        "import runpy, sys; sys.argv = ['migrate', 'code.py', '--write']\n"
        "try: runpy.run_module('alyx_client.one.migrate', run_name='__main__')\n"
        "except SystemExit as stopped: assert stopped.code == 0, stopped.code\n"
        "assert 'one' not in sys.modules"
    )
    run = subprocess.run([sys.executable, "-c", check], cwd=file.parent, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "1 moved" in run.stdout
    assert file.read_text().endswith(TYPED)


def test_says_what_to_install(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from alyx_client.one.migrate import __main__ as entry

    monkeypatch.setattr(entry, "find_spec", lambda _name: None)
    assert entry.main() == 2
    assert 'pip install "alyx-client[migrate]"' in capsys.readouterr().err
