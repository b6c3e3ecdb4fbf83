"""Reading OpenAPI's schemas: references, nullability, and the form they take when sent and when answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

Schema = dict[str, Any]
Resolve = Callable[[str], str]

_REF = "#/components/schemas/"
_CONSTRAINTS = frozenset(
    {"minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
    | {"minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"}
)
_DROPPED = frozenset(
    {"description", "title", "default", "example", "examples", "readOnly", "writeOnly", "deprecated"}
    | {"nullable", "externalDocs", "xml", "discriminator"}
)
_KEPT_FORMATS = frozenset({"date", "date-time", "uuid"})
_SENT_AS = {
    "date": "alyx_client.shapes.DateInput",
    "date-time": "alyx_client.shapes.DateTimeInput",
    "uuid": "alyx_client.shapes.UUIDInput",
}


def component_of(schema: Mapping[str, Any]) -> str | None:
    """Return the component that a schema refers to, also through an ``allOf`` of one."""
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith(_REF):
        return reference.removeprefix(_REF)
    parts = schema.get("allOf")
    if isinstance(parts, list) and len(cast("Sequence[Any]", parts)) == 1:
        return component_of(cast("Any", parts)[0])
    return None


def merged(schema: Mapping[str, Any], components: Mapping[str, Any]) -> Schema:
    """Return an object schema with its ``allOf`` parts merged into it."""
    component = schema.get("$ref")
    if isinstance(component, str):
        return merged(components.get(component.removeprefix(_REF), {}), components)
    result: Schema = {"properties": {}, "required": []}
    for part in (*schema.get("allOf", ()), {key: value for key, value in schema.items() if key != "allOf"}):
        read = merged(part, components) if "$ref" in part or "allOf" in part else part
        result["properties"] |= read.get("properties", {})
        result["required"] = [*result["required"], *read.get("required", ())]
        result |= {key: value for key, value in read.items() if key not in ("properties", "required")}
    return result


def is_object(schema: Mapping[str, Any]) -> bool:
    """Return whether a schema describes an object with fields of its own."""
    return bool(schema.get("properties")) or any("properties" in part for part in schema.get("allOf", ()))


def nullable(schema: Mapping[str, Any]) -> bool:
    """Return whether null is allowed, as OpenAPI 3.0 or as 3.1 says it."""
    kind = schema.get("type")
    return bool(schema.get("nullable")) or kind == "null" or (isinstance(kind, list) and "null" in kind)


def as_answered(schema: Mapping[str, Any], components: Mapping[str, Any], resolve: Resolve) -> Schema:
    """Return a schema as a server answers it.

    Limits on values are left out, since they bind who writes; enumerations stay open, since servers extend them.

    Parameters
    ----------
    schema
        A property's schema.
    components
        The document's components, by name.
    resolve
        Gives the shape's name for a component that is an object.
    """
    return _convert(schema, components, resolve, answered=True, limits=False)


def as_sent(schema: Mapping[str, Any], components: Mapping[str, Any], resolve: Resolve) -> Schema:
    """Return a schema as it is sent: with its limits, and with types that accept text for dates and UUIDs."""
    return _convert(schema, components, resolve, answered=False, limits=True)


def _convert(
    schema: Mapping[str, Any], components: Mapping[str, Any], resolve: Resolve, *, answered: bool, limits: bool = False
) -> Schema:
    schema = {**schema, **schema.get("x-answered" if answered else "x-sent", {})}
    component = component_of(schema)
    if component is not None:
        target = components.get(component, {})
        if is_object(target):
            return or_null({"$ref": f"#/$defs/{resolve(component)}"}, nullable(schema))
        inner = _convert(target, components, resolve, answered=answered)
        return or_null(inner, nullable(schema) and not nullable(target))
    alternatives = schema.get("oneOf") or schema.get("anyOf")
    if alternatives:
        return _alternatives(alternatives, nullable(schema), components, resolve, answered=answered)
    result: Schema = {
        key: value
        for key, value in schema.items()
        if key not in _DROPPED and not key.startswith("x-") and (limits or key not in _CONSTRAINTS)
    }
    if isinstance(result.get("type"), list):
        kinds = [kind for kind in result["type"] if kind != "null"]
        result["type"] = kinds[0] if len(kinds) == 1 else kinds
    if not result.get("type") and "enum" not in result:
        # Without a type anything goes, null included, and a union with null would say nothing more.
        return {}
    if "items" in result:
        result["items"] = _convert(result["items"], components, resolve, answered=answered)
    if "properties" in result:
        result["properties"] = {
            name: _convert(value, components, resolve, answered=answered)
            for name, value in result["properties"].items()
        }
        result["additionalProperties"] = True
    extra = result.get("additionalProperties")
    if isinstance(extra, Mapping):
        inner = _convert(cast("Mapping[str, Any]", extra), components, resolve, answered=answered)
        result["additionalProperties"] = inner or True
    if "enum" in result:
        return or_null(_enumeration(result, answered=answered), nullable(schema) or None in result["enum"])
    text_format = result.pop("format", None)
    if text_format in _KEPT_FORMATS and result.get("type") == "string":
        result["format"] = text_format
        if not answered:
            result["customTypePath"] = _SENT_AS[text_format]
    return or_null(result, nullable(schema))


def _enumeration(schema: Schema, *, answered: bool) -> Schema:
    values = [value for value in schema["enum"] if value is not None]
    kind = schema.get("type") or _type_of(values)
    closed: Schema = {"enum": values} | ({"type": kind} if kind else {})
    return {"anyOf": [closed, {"type": kind}]} if answered and kind and values else closed


def _type_of(values: list[Any]) -> str | None:
    if values and all(isinstance(value, str) for value in values):
        return "string"
    if values and all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return "integer"
    return None


def _alternatives(
    parts: list[Mapping[str, Any]],
    null: bool,
    components: Mapping[str, Any],
    resolve: Resolve,
    *,
    answered: bool,
) -> Schema:
    resolved = [components.get(component_of(part) or "", part) for part in parts]
    null = null or any(nullable(part) or part.get("enum") == [None] for part in resolved)
    enums = [part for part in resolved if part.get("enum") and part["enum"] != [None]]
    others = [part for part in resolved if part not in enums and part.get("type") != "null" and not part.get("enum")]
    if enums and not others:
        values = list(dict.fromkeys(value for part in enums for value in part["enum"]))
        return or_null(_enumeration({"enum": values}, answered=answered), null or None in values)
    converted: list[Schema] = []
    for part in parts:
        if part.get("type") == "null" or components.get(component_of(part) or "", part).get("enum") == [None]:
            continue
        each = _convert(part, components, resolve, answered=answered)
        if each not in converted:
            converted.append(each)
    if {} in converted:
        return {}
    if all(each.get("type") == "string" and "enum" not in each for each in converted):
        converted = converted[:1] if len({str(each.get("format")) for each in converted}) == 1 else [{"type": "string"}]
    return or_null(converted[0] if len(converted) == 1 else {"anyOf": converted}, null)


def or_null(schema: Schema, null: bool) -> Schema:
    """Return a schema that also allows null, if `null` says so."""
    if not null or not schema:
        return schema
    if "anyOf" in schema:
        options = schema["anyOf"]
        return schema if {"type": "null"} in options else {**schema, "anyOf": [*options, {"type": "null"}]}
    if isinstance(schema.get("type"), str) and "enum" not in schema and "customTypePath" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}
