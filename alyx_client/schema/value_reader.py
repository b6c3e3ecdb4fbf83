"""Read OpenAPI schemas as values: unions, nullability, limits, and the fields of records within records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from alyx_client.schema.keywords import ALTERNATIVES, EXTRA_KEYS, NO_KEYS, SHARED, option_name, read_keywords
from alyx_client.schema.openapi import (
    OpenAPIDocument,
    References,
    Schema,
    as_list,
    as_schema,
    is_circular,
    merge_all_of,
)
from alyx_client.schema.surface import Scalar, ValueSpec

__all__ = ["ValueReader"]

_TYPES = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean"}
_FORMATS = {"date": "date", "date-time": "date-time", "uuid": "uuid", "binary": "file"}
_MAX_DEPTH = 5


@dataclass(frozen=True, slots=True)
class _Record:
    """A record within a value.

    Its place is ``[]`` for items, and ``<Cat>`` for one of several; `is_shared` if requests have its component, too.
    """

    suffix: str
    schema: Schema
    followed: References
    is_shared: bool = False


@dataclass
class _Parts:
    """The parts of a value, while its schema is read."""

    types: set[str] = field(default_factory=set[str])
    nullable: bool = False
    enum: tuple[Scalar, ...] | None = None
    keywords: dict[str, Scalar] = field(default_factory=dict[str, Scalar])
    records: list[_Record] = field(default_factory=list[_Record])

    def value(self) -> ValueSpec:
        keywords = tuple(sorted(self.keywords.items()))
        return ValueSpec(
            tuple(sorted(self.types or {"null"})), False, self.nullable, _sorted(self.enum or ()), keywords
        )


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
        return self._parts(schema, frozenset(), sent).value()

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
        return {name.removeprefix("."): value for name, value in self._fields("", parts.records, sent, 0)}

    def _fields(
        self, prefix: str, records: Sequence[_Record], sent: bool, depth: int
    ) -> Iterator[tuple[str, ValueSpec]]:
        for suffix in dict.fromkeys(record.suffix for record in records if depth < _MAX_DEPTH):
            # Several records in one place are alternatives.
            options = [record for record in records if record.suffix == suffix]
            names = dict.fromkeys(name for record in options for name in as_schema(record.schema.get("properties")))
            for name in names:
                value, inner = self._field_of_alternatives(options, name, sent)
                if value is not None:
                    path = f"{prefix}{suffix}.{name}"
                    yield path, value
                    yield from self._fields(path, inner, sent, depth + 1)

    def _field_of_alternatives(
        self, options: Sequence[_Record], name: str, sent: bool
    ) -> tuple[ValueSpec | None, list[_Record]]:
        """Return a field that some of several records have, and the records within it."""
        declared = [self._field(record, name, sent) for record in options]
        present = [pair for pair in declared if pair is not None]
        if not present:
            return None, []
        value = _merged([value for value, _ in present])
        if len(present) < len(options):
            value = replace(value, required=False)
        return value, [record for _, inner in present for record in inner]

    def _field(self, record: _Record, name: str, sent: bool) -> tuple[ValueSpec, list[_Record]] | None:
        """Return a field of a record and the records within it; None if requests or responses lack it."""
        schema = as_schema(as_schema(record.schema.get("properties")).get(name))
        if not schema and name not in as_schema(record.schema.get("properties")):
            return None
        if schema.get("readOnly" if sent else "writeOnly"):
            return None
        parts = self._parts(schema, record.followed, sent)
        if sent:
            return replace(parts.value(), required=name in _required_when_sent(record.schema)), parts.records
        is_optional = self._is_optional(record.schema, name)
        if record.is_shared and not is_optional and not schema.get("readOnly"):
            parts.keywords[SHARED] = True
        is_required = not is_optional and name in as_list(record.schema.get("required"))
        return replace(parts.value(), required=is_required), parts.records

    def _is_optional(self, record: Schema, name: str) -> bool:
        return self._all_optional or bool(record.get("x-all-optional")) or name in as_list(record.get("x-sometimes"))

    @cached_property
    def _request_components(self) -> References:
        """The references that lead to the components of requests."""
        return self._document.references_of(
            [as_schema(operation.spec.get("requestBody")) for operation in self._document.operations()]
        )

    def _parts(self, node: Any, followed: References, sent: bool) -> _Parts:
        # Corrections declare by x-sent and x-answered where requests and responses differ.
        override = as_schema(as_schema(node).get("x-sent" if sent else "x-answered"))
        before = followed
        schema, followed = self._document.resolve_within({**as_schema(node), **override}, followed)
        if is_circular(schema):
            return _Parts({"record"}, nullable=bool(schema.get("nullable")))
        if schema.get("oneOf") or schema.get("anyOf"):
            parts = self._alternatives(schema, followed, sent)
        else:
            parts = self._single(schema, followed, sent)
        if not sent and not self._request_components.isdisjoint(followed - before):
            parts.records = [replace(record, is_shared=True) for record in parts.records]
        parts.nullable = parts.nullable or bool(schema.get("nullable")) or parts.types == {"anything"}
        return parts

    def _alternatives(self, schema: Schema, followed: References, sent: bool) -> _Parts:
        keyword = "oneOf" if schema.get("oneOf") else "anyOf"
        beside = {key: value for key, value in schema.items() if key != keyword}
        options = as_list(schema[keyword])
        read: list[_Parts] = []
        records: dict[int, str] = {}
        for option in map(as_schema, options):
            resolved, inside = self._document.resolve_within(option, followed)
            # Fields beside alternatives are in each of them.
            has_fields = bool(beside.get("properties"))
            whole = merge_all_of((beside, resolved)) if has_fields else option
            read.append(self._parts(whole, inside if has_fields else followed, sent))
            if "record" in read[-1].types:
                records[len(read) - 1] = option_name(option, resolved)
        if len(names := sorted(set(records.values()))) > 1:
            for index, name in records.items():
                read[index].records = [replace(one, suffix=f"<{name}>{one.suffix}") for one in read[index].records]
        parts = _union(read)
        parts.keywords |= read_keywords(beside, sent=sent)
        if len(names) > 1:
            parts.keywords[ALTERNATIVES] = f"{keyword}: {' | '.join(names)}"
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
        parts.keywords |= read_keywords(schema, sent=sent)
        return parts

    def _types(self, name: str, schema: Schema, followed: References, sent: bool, parts: _Parts) -> set[str]:
        if name == "array":
            return {f"list of {self._items('[]', schema.get('items'), followed, sent, parts)}"}
        if name == "object" and schema.get("properties"):
            parts.records.append(_Record("", schema, followed))
            self._read_extra_keys(schema, followed, sent, parts)
            return {"record"}
        if name == "object":
            extra = as_schema(schema.get("additionalProperties"))
            return {f"mapping of {self._items('{}', extra, followed, sent, parts)}" if extra else "object"}
        plain = _TYPES.get(name, "anything")
        return {_FORMATS.get(str(schema.get("format")), plain) if name == "string" else plain}

    def _read_extra_keys(self, schema: Schema, followed: References, sent: bool, parts: _Parts) -> None:
        """Read what the keys of a record besides its fields may hold, if the document limits it."""
        extra = schema.get(EXTRA_KEYS)
        if extra is False:
            parts.keywords[EXTRA_KEYS] = NO_KEYS
        elif as_schema(extra):
            values = _Parts()
            parts.keywords[EXTRA_KEYS] = self._items("{}", extra, followed, sent, values)
            parts.records += values.records

    def _items(self, suffix: str, items: Any, followed: References, sent: bool, outer: _Parts) -> str:
        """Return the types of a list's or a mapping's items; their values and fields are added to `outer`."""
        inner = self._parts(items, followed, sent)
        outer.enum, outer.keywords = inner.enum, inner.keywords
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
        _union_keywords(with_types),
        [record for parts in options for record in parts.records],
    )


def _union_enum(options: list[_Parts]) -> tuple[Scalar, ...] | None:
    enums = [parts.enum for parts in options if parts.enum is not None]
    # One option without an enumeration lets any value pass.
    if not options or len(enums) < len(options):
        return None
    return tuple(dict.fromkeys(value for enum in enums for value in enum))


def _union_keywords(options: list[_Parts]) -> dict[str, Scalar]:
    # drf-spectacular writes "may be blank" as an option of maximum length 0; the limits are those of the other option.
    checked = [parts for parts in options if parts.keywords != {"maxLength": 0}]
    # Keywords of options of one type would have to be compared, and the values of one of them would meet others'.
    if sum(len(parts.types) for parts in checked) > len({name for parts in checked for name in parts.types}):
        return {}
    keywords = {key: value for parts in checked for key, value in parts.keywords.items()}
    return keywords | ({"blank": True} if len(checked) < len(options) and len(checked) == 1 else {})


def _merged(values: Sequence[ValueSpec]) -> ValueSpec:
    """Return what any of several values allows; required if all of them are."""
    if len(values) == 1:
        return values[0]
    types = {name for value in values for name in value.types}
    enums = [value.enum for value in values if value.enum]
    first, *others = (set(value.keywords) for value in values)
    return ValueSpec(
        ("anything",) if "anything" in types else tuple(sorted(types)),
        all(value.required for value in values),
        any(value.nullable for value in values),
        _sorted({item for enum in enums for item in enum}) if len(enums) == len(values) else (),
        tuple(sorted(first.intersection(*others))),
    )


def _sorted(values: Iterable[Scalar]) -> tuple[Scalar, ...]:
    return tuple(sorted(values, key=lambda value: (str(type(value)), value)))


def _type_of(value: Scalar) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "text" if isinstance(value, str) else "integer" if isinstance(value, int) else "number"
