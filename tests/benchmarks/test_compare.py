from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import compare, replay_server, results

PARTS = """
from benchmarks.table import Figure, add, begin

PARTS = {"tiny": []}

def run(names):
    import alyx_client

    begin("tiny")
    for name, value in vars(alyx_client).items():
        if name.isupper():
            add(Figure(name, [value], "s"))
    if hasattr(alyx_client, "broken"):
        alyx_client.broken()
    return []
"""


def test_rows_have_the_ratio_of_what_both_measured() -> None:
    other = {("list", "s"): [0.2, 0.4, 0.6], ("gone", ""): [1.0]}
    this = {("new", "MB"): [80.0], ("list", "s"): [0.1, 0.2, 0.2]}
    assert [row.split() for row in compare.rows(other, this)] == [
        ["new", "not", "measured", "80", "MB"],
        ["list", "0.4", "s", "0.2", "s", "2", "x", "2", "to", "3"],
        ["gone", "1", "not", "measured"],
    ]


def git(folder: Path, *arguments: str) -> str:
    settings = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    process = subprocess.run(["git", *settings, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return process.stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with this benchmark and another package of the same name, changed since its only commit."""
    if shutil.which("git") is None:
        pytest.skip("needs git")
    folder = tmp_path / "checkout"
    shutil.copytree(Path(compare.__file__).parent, folder / "benchmarks", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "benchmarks" / "parts.py").write_text(PARTS, encoding="utf-8")
    (folder / "schemas").mkdir()
    schema = "alyx-3.6.1.json"
    shutil.copy(results.ROOT / "schemas" / schema, folder / "schemas")
    module = folder / "alyx_client" / "__init__.py"
    module.parent.mkdir()
    module.write_text("LIST = 3\nGONE = 1\n", encoding="utf-8")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "First")
    module.write_text("LIST = 2\nNEW = 1\n", encoding="utf-8")
    return folder


def test_revisions_are_compared(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_ROUNDS", "1")
    monkeypatch.setenv("PYTHONPATH", str(checkout))
    before = git(checkout, "status", "--porcelain", "--ignored")
    command = [sys.executable, "-B", "-m", "benchmarks.run", "--only", "tiny", "--compare", "HEAD"]
    process = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    lines = [line.split() for line in process.stdout.splitlines()[1:] if line]
    assert lines == [
        ["tiny"],
        ["LIST", "3", "s", "2", "s", "1.5", "x"],
        ["NEW", "not", "measured", "1", "s"],
        ["GONE", "1", "s", "not", "measured"],
    ]
    # The checkout is as it was, but for compiled modules.
    after = git(checkout, "status", "--porcelain", "--ignored")
    assert [line for line in after.splitlines() if "__pycache__" not in line] == before.splitlines()
    assert git(checkout, "worktree", "list").count("\n") == 1


def test_unknown_revision_is_refused(checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(results, "ROOT", checkout)
    with pytest.raises(SystemExit, match="no-such-revision"):
        compare.unpack("no-such-revision", tmp_path / "other")


def test_shared_servers_are_used_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_server, "_shared", ["http://first", "http://second"])
    for _ in range(2):
        with replay_server.running() as first, replay_server.running() as second:
            assert (first, second) == ("http://first", "http://second")
