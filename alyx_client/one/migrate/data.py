"""Dictionaries of fields in source code: ``{"name": "x"}``, ``dict(name="x")``, and lists of them."""

from __future__ import annotations

import libcst as cst

from alyx_client.one.migrate.literals import text_of

__all__ = ["fields_of", "has_comments", "records_of"]


def fields_of(node: cst.BaseExpression) -> dict[str, cst.BaseExpression] | None:
    """Return the fields of a dictionary; None if not all of them are written out."""
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "dict":
        pairs = [(argument.keyword.value if argument.keyword else None, argument.value) for argument in node.args]
    elif isinstance(node, cst.Dict):
        pairs = [_pair(element) for element in node.elements]
    else:
        return None
    fields = {name: value for name, value in pairs if name is not None}
    # A name that occurs twice has its last value, which keywords cannot express.
    return fields if len(fields) == len(pairs) else None


def records_of(node: cst.BaseExpression) -> list[cst.BaseExpression] | None:
    """Return the elements of a list that is written out; None for any other expression."""
    if not isinstance(node, cst.List) or any(isinstance(element, cst.StarredElement) for element in node.elements):
        return None
    return [element.value for element in node.elements]


def has_comments(node: cst.CSTNode) -> bool:
    """Return whether there is a comment anywhere in a node."""
    return isinstance(node, cst.Comment) or any(map(has_comments, node.children))


def _pair(element: cst.BaseDictElement) -> tuple[str | None, cst.BaseExpression]:
    if not isinstance(element, cst.DictElement):
        return None, element.value
    spaces = (element.whitespace_before_colon, element.whitespace_after_colon)
    # Keywords have no colon, so that comments beside it would be lost.
    is_plain = not any(map(has_comments, spaces))
    return text_of(element.key) if is_plain else None, element.value
