"""The actions of a CoreAPI document, as far as such a document describes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from alyx_client.schema.coreapi import links
from alyx_client.schema.naming import endpoint_name
from alyx_client.schema.openapi import Schema, as_list, as_schema
from alyx_client.schema.routes import ACTIONS_BY_METHOD, PAGING_PARAMETERS, is_endpoint, path_keys, route
from alyx_client.schema.surface import ActionName, SurfaceAction, ValueSpec

__all__ = ["core_api_actions"]

_TYPES = {
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "object": "object",
    "string": "text",
    "array": "list of anything",
    "enum": "text",
}


def core_api_actions(document: Mapping[str, Any]) -> dict[str, SurfaceAction]:
    """Return the actions that a document describes, by their routes.

    Parameters
    ----------
    document
        The decoded document.
    """
    actions: dict[str, SurfaceAction] = {}
    for word, link in links(document):
        path, method = str(link.get("url", "")), str(link.get("action", "get")).upper()
        if is_endpoint(path) and method in ACTIONS_BY_METHOD:
            actions[route(method, path)] = _action(word, method, path, link)
    return {key: _with_all_fields(action, actions) for key, action in actions.items()}


def _action(word: str, method: str, path: str, link: Schema) -> SurfaceAction:
    fields: dict[str, dict[str, ValueSpec]] = {"path": {}, "query": {}, "form": {}}
    for field in map(as_schema, as_list(link.get("fields"))):
        # "form" holds the fields of a record; "body" the same for clients that send JSON.
        location = str(field.get("location"))
        fields.setdefault("form" if location == "body" else location, {})[str(field.get("name"))] = _value(field)
    request_fields = fields["form"]
    if method == "PATCH":
        request_fields = {name: replace(value, required=False) for name, value in request_fields.items()}
    return SurfaceAction(
        ActionName(endpoint_name(path), "list" if word == "list" else ACTIONS_BY_METHOD[method]),
        method,
        path,
        tuple((key, fields["path"].get(key, ValueSpec(("text",)))) for key in path_keys(path)),
        "record" if request_fields else "",
        "",
        {name: value for name, value in fields["query"].items() if name not in PAGING_PARAMETERS},
        request_fields,
    )


def _with_all_fields(action: SurfaceAction, actions: Mapping[str, SurfaceAction]) -> SurfaceAction:
    """Return a creating action with the fields of the replacing one, if the document lacks any of them.

    A document is made without a request, and without one Alyx's views choose the serialiser of a list's rows.
    """
    update = actions.get(route("PUT", f"{action.path}/{{}}"))
    if action.method != "POST" or update is None or not action.request_fields:
        return action
    if not update.request_fields.keys() - action.request_fields.keys():
        return action
    return replace(action, request_fields={**action.request_fields, **update.request_fields})


def _value(field: Schema) -> ValueSpec:
    schema = as_schema(field.get("schema"))
    values = [value for value in as_list(schema.get("enum")) if isinstance(value, str | int | float)]
    return ValueSpec(
        (_TYPES.get(str(schema.get("_type")), "anything"),),
        bool(field.get("required")),
        enum=tuple(sorted(values, key=str)),
    )
