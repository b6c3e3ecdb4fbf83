"""Records in SQLite, with a cache of every table in memory and one writer at a time."""

from __future__ import annotations

import json
import sqlite3
import threading
import uuid
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from alyx_client.testing.records.json_values import as_list

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
    Every table is read from SQLite once and then served from memory; writes go to both. A lock admits one thread at
    a time, so every request sees and leaves a consistent state.
    """

    def __init__(self, database: str = ":memory:") -> None:
        # Reentrant: a view holds it for its whole transaction and calls the methods below.
        self.lock = threading.RLock()
        # Shared by the threads of the server and the test; `isolation_level=None` leaves BEGIN to `transaction`.
        self._connection = sqlite3.connect(database, check_same_thread=False, isolation_level=None)
        self._connection.executescript(_SCHEMA)
        if database != ":memory:":
            # A test database need not survive a power failure, so no commit waits for the disk.
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
        self._tables: dict[str, dict[Key, Record]] = {}
        self._indexes: dict[tuple[str, str], dict[Any, list[Record]]] = {}
        self._depth = 0

    def copy_from(self, other: Store) -> None:
        """Replace all records and files by those of another store."""
        with other.lock, self.lock:
            other._connection.backup(self._connection)
            self._forget()

    def close(self) -> None:
        """Close the database; the store cannot be used afterwards."""
        with self.lock:
            self._connection.close()

    @property
    def empty(self) -> bool:
        """True if there are no records."""
        with self.lock:
            return self._connection.execute("SELECT 1 FROM records LIMIT 1").fetchone() is None

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Commit all changes of the block, or roll them back if an exception leaves it; may be nested."""
        with self.lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                # Memory has changes that the database has just discarded.
                if self._depth == 0:
                    self._connection.execute("ROLLBACK")
                    self._forget()
                raise
            self._depth -= 1
            if self._depth == 0:
                self._connection.execute("COMMIT")

    def rows(self, table: str) -> list[Record]:
        """Return the records of a table in the order of creation; they must not be changed in place."""
        with self.lock:
            return list(self._load(table).values())

    def get(self, table: str, key: Key | None) -> Record | None:
        """Return a record by primary key, or None."""
        if key is None:
            return None
        with self.lock:
            return self._load(table).get(key)

    def related(self, table: str, field: str, value: object) -> list[Record]:
        """Return the records whose field equals the value or, for a field with several values, contains it."""
        if isinstance(value, (dict, list)):
            return []
        with self.lock:
            index = self._indexes.get((table, field))
            if index is None:
                index = dict[Any, list[Record]]()
                for record in self._load(table).values():
                    for item in as_list(record.get(field)):
                        if not isinstance(item, (dict, list)):
                            index.setdefault(item, []).append(record)
                # Dropped at the next write to the table: seeds and tests read far more than they write.
                self._indexes[table, field] = index
            return list(index.get(value, ()))

    def find(self, table: str, field: str, value: object) -> Record | None:
        """Return the first record whose field equals the value, or None."""
        return next(iter(self.related(table, field, value)), None)

    def insert(self, table: str, record: Mapping[str, Any]) -> Record:
        """Add a record, with a random primary key if it has none, and return it."""
        created = {"id": record.get("id"), **record}
        if created["id"] is None:
            created["id"] = str(uuid.uuid4())
        with self.lock:
            loaded = self._load(table)
            self._connection.execute(
                "INSERT INTO records (kind, key, body) VALUES (?, ?, ?)",
                (table, str(created["id"]), json.dumps(created)),
            )
            loaded[created["id"]] = created
            self._drop_indexes(table)
        return created

    def update(self, table: str, key: Key, changes: Mapping[str, Any]) -> Record:
        """Change a record and return its new state."""
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
        """Store the bytes of a file under a path."""
        with self.lock:
            self._connection.execute("INSERT OR REPLACE INTO files (path, content) VALUES (?, ?)", (path, content))

    def read_file(self, path: str) -> bytes | None:
        """Return the bytes stored under a path, or None."""
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


def primary_key(record: Record) -> Key:
    """Return the primary key of a record."""
    key: Key = record["id"]
    return key
