"""Cache entries: a response as a row of the cache file, and back."""

from __future__ import annotations

import json
import math
import struct
import time
import zlib
from typing import NamedTuple

from alyx_client.http.cache.key import CacheKey, digest_parts
from alyx_client.http.cache.policy import MAX_RESPONSE
from alyx_client.http.json_body import is_object, parse_json
from alyx_client.http.message import Response
from alyx_client.lazy_dataclasses import dataclass

__all__ = ["NO_GENERATION", "CachedResponse", "Row", "pack", "unpack"]

NO_GENERATION = b""
"""The generation of entries that survive writes."""

# Smaller bodies, single records, gain little room from compression, and are read again and again.
_MIN_COMPRESSED = 4096
# What a row takes in addition to its head and body: the other columns, and its entries in the indexes.
_ROW_OVERHEAD = 512
# The headers that anything reads: the media type, the allowed methods, and the links between pages.
_STORED_HEADERS = ("content-type", "allow", "link")


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """A response from the cache.

    Parameters
    ----------
    response
        The response.
    received
        When it was received, in seconds since 1970.
    lifetime
        For how many seconds it counts as fresh.
    current
        Whether nothing has been written to the server since the request was sent.
    """

    response: Response
    received: float
    lifetime: float
    current: bool

    @property
    def age(self) -> float:
        """Seconds since it was received; negative if the system's clock was set back since."""
        return time.time() - self.received

    def is_fresh(self, max_age: float | None) -> bool:
        """Tell whether it may be served without asking the server.

        Parameters
        ----------
        max_age
            The age in seconds that the caller accepts; None for any.
        """
        age = self.age
        # With a negative age, the clock was set back, and the real age is unknown.
        return self.current and 0 <= age < self.lifetime and (max_age is None or age < max_age)


class Row(NamedTuple):
    """An entry as stored in the file; the order of its fields is that of the table's columns."""

    key: bytes
    user: str
    endpoint: str
    generation: bytes
    received: float
    lifetime: float
    used: float
    size: int
    digest: bytes
    head: bytes
    body: bytes


# SQLite stores values of any type in any column.
_COLUMN_TYPES: tuple[type, ...] = (bytes, str, str, bytes, float, float, float, int, bytes, bytes, bytes)


def pack(key: CacheKey, response: Response, *, received: float, lifetime: float, generation: bytes) -> Row:
    """Encode a response.

    Parameters
    ----------
    key
        Its key.
    response
        The response.
    received
        When it was received, in seconds since 1970.
    lifetime
        For how many seconds it counts as fresh.
    generation
        The file's generation when the request was sent.
    """
    body, compressed = response.content, len(response.content) > _MIN_COMPRESSED
    if compressed:
        # The fastest level: JSON shrinks well with any, and responses are compressed while the caller waits.
        body = zlib.compress(body, 1)
    headers = {name: response.headers[name] for name in _STORED_HEADERS if name in response.headers}
    head = json.dumps([response.status, headers, response.method, response.url, compressed]).encode()
    row = Row(
        key=key.digest,
        user=key.identity,
        endpoint=key.endpoint,
        generation=NO_GENERATION if key.survives_writes else generation,
        received=received,
        lifetime=lifetime,
        used=received,
        size=len(head) + len(body) + _ROW_OVERHEAD,
        digest=b"",
        head=head,
        body=body,
    )
    return row._replace(digest=_checksum(row))


def unpack(row: Row, key: CacheKey, generation: bytes) -> CachedResponse | None:
    """Decode a row; None if it is not one that was stored under the key: damaged, forged, or another user's.

    Parameters
    ----------
    row
        The row, as read from the file: its values may be of any type.
    key
        The key that it was found under.
    generation
        The file's present generation.
    """
    if not _verify(row, key):
        return None
    try:
        status, headers, method, url, compressed = parse_json(row.head)
        content = _decompress(row.body) if compressed else row.body
    except (ValueError, TypeError, zlib.error):
        return None
    if not (isinstance(status, int) and isinstance(method, str) and isinstance(url, str) and is_object(headers)):
        return None
    texts = {name: value for name, value in headers.items() if isinstance(value, str)}
    response = Response(status, texts, content, method, url)
    return CachedResponse(response, row.received, row.lifetime, row.generation in (NO_GENERATION, generation))


def _decompress(body: bytes) -> bytes:
    decoder = zlib.decompressobj()
    # A forged row may stand for a thousand times as many bytes as it has.
    content = decoder.decompress(body, MAX_RESPONSE + 1)
    if not decoder.eof or len(content) > MAX_RESPONSE:
        raise ValueError("it is incomplete, or larger than any response that is stored")
    return content


def _verify(row: Row, key: CacheKey) -> bool:
    if tuple(map(type, row)) != _COLUMN_TYPES:
        return False
    if not math.isfinite(row.received) or not math.isfinite(row.lifetime):
        return False
    generation = NO_GENERATION if key.survives_writes else row.generation
    return row[:4] == (key.digest, key.identity, key.endpoint, generation) and row.digest == _checksum(row)


def _checksum(row: Row) -> bytes:
    """Digest the whole row except the time of its last use, which changes, and its size, which is not served."""
    times = struct.pack(">dd", row.received, row.lifetime)
    parts = [row.key, row.user.encode(), row.endpoint.encode(), row.generation, times, row.head, row.body]
    return digest_parts(parts, size=16)
