"""The file of the outbox: on the disk before a call returns, private, and never overwritten when it is damaged."""

from __future__ import annotations

import contextlib
import os
import pickle
import sqlite3
import stat
import sys
from pathlib import Path

import pytest

from alyx_client import AlyxClient
from alyx_client.errors import OutboxDamagedError, OutboxError
from alyx_client.models import Lab
from alyx_client.outbox.entries import Receipt
from alyx_client.storage.durable import DurableDatabase, DurableUnavailableError

URL = "http://127.0.0.1:9"


def queue(client: AlyxClient, name: str = "other") -> Receipt:
    receipt = client.outbox.write(client.labs.create, Lab(name=name))
    assert isinstance(receipt, Receipt)
    return receipt


@pytest.fixture
def client() -> AlyxClient:
    return AlyxClient(URL, "olivier", offline=True, silent=True, cache_rest=None)


def test_looking_at_an_outbox_creates_nothing(client: AlyxClient) -> None:
    assert len(client.outbox) == 0
    assert client.outbox.send()
    assert not client.outbox.folder.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="has no modes")
def test_only_the_user_can_read_it(client: AlyxClient) -> None:
    before = os.umask(0)
    try:
        queue(client)
    finally:
        os.umask(before)
    folder = client.outbox.folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "outbox.sqlite").stat().st_mode) == 0o600


def test_a_write_is_synced_before_the_call_returns(tmp_path: Path) -> None:
    database = DurableDatabase(tmp_path / "folder" / "data.sqlite", [["CREATE TABLE t (x)"]])
    with database.transaction() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (3,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        connection.execute("INSERT INTO t VALUES (1)")
    with contextlib.suppress(KeyError), database.transaction() as connection:
        connection.execute("INSERT INTO t VALUES (2)")
        raise KeyError
    with database.transaction() as connection:
        assert connection.execute("SELECT x FROM t").fetchall() == [(1,)]


@pytest.mark.parametrize(("place", "length"), [(0, 3000), (4096, 3000), (-100, 4)])
def test_a_damaged_file_is_kept_aside(client: AlyxClient, place: int, length: int) -> None:
    for number in range(30):
        queue(client, f"lab{number}")
    file = client.outbox.folder / "outbox.sqlite"
    content = bytearray(file.read_bytes())
    if place < 0:
        place = content.rindex(b"/labs")
    content[place : place + length] = b"\xff" * length if length > 4 else b"XXXX"
    file.write_bytes(content)
    outbox = AlyxClient(URL, "olivier", offline=True, silent=True, cache_rest=None)
    with pytest.raises(OutboxDamagedError, match="unchanged") as caught:
        queue(outbox)
    (aside,) = client.outbox.damaged
    assert caught.value.path == str(aside)
    assert aside.read_bytes() == content
    assert str(aside) in str(client.outbox)
    queue(outbox)
    assert len(client.outbox) == 1
    assert aside.read_bytes() == content


def test_the_file_of_a_later_release_is_left_alone(client: AlyxClient) -> None:
    receipt = queue(client)
    file = client.outbox.folder / "outbox.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version=3")
    connection.close()
    with pytest.raises(OutboxError, match="version 3"):
        queue(client)
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version=2")
    connection.close()
    assert receipt in client.outbox


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"")
    (tmp_path / "data.sqlite").symlink_to(tmp_path / "target")
    with (
        pytest.raises(DurableUnavailableError, match="link"),
        DurableDatabase(tmp_path / "data.sqlite", [[]]).transaction(),
    ):
        pass


def test_a_write_that_cannot_be_stored_is_not_sent_and_raises(client: AlyxClient) -> None:
    queue(client)
    file = client.outbox.folder / "outbox.sqlite"
    os.rename(file, f"{file}.away")
    file.mkdir()
    with pytest.raises(OutboxError):
        queue(client)


def test_receipts_can_be_pickled(client: AlyxClient) -> None:
    receipt = queue(client)
    assert pickle.loads(pickle.dumps(receipt)) == receipt
    assert client.outbox[pickle.loads(pickle.dumps(receipt))].fields == {"name": "other"}


def test_servers_have_outboxes_of_their_own(client: AlyxClient) -> None:
    queue(client)
    assert len(AlyxClient("http://127.0.0.1:10", "olivier", silent=True).outbox) == 0
