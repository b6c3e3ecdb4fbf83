"""``alyx create``, ``alyx update`` and ``alyx delete``."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from alyx_client.testing import LocalAlyx

from .conftest import Run


def test_a_record_from_options(logged_in: LocalAlyx, run: Run) -> None:
    fields = ("--nickname", "CLI1", "--lab", "cortexlab", "--projects", "practice", "--json", '{"cage": 3}')
    before = len(logged_in.requests)
    shown = run("create", "subjects", *fields, "--dry-run")
    assert len(logged_in.requests) == before
    method, _, body = shown.out.partition("\n")
    assert method == f"POST {logged_in.url}/subjects"
    sent = {"nickname": "CLI1", "lab": "cortexlab", "projects": ["practice"], "json": {"cage": 3}}
    assert json.loads(body) == sent
    created = json.loads(run("create", "subjects", *fields).out)
    assert {name: created[name] for name in sent} == sent
    changed = json.loads(run("update", "subjects", "CLI1", "--sex", "F", "--death-date", "2026-01-31").out)
    assert (changed["sex"], changed["death_date"], changed["json"]) == ("F", "2026-01-31", {"cage": 3})
    assert json.loads(run("update", "subjects", "CLI1", "--null", "death-date").out)["death_date"] is None
    replaced = json.loads(
        run("update", "subjects", "CLI1", "--replace", "--nickname", "CLI1", "--lab", "cortexlab", "--json", "{}").out
    )
    assert replaced["json"] == {}
    dry = run("delete", "subjects", "CLI1", "--dry-run")
    assert dry.out == f"DELETE {logged_in.url}/subjects/CLI1\n"
    refused = run("delete", "subjects", "CLI1")
    assert (refused.code, "--yes" in refused.err) == (2, True)
    assert run("delete", "subjects", "CLI1", "--yes").err == "deleted CLI1\n"
    assert run("get", "subjects", "CLI1").code == 3


def test_records_from_files_and_stdin(
    logged_in: LocalAlyx, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "records.json"
    file.write_text('{"nickname": "CLI2", "lab": "hillside", "id": "set by the server"}')
    created = json.loads(run("create", "subjects", "--from", file, "--lab", "cortexlab").out)
    assert (created["nickname"], created["lab"]) == ("CLI2", "cortexlab")
    file.write_text('{"subject": "CLI2", "weight": 20}\n{"subject": "CLI2", "weight": 21}\n')
    rows = [json.loads(line) for line in run("create", "weighings", "--from", file).out.splitlines()]
    assert [row["weight"] for row in rows] == [20, 21]
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"description": "From stdin."}'))
    assert json.loads(run("update", "subjects", "CLI2", "--from", "-").out)["description"] == "From stdin."
    for text, message in (("{", "is not JSON"), ("[]", "no JSON object"), ("[1]", "no JSON object")):
        file.write_text(text)
        wrong = run("create", "subjects", "--from", file)
        assert (wrong.code, message in wrong.err, wrong.err.count("\n")) == (2, True, 1)
    assert run("create", "subjects", "--from", tmp_path / "missing.json").code == 1


def test_a_file_is_uploaded(logged_in: LocalAlyx, run: Run, tmp_path: Path) -> None:
    image = tmp_path / "brain.png"
    image.write_bytes(b"\x89PNG\r\n\x1a\n")
    session = json.loads(run("list", "sessions", "--max", 1).out)["id"]
    fields = ("--user", "admin", "--content-type", "session", "--object-id", session, "--text", "Hm.")
    shown = run("create", "notes", *fields, "--image", image, "--dry-run").out
    assert "image: file brain.png, 8 bytes, image/png" in shown
    note = json.loads(run("create", "notes", *fields).out)
    changed = run("update", "notes", note["id"], "--text", "Yes.", "--dry-run").out
    assert json.loads(changed.partition("\n")[2])["object_id"] == session


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["create", "subjects", "--lab", "cortexlab"], 2, "nickname: is missing"),
        (["create", "subjects", "--nickname", "a b", "--lab", "cortexlab"], 2, "nickname"),
        (["create", "subjects", "--nicknam", "x"], 2, "Did you mean '--nickname'"),
        (["create", "subjects", "--null", "labb"], 2, "no field 'labb'"),
        (["create", "weighings", "--subject", "nobody", "--weight", "20"], 1, "nobody"),
        (["create", "weighings", "--subject", "x", "--weight", "heavy"], 2, "--weight takes a number"),
        (["update", "subjects", "flowers"], 2, "nothing to change"),
        (["update", "subjects", "flowers", "--from", "two.jsonl"], 2, "takes one record"),
        (["create", "notes", "--from", "two.jsonl", "--image", "two.jsonl"], 2, "one record at a time"),
        (["create", "subjects", "--from", "deep.json"], 2, "nested too deeply"),
        (["update", "subjects", "--sex", "F"], 2, "pass the key"),
        (["update", "subjects", "nobody", "--sex", "F"], 3, "nobody"),
        (["delete", "subjects", "nobody", "--yes"], 3, "nobody"),
        (["delete", "surgeries", "x"], 2, "has no action 'delete'"),
    ],
)
def test_errors(
    logged_in: LocalAlyx,
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    note = {"user": "admin", "content_type": "session", "object_id": "5a2c6a0e-e4b8-4d5c-9c7e-3a0f2d1a9b11"}
    Path("two.jsonl").write_text(f"{json.dumps(note)}\n{json.dumps(note)}\n")
    Path("deep.json").write_text("[" * 200_000)
    result = run(*words)
    assert (result.code, result.out) == (code, "")
    assert message in result.err
    assert result.err.count("\n") == 1


def test_actions_without_fields(logged_in: LocalAlyx, run: Run) -> None:
    shown = run("create", "sync-file-status", "--dry-run")
    assert shown.out == f"POST {logged_in.url}/sync-file-status\n"
