"""Rewrites the calls by name of one module."""

from __future__ import annotations

from collections.abc import Iterable, Set

import libcst as cst

from alyx_client.lazy_dataclasses import dataclass
from alyx_client.one.migrate.blocks import Block, block_around
from alyx_client.one.migrate.calls import is_by_name, parse_call
from alyx_client.one.migrate.context import Context
from alyx_client.one.migrate.imports import imported_names, with_imports
from alyx_client.one.migrate.plan import plan_call
from alyx_client.one.migrate.reasons import LeftError, Reason
from alyx_client.one.migrate.rewrite import Changes, rewrite
from alyx_client.one.migrate.surface import Surface
from alyx_client.one.migrate.typed import TypedCall
from alyx_client.one.migrate.uses import Uses, find_uses

__all__ = ["CannotParseError", "LeftCall", "Migration", "has_calls", "migrate"]


class CannotParseError(ValueError):
    """The code has a syntax error, or cannot be written back unchanged."""


@dataclass(frozen=True, slots=True)
class LeftCall:
    """A call that is left as it is.

    Parameters
    ----------
    line
        Its line.
    reason
        The reason.
    detail
        The name, argument or use that it is about.
    """

    line: int
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Migration:
    """A module with typed calls.

    Parameters
    ----------
    code
        The code.
    moved
        The lines of the calls that were rewritten, in the code as it was.
    left
        The calls that were left.
    """

    code: str
    moved: tuple[int, ...] = ()
    left: tuple[LeftCall, ...] = ()


@dataclass(frozen=True, slots=True)
class _Plan:
    typed: TypedCall
    uses: Uses
    block: Block | None


def migrate(code: str, surface: Surface, exported: frozenset[str] = frozenset()) -> Migration:
    """Return a module with typed calls in place of calls by name where they mean the same.

    Parameters
    ----------
    code
        The module.
    surface
        The typed calls.
    exported
        Names of the module that other modules import.

    Raises
    ------
    CannotParseError
        The code cannot be parsed.
    """
    if not has_calls(code):
        return Migration(code)
    module = _parse(code)
    context = Context(module, exported)
    plans: dict[cst.CSTNode, _Plan] = {}
    left: dict[cst.CSTNode, LeftError] = {}
    attributes = {endpoint.attribute for endpoint in surface.endpoints.values()}
    for node in _calls(module, attributes):
        try:
            plans[node] = _plan(node, surface, context)
        except LeftError as error:
            left[node] = error
    _leave_dependent(plans, left)
    calls = tuple(
        LeftCall(context.position(node).start.line, error.reason, error.detail) for node, error in left.items()
    )
    if not plans:
        return Migration(code, left=calls)
    typed = {node: plan.typed for node, plan in plans.items()}
    texts = {node: function for plan in plans.values() for node, function in plan.uses.texts.items()}
    models = _model_names(typed.values(), context, surface.models)
    changed = rewrite(Changes(typed, texts, _blocks(plans.values()), models), context)
    changed = with_imports(changed, surface.models, models, _first_use(typed.values(), context))
    return Migration(changed.code, tuple(context.position(node).start.line for node in plans), calls)


def has_calls(code: str) -> bool:
    """Return whether there may be calls by name in code, without parsing it."""
    return ".rest(" in code or ".json_field_" in code


def _parse(code: str) -> cst.Module:
    try:
        module = cst.parse_module(code)
    except cst.ParserSyntaxError as error:
        raise CannotParseError(f"line {error.raw_line}: {error.message}") from None
    except RecursionError:
        raise CannotParseError("it is nested too deeply") from None
    if module.code != code:
        raise CannotParseError("it cannot be written back as it is")
    return module


def _calls(node: cst.CSTNode, attributes: Set[str]) -> list[cst.Call]:
    calls = [call for child in node.children for call in _calls(child, attributes)]
    if not isinstance(node, cst.Call) or not is_by_name(node):
        return calls
    # The typed methods for JSON fields have the same names: ``one.alyx.sessions.json_field_update(…)``.
    owner = cst.ensure_type(node.func, cst.Attribute).value
    is_typed = isinstance(owner, cst.Attribute) and owner.attr.value in attributes
    return calls if is_typed else [node, *calls]


def _plan(node: cst.Call, surface: Surface, context: Context) -> _Plan:
    call = parse_call(node, surface)
    typed = plan_call(call, context)
    if isinstance(context.parent(node), cst.Await):
        raise LeftError(Reason.AWAITED, call.action)
    uses = find_uses(call, typed.result, context)
    block = block_around(typed, context) if typed.no_cache else None
    if (uses.texts or block) and {"str", "list"} & context.names:
        raise LeftError(Reason.VALUE, "the module has its own str or list")
    return _Plan(typed, uses, block)


def _leave_dependent(plans: dict[cst.CSTNode, _Plan], left: dict[cst.CSTNode, LeftError]) -> None:
    """Leave the calls whose results share variables with values that are not typed records."""
    while plans:
        reached = {place for plan in plans.values() for place in plan.uses.reached}
        dependent = [node for node, plan in plans.items() if not plan.uses.needed <= reached]
        if not dependent:
            return
        for node in dependent:
            plans.pop(node)
            detail = "a variable or an expression may also have a value from elsewhere"
            left[node] = LeftError(Reason.DIFFERS, detail)


def _blocks(plans: Iterable[_Plan]) -> dict[cst.CSTNode, Block]:
    """Return the blocks, by statement; if a statement has several calls, the rows of all or of none are read in it."""
    blocks: dict[cst.CSTNode, Block] = {}
    for plan in plans:
        if plan.block is not None:
            earlier = blocks.setdefault(plan.block.statement, plan.block)
            earlier.reads_all = earlier.reads_all or plan.block.reads_all
    return blocks


def _model_names(calls: Iterable[TypedCall], context: Context, models: str) -> dict[str, str]:
    """Return the names that the module has for the resources that calls need, by the names of their classes."""
    imported = imported_names(context.module, models)
    needed = {call.model for call in calls if call.model}
    return {name: imported.get(name) or (f"Alyx{name}" if name in context.names else name) for name in needed}


def _first_use(calls: Iterable[TypedCall], context: Context) -> int:
    """Return the position of the first statement of the module that needs a resource."""
    needing = [call.source or call.call.node for call in calls if call.model]
    statements = {ancestor for node in needing for ancestor in context.ancestors(node)}
    return next((index for index, statement in enumerate(context.module.body) if statement in statements), 0)
