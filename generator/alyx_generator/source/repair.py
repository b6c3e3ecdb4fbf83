"""Making the best of a document: what is malformed is left out, each place with a finding.

A malformed keyword of a schema is ignored, a reference that leads nowhere allows any value, and an operation whose
parameters, body or response cannot be read gets no method. Everything else stays.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, cast

from alyx_client.schema.openapi import as_list, as_schema, component_name
from alyx_generator.source.keywords import is_harmless, malformed_keywords
from alyx_generator.source.openapi import Document, JSONDict
from alyx_generator.source.references import UNRESOLVED

TOO_DEEP = "x-too-deep"
"""The keyword that stands in place of what nests too deeply."""

Location = tuple[str | int, ...]
Problem = tuple[Location, str]
"""A place of the document, and what is wrong there."""

_METHODS = ("get", "post", "put", "patch", "delete")
_PLACES = ("query", "header", "path", "cookie")
_NAME_MAPS = ("properties",)
_SCHEMA_LISTS = ("allOf", "oneOf", "anyOf", "prefixItems")
_SCHEMAS = ("items", "additionalProperties", "x-answered", "x-sent")
_LONGEST_CHAIN = 50


class Repair:
    """One document, and what was wrong with it.

    Parameters
    ----------
    document
        A normalised document, corrected or not; it is not changed.
    """

    def __init__(self, document: Document) -> None:
        self.document: JSONDict = copy.deepcopy(dict(document))
        self.problems: list[Problem] = []
        self.lost: dict[tuple[str, str], str] = {}
        components = self.document["components"]["schemas"]
        self._components = cast("JSONDict", components)
        for name, schema in components.items():
            components[name] = self._checked(schema, ("components", "schemas", name))
        self._cut_chains()
        for path, item in self.document["paths"].items():
            self.document["paths"][path] = self._path_item(path, item)

    def _path_item(self, path: str, item: Any) -> JSONDict:
        if not isinstance(item, Mapping):
            self.problems.append((("paths", path), "is not an object: no methods"))
            return {}
        result = dict(as_schema(item))
        if UNRESOLVED in result:
            self.problems.append((("paths", path), _nowhere(result[UNRESOLVED], "no methods")))
            return {}
        for method in _METHODS:
            if method in result:
                reasons = [*_unreadable(result, result[method])]
                if reasons:
                    self.lost[path, method] = reasons[0]
                    del result[method]
                else:
                    self._operation(as_schema(result[method]), ("paths", path, method))
        self._parameters(result, ("paths", path))
        return result

    def _operation(self, operation: Mapping[str, Any], here: Location) -> None:
        self._parameters(operation, here)
        self._contents(operation.get("requestBody"), (*here, "requestBody"))
        for status, response in as_schema(operation.get("responses")).items():
            self._contents(response, (*here, "responses", status))

    def _parameters(self, holder: Mapping[str, Any], here: Location) -> None:
        for index, parameter in enumerate(as_list(holder.get("parameters"))):
            if isinstance(parameter, dict) and "schema" in parameter:
                place = (*here, "parameters", index, "schema")
                parameter["schema"] = self._checked(cast("Any", parameter["schema"]), place)

    def _contents(self, holder: Any, here: Location) -> None:
        for media, content in as_schema(as_schema(holder).get("content")).items():
            if isinstance(content, dict) and "schema" in content:
                place = (*here, "content", media, "schema")
                content["schema"] = self._checked(cast("Any", content["schema"]), place)

    def _checked(self, root: Any, location: Location) -> Any:
        """Return a schema without what is malformed in it; its nodes are changed in place."""
        holder: dict[str | int, Any] = {0: root}
        waiting: list[tuple[Any, str | int, Location]] = [(holder, 0, location)]
        while waiting:
            outer, key, here = waiting.pop()
            outer[key] = self._node(outer[key], here)
            waiting += _inside(outer[key], here)
        return holder[0]

    def _node(self, node: Any, here: Location) -> Any:
        if node is None or isinstance(node, bool):  # true and false are schemas, too
            return {}
        if not isinstance(node, dict):
            self.problems.append((here, "is not a schema: any value is allowed"))
            return {}
        schema = cast("JSONDict", node)
        if TOO_DEEP in schema:
            self.problems.append((here, "is nested too deeply: any value is allowed"))
            return {}
        for keyword, expected in malformed_keywords(schema).items():
            value = schema.pop(keyword)
            if not is_harmless(keyword, value):
                self.problems.append(((*here, keyword), f"is not {expected}: ignored"))
        if "" in as_schema(schema.get("properties")):
            schema["properties"] = {name: field for name, field in schema["properties"].items() if name}
            self.problems.append(((*here, "properties"), "has a field without a name: ignored"))
        if _is_file(schema):
            schema.setdefault("format", "binary")
        reference = schema.get("$ref")
        if isinstance(reference, str) and component_name({"$ref": reference}) not in self._components:
            del schema["$ref"]
            self.problems.append((here, _nowhere(reference, "any value is allowed")))
        return schema

    def _cut_chains(self) -> None:
        """Cut chains of components of which each one only refers to the next."""
        lengths: dict[str, int] = {}
        for start in self._components:
            path = [start]
            while path:
                name, aliases = path[-1], self._aliases(path[-1])
                unread = [other for other in aliases if other not in lengths and other not in path]
                if unread and len(path) <= _LONGEST_CHAIN:
                    path.append(unread[0])
                    continue
                lengths[name] = 1 + max((lengths.get(other, 0) for other in aliases), default=0)
                if max(lengths[name], len(path)) > _LONGEST_CHAIN:
                    lengths[name] = 0
                    self._components[name] = {}
                    reason = f"leads through more than {_LONGEST_CHAIN} references: any value is allowed"
                    self.problems.append((("components", "schemas", name), reason))
                path.pop()

    def _aliases(self, name: str) -> list[str]:
        """Return the components without which the type of a component is unknown; fields are read separately."""
        schema = as_schema(self._components.get(name))
        waiting: list[Any] = [schema, *as_list(schema.get("allOf"))] if "properties" in schema else [schema]
        aliases: list[str] = []
        while waiting:
            part = as_schema(waiting.pop())
            if isinstance(part.get("$ref"), str):
                aliases.append(component_name({"$ref": part["$ref"]}))
            if "properties" not in part:
                waiting += [part[key] for key in _SCHEMAS if key in part]
                waiting += [inner for key in _SCHEMA_LISTS for inner in as_list(part.get(key))]
        return aliases


def _is_file(schema: Mapping[str, Any]) -> bool:
    """Return whether a schema is a file as OpenAPI 3.1 declares one: by its media type alone."""
    media = schema.get("contentMediaType")
    if schema.get("type") != "string" or not isinstance(media, str) or "contentEncoding" in schema:
        return False
    return not media.startswith("text/") and not media.endswith("json")


def _unreadable(item: Mapping[str, Any], operation: Any) -> Iterator[str]:
    """Yield the reasons for which an operation cannot become a method."""
    if not isinstance(operation, Mapping):
        yield "it is not an object"
        return
    spec = as_schema(operation)
    for holder in (item, spec):
        yield from _unreadable_parameters(holder.get("parameters"))
    yield from _unreadable_content(spec.get("requestBody"), "the body")
    responses = spec.get("responses")
    if not isinstance(responses, Mapping | None):
        yield "its responses are not an object"
    for status, response in as_schema(responses).items():
        # Errors are not typed.
        if status.startswith("2") or status == "default":
            yield from _unreadable_content(response, f"the response {status}")


def _unreadable_parameters(parameters: Any) -> Iterator[str]:
    if not isinstance(parameters, list | None):
        yield "its parameters are not a list"
    for parameter in as_list(parameters):
        schema = as_schema(parameter)
        if UNRESOLVED in schema:
            yield f"a parameter refers to {schema[UNRESOLVED]}, which the document does not contain"
        elif not isinstance(schema.get("name"), str) or schema.get("in") not in _PLACES:
            yield "a parameter lacks its name or its place"
        elif not isinstance(schema.get("style"), str | None) or not isinstance(schema.get("explode"), bool | None):
            yield f"the encoding of the parameter {schema['name']} is malformed"


def _unreadable_content(holder: Any, what: str) -> Iterator[str]:
    if holder is None:
        return
    reference = as_schema(holder).get(UNRESOLVED)
    if reference is not None:
        yield f"{what} refers to {reference}, which the document does not contain"
        return
    content = as_schema(holder).get("content")
    members = as_schema(content).values()
    if not isinstance(holder, Mapping) or not isinstance(content, Mapping | None):
        yield f"{what} is not an object"
    elif not all(isinstance(member, Mapping | None) for member in members):
        yield f"{what} is malformed: its content is not an object"


def _inside(node: Any, here: Location) -> Iterator[tuple[Any, str | int, Location]]:
    """Yield the holder, the key and the location of each schema in a schema."""
    schema = as_schema(node)
    for key in _NAME_MAPS:
        inner = schema.get(key)
        if isinstance(inner, dict):
            yield from ((inner, name, (*here, key, name)) for name in cast("JSONDict", inner))
    for key in _SCHEMA_LISTS:
        items = schema.get(key)
        if isinstance(items, list):
            yield from ((items, index, (*here, key, index)) for index in range(len(as_list(items))))
    for key in _SCHEMAS:
        if key in schema and not isinstance(schema[key], bool):
            yield node, key, (*here, key)


def _nowhere(reference: Any, consequence: str) -> str:
    return f"refers to {reference}, which the document does not contain: {consequence}"
