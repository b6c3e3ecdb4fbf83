"""An HTTP server on loopback that returns what it is told to, and remembers what it was sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Sent:
    """A request as it came over the wire."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


Response = tuple[int, str, bytes]
"""A status, a media type and a body."""


class ReplyServer:
    """A server for one client; `reply` and `reply_with` set what it returns to the requests that follow."""

    def __init__(self) -> None:
        self.requests: list[Sent] = []
        self._respond: Callable[[Sent], Response] = lambda _: (200, "application/json", b"{}")
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def reply(self, status: int, media_type: str, body: bytes) -> None:
        """Forget the requests so far, and return this from now on."""
        self.reply_with(lambda _: (status, media_type, body))

    def reply_with(self, respond: Callable[[Sent], Response]) -> None:
        """Forget the requests so far, and return what this says to each from now on."""
        self.requests.clear()
        self._respond = respond

    def receive(self, sent: Sent) -> Response:
        self.requests.append(sent)
        return self._respond(sent)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def _handler(owner: ReplyServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Without it, the headers and the body are two packets, and the second waits for an acknowledgement.
        wbufsize = -1

        def _exchange(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, media_type, content = owner.receive(Sent(self.command, self.path, headers, body))
            self.send_response(status)
            if media_type:
                self.send_header("Content-Type", media_type)
            if status not in (204, 205):
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content if status not in (204, 205) else b"")

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _exchange  # noqa: N815 - the names of http.server

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    return Handler
