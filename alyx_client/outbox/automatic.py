"""Sending what waits without a call of its own, or saying that it waits: at calls that reach the server."""

from __future__ import annotations

from alyx_client.auth.state import AuthState
from alyx_client.errors import AlyxError, AlyxWarning
from alyx_client.http.flow import Flow
from alyx_client.http.log import logger, warn
from alyx_client.outbox.attempt import Context, call
from alyx_client.outbox.sender import Sender
from alyx_client.outbox.store import Store
from alyx_client.outbox.watch import Watch

__all__ = ["SEND_SECONDS", "remind", "send_some"]

SEND_SECONDS = 2.0
"""How long a call sends what waits: afterwards, it begins no other write."""


def send_some(client: Context, auth: AuthState, watch: Watch) -> Flow[None]:
    """Send what waits, a part of it at least; the call that has reached the server does not fail if this does.

    Parameters
    ----------
    client
        The client.
    auth
        Its token.
    watch
        The watch on the outbox.
    """
    # Of several threads one sends, and the others go on.
    if not watch.lock.acquire(blocking=False):
        return
    try:
        sender = Sender(client, auth, Store(watch.folder))
        if not (yield from call(lambda: watch.settle(lambda: sender.count_waiting() > 0))):
            return
        yield from sender.send_some(SEND_SECONDS)
        if sender.run.error is not None:
            raise sender.run.error
        if sender.run.sent:
            watch.note_reached()
            logger.info("%d writes of the outbox were sent", len(sender.run.sent))
        else:
            # They wait for others that are held or refused, or for another process that sends.
            watch.pause()
    except AlyxError as error:
        watch.pause()
        logger.warning("the outbox was not sent: %s", error)
    finally:
        watch.lock.release()


def remind(client: Context, auth: AuthState, watch: Watch) -> Flow[None]:
    """Warn that writes wait, now that the server can be reached; parameters as for `send_some`."""
    if not watch.lock.acquire(blocking=False):
        return
    waiting = 0
    try:
        sender = Sender(client, auth, Store(watch.folder))
        waiting = yield from call(sender.count_waiting)
        watch.has_reminded = True
    except AlyxError as error:
        watch.pause()
        logger.warning("the outbox was not read: %s", error)
    finally:
        watch.lock.release()
    if waiting:
        warn(
            f"{waiting} {'write waits' if waiting == 1 else 'writes wait'} in the outbox of {client.base_url}: "
            "client.outbox.send() sends them, and the setting send_outbox does so by itself.",
            AlyxWarning,
        )
