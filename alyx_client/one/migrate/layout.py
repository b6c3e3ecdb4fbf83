"""Columns: lines that continue a call stay aligned when the call's head becomes longer or shorter."""

from __future__ import annotations

from typing import TypeVar

import libcst as cst

__all__ = ["Shift", "align_comma", "moved"]

NodeT = TypeVar("NodeT", bound=cst.CSTNode)


class Shift:
    """A move of lines from one column to another.

    Parameters
    ----------
    old, new
        The columns before and after, without the indentation of the block.
    """

    def __init__(self, old: int, new: int) -> None:
        self.old = old
        self.new = new

    def apply(self, space: cst.BaseParenthesizableWhitespace, *, exact: bool) -> cst.BaseParenthesizableWhitespace:
        """Return a line break after which the code starts at the new column.

        Parameters
        ----------
        space
            White space, perhaps with a line break.
        exact
            Whether only lines that start at the old column move, and not those to the right of it.
        """
        if not isinstance(space, cst.ParenthesizedWhitespace) or not space.indent:
            return space
        column = len(space.last_line.value)
        if column != self.old and (exact or column < self.old):
            return space
        return space.with_changes(last_line=cst.SimpleWhitespace(" " * max(column + self.new - self.old, 0)))


def align_comma(argument: cst.Arg, shift: Shift) -> cst.Arg:
    """Return an argument after which the next one starts at the new column."""
    if not isinstance(argument.comma, cst.Comma):
        return argument
    space = shift.apply(argument.comma.whitespace_after, exact=True)
    return argument.with_changes(comma=argument.comma.with_changes(whitespace_after=space))


def moved(node: NodeT, shift: Shift) -> NodeT:
    """Return code whose continuation lines are moved as its first line is."""
    if shift.old == shift.new:
        return node
    result = node.visit(_Mover(shift))
    assert isinstance(result, type(node))
    return result


class _Mover(cst.CSTTransformer):
    def __init__(self, shift: Shift) -> None:
        super().__init__()
        self._shift = shift

    def leave_ParenthesizedWhitespace(  # noqa: N802
        self, original_node: cst.ParenthesizedWhitespace, updated_node: cst.ParenthesizedWhitespace
    ) -> cst.BaseParenthesizableWhitespace:
        return self._shift.apply(updated_node, exact=False)
