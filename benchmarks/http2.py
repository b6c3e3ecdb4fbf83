"""HTTP/2 in place of HTTP/1.1, on a server that speaks both: ``python -m benchmarks.http2``.

It needs ``pip install "httpx2[http2]" hypercorn trustme``, which nothing else of this project does. The server is at
0 ms, and at 40 ms behind a proxy that delays what it passes on, the handshakes of TCP and TLS included. Each client is
new; its second run finds its connections open.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

from alyx_client.http import transport
from alyx_client.http.message import Request
from benchmarks import datasets
from benchmarks.replay_server import ROUND_TRIP

ROUNDS = 5
TASKS = {
    "50 reads, 8 threads": ("/datasets/1", 8, 50),
    "8 pages of 1,000 rows, 4 threads": ("/datasets", 4, 8),
    "64 reads, 64 threads": ("/datasets/1", 64, 64),
}

_rows = datasets.rows("https://localhost")[:1000]
_BODIES = {"/datasets": datasets.page(_rows), "/datasets/1": json.dumps(_rows[0]).encode()}


async def application(scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    """Serve a page and a record."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = _BODIES[scope["path"]]
    fields = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": body})


async def serve_delayed(port: int, started: Callable[[int], None]) -> None:
    """Pass on what arrives after half a round trip in each direction."""

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def write() -> None:
            while True:
                due, piece = await pieces.get()
                await asyncio.sleep(max(due - loop.time(), 0))
                if not piece:
                    writer.close()
                    return
                writer.write(piece)
                await writer.drain()

        writing = asyncio.create_task(write())
        while piece := await reader.read(2**18):
            pieces.put_nowait((loop.time() + ROUND_TRIP / 2, piece))
        pieces.put_nowait((loop.time() + ROUND_TRIP / 2, b""))
        await writing

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(ROUND_TRIP)
        other_reader, other_writer = await asyncio.open_connection("localhost", port)
        await asyncio.gather(pass_on(reader, other_writer), pass_on(other_reader, writer), return_exceptions=True)

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    started(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def measure(port: int, context: ssl.SSLContext) -> None:
    """Measure one distance."""
    settings = transport.pool_settings
    for name, (path, threads, requests) in TASKS.items():
        times: dict[tuple[str, bool], list[float]] = defaultdict(list)
        for number in range(ROUNDS):
            for http2 in (False, True) if number % 2 else (True, False):

                def chosen(*arguments: Any, http2: bool = http2) -> dict[str, Any]:
                    return {**settings(*arguments), "http1": not http2, "http2": http2}

                with mock.patch.object(transport, "pool_settings", chosen):
                    client = transport.SyncTransport(f"https://localhost:{port}", verify=context)
                    for run in ("first", "second"):
                        times[run, http2].append(once(client, Request("GET", path), threads, requests))
                    client.close()
        parts = []
        for run in ("first", "second"):
            one, two = (median(times[run, http2]) * 1000 for http2 in (False, True))
            parts.append(f"{run} run: HTTP/1.1 {one:4.0f} ms, HTTP/2 {two:4.0f} ms ({one / two:.2f} x)")
        print(f"  {name:34}{'; '.join(parts)}", flush=True)


def once(client: transport.SyncTransport, request: Request, threads: int, requests: int) -> float:
    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: client.send(request), range(requests)))
    return time.perf_counter() - began


def wait_for(port: int) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("localhost", port)):
            return
        time.sleep(0.1)
    raise SystemExit("hypercorn does not start")


def main() -> None:
    """Serve and measure."""
    import trustme

    with tempfile.TemporaryDirectory() as folder:
        authority, files = trustme.CA(), Path(folder)
        authority.cert_pem.write_to_path(str(files / "ca.pem"))
        authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(files / "server.pem"))
        context = ssl.create_default_context(cafile=str(files / "ca.pem"))
        port = 9443
        options = [
            "--certfile",
            "server.pem",
            "--keyfile",
            "server.pem",
            "--keep-alive",
            "60",
            "-b",
            f"localhost:{port}",
        ]
        root = Path(__file__).parents[1]
        command = [sys.executable, "-m", "hypercorn", *options, "--log-level", "critical"]
        with subprocess.Popen(
            [*command, "benchmarks.http2:application"], cwd=folder, env={"PYTHONPATH": str(root)}
        ) as server:
            try:
                wait_for(port)
                print("0 ms")
                measure(port, context)
                ports: list[int] = []
                delayed = serve_delayed(port, ports.append)
                threading.Thread(target=asyncio.run, args=(delayed,), daemon=True).start()
                while not ports:
                    time.sleep(0.1)
                print(f"{ROUND_TRIP * 1000:.0f} ms")
                measure(ports[0], context)
            finally:
                server.terminate()


if __name__ == "__main__":
    main()
