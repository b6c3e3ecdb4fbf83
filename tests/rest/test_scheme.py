"""The endpoints, actions and fields that the server's schema declares."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alyx_client.errors import AlyxWarning, InvalidCallError, ServerError
from alyx_client.rest.package_scheme import package_scheme
from alyx_client.testing import LocalAlyx
from alyx_client.testing.schema.coreapi import read_coreapi
from tests import faults
from tests.faults import FaultServer, json_response, page, response


def test_endpoints_are_printed_and_returned(alyx: Any, capsys: pytest.CaptureFixture[str]) -> None:
    names = alyx.list_endpoints()
    assert {"subjects", "sessions", "cache", "cache.zip"} <= set(names)
    assert not {"api", "auth-token", "docs"} & set(names)
    assert capsys.readouterr().out.splitlines() == names
    assert alyx.rest() == names


def test_endpoint_is_described(alyx: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert alyx.rest("weighings") == ["list", "read", "create", "delete"]
    output = capsys.readouterr().out
    assert "create: POST /weighings" in output
    assert "subject    string, required" in output
    alyx.print_endpoint_info("weighings", "create")
    output = capsys.readouterr().out
    assert "create: POST /weighings" in output
    assert "list: GET" not in output


@pytest.mark.parametrize(
    "ask", [lambda alyx: alyx.rest("subjets"), lambda alyx: alyx.print_endpoint_info("subjets", "list")]
)
def test_unknown_endpoint_suggests_similar_names(alyx: Any, ask: Callable[[Any], Any]) -> None:
    with pytest.raises(InvalidCallError, match=r"'subjets'.*'subjects'"):
        ask(alyx)


def test_rest_schemes_hold_actions_fields_and_paths(alyx: Any) -> None:
    schemes = alyx.rest_schemes
    assert schemes.backend == "open_api_v3"
    assert schemes.actions("subjects") == ["list", "read", "create", "update", "partial_update", "delete"]
    assert schemes.url("subjects", "read") == "/subjects/{nickname}"
    assert "alive" in schemes.field_names("subjects", "list")
    lab = next(field for field in schemes.fields("subjects", "create") if field["name"] == "lab")
    assert (lab["in"], lab["required"], lab["schema"]["type"]) == ("body", True, "string")


def test_schema_is_fetched_once_when_needed(alyx: Any, local_alyx: LocalAlyx) -> None:
    assert not local_alyx.requests
    for _ in range(2):
        alyx.rest("labs", "list")
    assert [request.path for request in local_alyx.requests].count("/api/schema") == 1


def test_server_with_coreapi_only(connect: Callable[..., Any], legacy_schema: Path) -> None:
    with LocalAlyx(legacy_schema) as old:
        alyx = connect(old.url, token=old.token())
        assert alyx.rest_schemes.backend == "core_api"
        assert alyx.rest("subjects", "list", alive=True)
        with pytest.raises(InvalidCallError, match="'aliv'"):
            alyx.rest("subjects", "list", aliv=True)
        assert alyx.rest("cache", "list")


@pytest.fixture
def legacy_schema(tmp_path: Path) -> Path:
    """Write a small CoreAPI document."""

    def link(url: str, *fields: str, action: str = "get", where: str = "query") -> dict[str, Any]:
        described = [{"name": name, "location": where, "schema": {"_type": "string"}} for name in fields]
        return {"_type": "link", "url": url, "action": action, "fields": described}

    document = {
        "_type": "document",
        "_meta": {"title": ""},
        "subjects": {
            "list": link("/subjects", "alive", "limit", "offset"),
            "read": link("/subjects/{nickname}", "nickname", where="path"),
        },
        "cache": {"info": {"list": link("/cache/info/")}},
    }
    assert read_coreapi(document)
    file = tmp_path / "legacy.json"
    file.write_text(json.dumps(document))
    return file


@pytest.mark.parametrize("content", [{"openapi": "3.0.3"}, [], "text"])
def test_response_that_is_not_a_schema_is_an_error(connect: Callable[..., Any], content: Any) -> None:
    with FaultServer(then=json_response(content)) as server, pytest.raises(InvalidCallError, match="neither OpenAPI"):
        connect(server.url, token="t").rest("subjects", "list")


BROKEN = json_response({"detail": "'AutoSchema' object has no attribute 'get_operation'"}, status=500)
NO_PAGE = faults.html_response(404, "Not Found")
SCHEMAS: dict[str, dict[str, list[faults.Step]]] = {
    "OpenAPI": {"/api/schema": [BROKEN], "/docs/": [BROKEN], "/docs": [BROKEN]},
    "CoreAPI": {"/api/schema": [NO_PAGE], "/docs/": [BROKEN], "/docs": [NO_PAGE]},
}


@pytest.mark.parametrize("case", SCHEMAS)
def test_package_stands_in_for_a_server_that_fails_on_its_schema(connect: Callable[..., Any], case: str) -> None:
    with FaultServer(routes=SCHEMAS[case], then=page([{"nickname": "a"}])) as server:
        alyx = connect(server.url, token="t")
        with pytest.warns(AlyxWarning, match=r"failed on its schema .* the schema of alyx_client\.endpoints") as caught:
            rows = alyx.rest("subjects", "list", alive=True)
        assert list(rows) == [{"nickname": "a"}]
        assert "filters" not in str(caught[0].message)
        # Once.
        list(alyx.rest("data-notices", "list", datasets=["a", "b"]))
        with pytest.raises(InvalidCallError, match="'alive'"):
            alyx.rest("subjects", "list", aliv=True)
        assert [request.target.partition("?")[2] for request in server.requests[-2:]] == ["alive=true", "datasets=a,b"]


ABSENT = {"pages": NO_PAGE, "JSON": json_response({"detail": "Not found."}, status=404), "406": response(status=406)}


@pytest.mark.parametrize("case", ABSENT)
def test_package_stands_in_for_a_server_without_a_schema(connect: Callable[..., Any], case: str) -> None:
    routes = {path: [ABSENT[case]] for path in ("/api/schema", "/docs/", "/docs")}
    with FaultServer(routes=routes, then=page([{"nickname": "a"}])) as server:
        alyx = connect(server.url, token="t")
        with pytest.warns(
            AlyxWarning, match=r"/api/schema.* Calls by name follow the schema of alyx_client\.endpoints"
        ):
            rows = alyx.rest("subjects", "list", alive=True)
        assert list(rows) == [{"nickname": "a"}]
        assert server.count("/api/schema") == 1
        with pytest.raises(InvalidCallError, match="'alive'"):
            alyx.rest("subjects", "list", aliv=True)


def test_package_declares_what_the_servers_schema_does(alyx: Any) -> None:
    own, served = package_scheme("alyx_client.endpoints"), alyx.rest_schemes
    assert (own.endpoints, own.backend) == (served.endpoints, served.backend)
    for endpoint in own.endpoints:
        assert own.actions(endpoint) == served.actions(endpoint)
        for action in own.actions(endpoint):
            ours, theirs = own.operation(endpoint, action), served.operation(endpoint, action)
            assert (ours.method, ours.path, ours.joined) == (theirs.method, theirs.path, theirs.joined)
            for location in ("path", "query", "body"):
                names = [{field["name"] for field in one.fields if field["in"] == location} for one in (ours, theirs)]
                assert names[0] == names[1], (endpoint, action, location)


def test_error_of_a_schema_gives_no_advice_about_filters(connect: Callable[..., Any]) -> None:
    with FaultServer(then=BROKEN) as server, pytest.raises(ServerError, match="failed on its schema") as caught:
        connect(server.url, token="t").check_schema()
    assert "filters" not in str(caught.value)
    assert "AutoSchema" in str(caught.value)
