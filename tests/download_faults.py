"""Steps of the fault server that serve files, with and without faults."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import re
import socket
import threading
import time
from collections.abc import Mapping

from tests.faults import Received, Step, reset, response_head

_RANGE = re.compile(r"bytes=(\d+)-(\d*)$")
BLOCK = 2**20


def content(size: int, seed: bytes = b"file") -> bytes:
    """Return the bytes of a file, the same in every run."""
    return hashlib.shake_128(seed).digest(size)


def tag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def requested_range(request: Received, length: int, etag: str | None) -> tuple[int, int] | None:
    """Return the first and last byte to send; None for the whole file."""
    match = _RANGE.match(request.headers.get("range", ""))
    if match is None or request.headers.get("if-range", etag) != etag:
        return None
    return int(match[1]), min(int(match[2] or length - 1), length - 1)


def serve(
    body: bytes,
    *,
    etag: str | None = "",
    ranges: bool = True,
    headers: Mapping[str, str] | None = None,
    reset_after: int | None = None,
    close_after: int | None = None,
    login: str | None = None,
    drip: float = 0.0,
) -> Step:
    """Serve a file, or its first bytes only before the connection breaks."""
    etag = tag(body) if etag == "" else etag

    def step(request: Received, connection: socket.socket) -> bool:
        if login is not None and request.headers.get("authorization") != login:
            connection.sendall(response_head(401, {"Content-Length": "0", "WWW-Authenticate": 'Basic realm="data"'}))
            return True
        fields = {"Content-Type": "application/octet-stream", **(headers or {})}
        if etag:
            fields["ETag"] = etag
        if ranges:
            fields["Accept-Ranges"] = "bytes"
        span = requested_range(request, len(body), etag) if ranges else None
        if span and span[0] >= len(body):
            connection.sendall(response_head(416, {"Content-Range": f"bytes */{len(body)}", "Content-Length": "0"}))
            return True
        sent = body if span is None else body[span[0] : span[1] + 1]
        if span is not None:
            fields["Content-Range"] = f"bytes {span[0]}-{span[1]}/{len(body)}"
        fields.setdefault("Content-Length", str(len(sent)))
        connection.sendall(response_head(200 if span is None else 206, fields))
        limit = reset_after if reset_after is not None else close_after
        if limit is not None and limit < len(sent):
            connection.sendall(sent[:limit])
            if reset_after is not None:
                # A reset discards the bytes that the receiver has not read yet.
                time.sleep(0.02)
                return reset(connection)
            return False
        if drip:
            for start in range(0, len(sent), 1000):
                connection.sendall(sent[start : start + 1000])
                time.sleep(drip)
        else:
            connection.sendall(sent)
        return True

    return step


def until_closed(body: bytes) -> Step:
    """Send a file without its length, which ends with the connection."""

    def step(request: Received, connection: socket.socket) -> bool:
        connection.sendall(response_head(200, {"Content-Type": "application/octet-stream"}) + body)
        return False

    return step


def chunked(
    body: bytes, *, etag: str | None = None, cut_at: int | None = None, headers: Mapping[str, str] | None = None
) -> Step:
    """Send a file in chunks, or without the last ones."""

    def step(request: Received, connection: socket.socket) -> bool:
        span = requested_range(request, len(body), etag) if etag else None
        fields = {"Transfer-Encoding": "chunked", **({"ETag": etag} if etag else {}), **(headers or {})}
        if span:
            fields["Content-Range"] = f"bytes {span[0]}-{span[1]}/*"
        connection.sendall(response_head(206 if span else 200, fields))
        sent = body[span[0] :] if span else body
        for start in range(0, len(sent), 5000):
            if cut_at is not None and start >= cut_at:
                return False
            part = sent[start : start + 5000]
            connection.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
        return True

    return step


def gzipped(body: bytes, *, cut: bool = False) -> Step:
    """Send a file with gzip encoding, though it was not requested; perhaps without its end, at a fitting length."""

    def step(request: Received, connection: socket.socket) -> bool:
        compressed = gzip.compress(body)
        compressed = compressed[: len(compressed) // 2] if cut else compressed
        fields = {"Content-Encoding": "gzip", "Content-Length": str(len(compressed)), "ETag": '"packed"'}
        connection.sendall(response_head(200, fields) + compressed)
        return True

    return step


def wrong_range(body: bytes) -> Step:
    """Respond to every range with status 206 and the first bytes of the file."""

    def step(request: Received, connection: socket.socket) -> bool:
        if "range" not in request.headers:
            return serve(body)(request, connection)
        fields = {"Content-Range": f"bytes 0-99/{len(body)}", "Content-Length": "100", "ETag": tag(body)}
        connection.sendall(response_head(206, fields) + body[:100])
        return True

    return step


def stuck_after(body: bytes, count: int) -> Step:
    """Send the first `count` bytes, then nothing until the client closes the connection."""

    def step(request: Received, connection: socket.socket) -> bool:
        fields = {"Content-Length": str(len(body)), "ETag": tag(body), "Accept-Ranges": "bytes"}
        connection.sendall(response_head(200, fields) + body[:count])
        connection.settimeout(60)
        with contextlib.suppress(OSError):
            connection.recv(1)
        return False

    return step


class Zeros:
    """A large file of zeros, not held in memory; ``spans`` are the requested ranges."""

    def __init__(self, size: int, *, reset_after: int | None = None, delay: float = 0.0) -> None:
        self.size = size
        self.etag = f'"zeros-{size}"'
        self.spans: list[tuple[int, int] | None] = []
        self._reset_after = reset_after
        self._delay = delay
        self._lock = threading.Lock()
        self._block = bytes(BLOCK)

    def __call__(self, request: Received, connection: socket.socket) -> bool:
        span = requested_range(request, self.size, self.etag)
        with self._lock:
            self.spans.append(span)
        first, last = span or (0, self.size - 1)
        fields = {"ETag": self.etag, "Accept-Ranges": "bytes", "Content-Length": str(last - first + 1)}
        if span:
            fields["Content-Range"] = f"bytes {first}-{last}/{self.size}"
        connection.sendall(response_head(206 if span else 200, fields))
        remaining = last - first + 1
        whole = self._reset_after is None or remaining <= self._reset_after
        remaining = remaining if whole else int(self._reset_after or 0)
        while remaining:
            count = min(remaining, BLOCK)
            connection.sendall(self._block if count == BLOCK else self._block[:count])
            remaining -= count
            if self._delay:
                time.sleep(self._delay)
        if not whole:
            time.sleep(0.02)
            return reset(connection)
        return True
