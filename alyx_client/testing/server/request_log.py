"""The log of received requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass
class ReceivedRequest:
    """One received request.

    Attributes
    ----------
    method, path, query
        The request line; the path is decoded, the query is not.
    headers
        Header values by lower-case name; of ``authorization``, only the scheme is recorded.
    body_length
        The length of the body in bytes.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body_length: int = 0


class RequestLogMiddleware:
    """ASGI middleware that logs requests, and marks every response as that of a stand-in."""

    def __init__(self, app: ASGIApp, log: list[ReceivedRequest], server: str) -> None:
        self.app = app
        self.log = log
        self.server = server.encode("latin-1")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        # Logs end up in test reports: never record a token or password.
        if "authorization" in headers:
            headers["authorization"] = f"{headers['authorization'].split(' ')[0]} ***"
        query = scope["query_string"].decode("latin-1")
        entry = ReceivedRequest(scope["method"], scope["path"], query, headers)
        self.log.append(entry)

        async def count_bytes() -> Message:
            message = await receive()
            entry.body_length += len(message.get("body", b""))
            return message

        async def send_with_server(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"server", self.server)]}
            await send(message)

        await self.app(scope, count_bytes, send_with_server)
