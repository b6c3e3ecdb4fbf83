"""Follows the result of a call through the code, and checks that a typed record means the same in each use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import libcst as cst
from libcst.metadata import Assignment

from alyx_client.lazy_dataclasses import dataclass
from alyx_client.one.migrate.calls import ByNameCall
from alyx_client.one.migrate.context import Context
from alyx_client.one.migrate.expressions import (
    choices,
    function_name,
    function_of_items,
    is_condition,
    is_empty,
    is_none_test,
    is_unset,
    needs_text,
    takes_uuid,
    target,
)
from alyx_client.one.migrate.kinds import PLAIN, Kind
from alyx_client.one.migrate.literals import text_of
from alyx_client.one.migrate.reasons import LeftError, Reason
from alyx_client.runtime import Record

__all__ = ["Uses", "find_uses"]

# The results of these functions do not depend on the class of a sequence or of its items.
_COUNTING = frozenset({"len", "bool", "any", "all"})
_SEQUENCES = frozenset({"list", "tuple", "reversed", "iter"})
Reached = tuple[cst.CSTNode, type[Record] | None]


@dataclass(frozen=True, slots=True)
class Uses:
    """The requirements of the uses of a result.

    Parameters
    ----------
    texts
        The expressions whose values must be made text, and the function that does so: ``str`` or ``isoformat``.
    reached
        The expressions and variables that have the result, or a part of it, and the class of its records.
    needed
        The expressions and variables whose values must all come from calls that are rewritten, since ``texts`` converts
        them.
    """

    texts: Mapping[cst.CSTNode, str]
    reached: frozenset[Reached]
    needed: frozenset[Reached]


def find_uses(call: ByNameCall, result: Kind, context: Context) -> Uses:
    """Return the requirements of the uses of a result.

    Parameters
    ----------
    call
        The call.
    result
        The kind of value that the typed call returns.
    context
        The surroundings of the call.

    Raises
    ------
    LeftError
        The result is used in a way that may differ.
    """
    follower = _Follower(context)
    follower.follow(call.node, result)
    return Uses(follower.texts, frozenset(follower.reached), frozenset(follower.needed))


class _Follower:
    def __init__(self, context: Context) -> None:
        self.texts: dict[cst.CSTNode, str] = {}
        self.reached: set[Reached] = set()
        self.needed: set[Reached] = set()
        self._context = context
        self._seen: set[tuple[str, int, Kind]] = set()
        # Other places that the current value may come from.
        self._others: frozenset[Reached] = frozenset()

    def follow(self, node: cst.CSTNode, kind: Kind) -> None:
        """Follow the value of an expression to its uses."""
        parent = self._context.parent(node)
        if kind == PLAIN or isinstance(parent, cst.Expr):
            return
        self.reached.add((node, kind.model))
        if kind.name == "other":
            raise LeftError(Reason.DIFFERS, f"{self._code(node)} is {kind.type_name}")
        if kind.name in ("uuid", "time"):
            self._follow_value(node, parent, kind)
        elif is_condition(node, parent):
            return
        elif isinstance(parent, cst.Subscript) and parent.value is node:
            self._follow_subscript(parent, kind)
        elif isinstance(parent, cst.Attribute):
            self._follow_attribute(parent, kind)
        elif isinstance(parent, cst.Comparison | cst.ComparisonTarget):
            self._follow_comparison(node, parent, kind)
        elif isinstance(parent, cst.Arg):
            self._follow_argument(parent, kind)
        elif isinstance(parent, cst.For | cst.CompFor) and parent.iter is node:
            self._follow_target(parent.target, self._item(node, kind))
        elif isinstance(parent, cst.ListComp | cst.GeneratorExp) and kind.name == "record":
            self.follow(parent, kind.several)
        else:
            self._follow_assignment(node, parent, kind)

    def _follow_assignment(self, node: cst.CSTNode, parent: cst.CSTNode, kind: Kind) -> None:
        if isinstance(parent, cst.Assign):
            for target in parent.targets:
                self._follow_target(target.target, kind)
        elif isinstance(parent, cst.NamedExpr):
            self._follow_target(parent.target, kind)
            self.follow(parent, kind)
        elif isinstance(parent, cst.IfExp | cst.BooleanOperation):
            self._follow_choice(parent, kind)
        elif isinstance(parent, cst.AugAssign | cst.BinaryOperation | cst.StarredElement):
            raise LeftError(Reason.LIST_ONLY, self._code(parent))
        elif isinstance(parent, cst.Del):
            return
        else:
            raise LeftError(Reason.ESCAPES, self._line(node))

    def _follow_choice(self, node: cst.CSTNode, kind: Kind) -> None:
        """Follow an expression that has one of several values."""
        before = self._others
        self._others = before | {(value, kind.model) for value in choices(node) if not is_empty(value)}
        self.follow(node, kind)
        self._others = before

    def _follow_target(self, target: cst.BaseExpression, kind: Kind) -> None:
        if isinstance(target, cst.Name):
            self.reached.add((target, kind.model))
            self._follow_variable(target, kind)
        elif isinstance(target, cst.Tuple | cst.List) and kind.name == "rows":
            for element in target.elements:
                starred = isinstance(element, cst.StarredElement)
                self._follow_target(element.value, kind if starred else kind.item)
        else:
            raise LeftError(Reason.ESCAPES, f"{self._code(target)} = …")

    def _follow_variable(self, name: cst.Name, kind: Kind) -> None:
        assignments = self._context.assignments(name)
        if assignments is None:
            raise LeftError(Reason.ESCAPES, f"{name.value}, which other modules or classes may read")
        key = (name.value, id(assignments[0]), kind)
        if key in self._seen:
            return
        self._seen.add(key)
        before = self._others
        targets = [target(assignment.node) for assignment in assignments]
        self._others = before | {(target, kind.model) for target in targets if not is_unset(target, self._context)}
        for use in self._reads(name, assignments):
            self.follow(use, kind)
        self._others = before

    def _reads(self, name: cst.Name, assignments: Sequence[Assignment]) -> list[cst.Name]:
        """Return the names that read a variable, in the order of the code, so that each run reports the same reason."""
        names: set[cst.Name] = set()
        for node in {access.node for assignment in assignments for access in assignment.references}:
            owner: cst.BaseExpression = node
            while isinstance(owner, cst.Attribute):
                owner = owner.value
            if not isinstance(owner, cst.Name):
                raise LeftError(Reason.ESCAPES, f"{name.value}, which is named in text")
            names.add(owner)
        return sorted(names, key=self._place)

    def _place(self, node: cst.CSTNode) -> tuple[int, int]:
        start = self._context.position(node).start
        return start.line, start.column

    def _follow_subscript(self, node: cst.Subscript, kind: Kind) -> None:
        index = node.slice[0].slice if len(node.slice) == 1 else None
        text = text_of(index.value) if isinstance(index, cst.Index) else None
        if kind.name == "rows" and isinstance(index, cst.Slice):
            self._refuse_change(node)
            self.follow(node, kind)
        elif kind.name == "rows":
            # A list has no items by name, so that this code runs for another value of the variable.
            if text is None and isinstance(index, cst.Index):
                self._refuse_change(node)
                self.follow(node, kind.item)
        elif text is not None:
            self._refuse_change(node)
            self.follow(node, kind.fields.get(text, PLAIN))
        elif not (isinstance(index, cst.Index) and isinstance(index.value, cst.Integer | cst.UnaryOperation)):
            raise LeftError(Reason.FIELD_NAME, self._code(node))

    def _refuse_change(self, node: cst.Subscript) -> None:
        parent = self._context.parent(node)
        is_target = isinstance(parent, cst.AugAssign | cst.AnnAssign) and parent.target is node
        if is_target or isinstance(parent, cst.AssignTarget | cst.Del):
            raise LeftError(Reason.CHANGED, self._code(node))

    def _follow_attribute(self, node: cst.Attribute, kind: Kind) -> None:
        call = self._context.parent(node)
        name = node.attr.value
        if not isinstance(call, cst.Call) or call.func is not node:
            raise LeftError(Reason.LIST_ONLY if kind.name == "rows" else Reason.ESCAPES, self._code(node))
        field = text_of(call.args[0].value) if call.args else None
        if kind.name == "rows":
            raise LeftError(Reason.LIST_ONLY, f".{name}()")
        if name != "get":
            reason = Reason.CHANGED if name in ("pop", "update", "setdefault", "clear", "popitem") else Reason.ESCAPES
            raise LeftError(reason, f".{name}()")
        if field is None:
            raise LeftError(Reason.FIELD_NAME, self._code(call))
        if not kind.is_always_there(field):
            raise LeftError(Reason.DIFFERS, f"{self._code(call)}, where the server may leave the field out")
        self.follow(call, kind.fields.get(field, PLAIN))

    def _follow_comparison(self, node: cst.CSTNode, parent: cst.CSTNode, kind: Kind) -> None:
        owner = self._context.parent(parent) if isinstance(parent, cst.ComparisonTarget) else parent
        comparison = cst.ensure_type(owner, cst.Comparison)
        if not _compares_alike(comparison, node, kind):
            raise LeftError(Reason.DIFFERS, self._code(comparison))

    def _follow_argument(self, argument: cst.Arg, kind: Kind) -> None:
        call = self._context.parent(argument)
        is_only = isinstance(call, cst.Call) and len(call.args) == 1 and not argument.star
        if is_only and function_name(call) in _COUNTING:
            return
        if not isinstance(call, cst.Call) or kind.name != "rows":
            raise LeftError(Reason.ESCAPES, self._code(call))
        self._follow_rows(call, argument, kind, is_only=is_only)

    def _follow_rows(self, call: cst.Call, argument: cst.Arg, rows: Kind, *, is_only: bool) -> None:
        """Follow rows into a function that returns them, or some of them."""
        name = function_name(call)
        if name in _SEQUENCES and is_only:
            self.follow(call, rows)
        elif name == "next" and not argument.star:
            self._follow_choice(call, rows.item)
        elif function := function_of_items(call, argument):
            self._follow_target(function.params.params[0].name, rows.item)
            self.follow(call, {"map": PLAIN, "max": rows.item, "min": rows.item}.get(name, rows))
        elif name in ("enumerate", "zip"):
            self._follow_pairs(call, argument, rows)
        else:
            raise LeftError(Reason.ESCAPES, self._code(call))

    def _follow_pairs(self, call: cst.Call, argument: cst.Arg, kind: Kind) -> None:
        loop = self._context.parent(call)
        position = 1 if cst.ensure_type(call.func, cst.Name).value == "enumerate" else call.args.index(argument)
        if isinstance(loop, cst.For | cst.CompFor) and isinstance(loop.target, cst.Tuple):
            elements: Sequence[cst.BaseElement] = loop.target.elements
            if position < len(elements) and not any(isinstance(element, cst.StarredElement) for element in elements):
                return self._follow_target(elements[position].value, kind.item)
        raise LeftError(Reason.ESCAPES, self._code(call))

    def _item(self, node: cst.CSTNode, kind: Kind) -> Kind:
        if kind.name == "rows":
            return kind.item
        raise LeftError(Reason.FIELD_NAME, f"for … in {self._code(node)}")

    def _follow_value(self, node: cst.CSTNode, parent: cst.CSTNode, kind: Kind) -> None:
        """Follow a UUID or a time, which is text in calls by name."""
        if is_condition(node, parent) or is_none_test(parent):
            return
        if kind.name == "uuid" and takes_uuid(parent, self._context):
            return
        if kind.nullable and not (kind.name == "time" and needs_text(node, parent, self._context)):
            raise LeftError(Reason.DIFFERS, f"{self._code(node)} is {kind.type_name}")
        self.needed |= self._others
        self.texts[node] = "str" if kind.name == "uuid" else "isoformat"

    def _code(self, node: cst.CSTNode) -> str:
        code = " ".join(self._context.module.code_for_node(node).split())
        return code if len(code) <= 60 else f"{code[:59]}…"

    def _line(self, node: cst.CSTNode) -> str:
        for ancestor in self._context.ancestors(node):
            if isinstance(ancestor, cst.BaseSmallStatement | cst.BaseCompoundStatement):
                return self._code(ancestor)
        return self._code(node)


def _compares_alike(comparison: cst.Comparison, node: cst.CSTNode, kind: Kind) -> bool:
    """Return whether a comparison has the same result for plain values and for typed records."""
    if len(comparison.comparisons) != 1:
        return False
    (right,) = comparison.comparisons
    if isinstance(right.operator, cst.In | cst.NotIn):
        field = text_of(comparison.left) if right.comparator is node else None
        return kind.name == "record" and field is not None and kind.is_always_there(field)
    if isinstance(right.operator, cst.Equal | cst.NotEqual):
        other = comparison.left if right.comparator is node else right.comparator
        return kind.name == "rows" and isinstance(other, cst.List) and not other.elements
    return isinstance(right.operator, cst.Is | cst.IsNot)
