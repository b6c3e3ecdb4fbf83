"""Servers never seen before: nothing of their schemas goes missing, and what cannot be read is refused."""

from __future__ import annotations

import ast
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from alyx_generator.package.pipeline import generate_client
from alyx_generator.package.write import write
from alyx_generator.source.overlay import Correction, OverlayError

from .conftest import Generate
from .foreign_packages import SCHEMAS, Foreign, built
from .inline import body, ref, resource, returns

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_operation_becomes_a_method_or_a_finding(foreign: Foreign, name: str) -> None:
    generated = foreign(name)
    api = generated.result.api
    total = sum(method in item for item in SCHEMAS[name]["paths"].values() for method in METHODS)
    merged = sum(bool(action.bare_path) for endpoint in api.endpoints for action in endpoint.actions)
    refused = sum("no method" in finding for finding in generated.findings)
    assert api.operations + merged + refused == total
    for endpoint in api.endpoints:
        module = generated.module(endpoint.name)
        for kind in (endpoint.class_name, f"Async{endpoint.class_name}"):
            for action in endpoint.actions:
                assert inspect.isfunction(inspect.unwrap(getattr(getattr(module, kind), action.name)))
        for model in endpoint.models:
            assert getattr(module, model.name).model_rebuild(force=True)
            assert getattr(generated.module("models"), model.name)


def test_foreign_packages_pass_a_strict_type_check(tmp_path: Path) -> None:
    for position, name in enumerate(SCHEMAS):
        write(built(name).files, tmp_path / f"package_{position}")
    assert type_errors(tmp_path) == []


def type_errors(folder: Path) -> list[str]:
    """Return what pyright says of the packages in a folder."""
    pytest.importorskip("pyright")
    settings = {"typeCheckingMode": "strict", "extraPaths": [str(Path(__file__).parents[2])]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    report = json.loads(run.stdout)
    assert report["summary"]["filesAnalyzed"] > 0
    return [
        f"{error['file']}:{error['range']['start']['line'] + 1} {error['message']}"
        for error in report["generalDiagnostics"]
    ]


# --- corrections


def test_corrections_that_fit_are_applied_and_others_reported(generate: Generate) -> None:
    corrections = (
        Correction("$.components.schemas.Session.properties.lab", "seen", {"nullable": True}),
        Correction("$.components.schemas.Thing.properties.name", "seen", {"nullable": True}),
    )
    generated = generate(resource({"name": {"type": "string"}}), corrections=corrections)
    assert [correction.target for correction in generated.result.corrected.missed] == [corrections[0].target]
    assert generated.module("things").ThingRecord.__annotations__["name"] == "str | None"
    with pytest.raises(OverlayError, match="Session"):
        generate_client(resource({"name": {"type": "string"}}), corrections)


# --- changes over time


def test_new_field_changes_only_the_lines_of_its_own_models() -> None:
    fields = {"name": {"type": "string"}, "x-y": {"type": "string"}, "parts": {"type": "array", "items": ref("Part")}}
    part = {"type": "object", "properties": {"n": {"type": "integer"}}}
    before, after = (resource(properties) for properties in (fields, {**fields, "lab": {"type": "string"}}))
    for schema in (before, after):
        schema["components"]["schemas"]["Part"] = part
        schema["paths"]["/others"] = {
            "get": returns(ref("Part")),
            "post": {**body(ref("Part")), **returns(ref("Part"))},
        }
    old, new = generate_client(before, ()).files, generate_client(after, ()).files
    assert [path for path in new if path.endswith(".py") and new[path] != old.get(path)] == ["things.py"]
    changed = [line for line in new["things.py"].splitlines() if line not in old["things.py"].splitlines()]
    assert changed == ["    lab: str | None = None", "    lab: str = UNSET", "    lab: str"]
    classes = {
        node.name: ast.unparse(node) for node in ast.parse(new["things.py"]).body if isinstance(node, ast.ClassDef)
    }
    assert [name for name, text in classes.items() if "lab: str" in text] == ["ThingRecord", "Thing", "ThingChanges"]


def test_output_does_not_depend_on_the_hash_seed() -> None:
    code = (
        "import hashlib; from alyx_generator.package.pipeline import generate_client;"
        "from tests.generator.foreign import schemas;"
        "files = [sorted(generate_client(one, (), strict=False).files.items()) for one in [*schemas().values()][::9]];"
        "print(hashlib.sha256(repr(files).encode()).hexdigest())"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("0", "1")
    ]
    first, second = (run.communicate()[0] for run in runs)
    assert first
    assert first == second
