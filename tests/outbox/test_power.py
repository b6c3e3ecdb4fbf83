"""What a power cut leaves: the order in which the outbox reaches the disk, as far as a program can see it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient
from alyx_client.models import Lab, Note
from alyx_client.outbox.entries import Receipt
from alyx_client.storage.durable import DurableDatabase

URL = "http://127.0.0.1:9"
DAY = "2024-05-01T10:00:00"


@pytest.fixture
def client() -> AlyxClient:
    return AlyxClient(URL, "olivier", offline=True, silent=True, cache_rest=None)


def queue(client: AlyxClient, name: str) -> Receipt:
    receipt = client.outbox.write(client.labs.create, Lab(name=name))
    assert isinstance(receipt, Receipt)
    return receipt


def test_sqlite_waits_for_the_disk_and_for_the_folder(client: AlyxClient, monkeypatch: pytest.MonkeyPatch) -> None:
    settings: list[dict[str, object]] = []
    original = DurableDatabase.transaction

    @contextmanager
    def transaction(database: DurableDatabase) -> Generator[Any]:
        with original(database) as connection:
            names = ("synchronous", "journal_mode", "fullfsync", "auto_vacuum")
            settings.append({name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names})
            yield connection

    monkeypatch.setattr(DurableDatabase, "transaction", transaction)
    receipt = queue(client, "one")
    client.outbox.edit(receipt, client.labs.create, Lab(name="two"))
    client.outbox.drop(receipt)
    # EXTRA, also for the folder of the journal.
    assert settings
    assert all(
        values == {"synchronous": 3, "journal_mode": "delete", "fullfsync": 1, "auto_vacuum": 2} for values in settings
    )


@pytest.mark.skipif(sys.platform == "win32", reason="has no folders that can be synced")
def test_new_folders_are_synced_before_there_is_a_file_in_them(
    client: AlyxClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[tuple[str, Path]] = []
    fsync, mkdir, connect = os.fsync, os.mkdir, sqlite3.connect

    def synced(handle: int) -> None:
        fsync(handle)
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            events.append(("sync", Path(os.readlink(f"/proc/self/fd/{handle}"))))

    def made(path: Any, *arguments: Any, **options: Any) -> None:
        mkdir(path, *arguments, **options)
        events.append(("made", Path(path)))

    def connected(path: Any, *arguments: Any, **options: Any) -> sqlite3.Connection:
        events.append(("opened", Path(path)))
        return connect(path, *arguments, **options)

    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("does not tell the paths of open files")
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "mkdir", made)
    monkeypatch.setattr(sqlite3, "connect", connected)
    queue(client, "one")
    opened = events.index(("opened", client.outbox.folder / "outbox.sqlite"))
    before = events[:opened]
    folders = [path for event, path in before if event == "made"]
    assert client.outbox.folder in folders
    for folder in folders:
        assert ("sync", folder.parent) in before[before.index(("made", folder)) :]


def test_a_cut_before_the_end_of_a_transaction_undoes_it_and_one_after_it_does_not(
    client: AlyxClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    queue(client, "one")
    folder, copies = client.outbox.folder, [tmp_path / "before", tmp_path / "after"]
    original = DurableDatabase.transaction

    @contextmanager
    def transaction(database: DurableDatabase) -> Generator[Any]:
        with original(database) as connection:
            yield connection
            # Pages reach the file before the transaction ends.
            connection.execute("PRAGMA cache_spill=1")
            connection.execute("PRAGMA cache_size=1")
            connection.execute("UPDATE writes SET origin=origin || 'x'")
            if not copies[0].exists():
                shutil.copytree(folder, copies[0])
        if not copies[1].exists():
            shutil.copytree(folder, copies[1])

    with monkeypatch.context() as patch:
        patch.setattr(DurableDatabase, "transaction", transaction)
        queue(client, "two")
    for copy, expected in zip(copies, (["one"], ["one", "two"]), strict=True):
        shutil.rmtree(folder)
        shutil.copytree(copy, folder)
        assert [entry.fields["name"] for entry in client.outbox] == expected


@pytest.mark.skipif(sys.platform == "win32", reason="syncs files that are open for writing alone")
def test_files_that_are_referred_to_are_synced_before_the_write_is_stored(
    client: AlyxClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    synced: list[int] = []
    fsync = os.fsync

    def sync(handle: int) -> None:
        fsync(handle)
        status = os.fstat(handle)
        synced.append(status.st_ino)
        if stat.S_ISREG(status.st_mode):
            # The write is not there yet.
            assert not (client.outbox.folder / "outbox.sqlite").exists()

    monkeypatch.setattr(os, "fsync", sync)
    note = Note(
        user="olivier",
        content_type="session",
        object_id="00000000-0000-4000-8000-000000000000",
        date_time=DAY,
        text="a",
    )
    client.outbox.with_files("refer").write(client.notes.create, note, image=picture)
    assert picture.stat().st_ino in synced
