"""Reading OpenAPI's schemas as values: references, unions, nullability, and the fields of records within records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from alyx_client.schema.surface import Scalar, Value

Schema = Mapping[str, Any]
Within = frozenset[str]

_LIMITS = frozenset(
    {"minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern"}
    | {"minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"}
)
_TYPES = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean"}
_FORMATS = {"date": "date", "date-time": "date-time", "uuid": "uuid", "binary": "file"}
_NOT_CHECKED = frozenset({"uri", "double", "float", "int32", "int64", "password", "byte"})
_DEEPEST = 5


def as_schema(node: Any) -> Schema:
    """Return a node that is an object; an empty one in place of anything else."""
    return cast("Schema", node) if isinstance(node, Mapping) else {}


def as_list(node: Any) -> list[Any]:
    """Return a node that is an array; an empty one in place of anything else."""
    return [*cast("Sequence[Any]", node)] if isinstance(node, list) else []


@dataclass
class _Form:
    """What a schema comes to: a value's parts, and the fields of the records in it."""

    types: set[str] = field(default_factory=set[str])
    nullable: bool = False
    enum: tuple[Scalar, ...] | None = None
    limits: dict[str, Scalar] = field(default_factory=dict[str, Scalar])
    records: list[tuple[str, Schema, Within]] = field(default_factory=list[tuple[str, Schema, Within]])


class Values:
    """Reads the schemas of one document.

    Parameters
    ----------
    document
        An OpenAPI document.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._all_optional = bool(document.get("x-all-optional"))

    def resolved(self, node: Any) -> Schema:
        """Return what stands at a node once its references are followed and its ``allOf`` is merged."""
        return self._resolved(node, frozenset())[0]

    def component(self, schema: Schema) -> str:
        """Return the name of the component that a schema refers to, also through an ``allOf`` of one."""
        parts = as_list(schema.get("allOf"))
        if "$ref" not in schema and len(parts) == 1:
            return self.component(as_schema(parts[0]))
        return str(schema.get("$ref", "")).rpartition("/")[2]

    def value(self, schema: Schema, *, sent: bool = True) -> Value:
        """Return a schema as a value; whether it is required is not its own to say."""
        return self._valued(self._form(schema, frozenset(), sent), sent)

    def fields(self, schema: Schema, *, sent: bool = False) -> dict[str, Value]:
        """Return the fields of a record and of the records within it, five deep, by their dotted names.

        Parameters
        ----------
        schema
            The record's.
        sent
            Whether it is sent, and not answered: read-only fields are of answers alone, write-only ones of requests.
        """
        form = self._form(schema, frozenset(), sent)
        return {name.removeprefix("."): value for name, value in self._fields("", form, sent, 0)}

    def _fields(self, prefix: str, form: _Form, sent: bool, depth: int) -> Iterator[tuple[str, Value]]:
        for suffix, record, within in form.records if depth < _DEEPEST else ():
            needed = self._needed(record, sent)
            for name, declared in as_schema(record.get("properties")).items():
                own = as_schema(declared)
                if own.get("readOnly" if sent else "writeOnly"):
                    continue
                inner = self._form(own, within, sent)
                always = name in needed if sent else not self._is_optional(record, name)
                path = f"{prefix}{suffix}.{name}"
                yield path, replace(self._valued(inner, sent), required=always)
                yield from self._fields(path, inner, sent, depth + 1)

    def _needed(self, record: Schema, sent: bool) -> set[str]:
        return {str(each) for key in ("required", "x-sent-required") if sent for each in as_list(record.get(key))}

    def _is_optional(self, record: Schema, name: str) -> bool:
        # What a document requires binds who sends: drf-spectacular declares it of both with one component.
        return self._all_optional or bool(record.get("x-all-optional")) or name in as_list(record.get("x-sometimes"))

    def _resolved(self, node: Any, within: Within) -> tuple[Schema, Within]:
        """Return a node's content and the references on the way to it; nothing where one leads back to itself."""
        schema = as_schema(node)
        reference = schema.get("$ref")
        if isinstance(reference, str):
            if reference in within:
                return {"x-within-itself": True}, within
            target, within = self._resolved(self._at(reference), within | {reference})
            schema = {**target, **{key: each for key, each in schema.items() if key != "$ref"}}
        if "allOf" not in schema:
            return schema, within
        merged: dict[str, Any] = {}
        inside = within
        own = {key: each for key, each in schema.items() if key != "allOf"}
        for part in (*as_list(schema["allOf"]), own):
            read, passed = (own, within) if part is own else self._resolved(part, within)
            inside |= passed
            properties = {**as_schema(merged.get("properties")), **as_schema(read.get("properties"))}
            required = [*as_list(merged.get("required")), *as_list(read.get("required"))]
            merged |= read
            merged |= {key: each for key, each in (("properties", properties), ("required", required)) if each}
        return merged, inside

    def _at(self, reference: str) -> Any:
        node: Any = self._document
        for step in reference.removeprefix("#").split("/")[1:]:
            node = as_schema(node).get(step.replace("~1", "/").replace("~0", "~"))
        return node

    def _form(self, node: Any, within: Within, sent: bool) -> _Form:
        special = as_schema(as_schema(node).get("x-sent" if sent else "x-answered"))
        schema, inside = self._resolved({**as_schema(node), **special}, within)
        if "x-within-itself" in schema:
            return _Form({"record"}, nullable=bool(schema.get("nullable")))
        options = as_list(schema.get("oneOf") or schema.get("anyOf"))
        if options:
            form = _union([self._form(each, inside, sent) for each in options])
        else:
            form = self._plain(schema, inside, sent)
        form.nullable = form.nullable or bool(schema.get("nullable")) or form.types == {"anything"}
        return form

    def _plain(self, schema: Schema, within: Within, sent: bool) -> _Form:
        kinds = schema.get("type")
        kinds = [str(each) for each in as_list(kinds)] if isinstance(kinds, list) else [str(kinds)] if kinds else []
        if not kinds and (schema.get("properties") or "additionalProperties" in schema):
            kinds = ["object"]
        form = _Form(nullable="null" in kinds)
        values = [schema["const"]] if "const" in schema else schema.get("enum")
        if isinstance(values, list):
            given = as_list(values)
            form.nullable = form.nullable or None in given
            form.enum = tuple(each for each in given if isinstance(each, str | int | float))
            form.types |= {_type_of(each) for each in form.enum} if not kinds else set()
        for kind in kinds:
            form.types |= self._types(kind, schema, within, sent, form) if kind != "null" else set()
        if not form.types and not form.nullable:
            form.types = {"anything"}
        form.limits |= _limits(schema)
        text_format = schema.get("format")
        if form.types == {"text"} and isinstance(text_format, str) and text_format not in _NOT_CHECKED:
            form.limits["format"] = text_format
        return form

    def _types(self, kind: str, schema: Schema, within: Within, sent: bool, form: _Form) -> set[str]:
        if kind == "array":
            return {f"list of {self._inside('[]', schema.get('items'), within, sent, form)}"}
        if kind == "object" and schema.get("properties"):
            form.records.append(("", schema, within))
            return {"record"}
        if kind == "object":
            extra = as_schema(schema.get("additionalProperties"))
            return {f"mapping of {self._inside('{}', extra, within, sent, form)}" if extra else "object"}
        known = _TYPES.get(kind, "anything")
        return {_FORMATS.get(str(schema.get("format")), known) if kind == "string" else known}

    def _inside(self, suffix: str, items: Any, within: Within, sent: bool, form: _Form) -> str:
        """Return the types of a list's items, or of a mapping's; the outer form takes their values and fields."""
        inner = self._form(items, within, sent)
        form.enum, form.limits = inner.enum, inner.limits
        form.records += [(suffix + each, record, inside) for each, record, inside in inner.records]
        null = ["null"] if inner.nullable and inner.types != {"anything"} else []
        words = [*sorted(inner.types), *null]
        return words[0] if len(words) == 1 else f"({' or '.join(words)})"

    def _valued(self, form: _Form, sent: bool) -> Value:
        enum = tuple(sorted(form.enum or (), key=lambda each: (str(type(each)), each)))
        limits = tuple(sorted(form.limits.items())) if sent else ()
        return Value(tuple(sorted(form.types or {"null"})), False, form.nullable, enum, limits)


def _union(forms: list[_Form]) -> _Form:
    """Return what any of several forms allows."""
    valued = [form for form in forms if form.types]
    enums = [form.enum for form in valued]
    closed = bool(enums) and all(each is not None for each in enums)
    # A blank text that is allowed besides is no other form: the limits are those of the rest.
    checked = [form for form in valued if form.limits != {"maxLength": 0}]
    blank: dict[str, Scalar] = {"blank": True} if len(checked) < len(valued) else {}
    result = _Form(
        {each for form in forms for each in form.types},
        any(form.nullable for form in forms),
        tuple(dict.fromkeys(value for each in enums for value in each or ())) if closed else None,
        checked[0].limits | blank if len(checked) == 1 else {},
        [record for form in forms for record in form.records],
    )
    if "anything" in result.types:
        result.types = {"anything"}
    return result


def _limits(schema: Schema) -> dict[str, Scalar]:
    """Return what is checked of a value, without what lets everything pass."""
    found = {key: each for key, each in schema.items() if key in _LIMITS and isinstance(each, str | int | float)}
    for key, plain in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        # OpenAPI 3.0 says of the limit whether it is one that must not be reached, 3.1 says the limit itself.
        if found.get(key) is True and plain in found:
            found[key] = found.pop(plain)
    passing = ("minLength", "minItems", "minProperties")
    return {key: each for key, each in found.items() if each is not False and not (key in passing and each == 0)}


def _type_of(value: Scalar) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "text" if isinstance(value, str) else "integer" if isinstance(value, int) else "number"
