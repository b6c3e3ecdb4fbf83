"""``alyx outbox``."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from alyx_client import AlyxClient, Receipt
from alyx_client.http.retry import Retries
from alyx_client.models import Weighing
from alyx_client.testing import LocalAlyx

from .conftest import Run


@pytest.fixture
def waiting(logged_in: LocalAlyx) -> None:
    """Two writes that wait, since the server was too busy; it refuses the second one."""
    logged_in.faults.add("/weighings", "status", times=None, method="POST", status=503)
    with AlyxClient(logged_in.url, silent=True, retries=Retries(tries=1)) as client:
        for subject in ("flowers", "no-such-subject"):
            weighing = Weighing(subject=subject, date_time=datetime(2024, 5, 1, 10), weight=23.5)
            assert isinstance(client.outbox.write(client.weighings.create, weighing), Receipt)
    logged_in.faults.clear()


def test_list_send_and_drop(waiting: None, run: Run) -> None:
    listed = [json.loads(line) for line in run("outbox", "list").out.splitlines()]
    assert [(row["number"], row["state"], row["fields"]["subject"]) for row in listed] == [
        (1, "queued", "flowers"),
        (2, "queued", "no-such-subject"),
    ]
    sent = run("outbox", "send")
    assert sent.code == 1
    assert sent.out.startswith("1 sent, 1 refused")
    (refused,) = [json.loads(line) for line in run("outbox", "list").out.splitlines()]
    assert "no-such-subject" in refused["reason"]

    assert run("outbox", "drop", 2).code == 2  # nobody can be asked
    assert run("outbox", "drop", 7, "--yes").code == 2
    assert run("outbox", "resend", 2).code == 0
    dropped = run("outbox", "drop", 2, "--yes")
    assert json.loads(dropped.out)["weight"] == 23.5
    assert run("outbox", "list").out == ""
    assert run("outbox", "send").code == 0
