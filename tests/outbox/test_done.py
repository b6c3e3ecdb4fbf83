"""Writes that are done: remembered for a while, and removed; those that are not done, and what they need, never."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient, InvalidKeyError
from alyx_client.models import Lab, Note, Subject, Weighing
from alyx_client.outbox import done, rows, store
from alyx_client.outbox.entries import Receipt

from .conftest import Rig

URL = "http://127.0.0.1:9"
DAY = "2024-05-01T10:00:00"
REQUEST: dict[str, Any] = {
    "method": "POST",
    "path": "/labs",
    "params": [],
    "form": [],
    "json": '{"name": "other"}',
    "form_type": None,
    "accept": None,
    "json_type": None,
    "hint": None,
}


@pytest.fixture
def client() -> AlyxClient:
    return AlyxClient(URL, "olivier", offline=True, silent=True, cache_rest=None)


def queue(client: AlyxClient, name: str) -> Receipt:
    receipt = client.outbox.write(client.labs.create, Lab(name=name))
    assert isinstance(receipt, Receipt)
    return receipt


def finish(client: AlyxClient, receipt: Receipt) -> None:
    """Let the server have carried a write out."""
    store.Store(client.outbox.folder).set_state(receipt.token, "done", expected=["queued"], result='{"id": "x"}')


@contextlib.contextmanager
def database(client: AlyxClient) -> Any:
    with contextlib.closing(sqlite3.connect(client.outbox.folder / "outbox.sqlite")) as connection, connection:
        yield connection


def add_done(client: AlyxClient, count: int, days_ago: float = 0.0) -> None:
    """Add writes that are done at once, as a rig does in months."""
    text = json.dumps(REQUEST | {"endpoint": "labs", "action": "create"})
    finished = (datetime.now(UTC) - timedelta(days=days_ago)).isoformat()
    digest = rows.digest_of(text)
    result = json.dumps({"name": "other", "comment": "x" * 500})
    owner, values = ("olivier", ""), (text, digest, "", result, finished)
    with database(client) as connection:
        (last,) = connection.execute("SELECT coalesce(max(number), 0) FROM writes").fetchone()
        new = [
            (f"{last + place:032}", "labs", "create", "done", finished, *owner, *values)
            for place in range(1, count + 1)
        ]
        connection.executemany(
            "INSERT INTO writes (token, endpoint, action, state, created, user, origin, request, digest, preserved, "
            "result, finished) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            new,
        )


def count_rows(client: AlyxClient, table: str = "writes") -> int:
    with database(client) as connection:
        (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(count)


def test_a_year_of_a_rig_leaves_a_file_of_bounded_size(client: AlyxClient, monkeypatch: pytest.MonkeyPatch) -> None:
    # 100,000 writes take half a minute on a slow disk.
    part = 1 if os.environ.get("HYPOTHESIS_PROFILE") == "search" else 20
    monkeypatch.setattr(done, "_MOST", done._MOST // part)  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(done, "_LEAST", done._LEAST // part)  # pyright: ignore[reportPrivateUsage]
    waiting = queue(client, "waiting")
    sizes: list[int] = []
    for _ in range(5):
        add_done(client, 20_000 // part)
        for number in range(4):
            finish(client, queue(client, f"lab{number}"))
        sizes.append((client.outbox.folder / "outbox.sqlite").stat().st_size)
    assert count_rows(client) <= 20_000 // part + 1
    assert max(sizes[2:]) <= 1.05 * max(sizes[:2])
    assert client.outbox[waiting].state == "queued"
    assert len(client.outbox) == 1
    with database(client) as connection:
        states = f"state IN ({','.join(repr(state) for state in ('queued', 'held'))})"
        plans = [
            connection.execute(f"EXPLAIN QUERY PLAN SELECT {what} FROM writes WHERE {states}").fetchone()[3]
            for what in ("count(*)", "user, identity, count(*)")
        ]
    # The rows themselves are not read.
    assert all("COVERING INDEX" in plan for plan in plans)


def test_old_ones_are_removed_and_the_newest_stay_whatever_the_clock_says(client: AlyxClient) -> None:
    first = queue(client, "first")
    finish(client, first)
    add_done(client, 1500, days_ago=100)
    finish(client, queue(client, "last"))
    # The first is of today, and stops the removal of those behind it for now.
    assert client.outbox[first].key == "x"
    with database(client) as connection:
        connection.execute("UPDATE writes SET finished='2001-01-01' WHERE number=1")
    finish(client, queue(client, "last"))
    assert count_rows(client) == 1000
    with pytest.raises(InvalidKeyError, match="done long ago"):
        client.outbox[first]


def test_what_waits_and_what_it_depends_on_is_never_removed(
    client: AlyxClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(done, "_LEAST", 0)
    monkeypatch.setattr(done, "_MOST", 0)
    subject = client.outbox.write(client.subjects.create, Subject(nickname="m", lab="lab"))
    weighing = client.outbox.write(client.weighings.create, Weighing(subject=subject, date_time=DAY, weight=1.0))
    assert isinstance(subject, Receipt)
    assert isinstance(weighing, Receipt)
    others = [queue(client, state) for state in ("uncertain", "held", "refused")]
    for receipt, state in zip(others, ("uncertain", "held", "refused"), strict=True):
        store.Store(client.outbox.folder).set_state(receipt.token, state, expected=["queued"])
    finish(client, subject)
    finish(client, queue(client, "last"))
    assert [entry.state for entry in client.outbox] == ["queued", "uncertain", "held", "refused"]
    assert client.outbox[subject].key == "x"
    finish(client, weighing)
    finish(client, queue(client, "last"))
    assert count_rows(client) == 3
    assert count_rows(client, "dependencies") == 0


def test_copies_of_files_go_when_a_write_is_done(client: AlyxClient, tmp_path: Path) -> None:
    note = Note(user="olivier", content_type="session", object_id="00000000-0000-4000-8000-000000000000", date_time=DAY)
    picture = b"\x89PNG\r\n\x1a\n" + bytes(8_000_000)
    receipt = client.outbox.write(client.notes.create, note.model_copy(update={"text": "a"}), image=picture)
    assert isinstance(receipt, Receipt)
    file = client.outbox.folder / "outbox.sqlite"
    assert file.stat().st_size > 8_000_000
    finish(client, receipt)
    # Returned to the file system, too.
    assert file.stat().st_size < 1_000_000


def test_a_file_of_the_first_version_is_taken_over(rig: Rig) -> None:
    done_one = rig.write("subjects.create", Subject(nickname="first", lab="cortexlab"), offline=True)
    assert rig.send()
    subject = rig.write("subjects.create", Subject(nickname="second", lab="cortexlab"), offline=True)
    rig.write("weighings.create", Weighing(subject=subject, date_time=DAY, weight=1.0), offline=True)
    rig.write("weighings.create", Weighing(subject=done_one, date_time=DAY, weight=2.0), offline=True)
    with rig.client() as client:
        with database(client) as connection:
            for statement in (
                "DROP INDEX writes_by_state",
                "DROP INDEX writes_by_key",
                "DROP TABLE dependencies",
                "ALTER TABLE writes DROP COLUMN finished",
                "ALTER TABLE writes DROP COLUMN key",
                "PRAGMA user_version=1",
            ):
                connection.execute(statement)
        with pytest.raises(ValueError, match="depend"):
            client.outbox.drop(subject)
        assert client.outbox[done_one].key
        assert client.outbox.send()
        assert [client.weighings.list(nickname=name)[0].weight for name in ("first", "second")] == [2.0, 1.0]
        with database(client) as connection:
            assert connection.execute("SELECT count(*) FROM writes WHERE finished IS NULL").fetchone() == (0,)


def test_records_of_two_endpoints_with_one_name_are_two(rig: Rig) -> None:
    rig.write("labs.create", Lab(name="other"))
    with rig.client() as client:
        outbox = store.Store(client.outbox.folder)
        assert not outbox.is_known("tags", "other")


def test_storing_does_not_read_all_that_waits_again(client: AlyxClient, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[int] = []
    original = store.check_all

    def check_all(connection: sqlite3.Connection, after: int) -> None:
        checked.append(after)
        original(connection, after)

    monkeypatch.setattr(store, "check_all", check_all)
    for number in range(4):
        queue(client, f"lab{number}")
    assert checked == [0, 1, 2, 3]
