"""Closing a client while other threads and tasks have calls under way, and calls of signal handlers."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient, ClientClosedError, Retries
from tests import faults
from tests.faults import FaultServer, Received, Step, json_response, page

LAB: dict[str, Any] = {"name": "a"}
# A retry would have to wait this long, so that a call that retries would never end.
PATIENT = Retries(base=1e6, cap=1e6)


class Gate:
    """Holds a response back until it is opened; `reached` is set once the request is there."""

    def __init__(self, then: Step) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        self._then = then

    def __call__(self, request: Received, connection: socket.socket) -> bool:
        self.reached.set()
        assert self.opened.wait(60)
        return self._then(request, connection)


@pytest.mark.parametrize("method", ["get", "post"])
def test_calls_under_way_end_normally(method: str) -> None:
    gate = Gate(json_response(LAB))
    with FaultServer([gate]) as server, ThreadPoolExecutor(1) as pool:
        client = AlyxClient(server.url, token="t", retries=PATIENT)
        call = pool.submit(getattr(client, method), "/labs")
        assert gate.reached.wait(60)
        with client:
            pass
        with pytest.raises(ClientClosedError):
            client.get("/labs")
        gate.opened.set()
        assert call.result(60) == LAB
        assert [request.method for request in server.requests] == [method.upper()]


@pytest.mark.parametrize("method", ["get", "post"])
async def test_async_calls_under_way_end_normally(method: str) -> None:
    gate = Gate(json_response(LAB))
    with FaultServer([gate]) as server:
        client = AsyncAlyxClient(server.url, token="t", retries=PATIENT)
        call = asyncio.create_task(getattr(client, method)("/labs"))
        await asyncio.to_thread(gate.reached.wait, 60)
        await client.aclose()
        with pytest.raises(ClientClosedError):
            await client.get("/labs")
        gate.opened.set()
        assert await call == LAB
        assert len(server.requests) == 1


def _held(step: Step) -> Gate:
    gate = Gate(step)
    gate.opened.set()
    return gate


def test_waiting_retry_ends_at_once() -> None:
    gate = _held(faults.unavailable(503))
    with FaultServer([gate], then=json_response(LAB)) as server, ThreadPoolExecutor(1) as pool:
        client = AlyxClient(server.url, token="t", retries=PATIENT, timeout=1e9)
        call = pool.submit(client.get, "/labs")
        assert gate.reached.wait(60)
        client.close()
        with pytest.raises(ClientClosedError):
            call.result(60)
        assert len(server.requests) == 1


async def test_async_waiting_retry_ends_at_once() -> None:
    gate = _held(faults.unavailable(503))
    with FaultServer([gate], then=json_response(LAB)) as server:
        client = AsyncAlyxClient(server.url, token="t", retries=PATIENT, timeout=1e9)
        call = asyncio.create_task(client.get("/labs"))
        await asyncio.to_thread(gate.reached.wait, 60)
        await client.aclose()
        with pytest.raises(ClientClosedError):
            await call
        assert len(server.requests) == 1


async def test_requests_that_wait_for_their_turn_end_at_once() -> None:
    gate = Gate(json_response(LAB))
    with FaultServer([gate], then=json_response(LAB)) as server:
        client = AsyncAlyxClient(server.url, token="t", max_requests=1, cache_rest=None)
        calls = [asyncio.create_task(client.get("/labs")) for _ in range(5)]
        await asyncio.to_thread(gate.reached.wait, 60)
        await asyncio.sleep(0.05)
        await client.aclose()
        outcomes = await asyncio.gather(*calls[1:], return_exceptions=True)
        assert all(isinstance(outcome, ClientClosedError) for outcome in outcomes)
        gate.opened.set()
        assert await calls[0] == LAB
        assert len(server.requests) == 1


def test_connections_are_closed_after_the_last_call() -> None:
    gate = Gate(json_response(LAB))
    with FaultServer([gate]) as server, ThreadPoolExecutor(1) as pool:
        client = AlyxClient(server.url, token="t")
        call = pool.submit(client.get, "/labs")
        assert gate.reached.wait(60)
        connections = client._transport._pool
        assert connections is not None
        client.close()
        assert not connections.is_closed
        gate.opened.set()
        call.result(60)
        assert connections.is_closed


def test_list_whose_client_is_closed_says_so() -> None:
    rows = [{"name": f"lab {n}", "json": None} for n in range(4)]
    with FaultServer([page(rows[:2], 4)], then=page(rows[2:], 4)) as server:
        with AlyxClient(server.url, token="t", cache_rest=None) as client:
            labs = client.get("/labs?limit=2")
        with pytest.raises(ClientClosedError):
            list(labs)


def test_downloads_under_way_end_normally(tmp_path: Path) -> None:
    gate = Gate(faults.response(b"data", content_type="application/octet-stream"))
    with FaultServer([gate]) as server, ThreadPoolExecutor(1) as pool:
        client = AlyxClient(server.url, token="t", data_server=server.url, cache_dir=tmp_path, silent=True)
        call = pool.submit(client.download_file, "a.npy")
        assert gate.reached.wait(60)
        client.close()
        with pytest.raises(ClientClosedError):
            client.download_file("b.npy")
        gate.opened.set()
        assert call.result(60).read_bytes() == b"data"


_SIGNALS = """
import signal, sys, time
from alyx_client import AlyxClient
client = AlyxClient(sys.argv[1], username="olivier", password="x", retries=None, silent=True)
# A handler cannot import what it interrupts the import of, as the first call by name does.
client.get("/labs/0")
inside = calls = 0
def handler(*_):
    global inside, calls
    if not inside:
        inside = 1
        client.get(f"/labs/{calls % 5}", clobber=bool(calls % 2))
        if calls % 7 == 0:
            client.post("/labs", {"a": 1})
        if calls % 11 == 0:
            client._auth.token = None  # as after a token that has expired
        calls += 1
        inside = 0
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
n = 0
while calls < 300:
    client.get(f"/labs/{n % 3}", clobber=bool(n % 3))
    if n % 10 == 0:
        client._auth.token = None
    if n % 5 == 0:
        client.post("/labs", {"a": 1})
    n += 1
signal.setitimer(signal.ITIMER_REAL, 0)
client.close()
print("done")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs timers that send signals")
def test_signal_handler_calls_the_client_in_the_middle_of_calls() -> None:
    def respond(request: Received, connection: socket.socket) -> bool:
        content = {"token": "T1"} if request.path == "/auth-token" else {"name": request.path}
        return json_response(content)(request, connection)

    with FaultServer(then=respond) as server:
        done = subprocess.run(
            [sys.executable, "-c", _SIGNALS, server.url], capture_output=True, text=True, timeout=120, check=False
        )
    assert (done.stdout, done.returncode) == ("done\n", 0), done.stderr[-3000:]
