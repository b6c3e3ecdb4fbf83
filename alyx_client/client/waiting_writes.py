"""What a client does about writes that wait in the outbox, once one of its calls has reached the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alyx_client.auth.state import AuthState
from alyx_client.http.deadline import Deadline
from alyx_client.http.flow import Flow
from alyx_client.http.message import Request, Response
from alyx_client.outbox.watch import watch_of

if TYPE_CHECKING:
    from alyx_client.outbox.attempt import Context

__all__ = ["Requests", "after_call"]

# A write that hangs must not hold up the call for as long as one of the user's own may take, in seconds.
_LONGEST_SECONDS = 15.0
# Without so much time left, nothing is sent: a write that is given up too early is uncertain, and may have to be looked
# for on the server by the user.
_LEAST_SECONDS = 5.0


class Requests:
    """The requests of a call so far: whether one has reached the server, and whether they only read."""

    __slots__ = ("_has_reached", "_has_written")

    def __init__(self) -> None:
        self._has_reached = self._has_written = False

    @property
    def have_read(self) -> bool:
        """True if the server was reached, and nothing was written."""
        return self._has_reached and not self._has_written

    def add(self, request: Request, response: Response) -> None:
        """Take note of a request and its response."""
        # Responses of the cache have no sender.
        self._has_reached |= response.sender is not None
        self._has_written |= request.method != "GET"


def after_call(
    client: Context, auth: AuthState, requests: Requests, deadline: Deadline, *, sends: bool
) -> tuple[Flow[None], float] | None:
    """Return what is to be done about the outbox after a call, and within how many seconds; None for nothing.

    Parameters
    ----------
    client
        The client.
    auth
        Its token.
    requests
        The requests of the whole call: between two of them, such as those that read a record and write it back, what
        waits must not change anything, nor take the time of the second.
    deadline
        The end of the call's time.
    sends
        Whether what waits is to be sent; otherwise, the user is told once.
    """
    # After a call that writes, a deadline or Ctrl-C would lose the result of what has been carried out.
    if not requests.have_read:
        return None
    watch = watch_of(client.base_url, auth.user)
    if (watch.has_reminded and not sends) or not watch.is_worth_a_look():
        return None
    seconds = min(_LONGEST_SECONDS, deadline.remaining)
    if seconds < (_LEAST_SECONDS if sends else 0.0):
        return None
    # Most programs do without the outbox.
    from alyx_client.outbox.automatic import remind, send_some

    return (send_some if sends else remind)(client, auth, watch), seconds
