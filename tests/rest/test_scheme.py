"""The endpoints, actions and fields that the server's schema declares."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alyx_client.errors import (
    InvalidCallError,
)
from alyx_client.testing import LocalAlyx
from alyx_client.testing.schema.coreapi import read_coreapi
from tests.faults import FaultServer, json_response


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
