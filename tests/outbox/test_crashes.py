"""Processes killed at each point, and servers that die at each point: nothing is lost, and nothing is there twice."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from alyx_client import AlyxClient
from alyx_client.http.retry import Retries
from tests.faults import FaultServer, Received, json_response, reset

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes that it forks")
PROGRAM = Path(__file__).with_name("killed_writer.py")


class Records:
    """A server that stores what is created, and ends the client, or the connection, at a point of its request."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {"/subjects": [], "/weighings": []}
        self.kills: dict[float, str] = {}

    def __call__(self, request: Received, connection: socket.socket) -> bool:
        path = request.path
        if request.method == "GET":
            filters = {name: values[-1] for name, values in parse_qs(urlsplit(request.target).query).items()}
            names = {"nickname": "subject" if path == "/weighings" else "nickname"}
            wanted = {names.get(name, name): value for name, value in filters.items() if name != "limit"}
            rows = [row for row in self.rows[path] if all(row[name] == value for name, value in wanted.items())]
            return json_response({"count": len(rows), "next": None, "previous": None, "results": rows})(
                request, connection
            )
        row: Any = request.json()
        point = self.kills.pop(row.get("weight"), None) if path == "/weighings" else None
        process = int(request.headers.get("x-process", "0"))
        if not process:
            point = None  # the test itself
        if point == "received":
            os.kill(process, signal.SIGKILL)
            return False
        if point == "reset before":
            return reset(connection)
        number = f"00000000-0000-4000-8000-{len(self.rows[path]):012}"
        row = {**row, "url": f"http://{request.headers['host']}{path}/{number}"}
        self.rows[path].append({"id": number, **row} if path == "/subjects" else row)
        if point == "reset after":
            return reset(connection)
        if point == "stored":
            os.kill(process, signal.SIGKILL)
            return False
        keeps = json_response(self.rows[path][-1], status=201)(request, connection)
        if point == "responded":
            os.kill(process, signal.SIGKILL)
        return keeps

    def weights(self) -> list[float]:
        return sorted(row["weight"] for row in self.rows["/weighings"])


@pytest.fixture
def records() -> Records:
    return Records()


@pytest.fixture
def url(records: Records) -> Iterator[str]:
    with FaultServer(then=records) as server:
        yield server.url


def run(url: str, folder: Path, cases: list[dict[str, Any]]) -> dict[int, int]:
    """Run the cases in processes of their own, and return how each ended."""
    program = [sys.executable, str(PROGRAM), url, str(folder), json.dumps(cases)]
    done = subprocess.run(program, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return {int(number): status for number, status in json.loads(done.stdout).items()}


def send(url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send what waits in a folder, until nothing does."""
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    with AlyxClient(url, "rig", token="t", cache_rest=None, retries=Retries(tries=1), silent=True) as client:
        assert client.outbox.send(), str(client.outbox)
        assert len(client.outbox) == 0


def test_a_process_killed_at_any_point_of_a_write(
    records: Records, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [
        {"number": 2 * kill + committed, "work": ["write"], "kill": kill, "committed": bool(committed)}
        for kill in range(1, 12)
        for committed in (0, 1)
    ]
    outcomes = run(url, tmp_path, cases)
    for case in cases:
        send(url, tmp_path / str(case["number"]), monkeypatch)
    # Killed before the first transaction was committed, the write was not stored, and the call has not returned.
    assert records.weights() == [case["number"] for case in cases if (case["kill"], case["committed"]) != (1, False)]
    killed = [number for number, status in outcomes.items() if status == signal.SIGKILL]
    # Each point was reached, and some cases were after the last one.
    assert len(killed) >= 10
    assert outcomes[max(outcomes)] == 0


def test_a_process_killed_at_any_point_of_sending(
    records: Records, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [
        {"number": 2 * kill + committed, "work": ["store", "send"], "kill": kill, "committed": bool(committed)}
        for kill in range(1, 18)
        for committed in (0, 1)
    ]
    outcomes = run(url, tmp_path, cases)
    for case in cases:
        send(url, tmp_path / str(case["number"]), monkeypatch)
    assert records.weights() == [case["number"] for case in cases]
    assert sorted(row["nickname"] for row in records.rows["/subjects"]) == sorted(
        f"m{case['number']}" for case in cases
    )
    assert all(row["subject"] == f"m{row['weight']:.0f}" for row in records.rows["/weighings"])
    assert outcomes[max(outcomes)] == 0
    assert sum(status == signal.SIGKILL for status in outcomes.values()) >= 16


def test_a_process_or_a_connection_that_ends_at_any_point_of_a_request(
    records: Records, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = ["received", "stored", "responded", "reset before", "reset after"]
    records.kills = {float(number): point for number, point in enumerate(points)}
    cases = [{"number": number, "work": ["write"]} for number in range(len(points))]
    outcomes = run(url, tmp_path, cases)
    assert outcomes[0] == outcomes[1] == signal.SIGKILL
    for number in range(len(points)):
        send(url, tmp_path / str(number), monkeypatch)
    assert records.weights() == list(range(len(points)))


def test_several_processes_share_an_outbox(
    records: Records, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records.kills = {0.0: "received", 200.0: "reset after", 100.0: "stored"}
    cases = [{"number": number, "work": ["several"], "folder": "one", "parallel": True} for number in range(4)]
    outcomes = run(url, tmp_path, cases)
    send(url, tmp_path / "one", monkeypatch)
    weights = records.weights()
    assert len(weights) == len(set(weights))
    # A process that was killed, while it sent its own write or another's, has not written the rest.
    returned = (tmp_path / "one" / "returned").read_text(encoding="utf-8").split()
    assert {float(weight) for weight in returned} <= set(weights)
    assert signal.SIGKILL in outcomes.values()
