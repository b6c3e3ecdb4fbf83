"""Objects whose locks and open files must not cross a fork."""

from __future__ import annotations

import os
import sys
import weakref
from typing import Protocol

__all__ = ["ForkAware", "register"]


class ForkAware(Protocol):
    """An object that prepares for a fork of the process and recovers from it."""

    def before_fork(self) -> None:
        """Bring the object into a state that both processes can start from."""
        ...

    def after_fork_in_parent(self) -> None:
        """Resume."""
        ...

    def after_fork_in_child(self) -> None:
        """Start anew; the other threads of the parent do not exist here."""
        ...


def register(instance: ForkAware) -> None:
    """Call an object before and after every fork, for as long as it exists."""
    _REGISTERED[id(instance)] = instance


# By id, since the objects need not be hashable; weak, so that registering does not keep them alive.
_REGISTERED: weakref.WeakValueDictionary[int, ForkAware] = weakref.WeakValueDictionary()


def _instances() -> list[ForkAware]:
    # Other threads may add objects meanwhile: valuerefs() copies in one step, while iterating would fail.
    return [instance for instance in (reference() for reference in _REGISTERED.valuerefs()) if instance is not None]


def _before_fork() -> None:
    for instance in _instances():
        instance.before_fork()


def _after_fork_in_parent() -> None:
    for instance in _instances():
        instance.after_fork_in_parent()


def _after_fork_in_child() -> None:  # pragma: no cover - runs in a child process
    for instance in _instances():
        instance.after_fork_in_child()


if sys.platform != "win32":  # pragma: no branch - other operating system
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
