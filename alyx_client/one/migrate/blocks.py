"""Statements that can be put into a block that bypasses the cache, for calls with ``no_cache=True``."""

from __future__ import annotations

import libcst as cst

from alyx_client.one.migrate.calls import is_by_name
from alyx_client.one.migrate.context import Context
from alyx_client.one.migrate.reasons import LeftError, Reason
from alyx_client.one.migrate.typed import TypedCall

__all__ = ["Block", "block_around"]

# Functions that send nothing, and so do the same within the block.
_SILENT = frozenset({"len", "bool", "any", "all", "list", "tuple", "next", "iter", "str", "sorted", "print", "zip"})


class Block:
    """A statement to put into a ``with`` block.

    Parameters
    ----------
    statement
        The statement.
    receiver
        The client whose cache is bypassed.
    reads_all
        Whether all rows must be read within the block, since code after it may read them.
    """

    def __init__(self, statement: cst.SimpleStatementLine, receiver: cst.BaseExpression, *, reads_all: bool) -> None:
        self.statement = statement
        self.receiver = receiver
        self.reads_all = reads_all


def block_around(typed: TypedCall, context: Context) -> Block:
    """Return the statement to put into a block that bypasses the cache.

    Parameters
    ----------
    typed
        The call.
    context
        Its surroundings.

    Raises
    ------
    LeftError
        The call is in the head of a loop or a condition, or the block would bypass the cache for other calls, too.
    """
    call = typed.call
    if not _is_path(call.receiver):
        raise LeftError(Reason.NO_CACHE, "the client is not a name")
    for node in context.ancestors(call.node):
        if isinstance(node, cst.Lambda | cst.GeneratorExp | cst.Yield | cst.Await):
            break
        if isinstance(node, cst.BaseCompoundStatement | cst.Decorator | cst.Parameters | cst.SimpleStatementSuite):
            break
        if isinstance(node, cst.SimpleStatementLine):
            if len(node.body) > 1 or not _is_silent(node, call.receiver):
                break
            reads_all = typed.result.name == "rows" and not _is_read(call.node, context)
            return Block(node, call.receiver, reads_all=reads_all)
    raise LeftError(Reason.NO_CACHE, "use `with client.cache_disabled():` around it")


def _is_path(node: cst.BaseExpression) -> bool:
    while isinstance(node, cst.Attribute):
        node = node.value
    return isinstance(node, cst.Name)


def _is_silent(node: cst.CSTNode, receiver: cst.BaseExpression) -> bool:
    """Return whether all calls in a statement bypass the cache anyway, or send nothing."""
    if isinstance(node, cst.Call):
        is_own = is_by_name(node) and cst.ensure_type(node.func, cst.Attribute).value.deep_equals(receiver)
        is_own = is_own and any(argument.keyword and argument.keyword.value == "no_cache" for argument in node.args)
        if not is_own and not (isinstance(node.func, cst.Name) and node.func.value in _SILENT):
            return False
    return all(_is_silent(child, receiver) for child in node.children)


def _is_read(node: cst.CSTNode, context: Context) -> bool:
    """Return whether the statement reads all rows that are ever read from the result."""
    parent = context.parent(node)
    if isinstance(parent, cst.Subscript):
        return True
    if isinstance(parent, cst.Arg):
        call = context.parent(parent)
        return isinstance(call, cst.Call) and isinstance(call.func, cst.Name) and call.func.value in ("len", "list")
    return isinstance(parent, cst.CompFor) and isinstance(
        context.parent(parent), cst.ListComp | cst.SetComp | cst.DictComp
    )
