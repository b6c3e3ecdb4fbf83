"""What a server's own schema says of its endpoints: their actions, fields and filters, in either form that Alyx has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, cast

from alyx_client.errors import InvalidCallError
from alyx_client.schema.coreapi import is_core_api, links

__all__ = ["RestScheme", "nearest", "read_scheme"]

JSONObject = Mapping[str, Any]

_NO_RECORDS = frozenset({"", "_type", "_meta", "api", "auth-token", "docs"})
_METHODS = {"post": "create", "put": "update", "patch": "partial_update", "delete": "delete"}
_ORDER = ("list", "read", "create", "update", "partial_update", "delete")
_SHOWN_VALUES = 6


@dataclass(frozen=True, slots=True)
class Operation:
    """One action of an endpoint.

    Parameters
    ----------
    method, path
        The HTTP method in capitals, and the path with its lookup key in braces.
    fields
        Its filters and fields, each with ``name``, ``in`` (``path``, ``query`` or ``body``), ``required`` and
        ``schema`` (``type``, ``description``, ``enum``).
    joined
        Names of the filters whose several values are one text, joined by commas.
    """

    method: str
    path: str
    fields: tuple[dict[str, Any], ...]
    joined: frozenset[str] = frozenset()


class RestScheme:
    """The endpoints of a server, as its schema declares them.

    Parameters
    ----------
    operations
        By endpoint and action.
    backend
        The schema's form: ``"open_api_v3"``, or ``"core_api"`` for servers before 3.3.
    """

    def __init__(self, operations: Mapping[str, Mapping[str, Operation]], backend: str) -> None:
        self._operations = operations
        self.backend = backend

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self._operations)} endpoints, {self.backend}>"

    @property
    def endpoints(self) -> list[str]:
        """The names of the endpoints, in alphabetical order."""
        return sorted(self._operations)

    def actions(self, endpoint: str) -> list[str]:
        """Return the names of an endpoint's actions.

        Raises
        ------
        InvalidCallError
            There is no such endpoint; the message names the nearest.
        """
        found = self._endpoint(endpoint)
        return sorted(found, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))

    def fields(self, endpoint: str, action: str) -> list[dict[str, Any]]:
        """Return the filters and fields of an action: dictionaries with ``name``, ``in``, ``required``, ``schema``.

        Raises
        ------
        InvalidCallError
            There is no such endpoint or action.
        """
        return [dict(field) for field in self.operation(endpoint, action).fields]

    def field_names(self, endpoint: str, action: str) -> list[str]:
        """Return the names of an action's filters and fields.

        Raises
        ------
        InvalidCallError
            There is no such endpoint or action.
        """
        return [field["name"] for field in self.operation(endpoint, action).fields]

    def url(self, endpoint: str, action: str) -> str:
        """Return an action's path, such as ``/sessions/{id}``.

        Raises
        ------
        InvalidCallError
            There is no such endpoint or action.
        """
        return self.operation(endpoint, action).path

    def operation(self, endpoint: str, action: str) -> Operation:
        """Return one action.

        Raises
        ------
        InvalidCallError
            There is no such endpoint or action.
        """
        actions = self._endpoint(endpoint)
        if action not in actions:
            raise InvalidCallError(
                f"The endpoint {endpoint!r} has no action {action!r}. {nearest(action, self.actions(endpoint))}"
            )
        return actions[action]

    def describe(self, endpoint: str, action: str | None = None) -> str:
        """Return readable lines about an endpoint's actions and their fields.

        Raises
        ------
        InvalidCallError
            There is no such endpoint or action.
        """
        names = self.actions(endpoint) if action is None else [action]
        blocks = [f"{endpoint}: {', '.join(self.actions(endpoint))}"]
        for name in names:
            operation = self.operation(endpoint, name)
            blocks.append("\n".join([f"{name}: {operation.method} {operation.path}", *_lines(operation.fields)]))
        return "\n\n".join(blocks)

    def print_endpoint_info(self, endpoint: str, action: str | None = None) -> None:
        """Print what `describe` returns."""
        print(self.describe(endpoint, action))

    def _endpoint(self, endpoint: str) -> Mapping[str, Operation]:
        if endpoint not in self._operations:
            raise InvalidCallError(f"There is no endpoint {endpoint!r}. {nearest(endpoint, self.endpoints)}")
        return self._operations[endpoint]


def read_scheme(document: object) -> RestScheme:
    """Read a schema document of either form.

    Parameters
    ----------
    document
        The JSON of ``/api/schema`` (OpenAPI 3), or of ``/docs/`` (CoreAPI).

    Raises
    ------
    InvalidCallError
        It is neither.
    """
    if isinstance(document, Mapping):
        content = cast("JSONObject", document)
        if isinstance(content.get("paths"), Mapping):
            return RestScheme(_grouped(_open_api(content)), "open_api_v3")
        if is_core_api(content):
            return RestScheme(_grouped(_core_api(content)), "core_api")
    raise InvalidCallError("What the server answered for its schema is neither OpenAPI nor CoreAPI; is it an Alyx?")


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the part of a message that says what could have been meant."""
    names = list(names)
    near = get_close_matches(name, names, n=3, cutoff=0.5) or [each for each in names if name and name in each][:3]
    return f"Did you mean {' or '.join(map(repr, near))}?" if near else f"There are: {', '.join(names)}."


def _grouped(found: Iterable[tuple[str, str, Operation]]) -> dict[str, dict[str, Operation]]:
    endpoints: dict[str, dict[str, Operation]] = {}
    for endpoint, action, operation in found:
        if endpoint not in _NO_RECORDS:
            endpoints.setdefault(endpoint, {}).setdefault(action, operation)
    return endpoints


def _open_api(document: JSONObject) -> Iterator[tuple[str, str, Operation]]:
    for path, item in sorted(document["paths"].items()):
        for method, operation in item.items():
            if method == "get":
                action = "read" if path.endswith("}") else "list"
            elif method in _METHODS:
                action = _METHODS[method]
            else:
                continue
            given = [*item.get("parameters", ()), *operation.get("parameters", ())]
            parameters = [_resolve(parameter, document) for parameter in given]
            fields = [_parameter(each, document) for each in parameters if each.get("in") in ("path", "query")]
            fields += _body(operation, document)
            joined = frozenset(each["name"] for each in parameters if each.get("explode") is False)
            yield path.split("/")[1], action, Operation(method.upper(), path, tuple(fields), joined)


def _parameter(parameter: JSONObject, document: JSONObject) -> dict[str, Any]:
    schema = _plain(parameter.get("schema", {}), document)
    if parameter.get("description"):
        schema = {**schema, "description": parameter["description"]}
    return {
        "name": parameter["name"],
        "in": parameter["in"],
        "required": bool(parameter.get("required")),
        "schema": schema,
    }


def _body(operation: JSONObject, document: JSONObject) -> list[dict[str, Any]]:
    content: dict[str, JSONObject] = operation.get("requestBody", {}).get("content", {})
    kinds = ["application/json", *content]
    media = next((content[kind] for kind in kinds if kind in content), None) or {}
    schema = _resolve(media.get("schema", {}), document)
    required = schema.get("required", ())
    return [
        {"name": name, "in": "body", "required": name in required, "schema": _plain(field, document)}
        for name, field in schema.get("properties", {}).items()
        if not _resolve(field, document).get("readOnly")
    ]


def _resolve(schema: JSONObject, document: JSONObject) -> JSONObject:
    reference = schema.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return schema
    target: Any = document
    for part in reference[2:].split("/"):
        target = target.get(part.replace("~1", "/").replace("~0", "~"), {})
    return cast("JSONObject", target)


def _plain(schema: JSONObject, document: JSONObject) -> dict[str, Any]:
    """Return what of a schema is shown to people: type, format, values, description."""
    schema = _resolve(schema, document)
    parts = [_plain(part, document) for key in ("allOf", "oneOf", "anyOf") for part in schema.get(key, ())]
    plain = {key: schema[key] for key in ("type", "format", "description", "default") if key in schema}
    if "type" not in plain:
        plain |= {key: part[key] for part in reversed(parts) for key in ("type", "format") if key in part}
    values = [*schema.get("enum", ()), *(value for part in parts for value in part.get("enum", ()))]
    if values:
        plain["enum"] = values
    if plain.get("type") == "array":
        plain["items"] = _plain(schema.get("items", {}), document)
    return plain


def _core_api(document: JSONObject) -> Iterator[tuple[str, str, Operation]]:
    for endpoint, group in document.items():
        for action, link in links(cast("JSONObject", group)) if isinstance(group, Mapping) else ():
            fields = tuple(_core_field(field) for field in link.get("fields", ()))
            yield endpoint, action, Operation(str(link["action"]).upper(), link["url"], fields)


def _core_field(field: JSONObject) -> dict[str, Any]:
    schema = field.get("schema", {})
    plain = {"type": schema.get("_type", "string")}
    if schema.get("description"):
        plain["description"] = schema["description"]
    where = {"form": "body"}.get(field.get("location", ""), field.get("location", "query"))
    return {"name": field["name"], "in": where, "required": bool(field.get("required")), "schema": plain}


def _lines(fields: Iterable[dict[str, Any]]) -> list[str]:
    ordered = sorted(fields, key=lambda field: (not field["required"], field["name"]))
    width = max((len(field["name"]) for field in ordered), default=0)
    return [_line(field, width) for field in ordered]


def _line(field: dict[str, Any], width: int) -> str:
    schema = field["schema"]
    kind = _kind(schema) + (", required" if field["required"] else "")
    said = " ".join(str(schema.get("description", "")).split())
    text = f"    {field['name']:<{width}}  {kind}"
    return f"{text}: {said[:120]}" if said else text


def _kind(schema: JSONObject) -> str:
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    values = [value for value in schema.get("enum", ()) if value not in (None, "")]
    if values:
        shown = " | ".join(map(str, values[:_SHOWN_VALUES]))
        return shown if len(values) <= _SHOWN_VALUES else f"{shown} | ..."
    return str(schema.get("format") or schema.get("type") or "any")
