"""The actions of an OpenAPI document, as a surface has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from alyx_client.schema.action_facts import action_facts
from alyx_client.schema.class_names import with_class_names
from alyx_client.schema.keywords import SENT_AS, lifecycle, sent_as
from alyx_client.schema.naming import endpoint_name
from alyx_client.schema.openapi import (
    OpenAPIDocument,
    OpenAPIOperation,
    Schema,
    as_list,
    as_schema,
    component_name,
    json_schema,
)
from alyx_client.schema.routes import ACTIONS_BY_METHOD, PAGING_PARAMETERS, is_endpoint, path_keys, route
from alyx_client.schema.surface import ActionName, SurfaceAction, ValueSpec
from alyx_client.schema.value_reader import ValueReader

__all__ = ["open_api_actions"]

# OpenAPI 3.1, section 4.8.12: parameters of these names are ignored.
_OWN_HEADERS = frozenset({"Accept", "Authorization", "Content-Type"})
_SEVERAL = ("list of ", "mapping of ", "object", "record")


def open_api_actions(document: OpenAPIDocument) -> dict[str, SurfaceAction]:
    """Return the actions that a document describes, by their routes.

    Parameters
    ----------
    document
        The document. Operations that a correction marks with ``x-alyx-skip`` are left out.
    """
    reader = _ActionReader(document)
    actions: dict[str, SurfaceAction] = {}
    components: dict[str, tuple[str, str]] = {}
    for operation in document.operations():
        if is_endpoint(operation.path) and not operation.spec.get("x-alyx-skip"):
            key = route(operation.method, operation.path)
            actions[key], components[key] = reader.read(operation)
    return with_class_names(actions, components)


class _ActionReader:
    def __init__(self, document: OpenAPIDocument) -> None:
        self._document = document
        self._values = ValueReader(document)

    def read(self, operation: OpenAPIOperation) -> tuple[SurfaceAction, tuple[str, str]]:
        """Return an operation as an action, and the components of its request and its response."""
        body, request = self._request(operation.spec)
        request_fields = self._values.fields(request, sent=True) if request else {}
        if body:
            request_fields[""] = self._body(operation.spec)
        # A PATCH requires no field, whatever the component that it shares with PUT declares.
        if operation.method == "PATCH":
            request_fields = {name: replace(value, required=False) for name, value in request_fields.items()}
        content, record = self._response(operation)
        response = json_schema(self._success(as_schema(operation.spec.get("responses"))) or {})
        page = self._document.resolve(response) if content == "page of records" else None
        response_fields = self._values.fields(record) if record else {}
        if response is not None and content != "file":
            response_fields[""] = self._values.value(response if page is None else record, sent=False)
        action = SurfaceAction(
            ActionName(*self._name(operation, content)),
            operation.method,
            operation.path,
            self._keys(operation),
            body,
            content,
            self._filters(operation, PAGING_PARAMETERS if page is not None else frozenset()),
            request_fields,
            response_fields,
            action_facts(self._document, operation, page),
        )
        is_record = content in ("page of records", "list of records") or "record" in content.split(" or ")
        return action, (component_name(request), component_name(record) if is_record else "")

    def _keys(self, operation: OpenAPIOperation) -> tuple[tuple[str, ValueSpec], ...]:
        keys = {
            str(parameter["name"]): self._value(parameter)
            for parameter in operation.parameters
            if parameter.get("in") == "path"
        }
        return tuple((name, keys.get(name, ValueSpec(("text",)))) for name in path_keys(operation.path))

    def _filters(self, operation: OpenAPIOperation, excluded: frozenset[str]) -> dict[str, ValueSpec]:
        filters: dict[str, ValueSpec] = {}
        for parameter in operation.parameters:
            place, name = parameter.get("in"), str(parameter["name"])
            if place == "path" or name in (excluded if place == "query" else _OWN_HEADERS):
                continue
            label = name if place == "query" else f"{place} {name}"
            filters[label] = self._value(parameter)
            inner = self._values.fields(_parameter_schema(parameter), sent=True)
            filters |= {f"{label}.{field}": value for field, value in inner.items()}
        return filters

    def _value(self, parameter: Schema) -> ValueSpec:
        value = self._values.value(_parameter_schema(parameter))
        keywords = {**dict(value.keywords), **lifecycle(parameter)}
        if parameter.get("content") or any(name.startswith(_SEVERAL) for name in value.types):
            keywords[SENT_AS] = sent_as(parameter)
        is_required = bool(parameter.get("required")) and parameter.get("in") != "path"
        return replace(value, required=is_required, keywords=tuple(sorted(keywords.items())))

    def _body(self, spec: Schema) -> ValueSpec:
        holder = self._document.resolve(spec.get("requestBody"))
        return replace(self._values.value(json_schema(holder) or {}), required=bool(holder.get("required")))

    def _name(self, operation: OpenAPIOperation, content: str) -> tuple[str, str]:
        """Return the names of the endpoint and the action."""
        path = operation.path
        is_list = content == "page of records" or (content == "list of records" and not path.endswith("}"))
        if operation.method == "GET" and is_list:
            return endpoint_name(path), "list"
        segments = [segment for segment in path.split("/") if segment]
        record = f"/{'/'.join(segments[:-1])}"
        # An operation on a record, such as /sessions/{id}/lock, is a method of the record's endpoint.
        is_on_record = len(segments) > 2 and segments[-2].startswith("{") and not segments[-1].startswith("{")
        if is_on_record and (record in self._document.paths or f"{record}/" in self._document.paths):
            return endpoint_name(record), endpoint_name(segments[-1])
        return endpoint_name(path), ACTIONS_BY_METHOD[operation.method]

    def _request(self, spec: Schema) -> tuple[str, Schema]:
        """Return the body of requests in words, and the schema of a record in it."""
        schema = json_schema(self._document.resolve(spec.get("requestBody")))
        if schema is None:
            return "", {}
        resolved = self._document.resolve(schema)
        options = as_list(resolved.get("oneOf") or resolved.get("anyOf")) or [schema]
        records: list[Schema] = []
        lists: list[Schema] = []
        for option in options:
            target = self._document.resolve(option)
            if target.get("type") == "array":
                lists.append(as_schema(target.get("items")))
            else:
                records.append(as_schema(option))
        # Endpoints that create several records at once accept either; their fields are those of a single record.
        body = " or ".join(word for word, present in (("record", records), ("list", lists)) if present)
        chosen = records or lists
        return body, chosen[0] if len(chosen) == 1 else {"oneOf": chosen}

    def _response(self, operation: OpenAPIOperation) -> tuple[str, Schema]:
        """Return the content of responses in words, and the schema of a record in it."""
        responses = as_schema(operation.spec.get("responses"))
        response = self._success(responses)
        if response is None:
            # Alyx often declares no response at all, which says nothing about its content.
            is_empty = operation.method == "DELETE" or any(code in responses for code in ("204", "205"))
            return "nothing" if is_empty else "anything", {}
        if not any("json" in media_type for media_type in as_schema(response["content"])):
            return "file", {}
        schema = json_schema(response) or {}
        target = self._document.resolve(schema)
        row = self._row_of_page(target)
        if row is not None and operation.method == "GET":
            return "page of records", row
        types = self._values.value(schema).types
        if types == ("list of record",):
            return "list of records", as_schema(target.get("items"))
        return " or ".join(types), schema if any("record" in name for name in types) else {}

    def _success(self, responses: Schema) -> Schema | None:
        """Return the first response to a success that has content."""
        codes = sorted(code for code in responses if str(code).startswith("2"))
        successes = (self._document.resolve(responses[code]) for code in codes)
        return next((response for response in successes if response.get("content")), None)

    def _row_of_page(self, target: Schema) -> Schema | None:
        """Return the schema of a row, if a schema is that of a page."""
        # Django REST framework's two styles: pages with a count, and cursors with the neighbouring pages only.
        properties: Mapping[str, object] = as_schema(target.get("properties"))
        results = self._document.resolve(properties.get("results"))
        is_page = "count" in properties or {"next", "previous"} <= properties.keys()
        return as_schema(results.get("items")) if is_page and results.get("type") == "array" else None


def _parameter_schema(parameter: Schema) -> Schema:
    return json_schema(parameter) or as_schema(parameter.get("schema"))
