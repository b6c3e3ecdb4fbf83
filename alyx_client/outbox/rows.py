"""The rows of the outbox's tables as writes, with their files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alyx_client.errors import InvalidCallError, InvalidKeyError
from alyx_client.http.message import FilePart, Request
from alyx_client.outbox.capture import Captured
from alyx_client.outbox.entries import Entry, Receipt, State
from alyx_client.outbox.stored_request import load_request, placeholders_of
from alyx_client.storage.durable import DamagedContentError

if TYPE_CHECKING:
    from sqlite3 import Connection

__all__ = [
    "LARGEST",
    "add_dependencies",
    "add_files",
    "check_all",
    "dependencies",
    "digest_of",
    "file_part",
    "forget",
    "read_one",
    "read_several",
    "require_present",
    "unknown",
    "why_not",
]

LARGEST = 2**63 - 1
"""SQLite's largest number."""
_COLUMNS = (
    "number, token, endpoint, action, state, created, user, identity, origin, request, digest, preserved, reason, "
    "attempts, revision, doubtful, result"
)


def dependencies(request: Request) -> set[str]:
    """Return the writes that a request depends on."""
    return {placeholder.token for placeholder in placeholders_of(request)}


def require_present(connection: Connection, request: Request, before: int | None = None) -> None:
    """Raise InvalidKeyError if a request depends on a write that is not there."""
    for token in dependencies(request):
        entry = read_one(connection, token)
        if before is not None and entry.number >= before:
            raise InvalidCallError("A write cannot depend on one that comes after it")


def add_files(connection: Connection, number: int, call: Captured) -> None:
    """Store the files of a call."""
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


def add_dependencies(connection: Connection, number: int, request: Request) -> None:
    """Store the writes that a request depends on."""
    rows = [(number, token) for token in dependencies(request)]
    connection.executemany("INSERT INTO dependencies VALUES (?, ?)", rows)


def forget(connection: Connection, number: int) -> None:
    """Remove the files and the dependencies of a write."""
    connection.execute("DELETE FROM files WHERE number=?", (number,))
    connection.execute("DELETE FROM dependencies WHERE number=?", (number,))


def file_part(field: str, name: str, media_type: str, sha256: str, content: bytes | None, path: str | None) -> FilePart:
    """Return a stored file; InvalidCallError if it was only referred to, and is not what it was."""
    if content is None:
        try:
            content = Path(path or "").read_bytes()
        except OSError as error:
            raise InvalidCallError(f"the file {path} cannot be read ({error.strerror})") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise InvalidCallError(f"the file {path or name} is not the one that it was when the write was stored")
    return FilePart(field, name, content, media_type)


def read_one(connection: Connection, token: str) -> Entry:
    """Return a write; InvalidKeyError if there is none."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM writes WHERE token=?", (token,)).fetchone()
    if row is None:
        raise unknown(token)
    return _entry(connection, row)


def read_several(
    connection: Connection, states: Iterable[State], after: int = 0, last: int = LARGEST, limit: int = -1
) -> list[Entry]:
    """Return writes in some states, in order."""
    wanted = tuple(states)
    marks = ",".join("?" * len(wanted))
    query = (
        f"SELECT {_COLUMNS} FROM writes WHERE state IN ({marks}) AND number > ? AND number <= ? ORDER BY number LIMIT ?"
    )
    return [_entry(connection, row) for row in connection.execute(query, (*wanted, after, last, limit)).fetchall()]


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


def check_all(connection: Connection, after: int) -> None:
    """Raise DamagedContentError if a request is not as it was stored, of the writes after one."""
    for row in connection.execute("SELECT number, request, digest FROM writes WHERE number > ?", (after,)):
        _check(*row)


def _check(number: int, request: str, digest: str) -> None:
    # SQLite does not notice every damage, and a wrong value would be sent.
    if digest_of(request) != digest:
        raise DamagedContentError(f"write {number} is not as it was stored")


def digest_of(text: str) -> str:
    """Return the hash by which damage to a request is noticed."""
    return hashlib.sha256(text.encode()).hexdigest()


def unknown(token: str) -> InvalidKeyError:
    """Return the error for a write that is not there."""
    return InvalidKeyError(
        f"There is no write {token[:8]}… in this outbox: it was dropped, was done long ago, or is another server's"
    )


def why_not(entry: Entry) -> str:
    """Return the reason why a write in this state cannot be changed."""
    return {
        "queued": "it waits",
        "sending": "it is being sent",
        "uncertain": "the server may have carried it out; send the outbox, which finds out",
        "held": "the server may have carried it out; settle(), resend() or drop() it",
        "refused": "the server has refused it",
        "done": "the server has carried it out",
    }[entry.state]
