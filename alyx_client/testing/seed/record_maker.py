"""Creation of records with the same keys and dates in every run."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from alyx_client.testing.records.editor import Editor
from alyx_client.testing.records.relations import Relation, Table
from alyx_client.testing.records.store import Key, Record, Store, primary_key

_NAMESPACE = uuid.UUID("a1b2c3d4-0000-4000-8000-000000000a17")
_TIMESTAMP = "2021-06-01T12:00:00.000001"
_TIMESTAMP_COLUMNS = (
    *("date_joined", "created_datetime", "auto_datetime", "datetime"),
    *("last_download", "first_download"),
)


def key_of(table: str, name: object) -> str:
    """Return the primary key of a seeded record."""
    return str(uuid.uuid5(_NAMESPACE, f"{table}/{name}"))


class RecordMaker:
    """Creates records whose keys follow from their names.

    Parameters
    ----------
    store, tables
        The records and their description.
    """

    def __init__(self, store: Store, tables: Mapping[str, Table]) -> None:
        self.store = store
        self.tables = tables
        self.editor = Editor(store, tables, None)

    def add(self, table_name: str, name: object, /, **values: Any) -> Record:
        """Create a record; relations are named by their slugs."""
        table = self.tables[table_name]
        stored: Record = {"id": name if table.has_integer_key else key_of(table_name, name)}
        for field, value in values.items():
            relation = table.relations.get(field)
            stored[field] = value if relation is None or value is None else self._keys(relation, value)
        for column in _TIMESTAMP_COLUMNS:
            if column in table.columns:
                stored.setdefault(column, _TIMESTAMP)
        record = self.editor.create(table_name, stored)
        # A write sets these columns to the current time, but seeds are the same in every run.
        timestamps = {column: stored[column] for column in table.auto_now if column in stored}
        return self.store.update(table_name, record["id"], timestamps) if timestamps else record

    def _keys(self, relation: Relation, value: Any) -> Key | list[Key]:
        if relation.many:
            return [self._key(relation, slug) for slug in value]
        return self._key(relation, value)

    def _key(self, relation: Relation, slug: Key) -> Key:
        if relation.slug_field == "id":
            record = self.store.get(relation.to, slug)
        else:
            record = self.store.find(relation.to, relation.slug_field, slug)
        if record is None:
            raise LookupError(f"no record of {relation.to} with {relation.slug_field}={slug!r} among the seeds")
        return primary_key(record)
