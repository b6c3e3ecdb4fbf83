"""Reading OpenAPI's schemas: references, ``allOf``, alternatives and nullability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from alyx_client.schema.openapi import as_list, as_schema

Schema = dict[str, Any]

_REF = "#/components/schemas/"


def component_of(schema: Mapping[str, Any]) -> str | None:
    """Return the component that a schema refers to, also through an ``allOf`` of one."""
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith(_REF):
        return reference.removeprefix(_REF)
    parts = schema.get("allOf")
    if isinstance(parts, list) and len(cast("Sequence[Any]", parts)) == 1:
        return component_of(as_schema(cast("Any", parts)[0]))
    return None


def resolved(schema: Any, components: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a schema says once its references are followed, and its ``const`` is read as an enumeration.

    Parameters
    ----------
    schema
        A schema, or what stands in place of one.
    components
        The document's components, by name.
    """
    seen: set[str] = set()
    found = as_schema(schema)
    while (component := component_of(found)) is not None:
        if component in seen:
            return {}
        seen.add(component)
        found = components.get(component, {})
    if "const" in found:
        found = {**found, "enum": [found["const"]]}
    return merged(found, components) if "allOf" in found else found


def merged(schema: Mapping[str, Any], components: Mapping[str, Any], within: frozenset[str] = frozenset()) -> Schema:
    """Return an object schema with its ``allOf`` parts merged into it."""
    component = schema.get("$ref")
    if isinstance(component, str):
        name = component.removeprefix(_REF)
        return {} if name in within else merged(components.get(name, {}), components, within | {name})
    result: Schema = {"properties": {}, "required": []}
    own = {key: value for key, value in schema.items() if key != "allOf"}
    for part in (*parts_of(schema, "allOf"), own):
        read = merged(part, components, within) if "$ref" in part or "allOf" in part else part
        result["properties"] |= as_schema(read.get("properties"))
        result["required"] = [*result["required"], *as_list(read.get("required"))]
        sometimes = [*result.get("x-sometimes", ()), *read.get("x-sometimes", ())]
        result |= {key: value for key, value in read.items() if key not in ("properties", "required")}
        if sometimes:
            result["x-sometimes"] = sometimes
    return result


def is_object(schema: Mapping[str, Any], components: Mapping[str, Any], within: frozenset[str] = frozenset()) -> bool:
    """Return whether a schema describes an object with fields of its own."""
    if schema.get("properties"):
        return True
    name = component_of(schema)
    if name is not None:
        return name not in within and is_object(components.get(name, {}), components, within | {name})
    return any(is_object(part, components, within) for part in parts_of(schema, "allOf"))


def alternatives(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the forms of which a value has one."""
    return parts_of(schema, "oneOf") or parts_of(schema, "anyOf")


def nullable(schema: Mapping[str, Any]) -> bool:
    """Return whether null is allowed, as OpenAPI 3.0 or as 3.1 says it."""
    kind = schema.get("type")
    return bool(schema.get("nullable")) or kind == "null" or (isinstance(kind, list) and "null" in kind)


def discriminated(node: Any) -> dict[tuple[str, str], list[str]]:
    """Return the values by which unions tell their forms apart, by component and field.

    Parameters
    ----------
    node
        A document, or a part of one.
    """
    found: dict[tuple[str, str], list[str]] = {}
    if isinstance(node, Mapping):
        given = cast("Mapping[str, Any]", node)
        said = as_schema(given.get("discriminator"))
        for value, target in sorted(as_schema(said.get("mapping")).items()):
            place = (str(target).rpartition("/")[2], str(said.get("propertyName")))
            found.setdefault(place, []).append(value)
        inside: Sequence[Any] = list(given.values())
    else:
        inside = cast("Sequence[Any]", node) if isinstance(node, list) else ()
    for each in inside:
        for place, values in discriminated(each).items():
            known = found.setdefault(place, [])
            known += [value for value in values if value not in known]
    return found


def parts_of(schema: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Return the schemas that stand under a keyword such as ``allOf``."""
    given = schema.get(key)
    return (
        [part for part in cast("Sequence[Any]", given) if isinstance(part, Mapping)] if isinstance(given, list) else []
    )
