"""Writes typed calls in place of calls by name, with the formatting of the code around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import libcst as cst

from alyx_client.lazy_dataclasses import dataclass
from alyx_client.one.migrate.blocks import Block
from alyx_client.one.migrate.context import Context
from alyx_client.one.migrate.layout import Shift, align_comma, moved
from alyx_client.one.migrate.literals import text_of
from alyx_client.one.migrate.typed import Part, TypedCall

__all__ = ["Changes", "rewrite"]

_NO_SPACE = cst.SimpleWhitespace("")
_COMMA = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
_EQUAL = cst.AssignEqual(whitespace_before=_NO_SPACE, whitespace_after=_NO_SPACE)


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes to a module.

    Parameters
    ----------
    calls
        The typed calls, by the calls by name.
    texts
        The functions that convert values to text, by the expressions that have these values.
    blocks
        The blocks around statements, by statement.
    models
        The names that the module has for resources, by the names of their classes.
    """

    calls: Mapping[cst.CSTNode, TypedCall]
    texts: Mapping[cst.CSTNode, str]
    blocks: Mapping[cst.CSTNode, Block]
    models: Mapping[str, str]


def rewrite(changes: Changes, context: Context) -> cst.Module:
    """Return the module with changes.

    Parameters
    ----------
    changes
        The changes.
    context
        The module.
    """
    return context.module.visit(_Rewriter(changes, context))


class _Rewriter(cst.CSTTransformer):
    def __init__(self, changes: Changes, context: Context) -> None:
        super().__init__()
        self._changes = changes
        self._context = context
        self._read_all = {
            typed.call.node
            for block in changes.blocks.values()
            for typed in changes.calls.values()
            if block.reads_all and typed.no_cache and typed.result.name == "rows" and self._is_in(typed, block)
        }

    def _is_in(self, typed: TypedCall, block: Block) -> bool:
        return any(node is block.statement for node in self._context.ancestors(typed.call.node))

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:  # noqa: N802
        typed = self._changes.calls.get(original_node)
        result: cst.BaseExpression = updated_node if typed is None else self._typed_call(typed, updated_node)
        if original_node in self._read_all:
            result = _call("list", result)
        return self._as_text(original_node, result)

    def leave_Subscript(  # noqa: N802
        self, original_node: cst.Subscript, updated_node: cst.Subscript
    ) -> cst.BaseExpression:
        return self._as_text(original_node, updated_node)

    def leave_Dict(self, original_node: cst.Dict, updated_node: cst.Dict) -> cst.BaseExpression:  # noqa: N802
        source = next((typed for typed in self._changes.calls.values() if typed.source is original_node), None)
        if source is None:
            return updated_node
        names = next(part.names for part in source.parts if part.form == "variable")
        return self._resource(updated_node, names or {}, source.model, self._column(original_node))

    def _as_text(self, node: cst.CSTNode, updated: cst.BaseExpression) -> cst.BaseExpression:
        function = self._changes.texts.get(node)
        if function == "isoformat":
            return cst.Call(cst.Attribute(updated, cst.Name("isoformat")))
        return updated if function is None else _call(function, updated)

    def leave_SimpleStatementLine(  # noqa: N802
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.BaseStatement:
        block = self._changes.blocks.get(original_node)
        if block is None:
            return updated_node
        client = cst.Call(cst.Attribute(block.receiver, cst.Name("cache_disabled")))
        return cst.With(
            items=[cst.WithItem(client)],
            body=cst.IndentedBlock([updated_node.with_changes(leading_lines=[])]),
            leading_lines=updated_node.leading_lines,
        )

    def _typed_call(self, typed: TypedCall, node: cst.Call) -> cst.Call:
        func = cst.ensure_type(node.func, cst.Attribute)
        endpoint = cst.Attribute(func.value, cst.Name(typed.call.endpoint.attribute), dot=func.dot)
        before = node.whitespace_before_args
        opening = self._opening(typed)
        arguments: list[cst.Arg] = []
        for part in typed.parts:
            written = self._arguments(part, typed, node, is_first=not arguments)
            lead = self._lead(part, node)
            if lead is not None and not arguments:
                before = lead
            elif lead is not None:
                arguments[-1] = arguments[-1].with_changes(comma=cst.Comma(whitespace_after=lead))
            arguments += [align_comma(argument, opening) for argument in written]
        ends = bool(typed.parts) and typed.parts[-1].index == len(node.args) - 1
        arguments = _with_commas(arguments, None if ends else node.args[-1])
        new = cst.Attribute(endpoint, cst.Name(typed.call.action))
        before = before if arguments else _NO_SPACE
        return node.with_changes(func=new, args=arguments, whitespace_before_args=before)

    def _arguments(self, part: Part, typed: TypedCall, node: cst.Call, *, is_first: bool) -> list[cst.Arg]:
        if part.index is None:
            return [_added_argument(part)]
        argument, original = node.args[part.index], typed.call.node.args[part.index]
        keyword = cst.Name(part.keyword) if part.keyword else None
        start = self._column(original if keyword else original.value)
        # The first argument of a call without a line break after its parenthesis starts at another column.
        is_first = is_first and not isinstance(node.whitespace_before_args, cst.ParenthesizedWhitespace)
        target = self._opening(typed).new if is_first else start
        if part.form == "fields":
            return self._field_arguments(part, typed, argument, original, target)
        value = argument.value
        if part.form == "tuple":
            value = _tuple(cst.ensure_type(value, cst.List))
        elif part.form in ("model", "models"):
            start = self._column(original.value)
            value = self._resource(value, part.names or {}, typed.model, start)
        equal = argument.equal if keyword else cst.MaybeSentinel.DEFAULT
        return [argument.with_changes(value=moved(value, Shift(start, target)), keyword=keyword, equal=equal)]

    def _field_arguments(
        self, part: Part, typed: TypedCall, argument: cst.Arg, original: cst.Arg, target: int
    ) -> list[cst.Arg]:
        """Return the fields of a dictionary as arguments that start at a column, or after the parenthesis."""
        line = self._context.position(typed.call.node.func).end.line
        if self._context.position(original).start.line == line:
            target = self._opening(typed).new
        shift = Shift(self._column(original.value) + 1, target)
        *fields, last = [moved(field, shift) for field in _fields(argument.value, part.names or {})]
        return [*fields, _last(last, argument)]

    def _resource(
        self, value: cst.BaseExpression, names: Mapping[str, str], model: str, column: int
    ) -> cst.BaseExpression:
        if isinstance(value, cst.List):
            items = [item.with_changes(value=self._resource(item.value, names, model, 0)) for item in value.elements]
            return value.with_changes(elements=items)
        before = value.whitespace_before_args if isinstance(value, cst.Call) else _brace_space(value)
        name = self._changes.models[model]
        opening = len("dict(") if isinstance(value, cst.Call) else 1
        shift = Shift(column + opening, column + len(name) + 1)
        fields = [moved(item, shift) for item in _fields(value, names)]
        return cst.Call(cst.Name(name), fields, whitespace_before_args=before or _NO_SPACE)

    def _lead(self, part: Part, node: cst.Call) -> cst.BaseParenthesizableWhitespace | None:
        """Return the line break after an opening brace, which moves to before the first keyword."""
        if part.index is None or part.form != "fields":
            return None
        space = _brace_space(node.args[part.index].value)
        return space if isinstance(space, cst.ParenthesizedWhitespace) else None

    def _opening(self, typed: TypedCall) -> Shift:
        """Return the move of the column after the opening parenthesis."""
        node = typed.call.node
        end = self._context.position(node.func).end
        name = cst.ensure_type(node.func, cst.Attribute).attr.value
        new = end.column + 1 + len(typed.method) - len(name) + (len("list(") if node in self._read_all else 0)
        for ancestor in self._context.ancestors(node):
            is_text = self._changes.texts.get(ancestor) == "str"
            if is_text and self._context.position(ancestor).start.line == end.line:
                new += len("str(")
        indent = self._indent(node)
        return Shift(end.column + 1 - indent, new - indent)

    def _column(self, node: cst.CSTNode) -> int:
        """Return the column at which a node starts, without the indentation of the block."""
        return self._context.position(node).start.column - self._indent(node)

    def _indent(self, node: cst.CSTNode) -> int:
        """Return the indentation of the block, which LibCST stores apart from the lines in it."""
        depth = sum(isinstance(ancestor, cst.IndentedBlock) for ancestor in self._context.ancestors(node))
        return depth * len(self._context.module.default_indent)


def _call(function: str, argument: cst.BaseExpression) -> cst.Call:
    return cst.Call(cst.Name(function), [cst.Arg(argument)])


def _added_argument(part: Part) -> cst.Arg:
    keyword = cst.Name(part.keyword) if part.keyword else None
    equal = _EQUAL if keyword else cst.MaybeSentinel.DEFAULT
    return cst.Arg(cst.parse_expression(part.text), keyword=keyword, equal=equal, comma=_COMMA)


def _tuple(node: cst.List) -> cst.Tuple:
    before, after = node.lbracket.whitespace_after, node.rbracket.whitespace_before
    return cst.Tuple(
        node.elements,
        lpar=[cst.LeftParen(whitespace_after=before)],
        rpar=[cst.RightParen(whitespace_before=after)],
    )


def _brace_space(value: cst.BaseExpression) -> cst.BaseParenthesizableWhitespace | None:
    return value.lbrace.whitespace_after if isinstance(value, cst.Dict) else None


def _fields(value: cst.BaseExpression, names: Mapping[str, str]) -> list[cst.Arg]:
    """Return the fields of a dictionary as keyword arguments."""
    if isinstance(value, cst.Call):
        return [
            argument.with_changes(keyword=cst.Name(names[argument.keyword.value]))
            for argument in value.args
            if argument.keyword
        ]
    arguments: list[cst.Arg] = []
    node = cst.ensure_type(value, cst.Dict)
    for item in node.elements:
        element = cst.ensure_type(item, cst.DictElement)
        keyword = cst.Name(names[text_of(element.key) or ""])
        arguments.append(cst.Arg(element.value, keyword=keyword, equal=_EQUAL, comma=element.comma))
    if not isinstance(arguments[-1].comma, cst.Comma):
        arguments[-1] = arguments[-1].with_changes(whitespace_after_arg=node.rbrace.whitespace_before)
    else:
        comma = arguments[-1].comma.with_changes(whitespace_after=node.rbrace.whitespace_before)
        arguments[-1] = arguments[-1].with_changes(comma=comma)
    return arguments


def _last(field: cst.Arg, argument: cst.Arg) -> cst.Arg:
    """Return the last field, with the comma that follows the dictionary."""
    if isinstance(field.comma, cst.Comma) and not isinstance(argument.comma, cst.Comma):
        return field
    return field.with_changes(comma=argument.comma)


def _with_commas(arguments: Sequence[cst.Arg], end: cst.Arg | None) -> list[cst.Arg]:
    """Return the arguments with a comma after each, and with the end of the call by name.

    Parameters
    ----------
    arguments
        The arguments.
    end
        The last argument of the call by name; None if it is the last one of the typed call, too.
    """
    inner = [
        argument if isinstance(argument.comma, cst.Comma) else argument.with_changes(comma=_COMMA)
        for argument in arguments[:-1]
    ]
    inner = [argument.with_changes(whitespace_after_arg=_NO_SPACE) for argument in inner]
    last = [*arguments[-1:]]
    if last and end is not None:
        last = [last[0].with_changes(comma=end.comma, whitespace_after_arg=end.whitespace_after_arg)]
    return [*inner, *last]
