"""The state of httpcore2's HTTP/1.1 parser, for bodies that are read past it."""

from __future__ import annotations

import contextlib
import ssl
from typing import Any

__all__ = ["count_body"]


def count_body(response: Any, count: int) -> bool:
    """Have the parser count the rest of a body that was read straight from the connection.

    Then the response is complete for httpcore2, too, and its connection can be used again.

    Parameters
    ----------
    response
        The response of httpx2, over HTTP/1.1.
    count
        Number of bytes, all that were missing.

    Returns
    -------
    bool
        False if the connection must not be used again: there are surplus bytes, or the parser is of another kind.
    """
    # Bytes after the body that are still in the socket are noticed by httpcore2; it does not see decrypted ones, nor,
    # within an encrypted connection to a proxy, those that were read but not decrypted yet.
    encryption = response.extensions["network_stream"].get_extra_info("ssl_object")
    if isinstance(encryption, ssl.SSLObject) or (encryption is not None and encryption.pending()):
        return False
    # Neither httpx2 nor httpcore2 has a public way to its parser.
    with contextlib.suppress(AttributeError):
        stream = response.stream._stream._httpcore_stream._stream
        reader = stream._connection._h11_state._reader
        if reader._remaining == count:  # pragma: no branch - other version of a library
            reader._remaining = 0
            return True
    return False  # pragma: no cover - other version of a library
