"""Faults that a test switches on, and the log of what was received."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from starlette.types import ASGIApp, Message, Receive, Scope, Send

FaultKind = Literal[
    "delay",
    "cut_body",
    "wrong_length",
    "status",
    "html",
    "truncated_json",
    "stale_token",
    "reset",
    "headers",
    "replace",
]

_HTML = b"<!doctype html><html><head><title>Not Alyx</title></head><body><p>A page, not data.</p></body></html>"


@dataclass
class Fault:
    """One fault, ready to happen.

    Attributes
    ----------
    path
        Glob over the request's path, such as ``"/sessions*"``.
    kind
        What goes wrong; see `Faults.add`.
    times
        How many requests it happens to yet; None for all.
    skip
        How many matching requests are let through first.
    method
        The method it happens to; None for every one.
    options
        What the kind takes.
    """

    path: str
    kind: FaultKind
    times: int | None = 1
    skip: int = 0
    method: str | None = None
    options: dict[str, Any] = field(default_factory=dict[str, Any])


class Faults:
    """The faults of a local Alyx."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []
        self._limit: tuple[int, float] | None = None
        self._seen: dict[str, deque[float]] = {}

    def add(
        self,
        path: str,
        kind: FaultKind,
        *,
        times: int | None = 1,
        skip: int = 0,
        method: str | None = None,
        **options: Any,
    ) -> Fault:
        """Switch on a fault.

        Parameters
        ----------
        path
            Glob over the request's path: ``"/sessions"``, ``"/data/*"``, ``"*"``.
        kind
            One of

            - ``"delay"``: wait `seconds` (default 0.2), then answer;
            - ``"status"``: answer `status` (default 503) with `detail`; `retry_after` is a number of seconds, or a
              datetime, which is sent as a date;
            - ``"html"``: answer a page with status 200, or `status`;
            - ``"truncated_json"``: answer only the first `keep` bytes (default: half), as a complete body;
            - ``"cut_body"``: announce the whole length, send `keep` bytes (default: half), close the connection;
              with `reset` true, by resetting it;
            - ``"wrong_length"``: a length that differs by `delta` from that of the content (default -1): a short
              but valid answer where it is negative, a missing end where it is positive;
            - ``"stale_token"``: the token that came with the request is valid no longer;
            - ``"reset"``: reset the connection without an answer;
            - ``"headers"``: answer as ever, with `headers` added;
            - ``"replace"``: answer as ever, but with the text `old` replaced by `new` in the body.
        times
            How many requests it happens to; None for all until `clear`.
        skip
            How many matching requests are let through first.
        method
            Happen to requests of this method only.
        **options
            What the kind takes, as above.
        """
        if kind not in get_args(FaultKind):
            raise ValueError(f"no fault of kind {kind!r}: choose one of {', '.join(get_args(FaultKind))}")
        fault = Fault(path, kind, times, skip, method, dict(options))
        with self._lock:
            self._waiting.append(fault)
        return fault

    def throttle(self, requests: int | None, seconds: float = 60.0) -> None:
        """Answer 429 to a user's requests beyond a number in a span of time; None switches it off."""
        with self._lock:
            self._limit = (requests, seconds) if requests is not None else None
            self._seen.clear()

    def clear(self) -> None:
        """Switch everything off."""
        with self._lock:
            self._waiting.clear()
            self._limit = None
            self._seen.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault that happens to a request now, and count it."""
        with self._lock:
            for fault in self._waiting:
                if not fnmatchcase(path, fault.path) or fault.method not in (None, method):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.times is None:
                    return fault
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None

    def wait_for(self, who: str) -> float | None:
        """Count a request of a user, and return the seconds to wait if there were too many."""
        with self._lock:
            if self._limit is None:
                return None
            requests, seconds = self._limit
            now = time.monotonic()
            seen = self._seen.setdefault(who, deque())
            while seen and seen[0] <= now - seconds:
                seen.popleft()
            if len(seen) >= requests:
                return seen[0] + seconds - now
            seen.append(now)
            return None


@dataclass
class ReceivedRequest:
    """One request as it was received.

    Attributes
    ----------
    method, path, query
        The request line; the path is decoded, the query is not.
    headers
        Header values by lower-case name; the value of ``authorization`` is left out but for its scheme.
    body_length
        Bytes of the body.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body_length: int = 0


class RecordRequests:
    """Middleware that logs requests and says on every answer that this is a stand-in."""

    def __init__(self, app: ASGIApp, log: list[ReceivedRequest], server: str) -> None:
        self.app = app
        self.log = log
        self.server = server.encode("latin-1")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if "authorization" in headers:
            headers["authorization"] = f"{headers['authorization'].split(' ')[0]} ***"
        query = scope["query_string"].decode("latin-1")
        entry = ReceivedRequest(scope["method"], scope["path"], query, headers)
        self.log.append(entry)

        async def counting() -> Message:
            message = await receive()
            entry.body_length += len(message.get("body", b""))
            return message

        async def signing(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"server", self.server)]}
            await send(message)

        await self.app(scope, counting, signing)


class ApplyFaults:
    """Middleware that lets faults happen.

    Parameters
    ----------
    app
        What answers otherwise.
    faults
        The faults.
    revoke
        Makes the token of an ``Authorization`` header invalid.
    transports
        Open connections by the client's address, to be reset.
    """

    def __init__(
        self,
        app: ASGIApp,
        faults: Faults,
        revoke: Callable[[str], None],
        transports: Mapping[tuple[str, int], asyncio.Transport],
    ) -> None:
        self.app = app
        self.faults = faults
        self.revoke = revoke
        self.transports = transports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        fault = self.faults.take(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if fault is None:
            await self.app(scope, receive, send)
            return
        options = fault.options
        if fault.kind == "delay":
            await asyncio.sleep(options.get("seconds", 0.2))
            await self.app(scope, receive, send)
        elif fault.kind == "status":
            await _drain(receive)
            await _answer_status(send, options)
        elif fault.kind == "html":
            await _drain(receive)
            await _respond(send, options.get("status", 200), _HTML, [(b"content-type", b"text/html; charset=utf-8")])
        elif fault.kind == "stale_token":
            header = dict(scope["headers"]).get(b"authorization", b"")
            self.revoke(header.decode("latin-1").removeprefix("Token").strip())
            await self.app(scope, receive, send)
        elif fault.kind == "reset":
            await _drain(receive)
            self._reset(scope)
        elif fault.kind == "headers":
            await self._with_headers(scope, receive, send, options.get("headers", {}))
        else:
            await self._damaged(fault, scope, receive, send)

    async def _with_headers(self, scope: Scope, receive: Receive, send: Send, headers: Mapping[str, str]) -> None:
        added = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]

        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        await self.app(scope, receive, adding)

    async def _damaged(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {}
        body = b""

        async def collecting(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
            else:
                body += message.get("body", b"")

        await self.app(scope, receive, collecting)
        keep = int(fault.options.get("keep", len(body) // 2))
        announced, sent = len(body), body[:keep]
        if fault.kind == "replace":
            sent = body.replace(str(fault.options["old"]).encode(), str(fault.options["new"]).encode())
            announced = len(sent)
        elif fault.kind == "truncated_json":
            announced = len(sent)
        elif fault.kind == "wrong_length":
            announced = max(0, len(body) + int(fault.options.get("delta", -1)))
            sent = body[:announced]
        kept = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
        headers = [*kept, (b"content-length", str(announced).encode())]
        await send({**start, "headers": headers})
        whole = len(sent) == announced
        await send({"type": "http.response.body", "body": sent, "more_body": not whole})
        if not whole and fault.options.get("reset"):
            # Let what was sent leave before the connection goes.
            await asyncio.sleep(0.05)
            self._reset(scope)

    def _reset(self, scope: Scope) -> None:
        transport = self.transports.get(tuple(scope["client"]))
        if transport is None:
            return
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


async def _drain(receive: Receive) -> None:
    while True:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body"):
            return


async def _respond(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


async def _answer_status(send: Send, options: Mapping[str, Any]) -> None:
    status = int(options.get("status", 503))
    headers = [(b"content-type", b"application/json")]
    wait = options.get("retry_after")
    if isinstance(wait, datetime):
        wait = format_datetime(wait, usegmt=True)
    if wait is not None:
        headers.append((b"retry-after", str(wait).encode()))
    detail = options.get("detail", "Request was throttled." if status == 429 else "The server is not available.")
    await _respond(send, status, json.dumps({"detail": detail, "status_code": status}).encode(), headers)
