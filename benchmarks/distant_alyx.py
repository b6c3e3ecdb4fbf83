"""A local Alyx with 200 sessions and the latency of `replay_server`, for programs that use ONE as a whole.

Reads are answered from the responses that the local Alyx gave before, so that its own time is not measured. Files come
from its data server. ``python -m benchmarks.distant_alyx`` serves until its standard input is closed; its first
line of output is its URL.
"""

from __future__ import annotations

import http.client
import io
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from alyx_client.testing import LocalAlyx
from alyx_client.testing.seed.record_maker import RecordMaker
from benchmarks.replay_server import ROUND_TRIP, QuietServer

SESSIONS = 200
LOGIN = ("local", "alyx")

Reply = tuple[int, list[tuple[str, str]], bytes]


class Distant(BaseHTTPRequestHandler):
    """Handle the requests of one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: DistantServer

    def setup(self) -> None:
        super().setup()
        time.sleep(ROUND_TRIP)  # the handshake of the connection

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        # What a user may see depends on the credentials, and parts of files on the range.
        key = (self.command, self.path, *(self.headers.get(name, "") for name in ("Authorization", "Range")))
        reply = self.server.replies.get(key)
        if reply is None:
            reply = self.server.ask(self.command, self.path, dict(self.headers), body)
            if self.command == "GET":
                self.server.replies[key] = reply
        time.sleep(ROUND_TRIP)
        status, headers, content = reply
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_HEAD = do_GET  # noqa: N815 - http.server defines the names

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


class DistantServer(QuietServer):
    """Passes requests on to a local Alyx."""

    def __init__(self, alyx: LocalAlyx) -> None:
        super().__init__(("127.0.0.1", 0), Distant)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.replies: dict[tuple[str, ...], Reply] = {}
        self._alyx = urlsplit(alyx.url).netloc

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """Return the local Alyx's response; its addresses are those of this server, whose name it is told."""
        connection = http.client.HTTPConnection(self._alyx)
        try:
            connection.request(method, path, body or None, {**headers, "Connection": "close"})
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        dropped = ("connection", "transfer-encoding", "date", "server")
        return response.status, [pair for pair in response.getheaders() if pair[0].lower() not in dropped], content


def fill(alyx: LocalAlyx) -> None:
    """Add sessions of one subject, and a file that can be loaded to those that have one."""
    maker = RecordMaker(alyx.store, alyx.tables)
    for number in range(SESSIONS - len(alyx.store.rows("sessions"))):
        maker.add(
            "sessions",
            f"distant {number}",
            subject="flowers",
            lab="cortexlab",
            number=1 + number,
            start_time=f"2022-{1 + number // 28:02d}-{1 + number % 28:02d}T10:00:00",
            task_protocol="choice",
            users=["olivier"],
        )
    lab = alyx.store.find("labs", "name", "cortexlab")
    assert lab is not None
    for row in alyx.store.rows("sessions"):
        # ONE has no path for sessions without.
        alyx.store.update("sessions", row["id"], {"lab": row["lab"] or lab["id"], "number": row["number"] or 1})
    content = npy()
    for row in alyx.store.rows("datasets"):
        alyx.store.update("datasets", row["id"], {"file_size": len(content), "hash": ""})
        for file in alyx.store.related("files", "dataset", row["id"]):
            alyx.save_data(file["relative_path"], content)


def npy(length: int = 10_000) -> bytes:
    """Return a file of NumPy's, of zeros."""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({length},), }}".ljust(117) + "\n"
    file = io.BytesIO()
    file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(8 * length))
    return file.getvalue()


def main() -> None:
    """Serve until standard input is closed."""
    with LocalAlyx(data_login=LOGIN) as alyx:
        fill(alyx)
        server = DistantServer(alyx)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
