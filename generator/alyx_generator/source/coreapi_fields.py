"""Fields of CoreAPI's links as OpenAPI: filters, keys and forms."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from alyx_client.schema.openapi import as_list, as_schema
from alyx_generator.source.openapi import JSONDict

Table = Mapping[str, Any]

_TYPES = frozenset({"string", "integer", "number", "boolean", "array"})


def parameter_of(field: Table, reference: Table) -> JSONDict:
    """Return a filter or a key. CoreAPI calls a boolean, a date or a UUID text; the reference server is more precise.

    Parameters
    ----------
    field
        The link's field.
    reference
        The reference server's operation.
    """
    name, location = str(field["name"]), str(field["location"])
    own = _schema_of(field)
    description = own.pop("description", "")
    parameter: JSONDict = {"name": name, "in": location, "required": bool(field.get("required")) or location == "path"}
    like = _like_parameter(name, location, reference) if own.get("type") == "string" else None
    if like is not None:
        parameter |= {key: like[key] for key in ("style", "explode") if key in like}
        own = copy.deepcopy(like["schema"])
        described = own.pop("description", "")
        description = description or described
    elif location == "path":
        own |= _kind_of_key(description)
    return parameter | {"schema": own} | ({"description": description} if description else {})


def _like_parameter(name: str, location: str, reference: Table) -> Table | None:
    """Return the reference server's parameter of the same name; keys may have another name."""
    for parameter in map(as_schema, as_list(reference.get("parameters"))):
        if parameter.get("in") == location and (parameter["name"] == name or location == "path"):
            return parameter
    return None


def _kind_of_key(description: str) -> JSONDict:
    # Django REST framework's own words for keys without a description.
    if description.startswith("A UUID string identifying"):
        return {"format": "uuid"}
    return {"type": "integer"} if description.startswith("A unique integer value identifying") else {}


def form_of(link: Table) -> JSONDict:
    """Return the schema of the form of a link; empty if it has none."""
    fields = list(fields_of(link, "form", "body"))
    if not fields:
        return {}
    properties = {str(field["name"]): _schema_of(field) for field in fields}
    required = sorted(str(field["name"]) for field in fields if field.get("required"))
    return {"type": "object", "properties": properties} | ({"required": required} if required else {})


def fields_of(link: Table, *locations: str) -> Iterator[Table]:
    """Yield the fields of a link at some locations: ``path``, ``query``, ``form`` or ``body``."""
    fields = map(as_schema, as_list(link.get("fields")))
    return (field for field in fields if field.get("location") in locations and "name" in field)


def _schema_of(field: Table) -> JSONDict:
    """Return a field's type. Text stands for everything that CoreAPI has no word for, and an object for any JSON."""
    declared = as_schema(field.get("schema"))
    kind = str(declared.get("_type", "string"))
    description = str(declared.get("description") or field.get("description") or "")
    result: JSONDict = {"description": description} if description else {}
    if kind == "enum":
        values = as_list(declared.get("enum"))
        return result | ({"enum": values} if values else {"type": "string"})
    if kind == "array":
        return result | {"type": "array", "items": {}}
    return result | ({"type": kind} if kind in _TYPES else {})


def contradicts(own: Table, reference: Table) -> bool:
    """Return whether the type of a form's field differs from that on the reference server."""
    kind, other = own.get("type"), reference.get("type")
    # CoreAPI's numbers and lists are what they say; its text may be anything.
    return kind in ("integer", "number", "boolean", "array") and other is not None and other != kind
