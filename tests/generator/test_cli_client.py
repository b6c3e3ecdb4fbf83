"""``alyx-generate client``, and writing packages."""

from __future__ import annotations

import contextlib
import importlib
import importlib.resources
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from alyx_generator.package.manifest import (
    PackageNameError,
    check_package_name,
    read_manifest,
)
from alyx_generator.package.write import write
from alyx_generator.source.fetch import SchemaSource

from alyx_client.schema.surface_text import fingerprint, load
from alyx_client.testing import LocalAlyx

from .commands import generate_client, read_files, run, run_process, schema


@pytest.mark.usefixtures("login")
def test_client_generated_from_a_server_works(project: Path, local: LocalAlyx) -> None:
    result = run_process("client", local.url, "--package", "from_server", "--out", "src", "--format", "json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["totals"]["endpoints"] == 3
    code = f"from from_server import Client; print(len(Client({local.url!r}).labs.list()))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(("src", *sys.path))}
    client_process = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert client_process.returncode == 0, client_process.stderr
    assert read_manifest(Path("src/from_server")).source == SchemaSource("server", local.url)


def test_package_is_complete(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = generate_client(package="complete_alyx")
    assert set(read_files(folder)) == {
        *("README.md", "__init__.py", "client.py", "generated.toml", "models.py"),
        *("py.typed", "surface.jsonl", "things.py"),
    }
    assert len((folder / "README.md").read_text().splitlines()) <= 14
    monkeypatch.syspath_prepend("src")
    package = importlib.import_module("complete_alyx")
    for kind in (package.Client, package.AsyncClient):
        text = importlib.resources.files(kind._surface).joinpath("surface.jsonl").read_text(encoding="utf-8")
        assert fingerprint(load(text)) == read_manifest(folder).fingerprint


def test_descriptions_of_the_server_become_docstrings(project: Path) -> None:
    text = (generate_client() / "things.py").read_text()
    assert "Things of this lab." in text
    assert "What is on the cage." in text


def test_packages_can_be_installed_together(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("other.json").write_text(json.dumps(schema(colour={"type": "string"})))
    generate_client(package="one_alyx")
    generate_client("other.json", package="other_alyx")
    monkeypatch.syspath_prepend("src")
    one, other = (importlib.import_module(f"{name}.models") for name in ("one_alyx", "other_alyx"))
    shipped = importlib.import_module("alyx_client.models")
    assert set(other.ThingRecord.model_fields) - set(one.ThingRecord.model_fields) == {"colour"}
    assert not hasattr(shipped, "Thing")
    assert hasattr(importlib.import_module("other_alyx").Client, "things")
    assert hasattr(importlib.import_module("alyx_client").AlyxClient, "subjects")


def test_generated_bytes_are_reproducible_in_another_folder(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = read_files(generate_client("schema.json", "--overlay", "lab.overlay.yaml"))
    moved = tmp_path / "elsewhere" / "deeper"
    shutil.copytree(project, moved, ignore=shutil.ignore_patterns("src"))
    monkeypatch.chdir(moved / ".git" if (moved / ".git").exists() else moved)
    assert read_files(generate_client(moved / "schema.json", "--overlay", "./lab.overlay.yaml")) == first
    assert not any(str(tmp_path).encode() in text for text in first.values())


def test_own_corrections_apply_and_missed_ones_are_reported(project: Path) -> None:
    result = run("client", "schema.json", "-p", "lab_alyx", "-o", "src", "--overlay", "lab.overlay.yaml")
    assert result.exit_code == 0
    own, _, shipped = result.stdout.partition("corrections of your own that do not fit:\n")[2].partition("shipped")
    assert own.split() == ["$.components.schemas.Elsewhere"]
    assert "$.components.schemas" in shipped
    assert "label: str | None" in Path("src/lab_alyx/things.py").read_text()


def test_fail_on_makes_missed_corrections_an_error(project: Path) -> None:
    arguments = ("client", "schema.json", "-p", "lab_alyx", "-o", "src", "--overlay", "lab.overlay.yaml", "--fail-on")
    assert run(*arguments, "corrections").exit_code == 1
    assert run(*arguments, "any").exit_code == 1
    assert run(*arguments, "findings").exit_code == 0
    assert Path("src/lab_alyx/client.py").is_file()


@pytest.mark.parametrize("text", ["a: [", "overlay: 1.0.0\nactions: [1]", "\x00", "nothing"])
def test_unreadable_overlay_changes_nothing(project: Path, text: str) -> None:
    before = read_files(generate_client())
    Path("bad.yaml").write_text(text)
    result = run("client", "schema.json", "-p", "lab_alyx", "-o", "src", "--overlay", "bad.yaml")
    assert result.exit_code == 3, result.output
    assert read_files(Path("src/lab_alyx")) == before


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ("5", "actions is a list"),
        ("[{target: $.info, description: x, updat: 1, 7: 2}]", "unknown key 7, updat"),
        ("[{target: $.info, description: x, update: {1: a}}]", "what JSON lacks"),
        ("[{target: $.info, description: x, update: {a: !!set {b: null}}}]", "what JSON lacks"),
        ('[{target: $.info, description: x, remove: "false"}]', "true or false"),
        ("[{target: $, description: x, remove: true}]", "cannot be removed"),
        ("[", "bad.yaml is not YAML"),
    ],
)
def test_invalid_overlay_is_named_with_its_error(project: Path, actions: str, message: str) -> None:
    Path("bad.yaml").write_text(f"overlay: 1.0.0\nactions: {actions}\n")
    result = run("client", "schema.json", "-p", "lab_alyx", "-o", "src", "--overlay", "bad.yaml")
    assert result.exit_code == 3, result.output
    assert result.stderr.startswith("alyx-generate: bad.yaml")
    assert message in result.stderr


def test_report_formats(project: Path) -> None:
    arguments = ("client", "schema.json", "-p", "lab_alyx", "-o", "src", "--format")
    assert "endpoints    1" in run(*arguments, "text").stdout
    assert "| `things` | list, read, create" in run(*arguments, "markdown").stdout
    report = json.loads(run(*arguments, "json").stdout)
    assert "things" in [endpoint["name"] for endpoint in report["endpoints"]]
    assert run(*arguments, "xml").exit_code == 2


@pytest.mark.parametrize(
    "name", ["", "a-b", "a.b", "class", "json", "JSON", "alyx_client", "httpx2", "../x", "nul", "COM1", "ä", "1a"]
)
def test_invalid_package_name_is_a_usage_error(project: Path, name: str) -> None:
    with pytest.raises(PackageNameError):
        check_package_name(name)
    assert run("client", "schema.json", "--package", name, "--out", "src").exit_code == 2
    assert not Path("src").exists()


@pytest.mark.parametrize("arguments", [("schema.json",), ("schema.json", "--package", "a1"), ("--package", "a1")])
def test_source_requires_package_and_out(project: Path, arguments: tuple[str, ...]) -> None:
    assert run("client", *arguments).exit_code == 2


def test_folder_with_other_files_is_not_replaced(project: Path) -> None:
    folder = Path("src/lab_alyx")
    folder.mkdir(parents=True)
    (folder / "pipeline.py").write_text("mine = True\n")
    result = run("client", "schema.json", "--package", "lab_alyx", "--out", "src")
    assert result.exit_code == 2
    assert "pipeline.py" in result.stderr
    assert list(read_files(folder)) == ["pipeline.py"]
    assert run("client", "schema.json", "-p", "lab_alyx", "-o", "src", "--force").exit_code == 0
    assert not (folder / "pipeline.py").exists()


@pytest.mark.parametrize(
    ("paths", "message"),
    [({}, "empty.json: the schema has no endpoints"), ([], "the schema is malformed: its paths are not an object")],
)
def test_schema_without_endpoints_replaces_nothing(project: Path, paths: Any, message: str) -> None:
    before = read_files(generate_client())
    Path("empty.json").write_text(json.dumps({**schema(), "paths": paths}))
    result = run("client", "empty.json", "--package", "lab_alyx", "--out", "src")
    assert result.exit_code == 3
    assert message in result.stderr
    assert read_files(Path("src/lab_alyx")) == before


def test_file_added_to_a_package_is_not_deleted(project: Path) -> None:
    folder = generate_client()
    (folder / "notes").mkdir()
    (folder / "notes" / "mine.txt").write_text("mine")
    assert run("client", "schema.json", "--package", "lab_alyx", "--out", "src").exit_code == 2
    assert (folder / "notes" / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("name", [".env", ".git/config"])
def test_hidden_file_is_not_deleted(project: Path, name: str) -> None:
    file = Path("src/lab_alyx", name)
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    result = run("client", "schema.json", "--package", "lab_alyx", "--out", "src")
    assert result.exit_code == 2
    assert name in result.stderr
    assert file.read_text() == "mine"


def test_caches_of_python_and_editors_are_ignored(project: Path) -> None:
    folder = generate_client()
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "client.pyc").write_bytes(b"")
    (folder / ".DS_Store").write_bytes(b"")
    generate_client()
    assert run("check", folder).exit_code == 0


@pytest.mark.usefixtures("login")
@pytest.mark.parametrize(("kind", "options"), [("truncated_json", {}), ("html", {}), ("status", {"status": 500})])
def test_failing_server_leaves_the_package_unchanged(
    project: Path, local: LocalAlyx, kind: Any, options: dict[str, Any]
) -> None:
    before = read_files(generate_client())
    local.faults.add("/api/schema", kind, times=None, **options)
    try:
        result = run("client", local.url, "--package", "lab_alyx", "--out", "src")
    finally:
        local.faults.clear()
    assert result.exit_code == 3, result.output
    assert result.stderr.startswith("alyx-generate: ")
    assert read_files(Path("src/lab_alyx")) == before
    assert os.listdir("src") == ["lab_alyx"]


def test_write_error_leaves_the_package_unchanged(tmp_path: Path) -> None:
    folder = tmp_path / "src" / "package"
    write({"a.py": "old"}, folder)
    with pytest.raises(UnicodeEncodeError):
        write({"a.py": "new", "b.py": "\ud800"}, folder)
    assert read_files(folder) == {"a.py": b"old"}
    assert os.listdir(folder.parent) == ["package"]


@pytest.mark.parametrize("fails_at", [1, 2])
@pytest.mark.parametrize("error", [PermissionError("in use"), KeyboardInterrupt()])
def test_failing_rename_leaves_the_package_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int, error: BaseException
) -> None:
    folder = tmp_path / "src" / "package"
    write({"a.py": "old"}, folder)
    renames = 0
    rename = os.replace

    def replace(old: Path, new: Path) -> None:
        nonlocal renames
        renames += 1
        if renames == fails_at:  # as on Windows, where another process has a file open
            raise error
        rename(old, new)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(type(error)):
        write({"a.py": "new"}, folder)
    assert read_files(folder) == {"a.py": b"old"}
    assert os.listdir(folder.parent) == ["package"]


def test_package_that_another_command_wrote_meanwhile_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "src" / "package"
    write({"a.py": "old"}, folder)
    rename = os.replace

    def replace(old: Path, new: Path) -> None:
        rename(old, new)
        if old == folder and new.name == "old1":
            folder.mkdir()
            (folder / "b.py").write_text("of another command")

    monkeypatch.setattr(os, "replace", replace)
    write({"a.py": "new"}, folder)
    assert read_files(folder) == {"a.py": b"new"}
    assert os.listdir(folder.parent) == ["package"]


def test_concurrent_writers_leave_one_complete_package(tmp_path: Path) -> None:
    folder = tmp_path / "src" / "package"
    packages = [{f"{name}{number}.py": name * 1000 for number in range(20)} for name in "abcd"]

    def work(files: dict[str, str]) -> None:
        for _ in range(10):
            with contextlib.suppress(OSError):
                write(files, folder)

    threads = [threading.Thread(target=work, args=(files,)) for files in packages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    written = {path: text.decode() for path, text in read_files(folder).items()}
    assert written in packages
    assert os.listdir(folder.parent) == ["package"]


def test_symbolic_link_to_a_folder_is_preserved(tmp_path: Path) -> None:
    real_folder, link = tmp_path / "real", tmp_path / "link"
    real_folder.mkdir()
    try:
        link.symlink_to(real_folder, target_is_directory=True)
    except OSError:
        pytest.skip("links are not allowed here")
    write({"a.py": ""}, link)
    assert link.is_symlink()
    assert list(read_files(real_folder)) == ["a.py"]
