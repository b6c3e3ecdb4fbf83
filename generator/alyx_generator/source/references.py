"""References of a document: shared parts in place of references to them, and every schema in a component of its own.

Afterwards, the only references left are those to schemas of ``components.schemas``, and those that lead nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alyx_client.schema.openapi import OpenAPIDocument, as_list, as_schema, component_reference, pointer_steps
from alyx_generator.source.openapi import JSONDict

UNRESOLVED = "x-unresolved"
"""The keyword that holds a reference that leads nowhere, in place of a parameter, a body or a response."""

FILES = "x-files"
"""The section of a document that holds the other files that it refers to."""

_COMPONENTS = "#/components/schemas/"
_LONGEST = 30  # references that lead to references
# Values in documents, which may look like references.
_DATA = frozenset({"example", "examples", "default", "enum", "const", "x-files"})
_NAME_MAPS = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs", "definitions"})


class References:
    """Resolves the references of one document.

    Parameters
    ----------
    document
        The document, with ``paths`` and ``components.schemas``; it is not changed.
    """

    def __init__(self, document: JSONDict) -> None:
        self._document = OpenAPIDocument(document)
        self._schemas: JSONDict = dict(document["components"]["schemas"])
        self._names: dict[tuple[str, ...], str] = {}

    def resolve(self) -> tuple[JSONDict, JSONDict]:
        """Return the paths and the schemas of the document."""
        paths = self._part(self._document.paths, ())
        # Schemas that references lead to are added while others are read.
        finished: JSONDict = {}
        while waiting := [name for name in self._schemas if name not in finished]:
            for name in waiting:
                finished[name] = self._schema(self._schemas[name])
        return paths, finished

    def _part(self, node: Any, within: tuple[str, ...]) -> Any:
        """Return a part of a path with shared parameters, bodies and responses in place of references to them."""
        if isinstance(node, list):
            return [self._part(item, within) for item in as_list(node)]
        if not isinstance(node, Mapping):
            return node
        part = as_schema(node)
        reference = part.get("$ref")
        if isinstance(reference, str):
            target = self._document.at(reference)
            if target is None or reference in within or len(within) == _LONGEST:
                return {UNRESOLVED: reference}
            return self._part(target, (*within, reference))
        return {
            key: value if key in _DATA else self._schema(value) if key == "schema" else self._part(value, within)
            for key, value in part.items()
        }

    def _schema(self, node: Any, *, keys_are_names: bool = False) -> Any:
        """Return a schema whose references lead to components."""
        if isinstance(node, list):
            return [self._schema(item) for item in as_list(node)]
        if not isinstance(node, Mapping):
            return node
        schema = as_schema(node)
        result = {
            key: value
            if key in _DATA and not keys_are_names
            else self._schema(value, keys_are_names=key in _NAME_MAPS and not keys_are_names)
            for key, value in schema.items()
        }
        reference = schema.get("$ref")
        if isinstance(reference, str) and not keys_are_names:
            result["$ref"] = self._component(reference)
        return result

    def _component(self, reference: str) -> str:
        """Return the reference to the component that stands for the node that a reference leads to."""
        plain = reference.removeprefix(_COMPONENTS)
        if plain != reference and plain in self._schemas:
            return component_reference(plain)
        steps = pointer_steps(reference)
        # A component of its own, unless it is one or leads nowhere.
        if (len(steps) == 3 and reference.startswith(_COMPONENTS)) or not self._leads_to_schema(reference):
            return component_reference(steps[2]) if len(steps) == 3 else reference
        if steps not in self._names:
            self._names[steps] = self._free_name(steps)
            self._schemas[self._names[steps]] = self._document.at(reference)
        return component_reference(self._names[steps])

    def _leads_to_schema(self, reference: str) -> bool:
        return isinstance(self._document.at(reference), Mapping)

    def _free_name(self, steps: tuple[str, ...]) -> str:
        # The last words say what it is: properties/address/items, a file's name, the name of a shared response.
        words = [step for step in steps if step.isidentifier() and step not in ("components", "schemas", "properties")]
        name = "".join(word[:1].upper() + word[1:] for word in words[-2:]) or "Part"
        while name in self._schemas:
            name += "_"
        return name
