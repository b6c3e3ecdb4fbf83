"""Pairs of small documents that differ in one place, for each rule of oasdiff in `docs/reference/diff-rules.md`."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]

TEXT: Document = {"type": "string"}
NUMBER: Document = {"type": "integer"}
RECORD: Document = {"type": "object", "properties": {"id": NUMBER}}


@dataclass(frozen=True)
class Case:
    """Two documents, and the name under which their difference is reported."""

    old: Document
    new: Document
    name: str


def content(schema: Document | None, media_type: str = "application/json") -> Document:
    return {"content": {media_type: {} if schema is None else {"schema": schema}}}


def record(schema: Document | None, *required: str) -> Document:
    """Return the schema of a record with an identifier, and with a field called kind if it has a schema."""
    fields = {"id": NUMBER, **({} if schema is None else {"kind": schema})}
    return {"type": "object", "properties": fields, "required": [*required]}


def server(**components: Document) -> Document:
    """Return a server that lists, reads and creates labs; each operation has schemas of its own."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Labs", "version": "1.0.0"},
        "paths": {
            "/labs": {
                "get": {
                    "parameters": [],
                    "responses": {"200": {"description": "", **content({"type": "array", "items": RECORD})}},
                },
                "post": {
                    "requestBody": content(RECORD),
                    "responses": {"201": {"description": "", **content(RECORD)}},
                },
            },
            "/labs/{id}": {
                "get": {
                    "parameters": [{"in": "path", "name": "id", "required": True, "schema": NUMBER}],
                    "responses": {"200": {"description": "", **content(RECORD)}},
                },
            },
        },
        "components": {"schemas": components},
    }


Place = Callable[[Document, Document], None]
"""A function that puts a schema into its place in a document."""


def request_body(document: Document, schema: Document) -> None:
    document["paths"]["/labs"]["post"]["requestBody"] = content(schema)


def request_property(document: Document, schema: Document) -> None:
    request_body(document, record(schema))


def response_body(document: Document, schema: Document) -> None:
    document["paths"]["/labs/{id}"]["get"]["responses"]["200"] |= content(schema)


def response_property(document: Document, schema: Document) -> None:
    response_body(document, record(schema, "kind"))


def parameter(document: Document, schema: Document, **keywords: Any) -> None:
    declared = {"in": "query", "name": "kind", "schema": schema, **keywords}
    document["paths"]["/labs"]["get"]["parameters"] = [declared]


def parameter_property(document: Document, schema: Document) -> None:
    parameter(document, {"type": "object", "properties": {"size": schema}}, style="deepObject")


PLACES: dict[str, tuple[Place, str]] = {
    "request-body": (request_body, "client.labs.create() body"),
    "request-property": (request_property, "client.labs.create(kind=…)"),
    "response-body": (response_body, "client.labs.read() response"),
    "response-property": (response_property, "client.labs.read() .kind"),
    "request-parameter": (parameter, "client.labs.list(kind=)"),
    "request-parameter-property": (parameter_property, "client.labs.list(kind=) kind.size"),
}


def case(place: Place, old: Document, new: Document, name: str, **components: Document) -> Case:
    documents = []
    for schema in (old, new):
        document = server(**components)
        place(document, copy.deepcopy(schema))
        documents.append(document)
    return Case(documents[0], documents[1], name)


def edited(name: str, before: Callable[[Document], Any] | None, after: Callable[[Document], Any] | None) -> Case:
    """Return a case of two edits of the server; None leaves it as it is."""
    old, new = server(), server()
    for edit, document in ((before, old), (after, new)):
        if edit:
            edit(document)
    return Case(old, new, name)
