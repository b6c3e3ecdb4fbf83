"""Predicates on the expressions around a value."""

from __future__ import annotations

import libcst as cst

from alyx_client.one.migrate.calls import is_by_name
from alyx_client.one.migrate.context import Context

__all__ = [
    "choices",
    "function_name",
    "function_of_items",
    "is_condition",
    "is_empty",
    "is_none_test",
    "is_unset",
    "needs_text",
    "takes_uuid",
    "target",
]


def function_name(call: cst.CSTNode) -> str:
    """Return the name of the function that a call calls; empty for methods and for other nodes."""
    return call.func.value if isinstance(call, cst.Call) and isinstance(call.func, cst.Name) else ""


def function_of_items(call: cst.Call, argument: cst.Arg) -> cst.Lambda | None:
    """Return the lambda that ``filter``, ``map``, ``sorted``, ``max`` or ``min`` calls with each item."""
    if len(call.args) != 2 or argument.star:
        return None
    first, second = call.args
    name = function_name(call)
    is_key = second.keyword is not None and second.keyword.value == "key"
    function: cst.BaseExpression | None = None
    if name in ("filter", "map") and argument is second:
        function = first.value
    elif name in ("sorted", "max", "min") and argument is first and is_key:
        function = second.value
    return function if isinstance(function, cst.Lambda) and len(function.params.params) == 1 else None


def target(node: cst.CSTNode) -> cst.CSTNode:
    """Return the name that an assignment assigns to."""
    return node.name if isinstance(node, cst.Param) else node


def choices(node: cst.CSTNode) -> list[cst.BaseExpression]:
    """Return the expressions whose value an expression may have."""
    if isinstance(node, cst.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, cst.BooleanOperation):
        # A false value on the left of `and` has no items and no fields.
        return [node.left, node.right] if isinstance(node.operator, cst.Or) else [node.right]
    return [argument.value for argument in node.args[1:]] if isinstance(node, cst.Call) else []


def is_empty(node: cst.BaseExpression) -> bool:
    """Return whether an expression has no items and no fields."""
    is_display = isinstance(node, cst.List | cst.Tuple) and not node.elements
    return is_display or (isinstance(node, cst.Name) and node.value == "None")


def is_unset(target: cst.CSTNode, context: Context) -> bool:
    """Return whether an assignment sets its target to a value that has no items and no fields."""
    parent = context.parent(target)
    assign = context.parent(parent) if isinstance(parent, cst.AssignTarget) else parent
    return isinstance(assign, cst.Assign | cst.AnnAssign) and assign.value is not None and is_empty(assign.value)


def is_none_test(parent: cst.CSTNode) -> bool:
    """Return whether a node compares with None by identity."""
    return isinstance(parent, cst.Comparison) and all(
        isinstance(target.operator, cst.Is | cst.IsNot) for target in parent.comparisons
    )


def is_condition(node: cst.CSTNode, parent: cst.CSTNode) -> bool:
    """Return whether only the truth of a node matters."""
    if isinstance(parent, cst.UnaryOperation):
        return isinstance(parent.operator, cst.Not)
    return isinstance(parent, cst.If | cst.While | cst.IfExp | cst.Assert | cst.CompIf) and parent.test is node


def takes_uuid(parent: cst.CSTNode, context: Context) -> bool:
    """Return whether a use of a UUID makes text of it, or takes it in place of its text."""
    if isinstance(parent, cst.FormattedStringExpression):
        return parent.conversion is None and not parent.format_spec and parent.equal is None
    if not isinstance(parent, cst.Arg):
        return False
    call = context.parent(parent)
    if not isinstance(call, cst.Call) or is_by_name(call):
        return True
    name = function_name(call)
    return name == "print" or (name == "str" and len(call.args) == 1)


def needs_text(node: cst.CSTNode, parent: cst.CSTNode, context: Context) -> bool:
    """Return whether a use would fail for None in any case."""
    if isinstance(parent, cst.Subscript | cst.Attribute):
        return parent.value is node
    call = context.parent(parent) if isinstance(parent, cst.Arg) else None
    function = call.func if isinstance(call, cst.Call) else None
    return isinstance(function, cst.Attribute) and function.attr.value in ("fromisoformat", "strptime")
