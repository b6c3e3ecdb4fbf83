"""Kinds of expressions that matter to a value in them."""

from __future__ import annotations

import libcst as cst

__all__ = ["choices", "function_of_items", "is_condition", "is_empty", "is_name", "is_none_test", "target"]


def function_of_items(call: cst.Call, argument: cst.Arg) -> cst.Lambda | None:
    """Return the lambda that ``filter``, ``map``, ``sorted``, ``max`` or ``min`` calls with each item."""
    if not isinstance(call.func, cst.Name) or len(call.args) != 2 or argument.star:
        return None
    first, second = call.args
    if call.func.value in ("filter", "map"):
        function = first if argument is second else None
    elif call.func.value in ("sorted", "max", "min"):
        is_key = second.keyword is not None and second.keyword.value == "key"
        function = second if argument is first and is_key else None
    else:
        function = None
    value = function.value if function else None
    return value if isinstance(value, cst.Lambda) and len(value.params.params) == 1 else None


def target(node: cst.CSTNode) -> cst.CSTNode:
    """Return the name that an assignment assigns to."""
    return node.name if isinstance(node, cst.Param) else node


def choices(node: cst.CSTNode) -> list[cst.BaseExpression]:
    """Return the expressions whose value an expression may have."""
    if isinstance(node, cst.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, cst.BooleanOperation):
        # What is false on the left of `and` has no items and no fields.
        return [node.left, node.right] if isinstance(node.operator, cst.Or) else [node.right]
    return [argument.value for argument in node.args[1:]] if isinstance(node, cst.Call) else []


def is_empty(node: cst.BaseExpression) -> bool:
    """Return whether an expression has no items and no fields."""
    is_display = isinstance(node, cst.List | cst.Tuple) and not node.elements
    return is_display or is_name(node, "None")


def is_name(node: cst.CSTNode, name: str) -> bool:
    """Return whether a node is a certain name."""
    return isinstance(node, cst.Name) and node.value == name


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
