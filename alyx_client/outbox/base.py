"""The part of the outbox that both clients share: looking at the writes, and deciding about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, Self

from alyx_client.auth.state import AuthState
from alyx_client.errors import AlyxError, InvalidCallError, InvalidKeyError, OfflineError
from alyx_client.http.flow import Flow
from alyx_client.http.log import logger
from alyx_client.http.message import Response
from alyx_client.outbox.attempt import Context
from alyx_client.outbox.automatic import SEND_SECONDS
from alyx_client.outbox.capture import Captured, FilesMode, capture
from alyx_client.outbox.decisions import Decisions, Write, token_of
from alyx_client.outbox.entries import Entry, Receipt, rows_of, show_as_text
from alyx_client.outbox.sender import Sender
from alyx_client.outbox.store import Store
from alyx_client.outbox.watch import folder_of, watch_of
from alyx_client.runtime.tables import ShownEntries

__all__ = ["OutboxBase", "left_to_wait"]

LOCK_SECONDS = 5.0
"""How long a new write waits for another process that sends the outbox, before it is left to wait."""


class OutboxBase(ShownEntries):
    """The writes of one server that wait, on this computer and of this user of it.

    Iterating yields those that the server has not carried out, in order; ``outbox[receipt]`` is any of them.

    Parameters
    ----------
    client
        The client.
    auth
        Its token.
    files
        ``"copy"``: files that wait are copied into the outbox. ``"refer"``: those that are passed by path stay where
        they are, and the write is held if they have changed by the time it is sent.
    sends
        Whether a new write sends those that wait before it.
    """

    def __init__(self, client: Context, auth: AuthState, files: FilesMode = "copy", *, sends: bool = False) -> None:
        self._client = client
        self._auth = auth
        self._files: FilesMode = files
        self._sends = sends
        self._store = Store(folder_of(client.base_url))
        self._decisions = Decisions(self._store, auth)

    def __enter__(self) -> NoReturn:
        # In a block, a method would return a record or a receipt, which its signature does not say.
        raise InvalidCallError(
            "the outbox is not used in a with block: pass it each method, as in "
            "client.outbox.write(client.weighings.create, weighing)"
        )

    __aenter__ = __enter__

    def __exit__(self, *_: object) -> None: ...

    __aexit__ = __exit__

    def __len__(self) -> int:
        return self._store.count()

    def __bool__(self) -> bool:
        # An empty outbox is still one.
        return True

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._store.entries())

    def __getitem__(self, write: Write) -> Entry:
        return self._store.get(token_of(write))

    def __contains__(self, write: object) -> bool:
        if not isinstance(write, Entry | Receipt):
            return False
        try:
            return self[write].state != "done"
        except InvalidKeyError:
            return False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._client.base_url}>"

    _repr_pretty_ = show_as_text

    def _shown_entries(self) -> tuple[str, Mapping[str, Mapping[str, object]], Sequence[str]]:
        damaged = [f"Damaged: {path}" for path in self.damaged]
        return f"{type(self).__name__} of {self._client.base_url}", rows_of(list(self)), damaged

    def __str__(self) -> str:
        entries = list(self)
        lines = [repr(self), *(f"  {entry}" for entry in entries), *(f"  damaged: {path}" for path in self.damaged)]
        return "\n".join(lines if len(lines) > 1 else [f"{lines[0]}: empty"])

    @property
    def folder(self) -> Path:
        """The folder of the outbox, which only this user of the computer can read."""
        return self._store.folder

    @property
    def damaged(self) -> list[Path]:
        """The damaged files of this outbox, which may hold writes that were not sent."""
        return self._store.database.damaged()

    def with_files(self, files: FilesMode) -> Self:
        """Return this outbox with another way to store files, ``"copy"`` or ``"refer"``; see the class."""
        if files not in ("copy", "refer"):
            raise InvalidCallError(f"files: 'copy' or 'refer', not {files!r}")
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__, _files=files)
        return other

    def _capture(self, method: Callable[..., Any], args: tuple[Any, ...], keywords: Mapping[str, Any]) -> Captured:
        return capture(self._client, method, args, keywords, self._files)

    def _add(self, call: Captured) -> Entry:
        self._auth.known_token()
        return self._store.add(call, self._auth.user, self._auth.identity)

    def _sender(self) -> Sender:
        return Sender(self._client, self._auth, self._store)

    def _send_new(self, sender: Sender, entry: Entry) -> Flow[Entry | None]:
        watch = watch_of(self._client.base_url, self._auth.user)
        others = SEND_SECONDS if self._sends and not watch.is_away else None
        latest = yield from sender.send_new(entry.receipt.token, LOCK_SECONDS, others)
        if sender.run.error is None:
            watch.note_reached()
        elif not isinstance(sender.run.error, OfflineError):
            watch.note_away()
        return latest

    def _result(self, call: Captured, entry: Entry, sender: Sender) -> Any:
        if sender.run.failure is not None:
            raise sender.run.failure
        if entry.state != "done" or entry.result is None:
            return entry.receipt
        return call.action.parse(Response(200, {}, entry.result.encode()), self._client.drift)


def left_to_wait(entry: Entry, error: AlyxError) -> Entry:
    """Return a write that is stored, but could not be sent: an error would have the caller write it again."""
    logger.warning("write %d waits in the outbox: %s", entry.number, error)
    return entry
