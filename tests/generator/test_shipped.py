"""The shipped client is up to date with the shipped snapshot, and snapshots hold no prose."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from alyx_generator.cli.app import main
from alyx_generator.package.pipeline import Generated
from alyx_generator.package.shipped import generate_shipped
from alyx_generator.package.write import check, write
from alyx_generator.source.paths import SHIPPED, data_folder, query_models, snapshots
from alyx_generator.source.query_model import query_model_text, read_query_model
from alyx_generator.source.snapshots import structure_only, to_json

ROOT = Path(__file__).parents[2]
ENDPOINTS = ROOT / "alyx_client" / "endpoints"


@pytest.fixture(scope="module")
def shipped() -> Generated:
    return generate_shipped()


def test_shipped_endpoints_are_up_to_date(shipped: Generated) -> None:
    assert check(shipped.files, ENDPOINTS) == []


def test_every_operation_has_a_method_or_a_reason(shipped: Generated) -> None:
    document = json.loads((data_folder("schemas") / f"{SHIPPED}.json").read_text(encoding="utf-8"))
    operations = sum(
        method in ("get", "post", "put", "patch", "delete") for item in document["paths"].values() for method in item
    )
    api = shipped.api
    without = [finding for finding in api.findings if "no method" in finding.reason]
    assert operations == 181
    assert api.operations + len(without) == operations


def test_snapshots_hold_no_prose_and_are_sorted() -> None:
    for path in snapshots().values():
        text = path.read_text(encoding="utf-8")
        assert text == to_json(structure_only(json.loads(text)))


def test_query_models_are_sorted_and_every_relation_leads_to_a_model() -> None:
    assert set(query_models()) >= {version for version in snapshots() if version != "shipped"}
    for path in query_models().values():
        assert query_model_text(read_query_model(path)) == path.read_text(encoding="utf-8")


def test_property_named_description_is_structure() -> None:
    schema = {"properties": {"description": {"type": "string", "description": "prose"}}, "description": "prose"}
    assert structure_only(schema) == {"properties": {"description": {"type": "string"}}}


def test_difference_is_named(tmp_path: Path) -> None:
    files = {"a.py": "x = 1\n", "b.py": "y = 1\n"}
    write(files, tmp_path / "package")
    (tmp_path / "package" / "a.py").write_text("x = 2\n")
    (tmp_path / "package" / "c.py").write_text("")
    (tmp_path / "package" / "b.py").unlink()
    differences = [str(difference) for difference in check(files, tmp_path / "package")]
    assert differences == [
        "a.py: differs from what is generated",
        "b.py: is missing",
        "c.py: is not generated any more",
    ]


def test_write_replaces_the_whole_folder(tmp_path: Path) -> None:
    write({"old.py": ""}, tmp_path / "src" / "package")
    write({"new.py": "z = 1\n"}, tmp_path / "src" / "package")
    assert [path.name for path in (tmp_path / "src" / "package").iterdir()] == ["new.py"]
    assert [path.name for path in (tmp_path / "src").iterdir()] == ["package"]


def test_source_without_a_place_to_write_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["client", "schema.json"]) == 2
    assert "--package" in capsys.readouterr().err


def test_file_that_is_no_schema_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.json").write_text('{"asyncapi": "3.0.0"}')
    assert main(["client", str(tmp_path / "x.json"), "--package", "lab", "--out", str(tmp_path)]) == 3
    assert "no OpenAPI 3 document" in capsys.readouterr().err
    assert not (tmp_path / "lab").exists()
