"""The commands in a checkout of this project: the shipped client, its snapshots, and where they come from."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from alyx_generator.cli import docs as docs_command
from alyx_generator.cli.check_report import CheckResult, in_markdown
from alyx_generator.package import shipped
from alyx_generator.package.pipeline import Generated, generate_client
from alyx_generator.package.reference import Reference, package_reference
from alyx_generator.package.write import Difference
from alyx_generator.render.reference.context import Client
from alyx_generator.source.paths import SHIPPED
from alyx_generator.source.query_model import read_query_model

from .commands import run, schema

MODEL = '{"models": {"Thing": {"id": {"class": "UUIDField"}}}, "endpoints": {"things": "Thing"}}'


@pytest.fixture
def checkout(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the root of a checkout whose shipped client is generated from a small schema."""

    def generate() -> Generated:
        return generate_client(json.loads((project / "schemas" / f"{SHIPPED}.json").read_text()), ())

    (project / "schemas").mkdir()
    (project / "alyx_client").mkdir()
    monkeypatch.setattr(shipped, "checkout", lambda: project)
    monkeypatch.setattr(shipped, "data_folder", project.joinpath)
    monkeypatch.setattr(shipped, "generate_shipped", generate)
    return project


def test_snapshot_becomes_a_client_that_is_checked(checkout: Path) -> None:
    result = run("snapshot", "schema.json", SHIPPED, "--origin", "a test")
    assert (result.exit_code, result.stdout) == (0, f"{SHIPPED}.json: 2 paths, 2 components\n")
    assert run("client", "--format", "json").exit_code == 0
    assert sorted(path.name for path in (checkout / "alyx_client" / "endpoints").iterdir())[-1] == "things.py"
    assert (checkout / "schemas" / "corrected" / f"{SHIPPED}.json").is_file()
    up_to_date = run("check")
    assert (up_to_date.exit_code, up_to_date.stdout) == (0, "the shipped client: up to date\n")

    (checkout / "alyx_client" / "endpoints" / "things.py").write_text("")
    lock = checkout / "schemas" / "lock.toml"
    assert tomllib.loads(lock.read_text())[SHIPPED]["origin"] == "a test"
    lock.write_text(lock.read_text() + "# by hand")
    different = run("check", "--format", "json")
    assert different.exit_code == 1
    [package] = json.loads(different.stdout)["packages"]
    names = ["endpoints/things.py", "schemas/lock.toml"]
    assert [difference["path"] for difference in package["differences"]] == names
    assert package["advice"] == ["Run `make client` and commit the changes."]


def test_query_model_is_stored_with_its_origin(checkout: Path) -> None:
    Path("model.json").write_text(json.dumps({"query_model": 1, **json.loads(MODEL)}))
    result = run("snapshot", "model.json", SHIPPED, "--query-model")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"{SHIPPED}.query.json: ")
    assert read_query_model(checkout / "schemas" / f"{SHIPPED}.query.json").endpoints == {"things": "Thing"}
    assert tomllib.loads((checkout / "schemas" / "lock.toml").read_text())[f"{SHIPPED}.query"]["origin"] == "model.json"


def test_snapshot_of_no_schema_stores_nothing(checkout: Path) -> None:
    Path("bad.json").write_text('{"swagger": "2.0"}')
    assert run("snapshot", "bad.json", SHIPPED).exit_code == 3
    name = run("snapshot", "schema.json", "3.6.1")
    assert name.exit_code == 2
    assert "use one like alyx-4.0.0" in name.stderr
    assert list((checkout / "schemas").iterdir()) == []


def test_shipped_client_requires_a_checkout(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "checkout", lambda: None)
    for arguments in (("client",), ("check",), ("snapshot", "schema.json", SHIPPED)):
        result = run(*arguments)
        assert result.exit_code == 2
        assert "in a checkout only. Name a source" in result.stderr


def test_reference_of_the_shipped_client_is_the_default(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def reference(guide: str) -> Reference:
        assert guide == ""
        return package_reference(schema(), (), Client("lab_alyx", "Client", '"https://alyx.lab.org"'))

    monkeypatch.setattr(docs_command, "shipped_reference", reference)
    Path("reference").mkdir()
    Path("reference/mine.txt").write_text("")
    assert run("docs", "--out", "reference").exit_code == 2
    result = run("docs", "--out", "reference", "--force")
    assert (result.exit_code, result.stdout) == (0, "reference: 3 pages of 1 endpoints\n")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--package", "lab_alyx"), 2, "--package, --overlay and --query-model require a source"),
        (("schema.json",), 2, "a source requires --package"),
        (("none.json", "--package", "lab_alyx"), 3, "the schema has no endpoints"),
    ],
)
def test_reference_that_cannot_be_made(project: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    Path("none.json").write_text(json.dumps({**schema(), "paths": {}}))
    result = run("docs", *arguments, "--out", "reference")
    assert result.exit_code == code
    assert message in result.stderr
    assert not Path("reference").exists()


def test_missing_file_has_no_lines_in_markdown() -> None:
    results = [
        CheckResult("src/one_alyx", [], ["Nothing."]),
        CheckResult("src/lab_alyx", [Difference("models.py", "is missing")], ["Do it."]),
    ]
    assert list(in_markdown(results, False)) == [
        "**src/one_alyx**: up to date.",
        "**src/lab_alyx**: 1 file differs.",
        "\n### `models.py` is missing",
        "\nDo it.",
    ]
