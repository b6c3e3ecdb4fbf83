"""What a client does about writes that wait in the outbox, once one of its calls has reached the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alyx_client.auth.state import AuthState
from alyx_client.http.deadline import Deadline
from alyx_client.http.flow import Flow
from alyx_client.http.message import Request
from alyx_client.outbox.watch import watch_of

if TYPE_CHECKING:
    from alyx_client.outbox.attempt import Context

__all__ = ["after_call"]

# A write that hangs must not hold up the call for as long as one of the user's own may take, in seconds.
_LONGEST_SECONDS = 15.0


def after_call(
    client: Context, auth: AuthState, request: Request, deadline: Deadline, *, sends: bool
) -> tuple[Flow[None], float] | None:
    """Return what is to be done about the outbox after a call, and within how many seconds; None for nothing.

    Parameters
    ----------
    client
        The client.
    auth
        Its token.
    request
        The request of the call, which has reached the server.
    deadline
        The end of the call's time.
    sends
        Whether what waits is to be sent; otherwise, the user is told once.
    """
    # After a call that writes, a deadline or Ctrl-C would lose the result of what has been carried out.
    if request.method != "GET":
        return None
    watch = watch_of(client.base_url, auth.user)
    if (watch.has_reminded and not sends) or not watch.is_worth_a_look():
        return None
    seconds = min(_LONGEST_SECONDS, deadline.remaining)
    if seconds <= 0:
        return None
    # Most programs do without the outbox.
    from alyx_client.outbox.automatic import remind, send_some

    return (send_some if sends else remind)(client, auth, watch), seconds
