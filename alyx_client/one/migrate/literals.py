"""Literal values in source code, and whether a parameter's type accepts them."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import NoneType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import libcst as cst

__all__ = ["accepts", "choices_of", "text_of", "type_of"]

_CONSTANTS: dict[str, type] = {"True": bool, "False": bool, "None": NoneType}
_NUMBERS: dict[type, tuple[type, ...]] = {float: (float, int, bool), int: (int, bool)}


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
    kinds: dict[type[cst.CSTNode], type] = {
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
    return kinds.get(type(node))


def accepts(annotation: Any, node: cst.BaseExpression) -> bool:
    """Return whether a type accepts an expression; also if its type is not known before the code runs.

    Parameters
    ----------
    annotation
        The type of a parameter or a field.
    node
        The expression.
    """
    kind = type_of(node)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if kind is None or annotation is Any or annotation is object:
        return True
    if origin is Annotated:
        return accepts(arguments[0], node)
    if origin in (Union, types.UnionType):
        text = text_of(node)
        # Text is read as a date or a time where one of these is among the types.
        if text is not None and str in arguments and {datetime, date} & set(arguments):
            return _is_time(text, is_date=datetime not in arguments)
        return any(accepts(argument, node) for argument in arguments)
    if origin is Literal:
        text = text_of(node)
        return (text in arguments or text is None) if kind is str else any(type(value) is kind for value in arguments)
    if origin is tuple:
        return isinstance(node, cst.Tuple) and len(node.elements) == len(arguments)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return kind is dict
    if isinstance(origin, type) and issubclass(origin, Sequence):
        # Fields are lists, and a tuple is none for type checkers.
        if origin is list and kind is not list:
            return False
        if not isinstance(node, cst.List | cst.Tuple):
            return kind is list
        return all(accepts(arguments[0], element.value) for element in node.elements)
    return issubclass(kind, _NUMBERS.get(annotation, (annotation,))) if isinstance(annotation, type) else False


def choices_of(annotation: Any) -> list[str]:
    """Return the texts that a type accepts, if it accepts no other text."""
    if get_origin(annotation) is Literal:
        return [value for value in get_args(annotation) if isinstance(value, str)]
    parts = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType, Annotated) else ()
    return [] if str in parts else [text for part in parts for text in choices_of(part)]


def _is_time(text: str, *, is_date: bool) -> bool:
    try:
        return bool(date.fromisoformat(text)) if is_date else datetime.fromisoformat(text).tzinfo is None
    except ValueError:
        return False
