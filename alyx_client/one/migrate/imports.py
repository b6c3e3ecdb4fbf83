"""Imports of the resources that typed calls need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import libcst as cst
from libcst.helpers import get_full_name_for_node

__all__ = ["imported_names", "with_imports"]


def imported_names(module: cst.Module, source: str) -> dict[str, str]:
    """Return the names that a module imports from another, and the names that it has for them.

    Parameters
    ----------
    module
        The module.
    source
        The name of the other one.
    """
    names: dict[str, str] = {}
    for statement in module.body:
        for alias in _aliases(statement, source):
            name = alias.evaluated_name
            names[name] = alias.evaluated_alias or name
    return names


def with_imports(module: cst.Module, source: str, names: Mapping[str, str], before: int) -> cst.Module:
    """Return a module that imports names from another.

    Parameters
    ----------
    module
        The module.
    source
        The name of the other one.
    names
        The names in the module, by the names in the other one.
    before
        The position of the first statement that needs them.
    """
    present = imported_names(module, source)
    aliases = [_alias(name, names[name]) for name in sorted(names) if present.get(name) != names[name]]
    if not aliases:
        return module
    body = list(module.body)
    for index, statement in enumerate(body[:before]):
        if _aliases(statement, source):
            body[index] = _extended(cst.ensure_type(statement, cst.SimpleStatementLine), aliases)
            return module.with_changes(body=body)
    line = cst.SimpleStatementLine([cst.ImportFrom(_dotted(source), aliases)])
    index = _end_of_imports(body, before)
    if index < len(body) and not _is_import(body[index - 1] if index else None):
        body[index] = _with_space(body[index])
    return module.with_changes(body=[*body[:index], line, *body[index:]])


def _aliases(statement: cst.CSTNode, source: str) -> Sequence[cst.ImportAlias]:
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return ()
    node = statement.body[0]
    if not isinstance(node, cst.ImportFrom) or node.relative or node.module is None:
        return ()
    is_source = get_full_name_for_node(node.module) == source
    return () if isinstance(node.names, cst.ImportStar) or not is_source else node.names


def _alias(name: str, local: str) -> cst.ImportAlias:
    return cst.ImportAlias(cst.Name(name), asname=cst.AsName(cst.Name(local)) if local != name else None)


def _extended(statement: cst.SimpleStatementLine, aliases: Sequence[cst.ImportAlias]) -> cst.SimpleStatementLine:
    node = cst.ensure_type(statement.body[0], cst.ImportFrom)
    assert not isinstance(node.names, cst.ImportStar)
    *first, last = node.names
    # The new names are on lines of their own, and end with a comma, if the present ones do.
    space = first[-1].comma if first else cst.MaybeSentinel.DEFAULT
    comma = space if isinstance(space, cst.Comma) else cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    names = [last.with_changes(comma=comma), *(alias.with_changes(comma=comma) for alias in aliases)]
    names[-1] = names[-1].with_changes(comma=last.comma)
    return statement.with_changes(body=[node.with_changes(names=[*first, *names])])


def _is_import(statement: cst.CSTNode | None) -> bool:
    return isinstance(statement, cst.SimpleStatementLine) and all(
        isinstance(node, cst.Import | cst.ImportFrom) for node in statement.body
    )


def _end_of_imports(body: Sequence[cst.BaseStatement], before: int) -> int:
    """Return the position after the first imports, or after the module's docstring."""
    start = next((index for index, statement in enumerate(body[:before]) if _is_import(statement)), None)
    if start is not None:
        return next((index for index in range(start, before) if not _is_import(body[index])), before)
    first = body[0] if body else None
    node = first.body[0] if isinstance(first, cst.SimpleStatementLine) else None
    is_text = isinstance(node, cst.Expr) and isinstance(node.value, cst.SimpleString | cst.ConcatenatedString)
    return 1 if is_text and before > 0 else 0


def _with_space(
    statement: cst.SimpleStatementLine | cst.BaseCompoundStatement,
) -> cst.SimpleStatementLine | cst.BaseCompoundStatement:
    lines = [cst.EmptyLine(indent=False), *statement.leading_lines]
    return statement if statement.leading_lines else statement.with_changes(leading_lines=lines)


def _dotted(name: str) -> cst.Attribute | cst.Name:
    first, *rest = name.split(".")
    node: cst.Attribute | cst.Name = cst.Name(first)
    for part in rest:
        node = cst.Attribute(node, cst.Name(part))
    return node
