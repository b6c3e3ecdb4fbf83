"""One list request, and the check of a typed filter's value."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from alyx_client.testing.failures import ValidationFailure
from alyx_client.testing.filters.lookups import Predicate, compile_filter
from alyx_client.testing.records.relations import Table
from alyx_client.testing.records.store import Store

Check = Literal["text", "uuid", "number", "boolean", "datetime", "date", "uuids"]


@dataclass(frozen=True)
class By:
    """A filter that is a Django path, with the check its value must pass."""

    path: str
    check: Check = "text"


class Query:
    """One list request: the records, what they look like, and the parameters as they came."""

    def __init__(
        self, store: Store, tables: Mapping[str, Table], table: str, given: Mapping[str, Sequence[str]]
    ) -> None:
        self.store = store
        self.tables = tables
        self.table = table
        self.given = given

    def first(self, name: str) -> str:
        """Return the last value given for a parameter, as Django does."""
        return self.given[name][-1]

    def by(self, path: str, value: object) -> Predicate:
        """Return the predicate of a Django path."""
        return compile_filter(self.store, self.tables, self.table, path, value)


Custom = Callable[[Query, str], Predicate]


def check(name: str, kind: Check, value: str) -> object:
    """Validate the value of a typed filter; None means that the filter does not apply."""
    try:
        if kind == "uuid":
            return str(uuid.UUID(value))
        if kind == "uuids":
            return [str(uuid.UUID(item)) for item in value.split(",")]
        if kind == "number":
            return float(value)
        if kind == "datetime":
            return datetime.fromisoformat(value).isoformat()
        if kind == "date":
            return date.fromisoformat(value).isoformat()
    except ValueError:
        asked = {"uuid": "UUID", "uuids": "UUID", "number": "number", "datetime": "date/time", "date": "date"}[kind]
        article = "a" if kind == "number" else "a valid"
        raise ValidationFailure({name: [f"Enter {article} {asked}."]}) from None
    if kind == "boolean":
        return {"true": True, "false": False}.get(value.lower())
    return value
