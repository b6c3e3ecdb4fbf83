"""Dictionaries that are assigned to a variable and used once, as the data of a call."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import libcst as cst

from alyx_client.one.migrate.context import Context

__all__ = ["dictionary_of"]


def dictionary_of(name: cst.Name, context: Context) -> cst.Dict | None:
    """Return the dictionary that a variable holds, if it is written out and this is its only use; else None.

    Parameters
    ----------
    name
        The variable, where it is used.
    context
        Its surroundings.
    """
    assignments = context.assignments_read_by(name)
    if not assignments or any(not isinstance(assignment.node, cst.Name) for assignment in assignments):
        return None
    uses = {access.node for assignment in assignments for access in assignment.references}
    if len(assignments) == 1 and uses == {name}:
        return _assigned_once(assignments[0].node, name, context)
    return _assigned_for_each(uses, name, context)


def _assigned_once(target: cst.CSTNode, name: cst.Name, context: Context) -> cst.Dict | None:
    """Return the dictionary that is assigned to a variable with one assignment and one use."""
    statement = next((node for node in context.ancestors(target) if isinstance(node, cst.SimpleStatementLine)), None)
    is_before = statement is not None and _comes_before(statement, name, context)
    return _dictionary(statement, name.value) if is_before else None


def _assigned_for_each(uses: Collection[cst.CSTNode], name: cst.Name, context: Context) -> cst.Dict | None:
    """Return the dictionary that the statement before a use assigns, if each use has such a statement of its own."""
    statements = [_previous(use, name.value, context) for use in uses]
    if None in statements or len({id(statement) for statement in statements}) < len(uses):
        return None
    return _dictionary(_previous(name, name.value, context), name.value)


def _previous(use: cst.CSTNode, name: str, context: Context) -> cst.CSTNode | None:
    """Return the statement before the one of a use, if it assigns to the variable."""
    for statement in context.ancestors(use):
        if isinstance(statement, cst.SimpleStatementLine):
            body = _body(context.parent(statement))
            index = body.index(statement)
            before = body[index - 1] if index else None
            return before if _value(before, name) is not None else None
        if isinstance(statement, cst.BaseCompoundStatement):
            break
    return None


def _comes_before(statement: cst.SimpleStatementLine, use: cst.Name, context: Context) -> bool:
    body = _body(context.parent(statement))
    for node in context.ancestors(use):
        if isinstance(node, cst.FunctionDef | cst.Lambda):
            return False
        if isinstance(node, cst.BaseStatement) and node in body:
            return body.index(statement) < body.index(node)
    return False


def _body(block: cst.CSTNode) -> Sequence[cst.BaseStatement]:
    return [item for item in block.children if isinstance(item, cst.BaseStatement)]


def _value(statement: cst.CSTNode | None, name: str) -> cst.BaseExpression | None:
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return None
    assign = statement.body[0]
    if not isinstance(assign, cst.Assign) or len(assign.targets) != 1:
        return None
    target = assign.targets[0].target
    return assign.value if isinstance(target, cst.Name) and target.value == name else None


def _dictionary(statement: cst.CSTNode | None, name: str) -> cst.Dict | None:
    value = _value(statement, name)
    return value if isinstance(value, cst.Dict) else None
