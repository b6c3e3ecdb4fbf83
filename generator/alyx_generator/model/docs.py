"""Descriptions of endpoints, actions, filters and fields: the server's, or else our own from ``docs.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alyx_client.runtime.references import Reference
from alyx_generator.model.nouns import Noun, noun
from alyx_generator.source.paths import data_folder

Table = Mapping[str, Any]

_ACTIONS = {
    "list": "List {noun.plural}.",
    "read": "Retrieve {noun.indefinite}.",
    "create": "Create {noun.indefinite}.",
    "update": "Replace {noun.indefinite}.",
    "partial_update": "Change fields of {noun.indefinite}.",
    "delete": "Delete {noun.indefinite}.",
}


@dataclass(frozen=True)
class Docs:
    """Descriptions by endpoint and name.

    Parameters
    ----------
    table
        The decoded ``docs.toml``. Its general entries hold only for the endpoints that have a table of their own.
    """

    table: Table = field(default_factory=dict[str, Any])

    def only(self, endpoints: Container[str]) -> Docs:
        """Return the descriptions of some endpoints, without those of others of the same names.

        Parameters
        ----------
        endpoints
            Names of the endpoints that the table is about.
        """
        own = {name: table for name, table in self.table.get("endpoints", {}).items() if name in endpoints}
        return Docs({**self.table, "endpoints": own})

    def endpoint(self, endpoint: str) -> str:
        """Return the description of an endpoint."""
        return str(self._of(endpoint).get("summary") or f"Operations on {self.noun(endpoint).plural}.")

    def noun(self, endpoint: str) -> Noun:
        """Return what a record of the endpoint is called; by default the endpoint's own name."""
        own = self._of(endpoint)
        words = endpoint.strip("_").replace("_", " ")
        return noun(words, str(own.get("singular", "")), str(own.get("plural", "")))

    def action(self, endpoint: str, action: str, operation: Table) -> str:
        """Return the description of an action."""
        own = self._of(endpoint).get("actions", {}).get(action)
        generic = _ACTIONS.get(action, "Call the server.").format(noun=self.noun(endpoint))
        return str(operation.get("description") or own or generic)

    def filter(self, endpoint: str, parameter: Table) -> str:
        """Return the description of a filter."""
        name = str(parameter["name"])
        return str(parameter.get("description") or self._own("filters", endpoint, name))

    def field(self, endpoint: str, name: str, schema: Table) -> str:
        """Return the description of a field."""
        return str(schema.get("description") or self._own("fields", endpoint, name))

    def model(self, endpoint: str, name: str, schema: Table) -> str:
        """Return the description of a model."""
        return str(schema.get("description") or self._of(endpoint).get("models", {}).get(name) or "")

    def example(self, endpoint: str, action: str) -> str:
        """Return an example of an action, where the schema does not tell what a call needs; empty if there is none."""
        return str(self._of(endpoint).get("examples", {}).get(action, ""))

    def example_value(self, endpoint: str, name: str, reference: Reference | None = None) -> object:
        """Return a value of a filter or of a key, for examples; None if there is none.

        Parameters
        ----------
        endpoint
            The endpoint that it is for.
        name
            The server's name of the filter or key.
        reference
            The field of a record that it refers to, if it does.
        """
        return self._value("values", (f"{endpoint}.{name}", _referred(reference), name), endpoint)

    def new_value(self, endpoint: str, name: str, reference: Reference | None = None) -> object:
        """Return a value of a field that is sent; None if there is none. Parameters are as of `example_value`."""
        own = self._value("new", (f"{endpoint}.{name}",), endpoint)
        if own is not None:
            return own
        referred = self._value("values", (_referred(reference),), endpoint)
        return self._value("new", (name,), endpoint) if referred is None else referred

    def has_new_value(self, endpoint: str, name: str) -> bool:
        """Return whether there is a value for a field of this endpoint alone."""
        return self._value("new", (f"{endpoint}.{name}",), endpoint) is not None

    def _value(self, kind: str, keys: Iterable[str], endpoint: str) -> object:
        values: Table = self.table.get("examples", {}).get(kind, {}) if self._of(endpoint) else {}
        return next((values[key] for key in keys if key in values), None)

    def _own(self, kind: str, endpoint: str, name: str) -> str:
        own = self._of(endpoint)
        if not own:
            return ""
        return str(own.get(kind, {}).get(name) or self.table.get(kind, {}).get(name) or "")

    def _of(self, endpoint: str) -> Table:
        table: Table = self.table.get("endpoints", {}).get(endpoint, {})
        return table


def _referred(reference: Reference | None) -> str:
    return f"{reference.endpoint}.{reference.field}" if reference else ""


def read_docs(path: Path) -> Docs:
    """Read ``docs.toml``; no descriptions where the file is missing."""
    return Docs(tomllib.loads(path.read_text(encoding="utf-8"))) if path.is_file() else Docs()


def shipped_docs() -> Docs:
    """Return our own descriptions, for snapshots, which hold none."""
    return read_docs(data_folder("schemas") / "docs.toml")
