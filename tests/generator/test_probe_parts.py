"""Parts of the probe: what is forgotten of names that may be data, and schemas that are seldom seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alyx_generator.probe.crawl import Bounds
from alyx_generator.probe.observations import Observation
from alyx_generator.probe.query.run import probe_query_model
from alyx_generator.probe.run import probe
from alyx_generator.probe.values import MAX_FIELDS, ValueShape
from alyx_generator.source.fetch import Access

from ..faults import FaultServer, json_response, page
from .inline import document, key, ref, resource
from .inline import page as page_schema
from .inline import returns as declared
from .probing import UNLIMITED_RATE, probe_rows, routes_for
from .query_server import QueryServer, query_model
from .query_server import schema as query_schema


def test_too_many_names_are_data() -> None:
    observation = Observation(checked=3)
    for _ in range(3):
        for number in range(MAX_FIELDS + 1):
            observation.add_extra_field(f"name{number}", 1)
    observation.forget_data_keys()
    assert (observation.extra_fields, observation.unnamed_fields) == ({}, MAX_FIELDS + 1)


def test_names_that_differ_between_operations_are_data() -> None:
    shapes = [ValueShape(), ValueShape()]
    for shape, name in zip(shapes, ("tom", "anna"), strict=True):
        for _ in range(2):
            shape.add({name: 1})
    shapes[0].merge(shapes[1])
    assert (shapes[0].count, shapes[0].fields) == (4, None)


SELDOM: list[tuple[dict[str, Any], list[Any]]] = [
    # A password that the server returns.
    ({"type": "string", "writeOnly": True}, ["secret", "hidden"]),
    # Values alone, of several types, with others.
    ({"enum": ["a", 1]}, ["b", 2.5]),
    # Alternatives that allow anything, once their values are not restricted.
    ({"oneOf": [{"enum": ["a"]}, {"not": {}}]}, ["b"]),
    # An alternative that allows nothing, and so tells no type.
    ({"oneOf": [{"type": "string", "enum": ["a"]}, {"enum": []}]}, ["b"]),
    # Components whose names have to be escaped.
    (ref("a~1b"), [{"name": 1}, {"name": 2}]),
    (ref("day~1s"), ["x", "2020-01-01"]),
]


@pytest.mark.parametrize(("schema", "values"), SELDOM)
@pytest.mark.parametrize("sent", [True, False], ids=["sent", "answered"])
def test_seldom_schemas_are_corrected(schema: dict[str, Any], values: list[Any], sent: bool, tmp_path: Path) -> None:
    complete = resource({"id": {"type": "string"}, "field": schema})
    complete["components"]["schemas"]["a/b"] = {"type": "object", "properties": {"name": {"type": "string"}}}
    complete["components"]["schemas"]["day/s"] = {"type": "string", "format": "date"}
    if not sent:
        complete["paths"] = {path: {"get": item["get"]} for path, item in complete["paths"].items()}
    probe_rows(complete, [{"id": str(index), "field": value} for index, value in enumerate(values)], tmp_path)


def test_schema_that_is_part_of_itself_terminates() -> None:
    complete = resource({"id": {"type": "string"}})
    complete["components"]["schemas"]["Thing"] = {"allOf": [ref("Thing"), {"type": "object", "properties": {}}]}
    with FaultServer(routes=routes_for([{"id": "1"}])) as server:
        assert probe(server.url, complete, (), token="t", bounds=UNLIMITED_RATE).rows == 2


def test_response_without_a_declared_success_is_proposed() -> None:
    paths = {"/a": {"get": {"responses": {"404": {"description": ""}}}}, "/b": {"get": declared({})}}
    with FaultServer(routes={"/a": [json_response(1.5)], "/b": [json_response("x")]}) as server:
        result = probe(server.url, document(paths), (), token="t", bounds=UNLIMITED_RATE)
    updates = {finding.field: finding.corrections[0].update for finding in result.findings}
    number = {"content": {"application/json": {"schema": {"type": "number"}}}}
    assert {"responses": {"200": {"description": "", **number}}} in updates.values()


def test_page_without_rows_is_checked_as_it_is() -> None:
    with FaultServer(routes={"/things": [json_response({"detail": "none for you"})]}) as server:
        result = probe(server.url, resource({"id": {"type": "string"}}), (), token="t", bounds=UNLIMITED_RATE)
    assert "Page.results" in {finding.field for finding in result.findings}


def test_lists_below_records_are_read_until_there_are_rows_enough() -> None:
    paths = {
        "/labs": {"get": declared(ref("Page"))},
        "/labs/{name}/members": {"get": {**key("name"), **declared(ref("Page"))}},
    }
    components = {"Lab": {"type": "object", "properties": {"name": {"type": "string"}}}, "Page": page_schema("Lab")}
    rows = page([{"name": "a"}, {"name": "b"}, {"name": "c"}])
    with FaultServer(then=rows) as server:
        bounds = Bounds(rows=3, per_minute=1_000_000)
        result = probe(server.url, document(paths, components), (), token="t", bounds=bounds)
        assert server.paths == ["/labs", "/labs/a/members"]
    assert result.rows == 6


def test_alternatives_of_any_depth_terminate() -> None:
    value: Any = "x"
    for _ in range(100):
        value = [value]
    node = {"oneOf": [{"type": "array", "items": ref("Node")}, {"type": "string"}]}
    with FaultServer(routes={"/a": [json_response(value)]}) as server:
        paths = {"/a": {"get": declared(ref("Node"))}}
        result = probe(server.url, document(paths, {"Node": node}), (), token="t", bounds=UNLIMITED_RATE)
    assert result.findings == ()


def test_query_model_is_learnt_without_a_file_or_progress() -> None:
    model = query_model({"things": "Thing"}, Thing={"id": "UUIDField", "name": "CharField"})
    with FaultServer(then=QueryServer(model)) as server:
        access = Access(token="t")
        result = probe_query_model(server.url, query_schema(["things"]), (), access=access, per_minute=1_000_000)
    assert result.model == model
