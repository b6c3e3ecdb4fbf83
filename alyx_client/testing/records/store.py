"""Records kept in SQLite, with one writer at a time and the records of each table held ready for reading."""

from __future__ import annotations

import json
import sqlite3
import threading
import uuid
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

Record = dict[str, Any]
Key = str | int

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (kind, key)
);
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, content BLOB NOT NULL);
"""


class Store:
    """The records of a local Alyx.

    Parameters
    ----------
    database
        A file, or ``":memory:"``.

    Notes
    -----
    Every table is read from SQLite once and then answered from memory; writes go to both. A lock lets one
    thread at a time in, so a request sees and leaves a consistent state.
    """

    def __init__(self, database: str = ":memory:") -> None:
        self.lock = threading.RLock()
        self._connection = sqlite3.connect(database, check_same_thread=False, isolation_level=None)
        self._connection.executescript(_SCHEMA)
        if database != ":memory:":
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
        self._tables: dict[str, dict[Key, Record]] = {}
        self._indexes: dict[tuple[str, str], dict[Any, list[Record]]] = {}
        self._depth = 0

    def copy_from(self, other: Store) -> None:
        """Replace what is here by the records of another store."""
        with other.lock, self.lock:
            other._connection.backup(self._connection)
            self._forget()

    def close(self) -> None:
        """Close the database; the store cannot be used afterwards."""
        with self.lock:
            self._connection.close()

    @property
    def empty(self) -> bool:
        """Whether there is no record at all."""
        with self.lock:
            return self._connection.execute("SELECT 1 FROM records LIMIT 1").fetchone() is None

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Keep every change made inside, or none of them if an exception leaves the block."""
        with self.lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._connection.execute("ROLLBACK")
                    self._forget()
                raise
            self._depth -= 1
            if self._depth == 0:
                self._connection.execute("COMMIT")

    def rows(self, table: str) -> list[Record]:
        """Return the records of a table in the order in which they were made; they must not be changed in place."""
        with self.lock:
            return list(self._load(table).values())

    def get(self, table: str, key: Key | None) -> Record | None:
        """Return a record by primary key, or None."""
        if key is None:
            return None
        with self.lock:
            return self._load(table).get(key)

    def related(self, table: str, field: str, value: object) -> list[Record]:
        """Return the records whose field is the value, or, where the field holds several, has it among them."""
        with self.lock:
            index = self._indexes.get((table, field))
            if index is None:
                index = dict[Any, list[Record]]()
                for record in self._load(table).values():
                    for item in as_list(record.get(field)):
                        if not isinstance(item, (dict, list)):
                            index.setdefault(item, []).append(record)
                self._indexes[table, field] = index
            return list(index.get(value, ()))

    def find(self, table: str, field: str, value: object) -> Record | None:
        """Return the first record whose field is the value, or None."""
        found = self.related(table, field, value)
        return found[0] if found else None

    def insert(self, table: str, record: Mapping[str, Any]) -> Record:
        """Add a record, giving it a primary key if it has none, and return it."""
        made = {"id": record.get("id", None), **record}
        if made["id"] is None:
            made["id"] = str(uuid.uuid4())
        with self.lock:
            loaded = self._load(table)
            self._connection.execute(
                "INSERT INTO records (kind, key, body) VALUES (?, ?, ?)", (table, str(made["id"]), json.dumps(made))
            )
            loaded[made["id"]] = made
            self._drop_indexes(table)
        return made

    def update(self, table: str, key: Key, changes: Mapping[str, Any]) -> Record:
        """Change a record and return it as it is now."""
        with self.lock:
            loaded = self._load(table)
            changed = {**loaded[key], **changes}
            self._connection.execute(
                "UPDATE records SET body = ? WHERE kind = ? AND key = ?", (json.dumps(changed), table, str(key))
            )
            loaded[key] = changed
            self._drop_indexes(table)
        return changed

    def remove(self, table: str, key: Key) -> None:
        """Remove a record."""
        with self.lock:
            self._connection.execute("DELETE FROM records WHERE kind = ? AND key = ?", (table, str(key)))
            self._load(table).pop(key, None)
            self._drop_indexes(table)

    def save_file(self, path: str, content: bytes) -> None:
        """Keep the bytes of a file under a path."""
        with self.lock:
            self._connection.execute("INSERT OR REPLACE INTO files (path, content) VALUES (?, ?)", (path, content))

    def read_file(self, path: str) -> bytes | None:
        """Return the bytes kept under a path, or None."""
        with self.lock:
            row = self._connection.execute("SELECT content FROM files WHERE path = ?", (path,)).fetchone()
        return bytes(row[0]) if row else None

    def _load(self, table: str) -> dict[Key, Record]:
        loaded = self._tables.get(table)
        if loaded is None:
            rows = self._connection.execute("SELECT body FROM records WHERE kind = ? ORDER BY position", (table,))
            loaded = {}
            for (body,) in rows:
                record: Record = json.loads(body)
                loaded[record["id"]] = record
            self._tables[table] = loaded
        return loaded

    def _drop_indexes(self, table: str) -> None:
        for key in [key for key in self._indexes if key[0] == table]:
            del self._indexes[key]

    def _forget(self) -> None:
        self._tables.clear()
        self._indexes.clear()


def as_list(held: Any) -> list[Any]:
    """Return what a field holds as a list."""
    return list(held) if isinstance(held, list) else [held]  # pyright: ignore[reportUnknownArgumentType]
