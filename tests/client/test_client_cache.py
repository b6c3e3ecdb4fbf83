"""Responses that clients are served from the cache, over real HTTP and with real processes."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.errors import AlyxConnectionError, AlyxHTTPError
from alyx_client.http.message import Request
from alyx_client.http.retry import Retries
from alyx_client.testing import LocalAlyx
from alyx_client.webclient import no_cache
from tests.client.cached_clients import CountingServer, connect, run_elsewhere
from tests.faults import FaultServer, Received, json_response, redirect, reset_mid_body, response


def test_response_is_served_from_the_cache(client: AlyxClient, counting_server: CountingServer) -> None:
    assert [client.get("/labs")["n"] for _ in range(3)] == [1, 1, 1]
    assert client.get("/labs?name=a")["n"] == 2
    assert client.get(f"{counting_server.server.url}/labs")["n"] == 1


async def test_response_is_served_to_tasks(counting_server: CountingServer, folder: Path) -> None:
    async with AsyncAlyxClient(counting_server.server.url, token="a", cache_dir=folder) as client:
        assert [(await client.get("/labs"))["n"] for _ in range(3)] == [1, 1, 1]
        assert (await client.post("/labs", {}))["n"] == 2
        assert (await client.get("/labs"))["n"] == 3


def test_typed_records_come_from_the_cache(local_alyx: LocalAlyx, folder: Path) -> None:
    client = AlyxClient(local_alyx.url, token=local_alyx.token(), cache_dir=folder)
    first = client.subjects.list()
    again = client.subjects.list()
    assert first == again
    assert len(local_alyx.requests) == 1


def test_response_is_served_to_another_process(
    client: AlyxClient, counting_server: CountingServer, folder: Path
) -> None:
    client.get("/labs")
    assert run_elsewhere(client, folder, "print(client.get('/labs')['n'])") == "1\n"


def test_lifetimes_are_respected(client: AlyxClient) -> None:
    assert client.get("/labs", expires=True)["n"] == 1
    assert client.get("/labs")["n"] == 2, "expires=True stores nothing fresh"
    assert client.get("/labs", clobber=True)["n"] == 3
    assert client.get("/labs")["n"] == 3, "clobber replaces the stored response"
    assert client.get("/labs", expires=timedelta(days=1))["n"] == 3
    assert client.get("/labs", expires=timedelta(microseconds=1))["n"] == 4, (
        "the stored response is too old for this call"
    )
    client.default_expiry = timedelta(0)
    assert [client.get("/tags")["n"] for _ in range(2)] == [5, 6]
    client.default_expiry = timedelta(minutes=5)
    client.get("/users", expires=timedelta(microseconds=1))
    assert client.get("/users")["n"] == 8, "the stored lifetime applies"


def test_expired_response_is_requested_again(client: AlyxClient, advance_clock: Callable[[float], None]) -> None:
    client.get("/labs")
    advance_clock(400)
    assert client.get("/labs")["n"] == 2


def test_modes_choose_the_methods_that_are_cached(counting_server: CountingServer, folder: Path) -> None:
    client = connect(counting_server, folder, cache_rest=None)
    assert [client.get("/labs")["n"] for _ in range(2)] == [1, 2]
    assert not list(client.cache_dir.rglob("*.sqlite"))
    client.cache_mode = "get"
    assert client.cache_mode == "GET"
    assert [client.get("/labs")["n"] for _ in range(2)] == [3, 3]
    client.cache_mode = "*"
    assert [client.post("/labs", {"a": 1})["n"] for _ in range(2)] == [4, 4]
    assert client.post("/labs", {"a": 2})["n"] == 5
    for mode in ("POST", "all"):
        with pytest.raises(ValueError, match="'GET', '\\*' or None"):
            client.cache_mode = mode


@pytest.mark.parametrize("expiry", [timedelta(-1), 5, "5 min"])
def test_invalid_default_expiry_is_refused(client: AlyxClient, expiry: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"timedelta|negative"):
        client.default_expiry = expiry


def test_clearing_the_cache_deletes_responses(client: AlyxClient) -> None:
    client.get("/labs")
    client.clear_rest_cache()
    assert client.get("/labs")["n"] == 2


def test_schema_outlives_writes(local_alyx: LocalAlyx, folder: Path) -> None:
    for _ in range(2):
        client = AlyxClient(local_alyx.url, token=local_alyx.token(), cache_dir=folder)
        client.rest("tags", "list", no_cache=True)
        client.post("/tags", {"name": f"t{random.random()}"})
    assert [request.path for request in local_alyx.requests].count("/api/schema") == 1


def test_response_that_is_not_json_is_not_stored(folder: Path) -> None:
    with FaultServer(then=response(b"x", content_type="image/png")) as server:
        client = AlyxClient(server.url, token="a", cache_dir=folder)
        for _ in range(2):
            client.send(Request("GET", "/uploaded/a.png"))
        assert len(server.requests) == 2


def test_response_of_another_server_is_neither_returned_nor_stored(
    counting_server: CountingServer, folder: Path
) -> None:
    with FaultServer(then=redirect(f"{counting_server.server.url}/labs")) as server:
        client = AlyxClient(server.url, token="a", cache_dir=folder)
        for _ in range(2):
            with pytest.raises(AlyxHTTPError, match="another server"):
                client.get("/labs")
        assert len(server.requests) == 2
    assert counting_server.number == 0


def test_users_are_never_served_each_others_responses(counting_server: CountingServer, folder: Path) -> None:
    a, b = connect(counting_server, folder, "a"), connect(counting_server, folder, "b")
    assert [client.get("/labs")["sender"] for client in (a, b, a, b)] == ["a", "b", "a", "b"]
    assert counting_server.number == 2


def test_user_who_logs_in_is_served_no_earlier_users_response(folder: Path) -> None:
    with LocalAlyx() as local:
        for name in ("admin", "olivier"):
            client = AlyxClient(local.url, name, name, cache_dir=folder)
            client.get("/labs")
        assert [request.path for request in local.requests].count("/labs") == 2


def test_post_is_never_served_the_response_of_a_get(counting_server: CountingServer, folder: Path) -> None:
    client = connect(counting_server, folder, cache_rest="*")
    client.get("/labs")
    assert client.post("/labs")["method"] == "POST"
    assert client.get("/labs")["method"] == "GET"


def test_bodies_never_share_a_response(counting_server: CountingServer, folder: Path) -> None:
    client = connect(counting_server, folder, cache_rest="*")
    sent = [{"a": 1}, {"a": 2}, [1], {"a": 1, "b": None}]
    assert [json.loads(client.post("/labs", body)["body"]) for body in sent] == sent
    assert (
        client.get("/check-protected", data={"a": 1})["body"] != client.get("/check-protected", data={"a": 2})["body"]
    )


@pytest.mark.parametrize("write", ["post", "put", "patch", "delete"])
def test_read_after_a_write_is_not_stale(client: AlyxClient, write: str) -> None:
    client.get("/subjects/a")
    client.get("/sessions")
    arguments = () if write == "delete" else ({},)
    getattr(client, write)("/weighings/1", *arguments)
    assert client.get("/subjects/a")["n"] == 4, "responses of other endpoints may include the written record"
    assert client.get("/sessions")["n"] == 5


def test_read_after_a_write_that_failed_is_not_stale(folder: Path) -> None:
    steps = [json_response({"n": 1}), reset_mid_body({}), json_response({"n": 2})]
    with FaultServer(steps) as server:
        client = AlyxClient(server.url, token="a", cache_dir=folder, retries=Retries(tries=1))
        assert client.get("/labs")["n"] == 1
        with pytest.raises(AlyxConnectionError):
            client.post("/labs", {})
        assert client.get("/labs")["n"] == 2


def test_read_overtaken_by_a_write_is_not_stored(folder: Path) -> None:
    arrived, go = threading.Event(), threading.Event()

    def slow(received: Received, connection: socket.socket) -> bool:
        arrived.set()
        go.wait(10)
        return json_response({"n": "old"})(received, connection)

    with FaultServer(routes={"/labs": [slow, json_response({"n": "new"})]}, then=json_response({})) as server:
        client = AlyxClient(server.url, token="a", cache_dir=folder)
        writer = AlyxClient(server.url, token="a", cache_dir=folder, cache_rest=None)
        reader = threading.Thread(target=client.get, args=("/labs",))
        client.get("/other")
        reader.start()
        assert arrived.wait(10)
        writer.post("/tags", {})
        go.set()
        reader.join()
        assert client.get("/labs")["n"] == "new"


def test_read_after_a_write_of_another_process_is_not_stale(
    client: AlyxClient, counting_server: CountingServer, folder: Path
) -> None:
    client.get("/labs")
    run_elsewhere(client, folder, "client.post('/x', {})")
    assert client.get("/labs")["n"] == 3


def test_no_cache_applies_to_its_block_and_client_only(
    client: AlyxClient, counting_server: CountingServer, folder: Path
) -> None:
    other = connect(counting_server, folder, "b")
    client.get("/labs")
    other.get("/labs")
    with no_cache(client) as same:
        assert same is client
        with no_cache(client):
            assert client.get("/labs")["n"] == 3
        assert client.get("/labs")["n"] == 4
        assert other.get("/labs")["n"] == 2
    assert client.get("/labs")["n"] == 1


def test_no_cache_applies_to_its_thread_only(client: AlyxClient) -> None:
    client.get("/labs")
    inside, done = threading.Event(), threading.Event()

    def block() -> None:
        with no_cache(client):
            inside.set()
            done.wait(10)

    thread = threading.Thread(target=block)
    thread.start()
    inside.wait(10)
    assert client.get("/labs")["n"] == 1
    done.set()
    thread.join()


async def test_no_cache_applies_to_its_task_only(counting_server: CountingServer, folder: Path) -> None:
    async with AsyncAlyxClient(counting_server.server.url, token="a", cache_dir=folder) as client:
        await client.get("/labs")

        async def bypassing() -> int:
            with no_cache(client):
                await asyncio.sleep(0)
                return int((await client.get("/labs"))["n"])

        async def plain() -> int:
            return int((await client.get("/labs"))["n"])

        assert await asyncio.gather(bypassing(), plain(), bypassing()) in ([2, 1, 3], [3, 1, 2])


def test_no_cache_applies_to_pages_fetched_ahead(local_alyx: LocalAlyx, folder: Path) -> None:
    client = AlyxClient(local_alyx.url, token=local_alyx.token(), cache_dir=folder)
    for _ in range(2):
        with no_cache(client):
            list(client.datasets.list(page_size=30))
    pages = [request.query for request in local_alyx.requests]
    # Several pages are requested at a time.
    assert sorted(pages[: len(pages) // 2]) == sorted(pages[len(pages) // 2 :])
    assert not list(client.cache_dir.rglob("*.sqlite"))
