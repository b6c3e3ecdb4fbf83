"""What rigs, people and disks do to an outbox: each time nothing is lost, doubled or guessed, and the error says it."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient, InvalidCallError, InvalidFieldError
from alyx_client.errors import AuthenticationError, OutboxDamagedError, OutboxError
from alyx_client.models import Lab, Note, Session, Subject, Weighing
from alyx_client.outbox import rows, stored_request
from alyx_client.outbox.entries import Receipt
from alyx_client.outbox.store import Store
from alyx_client.storage import durable
from alyx_client.storage.sqlite_connection import open_database

from .conftest import Rig

DAY = "2024-05-01T10:00:00"


def full(path: str, seconds: float) -> sqlite3.Connection:
    """Open a database whose disk is full."""
    connection = open_database(path, seconds)
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={max(pages, 1)}").fetchall()
    # Every change needs a page of its own, as on a disk that has no room for the journal.
    connection.execute("PRAGMA query_only=ON")
    return connection


def read_only(path: str, seconds: float) -> sqlite3.Connection:
    """Open a database on a disk that is read-only."""
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, timeout=seconds)


def locked(path: str, seconds: float) -> sqlite3.Connection:
    """Open a database that another program has, such as a backup."""
    if not _OTHERS:
        _OTHERS.append(open_database(path, seconds))
        _OTHERS[0].execute("BEGIN EXCLUSIVE")
    return open_database(path, 0.0)


_OTHERS: list[sqlite3.Connection] = []


@pytest.mark.parametrize("disk", [full, read_only, locked])
def test_a_disk_that_does_not_take_a_write_is_an_error_and_nothing_is_sent(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, disk: Callable[..., Any]
) -> None:
    waiting = rig.write("labs.create", Lab(name="first"), offline=True)
    with rig.client(send_outbox=True) as client, monkeypatch.context() as patch:
        patch.setattr(durable, "open_database", disk)
        with pytest.raises(OutboxError, match=r"neither stored nor sent|outbox\.sqlite"):
            client.outbox.write(client.labs.create, Lab(name="other"))
        with contextlib.suppress(OutboxError):
            client.outbox.send()
        # A call that has nothing to do with the outbox goes on.
        assert len(client.tags.list())
        assert rig.count("/labs") == 0
        while _OTHERS:
            _OTHERS.pop().close()
    with rig.client() as client:
        assert client.outbox[waiting].state == "queued"
        assert client.outbox.send()
    assert rig.labs() == ["first"]


@pytest.mark.parametrize("moment", ["sending", "done"])
def test_a_disk_that_fills_up_while_it_is_sent_doubles_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    rig.write("labs.create", Lab(name="other"), offline=True)
    original = Store.set_state

    def set_state(store: Store, token: str, state: Any, **changes: Any) -> Any:
        if state == moment:
            raise OutboxError("the disk is full")
        return original(store, token, state, **changes)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "set_state", set_state)
        with pytest.raises(OutboxError, match="full"):
            rig.send()
        assert rig.count("/labs") == (moment == "done")
    assert rig.send()
    assert rig.labs() == ["other"]
    assert rig.count("/labs") == 1


def test_a_folder_without_locks_for_senders_is_a_typed_error(rig: Rig) -> None:
    rig.write("labs.create", Lab(name="other"), offline=True)
    with rig.client(send_outbox=True) as client:
        lock = client.outbox.folder / ".send.lock"
        lock.mkdir()
        with pytest.raises(OutboxError, match=r"\.send\.lock"):
            client.outbox.send()
        assert isinstance(client.outbox.write(client.labs.create, Lab(name="second")), Receipt)
        assert len(client.tags.list())
        lock.rmdir()
        assert client.outbox.send()


def test_a_file_that_was_damaged_fails_no_other_call(rig: Rig) -> None:
    rig.write("labs.create", Lab(name="other"), offline=True)
    with rig.client(send_outbox=True) as client:
        (client.outbox.folder / "outbox.sqlite").write_bytes(b"\xff" * 5000)
        assert len(client.tags.list())
        assert client.outbox.damaged
        with contextlib.suppress(OutboxDamagedError):
            client.outbox.write(client.labs.create, Lab(name="second"))
        assert rig.labs() == ["second"]


def test_a_password_that_was_changed_in_between(rig: Rig) -> None:
    receipt = rig.write("labs.create", Lab(name="other"), offline=True)
    with (
        rig.client(password="wrong", silent=True, stay_logged_in=False) as client,
        pytest.raises(AuthenticationError),
    ):
        client.outbox.send()
    with rig.client() as client:
        assert client.outbox[receipt].state == "queued"
        assert client.outbox.send()


def test_a_token_without_a_user_name_that_was_replaced_in_between(rig: Rig) -> None:
    login: dict[str, Any] = {"username": None, "password": None, "silent": True}
    with rig.client(**login, token="an-older-token", offline=True) as client:
        receipt = client.outbox.write(client.labs.create, Lab(name="other"))
        assert isinstance(receipt, Receipt)
    with rig.client(**login, token=rig.alyx.token()) as client:
        report = client.outbox.send()
        assert [entry.receipt for entry in report.others] == [receipt]
        client.outbox.claim(receipt)
        assert client.outbox.send()
    assert rig.labs() == ["other"]


def test_a_record_that_was_deleted_on_the_server_while_others_wait_for_it(rig: Rig) -> None:
    subject = rig.write("subjects.create", Subject(nickname="rig_mouse", lab="cortexlab"), offline=True)
    session = rig.write("sessions.create", Session(subject=subject, start_time=DAY, number=1), offline=True)
    assert rig.send()
    weighing = rig.write("weighings.create", Weighing(subject=subject, date_time=DAY, weight=1.0), offline=True)
    change = rig.write("sessions.partial_update", session, offline=True, narrative="gone")
    rig.write("labs.create", Lab(name="other"), offline=True)
    with rig.client() as client:
        client.sessions.delete(str(client.outbox[session].key))
        client.subjects.delete("rig_mouse")
        report = client.outbox.send()
        assert [entry.endpoint for entry in report.sent] == ["labs"]
        assert {entry.receipt for entry in report.refused} == {weighing, change}
        assert all(entry.reason for entry in report.refused)
        name = client.subjects.list(max_items=1)[0].nickname
        client.outbox.edit(weighing, client.weighings.create, Weighing(subject=name, date_time=DAY, weight=1.0))
        client.outbox.drop(change)
        assert client.outbox.send()
        assert client.weighings.list(nickname=name, date_time=DAY)[0].weight == 1.0


def test_what_may_be_on_the_server_is_not_edited(rig: Rig) -> None:
    rig.alyx.faults.add("/labs", "reset", method="POST", handled=True)
    receipt = rig.write("labs.create", Lab(name="other"))
    with rig.client() as client:
        with pytest.raises(InvalidCallError, match="may have carried it out"):
            client.outbox.edit(receipt, client.labs.create, Lab(name="edited"))
        assert client.outbox.send()
    assert rig.labs() == ["other"]


def test_two_records_that_fit_are_not_guessed_at(rig: Rig) -> None:
    with rig.client() as client:
        name = client.subjects.list(max_items=1)[0].nickname
    weighing = Weighing(subject=name, date_time=DAY, weight=20.5)
    rig.alyx.faults.add("/weighings", "reset", method="POST", handled=True)
    receipt = rig.write("weighings.create", weighing)
    with rig.client() as client:
        client.weighings.create(weighing)
        (held,) = client.outbox.send().held
        assert held.receipt == receipt
        assert "several records" in held.reason
        assert len(client.weighings.list(nickname=name, date_time=DAY)) == 2


TEXTS = {
    "unicode": "Mäuse 🐭 \u202e\u2028 日本語",
    "escapes": "\\\" \\u0000 ${x} %s {y} '); DROP TABLE writes; --",
    "huge": "x" * 1_000_000,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("image", [None, b"\x89PNG\r\n\x1a\n" + bytes(64)], ids=["json", "form"])
def test_any_text_waits_and_arrives_as_it_is(rig: Rig, text: str, image: bytes | None) -> None:
    with rig.client() as client:
        row = client.sessions.list(max_items=1)[0]
    note = Note(user="olivier", content_type="session", object_id=row.id, text=text, date_time=DAY)
    options: dict[str, Any] = {} if image is None else {"image": image}
    receipt = rig.write("notes.create", note, offline=True, **options)
    with rig.client() as client:
        assert client.outbox[receipt].fields["text"] == text
        assert client.outbox.send()
        assert client.notes.read(str(client.outbox[receipt].key)).text == text


def test_a_text_that_cannot_be_sent_is_refused_before_it_is_stored(rig: Rig) -> None:
    with rig.client(offline=True) as client:
        with pytest.raises(InvalidFieldError, match="unicode"):
            client.outbox.write(client.labs.create, Lab(name="\ud800"))
        assert len(client.outbox) == 0


def test_a_write_behind_a_long_list_reads_none_of_it(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.write("labs.create", Lab(name="first"), offline=True)
    with rig.client() as client:
        file = client.outbox.folder / "outbox.sqlite"
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        names = "endpoint, action, state, created, user, identity, origin, request, digest, preserved"
        connection.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
            f"INSERT INTO writes (token, {names}) SELECT token || i, {names} FROM writes, n"
        )
    loaded: list[str] = []
    load = stored_request.load_request

    def load_request(text: str) -> Any:
        loaded.append(text)
        return load(text)

    monkeypatch.setattr(rows, "load_request", load_request)
    with rig.client(offline=True) as client:
        assert isinstance(client.outbox.write(client.labs.create, Lab(name="last")), Receipt)
        assert len(client.outbox) == 3002
    assert len(loaded) < 10
    with rig.client(send_outbox=True) as client:
        began = len(loaded)
        # Of the long list, a call looks at what it has time for.
        monkeypatch.setattr("alyx_client.outbox.automatic.SEND_SECONDS", 0.0)
        assert len(client.tags.list())
        assert len(loaded) - began <= 100


def test_a_clock_that_jumps_changes_neither_order_nor_outcome(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    for number, shift in enumerate((0.0, 3e9, -1e9)):
        with monkeypatch.context() as patch:
            patch.setattr(time, "time", lambda shift=shift: real() + shift)
            rig.write("labs.create", Lab(name=f"lab{number}"), offline=True)
    report = rig.send()
    assert [entry.fields["name"] for entry in report.sent] == ["lab0", "lab1", "lab2"]


def test_two_users_of_one_computer_share_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rig: Rig) -> None:
    folders: set[Path] = set()
    for name in ("one", "two"):
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / name))
        monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / name))
        folders.add(AlyxClient(rig.alyx.url, silent=True).outbox.folder)
    assert len(folders) == 2
