"""A small HTTP/1.1 server on loopback that follows a script, faults included, over real sockets.

It responds to requests with the steps of a script, one step per request, and with ``then`` once the script has ended::

    with FaultServer([reset_before_headers(), json_response([])]) as server:
        ...
        assert server.paths == ["/subjects", "/subjects"]

A step is a function of the request and the socket; it sends a response, and returns whether the connection stays open.
``FaultServer(routes={"/auth-token": [...]})`` and ``server.script("/auth-token", ...)`` set the script of one path.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Self


@dataclass(frozen=True)
class Received:
    """A request as received."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    connection: int
    raw: bytes = field(repr=False, default=b"")

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def token(self) -> str | None:
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        return token if kind == "Token" else None

    def json(self) -> object:
        return json.loads(self.body)


Step = Callable[[Received, socket.socket], bool]


class FaultServer:
    """Serves the script until it is closed; ``requests`` holds the requests received."""

    def __init__(
        self,
        script: Iterable[Step] = (),
        *,
        then: Step | None = None,
        routes: Mapping[str, Iterable[Step]] | None = None,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self._scripts = {path: iter(tuple(steps)) for path, steps in (routes or {}).items()}
        self._script = iter(tuple(script))
        self.then = then or json_response({"detail": "The script has ended."}, status=500)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self._tls = tls
        self.port: int = self._listener.getsockname()[1]
        self.url = f"https://localhost:{self.port}" if tls else f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.requests]

    @property
    def tokens(self) -> list[str | None]:
        return [request.token for request in self.requests]

    def script(self, path: str, *steps: Step) -> None:
        """Set the script of one path."""
        self._scripts[path] = iter(steps)

    def count(self, path: str) -> int:
        return self.paths.count(path)

    def close(self) -> None:
        # A blocked accept() is not woken by close() alone on every system.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
        with self._lock:
            still_open = list(self._open)
        for connection in still_open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                buffer = b""
                while True:
                    request, buffer = _read(connection, buffer, number)
                    if request is None:
                        return
                    with self._lock:
                        self.requests.append(request)
                        script = self._scripts.get(request.path, self._script)
                        step = next(script, self.then)
                    if not step(request, connection):
                        return
        except OSError:
            return
        finally:
            with self._lock:
                self._open.discard(connection)


def _read(connection: socket.socket, buffer: bytes, number: int) -> tuple[Received | None, bytes]:
    while b"\r\n\r\n" not in buffer:
        received = connection.recv(65536)
        if not received:
            return None, b""
        buffer += received
    head, _, rest = buffer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", "0"))
    while len(rest) < length:
        received = connection.recv(65536)
        if not received:
            return None, b""
        rest += received
    return Received(method, target, headers, rest[:length], number, head + b"\r\n\r\n" + rest[:length]), rest[length:]


def closed_port() -> int:
    """Return a port that refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def reset(connection: socket.socket) -> bool:
    # With a linger of zero seconds close() sends RST instead of FIN.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    return False


def response_head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def response(
    content: bytes = b"",
    *,
    status: int = 200,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
    delay: float = 0.0,
    keep: bool = True,
) -> Step:
    """Send a complete response."""

    def step(request: Received, connection: socket.socket) -> bool:
        if delay:
            time.sleep(delay)
        fields = {"Content-Type": content_type, "Content-Length": str(len(content)), **(headers or {})}
        connection.sendall(response_head(status, fields) + (b"" if request.method == "HEAD" else content))
        return keep

    return step


def json_response(
    value: object, *, status: int = 200, headers: Mapping[str, str] | None = None, delay: float = 0.0, keep: bool = True
) -> Step:
    """Send JSON."""
    return response(json.dumps(value).encode(), status=status, headers=headers, delay=delay, keep=keep)


def page(results: list[object], count: int | None = None, **extra: object) -> Step:
    """Send one page of a list."""
    total = len(results) if count is None else count
    return json_response({"count": total, "next": None, "previous": None, "results": results, **extra})


def html_response(status: int = 200, title: str = "Welcome to nginx") -> Step:
    """Send a web page, as a proxy or a login portal does."""
    text = f"<!doctype html><html><head><title>{title}</title></head><body>{'<p>filler</p>' * 400}</body></html>"
    return response(text.encode(), status=status, content_type="text/html")


def truncated_json(value: object) -> Step:
    """Send half of the JSON, with the ``Content-Length`` of that half."""
    content = json.dumps(value).encode()
    return response(content[: len(content) // 2])


def short_body(value: object) -> Step:
    """Announce the full length, send half, and close the connection without a reset."""
    content = json.dumps(value).encode()

    def step(request: Received, connection: socket.socket) -> bool:
        head = response_head(200, {"Content-Type": "application/json", "Content-Length": str(len(content))})
        connection.sendall(head + content[: len(content) // 2])
        return False

    return step


def reset_before_headers() -> Step:
    """Read the request, then reset the connection."""
    return lambda request, connection: reset(connection)


def close_before_headers() -> Step:
    """Read the request, then close the connection without a response."""
    return lambda request, connection: False


def reset_after_headers(length: int = 1000) -> Step:
    """Send the headers only, then reset the connection."""

    def step(request: Received, connection: socket.socket) -> bool:
        connection.sendall(response_head(200, {"Content-Type": "application/json", "Content-Length": str(length)}))
        return reset(connection)

    return step


def reset_mid_body(value: object) -> Step:
    """Send the headers and half of the body, then reset the connection."""
    content = json.dumps(value).encode()

    def step(request: Received, connection: socket.socket) -> bool:
        head = response_head(200, {"Content-Type": "application/json", "Content-Length": str(len(content))})
        connection.sendall(head + content[: len(content) // 2])
        return reset(connection)

    return step


def silent(seconds: float = 30.0) -> Step:
    """Keep the connection open without a response, until the client closes it or the time is up."""

    def step(request: Received, connection: socket.socket) -> bool:
        connection.settimeout(seconds)
        with contextlib.suppress(TimeoutError):
            connection.recv(1)
        return False

    return step


def stalled_body(value: object, seconds: float = 30.0) -> Step:
    """Send the headers and half of the body, then nothing more."""
    content = json.dumps(value).encode()

    def step(request: Received, connection: socket.socket) -> bool:
        head = response_head(200, {"Content-Type": "application/json", "Content-Length": str(len(content))})
        connection.sendall(head + content[: len(content) // 2])
        return silent(seconds)(request, connection)

    return step


def too_many(retry_after: str | None = "0") -> Step:
    """Send status 429 with a ``Retry-After``."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return json_response({"detail": "Request was throttled.", "status_code": 429}, status=429, headers=headers)


def unavailable(status: int = 503, retry_after: str | None = None) -> Step:
    """Send the error page of a proxy whose server is down."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return response(b"<h1>Unavailable</h1>", status=status, content_type="text/html", headers=headers)


def http_date(seconds_from_now: float) -> str:
    """Return a time as an HTTP date."""
    return formatdate(time.time() + seconds_from_now, usegmt=True)


def stale_token(status: int = 403) -> Step:
    """Refuse the token: with status 403, as Alyx does, or 401."""
    return json_response({"detail": "Invalid token.", "status_code": status}, status=status)


def token_response(token: str = "fresh", delay: float = 0.0) -> Step:
    """Send the token of a successful login."""
    return json_response({"token": token}, delay=delay)


def wrong_password() -> Step:
    """Refuse a login, as Alyx refuses a wrong password."""
    message = "Unable to log in with provided credentials."
    return json_response({"non_field_errors": [message], "status_code": 400}, status=400)


def redirect(location: str, status: int = 302) -> Step:
    """Send a redirect."""
    return response(b"", status=status, headers={"Location": location})


def require_token(valid: str, value: object, delay: float = 0.0) -> Step:
    """Send JSON if the token is valid; refuse any other, as Alyx does."""

    def step(request: Received, connection: socket.socket) -> bool:
        if request.token == valid:
            return json_response(value, delay=delay)(request, connection)
        return stale_token()(request, connection)

    return step
