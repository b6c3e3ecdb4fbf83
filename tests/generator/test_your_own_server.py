"""The page "Your own server": its commands are run, in order, on a local Alyx."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from alyx_generator.cli.app import app
from typer.testing import CliRunner

from alyx_client.testing import LocalAlyx

from .commands import few_endpoints

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "guides" / "your-own-server.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_commands_on_the_page_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    monkeypatch.setenv("ALYX_USERNAME", "admin")
    monkeypatch.setenv("ALYX_PASSWORD", "admin")
    (overlay,) = (text for text in blocks("yaml") if text.startswith("overlay:"))
    Path("lab.overlay.yaml").write_text(overlay, encoding="utf-8")
    Path("pyproject.toml").write_text("", encoding="utf-8")
    commands = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("alyx-generate")]
    assert len(commands) > 10
    outputs: dict[str, str] = {}
    few = few_endpoints(tmp_path / "few.json")
    with LocalAlyx(few, seed=False) as alyx:
        for command in commands:
            line = command.replace("https://test.alyx.lab.org", alyx.url).replace("https://alyx.lab.org", alyx.url)
            quick = ["--per-minute", "1000000"] if line.startswith("alyx-generate probe") else []
            done = CliRunner().invoke(app, [*shlex.split(line)[1:], *quick])
            # This Alyx lacks most models of the snapshot.
            assert done.exit_code == ("diff 3.6.1 lab.query.json" in command), f"{command}\n{done.output}"
            outputs[command] = done.stdout
    told = outputs["alyx-generate diff 3.3.1 3.6.1"]
    assert [told] == blocks("text")
    assert f"```text\n{told}```" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "institution: str | None" in Path("src/lab_alyx/labs.py").read_text(encoding="utf-8")


def test_workflow_of_the_page_checks_the_package_of_the_page() -> None:
    (workflow,) = (yaml.safe_load(text) for text in blocks("yaml") if text.startswith("name:"))
    steps = workflow["jobs"]["check"]["steps"]
    assert steps[-1] == {"run": "alyx-generate check src/lab_alyx"}
    assert "secrets." not in str(workflow)


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_line_endings_changed_by_git_are_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    git = ["git", "-c", "core.autocrlf=true", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    assert CliRunner().invoke(app, ["client", "3.6.1", "--package", "lab_alyx", "--out", "src"]).exit_code == 0
    subprocess.run([*git, "add", "src"], check=True, capture_output=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "a"], check=True, capture_output=True)
    shutil.rmtree("src")
    subprocess.run([*git, "checkout", "--quiet", "."], check=True)
    assert b"\r\n" in Path("src/lab_alyx/client.py").read_bytes()
    assert CliRunner().invoke(app, ["check", "src/lab_alyx"]).exit_code == 0
