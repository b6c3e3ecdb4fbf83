"""Conditions of ``--where``: expressions in Python's syntax over the typed fields of an endpoint.

The text is parsed, never evaluated: names are fields, and what can be called are the comparisons of fields and the
constructors of dates and times.
"""

from __future__ import annotations

import ast
import datetime as dt
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from inspect import signature
from typing import Any, TypeGuard
from uuid import UUID

from alyx_client.cli.usage_error import UsageError
from alyx_client.config.tables import is_list
from alyx_client.runtime.query import Condition, DateField, DateTimeField, DurationField, Field, TimeField

__all__ = ["parse_condition"]

_MAX_LENGTH = 20_000
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda field, values: field.in_(values),
    ast.NotIn: lambda field, values: ~field.in_(values),
}
_REVERSED: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.Eq,
    ast.NotEq: ast.NotEq,
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
}
_FUNCTIONS: Mapping[str, Callable[..., object]] = {
    "date": lambda *parts: dt.date.fromisoformat(*parts) if _is_text(parts) else dt.date(*parts),
    "datetime": lambda *parts: dt.datetime.fromisoformat(*parts) if _is_text(parts) else dt.datetime(*parts),
    "time": lambda *parts: dt.time.fromisoformat(*parts) if _is_text(parts) else dt.time(*parts),
    "timedelta": dt.timedelta,
    "UUID": UUID,
}
_PARSERS: tuple[tuple[type[Field[Any, Any]], Callable[[str], object], str], ...] = (
    (DateTimeField, dt.datetime.fromisoformat, "a date-time, as in '2026-01-31 12:00'"),
    (DateField, dt.date.fromisoformat, "a date, as in '2026-01-31'"),
    (TimeField, dt.time.fromisoformat, "a time, as in '12:00'"),
)
_PRECEDENCE = "put brackets around each comparison beside & and ~, or write 'and' and 'not'"
_NO_OR = (
    "Alyx's filter cannot express 'or'. For values of one field, write field.in_([...]); otherwise list each condition "
    "by itself"
)
_FIELD_OBJECT = re.compile(r"<\w+ (\S+) of \w+>")
# Texts in quotes come first, so that dates in them are left alone.
_BARE_DATE = re.compile(
    r"""'[^']*'|"[^"]*"|(?<![\w.:-])(\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?)(?![\w.:-])"""
)


def parse_condition(text: str, fields: Any) -> Condition[Any]:
    """Return the condition that an expression describes.

    Parameters
    ----------
    text
        The expression, as in ``number > 1 and subject.nickname.icontains('KS')``.
    fields
        The fields of the endpoint's records, ``client.sessions.fields``.

    Raises
    ------
    UsageError
        It is no expression, has an unknown field, or cannot be expressed in Alyx's query language.
    """
    if len(text) > _MAX_LENGTH:
        raise UsageError(f"--where: the expression has more than {_MAX_LENGTH} characters")
    try:
        tree = ast.parse(_BARE_DATE.sub(_quote, text).strip(), mode="eval")
        value = _Reader(fields).read(tree.body)
    except UsageError as error:
        raise UsageError(f"--where: {_in_words(error)}") from None
    except SyntaxError as error:
        place = f" at character {error.offset}" if error.offset else ""
        raise UsageError(f"--where: this is no expression{place} ({error.msg}): {text}") from None
    except (RecursionError, MemoryError):
        raise UsageError("--where: the expression is nested too deeply") from None
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UsageError(f"--where: {_in_words(error)}") from None
    if not _is_condition(value):
        raise UsageError(f"--where: this compares nothing: {text}. Write a comparison, as in number > 1")
    return value


def _in_words(error: Exception) -> str:
    """Return an error without the objects of Python that it names."""
    text = _FIELD_OBJECT.sub(r"\1", str(error))
    return text.replace("pass its .date()", "write it as 2026-01-31, without the time")


class _Reader:
    """Turns the nodes of an expression into fields, values and conditions."""

    def __init__(self, fields: Any) -> None:
        self._fields = fields

    def read(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=value) if isinstance(value, str | int | float | bool | None):
                return value
            case ast.Name(id=name):
                return self._attribute(self._fields, name)
            case ast.Attribute(value=owner, attr=name):
                return self._attribute(self._field(owner), name)
            case ast.Subscript(value=owner, slice=key):
                return self._field(owner)[self.read(key)]
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return [self.read(item) for item in items]
            case ast.Compare():
                return self._compare(node)
            case ast.BoolOp(op=ast.And(), values=values):
                return self._join(values)
            case ast.BinOp(left=left, op=ast.BitAnd(), right=right):
                return self._join((left, right))
            case ast.BoolOp() | ast.BinOp(op=ast.BitOr()):
                raise UsageError(_NO_OR)
            case ast.UnaryOp(op=ast.Invert() | ast.Not(), operand=operand):
                return ~self._condition(operand)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return -number
            case ast.Call():
                return self._call(node)
            case _:
                pass
        raise UsageError(f"{ast.unparse(node)!r} is not part of such expressions")

    def _attribute(self, owner: Any, name: str) -> Any:
        if name.startswith("_"):
            raise UsageError(f"there is no field {name!r}")
        try:
            value = getattr(owner, name)
        except AttributeError as error:
            raise UsageError(f"there is no field {name!r}. {str(error).partition('. ')[2]}".rstrip()) from None
        # Methods are called, and nothing else is done with them.
        if callable(value) or not _is_field(value):
            raise UsageError(f"{name} is a comparison; write {name}(...)")
        return value

    def _field(self, node: ast.expr) -> Any:
        value = self.read(node)
        if not _is_field(value):
            raise UsageError(f"{ast.unparse(node)} is no field")
        return value

    def _condition(self, node: ast.expr) -> Any:
        value = self.read(node)
        if not _is_condition(value):
            raise UsageError(f"{ast.unparse(node)!r} compares nothing; {_PRECEDENCE}")
        return value

    def _join(self, nodes: Iterable[ast.expr]) -> Any:
        return reduce(_both, [self._condition(node) for node in nodes])

    def _compare(self, node: ast.Compare) -> Any:
        sides = [self.read(side) for side in (node.left, *node.comparators)]
        pairs = zip(sides, node.ops, sides[1:], strict=False)
        return reduce(_both, [self._comparison(*pair) for pair in pairs])

    def _comparison(self, left: Any, comparison: ast.cmpop, right: Any) -> Any:
        kind = type(comparison)
        if not _is_field(left) and _is_field(right) and kind in _REVERSED:
            left, kind, right = right, _REVERSED[kind], left
        if not _is_field(left):
            raise UsageError(f"one side of a comparison is a field; for several, {_PRECEDENCE}")
        if _is_field(right):
            raise UsageError("a field is compared with values, not with another field; is text without quotes meant?")
        if kind in (ast.Is, ast.IsNot) or (right is None and kind in (ast.Eq, ast.NotEq)):
            if right is not None:
                raise UsageError("only None is compared by 'is'")
            return left.is_null(kind in (ast.Is, ast.Eq))
        try:
            return _COMPARISONS[kind](left, _coerced(left, right))
        except TypeError as error:
            if "not supported between" not in str(error):
                raise
            raise UsageError(f"{left!r} has no order: compare one of its fields, or write == or !=") from None

    def _call(self, node: ast.Call) -> Any:
        arguments = [self.read(argument) for argument in node.args]
        named = {one.arg: self.read(one.value) for one in node.keywords if one.arg is not None}
        if len(named) != len(node.keywords):
            raise UsageError("** is not part of such expressions")
        if isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
            return _FUNCTIONS[node.func.id](*arguments, **named)
        if not isinstance(node.func, ast.Attribute):
            raise UsageError(f"{ast.unparse(node.func)} cannot be called; there are {', '.join(_FUNCTIONS)}")
        field, name = self._field(node.func.value), node.func.attr
        method = None if name.startswith("_") else self._comparison_method(field, name)
        if not callable(method) or _is_field(method):
            raise UsageError(f"{name} is a field, which cannot be called")
        try:
            signature(method).bind(*arguments, **named)
        except TypeError:
            takes = ", ".join(signature(method).parameters)
            raise UsageError(f"{ast.unparse(node)} has wrong values: write {name}({takes})") from None
        return method(*[_coerced(field, argument) for argument in arguments], **named)

    def _comparison_method(self, field: Any, name: str) -> Any:
        try:
            return getattr(field, name)
        except AttributeError as error:
            known = str(error).partition(". ")[2]
            raise UsageError(f"there is no comparison {name!r}. {known}".rstrip()) from None


def _coerced(field: Field[Any, Any], value: Any) -> Any:
    """Return a text as the date or time that the field is compared with."""
    if is_list(value):
        return [_coerced(field, one) for one in value]
    if not isinstance(value, str):
        return value
    for kind, parse, words in _PARSERS:
        if isinstance(field, kind):
            try:
                return parse(value)
            except ValueError:
                raise UsageError(f"{field!r} takes {words}, not {value!r}") from None
    if isinstance(field, DurationField):
        raise UsageError(f"{field!r} takes a duration, as in timedelta(minutes=5), not {value!r}")
    return value


def _is_field(value: object) -> TypeGuard[Field[Any, Any]]:
    return isinstance(value, Field)


def _is_condition(value: object) -> TypeGuard[Condition[Any]]:
    return isinstance(value, Condition)


def _both(left: Any, right: Any) -> Any:
    return left & right


def _is_text(parts: Sequence[object]) -> bool:
    return len(parts) == 1 and isinstance(parts[0], str)


def _quote(match: re.Match[str]) -> str:
    return repr(match[1]) if match[1] else match[0]
