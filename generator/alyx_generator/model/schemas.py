"""Schemas as JSON Schema for the models: the form of a value in a request, and in a response."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from alyx_client.schema.openapi import Schema, as_list, as_schema
from alyx_generator.model.ir import ModelKind
from alyx_generator.model.limits import read_limits
from alyx_generator.source.openapi import (
    JSONDict,
    Schemas,
    alternatives,
    component_of,
    is_object,
    merged,
    nullable,
    parts_of,
    resolved,
)

T = TypeVar("T")
ModelName = Callable[[str], str]

_TYPES = frozenset({"string", "integer", "number", "boolean", "array", "object"})
_FORMATS = frozenset({"date", "date-time", "uuid"})
# Types that accept text, too, and check it before it is sent.
_INPUT_TYPES = {
    "date": "alyx_client.runtime.DateInput",
    "date-time": "alyx_client.runtime.DateTimeInput",
    "uuid": "alyx_client.runtime.UUIDInput",
}
_ZONED = "alyx_client.runtime.ZonedDateTimeInput"
_TYPES_OF_VALUES = {"bool": "boolean", "int": "integer", "float": "number", "str": "string"}


def response_schema(schema: Schema, components: Schemas, model_name: ModelName) -> JSONDict:
    """Return a schema as a server returns its values.

    Limits on values are left out, since they bind the writer; enumerations stay open, since servers extend them.

    Parameters
    ----------
    schema
        A property's schema.
    components
        The document's components, by name.
    model_name
        Returns the name of the model for a component that is an object; empty if it has none.
    """
    return _Reader(components, model_name, "response").read(schema)


def request_schema(schema: Schema, components: Schemas, model_name: ModelName, *, zones: bool = False) -> JSONDict:
    """Return a schema as its values are sent: with limits, and with types that accept text for dates and UUIDs.

    Parameters
    ----------
    schema, components, model_name
        As for `response_schema`.
    zones
        Whether date-times may have a time zone.
    """
    return _Reader(components, model_name, "request", zones=zones).read(schema, limits=True)


def or_null(schema: JSONDict, null: bool = True) -> JSONDict:
    """Return a schema that also allows null, if `null` is true."""
    # Without a type anything is allowed, null included.
    if not null or not schema:
        return schema
    if "anyOf" in schema:
        options = schema["anyOf"]
        return schema if {"type": "null"} in options else {**schema, "anyOf": [*options, {"type": "null"}]}
    # datamodel-code-generator drops these keywords beside a list of types.
    plain = not {"enum", "customTypePath", "additionalProperties"} & schema.keys()
    if plain and isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


class _Reader:
    def __init__(self, components: Schemas, model_name: ModelName, kind: ModelKind, *, zones: bool = False) -> None:
        self._input_types = _INPUT_TYPES | ({"date-time": _ZONED} if zones else {})
        self._components = components
        self._model_name = model_name
        self._kind = kind
        self._open: list[str] = []  # components without a model, which are read in place

    def read(self, node: Any, *, limits: bool = False) -> JSONDict:
        if not isinstance(node, Mapping):
            return {}
        schema = as_schema(node)
        schema = {**schema, **as_schema(schema.get("x-answered" if self._kind == "response" else "x-sent"))}
        component = component_of(schema)
        if component is not None:
            return self._read_component(component, schema)
        if "const" in schema:
            schema["enum"] = [schema["const"]]
        # An allOf of one is a reference, and was followed above.
        if len(parts_of(schema, "allOf")) > 1:
            schema = merged(schema, self._components)
        options = alternatives(schema)
        if options:
            return self._read_alternatives(options, null=nullable(schema))
        if "enum" in schema:
            values = as_list(schema["enum"])
            return or_null(self._enumeration(values, schema), nullable(schema) or None in values)
        return self._read_typed(schema, limits=limits)

    def _read_component(self, component: str, schema: Schema) -> JSONDict:
        target = self._components.get(component, {})
        if is_object(target, self._components):
            # Null may be declared at the reference or in the component itself.
            name = self._model_name(component)
            return or_null({"$ref": f"#/$defs/{name}"} if name else {}, nullable(schema) or nullable(target))
        if component in self._open:
            return {}  # it contains itself, and Python has no name for it
        self._open.append(component)
        inner = self.read(target)
        self._open.pop()
        return or_null(inner, nullable(schema) and not nullable(target))

    def _read_typed(self, schema: Schema, *, limits: bool) -> JSONDict:
        kinds = _types(schema)
        if not kinds:
            return {}
        if len(kinds) > 1:
            return or_null({"type": kinds}, nullable(schema))
        (kind,) = kinds
        result: JSONDict = {"type": kind} | (read_limits(kind, schema) if limits else {})
        if kind == "string" and schema.get("format") in _FORMATS:
            result = {"type": kind, "format": schema["format"]}
            if self._kind == "request":
                result["customTypePath"] = self._input_types[schema["format"]]
        elif kind == "array" and "prefixItems" in schema:
            result["items"] = self._read_tuple(schema)
        elif kind == "array" and "items" in schema:
            result["items"] = self.read(schema["items"])
        elif kind == "object" and schema.get("additionalProperties") not in (None, False):
            result["additionalProperties"] = self.read(schema["additionalProperties"]) or True
        return or_null(result, nullable(schema))

    def _read_tuple(self, schema: Schema) -> JSONDict:
        """Return the schema of the items of a tuple, whose length and order have no place in a list's type."""
        others = schema.get("items", {})
        parts = [*as_list(schema["prefixItems"]), *([] if others is False else [others])]
        return self._read_alternatives([as_schema(part) for part in parts], null=False)

    def _enumeration(self, values: Iterable[Any], schema: Schema) -> JSONDict:
        values = [value for value in values if value is not None]
        if not values:
            return {}
        kinds = sorted({_type_of(value) for value in values})
        # Literal cannot hold a float or an object, and True equals 1.
        if not {*kinds} <= {"string", "integer", "boolean"} or {"integer", "boolean"} <= {*kinds}:
            kinds = [kind for kind in kinds if kind != "integer" or "number" not in kinds]
            return {"type": kinds[0] if len(kinds) == 1 else kinds} if {*kinds} <= _TYPES else {}
        values = _unique(values)
        # In responses, other values of the type are accepted, too: servers add choices.
        closed: JSONDict = {"enum": values} | ({"type": kinds[0]} if len(kinds) == 1 else {})
        return {"anyOf": [closed, *({"type": kind} for kind in kinds)]} if self._kind == "response" else closed

    def _read_alternatives(self, parts: Sequence[Schema], *, null: bool) -> JSONDict:
        targets = [(part, resolved(part, self._components)) for part in parts]
        null = null or any(nullable(target) or target.get("enum") == [None] for _, target in targets)
        # drf-spectacular writes a choice that may be blank as oneOf[Enum, BlankEnum, NullEnum].
        values = _enumerated(target for _, target in targets if not _is_null(target))
        if values:
            return or_null(self._enumeration(values, {}), null or None in values)
        options = _unique(self.read(part) for part, target in targets if not _is_null(target))
        # An alternative that allows anything makes the others pointless.
        if {} in options or not options:
            return {}
        options = _one_text(options)
        return or_null(options[0] if len(options) == 1 else {"anyOf": _flat(options)}, null)


def _type_of(value: object) -> str:
    return _TYPES_OF_VALUES.get(value.__class__.__name__, "")


def _is_null(schema: Schema) -> bool:
    return schema.get("type") == "null" or schema.get("enum") == [None]


def _enumerated(schemas: Iterable[Schema]) -> list[Any]:
    """Return the values of several enumerations; none if one of the schemas is not an enumeration."""
    enumerations = [as_list(schema.get("enum")) for schema in schemas]
    return _unique(value for values in enumerations for value in values) if all(enumerations) else []


def _one_text(options: list[JSONDict]) -> list[JSONDict]:
    """Return one schema where all are texts, which are not told apart by their formats."""
    if not all(option.get("type") == "string" and "enum" not in option for option in options):
        return options
    return options[:1] if len({str(option.get("format")) for option in options}) == 1 else [{"type": "string"}]


def _flat(options: Iterable[JSONDict]) -> list[JSONDict]:
    return _unique(inner for option in options for inner in option.get("anyOf", [option]))


def _unique(items: Iterable[T]) -> list[T]:
    """Return the items without duplicates, in order; they need not be hashable."""
    unique: list[T] = []
    for item in items:
        if item not in unique:
            unique.append(item)
    return unique


def _types(schema: Schema) -> list[str]:
    """Return the types that a schema allows besides null; none where one of them is unknown."""
    declared = schema.get("type")
    kinds: list[Any] = as_list(declared) if isinstance(declared, list) else [declared]
    types = [kind for kind in kinds if kind != "null"]
    return types if all(isinstance(kind, str) and kind in _TYPES for kind in types) else []
