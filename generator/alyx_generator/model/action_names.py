"""The names of an endpoint's actions, from methods, paths and the kinds of responses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from alyx_client.schema.routes import ACTIONS_BY_METHOD
from alyx_generator.model import naming
from alyx_generator.model.ir import Finding
from alyx_generator.model.operations import Operation, has_same_route

# Names for actions on the whole collection, where an action on one record has the usual name.
_WHOLE_COLLECTION = {
    "get": "read_all",
    "put": "bulk_update",
    "patch": "bulk_partial_update",
    "delete": "bulk_delete",
}


def name_actions(endpoint: str, operations: list[Operation]) -> tuple[list[Operation], list[Finding]]:
    """Return an endpoint's operations with their names, and the findings about those that cannot become methods.

    Parameters
    ----------
    endpoint
        The endpoint's name.
    operations
        Its operations, with their responses read.
    """
    named: dict[str, list[Operation]] = {}
    findings: list[Finding] = []
    methods_of_path = Counter(operation.path for operation in operations)
    # The fewer keys a path has, the plainer its name.
    for unnamed in sorted(operations, key=lambda each: (bool(each.words), len(each.parents), each.path)):
        name = _name(unnamed, alone=methods_of_path[unnamed.path] == 1, taken=named)
        operation = replace(unnamed, name=name)
        others = named.setdefault(name, [])
        if not others or _is_optional_key(others[0], operation):
            others.append(operation)
        elif len(others) == 1 and _is_whole_collection(others[0], operation):
            keyed, bare = (operation, others[0]) if operation.key else (others[0], operation)
            named[name] = [keyed]
            bare_name = naming.unique(_WHOLE_COLLECTION[bare.method], named)
            named[bare_name] = [replace(bare, name=bare_name)]
        else:
            findings.append(Finding(endpoint, operation.where, f"no method: {name} is {others[0].path} already"))
    by_route = {(operation.path, operation.method): operation for group in named.values() for operation in group}
    routes = [(operation.path, operation.method) for operation in operations]
    return [by_route[route] for route in routes if route in by_route], findings


def _is_optional_key(one: Operation, other: Operation) -> bool:
    """Return whether two operations are one method whose key may be omitted."""
    if bool(one.key) == bool(other.key):
        return False
    keyed, bare = (one, other) if one.key else (other, one)
    same = one.name == other.name == "read" and keyed.parents == bare.parents and not (one.bodies or other.bodies)
    filters, others = ({parameter["name"] for parameter in operation.parameters("query")} for operation in (one, other))
    same = same and (one.kind, one.response, filters) == (other.kind, other.response, others)
    return same and keyed.path.rstrip("/").rpartition("/")[0] == bare.path.rstrip("/")


def _is_whole_collection(one: Operation, other: Operation) -> bool:
    """Return whether one of two operations acts on a record, and the other on the whole collection."""
    if bool(one.key) == bool(other.key) or one.method != other.method or one.method not in _WHOLE_COLLECTION:
        return False
    keyed, bare = (one, other) if one.key else (other, one)
    return has_same_route(keyed, bare)


def _name(operation: Operation, *, alone: bool, taken: Collection[str]) -> str:
    verb = ACTIONS_BY_METHOD[operation.method.upper()]
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
