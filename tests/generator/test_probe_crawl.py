"""Requests of a probe: targets, bounds, lookup keys and failures."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from alyx_generator.probe.crawl import Bounds
from alyx_generator.probe.run import probe
from alyx_generator.source.fetch import fetch

from alyx_client.errors import AuthenticationError, RateLimitError
from alyx_client.testing import LocalAlyx

from ..faults import (
    FaultServer,
    Step,
    html_response,
    json_response,
    page,
    reset_before_headers,
    response,
    stale_token,
    too_many,
)
from .inline import body, document, key, ref, resource
from .inline import page as page_schema
from .inline import returns as declared
from .probing import SECRET, UNLIMITED_RATE, paged_list, routes_for


def test_only_get_requests_are_sent_within_bounds() -> None:
    with LocalAlyx() as alyx:
        bounds = Bounds(rows=7, records=3, per_minute=1_000_000)
        result = probe(alyx.url, fetch("shipped"), (), token=alyx.token(), bounds=bounds)
        requests = list(alyx.requests)
    assert {request.method for request in requests} == {"GET"}
    assert len(requests) == result.requests
    assert result.requests <= 3 * (result.operations + len(result.skipped))


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250, 300, 301, 5000])
def test_long_lists_are_sampled(count: int) -> None:
    schema = resource({"id": {"type": "string"}})
    del schema["paths"]["/things/{id}"]
    with FaultServer(routes={"/things": [paged_list(count)] * 99}) as server:
        result = probe(server.url, schema, (), token="t", bounds=Bounds(rows=300, per_minute=1_000_000))
        offsets = [int(parse_qs(urlsplit(request.target).query)["offset"][0]) for request in server.requests]
    assert result.rows == min(count, 300)
    assert len(offsets) == max(1, -(-min(count, 300) // 100))
    if count == 5000:
        assert offsets == [0, 100, 4900]


def test_server_ignoring_the_limit_gets_one_request() -> None:
    rows = [{"id": str(index)} for index in range(50)]
    with FaultServer(routes=routes_for(rows)) as server:
        result = probe(server.url, resource({"id": {"type": "string"}}), (), token="t", bounds=Bounds(10, 2, 1_000_000))
        assert server.count("/things") == 1
        assert len(server.requests) == 3
    assert result.rows == 12


def test_request_rate_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("alyx_generator.probe.pace.time.sleep", slept.append)
    with FaultServer(routes=routes_for([{"id": "1"}])) as server:
        probe(server.url, resource({"id": {"type": "string"}}), (), token="t", bounds=Bounds(per_minute=2))
    assert slept[0] == 0
    assert 25 < slept[1] <= 30


def test_throttled_request_is_retried() -> None:
    with FaultServer(routes={"/things": [too_many("0"), page([])]}) as server:
        result = probe(server.url, resource({"id": {"type": "string"}}), (), token="t", bounds=UNLIMITED_RATE)
        assert server.count("/things") == 2
    assert [skipped.failed for skipped in result.skipped] == [False]


def test_long_throttling_ends_the_probe() -> None:
    with FaultServer(routes={"/things": [too_many("3600")]}) as server, pytest.raises(RateLimitError):
        probe(server.url, resource({"id": {"type": "string"}}), (), token="t", bounds=UNLIMITED_RATE)


@pytest.mark.parametrize("status", [400, 403, 404, 405, 500])
def test_failing_endpoint_is_reported_and_the_rest_is_read(status: int) -> None:
    schema = document({"/a": {"get": declared({"type": "string"})}, "/b": {"get": declared({"type": "string"})}})
    routes = {"/a": [json_response({"detail": SECRET}, status=status)], "/b": [json_response("x")]}
    with FaultServer(routes=routes) as server:
        result = probe(server.url, schema, (), token="t", bounds=UNLIMITED_RATE)
    assert [(skipped.operation, skipped.reason, skipped.failed) for skipped in result.skipped] == [
        ("/a read", f"HTTP {status} (1 of 1)", True)
    ]
    assert (result.operations, result.rows) == (1, 1)
    assert SECRET not in repr(result)


@pytest.mark.parametrize("step", [html_response(), response(b"{", content_type="application/json"), response(b"")])
def test_non_json_response_is_reported(step: Step) -> None:
    with FaultServer([step]) as server:
        result = probe(server.url, document({"/a": {"get": declared(ref("A"))}}), (), token="t", bounds=UNLIMITED_RATE)
    assert [skipped.failed for skipped in result.skipped] == [True]
    assert "not JSON" in result.skipped[0].reason
    assert result.findings == ()


def test_rejected_token_ends_the_probe() -> None:
    with FaultServer(then=stale_token()) as server, pytest.raises(AuthenticationError):
        probe(server.url, resource({"id": {"type": "string"}}), (), token="t", bounds=UNLIMITED_RATE)


def test_operations_that_cannot_be_requested_are_reported() -> None:
    paths = {
        "/files/{name}": {"get": {**key("name"), **declared(ref("A"))}},
        "/search": {"get": {"parameters": [{"in": "query", "name": "q", "required": True}], **declared(ref("A"))}},
        "/check": {"get": {"requestBody": {"required": True, **body(ref("A"))["requestBody"]}, **declared(ref("A"))}},
        "/all.zip": {"get": declared(None)},
    }
    with FaultServer() as server:
        result = probe(server.url, document(paths), (), token="t", bounds=UNLIMITED_RATE)
        assert server.requests == []
    assert {skipped.operation: skipped.reason for skipped in result.skipped} == {
        "/files/{name} read": "no list has its keys",
        "/search read": "it needs q",
        "/check read": "it needs a body",
        "/all.zip read": "it is a file",
    }
    assert not any(skipped.failed for skipped in result.skipped)


def test_lookup_keys_are_quoted_within_their_segment() -> None:
    names = ["a/b", "..", "?x=1", "ä b"]
    schema = resource({"id": {"type": "string"}})
    with FaultServer(then=page([{"id": name} for name in names])) as server:
        probe(server.url, schema, (), token="t", bounds=UNLIMITED_RATE)
        assert server.paths == ["/things", "/things/a%2Fb", "/things/%3Fx%3D1", "/things/%C3%A4%20b"]


def test_nested_records_are_read_through_their_parents() -> None:
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
        result = probe(server.url, document(paths, row), (), token="t", bounds=UNLIMITED_RATE)
        assert sorted(server.paths) == sorted(routes)
    assert (result.operations, result.skipped) == (4, ())


def test_records_of_a_cursor_paged_list_are_read() -> None:
    schema = resource({"id": {"type": "string"}})
    del schema["components"]["schemas"]["Page"]["properties"]["count"]
    routes = {
        "/things": [json_response({"next": None, "results": [{"id": "1"}]})],
        "/things/1": [json_response({"id": 1})],
    }
    with FaultServer(routes=routes) as server:
        result = probe(server.url, schema, (), token="t", bounds=UNLIMITED_RATE)
    assert "Thing.id" in {finding.field for finding in result.findings}


def test_lookup_key_that_no_url_can_contain_is_ignored() -> None:
    with FaultServer(then=page([{"id": "\ud800"}])) as server:
        result = probe(server.url, resource({"id": {"type": "string"}}), (), token="t", bounds=UNLIMITED_RATE)
    assert [skipped.reason for skipped in result.skipped] == ["no record of it was found"]


def test_record_that_breaks_the_connection_is_skipped() -> None:
    rows = [{"id": "a"}, {"id": "b"}, {"id": "c"}]
    routes = routes_for(rows) | {"/things/b": [reset_before_headers()] * 9}
    with FaultServer(routes=routes) as server:
        result = probe(server.url, resource({"id": {"type": "string"}}), (), token="t", bounds=UNLIMITED_RATE)
    assert [(skipped.reason, skipped.failed) for skipped in result.skipped] == [("no response (1 of 3)", True)]
    assert result.rows == 5


@pytest.mark.parametrize("wrong", [{"rows": 0}, {"records": 0}, {"per_minute": 0}, {"per_minute": -1}])
def test_nonpositive_bounds_are_rejected(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Bounds(**wrong)
