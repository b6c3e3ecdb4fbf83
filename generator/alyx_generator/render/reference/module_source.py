"""Signatures, fields and docstrings of a generated module, read from its source."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from alyx_generator.render.reference.docstrings import Documentation, read_docstring

__all__ = ["ClassField", "MethodSource", "ModuleSource", "read_module"]


@dataclass(frozen=True)
class ClassField:
    """A field of a generated class: its annotation, and its documentation."""

    annotation: str
    doc: str = ""


@dataclass(frozen=True)
class MethodSource:
    """A method of a generated endpoint: its parameters and result as they stand in the code, and its docstring."""

    signature: str
    annotations: Mapping[str, str]
    docs: Documentation


@dataclass(frozen=True)
class ModuleSource:
    """What a page shows of a generated module.

    Parameters
    ----------
    fields
        The fields of each model, by class and attribute.
    docs
        The documentation of each class.
    methods
        The methods of the endpoint's class, by name.
    """

    fields: Mapping[str, Mapping[str, ClassField]]
    docs: Mapping[str, str]
    methods: Mapping[str, MethodSource]


def read_module(source: str, endpoint_class: str) -> ModuleSource:
    """Return what a page shows of a module.

    Parameters
    ----------
    source
        The source of a generated module.
    endpoint_class
        The name of the class of its endpoint.
    """
    lines = source.splitlines()
    classes = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}
    methods = {
        node.name: MethodSource(
            _signature(node, lines),
            {one.arg: ast.unparse(one.annotation) for one in _arguments(node) if one.annotation},
            read_docstring(ast.get_docstring(node) or ""),
        )
        for node in classes[endpoint_class].body
        # Of overloads, the last one is the method itself.
        if isinstance(node, ast.FunctionDef) and node.name != "fields"
    }
    return ModuleSource(
        {name: dict(_fields(node)) for name, node in classes.items()},
        {name: ast.get_docstring(node) or "" for name, node in classes.items()},
        methods,
    )


def _arguments(node: ast.FunctionDef) -> list[ast.arg]:
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]


def _signature(node: ast.FunctionDef, lines: list[str]) -> str:
    """Return the head of a function as it stands in the source, without ``self`` and what only generated code needs."""
    head = textwrap.dedent("\n".join(lines[node.lineno - 1 : node.body[0].lineno - 1])).removesuffix(":")
    # Of the class's own method called `list`, the built-in one has its full name.
    head = re.sub(r"\bbuiltins\.", "", head).removeprefix("def ")
    # A line that `self` leaves empty has a comma only.
    return re.sub(r"(?m)^\s*self,\n", "", re.sub(r"\(self(?:, )?", "(", head))


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, ClassField]]:
    following = [*node.body[1:], None]
    for statement, after in zip(node.body, following, strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            annotation = ast.unparse(statement.annotation)
            if not annotation.startswith("ClassVar"):
                yield statement.target.id, ClassField(annotation, _doc(after))


def _doc(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return " ".join(node.value.value.split())
    return ""
