"""Errors of a schema that a probe finds, and the corrections that it proposes."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from alyx_generator.model.schemas import request_schema
from alyx_generator.probe.run import probe
from alyx_generator.source.fetch import fetch
from alyx_generator.source.normalise import normalise
from alyx_generator.source.overlay import correct, shipped_corrections

from alyx_client.testing import LocalAlyx

from ..faults import (
    FaultServer,
    json_response,
    response,
)
from .conftest import Generate
from .inline import document, ref, resource
from .inline import returns as declared
from .probing import UNLIMITED_RATE, UUID, probe_rows, read_back, routes_for


def test_correct_schema_has_no_findings(tmp_path: Path) -> None:
    schema = resource(
        {"id": {"type": "string"}, "size": {"type": "number"}, "note": {"type": "string", "nullable": True}}
    )
    result = probe_rows(schema, [{"id": "a", "size": 1, "note": None}, {"id": "b", "size": 2.5, "note": ""}], tmp_path)
    assert result.findings == ()
    assert result.skipped == ()
    assert (result.operations, result.rows, result.requests) == (2, 4, 3)


ERRORS: list[tuple[str, dict[str, Any], list[Any], str]] = [
    ("null", {"type": "string"}, ["x", None], "null"),
    ("type", {"type": "string", "readOnly": True}, [1, 2], "integer"),
    ("integer", {"type": "integer"}, [1, 2.5], "number"),
    ("some", {"type": "string"}, ["x", True], "boolean"),
    ("texts", {"type": "string"}, [["x"], []], "array of string"),
    ("objects", {"type": "string"}, [{"a": 1}, {"a": 2}], "object"),
    ("format", {"type": "string", "format": "uuid"}, [UUID, ""], "text of another format"),
    ("date", {"type": "string", "format": "date"}, ["2026-13-45", "2026-01-02"], "text of another format"),
    ("uuid", {"type": "integer"}, [UUID, UUID], "string (uuid)"),
    ("enum", {"type": "string", "enum": ["a"]}, ["a", "b"], "another value"),
    ("reference", ref("Inner"), ["x", "y"], "string"),
    ("null reference", {"allOf": [ref("Inner")]}, [None, {"name": "x"}], "null"),
    ("either", {"oneOf": [{"type": "string"}, {"type": "integer"}]}, ["x", [1]], "array of integer"),
    ("enums", {"oneOf": [{"type": "string", "enum": ["a"]}, {"enum": [""]}]}, ["a", "b"], "another value"),
    ("items", {"type": "array", "items": {"type": "string"}}, [["x"], [3, None]], "integer"),
    ("unsaid items", {"type": "array", "items": {}}, [[1.5], [2.5, None]], "null or number"),
    ("values", {"type": "object", "additionalProperties": {"type": "string"}}, [{"x": 1}, {"y": 2}], "integer"),
]


@pytest.mark.parametrize(("kind", "schema", "values", "expected"), ERRORS, ids=[case[0] for case in ERRORS])
@pytest.mark.parametrize("sent", [True, False], ids=["sent", "answered"])
def test_error_is_found_and_its_correction_fixes_the_schema(
    kind: str, schema: dict[str, Any], values: list[Any], expected: str, sent: bool, tmp_path: Path
) -> None:
    complete = resource({"id": {"type": "string"}, "field": schema})
    complete["components"]["schemas"]["Inner"] = {"type": "object", "properties": {"name": {"type": "string"}}}
    if not sent:
        complete["paths"] = {path: {"get": item["get"]} for path, item in complete["paths"].items()}
    result = probe_rows(complete, [{"id": str(index), "field": value} for index, value in enumerate(values)], tmp_path)
    assert any(expected in finding.observed for finding in result.findings)
    assert all(finding.field.startswith("Thing.field") for finding in result.findings)
    assert {evidence.operation for finding in result.findings for evidence in finding.evidence} == {
        "/things list",
        "/things/{id} read",
    }


OVERRIDDEN = {"type": "object", "properties": {"a": {"type": "integer"}}}
NESTED_ERRORS: list[tuple[str, dict[str, Any], list[Any]]] = [
    ("within", {"type": "object", "properties": {"a": {"type": "integer"}}}, [{"a": "x"}, "x"]),
    ("values", {"type": "object", "additionalProperties": {"type": "integer"}}, [{"a": "x"}, {"b": 1}, "x"]),
    ("items", {"type": "array", "items": {"type": "integer"}}, [["x", 1], "x", None]),
    ("more", {"type": "object", "properties": {"a": {}}}, [{"a": 1, "b": 1}, {"a": 1, "c": 1}, "x"]),
    ("option", {"oneOf": [{"type": "array", "items": {"type": "object"}}, {"type": "integer"}]}, [[{}], [1.5], 1]),
    ("option's field", {"oneOf": [{"type": "object", "properties": {"a": {}}}]}, [{"a": 1}, {"a": 1, "b": 1}]),
    ("said for answers", {"type": "integer", "x-answered": {"oneOf": [ERRORS[14][1]]}}, [["x"], [3]]),
    ("null enums", {"oneOf": [{"enum": ["a"]}, {"enum": [None]}]}, ["b", None]),
    ("kinds", {"oneOf": [{"type": ["string", "null"], "enum": ["a"]}, {"type": "integer"}]}, ["b", 1, None]),
    ("overridden fields", {"type": "string", "x-answered": OVERRIDDEN}, [{"a": "x"}, {"a": "x", "b": 1}]),
    ("format behind a reference", {"allOf": [ref("Day")]}, ["x", {"a": 1}]),
]


@pytest.mark.parametrize(("kind", "schema", "values"), NESTED_ERRORS, ids=[case[0] for case in NESTED_ERRORS])
@pytest.mark.parametrize("sent", [True, False], ids=["sent", "answered"])
def test_nested_errors_are_corrected_together(
    kind: str, schema: dict[str, Any], values: list[Any], sent: bool, tmp_path: Path
) -> None:
    complete = resource({"id": {"type": "string"}, "field": schema})
    complete["components"]["schemas"]["Day"] = {"type": "string", "format": "date"}
    if not sent:
        complete["paths"] = {path: {"get": item["get"]} for path, item in complete["paths"].items()}
    result = probe_rows(complete, [{"id": str(index), "field": value} for index, value in enumerate(values)], tmp_path)
    assert result.findings


@pytest.mark.parametrize(
    ("schema", "values"),
    [
        ({"type": "number"}, [1, "x"]),
        ({"type": "string", "enum": ["a"], "maxLength": 9}, [1, "a", None]),
        ({"type": "array", "items": {"type": "boolean"}}, [[True], [1, None]]),
        ({"oneOf": [{"type": "string", "enum": ["a"]}, {"enum": [None]}]}, ["b", None]),
        ({"anyOf": [{"type": "string", "format": "date"}, {"type": "integer"}]}, ["b", 1]),
        ({"type": "string", "format": "date"}, [[None], None]),
    ],
)
def test_corrections_do_not_change_request_schemas(schema: dict[str, Any], values: list[Any]) -> None:
    complete = normalise(resource({"id": {"type": "string"}, "field": schema}))
    rows = [{"id": str(index), "field": value} for index, value in enumerate(values)]
    with FaultServer(routes=routes_for(rows)) as server:
        result = probe(server.url, complete, (), token="t", bounds=UNLIMITED_RATE)

    def sent(document: Mapping[str, Any]) -> Any:
        schemas = document["components"]["schemas"]
        return request_schema(schemas["Thing"]["properties"]["field"], schemas, str)

    assert result.findings
    assert sent(correct(complete, result.corrections).document) == sent(complete)


def test_optional_fields_of_all_of_parts_are_optional(generate: Generate) -> None:
    schema = resource({"x": {"type": "string"}})
    schemas = schema["components"]["schemas"]
    schemas["Part"] = {"type": "object", "properties": {"y": {"type": "string"}}, "x-sometimes": ["y"]}
    schemas["Thing"] = {"allOf": [ref("Part"), {**schemas["Thing"], "x-sometimes": ["x"]}]}
    with FaultServer([json_response({})]) as server:
        client = generate(schema).module("client").AlyxClient(server.url, token="t", silent=True, strict=True)
        client.things.read("1")


def test_request_declarations_are_preserved(tmp_path: Path) -> None:
    schema = resource({"id": {"type": "string"}, "a": {"type": "string"}, "b": {"type": "string", "format": "date"}})
    result = probe_rows(schema, [{"id": "1", "a": 1, "b": ""}, {"id": "2", "a": 2, "b": "2026-01-01"}], tmp_path)
    updates = [correction.update for correction in result.corrections if not correction.remove]
    assert updates == [{"x-answered": {"type": "integer"}}, {"x-sent": {"format": "date"}}]


def test_extra_and_missing_fields_are_found(tmp_path: Path) -> None:
    fields = {"id": {"type": "string"}, "gone": {"type": "string"}, "rare": {"type": "string"}}
    rows = [{"id": "1", "rare": "x", "more": 1}, {"id": "2", "more": 2}]
    result = probe_rows(resource(fields), rows, tmp_path)
    assert {finding.field: finding.observed for finding in result.findings} == {
        "Thing.gone": "absent",
        "Thing.more": "integer",
        "Thing.rare": "absent",
    }
    updates = [correction.update for correction in result.corrections]
    assert {"writeOnly": True} in updates
    assert {"x-sometimes": ["rare"]} in updates
    assert {"properties": {"more": {"type": "integer", "readOnly": True}}} in updates


def test_undeclared_response_is_proposed(tmp_path: Path) -> None:
    schema = document({"/summary": {"get": declared(None)}, "/report": {"get": declared(None)}})
    routes = {
        "/summary": [json_response([{"a": 1}, {"a": None}])] * 2,
        "/report": [response(b"PK", content_type="application/zip")] * 2,
    }
    with FaultServer(routes=routes) as server:
        result = probe(server.url, schema, (), token="t", bounds=UNLIMITED_RATE)
        again = probe(server.url, schema, read_back(result, tmp_path), token="t", bounds=UNLIMITED_RATE)
    assert [finding.field for finding in result.findings] == ["GET /report", "GET /summary"]
    assert again.findings == ()


@pytest.fixture(scope="module")
def local_alyx() -> Any:
    with LocalAlyx() as alyx:
        yield alyx


def test_probe_without_corrections_finds_the_shipped_ones(local_alyx: LocalAlyx, tmp_path: Path) -> None:
    schema = fetch("shipped")
    result = probe(local_alyx.url, schema, (), token=local_alyx.token(), bounds=UNLIMITED_RATE)
    fields = {finding.field: finding.observed for finding in result.findings}
    assert len(fields) >= 60
    assert fields["SubjectList.alive"] == "boolean"
    assert fields["User.lab"] == "array of string"
    assert fields["GET /water-requirement/{nickname}"] == "object"
    again = probe(local_alyx.url, schema, read_back(result, tmp_path), token=local_alyx.token(), bounds=UNLIMITED_RATE)
    assert [(finding.field, finding.observed) for finding in again.findings] == []


def test_shipped_corrections_leave_no_findings(local_alyx: LocalAlyx) -> None:
    result = probe(local_alyx.url, token=local_alyx.token(), bounds=UNLIMITED_RATE)
    assert [(finding.field, finding.observed) for finding in result.findings] == []
    assert result.missed == ()
    assert result.rows > 500


def test_errors_of_a_served_schema_are_found(tmp_path: Path) -> None:
    lying = copy.deepcopy(fetch("shipped"))
    fields = lying["components"]["schemas"]["Lab"]["properties"]
    fields["timezone"] = {"type": "integer"}
    fields["invented"] = {"type": "string"}
    del fields["address"]
    with LocalAlyx(lying, behaviour=fetch("schemas/corrected/alyx-3.6.1.json")) as alyx:
        result = probe(alyx.url, token=alyx.token(), bounds=UNLIMITED_RATE)
        again = probe(
            alyx.url,
            None,
            (*shipped_corrections(), *read_back(result, tmp_path)),
            token=alyx.token(),
            bounds=UNLIMITED_RATE,
        )
    assert {finding.field for finding in result.findings} == {"Lab.timezone", "Lab.invented", "Lab.address"}
    assert again.findings == ()


def test_recursive_and_deep_responses_terminate(tmp_path: Path) -> None:
    node = {
        "id": {"type": "string"},
        "below": {"type": "array", "items": ref("Thing")},
        "self": {"allOf": [ref("Loop")]},
    }
    schema = resource(node)
    schema["components"]["schemas"]["Loop"] = ref("Loop")
    record: dict[str, Any] = {"id": "1", "below": [], "self": 3}
    for _ in range(60):
        record = {"id": "1", "below": [record], "self": None}
    result = probe_rows(schema, [record], tmp_path)
    assert result.findings == ()
