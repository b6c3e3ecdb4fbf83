"""Reader of OpenAPI documents: operations with their parameters, references, and ``allOf``.

Documents are somebody else's: nodes of a wrong type read as empty, and circular references end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, cast
from urllib.parse import unquote

from alyx_client.lazy_dataclasses import dataclass
from alyx_client.schema.routes import ACTIONS_BY_METHOD

__all__ = [
    "CIRCULAR",
    "OpenAPIDocument",
    "OpenAPIOperation",
    "References",
    "Schema",
    "as_list",
    "as_schema",
    "component_name",
    "component_reference",
    "is_circular",
    "json_schema",
    "merge_all_of",
    "merge_parameters",
    "pointer_steps",
    "referred_component",
]

Schema = Mapping[str, Any]
References = frozenset[str]
"""The references followed on the way to a schema, by which a circular one is recognised."""

_COMPONENTS = "#/components/schemas/"
_MAX_REFERENCES = 100  # on the way to one schema; those of real documents are followed some ten times

CIRCULAR: Schema = {"x-circular": True}
"""The schema in place of a reference that leads back to itself."""


def as_schema(node: Any) -> Schema:
    """Return a node if it is an object; otherwise an empty one."""
    # dict first: decoded JSON has no other mappings, and checks against abstract classes are slow.
    return cast("Schema", node) if isinstance(node, (dict, Mapping)) else {}


def as_list(node: Any) -> list[Any]:
    """Return the items of a node if it is an array; otherwise an empty list."""
    return [*cast("Sequence[Any]", node)] if isinstance(node, list) else []


def is_circular(schema: Schema) -> bool:
    """Return whether a resolved schema is a reference that led back to itself."""
    return "x-circular" in schema


@dataclass(frozen=True, slots=True)
class OpenAPIOperation:
    """One HTTP method on one path of a document.

    Parameters
    ----------
    method, path
        The HTTP method in capitals, and the path with its lookup keys in braces.
    spec
        The operation object.
    parameters
        The resolved parameters of the path and of the operation; the operation's own take precedence.
    """

    method: str
    path: str
    spec: Schema
    parameters: tuple[Schema, ...]


class OpenAPIDocument:
    """An OpenAPI document.

    Parameters
    ----------
    content
        The decoded document, OpenAPI 3.0 or 3.1.
    """

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.content = content
        self.paths = as_schema(content.get("paths"))

    def operations(self) -> Iterator[OpenAPIOperation]:
        """Yield the operations, sorted by path."""
        yield from self._operations

    @cached_property
    def _operations(self) -> tuple[OpenAPIOperation, ...]:
        # Read once: the key of each list is looked for among all of them.
        return tuple(self._read_operations())

    def _read_operations(self) -> Iterator[OpenAPIOperation]:
        for path in sorted(self.paths):
            if path.startswith("x-"):
                continue  # an extension, and no path
            item = self.resolve(self.paths[path])
            for method in ACTIONS_BY_METHOD:
                if method.lower() in item:
                    spec = as_schema(item[method.lower()])
                    nodes = (*as_list(item.get("parameters")), *as_list(spec.get("parameters")))
                    parameters = merge_parameters(map(self.resolve, nodes))
                    yield OpenAPIOperation(method, path, spec, parameters)

    def resolve(self, node: Any) -> Schema:
        """Return a node with its references followed and its ``allOf`` merged into it."""
        return self.resolve_within(node, frozenset())[0]

    def resolve_within(self, node: Any, followed: References) -> tuple[Schema, References]:
        """Return a node as `resolve` does, and the references followed so far.

        Parameters
        ----------
        node
            The node.
        followed
            The references on the way to it. One of them in the node is circular, and yields `CIRCULAR`.
        """
        schema = as_schema(node)
        reference = schema.get("$ref")
        if isinstance(reference, str):
            if reference in followed or len(followed) >= _MAX_REFERENCES:
                return CIRCULAR, followed
            target, followed = self.resolve_within(self.at(reference), followed | {reference})
            # OpenAPI 3.1 keeps what stands beside a reference; 3.0 ignores it, but drf-spectacular never writes it.
            schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
        if "allOf" not in schema:
            return schema, followed
        parts: list[Schema] = []
        inside = followed
        for part in as_list(schema["allOf"]):
            resolved, references = self.resolve_within(part, followed)
            parts.append(resolved)
            inside |= references
        own = {key: value for key, value in schema.items() if key != "allOf"}
        return merge_all_of((*parts, own)), inside

    def references_of(self, nodes: Iterable[Any]) -> References:
        """Return all references that are followed to read some nodes, without those in read-only fields."""
        found: set[str] = set()
        pending = [*nodes]
        while pending:
            node = pending.pop()
            if isinstance(node, list):
                pending += as_list(node)
            elif not (schema := as_schema(node)).get("readOnly"):
                reference = schema.get("$ref")
                if isinstance(reference, str) and reference not in found:
                    found.add(reference)
                    pending.append(self.at(reference))
                pending += schema.values()
        return frozenset(found)

    def dereference(self, node: Any) -> Schema:
        """Return a node with its own reference followed, and all that stands in it as it is."""
        reference = as_schema(node).get("$ref")
        return as_schema(self.at(reference)) if isinstance(reference, str) else as_schema(node)

    def at(self, reference: str) -> Any:
        """Return the node that a reference points to; None if the document has no such node."""
        if not reference.startswith("#"):
            return None
        node: Any = self.content
        for step in reference.removeprefix("#").split("/")[1:]:
            items = as_list(node)
            if items:
                node = items[int(step)] if step.isdecimal() and int(step) < len(items) else None
            else:
                # Some writers encode nothing, and a name may look like an escape.
                node = as_schema(node).get(step, as_schema(node).get(_unescaped(step)))
        return node


def merge_all_of(parts: Sequence[Schema]) -> Schema:
    """Return the schema that all parts of an ``allOf`` make together; later parts take precedence.

    Parameters
    ----------
    parts
        The resolved parts, and last what stands beside the ``allOf``.
    """
    merged: dict[str, Any] = {}
    for part in parts:
        properties = {**as_schema(merged.get("properties")), **as_schema(part.get("properties"))}
        lists = {key: [*as_list(merged.get(key)), *as_list(part.get(key))] for key in ("required", "x-sometimes")}
        merged |= part
        merged |= {key: value for key, value in (("properties", properties), *lists.items()) if value}
    return merged


def merge_parameters(parameters: Iterable[Schema]) -> tuple[Schema, ...]:
    """Return the parameters of an operation; of those with the same name and place, the last one.

    Parameters
    ----------
    parameters
        The resolved parameters of the path item, then those of the operation, which override them (OpenAPI 3.1,
        section 4.8.9).
    """
    named = [parameter for parameter in parameters if isinstance(parameter.get("name"), str)]
    by_place = {(str(parameter.get("in")), str(parameter["name"])): parameter for parameter in named}
    return tuple(by_place.values())


def referred_component(reference: object) -> str:
    """Return the name of the component that a reference leads to; empty if it leads elsewhere, or is none."""
    if not isinstance(reference, str) or not reference.startswith(_COMPONENTS):
        return ""
    return _unescaped(reference.removeprefix(_COMPONENTS))


def component_name(schema: Schema) -> str:
    """Return the name of the component that a schema refers to, also through an ``allOf`` of one; empty if none."""
    name = referred_component(schema.get("$ref"))
    if name:
        return name
    # OpenAPI 3.0 ignores keywords beside $ref, so drf-spectacular wraps the reference.
    parts = as_list(schema.get("allOf"))
    return component_name(as_schema(parts[0])) if len(parts) == 1 else ""


def json_schema(holder: Schema) -> Schema | None:
    """Return the schema of a body or a response in JSON, or else in its first media type; None if it has no content.

    Parameters
    ----------
    holder
        A resolved request body or response.
    """
    content = as_schema(holder.get("content"))
    media_type = next((name for name in content if "json" in name), next(iter(content), None))
    return None if media_type is None else as_schema(as_schema(content[media_type]).get("schema"))


def component_reference(name: str) -> str:
    """Return the reference to a component, by its name."""
    return _COMPONENTS + name.replace("~", "~0").replace("/", "~1").replace("%", "%25")


def pointer_steps(reference: str) -> tuple[str, ...]:
    """Return the steps of a reference within its document, unescaped; none if it leads to another document."""
    return tuple(map(_unescaped, reference.split("/")[1:])) if reference.startswith("#/") else ()


def _unescaped(step: str) -> str:
    """Return a step of a JSON pointer in a URL without its escapes (RFC 6901, sections 4 and 6)."""
    return unquote(step).replace("~1", "/").replace("~0", "~") if "~" in step or "%" in step else step
