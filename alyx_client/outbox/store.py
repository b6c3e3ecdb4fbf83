"""The writes and their states, in a SQLite database that processes share.

Each method is one transaction, which is on the disk when the method returns.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import socket
from collections.abc import Generator, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from alyx_client.errors import InvalidCallError, InvalidKeyError, OutboxDamagedError, OutboxError
from alyx_client.http.message import FilePart, Request
from alyx_client.outbox.capture import Captured
from alyx_client.outbox.entries import Entry, Receipt, State
from alyx_client.outbox.stored_request import dump_request, load_request, placeholders_of
from alyx_client.runtime.placeholders import new_token
from alyx_client.storage.durable import (
    DamagedContentError,
    DurableDamagedError,
    DurableDatabase,
    DurableUnavailableError,
)
from alyx_client.storage.file_system import user_folder, user_label

if TYPE_CHECKING:
    from sqlite3 import Connection

__all__ = ["OPEN", "Store", "dependencies", "folder_of"]

_VERSION = 1
_SCHEMA = (
    "CREATE TABLE writes (number INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL UNIQUE, "
    "endpoint TEXT NOT NULL, action TEXT NOT NULL, state TEXT NOT NULL, created TEXT NOT NULL, user TEXT, "
    "identity TEXT, origin TEXT NOT NULL, request TEXT NOT NULL, digest TEXT NOT NULL, preserved TEXT NOT NULL, "
    "reason TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0, "
    "revision INTEGER NOT NULL DEFAULT 0, doubtful INTEGER NOT NULL DEFAULT 0, "
    "result TEXT)",
    "CREATE TABLE files (number INTEGER NOT NULL, place INTEGER NOT NULL, field TEXT NOT NULL, name TEXT NOT NULL, "
    "media_type TEXT NOT NULL, sha256 TEXT NOT NULL, content BLOB, path TEXT, PRIMARY KEY (number, place))",
)
_COLUMNS = (
    "number, token, endpoint, action, state, created, user, identity, origin, request, digest, preserved, reason, "
    "attempts, revision, doubtful, result"
)
OPEN: tuple[State, ...] = ("queued", "sending", "uncertain")
"""The states of writes that are sent without anybody's doing."""
_LEFT: tuple[State, ...] = (*OPEN, "held", "refused")


def folder_of(base_url: str) -> Path:
    """Return the folder of a server's outbox, which is not that of the cache: that may be deleted."""
    label = re.sub(r"[^\w.-]+", "_", urlsplit(base_url).netloc)[:60]
    return user_folder("data") / "outbox" / f"{label}-{hashlib.sha256(base_url.encode()).hexdigest()[:8]}"


class Store:
    """The writes for one server.

    Parameters
    ----------
    folder
        The folder of its file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = DurableDatabase(folder / "outbox.sqlite", _SCHEMA, _VERSION)

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
            _check_all(connection)
            _require_present(connection, request)
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
                    _digest(text),
                    ",".join(call.preserved),
                ),
            )
            _add_files(connection, cast("int", cursor.lastrowid), call)
            return _one(connection, token)

    def replace(self, token: str, call: Captured) -> Entry:
        """Store another request in place of a write's, and let it be sent again."""
        text = dump_request(call.request)
        with self._transaction() as connection:
            entry = _one(connection, token)
            in_doubt = entry.doubtful and entry.action == "create"
            if entry.state not in ("queued", "refused", "held") or in_doubt:
                raise InvalidCallError(f"This write cannot be edited: {_why_not(entry)}")
            if (entry.endpoint, entry.action) != (call.action.endpoint, call.action.name):
                raise InvalidCallError(f"This write is one of {entry.endpoint}.{entry.action}()")
            _require_present(connection, call.request, before=entry.number)
            connection.execute(
                "UPDATE writes SET state='queued', reason='', doubtful=0, revision=revision+1, request=?, digest=?, "
                "preserved=? WHERE token=?",
                (text, _digest(text), ",".join(call.preserved), token),
            )
            connection.execute("DELETE FROM files WHERE number=?", (entry.number,))
            _add_files(connection, entry.number, call)
            return _one(connection, token)

    def get(self, token: str) -> Entry:
        """Return a write; InvalidKeyError if there is none."""
        if not self.database.exists():
            raise _unknown(token)
        with self._transaction() as connection:
            return _one(connection, token)

    def entries(self, states: Iterable[State] | None = None) -> list[Entry]:
        """Return the writes in some states, in order; by default all that are not done."""
        if not self.database.exists():
            return []
        with self._transaction() as connection:
            return _several(connection, states or _LEFT)

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
            entry = _one(connection, token)
            if entry.state not in expected or revision not in (None, entry.revision):
                raise InvalidCallError(_why_not(entry))
            connection.execute(
                "UPDATE writes SET state=?, reason=?, doubtful=?, result=?, attempts=attempts+? WHERE token=?",
                (state, reason, entry.doubtful if doubtful is None else doubtful, result, int(attempt), token),
            )
            if state == "done":
                # The record is on the server; copies of its files would stay for ever.
                connection.execute("UPDATE files SET content=NULL WHERE number=?", (entry.number,))
            return _one(connection, token)

    def set_owner(self, token: str, user: str | None, identity: str | None) -> Entry:
        """Make a write that is nobody's one of a user."""
        with self._transaction() as connection:
            entry = _one(connection, token)
            if entry.user is not None:
                raise InvalidCallError(f"This write is one of {entry.user}")
            connection.execute("UPDATE writes SET user=?, identity=? WHERE token=?", (user, identity, token))
            return _one(connection, token)

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
            entry = _one(connection, token)
            if entry.state not in expected:
                raise InvalidCallError(_why_not(entry))
            dependents = [other for other in _several(connection, _LEFT) if token in dependencies(other.request)]
            if dependents:
                numbers = ", ".join(str(dependent.number) for dependent in dependents)
                raise InvalidCallError(f"This write cannot be dropped: others depend on it, drop them first: {numbers}")
            connection.execute("DELETE FROM files WHERE number=?", (entry.number,))
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
        return tuple(_file_part(*row) for row in rows)

    def known_keys(self) -> set[str]:
        """Return the keys of the records that writes of this outbox have created."""
        return {entry.key for entry in self.entries(["done"]) if entry.key is not None}


def dependencies(request: Request) -> set[str]:
    """Return the writes that a request depends on."""
    return {placeholder.token for placeholder in placeholders_of(request)}


def _require_present(connection: Connection, request: Request, before: int | None = None) -> None:
    for token in dependencies(request):
        entry = _one(connection, token)
        if before is not None and entry.number >= before:
            raise InvalidCallError("A write cannot depend on one that comes after it")


def _add_files(connection: Connection, number: int, call: Captured) -> None:
    for place, part in enumerate(call.request.files):
        path = call.paths.get(part.name)
        connection.execute(
            "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                number,
                place,
                part.name,
                part.filename,
                part.content_type,
                hashlib.sha256(part.content).hexdigest(),
                part.content if path is None else None,
                path,
            ),
        )


def _file_part(
    field: str, name: str, media_type: str, sha256: str, content: bytes | None, path: str | None
) -> FilePart:
    if content is None:
        try:
            content = Path(path or "").read_bytes()
        except OSError as error:
            raise InvalidCallError(f"the file {path} cannot be read ({error.strerror})") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise InvalidCallError(f"the file {path or name} is not the one that it was when the write was stored")
    return FilePart(field, name, content, media_type)


def _one(connection: Connection, token: str) -> Entry:
    row = connection.execute(f"SELECT {_COLUMNS} FROM writes WHERE token=?", (token,)).fetchone()
    if row is None:
        raise _unknown(token)
    return _entry(connection, row)


def _several(connection: Connection, states: Iterable[State]) -> list[Entry]:
    wanted = tuple(states)
    marks = ",".join("?" * len(wanted))
    query = f"SELECT {_COLUMNS} FROM writes WHERE state IN ({marks}) ORDER BY number"
    return [_entry(connection, row) for row in connection.execute(query, wanted).fetchall()]


def _entry(connection: Connection, row: tuple[Any, ...]) -> Entry:
    number, token, endpoint, action, state, created, user, identity, origin, request, digest, *rest = row
    preserved, reason, attempts, revision, doubtful, result = rest
    _check(number, request, digest)
    files = connection.execute("SELECT coalesce(path, name) FROM files WHERE number=? ORDER BY place", (number,))
    return Entry(
        number,
        Receipt(token, endpoint, action),
        state,
        created,
        user,
        identity,
        origin,
        load_request(request),
        tuple(name for name in preserved.split(",") if name),
        reason,
        attempts,
        revision,
        bool(doubtful),
        result,
        tuple(name for (name,) in files.fetchall()),
    )


def _check_all(connection: Connection) -> None:
    for row in connection.execute("SELECT number, request, digest FROM writes").fetchall():
        _check(*row)


def _check(number: int, request: str, digest: str) -> None:
    # SQLite does not notice every damage, and a wrong value would be sent.
    if _digest(request) != digest:
        raise DamagedContentError(f"write {number} is not as it was stored")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _unknown(token: str) -> InvalidKeyError:
    return InvalidKeyError(f"There is no write {token[:8]}… in this outbox: it was dropped, or is another server's")


def _why_not(entry: Entry) -> str:
    return {
        "queued": "it waits",
        "sending": "it is being sent",
        "uncertain": "the server may have carried it out; send the outbox, which finds out",
        "held": "the server may have carried it out; settle(), resend() or drop() it",
        "refused": "the server has refused it",
        "done": "the server has carried it out",
    }[entry.state]
