"""No class overwrites a private name that a base class from elsewhere has, under this Python or a later one."""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib
import inspect
import pkgutil
import textwrap
import threading
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import alyx_generator

import alyx_client

_GENERATED = "alyx_client.endpoints"
# Private names of later Pythons than the oldest one, so that clashes with them show under every Python.
_LATER: dict[type, set[str]] = {
    threading.Thread: {"_after_fork", "_context", "_handle", "_os_thread_handle", "_set_os_name"},
}


@dataclass(frozen=True)
class Definition:
    """A class statement, and the module's names that its bases are written with."""

    node: ast.ClassDef
    names: Mapping[str, Any]

    def bases(self) -> tuple[type, ...]:
        expressions = [eval(ast.unparse(base), dict(self.names)) for base in self.node.bases]
        return tuple(ancestor for base in types.resolve_bases(expressions) for ancestor in base.__mro__)


Definitions = Mapping[tuple[str, str], Definition]


def test_no_class_overwrites_a_private_name_of_a_foreign_base() -> None:
    definitions = {
        (module, name): Definition(node, vars(importlib.import_module(module)))
        for module in modules()
        for name, node in class_definitions(ast.parse(inspect.getsource(importlib.import_module(module))))
    }
    assert ("alyx_client.http.connection", "LoggedURL") in definitions
    assert ("alyx_generator.probe.proposal", "_Dumper") in definitions
    assert [clash for place in definitions for clash in clashes(place, definitions)] == []


def test_overwritten_private_names_are_found() -> None:
    source = """
        class Mixin:
            def prepare(this):
                this._kwargs: dict = {}

        class Worker(Mixin, threading.Thread):
            _name = "worker"

            def __init__(self):
                self._context, self._mine = 1, 2

            def _bootstrap(self):
                pass
    """
    names: dict[str, Any] = {"threading": threading, "__name__": __name__}
    exec(textwrap.dedent(source), names)
    tree = ast.parse(textwrap.dedent(source))
    definitions = {(__name__, name): Definition(node, names) for name, node in class_definitions(tree)}
    assert clashes((__name__, "Mixin"), definitions) == []
    assert clashes((__name__, "Worker"), definitions) == [
        f"{__name__}.Worker: {name} of Thread" for name in ("_bootstrap", "_context", "_kwargs", "_name")
    ]


def modules() -> Iterator[str]:
    """Yield the modules that are written by hand."""
    for package in (alyx_client, alyx_generator):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.startswith(_GENERATED):
                yield module.name


def class_definitions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.ClassDef]]:
    """Yield the class statements under a node, those inside functions too, with their qualified names."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.expr):
            continue
        inner = prefix
        if isinstance(node, ast.ClassDef):
            yield prefix + node.name, node
            inner = f"{prefix}{node.name}."
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = f"{prefix}{node.name}.<locals>."
        yield from class_definitions(node, inner)


def clashes(place: tuple[str, str], definitions: Definitions) -> list[str]:
    """Return the private names of foreign bases that a class, or a base of ours beside them, overwrites."""
    bases = definitions[place].bases()
    ours = [definitions[key] for base in bases if (key := (base.__module__, base.__qualname__)) in definitions]
    written = {name for definition in (definitions[place], *ours) for name in written_names(definition.node)}
    return sorted(
        f"{'.'.join(place)}: {name} of {base.__name__}"
        for base in dict.fromkeys(bases)
        if (base.__module__, base.__qualname__) not in definitions and not base.__module__.startswith(_GENERATED)
        for name in written & private_names(base)
    )


@functools.cache
def private_names(base: type) -> set[str]:
    """Return the private names that a class itself uses, as far as Python can tell."""
    names = set(vars(base)) | _LATER.get(base, set())
    with contextlib.suppress(OSError, TypeError):  # a class written in C has no source
        names |= written_names(ast.parse(textwrap.dedent(inspect.getsource(base))))
    return {name for name in names if is_private(name)}


def written_names(tree: ast.AST) -> set[str]:
    """Return the names that a class body binds, and the attributes that its methods assign to their first parameter."""
    definition = next(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    names: set[str] = set()
    for statement in definition.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            names |= {statement.name} | assigned_attributes(statement)
        elif isinstance(statement, ast.ClassDef):
            names.add(statement.name)
        else:
            names |= {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and is_stored(node)}
    return names


def assigned_attributes(method: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    parameters = [*method.args.posonlyargs, *method.args.args]
    return {
        node.attr
        for node in ast.walk(method)
        if isinstance(node, ast.Attribute)
        and is_stored(node)
        and isinstance(node.value, ast.Name)
        and node.value.id in {parameter.arg for parameter in parameters[:1]}
    }


def is_stored(node: ast.Name | ast.Attribute) -> bool:
    return isinstance(node.ctx, ast.Store)


def is_private(name: str) -> bool:
    """Return whether a name is private; those of the form ``_name_`` are hooks that Enum documents."""
    return name.startswith("_") and not name.endswith("_")
