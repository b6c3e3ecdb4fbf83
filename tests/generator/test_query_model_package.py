"""Packages that are generated with a query model, and changes between two of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from alyx_generator.model.build import build_api
from alyx_generator.package.compare_fields import with_changed_fields
from alyx_generator.package.nearest import nearest_query_model
from alyx_generator.source.normalise import normalise
from alyx_generator.source.overlay import correct, shipped_corrections
from alyx_generator.source.paths import query_models, snapshots
from alyx_generator.source.query_model import QueryModel, query_model_text, read_query_model

from alyx_client.schema.report import Report

from .commands import run
from .query_server import query_model, schema

MODEL = query_model(
    {"things": "Thing"}, Thing={"colour": "CharField", "lab": "ForeignKey:Lab"}, Lab={"id": "UUIDField"}
)
PACKAGE = ("--package", "lab_alyx", "--out", "src")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").touch()
    Path("schema.json").write_text(json.dumps(schema(["things"])))
    Path("lab.query.json").write_text(query_model_text(MODEL))
    return tmp_path


def test_package_has_the_fields_of_its_query_model() -> None:
    result = run("client", "schema.json", *PACKAGE, "--query-model", "lab.query.json")
    assert result.exit_code == 0, result.output
    assert "typed conditions:" not in result.stdout
    fields = Path("src/lab_alyx/query_fields.py").read_text()
    assert "class ThingFields" in fields
    assert "lab: LabFields" in fields
    assert 'query_model = "../../lab.query.json"' in Path("src/lab_alyx/generated.toml").read_text()


def test_check_generates_with_the_recorded_query_model() -> None:
    run("client", "schema.json", *PACKAGE, "--query-model", "lab.query.json")
    assert run("check", "src/lab_alyx").exit_code == 0
    other = query_model({"things": "Thing"}, Thing={"colour": "CharField"})
    Path("other.query.json").write_text(query_model_text(other))
    result = run("check", "src/lab_alyx", "--query-model", "other.query.json")
    assert result.exit_code == 1
    assert "query_fields.py: differs" in result.stdout
    assert "generated.toml" not in result.stdout
    assert "--query-model other.query.json" in result.stdout
    Path("lab.query.json").unlink()
    result = run("check", "src/lab_alyx")
    assert result.exit_code == 2
    assert "--query-model" in result.stderr


def test_unreadable_query_model_changes_nothing(folder: Path) -> None:
    Path("lab.query.json").write_text("{}")
    result = run("client", "schema.json", *PACKAGE, "--query-model", "lab.query.json")
    assert result.exit_code == 3
    assert "lab.query.json is not a query model" in result.stderr
    assert not Path("src").exists()


def test_lists_without_a_model_are_reported() -> None:
    Path("schema.json").write_text(json.dumps(schema(["things", "others"])))
    result = run("client", "schema.json", *PACKAGE, "--query-model", "lab.query.json", "--format", "json")
    assert result.exit_code == 0
    result = run("client", "schema.json", *PACKAGE, "--query-model", "lab.query.json")
    assert "none for others: the query model lacks these lists" in result.stdout


def test_server_that_is_no_alyx_has_no_conditions() -> None:
    result = run("client", "schema.json", *PACKAGE)
    assert result.exit_code == 0
    assert not Path("src/lab_alyx/query_fields.py").exists()
    assert "none for things" in result.stdout


@pytest.mark.parametrize("version", ["3.3.1", "3.6.1"])
def test_nearest_query_model_is_that_of_the_version(version: str) -> None:
    document = json.loads(snapshots()[version].read_bytes())
    corrected = correct(normalise(document), shipped_corrections(), strict=False).document
    nearest = nearest_query_model(build_api(corrected))
    assert nearest == (version, read_query_model(query_models()[version]))


def change(old: QueryModel, new: QueryModel) -> list[tuple[str, str, str]]:
    report = with_changed_fields(Report(()), old, new)
    return [(change.group, change.name, change.words) for change in report.changes]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ("breaking", "client.labs.fields.x", "removed: the server has no such field")),
        ({"x": "IntegerField", "y": "CharField"}, ("harmless", "client.labs.fields.y", "new")),
        ({"x": "FloatField"}, ("breaking", "client.labs.fields.x", "now FloatField, was IntegerField")),
        ({"x": "BigAutoField"}, ("harmless", "client.labs.fields.x", "now BigAutoField, was IntegerField")),
        ({"x": "ForeignKey:Lab"}, ("breaking", "client.labs.fields.x", "now ForeignKey, was IntegerField")),
    ],
)
def test_changes_of_fields(fields: dict[str, str], expected: tuple[str, str, str]) -> None:
    old = query_model({"labs": "Lab"}, Lab={"x": "IntegerField"})
    assert change(old, query_model({"labs": "Lab"}, Lab=fields)) == [expected]


def test_changes_of_relations() -> None:
    old = query_model({"labs": "Lab"}, Lab={"x": "ForeignKey:User", "y": "ForeignKey:Lab"}, User={"id": "AutoField"})
    # The model behind the list has another name; that alone is no change.
    new = query_model({"labs": "Site"}, Site={"x": "ForeignKey:Site", "y": "ForeignKey:Site"})
    assert change(old, new) == [
        ("breaking", "UserFields", "removed: no relation leads to it"),
        ("breaking", "client.labs.fields.x", "leads to Site, not to User"),
    ]


def test_changes_of_lists() -> None:
    old, new = query_model({"labs": "Lab"}, Lab={}), query_model({"tags": "Tag"}, Tag={})
    assert change(old, new) == [
        ("breaking", "client.labs.fields", "removed: the list takes no conditions"),
        ("harmless", "client.tags.fields", "new: the list takes conditions"),
    ]


def test_diff_of_query_models() -> None:
    other = query_model({"things": "Thing"}, Thing={"lab": "ForeignKey:Lab"}, Lab={"id": "UUIDField"})
    Path("new.query.json").write_text(query_model_text(other))
    result = run("diff", "lab.query.json", "new.query.json", "--fail-on", "breaking", "--format", "json")
    assert result.exit_code == 1
    report: dict[str, Any] = json.loads(result.stdout)
    assert [(one["kind"], one["name"]) for one in report["changes"]] == [("field", "client.things.fields.colour")]
    assert run("diff", "lab.query.json", "lab.query.json", "--fail-on", "any").exit_code == 0
    assert run("diff", "3.6.1", str(query_models()["3.6.1"]), "--fail-on", "any").exit_code == 0
    assert run("diff", "lab.query.json", "schema.json").exit_code == 2
