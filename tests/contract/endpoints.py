"""Every endpoint of the generated client and its actions, by introspection."""

from __future__ import annotations

import importlib
import pkgutil
import re
from dataclasses import dataclass
from typing import Any

from alyx_client.runtime.action import Action, ListAction

from .package import AlyxClient, endpoints

ACTIONS = ("list", "read", "create", "update", "partial_update", "delete")


@dataclass(frozen=True)
class Declared:
    """An endpoint as its module declares it."""

    name: str
    listing: ListAction[Any] | None
    actions: dict[str, Action[Any]]

    @property
    def path(self) -> str:
        if self.listing:
            return self.listing.path
        first = next(iter(self.actions.values()))
        return first.bare_path or first.path

    @property
    def lookup(self) -> str | None:
        """The name of the field that records are looked up by."""
        match = re.search(r"\{(\w+)\}", self.actions["read"].path) if "read" in self.actions else None
        return match[1] if match else None

    def key(self, row: Any) -> Any:
        assert self.lookup is not None
        return getattr(row, self.lookup)


def _declared(name: str) -> Declared:
    module = importlib.import_module(f"{endpoints.__name__}.{name}")
    values = list(vars(module).values())
    listing = next((value for value in values if isinstance(value, ListAction)), None)
    return Declared(name, listing, {value.name: value for value in values if isinstance(value, Action)})


ENDPOINTS: dict[str, Declared] = {
    module.name: _declared(module.name)
    for module in pkgutil.iter_modules(endpoints.__path__)
    if hasattr(AlyxClient, module.name)
}
LISTED = [name for name, declared in ENDPOINTS.items() if declared.listing]
READ_BY_KEY = [name for name in LISTED if "read" in ENDPOINTS[name].actions]


def is_readable(key: object) -> bool:
    """Return whether a key can stand in a path: Alyx routes no slash, and servers resolve dot segments."""
    text = str(key)
    return bool(text.strip()) and "/" not in text and text not in (".", "..")


# The server fails to read an insertion that has no session.
READABLE: dict[str, dict[str, Any]] = {"insertions": {"django": {"session__isnull": False}}}
