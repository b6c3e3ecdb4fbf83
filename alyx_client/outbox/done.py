"""Writes that are done: remembered for a while, so that receipts lead to their records, and then removed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import takewhile
from operator import itemgetter
from typing import TYPE_CHECKING

from alyx_client.outbox.entries import Entry, key_of_result
from alyx_client.outbox.rows import add_dependencies
from alyx_client.outbox.stored_request import load_request

if TYPE_CHECKING:
    from sqlite3 import Connection

__all__ = ["fill_second_version", "finish", "prune"]

_AGE = timedelta(days=90)
# So many remain in any case: the clock may be wrong.
_LEAST = 1000
_MOST = 20_000
# How many are removed at a time, so that no write takes long.
_BATCH = 5000


def finish(connection: Connection, entry: Entry) -> None:
    """Note when a write was done, and the key of its record; nothing else of it is needed."""
    connection.execute(
        "UPDATE writes SET finished=?, key=? WHERE number=?", (_now().isoformat(), entry.key, entry.number)
    )
    connection.execute("UPDATE files SET content=NULL WHERE number=?", (entry.number,))
    connection.execute("DELETE FROM dependencies WHERE number=?", (entry.number,))


def prune(connection: Connection) -> None:
    """Remove the oldest writes that are done, but for those that others depend on."""
    (count,) = connection.execute("SELECT count(*) FROM writes WHERE state='done'").fetchone()
    if count > _LEAST:
        before = (_now() - _AGE).isoformat()
        rows = connection.execute(
            "SELECT number, finished FROM writes WHERE state='done' AND NOT EXISTS "
            "(SELECT 1 FROM dependencies WHERE dependencies.token=writes.token) ORDER BY number LIMIT ?",
            (min(_BATCH, count - _LEAST),),
        )
        is_old = ((number, finished < before or place < count - _MOST) for place, (number, finished) in enumerate(rows))
        numbers = [number for number, _ in takewhile(itemgetter(1), is_old)]
        for table in ("files", "dependencies", "writes"):
            connection.executemany(f"DELETE FROM {table} WHERE number=?", [(number,) for number in numbers])


def fill_second_version(connection: Connection) -> None:
    """Fill in what files of the first version did not have."""
    now = _now().isoformat()
    for number, state, request, result in connection.execute(
        "SELECT number, state, request, result FROM writes"
    ).fetchall():
        if state != "done":
            add_dependencies(connection, number, load_request(request))
            continue
        key = None if result is None else key_of_result(result, "id")
        values = (now, None if key is None else str(key), number)
        connection.execute("UPDATE writes SET finished=?, key=? WHERE number=?", values)


def _now() -> datetime:
    return datetime.now(UTC)
