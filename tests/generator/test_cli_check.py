"""``alyx-generate check`` and ``alyx-generate diff``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from alyx_generator.package.manifest import (
    Manifest,
    read_manifest,
    write_manifest,
)
from alyx_generator.source.fetch import SchemaSource

from alyx_client.testing import LocalAlyx

from .commands import OVERLAY, generate_client, read_files, run, schema


def test_check_uses_the_recorded_source_and_overlays(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = generate_client("schema.json", "--overlay", "lab.overlay.yaml").resolve()
    assert run("check", folder).exit_code == 0
    monkeypatch.chdir(folder)
    assert run("check", ".").exit_code == 0


def test_check_shows_differences_and_advice(project: Path) -> None:
    folder = generate_client("schema.json", "--overlay", "lab.overlay.yaml")
    Path("schema.json").write_text(json.dumps(schema(colour={"type": "string"})))
    result = run("check", folder)
    assert result.exit_code == 1
    assert "things.py: differs" in result.stdout
    assert "+" in result.stdout
    assert "The schema of schema.json has changed" in result.stdout
    command = "alyx-generate client schema.json --package lab_alyx --out src --overlay lab.overlay.yaml"
    assert command in result.stdout
    assert run(*command.split()[1:]).exit_code == 0
    assert run("check", folder).exit_code == 0


def test_check_writes_nothing(project: Path) -> None:
    folder = generate_client()
    (folder / "things.py").write_text("# mine\n")
    (folder / "mine.py").write_text("")
    (folder / "models.py").unlink()
    before = read_files(project)
    result = run("check", folder, "--format", "json")
    assert result.exit_code == 1
    (package,) = json.loads(result.stdout)["packages"]
    assert {difference["path"]: difference["reason"].split()[0] for difference in package["differences"]} == {
        "things.py": "differs",
        "mine.py": "is",
        "models.py": "is",
    }
    assert read_files(project) == before
    assert "````diff" in run("check", folder, "--format", "markdown", "--full").stdout


def test_check_against_another_source(project: Path) -> None:
    folder = generate_client()
    Path("moved.json").write_text(json.dumps(schema()))
    assert run("check", folder, "--source", "moved.json").exit_code == 0
    Path("schema.json").unlink()
    result = run("check", folder)
    assert result.exit_code == 2
    assert "--source" in result.stderr
    Path("moved.json").write_text(json.dumps(schema(colour={"type": "string"})))
    assert run("check", folder, "--source", "moved.json").exit_code == 1


@pytest.mark.usefixtures("login")
def test_package_from_a_file_is_checked_against_the_server(project: Path, local: LocalAlyx) -> None:
    assert run("fetch", local.url, "--pretty", "--out", "alyx.json").exit_code == 0
    folder = generate_client("alyx.json")
    assert run("check", folder, "--source", local.url).exit_code == 0
    Path("alyx.json").unlink()
    result = run("check", folder, "--source", "3.3.1")
    assert result.exit_code == 1
    assert "The schema of Alyx 3.3.1 has changed" in result.stdout
    assert "alyx-generate fetch 3.3.1 --pretty --out alyx.json\n" in result.stdout


def test_check_names_another_version(project: Path) -> None:
    folder = generate_client()
    manifest = (folder / "generated.toml").read_text()
    (folder / "generated.toml").write_text(manifest.replace('version = "', 'version = "0.0.'))
    result = run("check", folder)
    assert result.exit_code == 1
    assert "alyx-client 0.0." in result.stdout


def test_check_requires_a_source_outside_the_project_again(project: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text(json.dumps(schema()))
    folder = generate_client(outside)
    assert str(tmp_path) not in (folder / "generated.toml").read_text()
    assert run("check", folder).exit_code == 2
    assert run("check", folder, "--source", outside).exit_code == 0


@pytest.mark.parametrize("text", [None, "not toml", "package = 1", 'package = "a"\nserver = "x"\nfile = "y"'])
def test_check_of_a_folder_that_was_not_generated(project: Path, text: str | None) -> None:
    folder = generate_client()
    if text is None:
        (folder / "generated.toml").unlink()
    else:
        (folder / "generated.toml").write_text(text)
    result = run("check", folder)
    assert result.exit_code == 2
    assert "generated.toml" in result.stderr


def test_manifest_round_trip(project: Path) -> None:
    folder = project / "src" / "lab_alyx"
    folder.mkdir(parents=True)
    overlay = Path('a "b" ü\x7f\N{BRAIN}.yaml')
    manifest = Manifest("lab_alyx", SchemaSource("server", "https://alyx.lab.org"), (overlay,), "1", "f")
    (folder / "generated.toml").write_text(write_manifest(manifest, folder), encoding="utf-8")
    assert read_manifest(folder) == manifest


def test_diff_of_the_snapshots() -> None:
    result = run("diff", "3.3.1", "shipped")
    assert result.exit_code == 0
    assert result.stdout.startswith("Alyx 3.3.1 -> Alyx 3.6.1: 4 break callers")
    assert "client.subjects.fields.reduced " in result.stdout


@pytest.mark.parametrize(
    ("fail_on", "backwards", "code"),
    [("breaking", False, 0), ("type-checks", False, 0), ("any", False, 1), ("breaking", True, 1), ("any", True, 1)],
)
def test_diff_fail_on(project: Path, fail_on: str, backwards: bool, code: int) -> None:
    Path("new.json").write_text(json.dumps(schema(colour={"type": "string"})))
    sides = ("new.json", "schema.json") if backwards else ("schema.json", "new.json")
    assert run("diff", *sides, "--fail-on", fail_on).exit_code == code


def test_diff_formats(project: Path) -> None:
    result = run("diff", "schema.json", "schema.json", "--fail-on", "any")
    assert (result.exit_code, result.stdout) == (0, "schema.json -> schema.json: nothing changed\n")
    assert json.loads(run("diff", "schema.json", "schema.json", "--format", "json").stdout)["changes"] == []
    assert run("diff", "schema.json", "schema.json", "--format", "markdown").stdout.startswith("`schema.json` →")


def test_own_corrections_apply_to_both_sides_of_a_diff(project: Path) -> None:
    assert run("diff", "schema.json", "schema.json", "--overlay", "lab.overlay.yaml", "--fail-on", "any").exit_code == 0
    assert yaml.safe_load(OVERLAY)["actions"]
