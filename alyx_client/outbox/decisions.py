"""What a person decides about a write: to drop it, to send it again, that it is on the server, or whose it is."""

from __future__ import annotations

import json
from typing import cast
from uuid import UUID

from alyx_client.auth.state import AuthState
from alyx_client.errors import InvalidCallError
from alyx_client.outbox.entries import Entry, Receipt, State
from alyx_client.outbox.store import Store
from alyx_client.runtime.bodies import plain_json
from alyx_client.runtime.records import Record

__all__ = ["Decisions", "Write", "token_of"]

Write = Entry | Receipt
"""A write of the outbox, by its receipt, or as it was read."""


class Decisions:
    """Carries out decisions; `Outbox` documents them.

    Parameters
    ----------
    store
        The writes.
    auth
        The token of the client.
    """

    def __init__(self, store: Store, auth: AuthState) -> None:
        self._store = store
        self._auth = auth

    def drop(self, write: Write) -> Entry:
        """Remove a write."""
        return self._store.remove(token_of(write), expected=["queued", "uncertain", "held", "refused"])

    def resend(self, write: Write, *, anyway: bool) -> Entry:
        """Let a write be sent again."""
        entry = self._store.get(token_of(write))
        state: State = "uncertain" if entry.doubtful and not anyway else "queued"
        expected: list[State] = ["held", "refused", "uncertain"] if anyway else ["held", "refused"]
        return self._store.set_state(
            entry.receipt.token, state, expected=expected, doubtful=state == "uncertain", revision=entry.revision
        )

    def settle(self, write: Write, record: Record | UUID | str) -> Entry:
        """Note that a write is done."""
        fields = record.model_dump(by_alias=True) if isinstance(record, Record) else {}
        key = getattr(record, "id", None) if isinstance(record, Record) else record
        result = {**fields, **({} if key is None else {"id": str(key)})}
        return self._store.set_state(
            token_of(write),
            "done",
            expected=["held", "uncertain", "refused"],
            reason="settled by hand",
            result=json.dumps(plain_json(result)),
        )

    def claim(self, write: Write) -> Entry:
        """Make a write of nobody one of the client's user."""
        self._auth.known_token()
        if self._auth.user is None and self._auth.identity is None:
            raise InvalidCallError("This client has no login; pass username=, or log in first")
        return self._store.set_owner(token_of(write), self._auth.user, self._auth.identity)


def token_of(write: Write) -> str:
    """Return the token of a write; InvalidCallError if it is something else."""
    if isinstance(write, Entry):
        return write.receipt.token
    if isinstance(cast("object", write), Receipt):
        return write.token
    raise InvalidCallError("outbox: pass the receipt of a write, or its entry")
