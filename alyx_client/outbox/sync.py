"""The outbox of the synchronous client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, TypeVar
from uuid import UUID

from alyx_client.auth.state import AuthState
from alyx_client.errors import AlyxError
from alyx_client.http.flow import Flow
from alyx_client.outbox.attempt import Context
from alyx_client.outbox.base import OutboxBase, left_to_wait
from alyx_client.outbox.decisions import Write
from alyx_client.outbox.entries import Entry, Receipt, SendReport
from alyx_client.runtime.checked_calls import with_checked_calls
from alyx_client.runtime.records import Record

__all__ = ["Outbox"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class Deliver(Protocol):
    """Runs a flow whose requests are sent once, past the cache."""

    def __call__(self, flow: Flow[T], timeout: float | None) -> T:
        """Run it."""
        ...


@with_checked_calls
class Outbox(OutboxBase):  # noqa: D101 - the next line documents it
    __doc__ = OutboxBase.__doc__

    def __init__(self, client: Context, auth: AuthState, deliver: Deliver, *, sends: bool = False) -> None:
        super().__init__(client, auth, sends=sends)
        self._deliver = deliver

    def write(self, method: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R | Receipt:
        """Create or change a record; if the server cannot be reached, store the write on the disk, to be sent later.

        It is stored before anything is sent, so that it survives the process. If older writes of the user wait, it
        waits behind them. Another process that is sending has up to 5 seconds to end; then it is left to wait.

        Parameters
        ----------
        method
            The method of an endpoint: ``create``, ``update`` or ``partial_update``.
        *args, **kwargs
            Its arguments. Receipts are taken wherever records are.

        Returns
        -------
        Record or Receipt
            What the method returns; or the receipt of the write that waits.

        Raises
        ------
        BadRequestError, AlyxHTTPError
            The server refused it; it is not stored.
        InvalidFieldError, InvalidKeyError, InvalidCallError
            An argument is wrong; it is neither sent nor stored.
        OutboxError
            It could not be stored; it was not sent.
        """
        call = self._capture(method, args, kwargs)
        entry, sender = self._add(call), self._sender()
        flow = self._send_new(sender, entry)
        try:
            latest = self._deliver(flow, call.timeout)
            entry = latest or entry
        except AlyxError as error:
            entry = left_to_wait(entry, error)
        result: R | Receipt = self._result(call, entry, sender)
        return result

    def edit(self, write: Write, method: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> Entry:
        """Replace what a write is to send, and let it be sent by the next `send`.

        Parameters
        ----------
        write
            Its receipt, or the entry: one that was refused, or waits.
        method, *args, **kwargs
            As for `write`, with the same method.

        Raises
        ------
        InvalidCallError
            The server may have carried it out, or it is one of another method.
        """
        return self._store.replace(self[write].receipt.token, self._capture(method, args, kwargs))

    def send(self, *, timeout: float | None = None) -> SendReport:
        """Send the writes that wait, in order.

        Parameters
        ----------
        timeout
            Time limit for all of them, in seconds; by default that of the client.

        Returns
        -------
        SendReport
            What became of them; ``print(report)`` shows it. A lost connection ends the sending, and is in ``error``.

        Raises
        ------
        AuthenticationError, MissingCredentialsError
            The login failed; nothing more was sent.
        OutboxError
            The outbox cannot be used.
        """
        return self._deliver(self._sender().send_all(), timeout)

    def drop(self, write: Write) -> Entry:
        """Remove a write, which is then never sent.

        Parameters
        ----------
        write
            Its receipt, or the entry.

        Returns
        -------
        Entry
            The write, with all that it was to send.

        Raises
        ------
        InvalidCallError
            It is done or being sent, or others depend on it.
        """
        return self._decisions.drop(write)

    def resend(self, write: Write, *, anyway: bool = False) -> Entry:
        """Let a write that is held or was refused be sent again, by the next `send`.

        Parameters
        ----------
        write
            Its receipt, or the entry.
        anyway
            Whether to send it even if the server may have carried it out, and nothing tells; the server may then have
            it twice. Otherwise the server's records are looked at first.

        Raises
        ------
        InvalidCallError
            It is done or being sent.
        """
        return self._decisions.resend(write, anyway=anyway)

    def settle(self, write: Write, record: Record | UUID | str) -> Entry:
        """Note that the server has carried a write out, and that this is the record; it is not sent again.

        Parameters
        ----------
        write
            Its receipt, or the entry: one that is held, uncertain or refused.
        record
            The record, or its id.

        Raises
        ------
        InvalidCallError
            It is in another state.
        """
        return self._decisions.settle(write, record)

    def claim(self, write: Write) -> Entry:
        """Make a write of nobody, stored while no login was known, one of this client's user.

        Parameters
        ----------
        write
            Its receipt, or the entry.

        Raises
        ------
        InvalidCallError
            It is another user's, or this client's user is not known either.
        """
        return self._decisions.claim(write)
