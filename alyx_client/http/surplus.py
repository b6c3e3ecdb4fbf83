"""Bytes after the end of a response: their connection is closed, since they would pass for the next response.

httpcore2 keeps a connection, whatever its parser still holds. What arrives later is noticed by httpcore2 itself, before
the connection is used again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["drop_surplus"]

_END = "http11.response_closed.started"


def drop_surplus(event: str, pool: Any) -> None:
    """Have httpcore2 close the connections that hold more than their response; called before one is idle again.

    Parameters
    ----------
    event
        The event of httpcore2's ``trace`` extension.
    pool
        The client of httpx2 that the request was sent with.
    """
    if event != _END:
        return
    for connection in _connections(pool):
        state = getattr(connection, "_h11_state", None)
        # A connection whose response is still being read may hold the next part of it.
        if state is not None and str(state.their_state) == "DONE" and state.trailing_data[0]:
            # httpcore2 reuses a connection only if both sides are done, and these are not.
            connection._h11_state = type(state)(our_role=state.our_role)


def _connections(pool: Any) -> Iterable[Any]:
    for transport in (getattr(pool, "_transport", None), *getattr(pool, "_mounts", {}).values()):
        for connection in getattr(getattr(transport, "_pool", None), "connections", ()):
            # A connection, perhaps one through a proxy, wraps that of the protocol.
            while (inner := getattr(connection, "_connection", None)) is not None:
                connection = inner
            yield connection
