"""A function that is called when a module has been imported, before anybody else sees the module."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ["ImportHook"]


class _Loader(Loader):
    """Loads a module by its own loader, and calls the function."""

    def __init__(self, loader: Loader, function: Callable[[], object]) -> None:
        self._loader = loader
        self._function = function

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Create the module, as its own loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Execute the module, and call the function."""
        if module.__spec__ is not None:
            # Tools that look for the module's source ask its loader.
            module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._function()


class ImportHook(MetaPathFinder):
    """Calls a function when a module has been imported.

    Parameters
    ----------
    name
        The module.
    function
        The function.
    """

    def __init__(self, name: str, function: Callable[[], object]) -> None:
        self._name = name
        self._function = function
        self._is_searching = False

    def set(self) -> None:
        """Begin to watch; calling it again changes nothing."""
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """End to watch."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the module with the other finders; import calls this, under the lock of the module's import."""
        if fullname != self._name or self._is_searching:
            return None
        self._is_searching = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._is_searching = False
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._function)
        return spec
