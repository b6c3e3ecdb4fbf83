"""The example of a lab's own server: what its CI runs, from the schema to the tests of its pipeline."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from alyx_client import __version__

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "own_server"
# Type checking all of alyx-client anew takes half a minute.
COMMANDS = ["alyx-generate check src/lab_alyx", "pytest"]
SLOW_COMMANDS = ["mypy"]


def jobs() -> dict[str, Any]:
    workflow: dict[str, Any] = yaml.safe_load((EXAMPLE / ".github/workflows/alyx.yml").read_text(encoding="utf-8"))
    return dict(workflow["jobs"])


def test_the_workflow_runs_what_is_tested_here() -> None:
    steps = [step["run"] for step in jobs()["pipeline"]["steps"] if "run" in step]
    assert sorted(steps) == sorted(['pip install --editable ".[dev]"', *COMMANDS, *SLOW_COMMANDS])
    (compare,) = [step for step in jobs()["server"]["steps"] if "diff" in step.get("run", "")]
    # The token goes to no other server.
    assert set(compare["env"]) == {"ALYX_URL", "ALYX_TOKEN"}
    texts = [(EXAMPLE / name).read_text(encoding="utf-8") for name in ("pyproject.toml", ".github/workflows/alyx.yml")]
    assert all(f"=={__version__}" in text for text in texts)


def test_a_labs_repository_generates_checks_and_tests(tmp_path: Path) -> None:
    folder = tmp_path / "own_server"
    shutil.copytree(EXAMPLE, folder)
    run(folder, sys.executable, "prepare.py")
    commands = [*COMMANDS, *(SLOW_COMMANDS if os.environ.get("HYPOTHESIS_PROFILE") == "search" else [])]
    for command in commands:
        program, *arguments = command.split()
        module = {"alyx-generate": "alyx_generator"}.get(program, program)
        run(folder, sys.executable, "-m", module, *arguments)


def run(folder: Path, *command: str) -> None:
    """Run a command of the repository's, with what this checkout has."""
    path = os.pathsep.join(map(str, (ROOT, ROOT / "generator")))
    # Not the options of the tests here.
    environment = {**os.environ, "PYTHONPATH": path, "PYTEST_ADDOPTS": "-p no:cacheprovider"}
    environment.pop("PYTEST_CURRENT_TEST", None)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
