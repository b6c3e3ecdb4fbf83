"""The checked document, with the corrections proposed so far."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from alyx_client.schema.openapi import Schema, as_list, as_schema, referred_component
from alyx_generator.probe.observations import Location
from alyx_generator.source.openapi import Document, Schemas
from alyx_generator.source.overlay import Correction, correct

_MAX_REFERENCES = 40
_MAX_DEPTH = 5
_FOLLOWED_OVERRIDES = frozenset({"$ref", "allOf", "enum", "format", "oneOf"})


class WorkingDocument:
    """A document to which corrections are added as they are proposed, so that later ones build on them.

    Parameters
    ----------
    document
        The document that was checked.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._schemas = _components(document)
        self._sent = _sent_components(document)

    def apply(self, corrections: Collection[Correction]) -> None:
        """Apply proposed corrections."""
        if corrections:
            self._document = correct(self._document, tuple(corrections), strict=False).document
            self._schemas = _components(self._document)

    def at(self, location: Location) -> Schema:
        """Return the schema at a location; empty if there is none."""
        return schema_at(self._document, location)

    def is_sent(self, location: Location) -> bool:
        """Return whether the schema at a location also describes request bodies."""
        # Inline schemas of responses and overrides in ``x-answered`` describe responses only.
        if location[:2] != ("components", "schemas") or location[2] not in self._sent or "x-answered" in location:
            return False
        return not any(
            self.at(location[: end + 1]).get("readOnly")
            for end in range(3, len(location))
            if location[end - 1] == "properties"
        )

    def resolve(self, location: Location) -> tuple[Location, Schema]:
        """Follow the references at a location, and return the schema they lead to with its location."""
        schema = self.at(location)
        for _ in range(_MAX_REFERENCES):
            overrides = as_schema(schema.get("x-answered"))
            if not _FOLLOWED_OVERRIDES.isdisjoint(overrides):
                schema, location = overrides, (*location, "x-answered")
            name = referred_component(schema.get("$ref"))
            parts = as_list(schema.get("allOf"))
            if name:
                location, schema = ("components", "schemas", name), as_schema(self._schemas.get(name))
            elif len(parts) == 1:
                location, schema = (*location, "allOf", 0), as_schema(parts[0])
            else:
                break
        return location, schema

    def leaves(self, schema: Schema, depth: int = 0) -> Iterator[Schema]:
        """Yield the schemas that alternatives, parts and references of a schema lead to."""
        parts = [as_schema(part) for key in ("oneOf", "anyOf", "allOf") for part in as_list(schema.get(key))]
        name = referred_component(schema.get("$ref"))
        if name:
            parts.append(as_schema(self._schemas.get(name)))
        if not parts:
            yield schema
        for part in parts if depth < _MAX_DEPTH else ():
            yield from self.leaves(part, depth + 1)


def schema_at(document: Document, location: Location) -> Schema:
    """Return the schema at a location of a document; empty if there is none."""
    node: Any = document
    for step in location:
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            return {}
    return as_schema(node)


def _components(document: Document) -> Schemas:
    return as_schema(as_schema(document.get("components")).get("schemas"))


def _sent_components(document: Document) -> set[str]:
    """Return the components that request bodies refer to, directly or through others."""
    schemas = _components(document)
    names: set[str] = set()
    nodes = [
        as_schema(operation).get("requestBody")
        for item in as_schema(document.get("paths")).values()
        for operation in as_schema(item).values()
    ]
    while nodes:
        node = nodes.pop()
        name = referred_component(as_schema(node).get("$ref"))
        if name and name not in names:
            names.add(name)
            nodes.append(schemas.get(name))
        nodes += [*as_list(node), *as_schema(node).values()]
    return names
