"""Errors of the command advise what to type at the shell, not what to write in Python."""

from __future__ import annotations

import ast
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import alyx_client
from alyx_client.cli.advice import for_the_shell
from alyx_client.config.servers_toml import servers_file
from alyx_client.testing import LocalAlyx
from tests.faults import (
    FaultServer,
    Step,
    closed_port,
    html_response,
    json_response,
    redirect,
    silent,
    too_many,
    truncated_json,
    unavailable,
)

from .conftest import Result, Run

PYTHON = re.compile(
    r"\bclient\.\w|\bAlyx\w*Client\b|\b[a-z_]{3,}=(?![=\d])|\w\(\)(?! takes)|\bNone\b|\bSSLContext\b|`|\b\w+Error\b"
    r"|\bno_cache\b|\bkeep_tree\b|\btarget_dir\b|\bdictionary\b|\bkeyword argument|\bpositional\b|<\w+Field "
)
KEY = "5a2c6a0e-e4b8-4d5c-9c7e-3a0f2d1a9b11"


def check(result: Result, code: int, *parts: str) -> None:
    assert result.code == code, result.err
    assert "Traceback" not in result.err
    lines = result.err.splitlines()
    assert lines[0].startswith("alyx: ")
    # A list of records or of files has a line for each; anything else is one line.
    assert all(line.startswith(("alyx: ", "- ")) for line in lines)
    for part in parts:
        assert part in result.err
    # Addresses, and what the server says, are not the client's words.
    found = PYTHON.search(re.sub(r"https?://\S+|Object with \S+ does", "", result.err))
    assert not found, f"{found and found[0]!r} in {result.err}"


LOGINS = [
    ([], "olivier", ["list", "labs"], "Run: alyx login; or set ALYX_USERNAME"),
    ([], "wrong", ["login", "-u", "olivier", "--password-stdin"], "Check both"),
    ([], "0" * 40, ["login", "--token-stdin"], "Log in again: alyx login"),
    ([], "", ["login"], "pass --username NAME with --password-stdin"),
    ([], "", ["whoami"], "run: alyx login"),
    (["0" * 40], "", ["list", "labs"], "Log in again: alyx login (or correct ALYX_TOKEN"),
    (["0" * 40], "", ["whoami"], "Log in again: alyx login (or correct ALYX_TOKEN"),
]


@pytest.mark.parametrize(("token", "stdin", "words", "advice"), LOGINS)
def test_logins(
    alyx: LocalAlyx,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    token: list[str],
    stdin: str,
    words: list[str],
    advice: str,
) -> None:
    monkeypatch.setenv("ALYX_URL", alyx.url)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{stdin}\n"))
    if token:
        monkeypatch.setenv("ALYX_TOKEN", token[0])
    check(run(*words), 4, advice)


def test_logins_at_another_server(alyx: LocalAlyx, run: Run) -> None:
    """The command that is advised goes to the server of this one."""
    check(run("--url", alyx.url, "list", "labs"), 4, f"Run: alyx --url {alyx.url} login")
    secret = run("--url", "http://me:secret@127.0.0.1", "list", "labs")
    check(secret, 2, "holds a user name")
    assert "secret" not in secret.err


LOCAL: list[tuple[int, list[str], str]] = [
    (3, ["get", "subjects", "nobody"], "Check the key; alyx list subjects shows the records"),
    (3, ["get", "subjects", "a/b"], "alyx list subjects --nickname a/b finds it"),
    (3, ["open", "subjects", "nobody"], "alyx list subjects shows"),
    (3, ["delete", "water-administrations", KEY, "--yes"], "alyx list water-administrations shows"),
    (2, ["get", "sessions", "5"], "Find the record with alyx list sessions, and pass its id"),
    (2, ["get", "subjects", "https://other.example.org/subjects/x"], "choose another server with --url"),
    (2, ["create", "subjects", "--lab", "cortexlab"], "nickname: is missing"),
    (1, ["create", "subjects", "--nickname", "flowers", "--lab", "cortexlab"], "nickname"),
    (1, ["update", "subjects", "flowers", "--lab", "nowhere"], "lab: "),
    (2, ["create", "subjects", "--from", "nan.json"], "write null"),
    (2, ["create", "weighings", "--from", "unknown.json"], "did you mean weight?"),
    (1, ["create", "weighings", "--from", "missing.json"], "missing.json: No such file"),
    (2, ["create", "weighings", "--from", "broken.json"], "broken.json is not JSON"),
    (1, ["create", "weighings", "--from", "many.jsonl"], "- record 2: The server rejected"),
    (5, ["list", "sessions", "--django", "nofield,1"], "unknown name in --django"),
    (2, ["list", "subjects", "--lb", "x"], "Did you mean '--lab'?"),
    (2, ["list", "subjcts"], "Did you mean 'subjects'"),
    (2, ["list", "sessions", "--where", "qc == 'GOOD'"], "They are: 'NOT_SET'"),
    (2, ["list", "sessions", "--where", "nofield == 1"], "there is no field"),
    (2, ["list", "sessions", "--where", "number ="], "no expression"),
    (2, ["list", "sessions", "--where", "start_time >= 'x'"], "start_time takes a date-time"),
    (2, ["list", "sessions", "--where", "start_time.date == datetime(2020, 1, 1)"], "write it as 2026-01-31"),
    (2, ["list", "sessions", "--where", "narrative.range(1)"], "write range(first, last)"),
    (2, ["list", "sessions", "--where", "json['a'].foo(1)"], "there is no comparison 'foo'"),
    (2, ["list", "sessions", "--where", "subject > 5"], "compare one of its fields"),
    (2, ["get", "subjects", ""], "alyx list subjects --where 'nickname == '"),
    (2, ["list", "labs", "-o", "labs.xlsx"], "--output: .xlsx is no format; add --format, or write .csv"),
    (2, ["create", "subjects", "--nickname", "x", "--lab", "cortexlab", "--json", "{a: 3}"], "single quotes around it"),
    (2, ["create", "weighings", "--from", "second.jsonl"], "line 2 of second.jsonl is not JSON: Expecting value"),
    (1, ["list", "labs", "-o", "missing/labs.csv"], "missing/labs.csv: No such file"),
    (2, ["download", "x.npy"], "alyx login --setup, or ALYX_DATA_SERVER"),
    (2, ["download", "https://other.example.org/x.npy"], "download the file with another program"),
    (1, ["download", "x.npy", "y.npy"], "- Which server is 'x.npy' on?"),
    (5, ["--offline", "get", "subjects", KEY], "leave out --offline"),
    (5, ["--offline", "create", "weighings", "--weight", "1", "--subject", "x"], "leave out --offline"),
    (2, ["--timeout", "-1", "list", "labs"], "--timeout -1: pass a positive number"),
]


@pytest.mark.parametrize(("code", "words", "advice"), LOCAL, ids=[" ".join(words) for _, words, _ in LOCAL])
def test_calls(
    logged_in: LocalAlyx,
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    words: list[str],
    advice: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("nan.json").write_text('{"nickname": "x", "lab": "cortexlab", "json": [NaN]}')
    Path("unknown.json").write_text('{"wieght": 20, "subject": "flowers"}')
    Path("broken.json").write_text("{")
    Path("second.jsonl").write_text('{"weight": 20}\n{"weight": \n')
    many = [{"weight": 20, "subject": name} for name in ("flowers", "nobody")]
    Path("many.jsonl").write_text("\n".join(map(json.dumps, many)))
    check(run(*words), code, advice)


def test_files(logged_in: LocalAlyx, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALYX_DATA_SERVER", logged_in.data_url)
    check(run("download", "a/x.npy"), 4, "alyx login --setup, or ALYX_DATA_USERNAME and ALYX_DATA_PASSWORD")
    check(run("download", "a/x.npy", "b/x.npy"), 1, "Add --tree to keep the server's folders")
    if Path("/dev/full").exists():
        check(run("list", "labs", "--output", "/dev/full"), 1, "No space left on device")


PAGE = {"count": 1, "next": None, "previous": None, "results": [{"name": 5}]}
FAULTS: list[tuple[str, Step, int, str]] = [
    ("400", json_response({"name": ["Too long."]}, status=400), 1, "name: Too long."),
    ("403", json_response({"detail": "Not yours."}, status=403), 4, "Ask the server's administrator"),
    ("404", html_response(404), 3, "The server has nothing at"),
    ("405", json_response({"detail": "Method."}, status=405), 5, "may lack this action"),
    ("407", json_response({}, status=407), 5, "NO_PROXY"),
    ("409", json_response({"detail": "conflict"}, status=409), 1, "status 409"),
    ("414", html_response(414), 5, "if each has --id"),
    ("429", too_many("100"), 5, "wait 100 s"),
    ("500", json_response({"detail": "x"}, status=500), 5, "check the filters and values"),
    ("503", unavailable(), 5, "503"),
    ("no JSON", html_response(), 5, "Is the address that of an Alyx server"),
    ("broken JSON", truncated_json([]), 5, "Is the address that of an Alyx server"),
    ("no page", json_response(5), 5, "Is the address that of an Alyx server"),
    ("login page", redirect("https://example.org/login"), 5, "if it is a login page, log in there"),
    ("circle", redirect("/labs"), 5, "in circles"),
    ("no response", silent(), 5, "(--timeout SECONDS before the command, or ALYX_TIMEOUT)"),
    ("drift", json_response(PAGE), 0, "If alyx --url"),
]


@pytest.mark.parametrize(("name", "step", "code", "advice"), FAULTS, ids=[case[0] for case in FAULTS])
def test_servers(run: Run, monkeypatch: pytest.MonkeyPatch, name: str, step: Step, code: int, advice: str) -> None:
    monkeypatch.setenv("ALYX_TOKEN", "1" * 40)
    # What is tried again until the time has run out must not take long; the others must not run out of it.
    seconds = "0.3" if name in {"no response", "500", "503"} else "30"
    with FaultServer(then=step) as server:
        check(run("--url", server.url, "--timeout", seconds, "list", "labs"), code, advice)


def test_no_server(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALYX_TOKEN", "1" * 40)
    address = f"http://127.0.0.1:{closed_port()}"
    check(run("--url", address, "--timeout", "1", "list", "labs"), 5, "--timeout SECONDS", "Check the address")
    monkeypatch.setenv("HTTP_PROXY", address)
    refused = run("--url", "http://alyx.example.org", "--timeout", "1", "list", "labs")
    check(refused, 5, "NO_PROXY exempts servers")


SETTINGS = [("x = [", "move the file away and run: alyx login"), ("default = 5", "or run: alyx login --setup")]


@pytest.mark.parametrize(("text", "advice"), SETTINGS)
def test_settings_files(alyx: LocalAlyx, run: Run, monkeypatch: pytest.MonkeyPatch, text: str, advice: str) -> None:
    servers_file().parent.mkdir(parents=True)
    servers_file().write_text(text)
    monkeypatch.setattr(sys, "stdin", io.StringIO("olivier\n"))
    check(run("login", alyx.url, "-u", "olivier", "--password-stdin"), 2, advice)


# Rooms whose errors no command meets: calls by name, ONE, tables, values that only Python has, several calls at once.
_NEVER = ("one/", "rest/", "frames/", "bulk/", "cli/", "testing/", "endpoints/", "runtime/references.py")
# Messages of the other rooms that no command meets, by their beginning.
_NOT_MET = (
    "A client travels to other processes",
    "Setup prompts at a terminal",
    "Which server? Pass its address",  # `Session.url` has its own words
    "Make it the server that AlyxClient() connects to?",
    "Which Alyx server? Without one",
    "A client without endpoints of its own",
    "It is one of ",  # the command takes datasets, and sessions with --session
    "client.rest(",
    "`with client.cache_disabled():` passes",  # the command knows the filters
    "Python is exiting and starts no more threads",
    *("SELECT ", "UPDATE ", "DELETE "),
)


def _messages() -> Iterator[tuple[str, str]]:
    root = Path(alyx_client.__file__).parent
    for file in sorted(root.rglob("*.py")):
        name = file.relative_to(root).as_posix()
        if not name.startswith(_NEVER):
            yield from ((name, text) for text in _texts(ast.parse(file.read_text(encoding="utf-8"))))


def _texts(tree: ast.Module) -> Iterator[str]:
    """Yield the texts of a module that may be messages; a value in them is ``X``."""
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr(values=values):
                yield "".join(str(one.value) if isinstance(one, ast.Constant) else "X" for one in values)
            case ast.Constant(value=str() as text) if id(node) not in parts | documentation:
                yield text
            case _:
                pass


def test_messages_of_the_client_have_advice() -> None:
    """A new message that names calls of Python needs a row in the table."""
    names = "[a-z]*_?timeout|username|token|password|cache_dir|data_server|max_response_bytes|min_download_rate"
    calls = re.compile(rf"\bclient\.\w+\(|\bAlyxClient\b|\b({names})=(?!\w)")
    unknown = [
        f"{name}: {text}"
        for name, text in _messages()
        if " " in text and not text.startswith(_NOT_MET) and calls.search(for_the_shell(text))
    ]
    assert unknown == []
