"""``alyx-generate probe --query-model``: the fields that the ``django`` filter reaches, learnt from refusals."""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from alyx_generator.source.paths import query_models
from alyx_generator.source.query_model import read_query_model
from click.testing import Result

from ..faults import FaultServer, Step, html_response, json_response, page, response, too_many
from .commands import run
from .query_server import QueryServer, query_model, schema

# A subject's line is behind no list.
MODEL = query_model(
    {"sessions": "Session", "subjects": "Subject"},
    Session={
        "extended_qc": "JSONField",
        "id": "UUIDField",
        "number": "IntegerField",
        "parent_session": "ForeignKey:Session",
        "projects": "ManyToManyField:Project",
        "session": "ManyToOneRel:Session",
        "start_time": "DateTimeField",
        "subject": "ForeignKey:Subject",
    },
    Subject={
        "actions_sessions": "ManyToOneRel:Session",
        "birth_date": "DateField",
        "cull": "OneToOneRel:Cull",
        "id": "UUIDField",
        "line": "ForeignKey:Line",
        "nickname": "CharField",
        "object_id": "UUIDField",
        "to_be_culled": "BooleanField",
        "widget": "ForeignKey:Widget",
    },
    Line={
        "alleles": "ManyToManyField:Allele",
        "id": "UUIDField",
        "is_active": "BooleanField",
        "name": "CharField",
        "nickname": "CharField",
        "subject": "ManyToOneRel:Subject",
        "subject_autoname_index": "IntegerField",
        "target_phenotype": "CharField",
    },
    Allele={"id": "UUIDField", "line": "ManyToManyField:Line", "name": "CharField", "nickname": "CharField"},
    Cull={"date": "DateField", "id": "UUIDField", "subject": "OneToOneField:Subject"},
    Project={"id": "UUIDField", "name": "CharField", "session": "ManyToManyField:Session"},
    Widget={"id": "AutoField", "name": "CharField", "subject": "ManyToOneRel:Subject"},
)


SMALL = query_model(
    {"weighings": "Weighing"}, Weighing={"date_time": "DateTimeField", "name": "CharField", "weight": "FloatField"}
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALYX_TOKEN", "t")
    return tmp_path


def server(steps: Step, paths: Iterable[str] = MODEL.endpoints, first: Iterable[Step] = ()) -> FaultServer:
    """Return a server whose lists respond by a step, after some others."""
    running = FaultServer(first, then=steps)
    running.script("/api/schema", *[json_response(schema(paths))] * 9)
    return running


def probe(url: str, *options: object) -> Result:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ALYX_URL", url)  # for which the token is
        return run("probe", "--query-model", url, "--per-minute", 1_000_000, "--no-shipped", *options)


def conditions(running: FaultServer) -> list[str]:
    return [unquote(request.target) for request in running.requests if request.path != "/api/schema"]


def test_models_are_learnt_and_no_request_reaches_the_database(folder: Path) -> None:
    with server(QueryServer(MODEL)) as running:
        result = probe(running.url)
        assert result.exit_code == 0, result.output
        assert {request.method for request in running.requests} == {"GET"}
        requests = conditions(running)
    assert all(request.endswith("no_such_field,1&limit=1") for request in requests)
    assert len(requests) == len(set(requests))
    assert read_query_model(folder / "query.json") == MODEL
    assert f"7 models with 38 fields, behind 2 lists and their relations; {len(requests)} requests" in result.stdout
    assert "Widget: only common names were tried" in result.stdout.replace("Allele, Cull, Line, Project, ", "")
    assert [path.name for path in folder.iterdir() if path.is_file()] == ["query.json"]


def test_shipped_model_is_learnt_within_the_default_number_of_requests(folder: Path) -> None:
    shipped = query_models()["3.6.1"]
    model = read_query_model(shipped)
    with FaultServer(then=QueryServer(model, {"datasets": ["protected", "public"]})) as running:
        running.script("/api/schema", json_response(schema(model.endpoints, names=model.endpoints)))
        result = probe(running.url)
    assert result.exit_code == 0, result.output
    assert (folder / "query.json").read_text() == shipped.read_text()
    assert result.stdout.count("left out: it exists on its list only") == 2


def test_interrupted_probe_asks_nothing_twice(folder: Path) -> None:
    with server(QueryServer(MODEL)) as running:
        probe(running.url, "--out", "whole.json")
        total = len(conditions(running))
    served = QueryServer(MODEL)
    with server(served, first=[served] * 50 + [too_many("9999")]) as running:
        result = probe(running.url)
        assert result.exit_code == 3
        assert "Traceback" not in result.output
        [unfinished] = folder.glob("query.json*")
        if sys.platform != "win32":
            assert stat.S_IMODE(unfinished.stat().st_mode) == 0o600
        # As a process leaves it that is killed while it writes.
        unfinished.write_text(unfinished.read_text() + '["sessions?numb')
        assert probe(running.url).exit_code == 0
        assert len(conditions(running)) == total + 1  # that with status 429
    assert (folder / "query.json").read_text() == (folder / "whole.json").read_text()
    assert sorted(path.name for path in folder.glob("*.json*")) == ["query.json", "whole.json"]


@pytest.mark.parametrize("content", ["", "{}", "[]", '"another"\n', '"another"\n["a", {}]\n'])
def test_state_of_another_probe_is_rejected(folder: Path, content: str) -> None:
    (folder / "query.json.unfinished").write_text(content)
    with server(QueryServer(MODEL)) as running:
        result = probe(running.url)
        assert conditions(running) == []
    assert result.exit_code == 2
    assert "query.json.unfinished" in result.stderr


def test_number_of_requests_is_bounded(folder: Path) -> None:
    with server(QueryServer(MODEL)) as running:
        result = probe(running.url, "--requests", 40)
        assert result.exit_code == 3
        assert len(conditions(running)) == 40
        assert "--requests" in result.stderr
        assert probe(running.url).exit_code == 0
    assert read_query_model(folder / "query.json") == MODEL


def test_rate_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("alyx_generator.probe.pace.time.sleep", slept.append)
    with server(QueryServer(MODEL)) as running:
        result = probe(running.url, "--per-minute", 2, "--requests", 2)
    assert result.exit_code == 3
    assert 25 < slept[1] <= 30


def test_throttled_request_is_sent_again(folder: Path) -> None:
    with server(QueryServer(SMALL), SMALL.endpoints, first=[too_many("0")]) as running:
        assert probe(running.url).exit_code == 0
    assert read_query_model(folder / "query.json") == SMALL


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (html_response(500, "Server Error (500)"), "status 500"),
        (json_response({"status_code": 500, "detail": "Internal error"}, status=500), "status 500"),
        (json_response({"detail": "You do not have permission."}, status=403), "status 403"),
        (html_response(404, "Not Found"), "status 404"),
        (page([{"id": "a"}]), "it ignores the filter"),
    ],
)
def test_server_that_names_no_fields_is_reported(folder: Path, step: Step, reason: str) -> None:
    with server(step) as running:
        result = probe(running.url)
    assert result.exit_code == 3
    assert "does not name the fields of its models" in result.stderr
    assert reason in result.stderr
    assert not (folder / "query.json").exists()


@pytest.mark.parametrize("step", [json_response({"detail": "Invalid token."}, status=401), too_many("9999")])
def test_server_that_refuses_every_request_is_reported(folder: Path, step: Step) -> None:
    with server(step) as running:
        result = probe(running.url)
    assert result.exit_code == 3
    assert "does not name" not in result.stderr
    assert "Traceback" not in result.output


def test_list_that_names_no_fields_is_skipped(folder: Path) -> None:
    with server(QueryServer(SMALL), ["projects", *SMALL.endpoints]) as running:
        running.script("/projects", page([]))
        result = probe(running.url)
    assert "/projects skipped: it does not name the fields of its model (it ignores the filter)" in result.stdout
    assert read_query_model(folder / "query.json") == SMALL


def test_schema_without_the_filter_is_reported() -> None:
    with server(QueryServer(MODEL), ()) as running:
        result = probe(running.url)
    assert result.exit_code == 3
    assert "no list in the schema" in result.stderr


def in_debug_page(step: Step) -> Step:
    """Respond as Django does in debug mode, where the API has no handler for errors."""

    def respond(request: Any, connection: Any) -> bool:
        class Kept:
            content = b""

            def sendall(self, content: bytes) -> None:
                self.content = content

        kept: Any = Kept()
        step(request, kept)
        detail = json.loads(kept.content.partition(b"\r\n\r\n")[2])["detail"]
        text = f"<title>FieldError at /sessions</title><pre>{escape(detail)}</pre>".encode()
        return response(text, status=500, content_type="text/html")(request, connection)

    return respond


def test_debug_page_is_read(folder: Path) -> None:
    with server(in_debug_page(QueryServer(SMALL)), SMALL.endpoints) as running:
        assert probe(running.url).exit_code == 0
    assert read_query_model(folder / "query.json") == SMALL


def test_short_request_lines_are_enough(folder: Path) -> None:
    with server(QueryServer(MODEL, longest_target=400)) as running:
        assert probe(running.url).exit_code == 0
    assert read_query_model(folder / "query.json") == MODEL


def test_refused_lookups_are_reported() -> None:
    with server(QueryServer(SMALL, refused=["iso_year", "regex"]), SMALL.endpoints) as running:
        result = probe(running.url)
    assert "CharField: the server refuses regex\n" in result.stdout
    assert "DateTimeField: the server refuses iso_year\n" in result.stdout


def test_report_formats(folder: Path) -> None:
    with server(QueryServer(SMALL), SMALL.endpoints) as running:
        report = json.loads(probe(running.url, "--format", "json").stdout)
        assert (report["lists"], report["models"], report["fields"]) == (1, 1, 3)
        assert probe(running.url).exit_code == 2  # the file exists
        assert probe(running.url, "--force", "--fail-on", "findings").exit_code == 2
        assert probe(running.url, "--force", "--format", "markdown").stdout.startswith(
            f"# {running.url}: 1 model with 3 fields"
        )


def test_credentials_are_left_out(folder: Path) -> None:
    users = {"id": "UUIDField", "password": "CharField", "username": "CharField"}
    with server(QueryServer(query_model({"users": "User"}, User=users)), ["users"]) as running:
        assert probe(running.url).exit_code == 0
        assert not any("password__" in request for request in conditions(running))
    assert set(read_query_model(folder / "query.json").models["User"]) == {"id", "username"}


def test_fields_that_cannot_be_compared_are_left_out(folder: Path) -> None:
    notes = {"content_object": "GenericForeignKey", "id": "UUIDField", "text": "TextField"}
    with server(QueryServer(query_model({"notes": "Note"}, Note=notes)), ["notes"]) as running:
        assert probe(running.url).exit_code == 0
    assert set(read_query_model(folder / "query.json").models["Note"]) == {"id", "text"}
