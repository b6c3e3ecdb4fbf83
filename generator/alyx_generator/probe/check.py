"""Comparison of values with their schemas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from alyx_client.schema.openapi import Schema, as_list, as_schema, referred_component
from alyx_generator.probe.observations import Location, Observation, Observations
from alyx_generator.probe.response_schema import ResponseSchema, mismatch
from alyx_generator.probe.values import json_type
from alyx_generator.source.openapi import Document, Schemas, nullable

_MAX_DEPTH = 40  # recursive schemas and deep JSON fields stay below Python's recursion limit


class Checker:
    """Checks values against the schemas of a document.

    Parameters
    ----------
    schemas
        The components of a corrected OpenAPI document, by name.
    observations
        Where to record what the values are.
    """

    def __init__(self, schemas: Schemas, observations: Observations) -> None:
        self._schemas = schemas
        self._observations = observations

    @classmethod
    def of_document(cls, document: Document, observations: Observations) -> Checker:
        """Return a checker for a whole document."""
        return cls(as_schema(as_schema(document.get("components")).get("schemas")), observations)

    def check(self, value: Any, schema: Schema, location: Location, depth: int = 0) -> None:
        """Check a value against the schema at a location."""
        observation = self._observe(location)
        declared = self._resolve(schema, location)
        if not declared.declares:
            # Of items that are declared as anything, the type is proposed if it is always the same.
            if location[-1:] == ("items",):
                observation.add_mismatch("undeclared")
                observation.shape.add(value, 0)
            return
        if value is None:
            self._check_null(schema, observation)
            return
        alternatives = declared.alternatives()
        if alternatives:
            self._check_alternatives(value, alternatives, observation, depth)
            return
        kind = mismatch(value, declared.keywords)
        if not kind:
            observation.valid += 1
            if depth < _MAX_DEPTH:
                self._check_content(value, declared, depth)
            return
        observation.add_mismatch(kind)
        if kind not in ("format", "enum"):
            observation.shape.add(value)

    def _tried(self, value: Any, option: tuple[Schema, Location], depth: int) -> Observations:
        """Return what would be observed if an alternative applied."""
        observations: Observations = {}
        Checker(self._schemas, observations).check(value, *option, depth)
        return observations

    def _observe(self, location: Location) -> Observation:
        observation = self._observations.setdefault(location, Observation())
        observation.checked += 1
        return observation

    def _check_null(self, schema: Schema, observation: Observation) -> None:
        if self._allows_null(schema):
            observation.valid += 1
        else:
            observation.add_mismatch("null")

    def _allows_null(self, schema: Schema, depth: int = 0) -> bool:
        # drf-spectacular declares `nullable` beside the ``allOf`` that wraps a reference.
        if nullable(ResponseSchema.of(schema, ()).keywords):
            return True
        declared = self._resolve(schema, ())
        if nullable(declared.keywords) or not declared.declares or None in as_list(declared.keywords.get("enum")):
            return True
        return depth < _MAX_DEPTH and any(self._allows_null(option, depth + 1) for option, _ in declared.alternatives())

    def _check_content(self, value: Any, declared: ResponseSchema, depth: int) -> None:
        value_type = json_type(value)
        if value_type == "array" and "items" in declared.keywords:
            items = as_schema(declared.keywords["items"])
            for item in as_list(value):
                self.check(item, items, declared.at("items"), depth + 1)
        elif value_type == "object":
            self._check_object(as_schema(value), declared, depth)

    def _check_object(self, value: Schema, declared: ResponseSchema, depth: int) -> None:
        fields = {name: (schema, location) for name, schema, location in self._fields(declared)}
        optional = self._optional_fields(declared.keywords)
        for name, (schema, location) in fields.items():
            # Fields that are only sent, such as a password, are not to be in a response.
            if name in value and schema.get("writeOnly"):
                self._observe(location).add_mismatch("write-only")
            elif name in value:
                self.check(value[name], schema, location, depth + 1)
            elif not schema.get("writeOnly"):
                observation = self._observe(location)
                if name not in optional:
                    observation.add_mismatch("absent")
        others = declared.keywords.get("additionalProperties")
        undeclared = sorted(value.keys() - fields.keys())
        if as_schema(others):
            for name in undeclared:
                self.check(value[name], as_schema(others), declared.at("additionalProperties"), depth + 1)
        # An object without declared fields is free-form; `additionalProperties: true` declares that others occur.
        elif fields and (others is None or others is False):
            self._record_extra_fields({name: value[name] for name in undeclared}, declared.location)

    def _record_extra_fields(self, fields: Schema, location: Location) -> None:
        observation = self._observations.setdefault(location, Observation())
        # A value is counted where the reference to its component stands, not at the component.
        if location[:2] == ("components", "schemas") and len(location) == 3:
            observation.checked += 1
        for name, value in fields.items():
            observation.add_extra_field(name, value)

    def _fields(
        self, declared: ResponseSchema, parents: tuple[Location, ...] = ()
    ) -> Iterator[tuple[str, Schema, Location]]:
        """Yield the fields of an object with their schemas and locations, those of its ``allOf`` first."""
        if declared.location in parents:
            return
        for index, part in enumerate(as_list(declared.keywords.get("allOf"))):
            resolved = self._resolve(as_schema(part), declared.at("allOf", index))
            yield from self._fields(resolved, (*parents, declared.location))
        for name, schema in as_schema(declared.keywords.get("properties")).items():
            yield name, as_schema(schema), declared.at("properties", name)

    def _optional_fields(self, schema: Schema, depth: int = 0) -> set[str]:
        names = {name for name in as_list(schema.get("x-sometimes")) if isinstance(name, str)}
        for part in as_list(schema.get("allOf")) if depth < _MAX_DEPTH else ():
            names |= self._optional_fields(self._resolve(as_schema(part), ()).keywords, depth + 1)
        return names

    def _resolve(self, schema: Schema, location: Location) -> ResponseSchema:
        """Follow references, also those wrapped in an ``allOf`` of one."""
        followed: set[Location] = set()
        while location not in followed:
            followed.add(location)
            declared = ResponseSchema.of(schema, location)
            name = referred_component(declared.keywords.get("$ref"))
            parts = as_list(declared.keywords.get("allOf"))
            if name:
                schema, location = as_schema(self._schemas.get(name)), ("components", "schemas", name)
            elif len(parts) == 1 and "properties" not in declared.keywords:
                schema, location = as_schema(parts[0]), declared.at("allOf", 0)
            else:
                return declared
        return ResponseSchema({}, location)

    def _check_alternatives(
        self, value: Any, options: Sequence[tuple[Schema, Location]], observation: Observation, depth: int
    ) -> None:
        if depth >= _MAX_DEPTH:
            observation.valid += 1
            return
        # Each is checked once: twice, nested alternatives would take twice as long on each level.
        tried = [self._tried(value, option, depth + 1) for option in options]
        fitting = [one for one in tried if not any(seen.contradicts for seen in one.values())]
        declared = [self._resolve(schema, ()).keywords for schema, _ in options]
        mismatches = [mismatch(value, keywords) for keywords in declared]
        same_type = [one for one, kind in zip(tried, mismatches, strict=True) if not kind]
        # If one alternative alone is an object or an array, what differs is inside it.
        if fitting or (len(same_type) == 1 and isinstance(value, dict | list)):
            observation.valid += 1
            for location, seen in (fitting or same_type)[0].items():
                self._observations.setdefault(location, Observation()).merge(seen)
        elif not {"enum", "format"}.isdisjoint(mismatches):
            observation.add_mismatch("enum")
        else:
            observation.add_mismatch(json_type(value))
            observation.shape.add(value)
