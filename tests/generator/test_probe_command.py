"""``alyx-generate probe``: the overlay, the stored progress and the reports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from alyx_generator.source.overlay import read_overlay
from click.testing import Result

from alyx_client.testing import LocalAlyx

from ..faults import FaultServer, Step, json_response, page, too_many
from .commands import run
from .inline import resource

ROWS = [{"id": "a", "note": None}, {"id": "b", "note": "SECRET-8472"}]
QUICK = ("--per-minute", 1_000_000)


def schema() -> dict[str, Any]:
    return resource({"id": {"type": "string"}, "note": {"type": "string"}})


def routes(rows: list[Any] | None = None) -> dict[str, list[Step]]:
    rows = ROWS if rows is None else rows
    return {
        "/api/schema": [json_response(schema())] * 9,
        "/things": [page(rows)] * 9,
        **{f"/things/{row['id']}": [json_response(row)] * 9 for row in rows},
    }


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALYX_TOKEN", "t")
    return tmp_path


def probe(url: str, *options: object) -> Result:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ALYX_URL", url)  # for which the token is
        return run("probe", url, *QUICK, *options)


def test_overlay_contains_evidence_and_no_data(folder: Path) -> None:
    with FaultServer(routes=routes()) as server:
        result = probe(server.url)
        assert result.exit_code == 0, result.output
        assert {request.method for request in server.requests} == {"GET"}
    overlay = folder / "proposed.overlay.yaml"
    [correction] = read_overlay(overlay)
    assert correction.target == "$.components.schemas.Thing.properties.note"
    assert "1 of 2" in correction.description
    assert "Thing.note: declared string, found null\n  /things list: null in 1 of 2\n" in result.stdout
    assert "SECRET" not in result.output + overlay.read_text()
    assert sorted(path.name for path in folder.iterdir() if path.is_file()) == ["proposed.overlay.yaml"]


def test_proposed_overlay_leaves_no_findings(folder: Path) -> None:
    with FaultServer(routes=routes()) as server:
        assert probe(server.url, "--fail-on", "findings").exit_code == 1
        again = probe(server.url, "--overlay", "proposed.overlay.yaml", "--out", "second.yaml", "--fail-on", "findings")
    assert again.exit_code == 0, again.output
    assert "no errors in the schema" in again.stdout
    assert not (folder / "second.yaml").exists()


def test_existing_overlay_is_not_replaced(folder: Path) -> None:
    overlay = folder / "lab.overlay.yaml"
    overlay.write_text("ours")
    with FaultServer(routes=routes()) as server:
        result = probe(server.url, "--out", "lab.overlay.yaml")
        assert (result.exit_code, server.requests) == (2, [])
        assert "--force" in result.stderr
        assert overlay.read_text() == "ours"
        assert probe(server.url, "--out", "lab.overlay.yaml", "--force").exit_code == 0
    assert len(read_overlay(overlay)) == 1


def test_failed_probe_resumes(folder: Path) -> None:
    broken = routes()
    broken["/things/a"] = [too_many("9999"), *broken["/things/a"]]
    with FaultServer(routes=broken) as server:
        result = probe(server.url)
        assert result.exit_code == 3
        assert "Traceback" not in result.output
        assert [path.name for path in folder.glob("*.yaml*")] == ["proposed.overlay.yaml.unfinished"]
        assert probe(server.url).exit_code == 0
        assert server.count("/things") == 2  # again, for the lookup keys
    assert [path.name for path in folder.glob("*.yaml*")] == ["proposed.overlay.yaml"]


def test_state_of_another_probe_is_rejected(folder: Path) -> None:
    (folder / "proposed.overlay.yaml.unfinished").write_text("{}")
    with FaultServer(routes=routes()) as server:
        result = probe(server.url)
    assert result.exit_code == 2
    assert "proposed.overlay.yaml.unfinished" in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to another process")
def test_interrupted_probe_stores_its_progress_and_resumes(folder: Path) -> None:
    requested, may_continue = threading.Event(), threading.Event()

    def wait(received: Any, connection: Any) -> bool:
        requested.set()
        may_continue.wait(60)
        return json_response(ROWS[0])(received, connection)

    scripted = routes()
    scripted["/things/a"] = [wait, *scripted["/things/a"]]
    with FaultServer(routes=scripted) as server:
        command = [sys.executable, "-m", "alyx_generator", "probe", server.url, *map(str, QUICK)]
        environment = {**os.environ, "ALYX_URL": server.url}
        process = subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, text=True)
        assert requested.wait(60)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        may_continue.set()
        assert process.returncode == 130, errors
        assert "resumes from proposed.overlay.yaml.unfinished" in errors
        assert "Traceback" not in errors
        assert probe(server.url).exit_code == 0
    assert len(read_overlay(folder / "proposed.overlay.yaml")) == 1
    assert not (folder / "proposed.overlay.yaml.unfinished").exists()


def test_report_formats() -> None:
    with FaultServer(routes=routes()) as server:
        report = json.loads(probe(server.url, "--format", "json").stdout)
        assert report["server"] == server.url
        assert [(finding["field"], finding["declared"], finding["found"]) for finding in report["findings"]] == [
            ("Thing.note", "string", "null")
        ]
        assert report["findings"][0]["evidence"][0] == {"operation": "/things list", "found": {"null": 1}, "rows": 2}
        table = probe(server.url, "--format", "markdown", "--force").stdout
    assert "| Thing.note | string | null | /things list: null in 1 of 2<br>/things/{id} read: null in 1 of 2 |" in table


@pytest.mark.parametrize("source", ["3.6.1", "schema.json", "no server"])
def test_only_a_server_can_be_probed(folder: Path, source: str) -> None:
    (folder / "schema.json").write_text(json.dumps(schema()))
    assert run("probe", source).exit_code == 2


def test_rejected_token_is_reported(folder: Path) -> None:
    refused = {"/api/schema": [json_response({"detail": "Invalid token."}, status=401)] * 9}
    with FaultServer(routes=refused) as server:
        result = probe(server.url)
    assert result.exit_code == 3
    assert "Traceback" not in result.output
    assert list(folder.glob("*.yaml*")) == []


def test_local_alyx_matches_the_corrected_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalAlyx() as server:
        monkeypatch.setenv("ALYX_TOKEN", server.token())
        result = probe(server.url, "--rows", 20, "--reads", 3, "--fail-on", "findings")
    assert result.exit_code == 0, result.output
