"""Recognition of what is Alyx's in a document: any server may have a ``Task``, a ``Note`` or ``/users``.

A component is Alyx's if its fields are those of a shipped snapshot and if a path uses it that uses it there, too. A
path is Alyx's if the components that it uses are.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from alyx_client.schema.openapi import Schema, as_list, as_schema
from alyx_client.schema.routes import NOT_ENDPOINTS
from alyx_generator.source.openapi import Document
from alyx_generator.source.paths import snapshots

Location = tuple[int | str, ...]

_COMPONENTS = "#/components/schemas/"
# Between the snapshots of two versions, components have the same fields; a lab may add some. A note of a to-do list has
# an image, a text and a user, too.
_ALIKE = 0.75
_PLACE = 2  # the first steps of a location that name a path or a kind of component


class AlyxParts:
    """The parts of one document that are Alyx's.

    Parameters
    ----------
    document
        A normalised document, before any correction.
    references
        Documents of Alyx; by default the shipped snapshots.
    """

    def __init__(self, document: Document, references: Iterable[Document] | None = None) -> None:
        outlines = _shipped_outlines() if references is None else [Outline(one) for one in references]
        own = Outline(document)
        best = max(outlines, key=lambda outline: len(own.components_shared_with(outline)), default=Outline({}))
        self._names = own.names
        components = own.components_shared_with(best)
        fitting = {path for path, used in own.uses.items() if path in best.uses and used & components}
        # Components fit by chance where an application is small: most of its paths, or most of Alyx's, have to fit.
        self.is_alyx = 2 * len(fitting) > min(len(own.uses), len(best.uses))
        self._components = components if self.is_alyx else set[str]()
        # A path without components can be recognised by the rest of the document only.
        undecided = {path for path in own.uses.keys() & best.uses.keys() if not own.uses[path] & best.names}
        self._alien = own.uses.keys() - fitting - undecided

    def has_path(self, path: str) -> bool:
        """Return whether a path, and what it takes and returns, is Alyx's."""
        return self.is_alyx and path not in self._alien

    def has_component(self, name: str) -> bool:
        """Return whether a component is Alyx's; those that corrections add to Alyx's document are."""
        return name in self._components or (self.is_alyx and name not in self._names)

    def has(self, location: Location) -> bool:
        """Return whether a node of the document is Alyx's.

        Parameters
        ----------
        location
            The keys and indices that lead to the node.
        """
        if location[:1] == ("paths",) and len(location) >= _PLACE:
            return self.has_path(str(location[1]))
        if location[:_PLACE] == ("components", "schemas") and len(location) > _PLACE:
            return self.has_component(str(location[2]))
        return self.is_alyx


class Outline:
    """The components of a document with their fields, and the components that each path uses.

    Parameters
    ----------
    document
        A normalised document.
    """

    def __init__(self, document: Document) -> None:
        schemas = as_schema(as_schema(document.get("components")).get("schemas"))
        self.components = {str(name): _fields(schema) for name, schema in schemas.items()}
        self.names = self.components.keys()
        self._inner = {str(name): {*_references(schema)} for name, schema in schemas.items()}
        self.uses = {
            str(path): self._reached(_references(item))
            for path, item in as_schema(document.get("paths")).items()
            # Every application of Django REST framework may have these.
            if path.rstrip("/") not in NOT_ENDPOINTS
        }
        self._users: dict[str, set[str]] = {}
        for path, used in self.uses.items():
            for name in used:
                self._users.setdefault(name, set()).add(path)

    def users(self, component: str) -> set[str]:
        """Return the paths that use a component, directly or within others."""
        return self._users.get(component, set[str]())

    def components_shared_with(self, other: Outline) -> set[str]:
        """Return the components that have the same name, alike fields, and a path in common that uses them."""
        return {
            name
            for name in self.names & other.names
            if _are_alike(self.components[name], other.components[name])
            and not self.users(name).isdisjoint(other.users(name))
            and self._rows_are_alike(name, other)
        }

    def _rows_are_alike(self, name: str, other: Outline) -> bool:
        # The page of any list has the same fields: its rows say whose it is.
        rows = self._inner[name] & other._inner[name] if "results" in self.components[name] else set[str]()
        return all(_are_alike(self.components.get(row, ()), other.components.get(row, ())) for row in rows)

    def _reached(self, names: Iterable[str]) -> set[str]:
        reached: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting += self._inner.get(name, ())
        return reached


def _fields(schema: Any) -> frozenset[str]:
    """Return the names of a component's fields; of one without fields, its values or its own text."""
    properties = as_schema(as_schema(schema).get("properties"))
    if properties:
        return frozenset(map(str, properties))
    values = as_list(as_schema(schema).get("enum"))
    return frozenset(map(str, values)) or frozenset({json.dumps(schema, sort_keys=True, default=str)})


def _are_alike(one: Collection[str], other: Collection[str]) -> bool:
    shared, both = {*one} & {*other}, {*one} | {*other}
    return bool(both) and len(shared) >= _ALIKE * len(both)


def _references(node: Any) -> Iterator[str]:
    """Yield the components that a part of a document refers to, at any depth."""
    waiting = [node]
    while waiting:
        schema = waiting.pop()
        if isinstance(schema, list):
            waiting += as_list(schema)
            continue
        reference = as_schema(schema).get("$ref")
        if isinstance(reference, str) and reference.startswith(_COMPONENTS):
            yield reference.removeprefix(_COMPONENTS)
        waiting += as_schema(schema).values()


@cache
def _shipped_outlines() -> list[Outline]:
    return [Outline(_read(name)) for name in snapshots() if name != "shipped"]


def _read(name: str) -> Mapping[str, Any]:
    document: Schema = json.loads(snapshots()[name].read_text(encoding="utf-8"))
    return document
