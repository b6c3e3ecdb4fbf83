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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from alyx_generator.cli.app import app
from alyx_generator.package.manifest import (
    Manifest,
    PackageNameError,
    check_package_name,
    read_manifest,
    write_manifest,
)
from alyx_generator.package.write import write
from alyx_generator.source.fetch import SchemaSource, read_source
from click.testing import Result
from typer.testing import CliRunner

from alyx_client.schema.surface_text import fingerprint, load
from alyx_client.testing import LocalAlyx

from .inline import resource
from .test_compare import legacy

ROOT = Path(__file__).parents[2]
COMMANDS = ("fetch", "client", "check", "diff", "probe")
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
    return CliRunner().invoke(app, [str(each) for each in arguments])


def real(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "alyx_generator", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def schema(**properties: Any) -> dict[str, Any]:
    document = resource({"label": {"type": "string", "description": "What is on the cage."}, **properties})
    document["paths"]["/things"]["get"]["description"] = "Things of this lab."
    return document


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project's folder, which is the working folder too."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("")
    (folder / "schema.json").write_text(json.dumps(schema()))
    (folder / "lab.overlay.yaml").write_text(OVERLAY)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="module")
def local() -> Iterator[LocalAlyx]:
    with LocalAlyx(seed=False) as alyx:
        yield alyx


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALYX_USERNAME", "admin")
    monkeypatch.setenv("ALYX_PASSWORD", "admin")


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def make(*arguments: object, package: str = "lab_alyx") -> Path:
    result = run("client", *(arguments or ("schema.json",)), "--package", package, "--out", "src")
    assert result.exit_code == 0, result.output
    return Path("src", package)


# --- help


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example_and_the_exit_codes(name: str) -> None:
    text = run(name, "--help").stdout
    assert f"\n    alyx-generate {name} " in text
    assert "\n    0  " in text
    assert "\n    3  " in text


def test_help_of_all_names_the_commands() -> None:
    text = run("--help").stdout
    assert all(f"\n  {name} " in text for name in COMMANDS)
    assert "\n  snapshot " not in text


def test_without_the_extra_it_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['typer'] = None; from alyx_generator.__main__ import main; sys.exit(main(['--help']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr == 'alyx-generate needs typer: pip install "alyx-client[generator]"\n'


def test_an_interruption_while_it_starts_is_no_traceback() -> None:
    code = (
        "import sys\n"
        "class Interrupts:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'typer': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupts())\n"
        "from alyx_generator.__main__ import main; sys.exit(main(['--help']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert done.stderr == "alyx-generate: interrupted\n"


# --- sources


def test_sources_are_told_apart(project: Path) -> None:
    assert read_source("https://Alyx.Lab.org/") == SchemaSource("server", "https://alyx.lab.org")
    assert read_source("schema.json") == SchemaSource("file", "schema.json")
    assert read_source("3.3.1") == SchemaSource("snapshot", "3.3.1")
    assert str(read_source("shipped")) == "Alyx 3.6.1"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere.json", "neither a file nor a shipped snapshot"),
        ("alyx.lab.org", "starts with https://"),
        ("https://user:secret@alyx.lab.org", "user name"),
        ("https://alyx.lab.org?token=secret", "without ?"),
    ],
)
def test_what_is_no_source_is_a_usage_error(project: Path, source: str, message: str) -> None:
    result = run("fetch", source)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "secret" not in result.output


@pytest.mark.parametrize("text", ["", "<html>", "[1]", "{}", '{"openapi": "2.0"}', "[" * 100_000])
@pytest.mark.parametrize(
    "command", [("fetch",), ("client", "--package", "lab_alyx", "--out", "src"), ("diff", "shipped")]
)
def test_a_file_that_holds_no_schema_is_unreadable(project: Path, text: str, command: tuple[str, ...]) -> None:
    Path("bad.json").write_text(text)
    result = run(*command, "bad.json")
    assert result.exit_code == 3
    assert result.stderr.startswith("alyx-generate: ")
    assert result.stdout == ""
    assert not Path("src").exists()


def test_a_server_that_is_not_there_is_unreadable(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALYX_TOKEN", "0" * 40)
    with LocalAlyx(seed=False) as alyx:
        url = alyx.url
    done = run("fetch", url)
    assert done.exit_code == 3
    assert url.removeprefix("http://") in done.stderr


# --- fetch


@pytest.mark.usefixtures("login")
def test_fetch_writes_what_the_server_sent(project: Path, local: LocalAlyx) -> None:
    done = run("fetch", local.url, "--out", "new/alyx.json")
    assert done.exit_code == 0, done.output
    assert Path("new/alyx.json").read_bytes() == json.dumps(local.published.raw, indent=4).encode()
    assert "OpenAPI 3" in done.stderr
    assert run("fetch", local.url).stdout_bytes == Path("new/alyx.json").read_bytes()


@pytest.mark.usefixtures("login")
def test_a_server_without_openapi_is_asked_for_coreapi(project: Path) -> None:
    with LocalAlyx(legacy(), seed=False) as alyx:
        done = run("fetch", alyx.url, "--out", "legacy.json")
        assert done.exit_code == 0, done.output
        assert json.loads(Path("legacy.json").read_bytes()) == legacy()
        assert "CoreAPI" in done.stderr
        folder = make(alyx.url)
        assert run("check", folder).exit_code == 0
    assert "def list" in (folder / "labs.py").read_text()


def test_fetch_without_a_login_says_how_to_log_in(project: Path, local: LocalAlyx) -> None:
    done = run("fetch", local.url, "--out", "alyx.json")
    assert done.exit_code == 3
    assert "ALYX_TOKEN" in done.stderr
    assert not Path("alyx.json").exists()


def test_fetch_of_what_is_no_schema_leaves_the_file_as_it_was(project: Path) -> None:
    Path("bad.json").write_text("{}")
    before = Path("schema.json").read_bytes()
    assert run("fetch", "bad.json", "--out", "schema.json").exit_code == 3
    assert Path("schema.json").read_bytes() == before


def test_fetch_into_a_folder_says_so(project: Path) -> None:
    Path("folder").mkdir()
    done = run("fetch", "schema.json", "--out", "folder")
    assert done.exit_code == 3
    assert done.stderr == "alyx-generate: folder is a folder; name a file in it\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name here")
def test_a_device_or_a_pipe_is_written_to_and_not_replaced(project: Path) -> None:
    os.mkfifo("pipe")
    handle = os.open("pipe", os.O_RDWR)  # so that neither side waits for the other
    try:
        assert run("fetch", "schema.json", "--out", "pipe").exit_code == 0
        assert os.read(handle, 1_000_000) == Path("schema.json").read_bytes()
    finally:
        os.close(handle)
    assert Path("pipe").is_fifo()


def test_an_error_names_what_was_to_be_written(project: Path) -> None:
    name = "a" * 250
    for arguments in (("fetch", "schema.json", "-o", name), ("client", "schema.json", "-p", name, "-o", ".")):
        done = run(*arguments)
        assert (done.exit_code, done.stderr.count(name)) == (3, 1)
        assert f"'{name}'" in done.stderr


def test_pretty_changes_the_layout_alone(project: Path) -> None:
    assert run("fetch", "schema.json", "--pretty", "--out", "pretty.json").exit_code == 0
    text = Path("pretty.json").read_text(encoding="utf-8")
    assert json.loads(text) == schema()
    assert text.count("\n") > 50


# --- client


@pytest.mark.usefixtures("login")
def test_a_client_of_a_server_works(project: Path, local: LocalAlyx) -> None:
    done = real("client", local.url, "--package", "from_server", "--out", "src", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["totals"]["endpoints"] > 30
    code = f"from from_server import Client; print(len(Client({local.url!r}).labs.list()))"
    environment = {**os.environ, "PYTHONPATH": "src"}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert read_manifest(Path("src/from_server")).source == SchemaSource("server", local.url)


def test_a_package_has_all_that_it_needs(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make(package="complete_alyx")
    assert set(content(folder)) == {
        *("README.md", "__init__.py", "client.py", "generated.toml", "models.py"),
        *("py.typed", "surface.jsonl", "things.py"),
    }
    assert len((folder / "README.md").read_text().splitlines()) <= 14
    monkeypatch.syspath_prepend("src")
    package = importlib.import_module("complete_alyx")
    for kind in (package.Client, package.AsyncClient):
        text = importlib.resources.files(kind._surface).joinpath("surface.jsonl").read_text(encoding="utf-8")
        assert fingerprint(load(text)) == read_manifest(folder).fingerprint


def test_the_servers_own_words_become_docstrings(project: Path) -> None:
    text = (make() / "things.py").read_text()
    assert "Things of this lab." in text
    assert "What is on the cage." in text


def test_packages_live_side_by_side(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("other.json").write_text(json.dumps(schema(colour={"type": "string"})))
    make(package="one_alyx")
    make("other.json", package="other_alyx")
    monkeypatch.syspath_prepend("src")
    one, other = (importlib.import_module(f"{name}.models") for name in ("one_alyx", "other_alyx"))
    shipped = importlib.import_module("alyx_client.models")
    assert set(other.ThingRecord.model_fields) - set(one.ThingRecord.model_fields) == {"colour"}
    assert not hasattr(shipped, "Thing")
    assert hasattr(importlib.import_module("other_alyx").Client, "things")
    assert hasattr(importlib.import_module("alyx_client").AlyxClient, "subjects")


def test_the_same_bytes_twice_and_in_another_place(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = content(make("schema.json", "--overlay", "lab.overlay.yaml"))
    moved = tmp_path / "elsewhere" / "deeper"
    shutil.copytree(project, moved, ignore=shutil.ignore_patterns("src"))
    monkeypatch.chdir(moved / ".git" if (moved / ".git").exists() else moved)
    assert content(make(moved / "schema.json", "--overlay", "./lab.overlay.yaml")) == first
    assert not any(str(tmp_path).encode() in text for text in first.values())


def test_own_corrections_apply_and_those_that_do_not_are_told(project: Path) -> None:
    result = run("client", "schema.json", "-p", "lab_alyx", "-o", "src", "--overlay", "lab.overlay.yaml")
    assert result.exit_code == 0
    own, _, shipped = result.stdout.partition("corrections of your own that do not fit:\n")[2].partition("shipped")
    assert own.split() == ["$.components.schemas.Elsewhere"]
    assert "$.components.schemas" in shipped
    assert "label: str | None" in Path("src/lab_alyx/things.py").read_text()


def test_fail_on_makes_missed_corrections_an_error_of_the_build(project: Path) -> None:
    arguments = ("client", "schema.json", "-p", "lab_alyx", "-o", "src", "--overlay", "lab.overlay.yaml", "--fail-on")
    assert run(*arguments, "corrections").exit_code == 1
    assert run(*arguments, "any").exit_code == 1
    assert run(*arguments, "findings").exit_code == 0
    assert Path("src/lab_alyx/client.py").is_file()


@pytest.mark.parametrize("text", ["a: [", "overlay: 1.0.0\nactions: [1]", "\x00", "nothing"])
def test_an_overlay_that_cannot_be_read_changes_nothing(project: Path, text: str) -> None:
    before = content(make())
    Path("bad.yaml").write_text(text)
    done = run("client", "schema.json", "-p", "lab_alyx", "-o", "src", "--overlay", "bad.yaml")
    assert done.exit_code == 3, done.output
    assert content(Path("src/lab_alyx")) == before


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ("5", "actions is a list"),
        ("[{target: $.info, description: x, updat: 1, 7: 2}]", "unknown key 7, updat"),
        ("[{target: $.info, description: x, update: {1: a}}]", "what JSON lacks"),
        ("[{target: $.info, description: x, update: {a: 2024-01-01}}]", "what JSON lacks"),
        ('[{target: $.info, description: x, remove: "false"}]', "true or false"),
        ("[{target: $, description: x, remove: true}]", "cannot be removed"),
        ("[", "bad.yaml is not YAML"),
    ],
)
def test_an_overlay_that_is_wrong_is_named_with_what_is_wrong(project: Path, actions: str, message: str) -> None:
    Path("bad.yaml").write_text(f"overlay: 1.0.0\nactions: {actions}\n")
    done = run("client", "schema.json", "-p", "lab_alyx", "-o", "src", "--overlay", "bad.yaml")
    assert done.exit_code == 3, done.output
    assert done.stderr.startswith("alyx-generate: bad.yaml")
    assert message in done.stderr


def test_reports_in_three_forms(project: Path) -> None:
    arguments = ("client", "schema.json", "-p", "lab_alyx", "-o", "src", "--format")
    assert "endpoints    1" in run(*arguments, "text").stdout
    assert "| `things` | list, read, create" in run(*arguments, "markdown").stdout
    report = json.loads(run(*arguments, "json").stdout)
    assert "things" in [each["name"] for each in report["endpoints"]]
    assert run(*arguments, "xml").exit_code == 2


@pytest.mark.parametrize(
    "name", ["", "a-b", "a.b", "class", "json", "JSON", "alyx_client", "httpx", "../x", "nul", "COM1", "ä", "1a"]
)
def test_names_that_no_package_can_have(project: Path, name: str) -> None:
    with pytest.raises(PackageNameError):
        check_package_name(name)
    assert run("client", "schema.json", "--package", name, "--out", "src").exit_code == 2
    assert not Path("src").exists()


@pytest.mark.parametrize("arguments", [("schema.json",), ("schema.json", "--package", "a1"), ("--package", "a1")])
def test_a_source_needs_a_package_and_a_place(project: Path, arguments: tuple[str, ...]) -> None:
    assert run("client", *arguments).exit_code == 2


def test_a_folder_of_something_else_is_not_replaced(project: Path) -> None:
    folder = Path("src/lab_alyx")
    folder.mkdir(parents=True)
    (folder / "pipeline.py").write_text("mine = True\n")
    done = run("client", "schema.json", "--package", "lab_alyx", "--out", "src")
    assert done.exit_code == 2
    assert "pipeline.py" in done.stderr
    assert list(content(folder)) == ["pipeline.py"]
    assert run("client", "schema.json", "-p", "lab_alyx", "-o", "src", "--force").exit_code == 0
    assert not (folder / "pipeline.py").exists()


@pytest.mark.parametrize("paths", [{}, []])
def test_a_schema_without_endpoints_replaces_nothing(project: Path, paths: Any) -> None:
    before = content(make())
    Path("empty.json").write_text(json.dumps({**schema(), "paths": paths}))
    done = run("client", "empty.json", "--package", "lab_alyx", "--out", "src")
    assert done.exit_code == 3
    assert "empty.json: the schema has no endpoints" in done.stderr
    assert content(Path("src/lab_alyx")) == before


def test_a_file_put_into_a_package_is_not_lost(project: Path) -> None:
    folder = make()
    (folder / "notes").mkdir()
    (folder / "notes" / "mine.txt").write_text("mine")
    assert run("client", "schema.json", "--package", "lab_alyx", "--out", "src").exit_code == 2
    assert (folder / "notes" / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("name", [".env", ".git/config"])
def test_hidden_files_in_the_folder_are_not_lost(project: Path, name: str) -> None:
    file = Path("src/lab_alyx", name)
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    done = run("client", "schema.json", "--package", "lab_alyx", "--out", "src")
    assert done.exit_code == 2
    assert name in done.stderr
    assert file.read_text() == "mine"


def test_what_python_and_editors_leave_is_no_obstacle(project: Path) -> None:
    folder = make()
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "client.pyc").write_bytes(b"")
    (folder / ".DS_Store").write_bytes(b"")
    make()
    assert run("check", folder).exit_code == 0


# --- writing


@pytest.mark.usefixtures("login")
@pytest.mark.parametrize(("kind", "options"), [("truncated_json", {}), ("html", {}), ("status", {"status": 500})])
def test_a_server_that_fails_leaves_the_package_as_it_was(
    project: Path, local: LocalAlyx, kind: Any, options: dict[str, Any]
) -> None:
    before = content(make())
    local.faults.add("/api/schema", kind, times=None, **options)
    try:
        done = run("client", local.url, "--package", "lab_alyx", "--out", "src")
    finally:
        local.faults.clear()
    assert done.exit_code == 3, done.output
    assert done.stderr.startswith("alyx-generate: ")
    assert content(Path("src/lab_alyx")) == before
    assert os.listdir("src") == ["lab_alyx"]


def test_an_error_half_way_leaves_the_package_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "src" / "package"
    write({"a.py": "old"}, folder)
    with pytest.raises(UnicodeEncodeError):
        write({"a.py": "new", "b.py": "\ud800"}, folder)
    assert content(folder) == {"a.py": b"old"}
    assert os.listdir(folder.parent) == ["package"]


@pytest.mark.parametrize("fails_at", [1, 2])
@pytest.mark.parametrize("error", [PermissionError("in use"), KeyboardInterrupt()])
def test_a_rename_that_fails_leaves_the_package_as_it_was(
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
    assert content(folder) == {"a.py": b"old"}
    assert os.listdir(folder.parent) == ["package"]


def test_writers_at_once_leave_one_whole_package(tmp_path: Path) -> None:
    folder = tmp_path / "src" / "package"
    sets = [{f"{name}{number}.py": name * 1000 for number in range(20)} for name in "abcd"]

    def work(files: dict[str, str]) -> None:
        for _ in range(10):
            with contextlib.suppress(OSError):
                write(files, folder)

    threads = [threading.Thread(target=work, args=(files,)) for files in sets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = {path: text.decode() for path, text in content(folder).items()}
    assert found in sets
    assert os.listdir(folder.parent) == ["package"]


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    real_folder, link = tmp_path / "real", tmp_path / "link"
    real_folder.mkdir()
    try:
        link.symlink_to(real_folder, target_is_directory=True)
    except OSError:
        pytest.skip("links are not allowed here")
    write({"a.py": ""}, link)
    assert link.is_symlink()
    assert list(content(real_folder)) == ["a.py"]


# --- check


def test_check_alone_knows_what_the_package_was_made_from(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make("schema.json", "--overlay", "lab.overlay.yaml").resolve()
    assert run("check", folder).exit_code == 0
    monkeypatch.chdir(folder)
    assert run("check", ".").exit_code == 0


def test_check_shows_what_differs_and_what_to_do(project: Path) -> None:
    folder = make("schema.json", "--overlay", "lab.overlay.yaml")
    Path("schema.json").write_text(json.dumps(schema(colour={"type": "string"})))
    done = run("check", folder)
    assert done.exit_code == 1
    assert "things.py: differs" in done.stdout
    assert "+" in done.stdout
    assert "The schema of schema.json has changed" in done.stdout
    command = "alyx-generate client schema.json --package lab_alyx --out src --overlay lab.overlay.yaml"
    assert command in done.stdout
    assert run(*command.split()[1:]).exit_code == 0
    assert run("check", folder).exit_code == 0


def test_check_writes_nothing(project: Path) -> None:
    folder = make()
    (folder / "things.py").write_text("# mine\n")
    (folder / "mine.py").write_text("")
    (folder / "models.py").unlink()
    before = content(project)
    done = run("check", folder, "--format", "json")
    assert done.exit_code == 1
    (package,) = json.loads(done.stdout)["packages"]
    assert {each["path"]: each["reason"].split()[0] for each in package["differences"]} == {
        "things.py": "differs",
        "mine.py": "is",
        "models.py": "is",
    }
    assert content(project) == before
    assert "````diff" in run("check", folder, "--format", "markdown", "--full").stdout


def test_check_against_another_source(project: Path) -> None:
    folder = make()
    Path("moved.json").write_text(json.dumps(schema()))
    assert run("check", folder, "--source", "moved.json").exit_code == 0
    Path("schema.json").unlink()
    done = run("check", folder)
    assert done.exit_code == 2
    assert "--source" in done.stderr
    Path("moved.json").write_text(json.dumps(schema(colour={"type": "string"})))
    assert run("check", folder, "--source", "moved.json").exit_code == 1


@pytest.mark.usefixtures("login")
def test_a_package_from_a_file_is_checked_against_the_server(project: Path, local: LocalAlyx) -> None:
    assert run("fetch", local.url, "--pretty", "--out", "alyx.json").exit_code == 0
    folder = make("alyx.json")
    assert run("check", folder, "--source", local.url).exit_code == 0
    Path("alyx.json").unlink()
    done = run("check", folder, "--source", "3.3.1")
    assert done.exit_code == 1
    assert "The schema of Alyx 3.3.1 has changed" in done.stdout
    assert "alyx-generate fetch 3.3.1 --pretty --out alyx.json\n" in done.stdout


def test_check_of_a_package_of_another_version_says_so(project: Path) -> None:
    folder = make()
    recipe = (folder / "generated.toml").read_text()
    (folder / "generated.toml").write_text(recipe.replace('version = "', 'version = "0.0.'))
    done = run("check", folder)
    assert done.exit_code == 1
    assert "alyx-client 0.0." in done.stdout


def test_a_schema_outside_the_project_is_named_again(project: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text(json.dumps(schema()))
    folder = make(outside)
    assert str(tmp_path) not in (folder / "generated.toml").read_text()
    assert run("check", folder).exit_code == 2
    assert run("check", folder, "--source", outside).exit_code == 0


@pytest.mark.parametrize("text", [None, "not toml", "package = 1", 'package = "a"\nserver = "x"\nfile = "y"'])
def test_check_of_a_folder_that_was_not_generated(project: Path, text: str | None) -> None:
    folder = make()
    if text is None:
        (folder / "generated.toml").unlink()
    else:
        (folder / "generated.toml").write_text(text)
    done = run("check", folder)
    assert done.exit_code == 2
    assert "generated.toml" in done.stderr


def test_a_recipe_comes_back_as_it_was_written(project: Path) -> None:
    folder = project / "src" / "lab_alyx"
    folder.mkdir(parents=True)
    strange = Path('a "b" ü\x7f\N{BRAIN}.yaml')
    recipe = Manifest("lab_alyx", SchemaSource("server", "https://alyx.lab.org"), (strange,), "1", "f")
    (folder / "generated.toml").write_text(write_manifest(recipe, folder), encoding="utf-8")
    assert read_manifest(folder) == recipe


# --- diff


def test_diff_of_the_snapshots() -> None:
    done = run("diff", "3.3.1", "shipped")
    assert done.exit_code == 0
    assert done.stdout.startswith("Alyx 3.3.1 -> Alyx 3.6.1: 2 break callers")


@pytest.mark.parametrize(
    ("fail_on", "backwards", "code"),
    [("breaking", False, 0), ("type-checks", False, 0), ("any", False, 1), ("breaking", True, 1), ("any", True, 1)],
)
def test_diff_fails_on_what_it_is_asked_to(project: Path, fail_on: str, backwards: bool, code: int) -> None:
    Path("new.json").write_text(json.dumps(schema(colour={"type": "string"})))
    sides = ("new.json", "schema.json") if backwards else ("schema.json", "new.json")
    assert run("diff", *sides, "--fail-on", fail_on).exit_code == code


def test_diff_in_three_forms(project: Path) -> None:
    done = run("diff", "schema.json", "schema.json", "--fail-on", "any")
    assert (done.exit_code, done.stdout) == (0, "schema.json -> schema.json: nothing changed\n")
    assert json.loads(run("diff", "schema.json", "schema.json", "--format", "json").stdout)["changes"] == []
    assert run("diff", "schema.json", "schema.json", "--format", "markdown").stdout.startswith("**schema.json →")


def test_own_corrections_apply_to_both_sides_of_a_diff(project: Path) -> None:
    assert run("diff", "schema.json", "schema.json", "--overlay", "lab.overlay.yaml", "--fail-on", "any").exit_code == 0
    assert yaml.safe_load(OVERLAY)["actions"]


# --- the command itself


def test_the_real_command_ends_with_the_same_codes(project: Path) -> None:
    assert real("diff", "schema.json", "schema.json").returncode == 0
    assert real("diff", "schema.json").returncode == 2
    missing = real("fetch", "nowhere.json")
    assert missing.returncode == 2
    assert "Traceback" not in missing.stderr
    assert real("check", ROOT / "tests").returncode == 2


def test_nothing_is_said_of_progress_where_nobody_looks(project: Path) -> None:
    done = real("diff", "schema.json", "schema.json")
    assert done.stderr == ""


def test_output_is_utf8_whatever_the_code_page(project: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    command = [sys.executable, "-m", "alyx_generator", "diff", "schema.json", "schema.json", "--format", "markdown"]
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    assert "→" in done.stdout.decode()
