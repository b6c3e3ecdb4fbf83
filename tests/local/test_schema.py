from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from alyx_client.testing import LocalAlyx
from alyx_client.testing.schema.load import load

GADGET: dict[str, Any] = {
    "type": "object",
    "required": ["id", "label", "size"],
    "properties": {
        "id": {"type": "string", "format": "uuid", "readOnly": True},
        "label": {"type": "string", "maxLength": 8},
        "size": {"type": "integer", "minimum": 1},
        "colour": {"oneOf": [{"enum": ["red", "blue"], "type": "string"}, {"enum": [""]}]},
        "made": {"type": "string", "format": "date-time", "nullable": True},
        "parts": {"type": "array", "items": {"type": "string"}},
        "notes": {"nullable": True},
    },
}


def content_of(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def gadgets() -> dict[str, Any]:
    record = {"$ref": "#/components/schemas/Gadget"}
    page = {
        "type": "object",
        "properties": {"count": {"type": "integer"}, "results": {"type": "array", "items": record}},
    }
    filters = [{"name": "label", "in": "query", "schema": {"type": "string"}}]
    return {
        "openapi": "3.0.3",
        "info": {"title": "", "version": "0.0.0"},
        "paths": {
            "/gadgets": {
                "get": {"parameters": filters, "responses": {"200": content_of(page)}},
                "post": {"requestBody": content_of(record), "responses": {"201": content_of(record)}},
            },
            "/gadgets/{label}": {
                "get": {"responses": {"200": content_of(record)}},
                "patch": {"requestBody": content_of(record), "responses": {"200": content_of(record)}},
                "delete": {"responses": {"204": {}}},
            },
        },
        "components": {"schemas": {"Gadget": GADGET}},
    }


@pytest.fixture
def unknown() -> Iterator[httpx2.Client]:
    with LocalAlyx(gadgets()) as local:
        headers = {"Authorization": f"Token {local.token()}"}
        with httpx2.Client(base_url=local.url, headers=headers) as client:
            yield client


def test_schema_is_served_unchanged(unknown: httpx2.Client) -> None:
    accept = "application/vnd.oai.openapi+json"
    response = unknown.get("/api/schema", headers={"Accept": accept})
    assert (response.json(), response.headers["content-type"]) == (gadgets(), accept)
    assert unknown.get("/api/schema", headers={"Accept": "application/json"}).json() == gadgets()
    assert unknown.get("/api/schema", headers={"Authorization": ""}).status_code == 403


def test_endpoint_without_a_declared_table_works_from_its_schema(unknown: httpx2.Client) -> None:
    created = unknown.post("/gadgets", json={"label": "one", "size": 3, "parts": ["a"], "notes": {"x": 1}})
    assert created.status_code == 201
    body = created.json()
    assert {**body, "id": ""} == {
        "id": "",
        "label": "one",
        "size": 3,
        "colour": "",
        "made": None,
        "parts": ["a"],
        "notes": {"x": 1},
    }
    unknown.post("/gadgets", json={"label": "two", "size": 1})
    assert unknown.get("/gadgets", params={"label": "two"}).json()["count"] == 1
    assert unknown.get("/gadgets", params={"size": 1}).json()["count"] == 2
    assert unknown.patch("/gadgets/one", json={"made": "2020-01-01T00:00:00"}).json()["made"] == "2020-01-01T00:00:00"
    assert unknown.delete("/gadgets/one").status_code == 204
    assert unknown.get("/gadgets/one").json()["detail"] == "No Gadget matches the given query."


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": "too long for it"}, "Ensure this field has no more than 8 characters."),
        ({"size": 0}, "Ensure this value is greater than or equal to 1."),
        ({"size": "x"}, "A valid integer is required."),
        ({"colour": "green"}, '"green" is not a valid choice.'),
        ({"made": "soon"}, "Datetime has wrong format. Use one of these formats instead: "),
        ({"parts": "a"}, 'Expected a list of items but got type "str".'),
        ({"label": ""}, "This field may not be blank."),
    ],
)
def test_constraints_of_the_schema_are_checked(unknown: httpx2.Client, change: dict[str, Any], message: str) -> None:
    response = unknown.post("/gadgets", json={"label": "one", "size": 1, **change})
    assert response.status_code == 400
    assert response.json()[next(iter(change))][0].startswith(message)


def test_path_outside_of_the_schema_is_not_found(unknown: httpx2.Client) -> None:
    assert unknown.get("/sessions").status_code == 404
    assert unknown.put("/gadgets/one", json={}).status_code == 405


def test_coreapi_document_is_served_and_followed() -> None:
    def link(url: str, action: str, *fields: tuple[str, str]) -> dict[str, Any]:
        fields_of_link = [
            {"name": name, "location": location, "schema": {"_type": "string"}} for name, location in fields
        ]
        return {"_type": "link", "url": url, "action": action, "fields": fields_of_link}

    document: dict[str, Any] = {
        "_type": "document",
        "_meta": {"url": "http://localhost/docs/", "title": "old"},
        "labs": {
            "list": link("/labs", "get", ("name", "query")),
            "create": link("/labs", "post", ("name", "form"), ("address", "form")),
            "read": link("/labs/{name}", "get", ("name", "path")),
        },
        "gadgets": {
            "list": link("/gadgets", "get"),
            "create": link("/gadgets", "post", ("label", "form")),
            "read": link("/gadgets/{label}", "get", ("label", "path")),
        },
    }
    with LocalAlyx(document) as local:
        headers = {"Authorization": f"Token {local.token()}"}
        with httpx2.Client(base_url=local.url, headers=headers) as client:
            assert client.get("/api/schema").status_code == 404
            docs = client.get("/docs", headers={"Accept": "application/coreapi+json"})
            assert (docs.json(), docs.headers["content-type"]) == (document, "application/coreapi+json")
            assert client.get("/labs", params={"name": "attic"}).json()["count"] == 1
            assert client.get("/labs/attic").json()["name"] == "attic"
            assert client.post("/gadgets", json={"label": "one"}).json() == {"label": "one"}
            assert client.get("/gadgets/one").json() == {"label": "one"}


def test_published_document_may_differ_from_the_behaviour(local_alyx: LocalAlyx) -> None:
    corrected = gadgets()
    corrected["components"]["schemas"]["Gadget"] = {
        **GADGET,
        "properties": {**GADGET["properties"], "weight": {"type": "number", "nullable": True}},
    }
    with LocalAlyx(gadgets(), behaviour=corrected) as local:
        headers = {"Authorization": f"Token {local.token()}"}
        with httpx2.Client(base_url=local.url, headers=headers) as client:
            assert client.post("/gadgets", json={"label": "one", "size": 1}).json()["weight"] is None
            assert client.get("/api/schema").json() == gadgets()


def test_document_is_loaded_by_path_but_not_by_an_unknown_name(tmp_path: Path) -> None:
    path = tmp_path / "gadgets.json"
    path.write_text(json.dumps(gadgets()))
    assert set(load(path).endpoints) == {"gadgets"}
    with pytest.raises(FileNotFoundError, match=r"alyx-0\.0\.0"):
        load("alyx-0.0.0")
    with pytest.raises(ValueError, match="not a schema document"):
        load({"swagger": "2.0"})
