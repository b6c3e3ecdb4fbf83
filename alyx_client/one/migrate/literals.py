"""Literal values in source code, and whether a parameter's type accepts them."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from types import NoneType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import libcst as cst

__all__ = ["accepts", "choices_of", "text_of", "type_of"]

_CONSTANTS: dict[str, type] = {"True": bool, "False": bool, "None": NoneType}
_TYPES: dict[type[cst.CSTNode], type] = {
    cst.Integer: int,
    cst.Float: float,
    cst.List: list,
    cst.ListComp: list,
    cst.Tuple: tuple,
    cst.Dict: dict,
    cst.DictComp: dict,
    cst.Set: set,
    cst.SetComp: set,
}
# Type checkers accept int for float (PEP 484). They accept bool for both, too, but resources refuse it there.
_NUMBERS: dict[type, tuple[type, ...]] = {float: (float, int)}
_Arguments = tuple[Any, ...]


def text_of(node: cst.BaseExpression) -> str | None:
    """Return the text of a string literal; None for any other expression."""
    if isinstance(node, cst.SimpleString | cst.ConcatenatedString):
        value = node.evaluated_value
        return value if isinstance(value, str) else None
    return None


def type_of(node: cst.BaseExpression) -> type | None:
    """Return the type of a literal or display; None if it is not known before the code runs."""
    if isinstance(node, cst.FormattedString | cst.ConcatenatedString | cst.SimpleString):
        return bytes if isinstance(node, cst.SimpleString) and "b" in node.prefix.lower() else str
    if isinstance(node, cst.Name):
        return _CONSTANTS.get(node.value)
    if isinstance(node, cst.UnaryOperation):
        return bool if isinstance(node.operator, cst.Not) else type_of(node.expression)
    return _TYPES.get(type(node))


def accepts(annotation: Any, node: cst.BaseExpression) -> bool:
    """Return whether a type accepts an expression; also if its type is not known before the code runs.

    Parameters
    ----------
    annotation
        The type of a parameter or a field.
    node
        The expression.
    """
    if annotation is Any or annotation is object or type_of(node) is None:
        return True
    rule = _RULES.get(get_origin(annotation))
    return _class_accepts(annotation, node) if rule is None else rule(get_args(annotation), node)


def choices_of(annotation: Any) -> list[str]:
    """Return the texts that a type accepts, if it accepts no other text."""
    if get_origin(annotation) is Literal:
        return [value for value in get_args(annotation) if isinstance(value, str)]
    parts = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType, Annotated) else ()
    return [] if str in parts else [text for part in parts for text in choices_of(part)]


def _class_accepts(annotation: object, node: cst.BaseExpression) -> bool:
    kind = type_of(node)
    if kind is None or not isinstance(annotation, type):
        return False
    return kind in _NUMBERS.get(annotation, ()) or (issubclass(kind, annotation) and (kind, annotation) != (bool, int))


def _union_accepts(parts: _Arguments, node: cst.BaseExpression) -> bool:
    text = text_of(node)
    # Text beside a date or a time in a union is the text of one.
    if text is not None and str in parts and {datetime, date} & set(parts):
        return _is_time(text, is_date=datetime not in parts)
    return any(accepts(part, node) for part in parts)


def _literal_accepts(values: _Arguments, node: cst.BaseExpression) -> bool:
    kind = type_of(node)
    if kind is str:
        text = text_of(node)
        return text is None or text in values
    return any(type(value) is kind for value in values)


def _list_accepts(arguments: _Arguments, node: cst.BaseExpression) -> bool:
    # A tuple works where the code runs, but type checkers refuse it for a list.
    return type_of(node) is list and _sequence_accepts(arguments, node)


def _sequence_accepts(arguments: _Arguments, node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.List | cst.Tuple):
        return all(accepts(arguments[0], element.value) for element in node.elements)
    return type_of(node) is list


def _tuple_accepts(arguments: _Arguments, node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Tuple) and len(node.elements) == len(arguments)


def _mapping_accepts(_arguments: _Arguments, node: cst.BaseExpression) -> bool:
    return type_of(node) is dict


def _is_time(text: str, *, is_date: bool) -> bool:
    try:
        return bool(date.fromisoformat(text)) if is_date else datetime.fromisoformat(text).tzinfo is None
    except ValueError:
        return False


_RULES: dict[object, Callable[[_Arguments, cst.BaseExpression], bool]] = {
    Annotated: lambda arguments, node: accepts(arguments[0], node),
    Union: _union_accepts,
    types.UnionType: _union_accepts,
    Literal: _literal_accepts,
    list: _list_accepts,
    Sequence: _sequence_accepts,
    tuple: _tuple_accepts,
    dict: _mapping_accepts,
    Mapping: _mapping_accepts,
}
"""The rules for types with arguments, by the type without them."""
