"""Writes that wait, and are sent: in order, those that depend on others after them, each once."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from alyx_client import (
    AsyncAlyxClient,
    BadRequestError,
    InvalidCallError,
    InvalidFieldError,
    InvalidKeyError,
    UnexpectedAnswerError,
)
from alyx_client.http.transport import SyncTransport
from alyx_client.models import Lab, Note, Session, Subject, WaterAdministration, Weighing
from alyx_client.outbox import store
from alyx_client.outbox.entries import Entry, Receipt
from alyx_client.outbox.store import Store
from alyx_client.runtime.records import Record

from .conftest import Rig

DAY = "2024-05-01T10:00:00"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64


def new_subject(name: str = "rig_mouse") -> Subject:
    return Subject(nickname=name, lab="cortexlab")


def test_a_write_that_reaches_the_server_returns_its_record(any_rig: Rig) -> None:
    record = any_rig.write("subjects.create", new_subject())
    assert record.nickname == "rig_mouse"
    with any_rig.client() as client:
        assert len(client.outbox) == 0
        assert client.subjects.read("rig_mouse").nickname == "rig_mouse"


def test_outbox_in_a_with_block_is_an_error_that_says_how_to_write(rig: Rig) -> None:
    async def block() -> None:
        async with AsyncAlyxClient(rig.alyx.url, **rig.options()) as client, client.outbox:
            raise AssertionError

    with rig.client() as client, pytest.raises(InvalidCallError, match=r"client\.outbox\.write\("), client.outbox:
        raise AssertionError
    with pytest.raises(InvalidCallError, match=r"client\.outbox\.write\("):
        asyncio.run(block())


def test_what_depends_on_a_write_is_sent_after_it_with_its_key(any_rig: Rig) -> None:
    subject = any_rig.write("subjects.create", new_subject(), offline=True)
    session = any_rig.write("sessions.create", Session(subject=subject, start_time=DAY, number=1), offline=True)
    any_rig.write("weighings.create", Weighing(subject=subject, date_time=DAY, weight=20.5), offline=True)
    any_rig.write("sessions.partial_update", session, offline=True, narrative="at the rig")
    note = Note(user="olivier", content_type="session", object_id=session, text="a note", date_time=DAY)
    any_rig.write("notes.create", note, image=PNG, offline=True)
    assert all(isinstance(receipt, Receipt) for receipt in (subject, session))

    report = any_rig.send()

    assert report
    assert len(report.sent) == 5
    assert [entry.number for entry in report.sent] == [1, 2, 3, 4, 5]
    with any_rig.client() as client:
        (row,) = client.sessions.list(subject="rig_mouse")
        assert client.sessions.read(row.id).narrative == "at the rig"
        assert client.weighings.list(nickname="rig_mouse")[0].weight == 20.5
        assert client.outbox[session].key == str(row.id)
        (note_of_session,) = client.sessions.read(row.id).notes
        assert note_of_session.image
        assert len(client.outbox) == 0


def test_writes_behind_others_wait_for_their_turn(rig: Rig) -> None:
    rig.write("subjects.create", new_subject(), offline=True)
    assert isinstance(rig.write("subjects.create", new_subject("second")), Receipt)
    assert rig.count("/subjects") == 0
    assert [entry.fields["nickname"] for entry in rig.send().sent] == ["rig_mouse", "second"]


def test_a_refused_write_raises_and_is_not_stored(any_rig: Rig) -> None:
    with pytest.raises(BadRequestError):
        any_rig.write("subjects.create", Subject(nickname="x", lab="no such lab"))
    with any_rig.client() as client:
        assert not list(client.outbox)


def test_a_refused_write_blocks_what_depends_on_it_until_it_is_edited(rig: Rig) -> None:
    subject = rig.write("subjects.create", Subject(nickname="rig_mouse", lab="no such lab"), offline=True)
    rig.write("weighings.create", Weighing(subject=subject, date_time=DAY, weight=20.5), offline=True)
    rig.write("labs.create", Lab(name="other"), offline=True)

    report = rig.send()

    assert not report
    assert [entry.endpoint for entry in report.sent] == ["labs"]
    (refused,), (waiting,) = report.refused, report.waiting
    assert "no such lab" in refused.reason
    assert waiting.endpoint == "weighings"
    with rig.client() as client:
        with pytest.raises(InvalidCallError, match="depend"):
            client.outbox.drop(subject)
        client.outbox.edit(subject, client.subjects.create, new_subject())
        assert client.outbox.send()
        assert client.weighings.list(nickname="rig_mouse")[0].weight == 20.5


@pytest.mark.parametrize(
    ("method", "model"),
    [
        ("subjects.create", new_subject()),
        ("weighings.create", Weighing(subject="KS001", date_time=DAY, weight=20.5)),
        (
            "water_administrations.create",
            WaterAdministration(subject="KS001", date_time=DAY, water_administered=1.5, water_type="Water"),
        ),
        ("sessions.create", Session(subject="KS001", start_time=DAY, number=3)),
        ("labs.create", Lab(name="other")),
    ],
)
@pytest.mark.parametrize("handled", [True, False])
def test_a_write_whose_response_was_lost_is_looked_for_before_it_is_sent_again(
    rig: Rig, method: str, model: Any, handled: bool
) -> None:
    rig.alyx.requests.clear()
    path = "/" + method.partition(".")[0].replace("_", "-")
    with rig.client() as client:
        model = model.model_copy()
        if hasattr(model, "subject"):
            model.subject = client.subjects.create(new_subject("alive")).nickname
    rig.alyx.faults.add(path, "reset", method="POST", handled=handled)
    receipt = rig.write(method, model)
    assert isinstance(receipt, Receipt)
    with rig.client() as client:
        assert client.outbox[receipt].state == "uncertain"

    assert rig.send()

    with rig.client() as client:
        entry = client.outbox[receipt]
        assert entry.state == "done"
        assert ("found on the server" if handled else "sent again") in entry.reason
        assert entry.attempts == (1 if handled else 2)


def test_a_record_that_cannot_be_recognised_is_held_and_shown(rig: Rig) -> None:
    with rig.client() as client:
        row = client.sessions.list(max_items=1)[0]
    rig.alyx.faults.add("/notes", "reset", method="POST", handled=True)
    note = Note(user="olivier", content_type="session", object_id=row.id, text="not a seed", date_time=DAY)
    receipt = rig.write("notes.create", note)

    report = rig.send()

    assert [entry.receipt for entry in report.held] == [receipt]
    assert rig.count("/notes") == 1
    with rig.client() as client:
        (found,) = [other for other in client.notes.list() if other.text == "not a seed"]
        client.outbox.settle(receipt, found)
        assert client.outbox[receipt].key == str(found.id)
        assert len(client.outbox) == 0


def test_two_equal_writes_are_two_records(rig: Rig) -> None:
    with rig.client() as client:
        weighing = Weighing(subject=client.subjects.list(max_items=1)[0].nickname, date_time=DAY, weight=20.5)
    rig.alyx.faults.add("/weighings", "reset", method="POST", handled=False, skip=1)
    rig.write("weighings.create", weighing)
    rig.write("weighings.create", weighing)
    assert rig.send()
    with rig.client() as client:
        assert len(client.weighings.list(date_time=DAY)) == 2


@pytest.mark.parametrize(("status", "state"), [(503, "queued"), (502, "uncertain")])
def test_a_server_that_is_not_there_is_waited_for(rig: Rig, status: int, state: str) -> None:
    rig.alyx.faults.add("/labs", "status", status=status, method="POST", times=None)
    receipt = rig.write("labs.create", Lab(name="other"))
    with rig.client() as client:
        assert client.outbox[receipt].state == state
    rig.alyx.faults.clear()
    assert rig.send()


@pytest.mark.parametrize("handled", [True, False])
def test_a_failure_of_the_server_is_in_doubt(rig: Rig, handled: bool) -> None:
    receipt = rig.write("labs.create", Lab(name="other"), offline=True)
    rig.alyx.faults.add("/labs", "status", status=500, method="POST", handled=handled)
    (refused,) = rig.send().refused
    assert refused.doubtful
    assert "500" in refused.reason
    with rig.client() as client:
        client.outbox.resend(receipt)
        assert client.outbox.send()
        assert rig.count("/labs") == (1 if handled else 2)


def test_a_creation_that_was_not_carried_out_can_be_edited_once_it_is_refused(rig: Rig) -> None:
    rig.alyx.faults.add("/labs", "reset", method="POST", handled=False)
    receipt = rig.write("labs.create", Lab(name="other"))
    rig.alyx.faults.add("/labs", "status", status=400, method="POST")
    (refused,) = rig.send().refused
    assert not refused.doubtful
    with rig.client() as client:
        client.outbox.edit(receipt, client.labs.create, Lab(name="edited"))
        assert client.outbox.send()
    assert rig.labs() == ["edited"]


def test_a_long_list_is_sent_in_parts_and_in_order(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_BATCH", 2)
    names = ["lab0", "lab1", "cortexlab", "lab3", "lab4", "lab5"]  # there is one of the third name
    for name in names:
        rig.write("labs.create", Lab(name=name), offline=True)
    report = rig.send()
    assert [entry.fields["name"] for entry in report.sent] == [name for name in names if name != "cortexlab"]
    assert [entry.fields["name"] for entry in report.refused] == ["cortexlab"]
    assert rig.count("/labs") == len(names)


@pytest.mark.parametrize(("state", "doubtful"), [("queued", False), ("uncertain", True)])
def test_a_write_that_is_interrupted_before_it_is_sent_is_as_it_was(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, state: Any, doubtful: bool
) -> None:
    receipt = rig.write("subjects.partial_update", "KS001", offline=True, description="tame")
    original = Store.set_state

    def interrupted(self: Store, token: str, new: Any, **changes: Any) -> Entry:
        entry = original(self, token, new, **changes)
        if new == "sending":
            raise KeyboardInterrupt
        return entry

    with rig.client() as client:
        stored = Store(client.outbox.folder)
        stored.set_state(receipt.token, state, expected=["queued"], reason="as it was", doubtful=doubtful)
        with monkeypatch.context() as patch:
            patch.setattr(Store, "set_state", interrupted)
            with pytest.raises(KeyboardInterrupt):
                client.outbox.send()
        entry = client.outbox[receipt]
    assert (entry.state, entry.reason, entry.doubtful) == (state, "as it was", doubtful)
    assert rig.count("/subjects/KS001", "PATCH") == 0


def test_a_login_portal_is_no_server(rig: Rig) -> None:
    rig.alyx.faults.add("/labs", "html", method="POST")
    receipt = rig.write("labs.create", Lab(name="other"))
    assert isinstance(receipt, Receipt)
    assert rig.send()
    with rig.client() as client:
        assert client.labs.read("other").name == "other"


def test_changes_are_sent_again_and_say_so(rig: Rig) -> None:
    rig.write("subjects.create", new_subject())
    rig.alyx.faults.add("/subjects/rig_mouse", "reset", method="PATCH", handled=True)
    receipt = rig.write("subjects.partial_update", "rig_mouse", description="tame")
    assert rig.send()
    with rig.client() as client:
        assert client.subjects.read("rig_mouse").description == "tame"
        assert "sent again" in client.outbox[receipt].reason


def test_fields_that_the_server_would_lose_are_read_when_it_is_sent(rig: Rig) -> None:
    with rig.client() as client:
        row = client.sessions.list(max_items=1)[0]
        note = client.notes.create(
            Note(user="olivier", content_type="session", object_id=row.id, text="a", date_time=DAY)
        )
    rig.write("notes.partial_update", note.id, text="b", offline=True)
    assert rig.send()
    with rig.client() as client:
        after = client.notes.read(note.id)
        assert (after.text, after.object_id, after.content_type) == ("b", note.object_id, note.content_type)


@pytest.mark.parametrize("content", [0, 1])
def test_fields_that_cannot_be_read_leave_the_write_as_it_was(rig: Rig, content: int) -> None:
    with rig.client() as client:
        row = client.sessions.list(max_items=1)[0]
        note = client.notes.create(
            Note(user="olivier", content_type="session", object_id=row.id, text="a", date_time=DAY)
        )
    rig.write("notes.partial_update", note.id, text="b", offline=True)
    rig.alyx.faults.add(f"/notes/{note.id}", "truncated_json", keep=content, method="GET")
    with pytest.raises(UnexpectedAnswerError):
        rig.send()
    with rig.client() as client:
        assert [entry.state for entry in client.outbox] == ["queued"]
    assert rig.count(f"/notes/{note.id}", "PATCH") == 0
    assert rig.send()


def test_fields_that_cannot_be_sent_hold_this_write_alone(rig: Rig) -> None:
    with rig.client() as client:
        row = client.sessions.list(max_items=1)[0]
        note = client.notes.create(
            Note(user="olivier", content_type="session", object_id=row.id, text="a", date_time=DAY)
        )
    rig.write("notes.partial_update", note.id, text="b", offline=True)
    rig.write("labs.create", Lab(name="other"), offline=True)
    rig.alyx.faults.add(f"/notes/{note.id}", "replace", old=f'"{row.id}"', new="NaN", method="GET")
    report = rig.send()
    assert [entry.endpoint for entry in report.sent] == ["labs"]
    assert ["JSON" in entry.reason for entry in report.held] == [True]
    assert rig.count(f"/notes/{note.id}", "PATCH") == 0


class Named(Record):
    name_: str = Field(alias="name")


def test_a_write_that_is_settled_has_the_fields_of_its_record_by_the_servers_names(rig: Rig) -> None:
    receipt = rig.write("labs.create", Lab(name="other"), offline=True)
    with rig.client() as client:
        Store(client.outbox.folder).set_state(receipt.token, "held", expected=["queued"])
        entry = client.outbox.settle(receipt, Named.model_validate({"name": "other"}))
    assert json.loads(entry.result or "") == {"name": "other"}


def test_a_token_that_the_server_refuses_is_renewed(rig: Rig) -> None:
    rig.write("labs.create", Lab(name="first"))
    rig.alyx.revoke("olivier")
    assert rig.write("labs.create", Lab(name="second")).name == "second"
    rig.write("labs.create", Lab(name="third"), offline=True)
    rig.alyx.revoke("olivier")
    assert rig.send()


def test_another_users_writes_are_not_sent(rig: Rig) -> None:
    receipt = rig.write("labs.create", Lab(name="other"), offline=True)
    with rig.client(username="admin", password="admin") as admin:
        report = admin.outbox.send()
        assert [entry.receipt for entry in report.others] == [receipt]
        assert not report.sent
        with pytest.raises(InvalidCallError, match="olivier"):
            admin.outbox.claim(receipt)
        # Nor does a write of one user wait for those of another.
        record = admin.outbox.write(admin.labs.create, Lab(name="of_admin"))
        assert not isinstance(record, Receipt)
        assert record.name == "of_admin"
    assert rig.count("/labs") == 1
    assert rig.send()


@pytest.mark.parametrize("is_new", [True, False])
@pytest.mark.parametrize("moment", ["recover", "get", "waiting", "set_state"])
def test_a_write_is_not_sent_as_another_user_who_logs_in_meanwhile(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, moment: str, is_new: bool
) -> None:
    tokens: list[str | None] = []
    with rig.client() as client:
        client.ensure_token()
        own = client._auth.token
        if not is_new:
            rig.write("labs.create", Lab(name="first"), offline=True)
        stored, send = getattr(Store, moment), SyncTransport.send

        def log_in(*args: Any, **keywords: Any) -> Any:
            monkeypatch.setattr(Store, moment, stored)
            result = stored(*args, **keywords)
            client.authenticate("admin", "admin")  # as another thread may
            return result

        def sent(self: Any, request: Any, **options: Any) -> Any:
            if request.path == "/labs":
                tokens.append(options.get("token"))
            return send(self, request, **options)

        monkeypatch.setattr(Store, moment, log_in)
        monkeypatch.setattr(SyncTransport, "send", sent)
        if is_new:
            client.outbox.write(client.labs.create, Lab(name="first"))
        else:
            client.outbox.send()
    assert set(tokens) <= {own}
    assert rig.send()
    assert rig.labs() == ["first"]


def test_a_write_without_any_login_waits_until_somebody_claims_it(rig: Rig) -> None:
    with rig.client(username=None, password=None, silent=True) as nobody:
        receipt = nobody.outbox.write(nobody.labs.create, Lab(name="other"))
        assert isinstance(receipt, Receipt)
    assert [entry.user for entry in rig.send().others] == [None]
    with rig.client() as client:
        client.outbox.claim(receipt)
        assert client.outbox.send()
        assert client.labs.read("other").name == "other"


def test_receipts_go_nowhere_but_through_the_outbox(rig: Rig) -> None:
    subject = rig.write("subjects.create", new_subject(), offline=True)
    with rig.client() as client:
        for call in (
            lambda: client.subjects.read(subject),
            lambda: client.weighings.create(Weighing(subject=subject, date_time=DAY, weight=1.0)),
            lambda: client.weighings.list(nickname=subject),
            lambda: client.subjects.list(django={"nickname": subject}),
            lambda: client.sessions.read(subject),
        ):
            with pytest.raises(InvalidKeyError):
                call()
        client.outbox.drop(subject)
        with pytest.raises(InvalidKeyError, match="no write"):
            client.outbox.write(client.weighings.create, Weighing(subject=subject, date_time=DAY, weight=1.0))


def test_calls_that_cannot_wait_are_refused(rig: Rig) -> None:
    with rig.client() as client, rig.client() as other:
        with pytest.raises(InvalidFieldError, match="date_time"):
            client.outbox.write(client.weighings.create, Weighing(subject="x", weight=1.0))
        methods: list[Any] = [client.labs.delete, client.labs.create_many, print, other.labs.create]
        for method in methods:
            with pytest.raises(InvalidCallError):
                client.outbox.write(method, "x")
        assert len(client.outbox) == 0


@pytest.mark.parametrize("files", ["copy", "refer"])
def test_files_that_wait(rig: Rig, tmp_path: Path, files: Any) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(PNG)
    with rig.client() as client:
        row = client.sessions.list(max_items=1)[0]
    note = Note(user="olivier", content_type="session", object_id=row.id, text="a", date_time=DAY)
    with rig.client(offline=True) as client:
        receipt = client.outbox.with_files(files).write(client.notes.create, note, image=picture)
    assert isinstance(receipt, Receipt)
    picture.unlink()
    report = rig.send()
    if files == "copy":
        assert report
        return
    assert str(picture) in report.held[0].reason
    picture.write_bytes(PNG)
    with rig.client() as client:
        client.outbox.resend(receipt)
        assert client.outbox.send()


def test_the_outbox_shows_what_waits(rig: Rig) -> None:
    receipt = rig.write("labs.create", Lab(name="other"), offline=True)
    with rig.client() as client:
        (entry,) = client.outbox
        assert isinstance(entry, Entry)
        assert entry.user == "olivier"
        assert receipt in client.outbox
        assert "labs.create() of olivier" in str(client.outbox)
        assert Receipt(*receipt.parts) == receipt
        assert client.outbox.drop(receipt).fields == {"name": "other"}
        assert str(client.outbox).endswith("empty")


def test_what_is_no_write_is_refused(rig: Rig) -> None:
    receipt = rig.write("labs.create", Lab(name="other"), offline=True)
    with rig.client() as client:
        outbox = client.outbox
        assert "a text" not in outbox
        with pytest.raises(InvalidCallError, match="receipt of a write"):
            outbox.drop("a text")  # type: ignore[arg-type]
        with pytest.raises(InvalidCallError, match="'copy' or 'refer'"):
            outbox.with_files("move")  # type: ignore[arg-type]
        with pytest.raises(InvalidCallError, match=r"one of labs.create\(\)"):
            outbox.edit(receipt, client.subjects.create, new_subject())
        with pytest.raises(InvalidCallError, match="one record at a time"):
            outbox.write(client.labs.create, [Lab(name="a"), Lab(name="b")])
        outbox.drop(receipt)
        assert receipt not in outbox
        assert bool(outbox)


def test_a_write_that_is_done_can_be_dropped_no_more(rig: Rig) -> None:
    receipt = rig.write("labs.create", Lab(name="other"), offline=True)
    assert rig.send()
    with rig.client() as client, pytest.raises(InvalidCallError):
        client.outbox.drop(receipt)


def test_nobody_claims_a_write(rig: Rig) -> None:
    with rig.client(username=None, password=None, silent=True) as nobody:
        receipt = nobody.outbox.write(nobody.labs.create, Lab(name="other"))
        with pytest.raises(InvalidCallError, match="has no login"):
            nobody.outbox.claim(receipt)


def test_receipt_stands_for_its_key_in_texts(rig: Rig) -> None:
    subject = rig.write("subjects.create", new_subject(), offline=True)
    session = rig.write("sessions.create", Session(subject=subject, start_time=DAY, number=1), offline=True)
    note = Note(user="olivier", content_type="session", object_id=session.id, text="a note", date_time=DAY)
    rig.write("notes.create", note, offline=True)
    assert len(rig.send().sent) == 3
    with rig.client() as client:
        (row,) = client.sessions.list(subject="rig_mouse")
        assert [note.text for note in client.sessions.read(row.id).notes] == ["a note"]


def test_empty_outbox_knows_no_write(rig: Rig) -> None:
    with rig.client() as client:
        receipt = Receipt("0" * 32, "labs", "create")
        assert receipt not in client.outbox
        assert len(client.outbox) == 0
