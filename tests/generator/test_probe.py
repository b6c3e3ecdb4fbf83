"""Finding a schema's lies: what a probe asks, what it finds, what it proposes, and what it never keeps."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from alyx_generator.model.schemas import request_schema
from alyx_generator.probe.crawl import Bounds, Progress
from alyx_generator.probe.proposal import to_yaml
from alyx_generator.probe.run import Probe, probe
from alyx_generator.probe.state import ProbeStateError
from alyx_generator.source.fetch import fetch
from alyx_generator.source.normalise import normalise
from alyx_generator.source.overlay import Correction, correct, read_overlay

from alyx_client.errors import AlyxError, AuthenticationError, RateLimitError
from alyx_client.testing import LocalAlyx

from ..faults import (
    FaultServer,
    Received,
    Step,
    html_response,
    json_response,
    page,
    reset_before_headers,
    response,
    short_body,
    stale_token,
    too_many,
)
from .conftest import Generate
from .inline import body, document, key, ref, resource
from .inline import page as page_schema
from .inline import returns as declared

FAST = Bounds(per_minute=1_000_000)
SECRET = "SECRET-8472-hunter2"
UUID = "3f2f4a52-1f0b-4c71-9a55-0d6c5d7d3f10"


def text(found: Probe) -> str:
    return to_yaml("Proposed", found.corrections)


def reread(found: Probe, folder: Path) -> tuple[Correction, ...]:
    """Return the proposal as it is read from its file."""
    file = folder / "proposed.overlay.yaml"
    file.write_text(text(found), encoding="utf-8")
    return read_overlay(file)


def things(rows: Sequence[Any], records: Mapping[str, Any] | None = None) -> dict[str, list[Step]]:
    """Return a server's script: one list, and its records."""
    kept = {row["id"]: row for row in rows} if records is None else records
    return {
        "/things": [page(list(rows))] * 9,
        **{f"/things/{name}": [json_response(record)] * 9 for name, record in kept.items()},
    }


def probe_rows(schema: Mapping[str, Any], rows: Sequence[Any], folder: Path) -> Probe:
    """Probe a server with these rows, and make sure that the proposal leaves nothing to find."""
    with FaultServer(routes=things(rows)) as server:
        found = probe(server.url, schema, (), token="t", bounds=FAST)
        again = probe(server.url, schema, reread(found, folder), token="t", bounds=FAST)
    assert [(each.field, each.observed) for each in again.findings] == []
    assert again.missed == ()
    return found


def test_what_is_true_is_no_finding(tmp_path: Path) -> None:
    schema = resource(
        {"id": {"type": "string"}, "size": {"type": "number"}, "note": {"type": "string", "nullable": True}}
    )
    found = probe_rows(schema, [{"id": "a", "size": 1, "note": None}, {"id": "b", "size": 2.5, "note": ""}], tmp_path)
    assert found.findings == ()
    assert found.skipped == ()
    assert (found.operations, found.rows, found.requests) == (2, 4, 3)


LIES: list[tuple[str, dict[str, Any], list[Any], str]] = [
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


@pytest.mark.parametrize(("kind", "schema", "values", "expected"), LIES, ids=[each[0] for each in LIES])
@pytest.mark.parametrize("sent", [True, False], ids=["sent", "answered"])
def test_a_planted_lie_is_found_and_its_correction_makes_the_schema_true(
    kind: str, schema: dict[str, Any], values: list[Any], expected: str, sent: bool, tmp_path: Path
) -> None:
    whole = resource({"id": {"type": "string"}, "field": schema})
    whole["components"]["schemas"]["Inner"] = {"type": "object", "properties": {"name": {"type": "string"}}}
    if not sent:
        whole["paths"] = {path: {"get": item["get"]} for path, item in whole["paths"].items()}
    found = probe_rows(whole, [{"id": str(index), "field": value} for index, value in enumerate(values)], tmp_path)
    assert any(expected in each.observed for each in found.findings)
    assert all(each.field.startswith("Thing.field") for each in found.findings)
    assert {one.operation for each in found.findings for one in each.evidence} == {"/things list", "/things/{id} read"}


NESTED: list[tuple[str, dict[str, Any], list[Any]]] = [
    ("within", {"type": "object", "properties": {"a": {"type": "integer"}}}, [{"a": "x"}, "x"]),
    ("values", {"type": "object", "additionalProperties": {"type": "integer"}}, [{"a": "x"}, {"b": 1}, "x"]),
    ("items", {"type": "array", "items": {"type": "integer"}}, [["x", 1], "x", None]),
    ("more", {"type": "object", "properties": {"a": {}}}, [{"a": 1, "b": 1}, {"a": 1, "c": 1}, "x"]),
    ("option", {"oneOf": [{"type": "array", "items": {"type": "object"}}, {"type": "integer"}]}, [[{}], [1.5], 1]),
    ("option's field", {"oneOf": [{"type": "object", "properties": {"a": {}}}]}, [{"a": 1}, {"a": 1, "b": 1}]),
    ("said for answers", {"type": "integer", "x-answered": {"oneOf": [LIES[14][1]]}}, [["x"], [3]]),
    ("null enums", {"oneOf": [{"enum": ["a"]}, {"enum": [None]}]}, ["b", None]),
    ("kinds", {"oneOf": [{"type": ["string", "null"], "enum": ["a"]}, {"type": "integer"}]}, ["b", 1, None]),
    ("format behind a reference", {"allOf": [ref("Day")]}, ["x", {"a": 1}]),
]


@pytest.mark.parametrize(("kind", "schema", "values"), NESTED, ids=[each[0] for each in NESTED])
@pytest.mark.parametrize("sent", [True, False], ids=["sent", "answered"])
def test_lies_within_lies_are_corrected_at_once(
    kind: str, schema: dict[str, Any], values: list[Any], sent: bool, tmp_path: Path
) -> None:
    whole = resource({"id": {"type": "string"}, "field": schema})
    whole["components"]["schemas"]["Day"] = {"type": "string", "format": "date"}
    if not sent:
        whole["paths"] = {path: {"get": item["get"]} for path, item in whole["paths"].items()}
    found = probe_rows(whole, [{"id": str(index), "field": value} for index, value in enumerate(values)], tmp_path)
    assert found.findings


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
def test_a_correction_changes_nothing_of_what_is_sent(schema: dict[str, Any], values: list[Any]) -> None:
    whole = normalise(resource({"id": {"type": "string"}, "field": schema}))
    rows = [{"id": str(index), "field": value} for index, value in enumerate(values)]
    with FaultServer(routes=things(rows)) as server:
        found = probe(server.url, whole, (), token="t", bounds=FAST)

    def sent(document: Mapping[str, Any]) -> Any:
        schemas = document["components"]["schemas"]
        return request_schema(schemas["Thing"]["properties"]["field"], schemas, str)

    assert found.findings
    assert sent(correct(whole, found.corrections).document) == sent(whole)


def test_fields_that_parts_of_an_object_may_lack_are_optional(generate: Generate) -> None:
    schema = resource({"x": {"type": "string"}})
    schemas = schema["components"]["schemas"]
    schemas["Part"] = {"type": "object", "properties": {"y": {"type": "string"}}, "x-sometimes": ["y"]}
    schemas["Thing"] = {"allOf": [ref("Part"), {**schemas["Thing"], "x-sometimes": ["x"]}]}
    with FaultServer([json_response({})]) as server:
        client = generate(schema).module("client").AlyxClient(server.url, token="t", silent=True, strict=True)
        client.things.read("1")


def test_what_is_sent_stays_as_it_was_declared(tmp_path: Path) -> None:
    schema = resource({"id": {"type": "string"}, "a": {"type": "string"}, "b": {"type": "string", "format": "date"}})
    found = probe_rows(schema, [{"id": "1", "a": 1, "b": ""}, {"id": "2", "a": 2, "b": "2026-01-01"}], tmp_path)
    updates = [each.update for each in found.corrections if not each.remove]
    assert updates == [{"x-answered": {"type": "integer"}}, {"x-sent": {"format": "date"}}]


def test_fields_too_many_and_too_few_are_found(tmp_path: Path) -> None:
    fields = {"id": {"type": "string"}, "gone": {"type": "string"}, "rare": {"type": "string"}}
    rows = [{"id": "1", "rare": "x", "more": 1}, {"id": "2", "more": 2}]
    found = probe_rows(resource(fields), rows, tmp_path)
    assert {each.field: each.observed for each in found.findings} == {
        "Thing.gone": "absent",
        "Thing.more": "integer",
        "Thing.rare": "absent",
    }
    updates = [each.update for each in found.corrections]
    assert {"writeOnly": True} in updates
    assert {"x-sometimes": ["rare"]} in updates
    assert {"properties": {"more": {"type": "integer", "readOnly": True}}} in updates


def test_an_answer_that_is_not_declared_is_proposed(tmp_path: Path) -> None:
    schema = document({"/summary": {"get": declared(None)}, "/report": {"get": declared(None)}})
    routes = {
        "/summary": [json_response([{"a": 1}, {"a": None}])] * 2,
        "/report": [response(b"PK", content_type="application/zip")] * 2,
    }
    with FaultServer(routes=routes) as server:
        found = probe(server.url, schema, (), token="t", bounds=FAST)
        again = probe(server.url, schema, reread(found, tmp_path), token="t", bounds=FAST)
    assert [each.field for each in found.findings] == ["GET /report", "GET /summary"]
    assert again.findings == ()


@pytest.fixture(scope="module")
def local() -> Any:
    with LocalAlyx() as running:
        yield running


def test_emptied_the_shipped_overlay_is_found_again(local: LocalAlyx, tmp_path: Path) -> None:
    schema = fetch("shipped")
    found = probe(local.url, schema, (), token=local.token(), bounds=FAST)
    fields = {each.field: each.observed for each in found.findings}
    assert len(fields) >= 60
    assert fields["SubjectList.alive"] == "boolean"
    assert fields["User.lab"] == "array of string"
    assert fields["GET /water-requirement/{nickname}"] == "object"
    again = probe(local.url, schema, reread(found, tmp_path), token=local.token(), bounds=FAST)
    assert [(each.field, each.observed) for each in again.findings] == []


def test_with_the_shipped_overlay_nothing_is_found(local: LocalAlyx) -> None:
    found = probe(local.url, token=local.token(), bounds=FAST)
    assert [(each.field, each.observed) for each in found.findings] == []
    assert found.missed == ()
    assert found.rows > 500


def test_planted_lies_in_a_served_schema_are_found(tmp_path: Path) -> None:
    lying = copy.deepcopy(fetch("shipped"))
    fields = lying["components"]["schemas"]["Lab"]["properties"]
    fields["timezone"] = {"type": "integer"}
    fields["invented"] = {"type": "string"}
    del fields["address"]
    with LocalAlyx(lying, behaviour=fetch("schemas/corrected/alyx-3.6.1.json")) as running:
        found = probe(running.url, token=running.token(), bounds=FAST)
        again = probe(running.url, None, (*_shipped(), *reread(found, tmp_path)), token=running.token(), bounds=FAST)
    assert {each.field for each in found.findings} == {"Lab.timezone", "Lab.invented", "Lab.address"}
    assert again.findings == ()


def _shipped() -> tuple[Correction, ...]:
    from alyx_generator.package.shipped import shipped_corrections

    return shipped_corrections()


def test_only_get_requests_are_sent_and_no_more_than_allowed() -> None:
    with LocalAlyx() as running:
        bounds = Bounds(rows=7, records=3, per_minute=1_000_000)
        found = probe(running.url, fetch("shipped"), (), token=running.token(), bounds=bounds)
        requests = list(running.requests)
    assert {each.method for each in requests} == {"GET"}
    assert len(requests) == found.requests
    assert found.requests <= 3 * (found.operations + len(found.skipped))


def paging(count: int) -> Step:
    """Answer with the page that is asked for."""

    def step(request: Received, connection: Any) -> bool:
        asked = {name: int(value[0]) for name, value in parse_qs(urlsplit(request.target).query).items()}
        rows = [{"id": f"{index:05}"} for index in range(asked["offset"], min(count, asked["offset"] + asked["limit"]))]
        return page(list(rows), count)(request, connection)

    return step


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250, 300, 301, 5000])
def test_a_long_list_is_read_all_over_but_not_whole(count: int) -> None:
    schema = resource({"id": {"type": "string"}})
    del schema["paths"]["/things/{id}"]
    with FaultServer(routes={"/things": [paging(count)] * 99}) as server:
        found = probe(server.url, schema, (), token="t", bounds=Bounds(rows=300, per_minute=1_000_000))
        offsets = [int(parse_qs(urlsplit(each.target).query)["offset"][0]) for each in server.requests]
    assert found.rows == min(count, 300)
    assert len(offsets) == max(1, -(-min(count, 300) // 100))
    if count == 5000:
        assert offsets == [0, 100, 4900]


def test_a_server_that_ignores_the_limit_is_asked_once() -> None:
    rows = [{"id": str(index)} for index in range(50)]
    with FaultServer(routes=things(rows)) as server:
        found = probe(server.url, resource({"id": {"type": "string"}}), (), token="t", bounds=Bounds(10, 2, 1_000_000))
        assert server.count("/things") == 1
        assert len(server.requests) == 3
    assert found.rows == 12


def test_requests_keep_to_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("alyx_generator.probe.crawl.time.sleep", slept.append)
    with FaultServer(routes=things([{"id": "1"}])) as server:
        probe(server.url, resource({"id": {"type": "string"}}), (), token="t", bounds=Bounds(per_minute=2))
    assert slept[0] == 0
    assert 25 < slept[1] <= 30


def test_a_throttled_request_waits_and_goes_on() -> None:
    with FaultServer(routes={"/things": [too_many("0"), page([])]}) as server:
        found = probe(server.url, resource({"id": {"type": "string"}}), (), token="t", bounds=FAST)
        assert server.count("/things") == 2
    assert [each.failed for each in found.skipped] == [False]


def test_a_throttle_that_lasts_too_long_ends_the_probe() -> None:
    with FaultServer(routes={"/things": [too_many("3600")]}) as server, pytest.raises(RateLimitError):
        probe(server.url, resource({"id": {"type": "string"}}), (), token="t", bounds=FAST)


@pytest.mark.parametrize("status", [400, 403, 404, 405, 500])
def test_an_endpoint_that_fails_is_told_and_the_rest_is_read(status: int) -> None:
    schema = document({"/a": {"get": declared({"type": "string"})}, "/b": {"get": declared({"type": "string"})}})
    routes = {"/a": [json_response({"detail": SECRET}, status=status)], "/b": [json_response("x")]}
    with FaultServer(routes=routes) as server:
        found = probe(server.url, schema, (), token="t", bounds=FAST)
    assert [(each.operation, each.reason, each.failed) for each in found.skipped] == [
        ("/a read", f"HTTP {status} (1 of 1)", True)
    ]
    assert (found.operations, found.rows) == (1, 1)
    assert SECRET not in repr(found)


@pytest.mark.parametrize("step", [html_response(), response(b"{", content_type="application/json"), response(b"")])
def test_what_is_not_json_is_told(step: Step) -> None:
    with FaultServer([step]) as server:
        found = probe(server.url, document({"/a": {"get": declared(ref("A"))}}), (), token="t", bounds=FAST)
    assert [each.failed for each in found.skipped] == [True]
    assert "not JSON" in found.skipped[0].reason
    assert found.findings == ()


def test_a_refused_token_ends_the_probe() -> None:
    with FaultServer(then=stale_token()) as server, pytest.raises(AuthenticationError):
        probe(server.url, resource({"id": {"type": "string"}}), (), token="t", bounds=FAST)


def test_what_cannot_be_asked_is_told() -> None:
    paths = {
        "/files/{name}": {"get": {**key("name"), **declared(ref("A"))}},
        "/search": {"get": {"parameters": [{"in": "query", "name": "q", "required": True}], **declared(ref("A"))}},
        "/check": {"get": {"requestBody": {"required": True, **body(ref("A"))["requestBody"]}, **declared(ref("A"))}},
        "/all.zip": {"get": declared(None)},
    }
    with FaultServer() as server:
        found = probe(server.url, document(paths), (), token="t", bounds=FAST)
        assert server.requests == []
    assert {each.operation: each.reason for each in found.skipped} == {
        "/files/{name} read": "no list has its keys",
        "/search read": "it needs q",
        "/check read": "it needs a body",
        "/all.zip read": "it is a file",
    }
    assert not any(each.failed for each in found.skipped)


def test_keys_are_quoted_and_never_leave_their_segment() -> None:
    names = ["a/b", "..", "?x=1", "ä b"]
    schema = resource({"id": {"type": "string"}})
    with FaultServer(then=page([{"id": name} for name in names])) as server:
        probe(server.url, schema, (), token="t", bounds=FAST)
        assert server.paths == ["/things", "/things/a%2Fb", "/things/%3Fx%3D1", "/things/%C3%A4%20b"]


def test_nested_records_are_found_through_their_parents() -> None:
    row = {"Lab": {"type": "object", "properties": {"name": {"type": "string"}}}, "Page": page_schema("Lab")}
    labs, members = key("lab"), {"parameters": [*key("lab")["parameters"], *key("id")["parameters"]]}
    paths = {
        "/labs": {"get": declared(ref("Page"))},
        "/labs/{lab}/members": {"get": {**labs, **declared({"type": "array", "items": ref("Lab")})}},
        "/labs/{lab}": {"get": {**labs, **declared(ref("Lab"))}},
        "/labs/{lab}/members/{id}": {"get": {**members, **declared(ref("Lab"))}},
    }
    routes = {
        "/labs": [page([{"name": "x", "url": "http://a/labs/x"}])],
        "/labs/x": [json_response({"name": "x"})],
        "/labs/x/members": [json_response([{"id": 1, "name": 2}])],
        "/labs/x/members/1": [json_response({"name": "y"})],
    }
    with FaultServer(routes=routes) as server:
        found = probe(server.url, document(paths, row), (), token="t", bounds=FAST)
        assert sorted(server.paths) == sorted(routes)
    assert (found.operations, found.skipped) == (4, ())


def test_an_interrupted_probe_goes_on_where_it_was(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    schema = fetch("shipped")

    def stop(at: Progress) -> None:
        if at.requests == 60:
            raise KeyboardInterrupt

    with LocalAlyx() as running:
        whole = probe(running.url, schema, (), token=running.token(), bounds=FAST)
        running.requests.clear()
        with pytest.raises(KeyboardInterrupt):
            probe(running.url, schema, (), token=running.token(), bounds=FAST, state=state, progress=stop)
        done = len(json.loads(state.read_text())["finished"])
        first = list(running.requests)
        running.requests.clear()
        told: list[Progress] = []
        found = probe(running.url, schema, (), token=running.token(), bounds=FAST, state=state, progress=told.append)
        second = list(running.requests)
        running.requests.clear()
        third = probe(running.url, schema, (), token=running.token(), bounds=FAST, state=state)
        assert running.requests == []
    assert told[0].done == done > 3
    assert {each.field for each in found.findings} == {each.field for each in whole.findings}
    assert third.findings == found.findings
    assert text(found) == text(whole)
    # What was half done is asked for again, after one page of its list.
    assert len(first) + len(second) <= whole.requests + FAST.records + 1


def test_an_interruption_anywhere_changes_no_result(tmp_path: Path) -> None:
    members = {"parameters": [*key("id")["parameters"], *key("name")["parameters"]]}
    schema = resource({"id": {"type": "string"}})
    schema["paths"]["/things/{id}/parts"] = {"get": {**key(), **declared({"type": "array", "items": ref("Thing")})}}
    schema["paths"]["/things/{id}/parts/{name}"] = {"get": {**members, **declared(ref("Thing"))}}
    routes: dict[str, list[Step]] = {"/things": [paging(150)] * 999}
    for index in range(150):
        routes[f"/things/{index:05}"] = [json_response({"id": index if index > 120 else "x"})] * 999
        routes[f"/things/{index:05}/parts"] = [json_response([{"id": "a", "name": "a"}])] * 999
        routes[f"/things/{index:05}/parts/a"] = [json_response({"id": index})] * 999
    bounds = Bounds(records=4, per_minute=1_000_000)
    with FaultServer(routes=routes) as server:
        whole = probe(server.url, schema, (), token="t", bounds=bounds)
        for last in range(whole.requests):

            def stop(at: Progress, last: int = last) -> None:
                if at.requests == last:
                    raise KeyboardInterrupt

            state = tmp_path / f"{last}.json"
            with pytest.raises(KeyboardInterrupt):
                probe(server.url, schema, (), token="t", bounds=bounds, state=state, progress=stop)
            found = probe(server.url, schema, (), token="t", bounds=bounds, state=state)
            assert (found.findings, found.skipped, found.rows) == (whole.findings, whole.skipped, whole.rows)


def test_records_of_a_list_paged_by_a_cursor_are_read() -> None:
    schema = resource({"id": {"type": "string"}})
    del schema["components"]["schemas"]["Page"]["properties"]["count"]
    routes = {
        "/things": [json_response({"next": None, "results": [{"id": "1"}]})],
        "/things/1": [json_response({"id": 1})],
    }
    with FaultServer(routes=routes) as server:
        found = probe(server.url, schema, (), token="t", bounds=FAST)
    assert "Thing.id" in {each.field for each in found.findings}


def test_a_key_that_no_address_can_hold_is_passed_over() -> None:
    with FaultServer(then=page([{"id": "\ud800"}])) as server:
        found = probe(server.url, resource({"id": {"type": "string"}}), (), token="t", bounds=FAST)
    assert [each.reason for each in found.skipped] == ["no record of it was found"]


@pytest.mark.parametrize("step", [too_many("3600"), reset_before_headers(), short_body({"id": SECRET})])
def test_an_error_that_ends_a_probe_names_no_record(step: Step) -> None:
    keys = [f"{SECRET}{number}" for number in range(4)]
    routes = {"/things": [page([{"id": key} for key in keys])], **{f"/things/{key}": [step] * 9 for key in keys}}
    with FaultServer(routes=routes) as server, pytest.raises(AlyxError) as caught:
        probe(server.url, resource({"id": {"type": "string"}}), (), token="t", bounds=FAST)
    assert "/things/{id}" in str(caught.value)
    assert SECRET not in f"{caught.value} {vars(caught.value)}"


def test_a_record_that_always_breaks_the_connection_is_passed_over() -> None:
    rows = [{"id": "a"}, {"id": "b"}, {"id": "c"}]
    routes = things(rows) | {"/things/b": [reset_before_headers()] * 9}
    with FaultServer(routes=routes) as server:
        found = probe(server.url, resource({"id": {"type": "string"}}), (), token="t", bounds=FAST)
    assert [(each.reason, each.failed) for each in found.skipped] == [("no response (1 of 3)", True)]
    assert found.rows == 5


@pytest.mark.parametrize("name", [UUID, "abcdef12-1f0b-4c71-9a55-0d6c5d7d3f10", "2026-01-02"])
def test_names_that_are_values_are_counted_only(name: str, tmp_path: Path) -> None:
    rows = [{"id": str(index), name: 1, "held": {name: 1}} for index in range(2)]
    found = probe_rows(resource({"id": {"type": "string"}, "held": {"type": "string"}}), rows, tmp_path)
    assert name not in text(found)


def test_a_probe_stopped_between_two_operations_asks_for_nothing_twice(tmp_path: Path) -> None:
    schema = document({path: {"get": declared({"type": "string"})} for path in ("/a", "/b")})
    state = tmp_path / "state.json"
    with FaultServer(routes={"/a": [json_response(1)], "/b": [too_many("3600"), json_response(2)]}) as server:
        with pytest.raises(RateLimitError):
            probe(server.url, schema, (), token="t", bounds=FAST, state=state)
        found = probe(server.url, schema, (), token="t", bounds=FAST, state=state)
        assert server.paths == ["/a", "/b", "/b"]
    assert [each.field for each in found.findings] == ["GET /a", "GET /b"]


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]", "null", '{"fingerprint": 1, "finished": {}}', '{"fingerprint": 1, "finished": {"/a": 2}}'],
)
def test_a_state_of_something_else_is_refused(content: str, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text(content)
    with FaultServer() as server, pytest.raises(ProbeStateError, match=r"state\.json"):
        probe(server.url, document({}), (), token="t", state=state)
    assert state.read_text() == content


def test_nothing_of_the_records_is_kept(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    fields = {
        "id": {"type": "string"},
        "text": {"type": "integer"},
        "when": {"type": "string", "format": "date"},
        "kind": {"type": "string", "enum": ["a"]},
        "keyed": {"type": "string"},
        "list": {"type": "string"},
        "either": {"oneOf": [{"type": "integer"}, {"type": "boolean"}]},
    }

    def row(name: str) -> dict[str, Any]:
        held = f"{SECRET}-{name}"
        return {
            "id": held,
            "text": held,
            "when": held,
            "kind": held,
            "keyed": {held.replace("-", "_"): held},
            "list": [{held.replace("-", "_"): 1}, held],
            "either": held,
            "url": f"http://x/{held}",
            held: held,
        }

    with FaultServer(then=page([row("one"), row("two")])) as server:
        told: list[Progress] = []
        found = probe(server.url, resource(fields), (), token=SECRET, bounds=FAST, state=state, progress=told.append)
    assert len(found.findings) > 6
    for output in (text(found), repr(found), state.read_text(encoding="utf-8"), repr(told), str(found.skipped)):
        assert SECRET not in output
        assert SECRET.replace("-", "_") not in output
        assert server.url not in output


HOSTILE = [
    "a'b",
    'a"b',
    "a\nb",
    "${{7*7}}",
    "]",
    "$",
    "a.b",
    "ünï",
    "__proto__",
    "\x00",
    "a: b # c",
    "\u2028",
    "*",
    "- x",
    "",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_of_fields_stay_names(name: str, tmp_path: Path) -> None:
    rows = [{"id": "1", name: 1, f"{name}x": 1}, {"id": "2", name: 2, f"{name}x": 2}]
    found = probe_rows(resource({"id": {"type": "string"}, name: {"type": "string"}}), rows, tmp_path)
    assert len(found.findings) == 2
    assert all("\n" not in each.field for each in found.findings)


@pytest.mark.parametrize("name", ["\ud800", "x" * 200])
def test_names_that_no_file_can_hold_are_counted_only(name: str, tmp_path: Path) -> None:
    found = probe_rows(resource({"id": {"type": "string"}}), [{"id": "1", name: 1}, {"id": "2", name: 1}], tmp_path)
    assert [(each.field, each.observed) for each in found.findings] == [("Thing", "other fields")]


def test_recursive_and_deep_answers_end(tmp_path: Path) -> None:
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
    found = probe_rows(schema, [record], tmp_path)
    assert found.findings == ()


@pytest.mark.parametrize("wrong", [{"rows": 0}, {"records": 0}, {"per_minute": 0}, {"per_minute": -1}])
def test_bounds_that_bound_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Bounds(**wrong)
