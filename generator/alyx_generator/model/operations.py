"""A document's operations, grouped by the endpoint that they belong to."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from alyx_client.schema.openapi import Schema, as_list, as_schema, merge_parameters
from alyx_client.schema.paging import ALYX_PAGING, Paging
from alyx_client.schema.routes import ACTIONS_BY_METHOD, NOT_ENDPOINTS
from alyx_generator.model import naming
from alyx_generator.model.ir import BodyEncoding, Finding, LookupKind, ResponseKind
from alyx_generator.source.openapi import JSONDict, Schemas, resolved

Route = tuple[str, ...]
"""The segments of a path, with ``{}`` in place of each key."""

_METHODS = tuple(method.lower() for method in ACTIONS_BY_METHOD)
_OTHER_METHODS = ("head", "options", "trace")
# Patterns that let slashes through, as Django's `path` converter does.
_PATH_PATTERNS = ("^.*$", ".*", "^.+$", ".+")


@dataclass(frozen=True)
class Operation:
    """One method on one path, and what was read of it so far.

    Parameters
    ----------
    path, method
        Its path and its method, in lower case.
    spec
        The operation object of the document, with the parameters of the path item merged in.
    words
        For actions beyond the six standard ones: the fixed segments that name the action.
    name
        The action's name; empty until `alyx_generator.model.action_names` gives it one.
    kind, response, response_components, numbered, paging, may_be_empty
        The response, as `alyx_generator.model.payloads` reads it.
    bodies, many, single, encoding
        The components that can be sent, whether a list of them and one of them can be, and how they are encoded.
    accept, json_type
        The media types of JSON in the response and in the body; empty for that of JSON itself.
    """

    path: str
    method: str
    spec: Schema
    words: tuple[str, ...] = ()
    name: str = ""
    kind: ResponseKind = "nothing"
    response: Schema = field(default_factory=JSONDict)
    response_components: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ()
    many: bool = False
    single: bool = True
    numbered: bool = False
    paging: Paging = ALYX_PAGING
    may_be_empty: bool = False
    encoding: BodyEncoding = "json"
    accept: str = ""
    json_type: str = ""

    @property
    def key(self) -> str:
        """The key that the path ends in; empty where it ends in a word."""
        last = self.path.rstrip("/").rpartition("/")[2]
        return last[1:-1] if _is_key(last) else ""

    @property
    def components(self) -> tuple[str, ...]:
        """The components that it returns and takes."""
        return (*self.response_components, *self.bodies)

    @property
    def parents(self) -> tuple[str, ...]:
        """The keys before the end."""
        keys = tuple(segment[1:-1] for segment in _segments(self.path) if _is_key(segment))
        return keys[:-1] if self.key else keys

    @property
    def where(self) -> str:
        """The operation as findings name it."""
        return f"{self.method.upper()} {self.path}"

    def parameters(self, location: str) -> list[Schema]:
        """Return the parameters in the path, the query, a header or a cookie."""
        return [parameter for parameter in self.spec["parameters"] if parameter.get("in") == location]

    def lookup_kind(self, key: str, components: Schemas) -> LookupKind:
        """Return the kind of a key in the path."""
        for parameter in self.parameters("path"):
            if parameter.get("name") == key:
                schema = resolved(parameter.get("schema", {}), components)
                if schema.get("format") == "uuid":
                    return "uuid"
                if schema.get("type") == "integer":
                    return "integer"
                if schema.get("pattern") in _PATH_PATTERNS:
                    return "path"
        return "text"


Groups = dict[str, list[Operation]]


def group_operations(paths: Schema, is_collection: Callable[[Operation], bool]) -> tuple[Groups, list[Finding]]:
    """Return the operations by the endpoint that they belong to, and the findings about those left out.

    A path belongs to the endpoint that its words name: ``/labs/{lab}/members/{id}`` to ``labs_members``. An action on a
    record of another endpoint, or on that endpoint as a whole, belongs to it under its last word:
    ``/sessions/{id}/lock`` and ``/sessions/summary`` are methods of ``sessions``.

    Parameters
    ----------
    paths
        The document's paths.
    is_collection
        Whether an operation returns several records, which makes its path an endpoint of its own.
    """
    routes: dict[Route, list[Operation]] = {}
    findings: list[Finding] = []
    for path in sorted(paths):
        if path.startswith("x-"):
            continue  # an extension, and no path
        operations, skipped = _read_path_item(path, paths[path])
        findings += skipped
        for operation in operations:
            routes.setdefault(_route(path), []).append(operation)
    # Decided for all routes first, since an extra action may stand below another one.
    extra = {route for route, operations in routes.items() if _is_extra(route, operations, routes, is_collection)}
    groups: dict[Route, list[Operation]] = {}
    for route, operations in routes.items():
        home, words = route, tuple[str, ...]()
        while home in extra:
            words = (home[-1], *words)
            home = _parent_route(home)
        groups.setdefault(home, []).extend(replace(operation, words=words) for operation in operations)
    names: Groups = {}
    # Where one name is the beginning of another, the shorter path gets the plain name.
    for route, operations in sorted(groups.items(), key=lambda group: (len(group[0]), group[1][0].path)):
        plain = naming.module_name("/".join(route))
        name = naming.module_name("/".join(route), names)
        if name != plain:
            reason = f"{operations[0].path} is {name}, since {plain} is already the name of another path"
            findings.append(Finding(name, "", reason))
        names[name] = operations
    return dict(sorted(names.items(), key=lambda group: group[1][0].path)), findings


def endpoint_of(path: str) -> str:
    """Return the name of the endpoint that a path names by itself."""
    return naming.module_name("/".join(_route(path)))


def has_same_route(keyed: Operation, bare: Operation) -> bool:
    """Return whether one path is the other one and a key."""
    return _blank(keyed.path) == (*_blank(bare.path), "{}")


def _read_path_item(path: str, node: Any) -> tuple[list[Operation], list[Finding]]:
    name = naming.module_name(path)
    item = as_schema(node)
    operations: list[Operation] = []
    findings: list[Finding] = []
    for method in (*_METHODS, *_OTHER_METHODS):
        if not isinstance(item.get(method), Mapping):
            continue
        spec = as_schema(item[method])
        parameters = map(as_schema, (*as_list(item.get("parameters")), *as_list(spec.get("parameters"))))
        reason = NOT_ENDPOINTS.get(path.rstrip("/")) or spec.get("x-alyx-skip") or _unsupported(path, method)
        if reason:
            findings.append(Finding(name, f"{method.upper()} {path}", f"no method: {reason}"))
        else:
            operations.append(Operation(path, method, {**spec, "parameters": [*merge_parameters(parameters)]}))
    return operations, findings


def _unsupported(path: str, method: str) -> str:
    """Return why no method can be generated for an operation; empty where one can."""
    if method in _OTHER_METHODS:
        return f"{method.upper()} is not an action of this client"
    if not path.startswith("/"):
        return "the path does not begin with a slash"
    # Servers and proxies resolve such segments (RFC 3986, section 5.2.4), so that another path would be reached.
    if path.startswith("//") or any(segment in (".", "..") for segment in _segments(path)):
        return "the path leads elsewhere"
    # Django allows /files/{name}.{ext}; a URL or a key could not be put into that.
    if any("{" in segment and not _is_key(segment) for segment in _segments(path)):
        return "a key is only part of a segment of the path"
    keys = [segment for segment in _segments(path) if _is_key(segment)]
    return "two keys of the path have the same name" if len(keys) != len(set(keys)) else ""


def _is_extra(
    route: Route,
    operations: list[Operation],
    routes: Collection[Route],
    is_collection: Callable[[Operation], bool],
) -> bool:
    """Return whether a path is an extra action of the endpoint above it."""
    if len(route) < 2 or _parent_route(route) not in routes:
        return False
    # A path with records of its own is an endpoint, wherever it stands.
    return not any(operation.key or is_collection(operation) for operation in operations)


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]


def _is_key(segment: str) -> bool:
    return bool(re.fullmatch(r"\{[^{}]+\}", segment))


def _route(path: str) -> Route:
    return _without_keys(_blank(path))


def _parent_route(route: Route) -> Route:
    return _without_keys(route[:-1])


def _without_keys(route: Route) -> Route:
    while route and route[-1] == "{}":
        route = route[:-1]
    return route


def _blank(path: str) -> Route:
    return tuple("{}" if _is_key(segment) else segment for segment in _segments(path))
