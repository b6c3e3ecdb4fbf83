"""An HTTP server on the loopback interface with a simulated latency of 40 ms, for comparisons of two clients.

Over a network with this latency, each request takes 40 ms, and each new connection another 40 ms, because its handshake
has to complete before anything can be sent. The server waits for these times before it responds, so a client receives
each response when it would over a network. Bandwidth is unlimited, and there are no DNS lookups and no TLS, whose
handshakes would make connections slower still.

The server implements the compared part of Alyx (the login, the schema, the list of datasets in pages of 250, single
datasets) and serves files, with ``Range``, ``If-Range``, ``ETag`` and ``HEAD``, under ``/data/<bytes>/<any name>``:
the path contains the size of the file, and each byte depends only on its position. Under ``/windowed/``, at most
`WINDOW` bytes of a response are sent per round trip, as over TCP.

``python -m benchmarks.replay_server`` serves until its standard input is closed; its first line of output is its URL.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from benchmarks import datasets

ROUND_TRIP = 0.04
"""Latency in seconds."""
WINDOW = 4 * 2**20
"""Bytes on the way over one connection: at most the sender's buffer, which is up to 4 MiB by default on Linux."""
PAGE, LARGEST_PAGE = 250, 1000

# The length is prime, so that parts of a file that a client might confuse differ.
_PATTERN = b"".join(n.to_bytes(4, "big") for n in range(262144))[:1_000_003]
_ROOT = Path(__file__).parents[1]
_SCHEMA = _ROOT / "schemas" / "alyx-3.6.1.json"


def content(start: int, end: int) -> Iterator[memoryview]:
    """Yield the bytes of any file from `start` up to, but excluding, `end`."""
    pattern = memoryview(_PATTERN)
    while start < end:
        position = start % len(_PATTERN)
        part = pattern[position : position + end - start]
        yield part
        start += len(part)


# Servers that another process runs for this one.
_shared = os.environ.get("BENCH_SERVERS", "").split()


@contextmanager
def running(module: str = "benchmarks.replay_server", python: str = sys.executable) -> Generator[str]:
    """Run a module that serves in a separate process, and yield its URL.

    Replay servers whose URLs are in ``BENCH_SERVERS`` are used in place of new ones: revisions that are compared use
    the same servers.
    """
    if module == "benchmarks.replay_server" and _shared:
        url = _shared.pop(0)
        try:
            yield url
        finally:
            _shared.insert(0, url)
        return
    command = [python, "-m", module]
    with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


class Replay(BaseHTTPRequestHandler):
    """Handle the requests of one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ReplayServer

    def setup(self) -> None:
        super().setup()
        time.sleep(ROUND_TRIP)

    def do_GET(self) -> None:
        time.sleep(ROUND_TRIP)
        url = urlsplit(self.path)
        if url.path.startswith(("/data/", "/windowed/")):
            self._send_file(url.path)
        elif url.path == "/api/schema":
            self._send(200, self.server.schema, "application/vnd.oai.openapi+json")
        elif url.path == "/datasets":
            self._send(200, self._page(parse_qs(url.query)))
        else:
            row = self.server.by_path.get(url.path)
            self._send(200 if row else 404, row or b'{"detail": "Not found."}')

    do_HEAD = do_GET  # noqa: N815 - http.server defines the name

    def do_POST(self) -> None:
        time.sleep(ROUND_TRIP)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._send(200, b'{"token": "0123456789abcdef"}')

    def _page(self, query: dict[str, list[str]]) -> bytes:
        limit = min(int(query.get("limit", [PAGE])[0]), LARGEST_PAGE)
        offset = int(query.get("offset", ["0"])[0])
        count = len(self.server.rows)
        after = offset + limit
        url = f"{self.server.url}/datasets?limit={limit}&offset="
        head = {
            "count": count,
            "next": f"{url}{after}" if after < count else None,
            "previous": f"{url}{max(offset - limit, 0)}" if offset else None,
        }
        return json.dumps(head)[:-1].encode() + b', "results": [' + b",".join(self.server.rows[offset:after]) + b"]}"

    def _send(self, status: int, body: bytes, content_type: str = "application/json") -> None:
        self._head(status, {"Content-Type": content_type, "Content-Length": str(len(body))})
        if self.command != "HEAD":
            self.wfile.write(body)

    def _send_file(self, path: str) -> None:
        size = int(path.split("/")[2])
        tag = f'"{size}"'
        headers = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes", "ETag": tag}
        requested = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start, end, status = 0, size, 200
        if requested and self.headers.get("If-Range", tag) == tag:
            start, end, status = int(requested[1]), min(int(requested[2] or size) + 1, size), 206
            if start >= size:
                self._head(416, {"Content-Range": f"bytes */{size}", "Content-Length": "0"})
                return
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        self._head(status, {**headers, "Content-Length": str(end - start)})
        if self.command != "HEAD":
            self._send_content(start, end, ROUND_TRIP / WINDOW if path.startswith("/windowed/") else 0)

    def _send_content(self, start: int, end: int, seconds_per_byte: float) -> None:
        began, first = time.perf_counter(), start
        for part in content(start, end):
            self.wfile.write(part)
            start += len(part)
            if seconds_per_byte:
                time.sleep(max(0.0, began + (start - first) * seconds_per_byte - time.perf_counter()))

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


class QuietServer(ThreadingHTTPServer):
    """An HTTP server that looks up no host names and logs nothing."""

    daemon_threads = True
    request_queue_size = 128

    def server_bind(self) -> None:
        # HTTPServer's implementation looks up the host name, which may take seconds.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """Log nothing: clients may disconnect at any time."""


class ReplayServer(QuietServer):
    """Serve prepared contents."""

    def __init__(self, handler: type[Replay] = Replay) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        rows = datasets.rows(self.url)
        self.rows = [json.dumps(row).encode() for row in rows]
        self.by_path = {urlsplit(str(row["url"])).path: encoded for row, encoded in zip(rows, self.rows, strict=True)}
        self.schema = _SCHEMA.read_bytes()


def main() -> None:
    """Serve until standard input is closed."""
    server = ReplayServer()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.url, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
