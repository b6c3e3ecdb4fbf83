"""Several processes, some of them killed, and a server that fails in every way: nothing is lost, nothing doubled."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient
from alyx_client.http.retry import Retries
from tests.faults import FaultServer, Received, html_response, json_response, reset

from .test_crashes import Records

PROGRAM = Path(__file__).with_name("hostile_writer.py")
LONG = os.environ.get("HYPOTHESIS_PROFILE") == "search"
FAULTS = (
    *("reset before", "reset after", "reset after", "reset after", "hang before", "hang after", "cut"),
    *("500 before", "500 after", "500 after", "500 after", "502 before", "502 after", "503", "429", "portal"),
)


class Hostile(Records):
    """A server that fails at random, before or after it has stored a record."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.chance = random.Random(seed)
        self.rate = 0.3
        self.lock = threading.Lock()

    def __call__(self, request: Received, connection: socket.socket) -> bool:
        with self.lock:
            fault = self.chance.choice(FAULTS) if self.chance.random() < self.rate else ""
        if fault == "429":
            return json_response({"detail": "slow down"}, status=429, headers={"Retry-After": "0"})(request, connection)
        if fault in ("503", "500 before", "502 before"):
            return json_response({"detail": "broken"}, status=int(fault[:3]))(request, connection)
        if fault == "portal":
            return html_response()(request, connection)
        if fault == "reset before":
            return reset(connection)
        if fault == "hang before":
            time.sleep(1.5)
            return False
        if fault == "" or request.method == "GET":
            with self.lock:
                return super().__call__(request, connection)
        with self.lock:
            row: Any = request.json()
            path, number = request.path, f"00000000-0000-4000-8000-{len(self.rows[request.path]):012}"
            row = {**row, "url": f"http://{request.headers['host']}{path}/{number}"}
            self.rows[path].append({"id": number, **row} if path == "/subjects" else row)
        if fault in ("500 after", "502 after"):
            return json_response({"detail": "broken"}, status=int(fault[:3]))(request, connection)
        if fault == "hang after":
            time.sleep(1.5)
        if fault == "cut":
            connection.sendall(
                b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
            )
        return reset(connection)


@pytest.mark.skipif(sys.platform == "win32", reason="kills processes")
def test_nothing_is_lost_or_doubled_by_several_processes_and_a_hostile_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes, seconds = (8, 120.0) if LONG else (3, 3.0)
    seed = random.randrange(1000)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    records = Hostile(seed)
    with FaultServer(then=records) as server:
        program = [sys.executable, "-W", "ignore", str(PROGRAM), server.url, str(processes), str(seed), str(seconds)]
        subprocess.run(program, check=True, timeout=seconds + 300, capture_output=True)
        records.rate = 0.0
        with AlyxClient(server.url, "rig", token="t", cache_rest=None, retries=Retries(tries=1)) as client:
            for _ in range(5):
                client.outbox.send()
                for entry in list(client.outbox):
                    if entry.state in ("refused", "held"):
                        client.outbox.resend(entry)
            assert not client.outbox.damaged
            left = list(client.outbox)
            assert not left, "\n".join(map(str, left))
    lines = [line.split() for log in tmp_path.glob("log-*") for line in log.read_text(encoding="utf-8").splitlines()]
    stored = {float(weight) for what, weight, *_ in lines if what == "stored"}
    counts = Counter(row["weight"] for row in records.rows["/weighings"])
    assert stored, seed
    assert not stored - set(counts), seed
    print(
        f"seed {seed}: {len(stored)} writes stored, {len(counts)} on the server, {Counter(line[0] for line in lines)}"
    )
    assert not {weight: count for weight, count in counts.items() if count > 1}, seed
    assert not [line for line in lines if line[0] == "problem"]
    names = {row["nickname"]: row["url"] for row in records.rows["/subjects"]}
    assert len(names) == len(records.rows["/subjects"])
    # Each weighing has the record that its receipt stood for.
    assert {row["subject"] for row in records.rows["/weighings"]} <= {"m", *names}
