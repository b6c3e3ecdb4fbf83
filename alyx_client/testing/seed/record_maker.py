"""Making records with the same keys and dates in every run."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from alyx_client.testing.records.changes import Editor
from alyx_client.testing.records.relations import Table
from alyx_client.testing.records.store import Record, Store

_SPACE = uuid.UUID("a1b2c3d4-0000-4000-8000-000000000a17")


def key_of(table: str, name: object) -> str:
    """Return the primary key of a seeded record."""
    return str(uuid.uuid5(_SPACE, f"{table}/{name}"))


class RecordMaker:
    """Makes records whose keys follow from their names.

    Parameters
    ----------
    store, tables
        Where the records go and what they look like.
    """

    def __init__(self, store: Store, tables: Mapping[str, Table]) -> None:
        self.store = store
        self.tables = tables
        self.editor = Editor(store, tables, None)

    def add(self, table: str, name: object, /, **values: Any) -> Record:
        """Make a record; relations are given by slug."""
        described = self.tables[table]
        kept: dict[str, Any] = {"id": name if described.integer_key else key_of(table, name)}
        for field, value in values.items():
            relation = described.relations.get(field)
            if relation is None or value is None:
                kept[field] = value
            elif relation.many:
                kept[field] = [self.key_by(relation.to, relation.slug, one) for one in value]
            else:
                kept[field] = self.key_by(relation.to, relation.slug, value)
        for stamp in (
            "date_joined",
            "created_datetime",
            "auto_datetime",
            "datetime",
            "last_download",
            "first_download",
        ):
            if stamp in described.columns:
                kept.setdefault(stamp, "2021-06-01T12:00:00.000001")
        made = self.editor.create(table, kept)
        # Stamps are set when a record is written; seeds have fixed ones.
        stamps = {stamp: kept[stamp] for stamp in described.stamped if stamp in kept}
        return self.store.update(table, made["id"], stamps) if stamps else made

    def key_by(self, table: str, slug: str, value: object) -> object:
        """Return the primary key of a record that was made before."""
        found = self.store.get(table, value) if slug == "id" else self.store.find(table, slug, value)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        if found is None:
            raise LookupError(f"no {table} with {slug}={value!r} among the seeds")
        return found["id"]
