"""The context of a write: the records, and the user on whose behalf they are changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from alyx_client.testing.records.relations import Table
from alyx_client.testing.records.store import Record, Store


@dataclass(frozen=True)
class WriteContext:
    """The records, their description, and the authenticated user; None for the server itself."""

    store: Store
    tables: Mapping[str, Table]
    user: Record | None


def now() -> str:
    """Return the current time as Alyx writes it: local, without a time zone."""
    return datetime.now().isoformat()
