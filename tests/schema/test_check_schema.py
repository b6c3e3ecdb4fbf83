"""The comparison of a server with the schema that its client was generated from."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.client import BaseClient
from alyx_client.errors import (
    AlyxConnectionError,
    AlyxError,
    ConfigurationError,
    NotFoundError,
    OfflineError,
    PermissionDeniedError,
    UnexpectedAnswerError,
)
from alyx_client.http.retry import Retries
from alyx_client.schema.report import Report
from alyx_client.testing import LocalAlyx
from tests.faults import FaultServer, Step, html_response, json_response

QUICK = Retries(base=0.001, cap=0.001)
LEGACY = Path(__file__).parents[1] / "generator" / "alyx-legacy.coreapi.json"
SETTINGS: dict[str, Any] = {"token": "t", "retries": QUICK, "silent": True}
Check = Callable[..., Report]


def synchronous(url: str, **settings: Any) -> Report:
    with AlyxClient(url, **SETTINGS | settings) as client:
        return client.check_schema()


def asynchronous(url: str, **settings: Any) -> Report:
    async def check() -> Report:
        async with AsyncAlyxClient(url, **SETTINGS | settings) as client:
            return await client.check_schema()

    return asyncio.run(check())


@pytest.fixture(params=[synchronous, asynchronous])
def check(request: pytest.FixtureRequest) -> Check:
    check: Check = request.param
    return check


@pytest.fixture(scope="module")
def local() -> Iterator[LocalAlyx]:
    with LocalAlyx() as server:
        yield server


def test_unchanged_server_has_no_changes(local: LocalAlyx, check: Check) -> None:
    report = check(local.url, token=local.token())
    assert not report
    assert report.text().splitlines()[0] == f"the schema of alyx_client.endpoints -> {local.url}: nothing changed"
    assert not report.fails("any")


def test_changes_of_an_older_server_have_the_names_of_the_client(check: Check) -> None:
    with LocalAlyx("alyx-3.3.1") as server:
        report = check(server.url, token=server.token())
        assert [change.name for change in report.of("breaking")] == ["client.data_notices"]
        assert {change.name for change in report.of("harmless")} == {
            "client.subjects.list(cull_method=)",
            "client.subjects.list(reduced=)",
        }
        assert report.fails("breaking")
        assert f"alyx-generate client {server.url} --package lab_alyx --out src" in str(report)


def test_coreapi_server_is_compared_as_far_as_its_document_goes(check: Check) -> None:
    with LocalAlyx(LEGACY) as server:
        report = check(server.url, token=server.token())
    assert "client.data_notices" in {change.name for change in report.of("breaking")}
    assert any("CoreAPI document" in note for note in report.notes)


def test_no_other_call_fetches_the_schema(local: LocalAlyx) -> None:
    with AlyxClient(local.url, token=local.token()) as client:
        local.requests.clear()
        client.labs.list()
        client.subjects.list(limit=1)[0]
        assert {request.path for request in local.requests} == {"/labs", "/subjects"}


def document(*names: str) -> dict[str, Any]:
    operation = {"parameters": [], "responses": {"200": {"description": ""}}}
    return {"openapi": "3.0.3", "info": {}, "paths": {f"/{name}": {"get": operation} for name in names}}


def test_schema_is_fetched_again_and_calls_by_name_follow_it() -> None:
    routes = {"/api/schema": [json_response(document("labs")), json_response(document("labs", "rooms"))]}
    with FaultServer(routes=routes) as server, AlyxClient(server.url, **SETTINGS) as client:
        assert client.rest_schemes.endpoints == ["labs"]
        assert "client.rooms" in {change.name for change in client.check_schema().of("harmless")}
        assert client.rest_schemes.endpoints == ["labs", "rooms"]
        assert server.paths == ["/api/schema"] * 2


def test_action_without_a_plain_name_is_named_by_its_path() -> None:
    routes = {"/api/schema": [json_response(document("labs", "labs/latest", "rooms"))]}
    with FaultServer(routes=routes) as server, AlyxClient(server.url, **SETTINGS) as client:
        added = {change.name for change in client.check_schema().of("harmless") if change.what == "added"}
    assert {"GET /labs/latest", "client.rooms"} <= added


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (json_response({"detail": "no"}, status=403), PermissionDeniedError),
        (html_response(200), UnexpectedAnswerError),
        (json_response([1, 2]), UnexpectedAnswerError),
        (json_response({"swagger": "2.0", "paths": {}}), UnexpectedAnswerError),
    ],
)
def test_response_that_is_not_a_schema_is_an_error(step: Step, error: type[AlyxError], check: Check) -> None:
    with FaultServer(then=step) as server, pytest.raises(error):
        check(server.url)


def test_server_without_a_schema_is_an_error(check: Check) -> None:
    with FaultServer(then=json_response({"detail": "Not found."}, status=404)) as server:
        with pytest.raises(NotFoundError, match=r"Not found: GET .*/api/schema"):
            check(server.url)
        assert server.paths == ["/api/schema", "/docs/", "/docs"]


def test_cached_schema_does_not_replace_an_unreachable_server(check: Check) -> None:
    routes = {"/api/schema": [json_response(document("labs"))]}
    with FaultServer(routes=routes) as server, AlyxClient(server.url, **SETTINGS) as client:
        assert client.rest_schemes.endpoints == ["labs"]
    with pytest.raises(AlyxConnectionError):
        check(server.url)
    with pytest.raises(OfflineError):
        check(server.url, offline=True)


def test_client_without_a_surface_raises_before_any_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "bare_alyx"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    with FaultServer() as server:
        for name, text, words in [
            (None, None, "Use AlyxClient"),
            ("bare_alyx", None, "has no surface.jsonl"),
            ("bare_alyx", '["surface", 99, "OpenAPI"]\n', "Regenerate the client"),
            ("bare_alyx", "{", "Regenerate the client"),
        ]:
            if text is not None:
                (package / "surface.jsonl").write_text(text)
            client = type("Client", (BaseClient,), {"_surface": name})(server.url, **SETTINGS)
            with pytest.raises(ConfigurationError, match=words):
                client.check_schema()
        assert server.requests == []
    sys.modules.pop("bare_alyx", None)
