"""Create, update and delete records, with the side effects that Alyx has."""

from __future__ import annotations

from collections.abc import Mapping

from alyx_client.testing.failures import Failure, ServerFailure
from alyx_client.testing.records.hooks import POST_SAVE, PRE_CREATE, PRE_UPDATE
from alyx_client.testing.records.relations import NOW, USER, Table
from alyx_client.testing.records.store import Key, Record, Store
from alyx_client.testing.records.write_context import WriteContext, now

_EMPTY_VALUES: dict[str, object] = {"text": "", "bool": False, "floats": [], "int": 0, "float": 0.0}


class Editor:
    """Writes records on behalf of one user.

    Parameters
    ----------
    store, tables
        The records and their description.
    user
        The authenticated user, or None for the server itself.
    """

    def __init__(self, store: Store, tables: Mapping[str, Table], user: Record | None) -> None:
        self.store = store
        self.tables = tables
        self.context = WriteContext(store, tables, user)

    def complete(self, table_name: str, values: Mapping[str, object]) -> Record:
        """Return a new record with every column and relation; defaults replace absent values."""
        table = self.tables[table_name]
        record: Record = {}
        for name, column in table.columns.items():
            record[name] = self._default(table, name, None if column.nullable else _EMPTY_VALUES.get(column.kind))
        for name, relation in table.relations.items():
            record[name] = self._default(table, name, [] if relation.many else None)
        # Also values of fields that are not stored, such as a dataset's `date`: hooks read them.
        record.update(values)
        for name in table.auto_now:
            record[name] = now()
        if record["id"] == "":
            record["id"] = None
        return record

    def create(self, table_name: str, values: Mapping[str, object]) -> Record:
        """Create a record."""
        record = self.complete(table_name, values)
        self._refuse_duplicates(table_name, record)
        if table_name in PRE_CREATE:
            PRE_CREATE[table_name](self.context, record, values)
        created = self.store.insert(table_name, self._stored_fields(table_name, record))
        if table_name in POST_SAVE:
            POST_SAVE[table_name](self.context, created, values)
        # The hook may have changed the record again.
        return self.store.get(table_name, created["id"]) or created

    def update(self, table_name: str, key: Key, values: Mapping[str, object]) -> Record:
        """Change a record."""
        changes = self._stored_fields(table_name, values)
        if table_name in PRE_UPDATE:
            PRE_UPDATE[table_name](self.store.get(table_name, key) or {}, changes)
        timestamps = {name: now() for name in self.tables[table_name].auto_now}
        updated = self.store.update(table_name, key, {**changes, **timestamps})
        if table_name in POST_SAVE:
            POST_SAVE[table_name](self.context, updated, values)
        return self.store.get(table_name, key) or updated

    def delete(self, table_name: str, key: Key) -> None:
        """Delete a record, and the records that cascade from it."""
        # Only here: Django's cascade does not call `Dataset.delete`, so deleting a session deletes its protected
        # datasets as well.
        if table_name == "datasets":
            self._refuse_protected(key)
        self._delete(table_name, key)

    def _delete(self, table_name: str, key: Key) -> None:
        if self.store.get(table_name, key) is None:
            return
        for other in self.tables.values():
            for name, relation in other.relations.items():
                if relation.to != table_name:
                    continue
                for row in self.store.related(other.name, name, key):
                    # The rows of a many-to-many relation's own table go with either side.
                    if relation.many:
                        remaining = [related for related in row[name] if related != key]
                        self.store.update(other.name, row["id"], {name: remaining})
                    elif relation.on_delete == "cascade":
                        self._delete(other.name, row["id"])
                    else:
                        self.store.update(other.name, row["id"], {name: None})
        self.store.remove(table_name, key)

    def _refuse_duplicates(self, table_name: str, record: Record) -> None:
        # Serializers skip the uniqueness check for empty text; in Alyx it is the database that refuses it.
        table = self.tables[table_name]
        for name in (names[0] for names in table.unique if len(names) == 1):
            value = record[name]
            if value is None or self.store.find(table_name, name, value) is None:
                continue
            constraint = f"{table.app}_{table.model.lower()}_{name}_key"
            raise ServerFailure(
                f'duplicate key value violates unique constraint "{constraint}"\n'
                f"DETAIL:  Key ({name})=({value}) already exists.\n"
            )

    def _refuse_protected(self, key: Key) -> None:
        dataset = self.store.get("datasets", key)
        assert dataset is not None
        tags = [tag for tag_key in dataset["tags"] if (tag := self.store.get("tags", tag_key)) and tag["protected"]]
        if tags:
            names = ", ".join(f'"{tag["name"]}"' for tag in tags)
            detail = f"Failed to delete dataset {dataset['name']} due to protected tag(s) {names}"
            raise Failure(403, {"detail": detail})

    def _default(self, table: Table, name: str, empty: object) -> object:
        default = table.defaults.get(name, empty)
        if default == USER:
            user = self.context.user["id"] if self.context.user else None
            if table.relations[name].many:
                return [user] if user else []
            return user
        return now() if default == NOW else default

    def _stored_fields(self, table_name: str, values: Mapping[str, object]) -> Record:
        table = self.tables[table_name]
        return {name: value for name, value in values.items() if name in table.columns or name in table.relations}
