"""Reading OpenAPI's schemas: references, ``allOf``, alternatives and nullability."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from alyx_client.schema.openapi import Schema, as_list, as_schema, merge_all_of

JSONDict = dict[str, Any]
"""A JSON object under construction."""
Document = Mapping[str, Any]
"""A decoded schema document."""
Schemas = Mapping[str, Any]
"""Schemas by name."""

_REF = "#/components/schemas/"


def component_of(schema: Schema) -> str | None:
    """Return the component that a schema refers to, also through an ``allOf`` of one."""
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith(_REF):
        return reference.removeprefix(_REF)
    # OpenAPI 3.0 ignores keywords beside $ref, so drf-spectacular wraps the reference.
    parts = as_list(schema.get("allOf"))
    return component_of(as_schema(parts[0])) if len(parts) == 1 else None


def resolved(node: Any, components: Schemas) -> Schema:
    """Return a schema with its references followed, and its ``const`` as an enumeration of one.

    Parameters
    ----------
    node
        A schema, or whatever stands in place of one.
    components
        The document's components, by name.
    """
    seen: set[str] = set()
    schema = as_schema(node)
    while (component := component_of(schema)) is not None:
        if component in seen:
            return {}
        seen.add(component)
        schema = components.get(component, {})
    if "const" in schema:
        schema = {**schema, "enum": [schema["const"]]}
    return merged(schema, components) if "allOf" in schema else schema


def merged(schema: Schema, components: Schemas, within: frozenset[str] = frozenset()) -> JSONDict:
    """Return an object schema with its ``allOf`` parts merged into it."""
    reference = schema.get("$ref")
    if isinstance(reference, str):
        name = reference.removeprefix(_REF)
        return {} if name in within else merged(components.get(name, {}), components, within | {name})
    own = {key: value for key, value in schema.items() if key != "allOf"}
    parts = [
        merged(part, components, within) if "$ref" in part or "allOf" in part else part
        for part in (*parts_of(schema, "allOf"), own)
    ]
    whole = merge_all_of(parts)
    properties, required = as_schema(whole.get("properties")), as_list(whole.get("required"))
    return {**whole, "properties": dict(properties), "required": required}


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
