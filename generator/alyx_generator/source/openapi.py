"""Reading OpenAPI's schemas: references, ``allOf``, alternatives and nullability."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from alyx_client.schema.openapi import OpenAPIDocument, Schema, as_list, as_schema, component_name, is_circular

JSONDict = dict[str, Any]
"""A JSON object under construction."""
Document = Mapping[str, Any]
"""A decoded schema document."""
Schemas = Mapping[str, Any]
"""Schemas by name."""


def component_of(schema: Schema) -> str | None:
    """Return the component that a schema refers to, also through an ``allOf`` of one."""
    return component_name(schema) or None


def resolved(node: Any, components: Schemas) -> Schema:
    """Return a schema with its references followed, and its ``const`` as an enumeration of one.

    Parameters
    ----------
    node
        A schema, or whatever stands in place of one.
    components
        The document's components, by name.
    """
    schema = _document(components).resolve(node)
    if is_circular(schema):
        return {}
    return {**schema, "enum": [schema["const"]]} if "const" in schema else schema


def merged(schema: Schema, components: Schemas) -> JSONDict:
    """Return an object schema with its ``allOf`` parts merged into it, and with the fields of its alternatives."""
    whole = _document(components).resolve(schema)
    properties, required = dict(as_schema(whole.get("properties"))), as_list(whole.get("required"))
    if properties:
        properties |= _fields_of_alternatives(whole, components)
    return {**whole, "properties": properties, "required": required}


def _fields_of_alternatives(schema: Schema, components: Schemas) -> JSONDict:
    """Return the fields that only some records have, by ``anyOf`` or ``oneOf`` beside the fields of all."""
    own = as_schema(schema.get("properties"))
    fields: dict[str, list[Schema]] = {}
    for part in (part for keyword in ("oneOf", "anyOf") for part in parts_of(schema, keyword)):
        for name, field in as_schema(_document(components).resolve(part).get("properties")).items():
            forms = fields.setdefault(name, [])
            if name not in own and field not in forms:
                forms.append(as_schema(field))
    return {name: forms[0] if len(forms) == 1 else {"anyOf": forms} for name, forms in fields.items() if forms}


def _document(components: Schemas) -> OpenAPIDocument:
    return OpenAPIDocument({"components": {"schemas": components}})


def is_object(schema: Schema, components: Schemas, within: frozenset[str] = frozenset()) -> bool:
    """Return whether a schema describes an object with fields of its own."""
    if schema.get("properties"):
        return True
    name = component_of(schema)
    if name is not None:
        return name not in within and is_object(components.get(name, {}), components, within | {name})
    return any(is_object(part, components, within) for part in parts_of(schema, "allOf"))


def alternatives(schema: Schema) -> list[Schema]:
    """Return the schemas of which a value matches one."""
    return parts_of(schema, "oneOf") or parts_of(schema, "anyOf")


def parts_of(schema: Schema, keyword: str) -> list[Schema]:
    """Return the schemas below a keyword such as ``allOf``."""
    return [as_schema(part) for part in as_list(schema.get(keyword)) if isinstance(part, Mapping)]


def nullable(schema: Schema) -> bool:
    """Return whether null is allowed, as OpenAPI 3.0 or as 3.1 declares it."""
    kind = schema.get("type")
    return bool(schema.get("nullable")) or kind == "null" or "null" in as_list(kind)


def discriminated(node: Any) -> dict[tuple[str, str], list[str]]:
    """Return the values by which unions tell their alternatives apart, by component and field.

    Parameters
    ----------
    node
        A document, or a part of one.
    """
    values: dict[tuple[str, str], list[str]] = {}
    for field, value in _discriminators(node):
        if value not in values.setdefault(field, []):
            values[field].append(value)
    return values


def _discriminators(node: Any) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield component, field and value of each discriminator's mapping, at any depth."""
    schema = as_schema(node)
    discriminator = as_schema(schema.get("discriminator"))
    for value, target in sorted(as_schema(discriminator.get("mapping")).items()):
        yield (str(target).rpartition("/")[2], str(discriminator.get("propertyName"))), value
    for inner in (*schema.values(), *as_list(node)):
        yield from _discriminators(inner)
