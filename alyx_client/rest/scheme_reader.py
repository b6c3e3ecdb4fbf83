"""Read a server's schema, OpenAPI or CoreAPI, for calls by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from alyx_client.errors import InvalidCallError
from alyx_client.rest.scheme import FieldInfo, RestOperation, RestScheme
from alyx_client.runtime.filter_values import FilterType, declared_type
from alyx_client.schema.coreapi import is_core_api, links
from alyx_client.schema.openapi import OpenAPIDocument, OpenAPIOperation, Schema, as_list, as_schema, json_schema
from alyx_client.schema.paging import ALYX_PAGING, Paging, read_paging
from alyx_client.schema.routes import action_of, is_endpoint, path_keys
from alyx_client.schema.row_keys import list_key_fields, page_fields

__all__ = ["read_scheme"]

Named = tuple[str, str, RestOperation]
"""An endpoint, an action, and the operation that they name."""

_COMPOSITIONS = ("allOf", "oneOf", "anyOf")
_CERTAIN_KEYS = ("A UUID string identifying", "A unique integer value identifying")
_SIMPLE_KEYS = ("type", "format", "description", "default")


def read_scheme(document: object) -> RestScheme:
    """Read a schema document of either form.

    Parameters
    ----------
    document
        The JSON of ``/api/schema`` (OpenAPI 3), or of ``/docs/`` (CoreAPI).

    Raises
    ------
    InvalidCallError
        The document is neither.
    """
    content = as_schema(document)
    if isinstance(content.get("paths"), Mapping):
        return RestScheme(_grouped(_open_api(OpenAPIDocument(content))), "open_api_v3")
    if is_core_api(content):
        return RestScheme(_grouped(_core_api(content)), "core_api")
    raise InvalidCallError("The server's schema is neither OpenAPI nor CoreAPI; is it an Alyx server?")


def _grouped(operations: Iterable[Named]) -> dict[str, dict[str, RestOperation]]:
    endpoints: dict[str, dict[str, RestOperation]] = {}
    for endpoint, action, operation in operations:
        if endpoint and is_endpoint(operation.path):
            # Paths are sorted, so that the shortest path gets the name: /cache/info before /cache/info/{tag}.
            endpoints.setdefault(endpoint, {}).setdefault(action, operation)
    return endpoints


def _open_api(document: OpenAPIDocument) -> Iterator[Named]:
    for operation in document.operations():
        path, parameters = operation.path, operation.parameters
        fields = [_field(parameter, document) for parameter in parameters if parameter.get("in") in ("path", "query")]
        joined = frozenset(str(parameter["name"]) for parameter in parameters if parameter.get("explode") is False)
        row_key = list_key_fields(document, operation)
        action = action_of(operation.method, path)
        rest_operation = RestOperation(
            operation.method,
            path,
            (*fields, *_body(operation, document)),
            joined,
            row_key,
            _paging(operation, document),
            dict(_types(parameters, "query" if action == "list" else "path", document)),
        )
        yield path.split("/")[1], action, rest_operation


def _types(parameters: Iterable[Schema], place: str, document: OpenAPIDocument) -> Iterator[tuple[str, FilterType]]:
    for parameter in parameters:
        schema = _one_type(parameter.get("schema"), document)
        schema = _one_type(schema.get("items"), document) if schema.get("type") == "array" else schema
        if parameter.get("in") == place and (kind := declared_type(schema)):
            yield str(parameter["name"]), kind


def _one_type(node: Any, document: OpenAPIDocument) -> Schema:
    """Return a schema, or the only one that it is composed of; an empty one if there are several."""
    schema = document.dereference(node)
    parts = [part for key in _COMPOSITIONS for part in as_list(schema.get(key))]
    return schema if not parts else document.dereference(parts[0]) if len(parts) == 1 else {}


def _paging(operation: OpenAPIOperation, document: OpenAPIDocument) -> Paging:
    fields = page_fields(document, operation) if operation.method == "GET" else {}
    queries = [parameter for parameter in operation.parameters if parameter.get("in") == "query"]
    return (read_paging(queries, fields) if "results" in fields else None) or ALYX_PAGING


def _field(parameter: Schema, document: OpenAPIDocument) -> FieldInfo:
    schema = _simplified(parameter.get("schema"), document)
    if parameter.get("description"):
        schema = {**schema, "description": parameter["description"]}
    return {
        "name": parameter["name"],
        "in": parameter["in"],
        "required": bool(parameter.get("required")),
        "schema": schema,
    }


def _body(operation: OpenAPIOperation, document: OpenAPIDocument) -> Iterator[FieldInfo]:
    schema = document.resolve(json_schema(document.resolve(operation.spec.get("requestBody"))))
    required = as_list(schema.get("required"))
    for name, field in as_schema(schema.get("properties")).items():
        # drf-spectacular declares one component for requests and responses, and marks fields of responses only.
        if not document.dereference(field).get("readOnly"):
            yield {"name": name, "in": "body", "required": name in required, "schema": _simplified(field, document)}


def _simplified(node: Any, document: OpenAPIDocument) -> dict[str, Any]:
    """Return the parts of a schema that calls by name use and print: type, format, values, description."""
    schema = document.dereference(node)
    parts = [_simplified(part, document) for key in _COMPOSITIONS if key in schema for part in as_list(schema[key])]
    simplified = {key: schema[key] for key in _SIMPLE_KEYS if key in schema}
    if "type" not in simplified:
        # A field's description is its own, not that of the component that it refers to.
        simplified |= {key: part[key] for part in reversed(parts) for key in ("type", "format") if key in part}
    if values := [*as_list(schema.get("enum")), *(value for part in parts for value in part.get("enum", ()))]:
        simplified["enum"] = values
    if simplified.get("type") == "array":
        simplified["items"] = _simplified(schema.get("items"), document)
    return simplified


def _core_api(document: Schema) -> Iterator[Named]:
    for endpoint, group in document.items():
        row_key = _core_row_key(as_schema(group))
        for action, link in links(as_schema(group)):
            fields = tuple(_core_field(as_schema(field)) for field in as_list(link.get("fields")))
            method = str(link.get("action", "get")).upper()
            paging = _core_paging(fields) if action == "list" else ALYX_PAGING
            types = dict(_core_types(fields)) if action == "list" else {}
            url = str(link["url"])
            yield endpoint, action, RestOperation(method, url, fields, row_key=row_key, paging=paging, types=types)


def _core_types(fields: Iterable[FieldInfo]) -> Iterator[tuple[str, FilterType]]:
    for field in fields:
        if field["in"] == "query" and (kind := declared_type(field["schema"])):
            yield str(field["name"]), kind


def _core_paging(fields: Iterable[FieldInfo]) -> Paging:
    """Return how a list is divided into pages, by its parameters: CoreAPI has no fields of pages."""
    queries = [{"name": field["name"], **field["schema"]} for field in fields if field["in"] == "query"]
    paging = read_paging(queries, {"count": {}, "next": {}})
    return paging if paging is not None and paging.position else ALYX_PAGING


def _core_row_key(group: Schema) -> tuple[str, ...]:
    """Return the fields that tell the rows of a group's list apart."""
    link = as_schema(group.get("read"))
    keys = path_keys(str(link.get("url", "")))
    for field in map(as_schema, as_list(link.get("fields"))):
        # CoreAPI has no fields of rows, and calls every key text, but for Django REST framework's own words.
        description = str(as_schema(field.get("schema")).get("description", ""))
        if field.get("name") in keys[-1:] and description.startswith(_CERTAIN_KEYS):
            return (str(field["name"]), "url")
    return ()


def _core_field(field: Schema) -> FieldInfo:
    schema = as_schema(field.get("schema"))
    simplified = {"type": schema.get("_type", "string")}
    if schema.get("description"):
        simplified["description"] = schema["description"]
    location = field.get("location", "query")
    return {
        "name": field["name"],
        "in": "body" if location == "form" else location,
        "required": bool(field.get("required")),
        "schema": simplified,
    }
