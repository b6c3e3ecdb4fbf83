"""The command ``alyx-generate``: help, sources, ``fetch``, exit codes and output."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from alyx_generator.cli import probe as probe_command
from alyx_generator.cli import probe_query, terminal
from alyx_generator.source.fetch import SchemaSource, read_source

from alyx_client import __version__
from alyx_client.testing import LocalAlyx

from .commands import generate_client, run, run_process, schema
from .test_compare import legacy

ROOT = Path(__file__).parents[2]

COMMANDS = ("fetch", "client", "check", "diff", "probe")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example_and_the_exit_codes(name: str) -> None:
    text = run(name, "--help").stdout
    assert f"\n    alyx-generate {name} " in text
    assert "\n    0  " in text
    assert "\n    3  " in text


def test_main_help_lists_the_commands() -> None:
    text = run("--help").stdout
    assert all(f"\n  {name} " in text for name in COMMANDS)
    assert "\n  snapshot " not in text


def test_missing_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['typer'] = None; from alyx_generator.__main__ import main; sys.exit(main(['--help']))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 3
    assert result.stderr == 'alyx-generate needs typer: pip install "alyx-client[generator]"\n'


def test_interruption_during_startup_prints_no_traceback() -> None:
    code = (
        "import sys\n"
        "class Interrupts:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'typer': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupts())\n"
        "from alyx_generator.__main__ import main; sys.exit(main(['--help']))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 130
    assert result.stderr == "alyx-generate: interrupted\n"


def test_kinds_of_sources_are_distinguished(project: Path) -> None:
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
def test_invalid_source_is_a_usage_error(project: Path, source: str, message: str) -> None:
    result = run("fetch", source)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "secret" not in result.output


@pytest.mark.parametrize("text", ["", "<html>", "[1]", "{}", '{"openapi": "2.0"}', "[" * 100_000])
@pytest.mark.parametrize(
    "command", [("fetch",), ("client", "--package", "lab_alyx", "--out", "src"), ("diff", "shipped")]
)
def test_file_without_a_schema_is_unreadable(project: Path, text: str, command: tuple[str, ...]) -> None:
    Path("bad.json").write_text(text)
    result = run(*command, "bad.json")
    assert result.exit_code == 3
    assert result.stderr.startswith("alyx-generate: ")
    assert result.stdout == ""
    assert not Path("src").exists()


def test_unreachable_server_is_unreadable(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALYX_TOKEN", "0" * 40)
    with LocalAlyx(seed=False) as alyx:
        url = alyx.url
    result = run("fetch", url)
    assert result.exit_code == 3
    assert url.removeprefix("http://") in result.stderr


@pytest.mark.usefixtures("login")
def test_fetch_writes_the_schema_unchanged(project: Path, local: LocalAlyx) -> None:
    result = run("fetch", local.url, "--out", "new/alyx.json")
    assert result.exit_code == 0, result.output
    assert Path("new/alyx.json").read_bytes() == json.dumps(local.published.raw, indent=4).encode()
    assert "OpenAPI 3" in result.stderr
    assert run("fetch", local.url).stdout_bytes == Path("new/alyx.json").read_bytes()


@pytest.mark.usefixtures("login")
def test_coreapi_is_requested_from_a_server_without_openapi(project: Path) -> None:
    with LocalAlyx(legacy(), seed=False) as alyx:
        result = run("fetch", alyx.url, "--out", "legacy.json")
        assert result.exit_code == 0, result.output
        assert json.loads(Path("legacy.json").read_bytes()) == legacy()
        assert "CoreAPI" in result.stderr
        folder = generate_client(alyx.url)
        assert run("check", folder).exit_code == 0
    assert "def list" in (folder / "labs.py").read_text()


def test_fetch_without_credentials_names_them(project: Path, local: LocalAlyx) -> None:
    result = run("fetch", local.url, "--out", "alyx.json")
    assert result.exit_code == 3
    assert "ALYX_TOKEN" in result.stderr
    assert not Path("alyx.json").exists()


def test_fetch_of_an_invalid_schema_leaves_the_file_unchanged(project: Path) -> None:
    Path("bad.json").write_text("{}")
    before = Path("schema.json").read_bytes()
    assert run("fetch", "bad.json", "--out", "schema.json").exit_code == 3
    assert Path("schema.json").read_bytes() == before


def test_fetch_to_a_folder_is_an_error(project: Path) -> None:
    Path("folder").mkdir()
    result = run("fetch", "schema.json", "--out", "folder")
    assert result.exit_code == 3
    assert result.stderr == "alyx-generate: folder is a folder; name a file in it\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name here")
def test_named_pipe_is_written_to_and_not_replaced(project: Path) -> None:
    os.mkfifo("pipe")
    handle = os.open("pipe", os.O_RDWR)  # so that neither side waits for the other
    try:
        assert run("fetch", "schema.json", "--out", "pipe").exit_code == 0
        assert os.read(handle, 1_000_000) == Path("schema.json").read_bytes()
    finally:
        os.close(handle)
    assert Path("pipe").is_fifo()


def test_write_error_names_the_file(project: Path) -> None:
    name = "a" * 250
    for arguments in (("fetch", "schema.json", "-o", name), ("client", "schema.json", "-p", name, "-o", ".")):
        result = run(*arguments)
        assert (result.exit_code, result.stderr.count(name)) == (3, 1)
        assert f"{name}: " in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("client", "schema.json", "-p", "lab_alyx", "-o", "afile"), "afile: "),
        (("docs", "schema.json", "-p", "lab_alyx", "-o", "afile/docs"), "afile: "),
        (("diff", "3.6.1", "schema.json", "--overlay", "nosuch.yaml"), "nosuch.yaml: No such file or directory; check"),
        (("fetch", "schema.json", "-o", "afile/x.json"), "afile: "),
        (("fetch", "part.json"), "part.json: the schema is not JSON: its end is missing; fetch it again"),
        (("fetch", "wrong.json"), "wrong.json: the schema is not JSON: Expecting property name"),
        (("fetch", "nothing.json"), "nothing.json: the schema is empty"),
        (("fetch", "deep.json"), "deep.json: the schema is not JSON that can be read: it nests too deeply"),
    ],
)
def test_errors_name_the_file_and_a_remedy(project: Path, arguments: tuple[str, ...], message: str) -> None:
    texts = {"afile": "", "part.json": '{"openapi": "3.0', "wrong.json": "{x}", "nothing.json": " \n"}
    for name, text in {**texts, "deep.json": "[" * 100_000 + "]"}.items():
        Path(name).write_text(text)
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith(f"alyx-generate: {message}")
    assert sorted(os.listdir()) == sorted([*texts, "deep.json", "lab.overlay.yaml", "pyproject.toml", "schema.json"])


def test_full_disk_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", refuse)
    result = run("client", "schema.json", "-p", "lab_alyx", "-o", "src")
    assert result.exit_code == 3
    assert "No space left on device; free some space there" in result.stderr
    assert str(Path(tempfile.gettempdir())) in result.stderr, "the source is formatted there"
    assert not Path("src").exists()


def test_schema_in_the_encoding_of_windows_powershell_is_read(project: Path) -> None:
    Path("redirected.json").write_text(Path("schema.json").read_text(), encoding="utf-16")
    assert run("diff", "schema.json", "redirected.json", "--fail-on", "any").exit_code == 0


def test_refused_token_is_explained_for_the_shell(
    project: Path, local: LocalAlyx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALYX_TOKEN", "0" * 40)
    result = run("fetch", local.url)
    assert result.exit_code == 3
    assert "Log in again: alyx login (or correct ALYX_TOKEN, if it is set)." in result.stderr


def test_pretty_changes_only_the_layout(project: Path) -> None:
    assert run("fetch", "schema.json", "--pretty", "--out", "pretty.json").exit_code == 0
    text = Path("pretty.json").read_text(encoding="utf-8")
    assert json.loads(text) == schema()
    assert text.count("\n") > 50


def test_installed_command_has_the_same_exit_codes(project: Path) -> None:
    assert run_process("diff", "schema.json", "schema.json").returncode == 0
    assert run_process("diff", "schema.json").returncode == 2
    missing = run_process("fetch", "nowhere.json")
    assert missing.returncode == 2
    assert "Traceback" not in missing.stderr
    assert run_process("check", ROOT / "tests").returncode == 2


def test_progress_is_not_printed_without_a_terminal(project: Path) -> None:
    result = run_process("diff", "schema.json", "schema.json")
    assert result.stderr == ""


def test_output_is_utf8_regardless_of_the_code_page(project: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    command = [sys.executable, "-m", "alyx_generator", "diff", "schema.json", "schema.json", "--format", "markdown"]
    result = subprocess.run(command, env=environment, capture_output=True, check=True)
    assert "→" in result.stdout.decode()


def test_version_is_shown() -> None:
    assert run("--version").stdout == f"alyx-generate {__version__}\n"


@pytest.mark.parametrize("options", [(), ("--query-model",)])
@pytest.mark.parametrize("stored", [True, False])
def test_interrupted_probe_says_how_to_resume(
    project: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], stored: bool
) -> None:
    def interrupt(*_: object, state: Path, **__: object) -> None:
        if stored:
            state.write_text("")
        raise KeyboardInterrupt

    monkeypatch.setattr(probe_command.run, "probe", interrupt)
    monkeypatch.setattr(probe_query, "probe_query_model", interrupt)
    url = "http://127.0.0.1:9"  # nothing is sent
    result = run("probe", url, "--schema", "schema.json", "--out", "out.yaml", *options)
    assert result.exit_code == 130
    how = "; the same command resumes from out.yaml.unfinished" if stored else ""
    assert result.stderr == f"alyx-generate: interrupted{how}\n"


def test_progress_is_for_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    terminal.progress("Comparing")
    assert capsys.readouterr().err == "Comparing …\n"


def test_reader_that_is_gone_is_no_error() -> None:
    def write() -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):  # for Click, which ends quietly
        terminal.command(write)()
