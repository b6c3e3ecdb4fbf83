"""Reader of CoreAPI documents, the format in which servers before 3.3 describe themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from alyx_client.testing.schema.document import (
    Document,
    Endpoint,
    FieldSchema,
    JSONObject,
    Kind,
    ObjectSchema,
    Operation,
)
from alyx_client.testing.schema.openapi import read_openapi
from alyx_client.testing.schema.snapshots import snapshot

_KINDS: dict[str, Kind] = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "array": "array",
}
_ACTIONS = ("list", "read", "create", "update", "partial_update", "delete")


def read_coreapi(raw: JSONObject) -> Document:
    """Read a CoreAPI document.

    A CoreAPI document does not describe responses. Their schemas are taken from the shipped snapshot of the same
    endpoint, or else from the form that creates a record.
    """
    reference = _shipped_endpoints()
    paths: dict[str, set[str]] = {}
    endpoints: dict[str, Endpoint] = {}
    for name, links in _objects(raw):
        if name.startswith("_"):
            continue
        for _action, link in _links(links):
            paths.setdefault(str(link["url"]), set()).add(str(link["action"]).upper())
        endpoint = _endpoint(name, links, reference.get(name))
        if endpoint.operations:
            endpoints[name] = endpoint
    return Document(raw, "coreapi", {path: frozenset(methods) for path, methods in paths.items()}, endpoints)


def _endpoint(name: str, links: JSONObject, reference: Endpoint | None) -> Endpoint:
    form = next((_form(links[action]) for action in ("create", "update") if action in links), None)
    operations: dict[str, Operation] = {}
    lookup: str | None = None
    for action, link in _links(links):
        if action not in _ACTIONS:
            continue
        path = str(link["url"])
        if path.endswith("}"):
            lookup = path.rsplit("{", 1)[-1].rstrip("}")
        counterpart = reference.operations.get(action) if reference else None
        operations[action] = Operation(
            action,
            str(link["action"]).upper(),
            path,
            frozenset(str(item["name"]) for item in link.get("fields", ()) if item.get("location") == "query"),
            (counterpart.request if counterpart else None) or form,
            (counterpart.response if counterpart else None) or form,
        )
    return Endpoint(name, lookup, operations)


def _shipped_endpoints() -> Mapping[str, Endpoint]:
    path = snapshot(corrected=True) or snapshot()
    return read_openapi(json.loads(path.read_text(encoding="utf-8"))).endpoints if path is not None else {}


def _objects(document: JSONObject) -> list[tuple[str, JSONObject]]:
    return [(name, value) for name, value in document.items() if isinstance(value, dict)]


def _links(links: JSONObject) -> Iterator[tuple[str, JSONObject]]:
    """Yield the links of an endpoint by action; paths with another segment are grouped below its name."""
    for name, link in _objects(links):
        if "url" in link and "action" in link:
            yield name, link
        else:
            yield from _links(link)


def _form(link: JSONObject) -> ObjectSchema:
    fields: dict[str, FieldSchema] = {}
    for item in link.get("fields", ()):
        if item.get("location") != "form":
            continue
        name, required = str(item["name"]), bool(item.get("required"))
        kind = _KINDS.get(str(item.get("schema", {}).get("_type", "string")), "any")
        fields[name] = FieldSchema(name, kind, nullable=not required, required=required, may_be_blank=not required)
    return ObjectSchema("", fields)
