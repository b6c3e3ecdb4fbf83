"""Read OpenAPI schemas as values: unions, nullability, limits, and the fields of records within records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from alyx_client.schema.openapi import OpenAPIDocument, References, Schema, as_list, as_schema, is_circular
from alyx_client.schema.surface import Scalar, ValueSpec

__all__ = ["ValueReader"]

_LIMITS = frozenset(
    {"minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern"}
    | {"minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"}
)
_MINIMA_OF_ZERO = frozenset({"minLength", "minItems", "minProperties"})
_TYPES = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean"}
_FORMATS = {"date": "date", "date-time": "date-time", "uuid": "uuid", "binary": "file"}
# Formats that Alyx's serialisers declare, but do not check when a value is sent.
_UNCHECKED_FORMATS = frozenset({"uri", "double", "float", "int32", "int64", "password", "byte"})
_MAX_DEPTH = 5


@dataclass(frozen=True, slots=True)
class _Record:
    """A record within a value: its place in it (``[]`` for a list's items), and its schema."""

    suffix: str
    schema: Schema
    followed: References


@dataclass
class _Parts:
    """The parts of a value, while its schema is read."""

    types: set[str] = field(default_factory=set[str])
    nullable: bool = False
    enum: tuple[Scalar, ...] | None = None
    limits: dict[str, Scalar] = field(default_factory=dict[str, Scalar])
    records: list[_Record] = field(default_factory=list[_Record])

    def value(self, *, sent: bool) -> ValueSpec:
        enum = tuple(sorted(self.enum or (), key=lambda value: (str(type(value)), value)))
        limits = tuple(sorted(self.limits.items())) if sent else ()
        return ValueSpec(tuple(sorted(self.types or {"null"})), False, self.nullable, enum, limits)


class ValueReader:
    """Reads the schemas of one document.

    Parameters
    ----------
    document
        The document.
    """

    def __init__(self, document: OpenAPIDocument) -> None:
        self._document = document
        self._all_optional = bool(document.content.get("x-all-optional"))

    def value(self, schema: Schema, *, sent: bool = True) -> ValueSpec:
        """Return a schema as a value; whether it is required is not part of its own schema."""
        return self._parts(schema, frozenset(), sent).value(sent=sent)

    def fields(self, schema: Schema, *, sent: bool = False) -> dict[str, ValueSpec]:
        """Return the fields of a record and of the records within it, five deep, by their dotted names.

        Parameters
        ----------
        schema
            The record's schema.
        sent
            Whether the record is sent, not received: read-only fields are part of responses only, write-only ones of
            requests only.
        """
        parts = self._parts(schema, frozenset(), sent)
        return {name.removeprefix("."): value for name, value in self._fields("", parts, sent, 0)}

    def _fields(self, prefix: str, parts: _Parts, sent: bool, depth: int) -> Iterator[tuple[str, ValueSpec]]:
        for record in parts.records if depth < _MAX_DEPTH else ():
            required = _required_when_sent(record.schema) if sent else set[str]()
            for name, node in as_schema(record.schema.get("properties")).items():
                schema = as_schema(node)
                if schema.get("readOnly" if sent else "writeOnly"):
                    continue
                inner = self._parts(schema, record.followed, sent)
                is_required = name in required if sent else not self._is_optional(record.schema, name)
                path = f"{prefix}{record.suffix}.{name}"
                yield path, replace(inner.value(sent=sent), required=is_required)
                yield from self._fields(path, inner, sent, depth + 1)

    def _is_optional(self, record: Schema, name: str) -> bool:
        # `required` is about requests: drf-spectacular declares one component for requests and responses.
        return self._all_optional or bool(record.get("x-all-optional")) or name in as_list(record.get("x-sometimes"))

    def _parts(self, node: Any, followed: References, sent: bool) -> _Parts:
        # Corrections declare by x-sent and x-answered where requests and responses differ.
        override = as_schema(as_schema(node).get("x-sent" if sent else "x-answered"))
        schema, followed = self._document.resolve_within({**as_schema(node), **override}, followed)
        if is_circular(schema):
            return _Parts({"record"}, nullable=bool(schema.get("nullable")))
        options = as_list(schema.get("oneOf") or schema.get("anyOf"))
        if options:
            parts = _union([self._parts(option, followed, sent) for option in options])
        else:
            parts = self._single(schema, followed, sent)
        parts.nullable = parts.nullable or bool(schema.get("nullable")) or parts.types == {"anything"}
        return parts

    def _single(self, schema: Schema, followed: References, sent: bool) -> _Parts:
        """Read a schema without alternatives."""
        names = _type_names(schema)
        parts = _Parts(nullable="null" in names)
        values = [schema["const"]] if "const" in schema else schema.get("enum")
        if isinstance(values, list):
            parts.nullable = parts.nullable or None in values
            parts.enum = tuple(value for value in as_list(values) if isinstance(value, str | int | float))
            parts.types |= {_type_of(value) for value in parts.enum} if not names else set()
        for name in names:
            parts.types |= self._types(name, schema, followed, sent, parts) if name != "null" else set()
        # A schema without a type allows any; an enumeration of null only allows nothing else.
        if not parts.types and not parts.nullable:
            parts.types = {"anything"}
        parts.limits |= _limits(schema)
        text_format = schema.get("format")
        if parts.types == {"text"} and isinstance(text_format, str) and text_format not in _UNCHECKED_FORMATS:
            parts.limits["format"] = text_format
        return parts

    def _types(self, name: str, schema: Schema, followed: References, sent: bool, parts: _Parts) -> set[str]:
        if name == "array":
            return {f"list of {self._items('[]', schema.get('items'), followed, sent, parts)}"}
        if name == "object" and schema.get("properties"):
            parts.records.append(_Record("", schema, followed))
            return {"record"}
        if name == "object":
            extra = as_schema(schema.get("additionalProperties"))
            return {f"mapping of {self._items('{}', extra, followed, sent, parts)}" if extra else "object"}
        plain = _TYPES.get(name, "anything")
        return {_FORMATS.get(str(schema.get("format")), plain) if name == "string" else plain}

    def _items(self, suffix: str, items: Any, followed: References, sent: bool, outer: _Parts) -> str:
        """Return the types of a list's or a mapping's items; their values and fields are added to `outer`."""
        inner = self._parts(items, followed, sent)
        outer.enum, outer.limits = inner.enum, inner.limits
        outer.records += [replace(record, suffix=suffix + record.suffix) for record in inner.records]
        null = ["null"] if inner.nullable and inner.types != {"anything"} else []
        types = [*sorted(inner.types), *null]
        return types[0] if len(types) == 1 else f"({' or '.join(types)})"


def _required_when_sent(record: Schema) -> set[str]:
    return {str(name) for key in ("required", "x-sent-required") for name in as_list(record.get(key))}


def _type_names(schema: Schema) -> list[str]:
    """Return OpenAPI's names of a schema's types: one in OpenAPI 3.0, perhaps several in 3.1."""
    names = schema.get("type")
    if isinstance(names, list):
        return [str(name) for name in as_list(names)]
    if names:
        return [str(names)]
    return ["object"] if schema.get("properties") or "additionalProperties" in schema else []


def _union(options: list[_Parts]) -> _Parts:
    """Return what any of several schemas allows."""
    with_types = [parts for parts in options if parts.types]
    types = {name for parts in options for name in parts.types}
    return _Parts(
        {"anything"} if "anything" in types else types,
        any(parts.nullable for parts in options),
        _union_enum(with_types),
        _union_limits(with_types),
        [record for parts in options for record in parts.records],
    )


def _union_enum(options: list[_Parts]) -> tuple[Scalar, ...] | None:
    enums = [parts.enum for parts in options if parts.enum is not None]
    # One option without an enumeration lets any value pass.
    if not options or len(enums) < len(options):
        return None
    return tuple(dict.fromkeys(value for enum in enums for value in enum))


def _union_limits(options: list[_Parts]) -> dict[str, Scalar]:
    # drf-spectacular writes "may be blank" as an option of maximum length 0; the limits are those of the other option.
    checked = [parts for parts in options if parts.limits != {"maxLength": 0}]
    if len(checked) != 1:
        return {}
    return checked[0].limits | ({"blank": True} if len(checked) < len(options) else {})


def _limits(schema: Schema) -> dict[str, Scalar]:
    """Return what the server checks of a value, without limits that any value meets."""
    limits = {key: value for key, value in schema.items() if key in _LIMITS and isinstance(value, str | int | float)}
    for exclusive, inclusive in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        # In OpenAPI 3.0 an exclusive limit is a boolean beside the limit; in 3.1 it is the limit itself.
        if limits.get(exclusive) is True and inclusive in limits:
            limits[exclusive] = limits.pop(inclusive)
    return {
        key: value
        for key, value in limits.items()
        if value is not False and not (key in _MINIMA_OF_ZERO and value == 0)
    }


def _type_of(value: Scalar) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "text" if isinstance(value, str) else "integer" if isinstance(value, int) else "number"
