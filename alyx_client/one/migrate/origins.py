"""The calls that the values of a variable come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst
from libcst.metadata import Assignment

from alyx_client.one.migrate.calls import is_by_name
from alyx_client.one.migrate.context import Context
from alyx_client.one.migrate.literals import text_of

__all__ = ["Origins"]


class Origins:
    """The calls to one endpoint that the values of variables come from.

    Parameters
    ----------
    endpoint
        The endpoint, by its name in calls by name.
    context
        The surroundings of the code.

    Attributes
    ----------
    reads
        The names that read values whose origin is known.
    """

    def __init__(self, endpoint: str, context: Context) -> None:
        self.reads: set[cst.CSTNode] = set()
        self._endpoint = endpoint
        self._context = context

    def of(
        self, assignments: Sequence[Assignment], known: frozenset[cst.CSTNode] | None
    ) -> frozenset[cst.CSTNode] | None:
        """Return the calls that the values of a variable come from; None if they may come from elsewhere.

        Parameters
        ----------
        assignments
            All assignments to the variable.
        known
            The calls that the value which is followed comes from.
        """
        for assignment in assignments:
            value = self._assigned(assignment.node)
            known = None if value is None else self.join(value, known)
        return known

    def join(self, value: cst.CSTNode, known: frozenset[cst.CSTNode] | None) -> frozenset[cst.CSTNode] | None:
        """Return known calls, and those that the value of an expression comes from; None if it may come from elsewhere.

        Parameters
        ----------
        value
            The expression.
        known
            The known calls.
        """
        if isinstance(value, cst.IfExp):
            return self.join(value.orelse, self.join(value.body, known))
        if isinstance(value, cst.BooleanOperation):
            # What is false on the left of `and` has no items and no fields.
            is_or = isinstance(value.operator, cst.Or)
            return self.join(value.right, self.join(value.left, known) if is_or else known)
        if _is_empty(value):
            return known
        for choice in _choices(value):
            known = self.join(choice, known)
        calls = frozenset(self._calls_in(value))
        # A loop over a variable that was followed has the items of that variable.
        return None if known is None or not (calls or self._reads_in(value)) else known | calls

    def _assigned(self, target: cst.CSTNode) -> cst.CSTNode | None:
        for node in self._context.ancestors(target):
            if isinstance(node, cst.Assign | cst.NamedExpr):
                return node.value
            if isinstance(node, cst.For | cst.CompFor):
                return node.iter
            if isinstance(node, cst.Lambda):
                return self._context.parent(self._context.parent(node))
            if isinstance(node, cst.BaseStatement):
                break
        return None

    def _calls_in(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        if is_by_name(node):
            arguments = cst.ensure_type(node, cst.Call).args
            if arguments and text_of(arguments[0].value) == self._endpoint:
                yield node
        for child in node.children:
            yield from self._calls_in(child)

    def _reads_in(self, node: cst.CSTNode) -> bool:
        return node in self.reads or any(map(self._reads_in, node.children))


def _is_empty(node: cst.CSTNode) -> bool:
    is_display = isinstance(node, cst.List | cst.Tuple | cst.Dict) and not node.elements
    return is_display or (isinstance(node, cst.Name) and node.value in ("None", "False"))


def _choices(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Return the expressions within another one that have one of several values."""
    for child in node.children:
        if isinstance(child, cst.IfExp | cst.BooleanOperation):
            yield child
        elif not is_by_name(child):
            yield from _choices(child)
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "next":
        yield from (argument.value for argument in node.args[1:])
