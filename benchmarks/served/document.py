"""An OpenAPI document as its author meant it, read apart from the generator that is measured with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

Schema = Mapping[str, Any]

METHODS = ("get", "post", "put", "patch", "delete")
_EMPTY = ("204", "205")


@dataclass(frozen=True)
class Reply:
    """One response that an operation declares; `media_type` is empty if it has no content."""

    status: int
    media_type: str = ""
    schema: Any = None

    @property
    def is_json(self) -> bool:
        return is_json(self.media_type)


@dataclass(frozen=True)
class Operation:
    """One method on one path, its references to parameters, bodies and responses followed."""

    method: str
    path: str
    parameters: tuple[Schema, ...]
    bodies: Mapping[str, Any]
    replies: tuple[Reply, ...]

    @property
    def name(self) -> str:
        return f"{self.method.upper()} {self.path}"

    def parameters_in(self, place: str) -> list[Schema]:
        return [parameter for parameter in self.parameters if parameter.get("in") == place]


class Document:
    """A document, whose references are followed on demand.

    Parameters
    ----------
    content
        The decoded document.
    """

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.content = content

    @property
    def folder(self) -> str:
        """The path that the first server's address ends in."""
        servers = self.content.get("servers") or [{}]
        url = str(servers[0].get("url", "")) if isinstance(servers[0], Mapping) else ""
        path = re.sub(r"^([a-zA-Z][\w+.-]*:)?//[^/]*", "", url).strip("/")
        return f"/{path}" if path and "{" not in path else ""

    def at(self, reference: str) -> Any:
        """Return the node that a reference within the document leads to; an empty one if there is none."""
        node: Any = self.content
        for step in reference.removeprefix("#").split("/")[1:]:
            names = (step, unquote(step).replace("~1", "/").replace("~0", "~"))
            if isinstance(node, list):
                node = node[int(step)] if step.isdecimal() and int(step) < len(node) else {}
            else:
                node = next((node[name] for name in names if isinstance(node, Mapping) and name in node), {})
        return node

    def followed(self, node: Any, limit: int = 50) -> Any:
        """Return a node with its own reference followed; what stands beside it is added, as OpenAPI 3.1 has it."""
        while isinstance(node, Mapping) and isinstance(node.get("$ref"), str) and limit:
            target = self.at(node["$ref"])
            beside = {key: value for key, value in node.items() if key != "$ref"}
            node = {**target, **beside} if isinstance(target, Mapping) else {}
            limit -= 1
        return node

    def operations(self) -> Iterator[Operation]:
        for path, node in (self.content.get("paths") or {}).items():
            item = self.followed(node)
            for method in METHODS if isinstance(item, Mapping) else ():
                spec = item.get(method)
                if isinstance(spec, Mapping):
                    yield self._operation(method, str(path), item, spec)

    def _operation(self, method: str, path: str, item: Schema, spec: Schema) -> Operation:
        nodes = [*(item.get("parameters") or ()), *(spec.get("parameters") or ())]
        parameters = {
            (one.get("in"), one.get("name")): one for one in map(self.followed, nodes) if isinstance(one, Mapping)
        }
        body = self.followed(spec.get("requestBody")) or {}
        bodies = {name: media.get("schema", {}) for name, media in (body.get("content") or {}).items() if media}
        return Operation(method, path, tuple(parameters.values()), bodies, tuple(self._replies(spec)))

    def _replies(self, spec: Schema) -> Iterator[Reply]:
        responses = {str(code): self.followed(node) for code, node in (spec.get("responses") or {}).items()}
        codes = [code for code in responses if code.startswith("2")]
        if not codes:
            codes = ["default"] if "default" in responses else []
        for code in codes:
            status = int(code) if code.isdecimal() else 200
            content = {} if code in _EMPTY else responses[code].get("content") or {}
            named = {name.partition(";")[0].strip(): (media or {}).get("schema", {}) for name, media in content.items()}
            # A client that accepts JSON gets it; without JSON, any other type.
            preferred = [name for name in named if is_json(name)] or list(named)
            yield Reply(status, preferred[0], named[preferred[0]]) if preferred else Reply(status)


def is_json(media_type: str) -> bool:
    return media_type.endswith(("/json", "+json"))


def types_of(schema: Schema) -> list[str]:
    """Return the types that a schema allows, null left out; guessed from its other keywords if it names none."""
    kind = schema.get("type")
    if isinstance(kind, list):
        return [str(one) for one in kind if one != "null"]
    if isinstance(kind, str):
        return [] if kind == "null" else [kind]
    if "properties" in schema or "additionalProperties" in schema:
        return ["object"]
    return ["array"] if "items" in schema else []


def allows_null(schema: Schema) -> bool:
    kind = schema.get("type")
    listed: Sequence[Any] = schema.get("enum") or (None,)
    stated = schema.get("nullable") is True or kind == "null" or (isinstance(kind, list) and "null" in kind)
    return (stated and None in listed) or (stated and "enum" not in schema) or (None in (schema.get("enum") or ()))
