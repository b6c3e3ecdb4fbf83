"""Servers never seen before: nothing of their schemas goes missing, and what cannot be read is refused."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alyx_generator.package.pipeline import generate_client
from alyx_generator.package.write import write
from alyx_generator.source.overlay import Correction, OverlayError
from alyx_generator.source.validate import UnreadableSchemaError

from .conftest import Generate
from .foreign_packages import SCHEMAS, Foreign, built
from .foreign_parts import things
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
    for place, name in enumerate(SCHEMAS):
        write(built(name).files, tmp_path / f"package_{place}")
    found = type_errors(tmp_path)
    assert found == []


def type_errors(folder: Path) -> list[str]:
    """Return what pyright says of the packages in a folder."""
    settings = {"typeCheckingMode": "strict", "extraPaths": [str(Path(__file__).parents[2])]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    said = json.loads(run.stdout)
    assert said["summary"]["filesAnalyzed"] > 0
    return [
        f"{each['file']}:{each['range']['start']['line'] + 1} {each['message']}" for each in said["generalDiagnostics"]
    ]


@pytest.mark.parametrize(
    "place",
    [
        "components > schemas > Thing",
        "components > schemas > Thing > properties",
        "components > schemas > Thing > required",
        "components > schemas > Thing > properties > name",
        "components > schemas > Thing > properties > name > enum",
        "components > schemas > Thing > properties > name > oneOf",
        "paths > /things > get",
        "paths > /things > get > parameters",
        "paths > /things > get > responses",
        "paths > /things > get > responses > 200 > content",
        "paths > /things > post > requestBody",
    ],
)
def test_what_is_malformed_is_refused_by_its_place(place: str) -> None:
    document = resource({"name": {"type": "string"}})
    *outer, last = place.split(" > ")
    node: Any = document
    for step in outer:
        node = node[step]
    node[last] = 5
    with pytest.raises(UnreadableSchemaError, match=re.escape(place)):
        generate_client(document, (), strict=False)


def test_reference_that_leads_nowhere_is_refused_by_name() -> None:
    schema = things()
    schema["paths"]["/things"]["get"]["parameters"] = [{"$ref": "#/components/parameters/Lab"}]
    with pytest.raises(UnreadableSchemaError, match="#/components/parameters/Lab"):
        generate_client(schema, (), strict=False)


# --- corrections


def test_corrections_that_select_nothing_are_reported_and_those_that_fit_are_applied(generate: Generate) -> None:
    corrections = (
        Correction("$.components.schemas.Session.properties.lab", "seen", {"nullable": True}),
        Correction("$.components.schemas.Thing.properties.name", "seen", {"nullable": True}),
    )
    generated = generate(resource({"name": {"type": "string"}}), corrections=corrections)
    assert [each.target for each in generated.result.corrected.missed] == [corrections[0].target]
    assert generated.module("things").ThingRecord.__annotations__["name"] == "str | None"
    with pytest.raises(OverlayError, match="Session"):
        generate_client(resource({"name": {"type": "string"}}), corrections)


# --- changes over time


def test_one_more_field_changes_the_lines_of_its_own_shapes_alone() -> None:
    fields = {"name": {"type": "string"}, "x-y": {"type": "string"}, "parts": {"type": "array", "items": ref("Part")}}
    part = {"type": "object", "properties": {"n": {"type": "integer"}}}
    before, after = (resource(each) for each in (fields, {**fields, "lab": {"type": "string"}}))
    for schema in (before, after):
        schema["components"]["schemas"]["Part"] = part
        schema["paths"]["/others"] = {
            "get": returns(ref("Part")),
            "post": {**body(ref("Part")), **returns(ref("Part"))},
        }
    old, new = generate_client(before, ()).files, generate_client(after, ()).files
    assert [path for path in new if path.endswith(".py") and new[path] != old.get(path)] == ["things.py"]
    changed = [line for line in new["things.py"].splitlines() if line not in old["things.py"].splitlines()]
    assert changed == ["    lab: str", "    lab: str = UNSET", "    lab: str"]
    shapes = {
        node.name: ast.unparse(node) for node in ast.parse(new["things.py"]).body if isinstance(node, ast.ClassDef)
    }
    assert [name for name, text in shapes.items() if "lab: str" in text] == ["ThingRecord", "Thing", "ThingChanges"]


def test_same_bytes_whatever_the_hash_seed() -> None:
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
