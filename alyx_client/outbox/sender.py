"""Send the writes of an outbox, as a flow: in order, each once as far as the server allows.

A write is ``sending`` on the disk before the first byte of its request is sent, and gets its next state when the
response is known. A process that ends in between leaves it ``sending``; the next sender, which holds the lock that the
dead one no longer has, takes it for uncertain.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import field, replace
from functools import partial
from typing import Any, Protocol, TypeVar

from alyx_client.auth.login import authenticate
from alyx_client.auth.state import AuthState
from alyx_client.errors import (
    AlyxError,
    AlyxHTTPError,
    AuthenticationError,
    InvalidCallError,
    InvalidKeyError,
    OfflineError,
    OutboxError,
)
from alyx_client.http.flow import Blocking, Flow, Send, Sleep
from alyx_client.http.json_body import parse_json, read_json, unexpected
from alyx_client.http.log import logger
from alyx_client.http.message import Request, Response
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.outbox.entries import Entry, SendReport, State, fields_of, key_of_result
from alyx_client.outbox.natural_keys import lookup_request, matches
from alyx_client.outbox.store import OPEN, Store
from alyx_client.outbox.stored_request import fill, placeholders_of, with_fields
from alyx_client.outbox.verdicts import Verdict, verdict
from alyx_client.runtime.client import ClientContext
from alyx_client.runtime.placeholders import Placeholder
from alyx_client.storage.lock import FileLock, LockResult

__all__ = ["Context", "Sender"]

T = TypeVar("T")
_POLL_SECONDS = 0.02


class Context(ClientContext, Protocol):
    """The part of a client that sending relies on."""

    @property
    def offline(self) -> bool:
        """True if nothing is sent."""
        ...

    def mark_stale(self) -> None:
        """Make all cached responses stale."""
        ...


@dataclass(slots=True)
class _Run:
    sent: list[Entry] = field(default_factory=list[Entry])
    error: AlyxError | None = None
    has_renewed: bool = False


class _ChangedError(Exception):
    """Somebody else has changed, dropped or sent the write meanwhile."""


class _UnusableError(Exception):
    """The write cannot be sent as it is; the message says why."""


class Sender:
    """Sends the writes of one outbox that are one user's.

    Parameters
    ----------
    client
        The client.
    auth
        Its token.
    store
        The writes.

    Attributes
    ----------
    failure
        The error with which the server refused the write that was sent alone.
    """

    def __init__(self, client: Context, auth: AuthState, store: Store) -> None:
        self._client = client
        self._auth = auth
        self._store = store
        self.failure: AlyxError | None = None

    def is_mine(self, entry: Entry) -> bool:
        """Return whether a write is the client's user's."""
        user = self._auth.user
        if entry.user is not None and user is not None:
            return entry.user == user
        return entry.identity is not None and entry.identity == self._auth.identity

    def send_all(self) -> Flow[SendReport]:
        """Send all writes of the user, and return what became of them."""
        if not (yield from _call(self._store.entries)):
            return SendReport()
        lock = yield from self._lock(None)
        run = _Run()
        try:
            yield from _call(self._store.recover)
            yield from self._log_in(run)
            for entry in (yield from _call(self._store.entries)):
                if run.error is not None:
                    break
                if entry.state in OPEN and self.is_mine(entry):
                    yield from self._send_one(entry, run)
        finally:
            lock.release()
        # A lost connection is no surprise; a login that fails, somebody has to do something about.
        if run.error is not None and not isinstance(run.error, ConnectionError | TimeoutError | AlyxHTTPError):
            raise run.error
        if isinstance(run.error, AuthenticationError):
            raise run.error
        return (yield from self._report(run))

    def send_new(self, token: str, seconds: float) -> Flow[Entry | None]:
        """Send a write that was stored just now, unless others wait before it.

        Parameters
        ----------
        token
            The write.
        seconds
            How long to wait for another sender.

        Returns
        -------
        Entry or None
            The write; None if the server refused it, so that it is not in the outbox any more.
        """
        try:
            lock = yield from self._lock(seconds)
        except OutboxError:
            return (yield from _call(partial(self._store.get, token)))
        try:
            yield from _call(self._store.recover)
            entries = yield from _call(self._store.entries)
            own = next((entry for entry in entries if entry.receipt.token == token), None)
            if own is not None and own.state == "queued" and not self._others_before(entries, own):
                return (yield from self._send_new(own))
        finally:
            lock.release()
        return (yield from _call(partial(self._store.get, token)))

    def _others_before(self, entries: list[Entry], own: Entry) -> bool:
        # Sent ahead of them, it could be undone by an older change of the same record.
        return any(
            entry.state in OPEN and entry.number < own.number and (self.is_mine(entry) or entry.user == own.user)
            for entry in entries
        )

    def _send_new(self, entry: Entry) -> Flow[Entry | None]:
        run = _Run()
        yield from self._log_in(run)
        if run.error is not None:
            yield from self._back(entry, run.error)
        elif entry.user is None and entry.identity is None:
            # Stored a moment ago, by the call that has logged in since.
            owner = partial(self._store.set_owner, entry.receipt.token, self._auth.user, self._auth.identity)
            entry = yield from _call(owner)
        if run.error is None:
            yield from self._send_one(entry, run, is_new=True)
        return None if self.failure is not None else (yield from _call(partial(self._store.get, entry.receipt.token)))

    def _lock(self, seconds: float | None) -> Flow[FileLock]:
        lock = FileLock(self._store.folder / ".send.lock")
        end = None if seconds is None else time.monotonic() + seconds
        while (result := lock.acquire()) is LockResult.BUSY:
            if end is not None and time.monotonic() >= end:
                raise OutboxError("Another process is sending the outbox.")
            yield Sleep(_POLL_SECONDS)
        if result is not LockResult.ACQUIRED:
            raise OutboxError(f"{self._store.folder} has no file locks, so that two processes could send one write.")
        return lock

    def _log_in(self, run: _Run, *, again: bool = False) -> Flow[None]:
        """Have a token before anything is sent, so that it is known whose writes are to be sent."""
        if self._client.offline:
            run.error = OfflineError("The client is in offline mode; nothing was sent.")
        elif again or (yield from _call(self._auth.known_token)) is None:
            try:
                # Tokens that the server refuses are not used again.
                yield from authenticate(self._auth)
            except AlyxError as error:
                run.error = error

    def _send_one(self, entry: Entry, run: _Run, *, is_new: bool = False) -> Flow[None]:
        try:
            yield from self._try(entry, run, is_new=is_new)
            if isinstance(run.error, AuthenticationError) and not run.has_renewed:
                # The server has refused the token, and so has not looked at the write.
                run.error, run.has_renewed = None, True
                yield from self._log_in(run, again=True)
                entry = yield from _call(partial(self._store.get, entry.receipt.token))
                if run.error is None and self.is_mine(entry):
                    yield from self._try(entry, run, is_new=is_new)
        except (_ChangedError, InvalidKeyError):
            logger.info("write %d of the outbox was changed while it was to be sent", entry.number)

    def _try(self, entry: Entry, run: _Run, *, is_new: bool) -> Flow[None]:
        keys = yield from self._keys(entry)
        if keys is None:
            return
        request, note = fill(entry.request, keys), ""
        try:
            if entry.state == "uncertain" and entry.action == "create":
                if not (yield from self._look(entry, request, run)):
                    return
                note = "sent again, since it was not on the server after its response was lost"
            elif entry.doubtful:
                note = "sent again after its response was lost; the values are the same"
            request = yield from self._complete(entry, request)
        except _UnusableError as error:
            yield from self._set(entry, "held", reason=str(error), doubtful=entry.doubtful)
        except AlyxError as error:
            yield from self._failed_before(entry, error, request, run)
        else:
            yield from self._set(entry, "sending", attempt=True, doubtful=False)
            yield from self._exchange(entry, request, run, note, is_new=is_new)

    def _failed_before(self, entry: Entry, error: AlyxError, request: Request, run: _Run) -> Flow[None]:
        """Note the error of a request that came before the write itself."""
        # What the server refuses of this write must not stop the others.
        if isinstance(error, AlyxHTTPError) and verdict(error, request) in (Verdict.REFUSED, Verdict.FAILED):
            yield from self._set(entry, "held", reason=str(error), doubtful=entry.doubtful)
        else:
            yield from self._set(entry, entry.state, reason=str(error), doubtful=entry.doubtful)
            run.error = error

    def _exchange(self, entry: Entry, request: Request, run: _Run, note: str, *, is_new: bool) -> Flow[None]:
        try:
            response: Response = yield self._step(request)
            _require_record(response, request)
        except AlyxError as error:
            outcome = verdict(error, request)
            if is_new and outcome in (Verdict.REFUSED, Verdict.FAILED):
                # The caller is told, as by any other call.
                self.failure = error
                yield from _call(partial(self._store.remove, entry.receipt.token, expected=["sending"]))
            else:
                yield from self._failed(entry, error, outcome, run)
            yield from _call(self._client.mark_stale)
        except BaseException:
            # Interrupted; at once, for a task that is cancelled must not wait.
            reason = "the call was interrupted before the response came"
            # Otherwise, the next sender does so.
            with contextlib.suppress(AlyxError):
                self._store.set_state(
                    entry.receipt.token, "uncertain", expected=["sending"], reason=reason, doubtful=True
                )
            raise
        else:
            result = response.content.decode("utf-8", "replace")
            run.sent.append((yield from self._settle(entry, "done", reason=note, result=result)))
            yield from _call(self._client.mark_stale)

    def _failed(self, entry: Entry, error: AlyxError, outcome: Verdict, run: _Run) -> Flow[None]:
        match outcome:
            case Verdict.NOT_SENT:
                yield from self._settle(entry, "queued", reason=str(error))
                run.error = error
            case Verdict.UNCERTAIN:
                yield from self._settle(entry, "uncertain", reason=str(error), doubtful=True)
                run.error = error
            case Verdict.REFUSED:
                yield from self._settle(entry, "refused", reason=str(error))
            case Verdict.FAILED:
                yield from self._settle(entry, "refused", reason=str(error), doubtful=True)

    def _keys(self, entry: Entry) -> Flow[dict[Placeholder, str | int] | None]:
        """Return the keys of the records that a write refers to; None if it has to wait for one."""
        keys: dict[Placeholder, str | int] = {}
        for placeholder in placeholders_of(entry.request):
            other = yield from _call(partial(self._store.get, placeholder.token))
            if other.state != "done":
                return None
            key = key_of_result(other.result or "null", placeholder.field)
            if key is None:
                reason = f"the server's record of write {other.number} has no {placeholder.field}, which it refers to"
                yield from self._set(entry, "held", reason=reason)
                return None
            keys[placeholder] = key
        return keys

    def _look(self, entry: Entry, request: Request, run: _Run) -> Flow[bool]:
        """Look for the record of a write that may have been carried out; returns whether it is to be sent again."""
        fields = fields_of(request)
        lookup = lookup_request(entry.endpoint, request.path, fields)
        if lookup is None:
            reason = "the server may have carried it out, and nothing tells its record from others"
            yield from self._set(entry, "held", reason=reason, doubtful=True)
            return False
        response: Response = yield self._step(lookup)
        known = yield from _call(self._store.known_keys)
        records = matches(entry.endpoint, fields, response)
        if records is not None:
            # A record of another write of this outbox is that write's.
            records = [record for record in records if _key(record) not in known]
        if records == []:
            return True
        if records is None or len(records) > 1:
            reason = "the server may have carried it out, and has several records that it may have created"
            yield from self._set(entry, "held", reason=reason, doubtful=True)
            return False
        reason = "found on the server after its response was lost"
        run.sent.append((yield from self._set(entry, "done", reason=reason, result=_dump(records[0]))))
        return False

    def _complete(self, entry: Entry, request: Request) -> Flow[Request]:
        """Return the request with its files, and the fields that the server would lose."""
        if entry.preserved:
            response: Response = yield self._step(Request("GET", request.path, endpoint=entry.endpoint, action="read"))
            record = read_json(response)
            request = with_fields(request, {name: record[name] for name in entry.preserved if name in record})
        if entry.files:
            try:
                request = replace(request, files=(yield from _call(partial(self._store.files, entry))))
            except InvalidCallError as error:
                raise _UnusableError(str(error)) from error
        return request

    def _step(self, request: Request) -> Send:
        # With the token whose user was compared with the write's: another login must not slip in between.
        return Send(request, token=self._auth.token)

    def _set(self, entry: Entry, state: State, **changes: Any) -> Flow[Entry]:
        """Change the state of a write that is not being sent, unless somebody else has changed the write meanwhile."""
        change = partial(
            self._store.set_state,
            entry.receipt.token,
            state,
            expected=["queued", "uncertain"],
            revision=entry.revision,
            **changes,
        )
        try:
            return (yield from _call(change))
        except InvalidCallError as error:
            raise _ChangedError from error

    def _settle(self, entry: Entry, state: State, **changes: Any) -> Flow[Entry]:
        """Store the outcome of an attempt."""
        change = partial(self._store.set_state, entry.receipt.token, state, expected=["sending"], **changes)
        return (yield from _call(change))

    def _back(self, entry: Entry, error: AlyxError) -> Flow[Entry]:
        return (yield from self._set(entry, "queued", reason=str(error)))

    def _report(self, run: _Run) -> Flow[SendReport]:
        left = yield from _call(self._store.entries)
        mine = [entry for entry in left if self.is_mine(entry)]
        return SendReport(
            sent=tuple(run.sent),
            refused=tuple(entry for entry in mine if entry.state == "refused"),
            held=tuple(entry for entry in mine if entry.state == "held"),
            waiting=tuple(entry for entry in mine if entry.state in OPEN),
            others=tuple(entry for entry in left if not self.is_mine(entry)),
            error=run.error,
        )


def _call(function: Callable[[], T]) -> Flow[T]:
    result: T = yield Blocking(function)
    return result


def _require_record(response: Response, request: Request) -> None:
    """Refuse a successful response that Alyx did not send, such as a login portal's page."""
    try:
        body: object = parse_json(response.content)
    except ValueError:
        body = None
    if not isinstance(body, dict | list):
        raise unexpected(response, request.endpoint, "the record")


def _key(record: dict[str, Any]) -> str | None:
    key = key_of_result(_dump(record), "id")
    return None if key is None else str(key)


def _dump(record: dict[str, Any]) -> str:
    return json.dumps(record)
