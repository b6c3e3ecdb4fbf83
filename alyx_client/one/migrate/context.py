"""The surroundings of a node: its parents, its position, and the variables of its scope."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import libcst as cst
from libcst.metadata import (
    Assignment,
    CodeRange,
    GlobalScope,
    MetadataWrapper,
    ParentNodeProvider,
    PositionProvider,
    Scope,
    ScopeProvider,
)

__all__ = ["Context"]


class Context:
    """The surroundings of the nodes of a module.

    Parameters
    ----------
    module
        The module.
    exported
        Names of the module that other modules import.
    """

    def __init__(self, module: cst.Module, exported: frozenset[str] = frozenset()) -> None:
        wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
        self.module = module
        self._parents = wrapper.resolve(ParentNodeProvider)
        self._positions = wrapper.resolve(PositionProvider)
        self._scopes = wrapper.resolve(ScopeProvider)
        self._exported = exported

    def parent(self, node: cst.CSTNode) -> cst.CSTNode:
        """Return the node that contains a node."""
        return self._parents[node]

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Return the nodes that contain a node, the innermost first."""
        while node in self._parents:
            node = self._parents[node]
            yield node

    def position(self, node: cst.CSTNode) -> CodeRange:
        """Return where a node starts and ends."""
        return self._positions[node]

    def assignments(self, target: cst.Name) -> list[Assignment] | None:
        """Return all assignments to the variable that a name assigns to; None if other modules may use it.

        Parameters
        ----------
        target
            The name on the left.
        """
        for scope in self._scopes_around(target):
            assignments = _assignments(scope, target.value)
            if any(target in (item.node, getattr(item.node, "name", None)) for item in assignments):
                is_local = type(scope).__name__ in ("FunctionScope", "ComprehensionScope")
                is_private = isinstance(scope, GlobalScope) and not {target.value, "*"} & self._exported
                return assignments if is_local or is_private else None
        return None

    def assignments_read_by(self, name: cst.Name) -> list[Assignment]:
        """Return all assignments to the variable that a name reads; none if other modules may use it.

        Parameters
        ----------
        name
            The name, where its value is used.
        """
        for scope in self._scopes_around(name):
            assignments = _assignments(scope, name.value)
            if any(access.node is name for item in assignments for access in item.references):
                targets = [item.node for item in assignments if isinstance(item.node, cst.Name)]
                return (self.assignments(targets[0]) or []) if targets else []
        return []

    def _scopes_around(self, name: cst.Name) -> Iterator[Scope]:
        """Yield the scope of a name, and those around it, in which a walrus in a comprehension assigns."""
        scope = self._scopes.get(name)
        while scope is not None:
            yield scope
            # The parent of the outermost scope is that scope itself.
            scope = scope.parent if scope.parent is not scope else None

    @cached_property
    def names(self) -> frozenset[str]:
        """All names that are assigned, imported or defined anywhere in the module."""
        scopes = {scope for scope in self._scopes.values() if scope is not None}
        return frozenset(item.name for scope in scopes for item in scope.assignments if isinstance(item, Assignment))


def _assignments(scope: Scope, name: str) -> list[Assignment]:
    return [item for item in scope.assignments[name] if isinstance(item, Assignment)]
