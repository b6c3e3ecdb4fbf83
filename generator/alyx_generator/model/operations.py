"""Which endpoints there are: a document's paths, grouped, and what each of their operations is called."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from alyx_client.schema.openapi import as_schema
from alyx_client.schema.routes import ACTIONS_BY_METHOD, NOT_ENDPOINTS
from alyx_generator.model import naming
from alyx_generator.model.ir import AnswerKind, Finding, LookupKind
from alyx_generator.source.openapi import resolved

Find = Callable[[Finding], None]
Route = tuple[str, ...]

_OTHER_METHODS = ("head", "options", "trace")
_ALL = {"get": "read_all", "put": "bulk_update", "patch": "bulk_partial_update", "delete": "bulk_delete"}
_VERBS = {method.lower(): action for method, action in ACTIONS_BY_METHOD.items()}


@dataclass
class Operation:
    """One method on one path, and what was read of it.

    Parameters
    ----------
    path, method
        Where it is, the method in small letters.
    spec
        What the document says of it, with the path's own parameters.
    words
        For what is done to a record beyond the six actions: the fixed segments that say so.
    """

    path: str
    method: str
    spec: Mapping[str, Any]
    words: tuple[str, ...] = ()
    name: str = ""
    kind: AnswerKind = "nothing"
    answer: Mapping[str, Any] = field(default_factory=dict[str, Any])
    answer_components: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ()
    many: bool = False
    single: bool = True
    numbered: bool = False

    @property
    def key(self) -> str:
        """The key that the path ends in; empty where it ends in a word."""
        last = self.path.rstrip("/").rpartition("/")[2]
        return last[1:-1] if _is_key(last) else ""

    @property
    def parents(self) -> tuple[str, ...]:
        """The keys before the end."""
        keys = tuple(segment[1:-1] for segment in _segments(self.path) if _is_key(segment))
        return keys[:-1] if self.key else keys

    @property
    def where(self) -> str:
        """The operation as findings name it."""
        return f"{self.method.upper()} {self.path}"

    def parameters(self, kind: str) -> list[Mapping[str, Any]]:
        """Return the parameters that stand in the path, the query, a header or a cookie."""
        return [each for each in self.spec["parameters"] if each.get("in") == kind]

    def lookup_kind(self, key: str, components: Mapping[str, Any]) -> LookupKind:
        """Return what a key in the path is."""
        for parameter in self.parameters("path"):
            if parameter.get("name") == key:
                schema = resolved(parameter.get("schema", {}), components)
                if schema.get("format") == "uuid":
                    return "uuid"
                if schema.get("type") == "integer":
                    return "integer"
                if schema.get("pattern") in ("^.*$", ".*", "^.+$", ".+"):
                    return "path"
        return "text"


def grouped(
    paths: Mapping[str, Any], is_collection: Callable[[Operation], bool], find: Find
) -> dict[str, list[Operation]]:
    """Return the operations by the endpoint that they belong to.

    A path belongs to the endpoint that its words name: ``/labs/{lab}/members/{id}`` to ``labs_members``. What is done
    to a record of another endpoint, or to that endpoint as a whole, belongs to it under its last word:
    ``/sessions/{id}/lock`` and ``/sessions/summary`` are methods of ``sessions``.

    Parameters
    ----------
    paths
        The document's paths.
    is_collection
        Whether an operation answers several records, which makes its path an endpoint of its own.
    find
        Takes what a reader should know.
    """
    routes: dict[Route, list[Operation]] = {}
    for path in sorted(paths):
        for operation in _operations(path, paths[path], find):
            routes.setdefault(_route(path), []).append(operation)
    extra = {route for route, operations in routes.items() if _is_extra(route, operations, routes, is_collection)}
    groups: dict[Route, list[Operation]] = {}
    for route, operations in routes.items():
        home, words = route, list[str]()
        while home in extra:
            words.insert(0, home[-1])
            home = _above(home)
        for operation in operations:
            operation.words = tuple(words)
        groups.setdefault(home, []).extend(operations)
    names: dict[str, list[Operation]] = {}
    # Where one name is the beginning of another, the shorter path gets the plain name.
    for route, operations in sorted(groups.items(), key=lambda each: (len(each[0]), each[1][0].path)):
        plain = naming.module_name("/".join(route))
        name = naming.module_name("/".join(route), names)
        if name != plain:
            find(Finding(name, "", f"{operations[0].path} is {name}, since {plain} is another path's name already"))
        names[name] = operations
    return dict(sorted(names.items(), key=lambda each: each[1][0].path))


def _operations(path: str, item: Any, find: Find) -> list[Operation]:
    name = naming.module_name(path)
    found: list[Operation] = []
    given = as_schema(item)
    for method in (*_VERBS, *_OTHER_METHODS):
        declared = given.get(method)
        if not isinstance(declared, Mapping):
            continue
        spec = cast("Mapping[str, Any]", declared)
        reason = NOT_ENDPOINTS.get(path.rstrip("/")) or spec.get("x-alyx-skip") or _unsupported(path, method)
        if reason:
            find(Finding(name, f"{method.upper()} {path}", f"no method: {reason}"))
            continue
        parameters = _parameters(given, spec)
        found.append(Operation(path, method, {**spec, "parameters": parameters}))
    return found


def _parameters(item: Mapping[str, Any], spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return an operation's parameters, its own in place of the path's."""
    named: dict[tuple[str, str], Mapping[str, Any]] = {}
    for holder in (item, spec):
        for parameter in cast("Sequence[Any]", holder.get("parameters") or ()):
            if isinstance(parameter, Mapping) and "name" in parameter:
                each = cast("Mapping[str, Any]", parameter)
                named[str(each.get("in")), str(each["name"])] = each
    return list(named.values())


def _unsupported(path: str, method: str) -> str:
    """Return why no method can be made of an operation; empty where one can."""
    if method in _OTHER_METHODS:
        return f"{method.upper()} is not an action of this client"
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
    if len(route) < 2 or _above(route) not in routes:
        return False
    return not any(operation.key or is_collection(operation) for operation in operations)


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]


def _is_key(segment: str) -> bool:
    return bool(re.fullmatch(r"\{[^{}]+\}", segment))


def _route(path: str) -> Route:
    return _without_keys(_blank(path))


def _above(route: Route) -> Route:
    return _without_keys(route[:-1])


def _without_keys(route: Route) -> Route:
    while route and route[-1] == "{}":
        route = route[:-1]
    return route


def name_actions(endpoint: str, operations: list[Operation], find: Find) -> list[Operation]:
    """Name the operations of an endpoint and return those that become methods.

    Parameters
    ----------
    endpoint
        The endpoint's name.
    operations
        Its operations, their answers read.
    find
        Takes why an operation becomes none.
    """
    by_name: dict[str, Operation] = {}
    kept: list[Operation] = []
    methods = {path: sum(each.path == path for each in operations) for path in {each.path for each in operations}}
    for operation in sorted(operations, key=lambda each: (bool(each.words), each.path)):
        operation.name = _name(operation, alone=methods[operation.path] == 1, taken=by_name)
        other = by_name.setdefault(operation.name, operation)
        if other is operation or _is_same_with_key(other, operation):
            kept.append(operation)
        elif _differ_by_key(other, operation) and sum(each.name == operation.name for each in kept) == 1:
            bare, by_name[operation.name] = (other, operation) if operation.key else (operation, other)
            bare.name = naming.unique(_ALL[operation.method], by_name)
            by_name[bare.name] = bare
            kept.append(operation)
        else:
            find(Finding(endpoint, operation.where, f"no method: {operation.name} is {other.path} already"))
    return [operation for operation in operations if operation in kept]


def _is_same_with_key(one: Operation, other: Operation) -> bool:
    """Return whether two operations are one method whose key may be left out."""
    if bool(one.key) == bool(other.key):
        return False
    keyed, bare = (one, other) if one.key else (other, one)
    same = one.name == other.name == "read" and keyed.parents == bare.parents and not (one.bodies or other.bodies)
    filters, others = ({each["name"] for each in operation.parameters("query")} for operation in (one, other))
    same = same and (one.kind, one.answer, filters) == (other.kind, other.answer, others)
    return same and keyed.path.rstrip("/").rpartition("/")[0] == bare.path.rstrip("/")


def _differ_by_key(one: Operation, other: Operation) -> bool:
    """Return whether one of two operations of the same name acts on a record, and the other on all of them."""
    if bool(one.key) == bool(other.key) or one.method != other.method or one.method not in _ALL:
        return False
    keyed, bare = (_blank(each.path) for each in ((one, other) if one.key else (other, one)))
    return keyed == (*bare, "{}")


def _blank(path: str) -> Route:
    return tuple("{}" if _is_key(segment) else segment for segment in _segments(path))


def _name(operation: Operation, *, alone: bool, taken: Collection[str]) -> str:
    verb = _VERBS[operation.method]
    if operation.words:
        name = naming.method_name(operation.words) if alone else naming.method_name((verb, *operation.words))
        return naming.unique(name, {*taken, "list"})
    if operation.method != "get":
        return verb
    if operation.kind == "page":
        by_key = f"list_by_{naming.snake_case(operation.key)}"
        return by_key if operation.key and "list" in taken else "list"
    if operation.kind == "list" and not operation.key:
        return "list"
    return "list_page" if operation.numbered and not operation.key else verb
