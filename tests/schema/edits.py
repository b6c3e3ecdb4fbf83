"""A small server, edits of its schema, and the changes that they make."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from alyx_client.schema.diff import compare_surfaces
from alyx_client.schema.extract import surface_of
from alyx_client.schema.report import Report

Document = dict[str, Any]
Edit = Callable[[Document], Any]

TEXT = {"type": "string"}
LIMIT = {"name": "limit", "schema": {"type": "integer"}}
KEY = {"in": "path", "name": "name", "required": True, "schema": TEXT}


def ref(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


def content(schema: Document) -> Document:
    return {"content": {"application/json": {"schema": schema}}}


def server() -> Document:
    """Return a server with one endpoint, whose records hold a field of every kind."""
    detail = {
        "type": "object",
        "required": ["name", "url"],
        "properties": {
            "url": {"type": "string", "format": "uri", "readOnly": True},
            "name": {"type": "string", "maxLength": 50},
            "kind": {"type": "string", "enum": ["cell", "fish"]},
            "weight": {"type": "number"},
            "count": {"type": "integer", "nullable": True},
            "secret": {"type": "string", "writeOnly": True},
            "born": {"type": "string", "format": "date"},
            "either": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
            "tags": {"type": "array", "items": {"type": "string"}},
            "pinned": {"enum": ["a", 1]},
            "parts": {"type": "array", "readOnly": True, "items": ref("Part")},
        },
    }
    row = {"type": "object", "properties": {"name": {"type": "string"}}}
    page = {"properties": {"count": {"type": "integer"}, "results": {"type": "array", "items": ref("LabList")}}}
    body = {"requestBody": content(ref("LabDetail"))}
    answer = {"responses": {"200": content(ref("LabDetail"))}}
    return {
        "openapi": "3.0.3",
        "paths": {
            "/labs": {
                "get": {
                    "parameters": [
                        {"in": "query", "name": "city", "schema": TEXT},
                        {"in": "query", "name": "size", "schema": {"type": "integer", "enum": [0, 1]}},
                        {"in": "query", **LIMIT},
                    ],
                    "responses": {"200": content(ref("Page"))},
                },
                "post": {**body, "responses": {"201": content(ref("LabDetail"))}},
            },
            "/labs/{name}": {
                "parameters": [KEY],
                "get": answer,
                "put": {**body, **answer},
                "patch": {"requestBody": content(ref("PatchedLabDetail")), **answer},
                "delete": {"responses": {"204": {}}},
            },
            "/water-type": {"get": {"responses": {"200": content({"type": "array", "items": ref("LabList")})}}},
            "/api/schema": {"get": {"responses": {"200": content({"type": "object"})}}},
            "/docs/": {"get": {"responses": {"200": {}}}},
            "/auth-token": {"post": {"responses": {"200": {}}}},
        },
        "components": {
            "schemas": {
                "LabDetail": detail,
                "PatchedLabDetail": {**copy.deepcopy(detail), "required": []},
                "LabList": row,
                "Page": page,
                "Part": {"type": "object", "properties": {"id": {"type": "integer"}, "note": {"type": "string"}}},
            }
        },
    }


def components(document: Document) -> Document:
    schemas: Document = document["components"]["schemas"]
    return schemas


def field(name: str, **changed: Any) -> Edit:
    """Return an edit of a field wherever it stands; a keyword of None goes away."""

    def edit(document: Document) -> None:
        for component in ("LabDetail", "PatchedLabDetail"):
            declared = {**components(document)[component]["properties"].get(name, {}), **changed}
            components(document)[component]["properties"][name] = {k: v for k, v in declared.items() if v is not None}

    return edit


def without_field(name: str) -> Edit:
    def edit(document: Document) -> None:
        for component in ("LabDetail", "PatchedLabDetail"):
            del components(document)[component]["properties"][name]

    return edit


def required(*names: str) -> Edit:
    return lambda document: components(document)["LabDetail"].update(required=list(names))


def without_path(path: str) -> Edit:
    return lambda document: document["paths"].pop(path)


def without_method(path: str, method: str) -> Edit:
    return lambda document: document["paths"][path].pop(method)


def moved(old: str, new: str) -> Edit:
    return lambda document: document["paths"].update({new: document["paths"].pop(old)})


def filters(*parameters: Document) -> Edit:
    return lambda document: document["paths"]["/labs"]["get"].update(
        parameters=[{"in": "query", **parameter} for parameter in (*parameters, LIMIT)]
    )


CITY = {"name": "city", "schema": TEXT}
SIZE = {"name": "size", "schema": {"type": "integer", "enum": [0, 1]}}


def put(document: Document) -> None:
    components(document)["LabUpdate"] = {**components(document)["LabDetail"], "required": ["name", "kind"]}
    document["paths"]["/labs/{name}"]["put"]["requestBody"] = content(ref("LabUpdate"))


def renamed_key(document: Document) -> None:
    document["paths"]["/labs/{id}"] = document["paths"].pop("/labs/{name}")
    document["paths"]["/labs/{id}"]["parameters"] = [{**KEY, "name": "id"}]


def key_of(schema: Document) -> Edit:
    return lambda document: document["paths"]["/labs/{name}"].update(parameters=[{**KEY, "schema": schema}])


def body(schema: Document | None) -> Edit:
    def edit(document: Document) -> None:
        operation = document["paths"]["/labs"]["post"]
        if schema is None:
            del operation["requestBody"]
        else:
            operation["requestBody"] = content(schema)

    return edit


def answer(path: str, method: str, schema: Document) -> Edit:
    return lambda document: document["paths"][path][method].update(responses={"200": content(schema)})


def nested(**properties: Any) -> Edit:
    return lambda document: components(document)["Part"].update(properties=properties)


def edited(*edits: Edit) -> Document:
    document = server()
    for edit in edits:
        edit(document)
    return document


def lines(report: Report) -> list[str]:
    return [line.strip() for line in report.text().splitlines()[1:] if line.strip()]


def compare(old: Document, new: Document) -> Report:
    return compare_surfaces(surface_of(old), surface_of(new))


def changes_of(report: Report) -> list[tuple[str, str, str]]:
    return [(change.group, change.name, change.words) for change in report.changes]
