"""The values of the outbox: receipts, entries and reports."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Literal, cast
from uuid import UUID

from alyx_client.errors import AlyxError, printable
from alyx_client.http.json_body import parse_json
from alyx_client.http.message import Request
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.runtime.placeholders import find_placeholders
from alyx_client.runtime.references import PendingRecord, Reference, key_of_url

__all__ = ["Entry", "Receipt", "SendReport", "State", "key_of_result", "rows_of", "show_as_text"]

State = Literal["queued", "sending", "uncertain", "held", "refused", "done"]
"""The state of a write.

``queued``: it waits. ``sending``: its request is under way. ``uncertain``: it was sent, and the response is not known.
``held``: somebody has to decide about it. ``refused``: the server refused it. ``done``: the server has carried it out.
"""


def show_as_text(self: object, printer: Any, _cycle: bool) -> None:
    """Show an object as `print` does; as ``_repr_pretty_``, in notebooks and IPython.

    Each class needs it as an attribute of its own: IPython prefers the ``__repr__`` of a class to what its bases have.

    Parameters
    ----------
    self
        The object.
    printer
        What prints it.
    """
    printer.text(str(self))


class Receipt(PendingRecord):
    """The receipt of a write that waits, taken by other writes wherever a key of its record is.

    Receipts are equal if they are of the same write. They can be pickled, and ``Receipt(*receipt.parts)`` is the same.
    """

    __slots__ = ("action",)

    def __init__(self, token: str, endpoint: str, action: str) -> None:
        super().__init__(token, endpoint)
        self.action = action

    @property
    def parts(self) -> tuple[str, str, str]:
        """The three texts that it is made of, which can be stored anywhere."""
        return self.token, self.endpoint, self.action

    @property
    def id(self) -> UUID:
        """The placeholder of the record's id, for places that take a text or a UUID; replaced when it is sent."""
        return UUID(self.placeholder(Reference("", "id"), "id"))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Receipt) and self.token == other.token

    def __hash__(self) -> int:
        return hash(self.token)

    def __repr__(self) -> str:
        return f"<Receipt of {self.endpoint}.{self.action}(), {self.token[:8]}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.parts


@dataclass(frozen=True, slots=True)
class Entry:
    """A write of the outbox, as it was when it was read.

    Parameters
    ----------
    number
        Its place in the order.
    receipt
        Its receipt.
    state
        Its state.
    created
        The time of the call, in UTC.
    user
        The user who made it; None if that was not known.
    identity
        An opaque name of the user's token; None without a token.
    origin
        The user of the computer, its name, and the process.
    request
        The request, in which placeholders stand for the keys of records that are not created yet.
    preserved
        The fields that are read from the server before it is sent, which would lose them.
    reason
        The reason for its state, such as the server's words.
    attempts
        How often it was sent, or was about to be.
    revision
        How often it was edited.
    doubtful
        Whether the server may have carried it out in an attempt that did not end well.
    result
        The server's response, as JSON.
    files
        The files, by name; those that are only referred to, by path.
    """

    number: int
    receipt: Receipt
    state: State
    created: str
    user: str | None
    identity: str | None
    origin: str
    request: Request = field(repr=False)
    preserved: tuple[str, ...] = ()
    reason: str = ""
    attempts: int = 0
    revision: int = 0
    doubtful: bool = False
    result: str | None = field(default=None, repr=False)
    files: tuple[str, ...] = ()

    @property
    def endpoint(self) -> str:
        """The endpoint."""
        return self.receipt.endpoint

    @property
    def action(self) -> str:
        """``create``, ``update`` or ``partial_update``."""
        return self.receipt.action

    @property
    def fields(self) -> Mapping[str, Any]:
        """The fields that are sent, by the server's names."""
        return fields_of(self.request)

    @property
    def key(self) -> str | None:
        """The id of the record, once the server has carried the write out; None before, or if it has none."""
        key = None if self.result is None else key_of_result(self.result, "id")
        return None if key is None else str(key)

    _repr_pretty_ = show_as_text

    def __str__(self) -> str:
        reason = f": {self.reason}" if self.reason else ""
        who = self.user or "no user"
        return printable(
            f"{self.number}. {self.endpoint}.{self.action}() of {who}, {self.created}, {self.state}{reason}"
        )


@dataclass(frozen=True, slots=True)
class SendReport:
    """The outcome of sending the outbox; true if nothing waits any more.

    Parameters
    ----------
    sent
        The writes that the server has carried out.
    refused
        Those that it refused, now or before.
    held
        Those that somebody has to decide about.
    waiting
        Those that wait: for the connection, or for others that are refused or held.
    others
        Those of other users, which were not touched.
    error
        The error that ended the sending; None if all were tried.
    """

    sent: tuple[Entry, ...] = ()
    refused: tuple[Entry, ...] = ()
    held: tuple[Entry, ...] = ()
    waiting: tuple[Entry, ...] = ()
    others: tuple[Entry, ...] = ()
    error: AlyxError | None = None

    def __bool__(self) -> bool:
        return not (self.refused or self.held or self.waiting)

    _repr_pretty_ = show_as_text

    def __str__(self) -> str:
        counts = {
            "sent": self.sent,
            "refused": self.refused,
            "held": self.held,
            "waiting": self.waiting,
            "of other users": self.others,
        }
        lines = [", ".join(f"{len(entries)} {name}" for name, entries in counts.items() if entries or name == "sent")]
        lines += [f"  {entry}" for entry in (*self.refused, *self.held)]
        return "\n".join([*lines, *([] if self.error is None else [f"  stopped: {self.error}"])])


def rows_of(entries: Sequence[Entry]) -> dict[str, dict[str, object]]:
    """Return what a table shows of writes, by their numbers; a write that another refers to is named by its number."""
    numbers = {entry.receipt.token: entry.number for entry in entries}

    def named(text: str) -> str:
        for placeholder in find_placeholders(text):
            if placeholder.token in numbers:
                text = text.replace(str(placeholder), f"write {numbers[placeholder.token]}")
        return text

    return {
        str(entry.number): {
            "state": entry.state,
            "write": f"{entry.endpoint}.{entry.action}()",
            "record": "" if entry.action == "create" else named(key_of_url(entry.request.path) or ""),
            "fields": named(json.dumps(dict(entry.fields), ensure_ascii=False, default=str)),
            "reason": entry.reason,
            "files": list(entry.files),
            "user": entry.user,
            "created (UTC)": entry.created[:19].replace("T", " "),
        }
        for entry in entries
    }


def fields_of(request: Request) -> dict[str, Any]:
    """Return the fields of a request's body; empty if it has none, or several records."""
    if request.json is None:
        return dict(request.form)
    body = parse_json(request.json)
    return cast("dict[str, Any]", body) if isinstance(body, dict) else {}


def key_of_result(result: str, name: str) -> str | int | None:
    """Return the field of a stored response by which other writes refer to its record; None if it has none."""
    body = parse_json(result)
    if not isinstance(body, dict):
        return None
    record = cast("dict[str, object]", body)
    value = record.get(name)
    url = record.get("url")
    if value is None and name == "id" and isinstance(url, str):
        value = key_of_url(url)
    return value if isinstance(value, str | int) and value != "" else None
