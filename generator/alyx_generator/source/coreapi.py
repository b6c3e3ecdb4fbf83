"""CoreAPI, in which servers before 3.3 describe themselves, as OpenAPI 3.

A CoreAPI document lists links with their fields and does not describe responses. The responses of an endpoint are
therefore taken from a reference server: from its endpoint of the same path. All fields become optional, since a server
of another version may lack any. Where the reference has no such endpoint, the form that creates a record stands in. A
body is taken from the reference, too, where the document omits it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from alyx_client.schema.coreapi import links
from alyx_client.schema.naming import class_name, snake_case
from alyx_client.schema.openapi import as_list, as_schema
from alyx_generator.source.coreapi_fields import contradicts, fields_of, form_of, parameter_of
from alyx_generator.source.openapi import JSONDict, alternatives, component_of, is_object, resolved

Table = Mapping[str, Any]

_REF = "#/components/schemas/"
# The link that returns several records; retrieving one is a GET, too.
_LIST = "list"
_METHODS_WITH_BODY = ("post", "put", "patch")
_UNLISTED = "This server does not declare the field, but {} requires it."
_UNDECLARED = "This server does not declare its responses: the fields are those of {}, and any of them may be missing."


def read_coreapi(document: Table, reference: Table, name: str) -> JSONDict:
    """Return a CoreAPI document as OpenAPI 3.

    Parameters
    ----------
    document
        The decoded CoreAPI document.
    reference
        The OpenAPI document of the most similar server, as it was published. It provides responses, the kinds of keys,
        and the types of fields and filters that CoreAPI calls text.
    name
        The reference server's name in docstrings.

    Returns
    -------
    dict
        The document. Its ``x-all-optional`` marks that a response may lack any field.
    """
    return _Reader(document, reference, name).read()


class _Reader:
    def __init__(self, document: Table, reference: Table, name: str) -> None:
        self._document = document
        self._reference_paths: Table = reference["paths"]
        self._reference: Table = reference["components"]["schemas"]
        self._security = reference["components"].get("securitySchemes", {})
        self._name = name
        self._components: dict[str, JSONDict] = {}

    def read(self) -> JSONDict:
        paths: dict[str, dict[str, Any]] = {}
        described = list(links(self._document))
        forms: dict[str, JSONDict] = {}
        for action, link in described:
            if action in ("create", "update") and (form := form_of(link)):
                forms.setdefault(_collection(str(link["url"])), form)
        for action, link in described:
            path, method = str(link["url"]), str(link.get("action", "get")).lower()
            paths.setdefault(path, {})[method] = self._operation(action, path, method, link, forms)
        title = str(as_schema(self._document.get("_meta")).get("title", ""))
        return {
            "openapi": "3.0.3",
            "info": {"title": title, "version": ""},
            "x-all-optional": True,
            "paths": dict(sorted(paths.items())),
            "components": {"schemas": dict(sorted(self._components.items())), "securitySchemes": self._security},
        }

    def _operation(self, action: str, path: str, method: str, link: Table, forms: Mapping[str, JSONDict]) -> JSONDict:
        reference = self._reference_operation(path, method)
        operation: JSONDict = {
            "operationId": f"{snake_case(path)}_{action}",
            "parameters": [parameter_of(field, reference) for field in fields_of(link, "path", "query")],
            "responses": self._responses(action, path, method, reference, forms),
        }
        if link.get("description"):
            operation["description"] = str(link["description"])
        body = self._body(path, method, link, reference) if method in _METHODS_WITH_BODY else None
        if body is not None:
            operation["requestBody"] = body
        return operation

    # --- requests

    def _body(self, path: str, method: str, link: Table, reference: Table) -> JSONDict | None:
        form = form_of(link)
        if not form:
            # Alyx's CoreAPI omits the forms of endpoints whose serialiser it cannot determine.
            self._copy_all(reference.get("requestBody"))
            return copy.deepcopy(reference.get("requestBody"))
        content = as_schema(as_schema(reference.get("requestBody")).get("content"))
        like = _first_schema(content)
        options = alternatives(like)
        component = self._copy_first_object([like, *options])
        # Named as drf-spectacular would, so that a lab's corrections keep matching after an upgrade of its server.
        if component is None:
            component = _resource(path) + ("Update" if method == "put" else "")
            component = f"Patched{component}" if method == "patch" else component
            self._components[component] = form
        else:
            self._components[component] = _fitted(self._components[component], form, self._reference, self._name)
        whole: JSONDict = {"$ref": _REF + component}
        if options:
            whole = {"oneOf": [whole, {"type": "array", "items": dict(whole)}]}
        media_types = dict.fromkeys([str(link.get("encoding") or "application/json"), *content])
        return {"content": {name: {"schema": whole} for name in media_types}, "required": method != "patch"}

    def _copy_first_object(self, options: list[Table]) -> str | None:
        """Copy the first component that is an object; its name stays, so that corrections still match."""
        for option in options:
            name = component_of(option)
            if name is not None and is_object(self._reference.get(name, {}), self._reference):
                self._copy(name)
                return name
        return None

    # --- responses

    def _responses(
        self, action: str, path: str, method: str, reference: Table, forms: Mapping[str, JSONDict]
    ) -> JSONDict:
        if method == "delete":
            return {"204": {"description": ""}}
        like = as_schema(reference.get("responses"))
        if like:
            for schema in _schemas_in(like):
                self._copy_all(schema)
            return copy.deepcopy(dict(like))
        form = forms.get(_collection(path))
        if not form:
            return {"200": {"description": ""}}
        component = f"{_resource(path)}Detail"
        note = _UNDECLARED.format("the form that creates a record")
        self._components.setdefault(component, {**copy.deepcopy(form), "x-response-note": note})
        row: JSONDict = {"$ref": _REF + component}
        return {
            "200": {
                "description": "",
                "content": {"application/json": {"schema": _page(row) if action == _LIST else row}},
            }
        }

    # --- the reference server

    def _reference_operation(self, path: str, method: str) -> Table:
        return as_schema(self._reference_path(path).get(method))

    def _reference_path(self, path: str) -> Table:
        if path in self._reference_paths:
            return as_schema(self._reference_paths[path])
        # The same endpoint may call its key by another name.
        for other, item in self._reference_paths.items():
            if _collection(other) == _collection(path) and other.count("{") == path.count("{"):
                return as_schema(item)
        return {}

    def _copy_all(self, node: Any) -> None:
        for key, value in as_schema(node).items():
            if key == "$ref" and isinstance(value, str) and value.startswith(_REF):
                self._copy(value.removeprefix(_REF))
            else:
                self._copy_all(value)
        for item in as_list(node):
            self._copy_all(item)

    def _copy(self, name: str) -> None:
        """Copy a component from the reference server, with everything that it refers to."""
        if name in self._components or name not in self._reference:
            return
        component = copy.deepcopy(dict(self._reference[name]))
        if is_object(component, self._reference):
            component["x-response-note"] = _UNDECLARED.format(self._name)
        self._components[name] = component
        self._copy_all(component)


def _fitted(component: JSONDict, form: JSONDict, reference: Table, reference_name: str) -> JSONDict:
    """Return a component of the reference server with the fields that this server's form takes.

    ``x-fitted`` names the fields of all forms so far: those of ``PUT`` may be others than those of ``POST``. Fields
    that the reference server requires stay, optional: CoreAPI omits some that the server requires, too.
    """
    result = copy.deepcopy(component)
    properties: dict[str, JSONDict] = result.setdefault("properties", {})
    form_fields: dict[str, JSONDict] = form["properties"]
    fitted = set(result.get("x-fitted", ()))
    # Of the reference server: each form replaces `required` by its own.
    required = set(as_list(result.setdefault("x-reference-required", result.get("required", []))))
    for name, schema in properties.items():
        if name in form_fields:
            schema.pop("readOnly", None)
            schema.pop("x-note", None)
            if contradicts(form_fields[name], resolved(schema, reference)):
                schema["x-sent"] = form_fields[name]
        elif name in required - fitted and not schema.get("readOnly"):
            schema["x-note"] = _UNLISTED.format(reference_name)
        elif name not in fitted and not schema.get("writeOnly"):
            schema["readOnly"] = True
    for name, field in form_fields.items():
        if name not in properties:
            properties[name] = {**field, "writeOnly": True}
    result["x-fitted"] = sorted(fitted | set(form_fields))
    result["required"] = sorted(form.get("required", []))
    return result


def _collection(path: str) -> str:
    return "/".join(segment for segment in path.strip("/").split("/") if not segment.startswith("{"))


def _first_schema(content: Table) -> Table:
    media_type = next((name for name in content if "json" in name), next(iter(content), None))
    return as_schema(content[media_type].get("schema")) if media_type else {}


def _schemas_in(responses: Table) -> Iterator[Any]:
    for response in responses.values():
        for media in as_schema(as_schema(response).get("content")).values():
            yield media.get("schema")


def _resource(path: str) -> str:
    """Return the name of one record of an endpoint, from the endpoint's name in the plural."""
    name = class_name(snake_case(path))
    if name.endswith("ies"):
        return f"{name.removesuffix('ies')}y"
    return name.removesuffix("s") if name.endswith("s") and not name.endswith(("ss", "us", "is")) else name


def _page(row: JSONDict) -> JSONDict:
    return {
        "type": "object",
        "properties": {
            "count": {"type": "integer"},
            "next": {"type": "string", "nullable": True},
            "previous": {"type": "string", "nullable": True},
            "results": {"type": "array", "items": row},
        },
    }
