"""Checking an answer against its schema, and noting for each place of the schema what was found there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from alyx_client.schema.openapi import as_schema
from alyx_generator.probe.observations import Place, Seen, Sight, has_format, kind_of
from alyx_generator.source.openapi import nullable

_REF = "#/components/schemas/"
_DEEPEST = 40
_SAYING = frozenset(
    {"type", "enum", "const", "properties", "items", "allOf", "oneOf", "anyOf", "$ref", "additionalProperties"}
)


class Checker:
    """Checks values against the schemas of a document.

    Limits on values (lengths, patterns, bounds) bind who writes and are not checked.

    Parameters
    ----------
    document
        An OpenAPI document, corrected.
    sight
        Where to note what is found.
    """

    def __init__(self, document: Mapping[str, Any], sight: Sight) -> None:
        self._schemas = as_schema(as_schema(document.get("components")).get("schemas"))
        self._sight = sight

    def check(self, value: Any, schema: Any, place: Place, depth: int = 0) -> None:
        """Check a value against the schema that stands at a place."""
        given = as_schema(schema)
        seen = self._sight.setdefault(place, Seen())
        seen.rows += 1
        target, where = self._followed(given, place)
        declared, at = _answered(target, where)
        if not _says(declared):
            # Nothing is said of the items of a list: what they are is worth telling where they are all plain.
            if place[-1:] == ("items",):
                seen.miss("undeclared")
                seen.shape.add(value, 0)
            return
        if value is None:
            if self._takes_null(given):
                seen.fine += 1
            else:
                seen.miss("null")
            return
        options = _options(declared, where, at)
        if options:
            self._choose(value, options, seen, depth)
            return
        wrong = _wrong(value, declared)
        if wrong:
            seen.miss(wrong)
            if wrong not in ("format", "enum"):
                seen.shape.add(value)
            return
        seen.fine += 1
        if depth < _DEEPEST:
            self._inside(value, target, where, depth)

    def fits(self, value: Any, schema: Any, depth: int = 0) -> bool:
        """Tell whether a value is all that a schema says, without noting anything."""
        scratch: Sight = {}
        Checker({"components": {"schemas": self._schemas}}, scratch).check(value, schema, ("x",), depth)
        return not any(each.wrong or each.extra or each.unnamed for each in scratch.values())

    def _fields(
        self, schema: Mapping[str, Any], place: Place, within: tuple[Place, ...] = ()
    ) -> Iterator[tuple[str, Mapping[str, Any], Place]]:
        """Return the fields of an object, those of the parts of its ``allOf`` too, each with its place."""
        target, where = self._followed(schema, place)
        if where in within:
            return
        answered, at = _answered(target, where)
        for index, part in enumerate(_list(answered.get("allOf"))):
            yield from self._fields(as_schema(part), (*at.get("allOf", where), "allOf", index), (*within, where))
        for name, each in as_schema(answered.get("properties")).items():
            yield name, as_schema(each), (*at.get("properties", where), "properties", name)

    def _followed(self, schema: Mapping[str, Any], place: Place) -> tuple[Mapping[str, Any], Place]:
        """Return what a schema refers to, also through an ``allOf`` of one, and where that stands."""
        seen: set[Place] = set()
        while place not in seen:
            seen.add(place)
            answered, at = _answered(schema, place)
            reference, parts = answered.get("$ref"), _list(answered.get("allOf"))
            if isinstance(reference, str) and reference.startswith(_REF):
                name = reference.removeprefix(_REF).replace("~1", "/").replace("~0", "~")
                schema, place = as_schema(self._schemas.get(name)), ("components", "schemas", name)
            elif len(parts) == 1 and "properties" not in answered:
                schema, place = as_schema(parts[0]), (*at.get("allOf", place), "allOf", 0)
            else:
                return schema, place
        return {}, place

    def _target(self, schema: Any) -> Mapping[str, Any]:
        return _answered(*self._followed(as_schema(schema), ()))[0]

    def _takes_null(self, schema: Mapping[str, Any], depth: int = 0) -> bool:
        target = self._target(schema)
        if nullable(_answered(schema, ())[0]) or nullable(target) or not _says(target):
            return True
        if None in _list(target.get("enum")):
            return True
        return depth < _DEEPEST and any(
            self._takes_null(as_schema(each), depth + 1) for each, _ in _options(target, (), {})
        )

    def _inside(self, value: Any, schema: Mapping[str, Any], place: Place, depth: int) -> None:
        schema, at = _answered(schema, place)
        if isinstance(value, list) and "items" in schema:
            for item in cast("Sequence[Any]", value):
                self.check(item, schema["items"], (*at.get("items", place), "items"), depth + 1)
        elif isinstance(value, dict):
            self._object(cast("Mapping[str, Any]", value), schema, place, at, depth)

    def _object(
        self, value: Mapping[str, Any], schema: Mapping[str, Any], place: Place, at: Mapping[str, Place], depth: int
    ) -> None:
        fields = {name: (declared, where) for name, declared, where in self._fields(schema, place)}
        others = schema.get("additionalProperties")
        sometimes = self._sometimes(schema)
        for name, (declared, where) in fields.items():
            if name in value:
                if declared.get("writeOnly"):
                    self._sight.setdefault(where, Seen()).rows += 1
                    self._sight[where].miss("answered")
                else:
                    self.check(value[name], declared, where, depth + 1)
            elif not declared.get("writeOnly"):
                seen = self._sight.setdefault(where, Seen())
                seen.rows += 1
                if name not in sometimes:
                    seen.miss("absent")
        if isinstance(others, Mapping) and others:
            for name in value.keys() - fields.keys():
                self.check(
                    value[name], others, (*at.get("additionalProperties", place), "additionalProperties"), depth + 1
                )
        elif fields and (others is None or others is False):
            seen = self._sight.setdefault(place, Seen())
            if place[:2] == ("components", "schemas") and len(place) == 3:
                seen.rows += 1
            for name in sorted(value.keys() - fields.keys()):
                seen.add_extra(name, value[name])

    def _sometimes(self, schema: Mapping[str, Any], depth: int = 0) -> set[str]:
        found = {each for each in _list(schema.get("x-sometimes")) if isinstance(each, str)}
        for part in _list(schema.get("allOf")) if depth < _DEEPEST else ():
            found |= self._sometimes(self._target(part), depth + 1)
        return found

    def _choose(self, value: Any, options: Sequence[tuple[Any, Place]], seen: Seen, depth: int) -> None:
        fitting = [each for each in options if self.fits(value, each[0], depth + 1)]
        alike = [each for each in options if not _wrong(value, self._target(each[0]))]
        if fitting or (len(alike) == 1 and isinstance(value, (dict, list))):
            seen.fine += 1
            if depth < _DEEPEST:
                self.check(value, *(fitting or alike)[0], depth + 1)
            return
        said = [self._target(option) for option, _ in options]
        enums = any(_wrong(value, each) in ("enum", "format") for each in said)
        seen.miss("enum" if enums else kind_of(value))
        if not enums:
            seen.shape.add(value)


def _says(schema: Mapping[str, Any]) -> bool:
    """Tell whether a schema says anything of a value."""
    return not _SAYING.isdisjoint(schema)


def _wrong(value: Any, schema: Mapping[str, Any]) -> str:
    """Return what a value is that its schema does not allow; empty where it does."""
    kind, kinds = kind_of(value), kinds_of(schema)
    if kinds and kind not in kinds:
        as_integer = kind == "number" and "integer" in kinds and cast("float", value).is_integer()
        if not as_integer and not (kind == "integer" and "number" in kinds):
            return kind
    choices = [schema["const"]] if "const" in schema else schema.get("enum")
    if isinstance(choices, list) and not any(
        value == each and isinstance(value, bool) == isinstance(each, bool) for each in cast("Sequence[Any]", choices)
    ):
        return "enum" if kinds or any(kind_of(each) == kind for each in cast("Sequence[Any]", choices)) else kind
    if kind == "string" and not has_format(value, str(schema.get("format"))):
        return "format"
    return ""


def _answered(schema: Mapping[str, Any], place: Place) -> tuple[Mapping[str, Any], dict[str, Place]]:
    """Return a schema as it is answered, and the places of the keys that only answers have."""
    own = schema.get("x-answered")
    if not isinstance(own, Mapping):
        return schema, {}
    inner = cast("Mapping[str, Any]", own)
    merged = {**schema, **inner}
    merged.pop("x-answered")
    return merged, dict.fromkeys(inner, (*place, "x-answered"))


def _options(schema: Mapping[str, Any], place: Place, at: Mapping[str, Place]) -> list[tuple[Any, Place]]:
    key = "oneOf" if "oneOf" in schema else "anyOf"
    return [(option, (*at.get(key, place), key, index)) for index, option in enumerate(_list(schema.get(key)))]


def kinds_of(schema: Mapping[str, Any]) -> list[str]:
    """Return the JSON types that a schema allows; empty where it allows all."""
    given = schema.get("type")
    if isinstance(given, str):
        return [given]
    if isinstance(given, list):
        return [str(each) for each in cast("Sequence[Any]", given)]
    choices = [schema["const"]] if "const" in schema else _list(schema.get("enum"))
    if choices:
        return sorted({kind_of(each) for each in choices})
    return ["object"] if "properties" in schema or "allOf" in schema else ["array"] if "items" in schema else []


def _list(value: Any) -> Sequence[Any]:
    return cast("Sequence[Any]", value) if isinstance(value, list) else ()
