"""Writes that wait, sent or mentioned by other calls once the server can be reached."""

from __future__ import annotations

import asyncio
import os
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AsyncAlyxClient
from alyx_client.config import find_settings, servers_file
from alyx_client.errors import AlyxWarning
from alyx_client.models import Lab, Subject
from alyx_client.outbox import automatic, base, watch
from alyx_client.outbox.entries import Receipt
from alyx_client.outbox.watch import Watch, watch_of
from alyx_client.storage.lock import FileLock, LockResult

from .conftest import Rig


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_PAUSE_SECONDS", 0.0)


def queue(rig: Rig, *names: str) -> list[Any]:
    return [rig.write("labs.create", Lab(name=name), offline=True) for name in names]


def read(rig: Rig, **settings: Any) -> int:
    """Read a list, with a client of the rig's kind, and return how many rows there were."""
    if not rig.is_async:
        with rig.client(**settings) as client:
            return len(client.tags.list())

    async def run() -> int:
        async with AsyncAlyxClient(rig.alyx.url, **rig.options(**settings)) as client:
            return len([tag async for tag in client.tags.list()])

    return asyncio.run(run())


def test_the_next_call_that_reads_sends_what_waits_in_order(any_rig: Rig) -> None:
    receipts = queue(any_rig, "one", "two")
    subject = any_rig.write("subjects.create", Subject(nickname="rig_mouse", lab="one"), offline=True)
    any_rig.write("subjects.partial_update", subject, offline=True, description="tame")
    assert read(any_rig, send_outbox=True)
    assert any_rig.labs() == ["one", "two"]
    with any_rig.client() as client:
        assert client.subjects.read("rig_mouse").description == "tame"
        assert len(client.outbox) == 0
        assert [client.outbox[receipt].state for receipt in receipts] == ["done", "done"]


def test_by_default_it_is_only_mentioned_and_once(any_rig: Rig) -> None:
    queue(any_rig, "one", "two")
    with pytest.warns(AlyxWarning, match=r"2 writes wait .*client\.outbox\.send\(\)") as caught:
        read(any_rig)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(any_rig)
    assert not any_rig.labs()


def test_without_an_outbox_or_with_an_empty_one_nothing_is_said_or_created(any_rig: Rig) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(any_rig)
        read(any_rig, send_outbox=True)
        with any_rig.client() as client:
            assert not client.outbox.folder.exists()
        any_rig.write("labs.create", Lab(name="sent"))
        read(any_rig)


def test_writes_of_others_are_neither_mentioned_nor_sent(rig: Rig) -> None:
    queue(rig, "one")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for sends in (False, True):
            with rig.client(username="admin", password="admin", send_outbox=sends) as client:
                assert len(client.tags.list())
    assert not rig.labs()


def test_a_call_through_the_outbox_sends_what_waits_before_it(any_rig: Rig) -> None:
    queue(any_rig, "one", "two")
    record = any_rig.write("labs.create", Lab(name="three"), send_outbox=True)
    assert record.name == "three"
    assert any_rig.labs() == ["one", "three", "two"]


def test_what_cannot_be_sent_fails_no_call_and_is_left_alone_for_a_while(any_rig: Rig) -> None:
    queue(any_rig, "one")
    any_rig.alyx.faults.add("/labs", "status", status=503, method="POST", times=None)
    assert read(any_rig, send_outbox=True)
    attempts = any_rig.count("/labs")
    assert attempts
    assert read(any_rig, send_outbox=True)
    assert any_rig.count("/labs") == attempts
    with any_rig.client() as client:
        assert watch_of(client.base_url, "olivier").is_away
        assert [entry.state for entry in client.outbox] == ["queued"]


@pytest.mark.usefixtures("no_pause")
def test_a_refused_write_stops_those_that_depend_on_it_and_no_others(any_rig: Rig) -> None:
    any_rig.write("labs.create", Lab(name="cortexlab"), offline=True)  # there is one
    any_rig.write("labs.create", Lab(name="other"), offline=True)
    assert read(any_rig, send_outbox=True)
    with any_rig.client() as client:
        assert [entry.state for entry in client.outbox] == ["refused"]
        assert client.labs.read("other").name == "other"


def test_a_write_that_is_refused_is_raised_even_if_others_were_sent_before(any_rig: Rig) -> None:
    queue(any_rig, "one")
    with pytest.raises(ValueError, match="exist"):
        any_rig.write("labs.create", Lab(name="cortexlab"), send_outbox=True)
    assert any_rig.labs() == ["one"]


def test_the_time_is_limited(any_rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(automatic, "SEND_SECONDS", 0.0)
    queue(any_rig, "one")
    assert read(any_rig, send_outbox=True)
    assert any_rig.count("/labs") == 0


def test_after_a_call_that_writes_nothing_is_sent(any_rig: Rig) -> None:
    queue(any_rig, "one")
    with any_rig.client(send_outbox=True) as client:
        client.labs.create(Lab(name="direct"))
    assert any_rig.labs() == ["direct"]


def run(rig: Rig, use: Callable[[Any], Any], **settings: Any) -> Any:
    """Call a method of a client of the rig's kind."""

    async def run() -> Any:
        async with AsyncAlyxClient(rig.alyx.url, **rig.options(**settings)) as client:
            return await use(client)

    with rig.client(**settings) as client:
        return asyncio.run(run()) if rig.is_async else use(client)


def test_nothing_is_sent_between_the_requests_of_a_call_that_reads_and_writes(any_rig: Rig) -> None:
    with any_rig.client() as client:
        session = client.sessions.list(page_size=1)[0].id
        client.sessions.partial_update(session, json={})
    any_rig.write("sessions.partial_update", session, json={"rig": 1}, offline=True)
    settings: dict[str, Any] = {"send_outbox": True}
    run(any_rig, lambda client: client.sessions.json_field_update(session, "json", {"call": 2}), **settings)
    assert any_rig.count(f"/sessions/{session}", "PATCH") == 2
    assert run(any_rig, lambda client: client.rest("sessions", "read", id=session), **settings)["json"] == {"call": 2}
    # Sent in whole before or after the call, each sets what it is to set.
    assert any_rig.count(f"/sessions/{session}", "PATCH") == 3
    assert run(any_rig, lambda client: client.sessions.read(session)).json == {"rig": 1}


def test_a_call_with_little_time_sends_nothing(any_rig: Rig) -> None:
    # Given up after that time, a note would be held: nothing tells it from others.
    queue(any_rig, "one")
    any_rig.alyx.faults.add("/labs", "delay", seconds=30, method="POST", times=None)
    assert run(any_rig, lambda client: client.rest("tags", "list", timeout=4), send_outbox=True)
    assert any_rig.count("/labs") == 0


def test_a_write_by_name_sends_nothing_else_and_has_all_of_its_time(any_rig: Rig) -> None:
    queue(any_rig, "one")
    any_rig.alyx.faults.add("/labs", "delay", seconds=30, method="POST", times=None)
    # It reads the schema first.
    run(any_rig, lambda client: client.rest("tags", "create", data={"name": "direct"}, timeout=10), send_outbox=True)
    assert any_rig.count("/labs") == 0


def test_while_another_process_sends_nothing_waits_for_it(rig: Rig) -> None:
    queue(rig, "one")
    rig.alyx.faults.add("/labs", "delay", seconds=0.5, method="POST")
    with rig.client(send_outbox=True) as client, rig.client(send_outbox=True) as other:
        thread = threading.Thread(target=client.outbox.send)
        thread.start()
        while not rig.count("/labs"):
            pass
        assert len(other.tags.list())
        assert rig.count("/labs") == 1
        thread.join()
        assert len(client.outbox) == 0
    assert rig.count("/labs") == 1


def test_a_write_does_not_wait_for_another_process_that_sends_those_before_it(
    any_rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(any_rig, "one")
    monkeypatch.setattr(base, "LOCK_SECONDS", 1e6)
    with any_rig.client() as client:
        other = FileLock(client.outbox.folder / ".send.lock")
    assert other.acquire() is LockResult.ACQUIRED
    assert isinstance(any_rig.write("labs.create", Lab(name="two"), send_outbox=True), Receipt)
    other.release()
    assert read(any_rig, send_outbox=True)
    assert any_rig.labs() == ["one", "two"]


def test_a_call_that_reads_does_not_wait_for_another_process_that_sends(any_rig: Rig) -> None:
    queue(any_rig, "one")
    with any_rig.client() as client:
        other = FileLock(client.outbox.folder / ".send.lock")
    assert other.acquire() is LockResult.ACQUIRED
    has_read = threading.Event()
    was_waited_for: list[bool] = []

    def send() -> None:
        was_waited_for.append(not has_read.wait(10))
        other.release()

    thread = threading.Thread(target=send)
    thread.start()
    assert read(any_rig, send_outbox=True)
    has_read.set()
    thread.join()
    assert was_waited_for == [False]
    assert any_rig.count("/labs") == 0


def test_threads_send_each_write_once(rig: Rig) -> None:
    queue(rig, *(f"lab{number}" for number in range(6)))
    with rig.client(send_outbox=True) as client:
        threads = [threading.Thread(target=lambda: len(client.tags.list())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert rig.labs() == [f"lab{number}" for number in range(6)]


@pytest.mark.parametrize("source", ["argument", "environment", "file"])
def test_the_setting_has_the_usual_sources(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "https://alyx.example.org"
    assert not find_settings(url).send_outbox
    if source == "environment":
        monkeypatch.setenv("ALYX_SEND_OUTBOX", "1")
    elif source == "file":
        servers_file().parent.mkdir(parents=True)
        servers_file().write_text(f'[servers."{url}"]\nsend_outbox = true\n', encoding="utf-8")
    assert find_settings(url, send_outbox=True if source == "argument" else None).send_outbox
    assert not find_settings(url, send_outbox=False).send_outbox


def test_a_file_that_is_settled_is_not_opened_again(tmp_path: Path) -> None:
    file = tmp_path / "outbox.sqlite"
    file.write_bytes(b"")
    seen = Watch(tmp_path)
    assert seen.is_worth_a_look()
    assert not seen.settle(lambda: False)
    # Written this very moment: a further change might leave the same time.
    assert seen.is_worth_a_look()
    os.utime(file, (0, 0))
    assert not seen.settle(lambda: False)
    assert not seen.is_worth_a_look()
    os.utime(file, (1, 1))
    assert seen.is_worth_a_look()
    assert seen.settle(lambda: True)
    assert seen.is_worth_a_look()
