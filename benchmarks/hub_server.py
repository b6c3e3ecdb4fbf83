"""The replay server as a hub of models, for huggingface_hub.

The files of ``replay/<count>x<bytes>`` are those of the replay server. As on the hub, the client asks for the revision
and the list of files, and for each file's headers before its content.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from urllib.parse import urlsplit

from benchmarks.replay_server import ROUND_TRIP, Replay, ReplayServer

_COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(Replay):
    """Handle the requests of one connection."""

    def do_GET(self) -> None:  # noqa: N802 - http.server defines the name
        path = urlsplit(self.path).path
        if path.startswith("/api/models/"):
            time.sleep(ROUND_TRIP)
            count, size = (int(number) for number in path.split("/")[4].split("x"))
            files = [{"type": "file", "path": f"{n}.npy", "size": size, "oid": f"{n:040}"} for n in range(count)]
            body = files if "/tree/" in path else {"id": "replay", "sha": _COMMIT, "siblings": []}
            self._send(200, json.dumps(body).encode())
            return
        # /replay/<count>x<bytes>/resolve/<commit>/<name>
        length = path.split("/")[2].partition("x")[2]
        self.path = f"/data/{length}/{path.rpartition('/')[2]}"
        super().do_GET()

    do_HEAD = do_GET  # noqa: N815 - http.server defines the name

    def _head(self, status: int, headers: dict[str, str]) -> None:
        super()._head(status, {**headers, "X-Repo-Commit": _COMMIT})


def main() -> None:
    """Serve until standard input is closed."""
    server = ReplayServer(Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.url, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
