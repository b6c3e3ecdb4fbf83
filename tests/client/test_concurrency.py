"""How many requests of an asynchronous client are under way at a time."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import pytest

from alyx_client import AsyncAlyxClient
from alyx_client.http.message import Request
from tests import faults
from tests.faults import FaultServer, Received, json_response


class Counter:
    """Responds after a moment, and notes how many requests were there at a time."""

    def __init__(self, delay: float = 0.02) -> None:
        self.most = self._now = 0
        self._delay = delay
        self._lock = threading.Lock()

    def __call__(self, request: Received, connection: socket.socket) -> bool:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        kept = json_response({"token": "T1"}, delay=self._delay)(request, connection)
        with self._lock:
            self._now -= 1
        return kept


def client_of(server: FaultServer, **settings: Any) -> AsyncAlyxClient:
    return AsyncAlyxClient(server.url, **{"token": "t", "cache_rest": None, **settings})


@pytest.mark.parametrize(("settings", "most"), [({"max_requests": 3}, 3), ({}, 25), ({"max_requests": 1}, 1)])
async def test_requests_under_way_are_bounded(settings: dict[str, Any], most: int) -> None:
    counter = Counter()
    with FaultServer(then=counter) as server:
        async with client_of(server, **settings) as client:
            await asyncio.gather(*(client.get(f"/labs/{n}") for n in range(60)))
        assert len(server.requests) == 60
    # The server may count a request twice for a moment: the client has its response before the server notes that.
    assert counter.most <= 2 * most


async def test_requests_are_sent_in_the_order_of_the_calls() -> None:
    with FaultServer(then=json_response({})) as server:
        async with client_of(server, max_requests=1, cache_rest=None) as client:
            transport = client._transport
            await asyncio.gather(*(transport.send(Request("GET", f"/labs/{n}")) for n in range(30)))
        assert server.paths == [f"/labs/{n}" for n in range(30)]


async def test_login_within_a_call_needs_no_second_turn() -> None:
    with FaultServer(then=Counter()) as server:
        async with client_of(server, max_requests=1, token=None, username="olivier", password="x") as client:
            await asyncio.gather(*(client.get("/labs") for _ in range(5)))
        assert server.paths.count("/auth-token") == 1


async def test_waiting_for_a_turn_does_not_count_towards_the_time_limit() -> None:
    with FaultServer(then=Counter(delay=0.5)) as server:
        async with client_of(server, max_requests=1, timeout=2.0) as client:
            assert len(await asyncio.gather(*(client.get("/labs") for _ in range(6)))) == 6


async def test_cancelled_calls_give_up_their_turn() -> None:
    with FaultServer(then=Counter()) as server:
        async with client_of(server, max_requests=2) as client:
            calls = [asyncio.create_task(client.get("/labs")) for _ in range(20)]
            await asyncio.sleep(0.03)
            for call in calls[::2]:
                call.cancel()
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
            assert sum(isinstance(outcome, dict) for outcome in outcomes) >= 10
            await asyncio.gather(*(client.get("/labs") for _ in range(4)))


async def test_failures_give_up_their_turn() -> None:
    with FaultServer([faults.silent(600)] * 3, then=json_response({})) as server:
        async with client_of(server, max_requests=1, timeout=0.5) as client:
            outcomes = await asyncio.gather(*(client.get("/labs") for _ in range(3)), return_exceptions=True)
            assert all(isinstance(outcome, TimeoutError) for outcome in outcomes)
            assert await client.get("/labs") == {}


@pytest.mark.parametrize("value", [0, -1, 1.5, "5", True])
def test_wrong_number_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError), match="max_requests"):
        AsyncAlyxClient("http://127.0.0.1:9", max_requests=value)  # type: ignore[arg-type]
