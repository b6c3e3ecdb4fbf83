"""Send the writes of an outbox, as a flow: in order, each once as far as the server allows.

A write is ``sending`` on the disk before the first byte of its request is sent, and gets its next state when the
response is known. A process that ends in between leaves it ``sending``; the next sender, which holds the lock that the
dead one no longer has, takes it for uncertain.
"""

from __future__ import annotations

import math
import time
from functools import partial

from alyx_client.auth.login import authenticate
from alyx_client.auth.state import AuthState
from alyx_client.errors import (
    AlyxError,
    AlyxHTTPError,
    AuthenticationError,
    InvalidKeyError,
    OfflineError,
    OutboxError,
)
from alyx_client.http.flow import Flow, Sleep
from alyx_client.http.log import logger
from alyx_client.outbox.attempt import Attempts, ChangedError, Context, Run, call
from alyx_client.outbox.entries import Entry, SendReport
from alyx_client.outbox.store import OPEN, Store
from alyx_client.storage.lock import FileLock, LockResult

__all__ = ["Sender"]

_POLL_SECONDS = 0.02


class Sender:
    """Sends the writes of one outbox that are one user's; for one call.

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
    run
        What has become of the writes.
    """

    def __init__(self, client: Context, auth: AuthState, store: Store) -> None:
        self._client = client
        self._auth = auth
        self._store = store
        self._attempts = Attempts(client, store)
        self.run = Run()

    def is_users(self, user: str | None, identity: str | None) -> bool:
        """Return whether a write of this user, with this token, is the client's user's."""
        return _is_same(user, identity, self._auth.user, self._auth.identity)

    def is_mine(self, entry: Entry) -> bool:
        """Return whether a write is the client's user's."""
        return self.is_users(entry.user, entry.identity)

    def count_waiting(self) -> int:
        """Return how many of the user's writes are to be sent."""
        owners = self._store.owners_of_open()
        return sum(count for (user, identity), count in owners.items() if self.is_users(user, identity))

    def send_all(self) -> Flow[SendReport]:
        """Send all writes of the user, and return what became of them."""
        if not (yield from call(self._store.count)):
            return SendReport()
        lock = yield from self._lock(None)
        try:
            yield from call(self._store.recover)
            yield from self._log_in()
            yield from self._send_waiting()
        finally:
            lock.release()
        error = self.run.error
        # A lost connection is no surprise; a login that fails, somebody has to do something about.
        if isinstance(error, AuthenticationError):
            raise error
        if error is not None and not isinstance(error, ConnectionError | TimeoutError | AlyxHTTPError):
            raise error
        return (yield from self._report(self.run))

    def send_some(self, seconds: float) -> Flow[None]:
        """Send writes of the user, unless another process does so; none is begun when the time is over.

        Parameters
        ----------
        seconds
            The time.
        """
        end = time.monotonic() + seconds
        try:
            lock = yield from self._lock(0.0)
        except OutboxError:
            return
        try:
            yield from call(self._store.recover)
            yield from self._log_in()
            yield from self._send_waiting(end)
        finally:
            lock.release()

    def send_new(self, token: str, seconds: float, others: float | None = None) -> Flow[Entry | None]:
        """Send a write that was stored just now, unless others wait before it.

        Parameters
        ----------
        token
            The write.
        seconds
            How long to wait for another sender.
        others
            How long to send those that wait before it, in seconds; None if they are not to be sent.

        Returns
        -------
        Entry or None
            The write; None if the server refused it, so that it is not in the outbox any more.
        """
        if others is not None:
            own = yield from call(partial(self._store.get, token))
            # It goes with those before it, which another process may be sending: that may take long.
            seconds = 0.0 if (yield from call(partial(self._has_to_wait, own))) else seconds
        try:
            lock = yield from self._lock(seconds)
        except OutboxError:
            return (yield from call(partial(self._store.get, token)))
        try:
            yield from call(self._store.recover)
            own = yield from call(partial(self._store.get, token))
            waits = yield from call(partial(self._has_to_wait, own))
            if own.state == "queued" and (others is not None or not waits):
                yield from self._send_new(own, others if waits else None)
        finally:
            lock.release()
        return None if self.run.failure is not None else (yield from call(partial(self._store.get, token)))

    def _has_to_wait(self, own: Entry) -> bool:
        # Sent ahead of them, it could be undone by an older change of the same record.
        owners = self._store.owners_of_open(before=own.number)
        return any(self.is_users(user, identity) or user == own.user for user, identity in owners)

    def _send_new(self, own: Entry, others: float | None) -> Flow[None]:
        yield from self._log_in()
        if self.run.error is not None:
            yield from call(
                partial(
                    self._store.set_state, own.receipt.token, "queued", expected=["queued"], reason=str(self.run.error)
                )
            )
            return
        if own.user is None and own.identity is None:
            # Stored a moment ago, by the call that has logged in since.
            owner = partial(self._store.set_owner, own.receipt.token, self._auth.user, self._auth.identity)
            own = yield from call(owner)
        if others is None:
            yield from self._send_one(own, is_new=True)
        else:
            yield from self._send_waiting(time.monotonic() + others, own.receipt.token)

    def _send_waiting(self, end: float = math.inf, own: str | None = None) -> Flow[None]:
        """Send what waits now, in order, up to the write of the call that is under way, if there is one."""
        number, last = 0, (yield from call(self._store.last_number))
        while batch := (yield from call(partial(self._store.waiting, number, last))):
            for entry in batch:
                if self.run.error is not None or time.monotonic() >= end:
                    return
                is_own, number = entry.receipt.token == own, entry.number
                if self.is_mine(entry):
                    yield from self._send_one(entry, is_new=is_own)
                if is_own:
                    return

    def _lock(self, seconds: float | None) -> Flow[FileLock]:
        lock = FileLock(self._store.folder / ".send.lock")
        end = None if seconds is None else time.monotonic() + seconds
        try:
            while (result := (yield from call(partial(_acquire, lock)))) is LockResult.BUSY:
                if end is not None and time.monotonic() >= end:
                    raise OutboxError("Another process is sending the outbox.")
                yield Sleep(_POLL_SECONDS)
        except BaseException:
            # Cancelled while a thread acquired it.
            lock.release()
            raise
        if result is not LockResult.ACQUIRED:
            raise OutboxError(f"{self._store.folder} has no file locks, so that two processes could send one write.")
        return lock

    def _log_in(self, *, again: bool = False) -> Flow[None]:
        """Have a token before anything is sent, so that it is known whose writes are to be sent."""
        if self._client.offline:
            self.run.error = OfflineError("The client is in offline mode; nothing was sent.")
        elif again or (yield from call(self._auth.known_token)) is None:
            try:
                # Tokens that the server refuses are not used again.
                yield from authenticate(self._auth)
            except AlyxError as error:
                self.run.error = error

    def _token_for(self, entry: Entry) -> str | None:
        """Return the token to send a write with; None if it is another user's, who has logged in meanwhile."""
        auth = self._auth
        while (token := auth.token) is not None:
            is_users = _is_same(entry.user, entry.identity, auth.user, auth.identity_of(token))
            # Otherwise somebody has logged in between these lines.
            if token == auth.token:
                return token if is_users else None
        return None

    def _send_one(self, entry: Entry, *, is_new: bool = False) -> Flow[None]:
        run = self.run
        try:
            if (token := self._token_for(entry)) is None:
                return
            yield from self._attempts.attempt(entry, run, token, is_new=is_new)
            if isinstance(run.error, AuthenticationError) and not run.has_renewed:
                # The server has refused the token, and so has not looked at the write.
                run.error, run.has_renewed = None, True
                yield from self._log_in(again=True)
                entry = yield from call(partial(self._store.get, entry.receipt.token))
                if run.error is None and (token := self._token_for(entry)) is not None:
                    yield from self._attempts.attempt(entry, run, token, is_new=is_new)
        except (ChangedError, InvalidKeyError):
            logger.info("write %d of the outbox was changed while it was to be sent", entry.number)

    def _report(self, run: Run) -> Flow[SendReport]:
        left = yield from call(self._store.entries)
        mine = [entry for entry in left if self.is_mine(entry)]
        return SendReport(
            sent=tuple(run.sent),
            refused=tuple(entry for entry in mine if entry.state == "refused"),
            held=tuple(entry for entry in mine if entry.state == "held"),
            waiting=tuple(entry for entry in mine if entry.state in OPEN),
            others=tuple(entry for entry in left if not self.is_mine(entry)),
            error=run.error,
        )


def _is_same(user: str | None, identity: str | None, own: str | None, own_identity: str | None) -> bool:
    if user is not None and own is not None:
        return user == own
    return identity is not None and identity == own_identity


def _acquire(lock: FileLock) -> LockResult:
    try:
        return lock.acquire()
    except OSError as error:
        raise OutboxError(f"The outbox cannot be sent: {lock.path}: {error.strerror or error}") from error
