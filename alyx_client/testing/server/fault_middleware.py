"""ASGI middleware that carries out faults."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alyx_client.testing.server.faults import Fault, Faults

_HTML = b"<!doctype html><html><head><title>Not Alyx</title></head><body><p>A page, not data.</p></body></html>"


class FaultMiddleware:
    """Carries out the faults that match a request.

    Parameters
    ----------
    app
        The application that handles the request otherwise.
    faults
        The faults.
    revoke
        Invalidates a token.
    transports
        Open connections by the client's address, so that they can be reset.
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
        """Handle one request."""
        fault = self.faults.take(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if fault is None:
            await self.app(scope, receive, send)
            return
        options = fault.options
        if fault.kind == "delay":
            await asyncio.sleep(options.get("seconds", 0.2))
            await self.app(scope, receive, send)
        elif fault.kind == "status":
            await self._receive(fault, scope, receive)
            await _send_status(send, options)
        elif fault.kind == "html":
            await _drain(receive)
            await _respond(send, options.get("status", 200), _HTML, [(b"content-type", b"text/html; charset=utf-8")])
        elif fault.kind == "stale_token":
            header = dict(scope["headers"]).get(b"authorization", b"")
            self.revoke(header.decode("latin-1").removeprefix("Token").strip())
            await self.app(scope, receive, send)
        elif fault.kind == "reset":
            await self._receive(fault, scope, receive)
            self._reset(scope)
        elif fault.kind == "headers":
            await self._send_with_headers(scope, receive, send, options.get("headers", {}))
        else:
            await self._send_damaged(fault, scope, receive, send)

    async def _receive(self, fault: Fault, scope: Scope, receive: Receive) -> None:
        """Receive the request, and handle it if the fault is to hide the response from the client."""
        if not fault.options.get("handled"):
            await _drain(receive)
            return

        async def discard(message: Message) -> None:
            pass

        await self.app(scope, receive, discard)

    async def _send_with_headers(self, scope: Scope, receive: Receive, send: Send, headers: Mapping[str, str]) -> None:
        added = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        await self.app(scope, receive, send_with_headers)

    async def _send_damaged(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {}
        chunks: list[bytes] = []

        async def collect(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
            else:
                chunks.append(message.get("body", b""))

        await self.app(scope, receive, collect)
        announced_length, sent = _damage(fault, b"".join(chunks))
        headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
        headers.append((b"content-length", str(announced_length).encode()))
        await send({**start, "headers": headers})
        complete = len(sent) == announced_length
        # With `more_body`, uvicorn closes the connection itself when the application returns.
        await send({"type": "http.response.body", "body": sent, "more_body": not complete})
        if not complete and fault.options.get("reset"):
            # A reset discards data that has not been sent yet: wait until the body has left.
            await asyncio.sleep(0.05)
            self._reset(scope)

    def _reset(self, scope: Scope) -> None:
        transport = self.transports.get(tuple(scope["client"]))
        if transport is None:
            return
        connection = transport.get_extra_info("socket")
        # Lingering for zero seconds makes the kernel send RST rather than FIN.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


def _damage(fault: Fault, body: bytes) -> tuple[int, bytes]:
    """Return the length to announce and the bytes to send."""
    options = fault.options
    if fault.kind == "replace":
        sent = body.replace(str(options["old"]).encode(), str(options["new"]).encode())
        return len(sent), sent
    if fault.kind == "wrong_length":
        announced_length = max(0, len(body) + int(options.get("delta", -1)))
        return announced_length, body[:announced_length]
    sent = body[: int(options.get("keep", len(body) // 2))]
    return (len(sent) if fault.kind == "truncated_json" else len(body)), sent


async def _drain(receive: Receive) -> None:
    """Read the request's body, which a client may insist on sending before it reads the response."""
    while True:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body"):
            return


async def _respond(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


async def _send_status(send: Send, options: Mapping[str, Any]) -> None:
    status = int(options.get("status", 503))
    headers = [(b"content-type", b"application/json")]
    retry_after = options.get("retry_after")
    # RFC 9110, 10.2.3: a number of seconds, or a date in GMT.
    if isinstance(retry_after, datetime):
        retry_after = format_datetime(retry_after, usegmt=True)
    if retry_after is not None:
        headers.append((b"retry-after", str(retry_after).encode()))
    detail = options.get("detail", "Request was throttled." if status == 429 else "The server is not available.")
    await _respond(send, status, json.dumps({"detail": detail, "status_code": status}).encode(), headers)
