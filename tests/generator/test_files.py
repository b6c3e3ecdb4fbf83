"""Schemas in YAML, and those that are divided over several files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from alyx_generator.package.pipeline import generate_client
from alyx_generator.source.fetch import SchemaSource, decode, fetch
from alyx_generator.source.validate import UnreadableSchemaError

from .commands import run
from .foreign_parts import JSON, TEXT, THING, at
from .inline import body, key, ref, resource, returns


def read(file: Path) -> JSON:
    return decode(file.read_bytes(), SchemaSource("file", str(file)))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_yaml_is_read_as_json_is(tmp_path: Path, encoding: str) -> None:
    schema = resource({"name": TEXT, "on": {"enum": ["on", "2020-01-01", "12:30", "0x1", "no"]}})
    schema["paths"]["/things"]["get"]["responses"] = {200: schema["paths"]["/things"]["get"]["responses"]["200"]}
    text = re.sub("'(200|on|no|12:30|0x1|2020-01-01)'", r"\1", yaml.safe_dump(schema))
    (tmp_path / "schema.yaml").write_text(text, encoding=encoding)
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    assert read(tmp_path / "schema.yaml") == read(tmp_path / "schema.json")


def test_command_takes_yaml(project: Path) -> None:
    Path("schema.yml").write_text(yaml.safe_dump(json.loads(Path("schema.json").read_text())))
    assert run("client", "schema.yml", "-p", "from_yaml", "-o", "src").exit_code == 0
    assert run("client", "schema.json", "-p", "from_json", "-o", "src").exit_code == 0
    assert Path("src/from_yaml/things.py").read_bytes() == Path("src/from_json/things.py").read_bytes()


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [*a]",
        "a: b: c",
        "a: !!python/object:os.system x",
        "- a: b",
        "a: !!set {b}",
        "<html>: a",
        "text",
        "",
        "\x00: a",
    ],
)
def test_what_is_no_schema_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "schema.yaml"
    file.write_text(text)
    with pytest.raises(UnreadableSchemaError, match=r"schema\.yaml|JSON"):
        fetch(str(file))


def divided(folder: Path) -> Path:
    """Write a schema whose parts are in other files, in two folders, which refer to one another."""
    files: dict[str, Any] = {
        "schema.yaml": at(
            {
                "/things/{id}": {"$ref": "parts/paths.yaml#/thing"},
                "/others": {
                    "post": {**body({"$ref": "parts/other.json"}), **returns({"$ref": "parts/other.json"}, "201")}
                },
            }
        ),
        "parts/paths.yaml": {
            "thing": {
                "parameters": [{"$ref": "#/id"}],
                "get": returns({"$ref": "../schema.yaml#/components/schemas/Thing"}),
            },
            "id": key()["parameters"][0],
        },
        "parts/other.json": {
            "type": "object",
            "required": ["thing"],
            "properties": {"thing": {"$ref": "../schema.yaml#/components/schemas/Thing"}, "up": {"$ref": "#"}},
        },
    }
    (folder / "parts").mkdir()
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    return folder / "schema.yaml"


def test_references_to_files_beside_the_schema(tmp_path: Path) -> None:
    result = generate_client(read(divided(tmp_path)), ())
    assert result.api.findings == ()
    actions = {endpoint.name: [action.name for action in endpoint.actions] for endpoint in result.api.endpoints}
    assert actions == {"others": ["create"], "things": ["read"]}
    assert "thing: ThingPart" in result.files["others.py"] or "thing: Thing" in result.files["others.py"]
    assert "up: Other = UNSET" in result.files["others.py"]


def test_files_outside_the_folder_are_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    (tmp_path / "secret.yaml").write_text("type: string\n")
    (folder / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    for reference in ("../secret.yaml", str(tmp_path / "secret.yaml"), "..%2Fsecret.yaml", "link.yaml"):
        (folder / "schema.json").write_text(json.dumps(resource({"a": {"$ref": reference}})))
        with pytest.raises(UnreadableSchemaError, match="outside the folder"):
            read(folder / "schema.json")


@pytest.mark.parametrize(
    "reference", ["missing.yaml", "https://x.org/a.yaml#/B", "//x.org/a.yaml", "file:///etc/passwd"]
)
def test_missing_files_and_networks_are_findings(tmp_path: Path, reference: str) -> None:
    (tmp_path / "schema.json").write_text(json.dumps(resource({"a": {"$ref": reference}, "b": ref("Thing")})))
    findings = generate_client(read(tmp_path / "schema.json"), ()).api.findings
    assert [reference in str(finding) for finding in findings] == [True]


def test_files_that_refer_to_themselves(tmp_path: Path) -> None:
    tree = {
        "type": "object",
        "properties": {"children": {"type": "array", "items": {"$ref": "tree.yaml"}}, **THING["properties"]},
    }
    (tmp_path / "tree.yaml").write_text(json.dumps(tree))
    (tmp_path / "schema.json").write_text(json.dumps(resource({"tree": {"$ref": "./tree.yaml#"}})))
    result = generate_client(read(tmp_path / "schema.json"), ())
    assert result.api.findings == ()
    assert "children: list[Tree]" in result.files["things.py"]
