"""From the built wheel, in a new environment: ``python -m pytest -m slow tests/generator/test_wheel.py``."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = "Scripts" if os.name == "nt" else "bin"

pytestmark = pytest.mark.slow


def call(*command: object, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [str(each) for each in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_an_installed_wheel_generates_a_package(tmp_path: Path) -> None:
    call(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", tmp_path / "dist", ROOT, cwd=tmp_path)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    venv.create(tmp_path / "env", with_pip=True)
    programs = tmp_path / "env" / PROGRAMS
    python = programs / Path("python").with_suffix(Path(sys.executable).suffix)
    work = tmp_path / "work"
    work.mkdir()

    call(python, "-m", "pip", "install", "--quiet", wheel, cwd=work)
    bare = subprocess.run(
        [python, "-m", "alyx_generator", "--help"], cwd=work, capture_output=True, text=True, check=False
    )
    assert bare.returncode == 3
    assert 'pip install "alyx-client[generator]"' in bare.stderr

    call(python, "-m", "pip", "install", "--quiet", f"{wheel}[generator]", cwd=work)
    command = programs / "alyx-generate"
    call(command, "fetch", "3.3.1", "--out", "alyx-schema.json", cwd=work)
    for source, package in (("alyx-schema.json", "old_alyx"), ("shipped", "new_alyx")):
        call(command, "client", source, "--package", package, "--out", ".", cwd=work)
    call(python, "-m", "alyx_generator", "check", "old_alyx", "new_alyx", cwd=work)
    assert "2 break callers" in call(command, "diff", "alyx-schema.json", "shipped", cwd=work)
    code = (
        "import old_alyx, new_alyx; print(hasattr(old_alyx.Client, 'subjects'), hasattr(new_alyx.Client, 'subjects'))"
    )
    assert call(python, "-c", code, cwd=work).split() == ["True", "True"]
