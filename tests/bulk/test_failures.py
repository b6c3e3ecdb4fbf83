"""Calls for many records on a server with faults: what failed, what is uncertain, and what was not sent."""

from __future__ import annotations

import _thread
import asyncio
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from alyx_client import (
    AlyxClient,
    AsyncAlyxClient,
    AuthenticationError,
    BadRequestError,
    BulkError,
    NotCompletedError,
    NotFoundError,
    SchemaDriftWarning,
)
from alyx_client.downloads import bars
from alyx_client.errors import AlyxConnectionError, DeadlineExceededError
from alyx_client.models import Channel, Tag
from alyx_client.runtime.bulk_results import BulkFailure, BulkResults
from tests import faults
from tests.bulk import conftest
from tests.bulk.conftest import QUICK, Many
from tests.faults import FaultServer, Received, closed_port, json_response

KEY = UUID("0b12ba9e-01e3-4784-8c35-d7bb1bab414f")


def tag(name: str) -> dict[str, Any]:
    flags = {"protected": False, "public": False}
    return {"id": str(KEY), "name": name, "description": "", "hash": "", "json": None, "datasets": [], **flags}


def named(request: Received, connection: socket.socket) -> bool:
    """Send the tag that the path names; 204 for a deletion."""
    if request.method == "DELETE":
        return faults.response(b"", status=204)(request, connection)
    body: Any = request.json() if request.body else {}
    name = request.path.rpartition("/")[2] if request.method == "GET" else body.get("name", "x")
    return json_response(tag(name), status=201 if request.method == "POST" else 200)(request, connection)


def names(count: int) -> list[str]:
    return [f"n{number:03}" for number in range(count)]


class Counter:
    """Responds after a moment, and notes how many requests were there at a time."""

    def __init__(self) -> None:
        self.most = self._now = 0
        self._lock = threading.Lock()

    def __call__(self, request: Received, connection: socket.socket) -> bool:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        threading.Event().wait(0.005 if request.path.endswith("0") else 0.02)
        with self._lock:
            self._now -= 1
        return named(request, connection)


@pytest.mark.parametrize(("options", "settings", "most"), [({"max_workers": 3}, {}, 3), ({}, {"max_requests": 5}, 5)])
def test_requests_under_way_are_bounded(options: Any, settings: Any, most: int, many: Many) -> None:
    counter = Counter()
    with FaultServer(then=counter) as server:
        read = many(server.url, "tags.read_many", names(40), _settings=settings, **options)
        assert [one.name for one in read] == names(40)
        assert len(server.requests) == 40
        assert server.connections <= most
    assert 1 < counter.most <= most


def test_key_that_is_passed_twice_is_read_once(many: Many) -> None:
    with FaultServer(then=named) as server:
        read = many(server.url, "tags.read_many", ["a", "b", "a"])
        assert ([one.name for one in read], read.keys) == (["a", "b", "a"], ["a", "b", "a"])
        assert sorted(server.paths) == ["/tags/a", "/tags/b"]


def test_failures_are_tried_again_alone(many: Many) -> None:
    with FaultServer(then=named) as server:
        server.script("/tags/n003", json_response({"detail": "no"}, status=404))
        server.script("/tags/n007", json_response({"name": ["bad"]}, status=400))
        changes = {name: {"name": name} for name in names(10)}
        done = many(server.url, "tags.partial_update_many", changes, on_error="return")
        assert [type(error) for error in done.failures.errors] == [NotFoundError, BadRequestError]
        assert done.keys == [name for name in names(10) if name not in ("n003", "n007")]
        server.requests.clear()
        again = many(server.url, "tags.partial_update_many", done.failures.inputs)
        assert again.keys == ["n003", "n007"]
        assert sorted(server.paths) == ["/tags/n003", "/tags/n007"]


@pytest.mark.parametrize("fault", [faults.reset_before_headers(), faults.reset_mid_body({"a": "b" * 50})])
def test_creation_without_a_response_is_uncertain_and_not_sent_again(fault: faults.Step, many: Many) -> None:
    def step(request: Received, connection: socket.socket) -> bool:
        return (fault if request.json()["name"] == "n002" else named)(request, connection)

    with FaultServer(then=step) as server:
        with pytest.raises(BulkError, match="of which the server may have carried out 1") as caught:
            many(server.url, "tags.create_many", [Tag(name=name) for name in names(5)])
        assert len(server.requests) == 5
        (failure,) = caught.value.failures.uncertain
        assert (failure.index, failure.input.name, type(failure.error)) == (2, "n002", AlyxConnectionError)
        assert len(caught.value.results) == 4


def test_creation_that_the_server_fails_on_is_uncertain(many: Many) -> None:
    with FaultServer(then=json_response({"detail": "stored, then failed"}, status=500)) as server:
        failures = many(
            server.url, "tags.create_many", [Tag(name=name) for name in names(3)], on_error="return"
        ).failures
        assert (len(failures.uncertain), len(failures.certain), len(server.requests)) == (3, 0, 3)


def test_response_that_cannot_be_read_leaves_its_write_uncertain(many: Many) -> None:
    with FaultServer(then=faults.response(b"<html>", content_type="text/html")) as server:
        done = many(server.url, "tags.create_many", [Tag(name="a")], on_error="return")
        assert len(done.failures.uncertain) == 1
        read = many(server.url, "tags.read_many", ["a"], on_error="return")
        assert (len(read.failures), len(read.failures.uncertain)) == (1, 0)


def test_deletion_that_is_repeated_succeeds(many: Many) -> None:
    with FaultServer(then=named) as server:
        server.script("/tags/a", faults.reset_before_headers(), json_response({}, status=404))
        assert many(server.url, "tags.delete_many", ["a", "b"]) == [None, None]


def test_time_limit_is_that_of_each_record(many: Many) -> None:
    with FaultServer(then=named) as server:
        server.script("/tags/n001", faults.silent())
        done = many(server.url, "tags.read_many", names(4), timeout=0.3, on_error="return", max_workers=2)
        assert [one.name for one in done] == ["n000", "n002", "n003"]
        assert isinstance(done.failures[0].error, DeadlineExceededError)


def test_refused_token_stops_the_call(many: Many) -> None:
    with FaultServer(then=faults.stale_token(401)) as server:
        done = many(server.url, "tags.delete_many", names(100), on_error="return", max_workers=2)
        assert len(server.requests) <= 4
        assert isinstance(done.failures[0].error, AuthenticationError)
        assert isinstance(done.failures[-1].error, NotCompletedError)
        assert "was not sent" in str(done.failures[-1].error)
        assert done.failures.keys == done.failures.certain.keys == names(100)


def test_server_that_cannot_be_reached_stops_the_call(many: Many) -> None:
    done = many(f"http://127.0.0.1:{closed_port()}", "tags.delete_many", names(50), on_error="return", max_workers=2)
    kinds = [type(error) for error in done.failures.errors]
    assert kinds.count(NotCompletedError) >= 46
    assert AlyxConnectionError in kinds
    assert not done.failures.uncertain


def test_login_that_is_refused_for_a_list_is_not_tried_for_each_record(many: Many) -> None:
    with FaultServer(then=faults.stale_token(401)) as server:
        done = many(server.url, "labs.read_many", names(20), on_error="return", max_workers=1)
        assert set(server.paths) == {"/labs"}
    assert len(done.failures) == 20
    assert isinstance(done.failures[0].error, AuthenticationError)


def test_list_that_is_refused_is_read_record_by_record(many: Many) -> None:
    lab = {"name": "a", "institution": "", "address": "", "timezone": "UTC", "reference_weight_pct": 0.85}
    lab |= {"zscore_weight_pct": 0.0, "repositories": [], "json": None}
    with FaultServer(
        routes={"/labs": [json_response({"detail": "no"}, status=500)] * 9}, then=json_response(lab)
    ) as server:
        assert [one.name for one in many(server.url, "labs.read_many", ["a", "a", "b"])] == ["a"] * 3
        assert sorted(set(server.paths)) == ["/labs", "/labs/a", "/labs/b"]


def channel(number: float) -> Channel:
    return Channel(trajectory_estimate=KEY, axial=number)


def created(request: Received, connection: socket.socket) -> bool:
    """Create channels as a server does that reports what is wrong with each; at most 4 at a time."""
    body: Any = request.json()
    items = body if isinstance(body, list) else [body]
    if len(items) > 4:
        return json_response({"detail": "too large"}, status=413)(request, connection)
    if any(item["axial"] == 3 for item in items):
        errors = [{"axial": ["is three"]} if item["axial"] == 3 else {} for item in items]
        return json_response(errors if isinstance(body, list) else errors[0], status=400)(request, connection)
    fields = {"id": str(KEY), "lateral": None, "name": "", "x": None, "y": None, "z": None, "json": None}
    records = [{**fields, "brain_region": 0, "trajectory_estimate": str(KEY), "axial": item["axial"]} for item in items]
    return json_response(records if isinstance(body, list) else records[0], status=201)(request, connection)


def test_rejected_records_of_a_list_do_not_stop_the_others(many: Many) -> None:
    with FaultServer(then=created) as server:
        channels = [channel(float(number)) for number in range(10)]
        done = many(server.url, "channels.create_many", channels, max_workers=1, on_error="return")
        assert [one.axial for one in done] == [0, 1, 2, 4, 5, 6, 7, 8, 9]
        (failure,) = done.failures
        assert (failure.index, failure.error.fields, failure.may_have_acted) == (3, {"axial": ["is three"]}, False)


def test_list_of_another_length_leaves_its_records_uncertain(many: Many) -> None:
    with FaultServer(then=json_response([])) as server:
        done = many(server.url, "channels.create_many", [channel(1), channel(2)], max_workers=1, on_error="return")
        assert len(done.failures.uncertain) == 2


def test_ctrl_c_stops_soon_and_tells_what_was_done() -> None:
    release = threading.Event()

    def step(request: Received, connection: socket.socket) -> bool:
        if request.json()["name"] == "n005":
            _thread.interrupt_main()
            release.wait(20)
        return named(request, connection)

    with FaultServer(then=step) as server, AlyxClient(server.url, token="t", retries=QUICK) as client:
        tags = [Tag(name=name) for name in names(50)]
        with pytest.raises(KeyboardInterrupt) as caught:
            client.tags.create_many(tags, max_workers=1)
        results = caught.value.results  # type: ignore[attr-defined]
        assert len(server.requests) == 6
        assert [one.name for one in results] == names(5)
        assert [failure.input.name for failure in results.failures.uncertain] == ["n005"]
        assert results.failures.certain.inputs == tags[6:]
        assert isinstance(results.failures[0].error, NotCompletedError)
        (note,) = caught.value.__notes__
        assert "5 of 50 records are done, 1 were sent and have no response" in note
        release.set()


def test_warnings_point_at_the_line_of_the_call(many: Many) -> None:
    with FaultServer(then=json_response({**tag("a"), "name": 5})) as server:
        with pytest.warns(SchemaDriftWarning) as caught:
            many(server.url, "tags.read_many", ["a"])
        assert [one.filename for one in caught] == [conftest.__file__]


async def test_cancelling_stops_and_tells_what_was_done() -> None:
    started = asyncio.Event()
    loop = asyncio.get_running_loop()

    def step(request: Received, connection: socket.socket) -> bool:
        if request.json()["name"] == "n005":
            loop.call_soon_threadsafe(started.set)
            return faults.silent()(request, connection)
        return named(request, connection)

    with FaultServer(then=step) as server:
        async with AsyncAlyxClient(server.url, token="t", retries=QUICK) as client:
            tags = [Tag(name=name) for name in names(50)]
            task = asyncio.create_task(client.tags.create_many(tags, max_workers=1))
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            results = caught.value.results  # type: ignore[attr-defined]
            assert [one.name for one in results] == names(5)
            assert [failure.input.name for failure in results.failures.uncertain] == ["n005"]
            assert results.failures.certain.inputs == tags[6:]
        assert len(server.requests) == 6


async def test_cancelling_stops_an_executor_too() -> None:
    started, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def step(request: Received, connection: socket.socket) -> bool:
        loop.call_soon_threadsafe(started.set)
        assert go_on.wait(30)
        return named(request, connection)

    with FaultServer(then=step) as server, ThreadPoolExecutor(1) as pool:
        async with AsyncAlyxClient(server.url, token="t", retries=QUICK) as client:
            tags = [Tag(name=name) for name in names(50)]
            task = asyncio.create_task(client.tags.create_many(tags, executor=pool))
            await started.wait()
            task.cancel()
            await asyncio.sleep(0)
            go_on.set()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
        results = caught.value.results  # type: ignore[attr-defined]
        assert [one.name for one in results] == names(len(server.requests))
        assert results.failures.certain.inputs == tags[len(server.requests) :]
        assert len(server.requests) < 50


def test_closing_the_client_stops_the_call() -> None:
    with FaultServer(then=named) as server:
        client = AlyxClient(server.url, token="t", retries=QUICK, cache_rest=None)

        def step(request: Received, connection: socket.socket) -> bool:
            client.close()
            return named(request, connection)

        server.script("/tags/n003", step)
        done = client.tags.read_many(names(50), max_workers=1, on_error="return")
        assert [one.name for one in done] == names(4)
        assert "closed" in str(done.failures[0].error)
        assert len(server.requests) == 4


@pytest.mark.parametrize("silent", [False, True])
def test_progress_is_shown_unless_silent(silent: bool, many: Many, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[str, int, int]] = []

    class Bar:
        n, disable, start_t, delay = 0, False, 0.0, 0.0

        def __init__(self, *, total: int, desc: str, **_: object) -> None:
            self.total, self.desc = total, desc

        def refresh(self) -> None:
            drawn.append((self.desc, self.n, self.total))

        def close(self) -> None: ...

    monkeypatch.setattr(bars, "are_shown", lambda: True)
    monkeypatch.setattr(bars, "find_bars", lambda: (Bar, True))
    with FaultServer(then=named) as server:
        many(server.url, "tags.read_many", names(5), silent=silent)
        assert (drawn[-1:] == [("tags.read_many()", 5, 5)]) is not silent
        drawn.clear()
        many(server.url, "tags.read_many", names(5), _settings={"silent": True})
        assert drawn == []


def test_room_is_loaded_by_its_first_call(tmp_path: Path) -> None:
    code = """
import sys
from alyx_client import AlyxClient
client = AlyxClient("http://127.0.0.1:1", token="t")
client.sessions
assert not [name for name in sys.modules if "bulk" in name and name.startswith("alyx_client")], sys.modules
client.sessions.read_many([])
assert "alyx_client.bulk.plan" in sys.modules
assert "alyx_client.bulk.executors" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


@pytest.mark.parametrize(("records", "text"), [([], "2 of 2 records failed:"), ([1], "failed; the others did not:")])
def test_summary_mentions_others_only_if_there_are_any(records: list[int], text: str) -> None:
    failures = [BulkFailure(index, ValueError("no"), index) for index in range(2)]
    results = BulkResults(records, records, failures, label="tags.create_many()")
    assert text in results.summary().splitlines()[0]
