"""Helpers for the tests of the commands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from alyx_generator.cli.app import app
from alyx_generator.source.paths import SHIPPED, data_folder
from click.testing import Result
from typer.testing import CliRunner

from .inline import resource

OVERLAY = """\
overlay: 1.0.0
info: {title: Ours, version: "1"}
actions:
- target: $.components.schemas.Thing.properties.label
  description: Seen null in 3 of 10 rows.
  update: {x-answered: {nullable: true}}
- target: $.components.schemas.Elsewhere
  description: Another server has it.
  update: {type: object}
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def run_process(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "alyx_generator", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def few_endpoints(file: Path) -> Path:
    """Write Alyx's schema without most of its endpoints, since the commands generate packages many times."""
    schema = json.loads((data_folder("schemas") / f"{SHIPPED}.json").read_text(encoding="utf-8"))
    names = ("auth-token", "labs", "subjects", "weighings")
    schema["paths"] = {path: item for path, item in schema["paths"].items() if path.split("/")[1] in names}
    file.write_text(json.dumps(schema), encoding="utf-8")
    return file


def schema(**properties: Any) -> dict[str, Any]:
    document = resource({"label": {"type": "string", "description": "What is on the cage."}, **properties})
    document["paths"]["/things"]["get"]["description"] = "Things of this lab."
    return document


def read_files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def generate_client(*arguments: object, package: str = "lab_alyx") -> Path:
    result = run("client", *(arguments or ("schema.json",)), "--package", package, "--out", "src")
    assert result.exit_code == 0, result.output
    return Path("src", package)
