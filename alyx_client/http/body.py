"""Bodies of responses as they are received: decoded in small pieces, and never more than a limit of bytes in memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from alyx_client.errors import AlyxError, ResponseTooLargeError, UnexpectedAnswerError
from alyx_client.http.failure import Unanswered
from alyx_client.http.headers import whole_number

__all__ = ["DEFAULT_MAX_BYTES", "Body", "BodyRefusedError", "DamagedEncodingError", "refused"]

DEFAULT_MAX_BYTES: Final = 256 * 2**20
"""The largest response in memory if nothing else is set, in bytes."""

# The servers' reasons stand at the beginning.
_MAX_ERROR = 2**20
# A few bytes may stand for a thousand times as many.
_PIECE = 2**18
_GZIP = b"\x1f\x8b"
_WINDOW_BITS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
# Each one may multiply the size; servers have one.
_MAX_ENCODINGS = 2


class BodyRefusedError(Exception):
    """The body is longer than the limit, or its ``Content-Encoding`` is not one that was requested.

    Parameters
    ----------
    status
        The status of the response.
    limit
        The maximum number of bytes.
    encoding
        The encoding that was not requested; empty if the body is too long.
    """

    def __init__(self, status: int, limit: float, encoding: str = "") -> None:
        super().__init__(encoding or f"more than {limit:.0f} bytes")
        self.status = status
        self.limit = limit
        self.encoding = encoding


class DamagedEncodingError(Exception):
    """The body cannot be decoded; another attempt may help."""


class Body:
    """The body of one response.

    Parameters
    ----------
    status, headers
        The response; names in lower case.
    limit
        The maximum number of bytes after decoding. Of errors, the beginning is enough, and the rest is left out.

    Raises
    ------
    BodyRefusedError
        The server announces more than the limit, or an encoding that was not requested.
    """

    def __init__(self, status: int, headers: Mapping[str, str], limit: float) -> None:
        encodings, is_known = _encodings(headers)
        self._status, self._is_error = status, status >= 400
        if not is_known and not self._is_error:
            raise BodyRefusedError(status, limit, ", ".join(encodings))
        # The last encoding was applied last.
        self._stages = [_Inflater(name) for name in reversed(encodings)] if is_known else []
        self._limit = min(limit, _MAX_ERROR if is_known else 0) if self._is_error else limit
        self._pieces: list[bytes] = []
        self._size = 0
        announced = whole_number(headers.get("content-length", ""))
        if not self._stages and not self._is_error and announced is not None and announced > limit:
            raise BodyRefusedError(status, limit)

    def add(self, received: bytes) -> bool:
        """Add what was received; returns whether more is wanted.

        Raises
        ------
        BodyRefusedError
            The body is longer than the limit.
        DamagedEncodingError
            The encoding is damaged.
        """
        try:
            return self._add(received)
        except DamagedEncodingError:
            if self._is_error:
                return False
            raise

    def _add(self, received: bytes) -> bool:
        for piece in _decoded(received, self._stages):
            self._size += len(piece)
            if self._size > self._limit:
                if not self._is_error:
                    raise BodyRefusedError(self._status, self._limit)
                self._pieces.append(piece[: len(piece) - int(self._size - self._limit)])
                return False
            self._pieces.append(piece)
        return True

    def content(self) -> bytes:
        """Return the whole body.

        Raises
        ------
        DamagedEncodingError
            The encoding ends too early.
        """
        for stage in () if self._is_error else self._stages:
            stage.finish()
        return self.beginning()

    def beginning(self) -> bytes:
        """Return what was added so far."""
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)


def _encodings(headers: Mapping[str, str]) -> tuple[list[str], bool]:
    """Return the encodings of a body, and whether all of them can be decoded."""
    names = [name.strip().lower() for name in headers.get("content-encoding", "").split(",")]
    encodings = [name for name in names if name not in {"", "identity"}]
    return encodings, len(encodings) <= _MAX_ENCODINGS and all(name in _WINDOW_BITS for name in encodings)


def refused(error: BodyRefusedError, method: str, url: str, expected: int | None = None) -> Unanswered:
    """Return the failure for a response whose body is not accepted; another attempt would end the same way.

    Parameters
    ----------
    error
        The reason.
    method, url
        The request; the URL holds no credentials.
    expected
        The most bytes that make sense as its response, if that is known.
    """
    kind: type[AlyxError] = UnexpectedAnswerError if error.encoding else ResponseTooLargeError
    message = f"The response to {method} {url} (status {error.status}) "
    if error.encoding:
        message += f"has an encoding that was not requested ({error.encoding}). Does a proxy change responses?"
    elif expected is not None and error.limit >= expected:
        message += f"has more than {expected} bytes, which no such response of Alyx has. Check the server's address."
    else:
        message += (
            f"has more than {error.limit:.0f} bytes. Request less (filters, a smaller limit), or allow more with "
            "max_response_bytes= of the client or ALYX_MAX_RESPONSE_BYTES."
        )
    if method not in {"GET", "HEAD"}:
        message += " The server has acted on the request: check before sending it again."
    return Unanswered(kind(message, status_code=error.status, method=method, url=url), sent=True, retryable=False)


class _Inflater:
    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._decoder = zlib.decompressobj(_WINDOW_BITS[encoding])
        self._has_begun = False

    def add(self, received: bytes) -> Iterator[bytes]:
        data = received
        while data:
            if self._decoder.eof:
                # RFC 1952: a gzip file is a series of members, one decoder for each.
                self._decoder = zlib.decompressobj(_WINDOW_BITS[self._encoding])
            piece = self._decompress(data)
            yield piece
            # A full piece may have left output behind in the decoder, also where it took all of its input.
            while not self._decoder.eof and (self._decoder.unconsumed_tail or len(piece) == _PIECE):
                piece = self._decompress(self._decoder.unconsumed_tail)
                yield piece
            data = self._decoder.unused_data
            if not data.startswith(_GZIP):
                return

    def _decompress(self, data: bytes) -> bytes:
        try:
            piece = self._decoder.decompress(data, _PIECE)
        except zlib.error as error:
            if self._has_begun or self._encoding != "deflate":
                raise DamagedEncodingError(f"its {self._encoding} encoding is damaged: {error}") from error
            # Some servers leave out the zlib header that RFC 9110, section 8.4.1.2, requires.
            self._decoder = zlib.decompressobj(-zlib.MAX_WBITS)
            self._has_begun = True
            return self._decompress(data)
        self._has_begun = True
        return piece

    def finish(self) -> None:
        if self._has_begun and not self._decoder.eof:
            raise DamagedEncodingError(f"it ended before its {self._encoding} encoding did")


def _decoded(received: bytes, stages: list[_Inflater]) -> Iterable[bytes]:
    if not stages:
        return (received,)
    first, *others = stages
    return (piece for inner in first.add(received) for piece in _decoded(inner, others))
