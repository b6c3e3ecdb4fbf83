"""Whatever a schema says, the generator ends with a package that works, or with findings that name the place.

The examples are the same on every run. To look further, with other ones and more of them::

    HYPOTHESIS_PROFILE=search python -m pytest tests/generator/test_properties.py
"""

from __future__ import annotations

import ast
import builtins
import importlib
import os
import sys
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from alyx_generator.package.pipeline import Generated, generate_client
from alyx_generator.package.write import write
from alyx_generator.render.text import docstring
from hypothesis import HealthCheck, example, given, settings

from .foreign import schemas as foreign_schemas
from .inline import resource
from .random_schemas import MARK, documents, hostile
from .test_foreign_schemas import type_errors

SEARCHING = os.environ.get("HYPOTHESIS_PROFILE") == "search"
PACKAGES = 100 if SEARCHING else 8
settings.register_profile(
    "same", derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck), print_blob=False
)
settings.register_profile("search", deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
profile = settings.get_profile("search" if SEARCHING else "same")
HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
METHODS = ("get", "post", "put", "patch", "delete")


def check_package(schema: Mapping[str, Any], folder: Path) -> Generated:
    """Generate, import and use a package; nothing of the schema may have become code."""
    result = generate_client(schema, (), strict=False)
    for path, text in ((path, text) for path, text in result.files.items() if path.endswith(".py")):
        tree = ast.parse(text, path)
        named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        named |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert MARK not in named
        assert not any(
            isinstance(node, ast.Import) and node.names[0].name == "builtins" for node in ast.walk(tree)
        ) or ("builtins." in text)
        assert {unicodedata.category(character) for character in text if character != "\n"}.isdisjoint(HIDDEN)
    write(result.files, folder)
    importlib.invalidate_caches()
    for endpoint in result.api.endpoints:
        module = importlib.import_module(f"{folder.name}.{endpoint.name}")
        client = importlib.import_module(f"{folder.name}.client")
        assert hasattr(client.AlyxClient, endpoint.name)
        for action in endpoint.actions:
            assert hasattr(getattr(module, endpoint.class_name), action.name)
        for model in endpoint.models:
            getattr(module, model.name).model_rebuild(force=True)
    assert not hasattr(builtins, MARK)
    return result


def test_random_schemas_end_in_packages_that_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    count = 0

    @settings(profile, max_examples=PACKAGES)
    @given(documents)
    def check(schema: dict[str, Any]) -> None:
        nonlocal count
        count += 1
        api = check_package(schema, tmp_path / f"random_{count}").api
        refused = sum("no method" in str(finding) for finding in api.findings)
        merged = sum(bool(action.bare_path) for endpoint in api.endpoints for action in endpoint.actions)
        total = sum(method in item for item in schema["paths"].values() for method in METHODS)
        assert api.operations + merged + refused == total

    check()
    assert count >= PACKAGES
    assert type_errors(tmp_path) == []


def test_hostile_texts_anywhere_stay_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    count = 0

    @settings(profile, max_examples=PACKAGES // 2)
    @given(hostile.filter(bool))
    def check(text: str) -> None:
        nonlocal count
        count += 1
        kind = {"type": "string", "enum": [text, "x"], "default": text, "description": text, "title": text}
        schema = resource({"kind": kind, text: {"type": "string", "pattern": text, "default": text}}, name="Thing")
        schema["components"]["schemas"]["Thing"]["description"] = text
        schema["info"]["title"] = text
        listed = schema["paths"]["/things"]["get"]
        listed["description"] = listed["summary"] = text
        listed["parameters"] = [{"in": "query", "name": text, "description": text, "schema": kind}]
        segment = text.replace("/", "").replace("{", "").replace("}", "")
        schema["paths"][f"/{segment}x/{{{segment}y}}"] = {"get": schema["paths"]["/things/{id}"]["get"]}
        check_package(schema, tmp_path / f"hostile_{count}")
        things = importlib.import_module(f"hostile_{count}.things")
        text = text.encode("utf-8", "replace").decode()  # no file holds half a character
        assert things.Thing(kind=text).to_wire() == {"kind": text}

    check()
    assert count


@settings(profile, max_examples=300)
@given(hostile)
@example('"""')
@example("\\")
@example('a\n"')
def test_docstrings_are_literals_for_any_text(text: str) -> None:
    for indent in (0, 4, 8):
        source = f"def f():\n{' ' * indent or ' '}{docstring(text, indent=indent)}\n"
        (function,) = ast.parse(source).body
        assert isinstance(function, ast.FunctionDef)
        (statement,) = function.body
        assert isinstance(statement, ast.Expr)
        assert isinstance(ast.literal_eval(statement.value), str)


def test_foreign_schemas_with_every_text_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    text = '"""\n{{ 7 * 7 }}' + f"\nimport builtins; builtins.{MARK} = 1\n\\"
    schema = foreign_schemas()["extra actions"]
    for item in schema["paths"].values():
        for operation in item.values():
            operation["description"] = operation["summary"] = operation["operationId"] = text
    check_package(schema, tmp_path / "texts")
    assert "7 * 7" in (sys.modules["texts.sessions"].Sessions.list.__doc__ or "")
