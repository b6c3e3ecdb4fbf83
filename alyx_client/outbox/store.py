"""The writes and their states, in a SQLite database that processes share.

Each method is one transaction, which is on the disk when the method returns.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Generator, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from alyx_client.errors import InvalidCallError, OutboxDamagedError, OutboxError
from alyx_client.http.message import FilePart
from alyx_client.outbox.capture import Captured
from alyx_client.outbox.done import fill_second_version, finish, prune
from alyx_client.outbox.entries import Entry, State
from alyx_client.outbox.rows import (
    LARGEST,
    add_dependencies,
    add_files,
    check_all,
    digest_of,
    file_part,
    forget,
    read_one,
    read_several,
    require_present,
    unknown,
    why_not,
)
from alyx_client.outbox.stored_request import dump_request
from alyx_client.outbox.watch import FILE_NAME
from alyx_client.runtime.placeholders import new_token
from alyx_client.storage.durable import (
    DurableDamagedError,
    DurableDatabase,
    DurableUnavailableError,
)
from alyx_client.storage.file_system import user_label

if TYPE_CHECKING:
    from sqlite3 import Connection

__all__ = ["OPEN", "Store"]

_FIRST = (
    "CREATE TABLE writes (number INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL UNIQUE, "
    "endpoint TEXT NOT NULL, action TEXT NOT NULL, state TEXT NOT NULL, created TEXT NOT NULL, user TEXT, "
    "identity TEXT, origin TEXT NOT NULL, request TEXT NOT NULL, digest TEXT NOT NULL, preserved TEXT NOT NULL, "
    "reason TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0, "
    "revision INTEGER NOT NULL DEFAULT 0, doubtful INTEGER NOT NULL DEFAULT 0, "
    "result TEXT)",
    "CREATE TABLE files (number INTEGER NOT NULL, place INTEGER NOT NULL, field TEXT NOT NULL, name TEXT NOT NULL, "
    "media_type TEXT NOT NULL, sha256 TEXT NOT NULL, content BLOB, path TEXT, PRIMARY KEY (number, place))",
)
_SECOND = (
    "ALTER TABLE writes ADD COLUMN finished TEXT",
    "ALTER TABLE writes ADD COLUMN key TEXT",
    "CREATE INDEX writes_by_state ON writes (state, number, user, identity)",
    "CREATE INDEX writes_by_key ON writes (key) WHERE key IS NOT NULL",
    # Of the writes that are not done alone.
    "CREATE TABLE dependencies (number INTEGER NOT NULL, token TEXT NOT NULL, PRIMARY KEY (number, token)) "
    "WITHOUT ROWID",
    "CREATE INDEX dependencies_by_token ON dependencies (token)",
    fill_second_version,
)
OPEN: tuple[State, ...] = ("queued", "sending", "uncertain")
"""The states of writes that are sent without anybody's doing."""
_BATCH = 100
_LEFT: tuple[State, ...] = (*OPEN, "held", "refused")
# The last write that this process knows to be as it was stored, by file.
_CHECKED: dict[str, int] = {}


class Store:
    """The writes for one server.

    Parameters
    ----------
    folder
        The folder of its file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = DurableDatabase(folder / FILE_NAME, (_FIRST, _SECOND))

    @contextlib.contextmanager
    def _transaction(self, note: str = "") -> Generator[Connection]:
        try:
            with self.database.transaction() as connection:
                yield connection
        except DurableDamagedError as error:
            problem = OutboxDamagedError(
                f"The outbox was damaged ({error}); it is now {error.aside}, unchanged, and may hold writes that "
                "were not sent. Keep the file: `sqlite3 FILE .recover` reads what can be read. Writes go to a new file."
                + note
            )
            problem.path = str(error.aside)
            raise problem from error
        except DurableUnavailableError as error:
            raise OutboxError(f"The outbox cannot be used: {error}.{note}") from error

    def add(self, call: Captured, user: str | None, identity: str | None) -> Entry:
        """Store a write.

        Parameters
        ----------
        call
            The call.
        user, identity
            The user, as far as known.

        Raises
        ------
        InvalidKeyError
            It refers to a write that is not in this outbox.
        OutboxError
            It could not be stored.
        """
        token, request = new_token(), call.request
        text = dump_request(request)
        with self._transaction(" This write is neither stored nor sent.") as connection:
            # Before the write is in it: a file that is set aside must not hold a write that the caller repeats.
            file = os.fspath(self.database.file)
            check_all(connection, after=_CHECKED.get(file, 0) if self.database.is_verified else 0)
            require_present(connection, request)
            cursor = connection.execute(
                "INSERT INTO writes (token, endpoint, action, state, created, user, identity, origin, request, "
                "digest, preserved) VALUES (?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?)",
                (
                    token,
                    call.action.endpoint,
                    call.action.name,
                    datetime.now(UTC).isoformat(timespec="microseconds"),
                    user,
                    identity,
                    f"{user_label()}@{socket.gethostname()}, process {os.getpid()}",
                    text,
                    digest_of(text),
                    ",".join(call.preserved),
                ),
            )
            number = cast("int", cursor.lastrowid)
            add_files(connection, number, call)
            add_dependencies(connection, number, request)
            entry = read_one(connection, token)
        _CHECKED[file] = number
        return entry

    def replace(self, token: str, call: Captured) -> Entry:
        """Store another request in place of a write's, and let it be sent again."""
        text = dump_request(call.request)
        with self._transaction() as connection:
            entry = read_one(connection, token)
            in_doubt = entry.doubtful and entry.action == "create"
            if entry.state not in ("queued", "refused", "held") or in_doubt:
                raise InvalidCallError(f"This write cannot be edited: {why_not(entry)}")
            if (entry.endpoint, entry.action) != (call.action.endpoint, call.action.name):
                raise InvalidCallError(f"This write is one of {entry.endpoint}.{entry.action}()")
            require_present(connection, call.request, before=entry.number)
            connection.execute(
                "UPDATE writes SET state='queued', reason='', doubtful=0, revision=revision+1, request=?, digest=?, "
                "preserved=? WHERE token=?",
                (text, digest_of(text), ",".join(call.preserved), token),
            )
            forget(connection, entry.number)
            add_files(connection, entry.number, call)
            add_dependencies(connection, entry.number, call.request)
            return read_one(connection, token)

    def get(self, token: str) -> Entry:
        """Return a write; InvalidKeyError if there is none."""
        if not self.database.exists():
            raise unknown(token)
        with self._transaction() as connection:
            return read_one(connection, token)

    def entries(self, states: Iterable[State] | None = None) -> list[Entry]:
        """Return the writes in some states, in order; by default all that are not done."""
        if not self.database.exists():
            return []
        with self._transaction() as connection:
            return read_several(connection, states or _LEFT)

    def count(self) -> int:
        """Return how many writes are not done."""
        if not self.database.exists():
            return 0
        with self._transaction() as connection:
            marks = ",".join("?" * len(_LEFT))
            query = f"SELECT count(*) FROM writes WHERE state IN ({marks})"
            return cast("int", connection.execute(query, _LEFT).fetchone()[0])

    def owners_of_open(self, before: int | None = None) -> dict[tuple[str | None, str | None], int]:
        """Return how many writes each user, with each token, has that are to be sent, perhaps only before one."""
        if not self.database.exists():
            return {}
        with self._transaction() as connection:
            marks = ",".join("?" * len(OPEN))
            query = f"SELECT user, identity, count(*) FROM writes WHERE state IN ({marks}) AND number < ? GROUP BY 1, 2"
            rows = connection.execute(query, (*OPEN, LARGEST if before is None else before)).fetchall()
        return {(user, identity): count for user, identity, count in rows}

    def last_number(self) -> int:
        """Return the number of the last write; 0 if there is none."""
        with self._transaction() as connection:
            return cast("int", connection.execute("SELECT coalesce(max(number), 0) FROM writes").fetchone()[0])

    def waiting(self, after: int, last: int) -> list[Entry]:
        """Return the next writes that are to be sent, some at a time, up to the last one."""
        with self._transaction() as connection:
            return read_several(connection, OPEN, after, last, _BATCH)

    def set_state(
        self,
        token: str,
        state: State,
        *,
        expected: Sequence[State],
        reason: str = "",
        doubtful: bool | None = None,
        result: str | None = None,
        attempt: bool = False,
        revision: int | None = None,
    ) -> Entry:
        """Change a write's state.

        Parameters
        ----------
        token
            The write.
        state
            The new state.
        expected
            The states that it may have.
        reason
            The reason.
        doubtful
            Whether the server may have carried it out; None for no change.
        result
            The server's response.
        attempt
            Whether this is another attempt to send it.
        revision
            How often it was edited when the caller read it; None for any.

        Raises
        ------
        InvalidCallError
            It is in another state: another process was faster.
        """
        with self._transaction() as connection:
            entry = read_one(connection, token)
            if entry.state not in expected or revision not in (None, entry.revision):
                raise InvalidCallError(why_not(entry))
            connection.execute(
                "UPDATE writes SET state=?, reason=?, doubtful=?, result=?, attempts=attempts+? WHERE token=?",
                (state, reason, entry.doubtful if doubtful is None else doubtful, result, int(attempt), token),
            )
            entry = read_one(connection, token)
            if state == "done":
                finish(connection, entry)
                prune(connection)
            return entry

    def set_owner(self, token: str, user: str | None, identity: str | None) -> Entry:
        """Make a write that is nobody's one of a user."""
        with self._transaction() as connection:
            entry = read_one(connection, token)
            if entry.user is not None:
                raise InvalidCallError(f"This write is one of {entry.user}")
            connection.execute("UPDATE writes SET user=?, identity=? WHERE token=?", (user, identity, token))
            return read_one(connection, token)

    def recover(self) -> None:
        """Note that the requests of senders that died may have been carried out; only with the lock of senders."""
        if self.entries(["sending"]):
            with self._transaction() as connection:
                connection.execute(
                    "UPDATE writes SET state='uncertain', doubtful=1, "
                    "reason='the process that sent it ended before the response was stored' WHERE state='sending'"
                )

    def remove(self, token: str, *, expected: Sequence[State]) -> Entry:
        """Remove a write, and return it.

        Raises
        ------
        InvalidCallError
            It is in another state, or other writes depend on it.
        """
        with self._transaction() as connection:
            entry = read_one(connection, token)
            if entry.state not in expected:
                raise InvalidCallError(why_not(entry))
            query = "SELECT number FROM dependencies WHERE token=? ORDER BY number"
            if dependents := connection.execute(query, (token,)).fetchall():
                numbers = ", ".join(str(number) for (number,) in dependents)
                raise InvalidCallError(f"This write cannot be dropped: others depend on it, drop them first: {numbers}")
            forget(connection, entry.number)
            connection.execute("DELETE FROM writes WHERE token=?", (token,))
            return entry

    def files(self, entry: Entry) -> tuple[FilePart, ...]:
        """Return the files of a write.

        Raises
        ------
        InvalidCallError
            A file that is referred to is missing, or another one.
        """
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT field, name, media_type, sha256, content, path FROM files WHERE number=? ORDER BY place",
                (entry.number,),
            ).fetchall()
        return tuple(file_part(*row) for row in rows)

    def is_known(self, endpoint: str, key: str) -> bool:
        """Return whether a record is that of a write of this outbox."""
        with self._transaction() as connection:
            query = "SELECT 1 FROM writes WHERE key=? AND endpoint=? AND state='done' LIMIT 1"
            return connection.execute(query, (key, endpoint)).fetchone() is not None
