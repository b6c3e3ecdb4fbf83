"""Words for endpoints, actions, filters and fields: the server's, and where it has none, our own from ``docs.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Table = Mapping[str, Any]

_ACTIONS = {
    "list": "List {plural}.",
    "read": "Read one record of {plural}.",
    "create": "Create a record of {plural}.",
    "update": "Replace a record of {plural}.",
    "partial_update": "Change some fields of a record of {plural}.",
    "delete": "Delete a record of {plural}.",
}


@dataclass(frozen=True)
class Docs:
    """Words by endpoint and name.

    Parameters
    ----------
    table
        The decoded ``docs.toml``. What holds on every endpoint is said only of those that the table has.
    """

    table: Table = field(default_factory=dict[str, Any])

    def endpoint(self, endpoint: str) -> str:
        """Return what a record of the endpoint is."""
        return str(self._of(endpoint).get("summary") or f"Records of {endpoint.replace('_', ' ')}.")

    def action(self, endpoint: str, action: str, operation: Table) -> str:
        """Return what an action does."""
        own = self._of(endpoint).get("actions", {}).get(action)
        generic = _ACTIONS.get(action, "Call the server for {plural}.").format(plural=endpoint.replace("_", " "))
        return str(operation.get("description") or own or generic)

    def filter(self, endpoint: str, parameter: Table) -> str:
        """Return what a filter matches."""
        name = str(parameter["name"])
        return str(parameter.get("description") or self._own("filters", endpoint, name))

    def field(self, endpoint: str, name: str, schema: Table) -> str:
        """Return what a field holds."""
        return str(schema.get("description") or self._own("fields", endpoint, name))

    def shape(self, endpoint: str, name: str, schema: Table) -> str:
        """Return what a shape is."""
        return str(schema.get("description") or self._of(endpoint).get("shapes", {}).get(name) or "")

    def _own(self, kind: str, endpoint: str, name: str) -> str:
        known = self._of(endpoint)
        return str((known and (known.get(kind, {}).get(name) or self.table.get(kind, {}).get(name))) or "")

    def _of(self, endpoint: str) -> Table:
        table: Table = self.table.get("endpoints", {}).get(endpoint, {})
        return table


def read_docs(path: Path) -> Docs:
    """Read ``docs.toml``; no words where the file is missing."""
    return Docs(tomllib.loads(path.read_text(encoding="utf-8"))) if path.is_file() else Docs()
