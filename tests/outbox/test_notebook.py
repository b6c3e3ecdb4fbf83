"""What IPython and notebooks show of the outbox: tables, and entries and reports as text for people."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.models import Session, Subject, Weighing
from tests.frames.test_display import HOSTILE, Page


def cells_of(outbox: Any) -> list[str]:
    return [cell.strip() for cell in Page(outbox._repr_html_()).cells]


def test_ipython_shows_what_print_does() -> None:
    pretty = pytest.importorskip("IPython.lib.pretty").pretty
    with AlyxClient("http://127.0.0.1:9", token="x", cache_rest=None) as client:
        weighing = Weighing(subject="flowers", weight=23.4, date_time=dt.datetime(2024, 1, 1))
        receipt = client.outbox.write(client.weighings.create, weighing)
        entry, report = client.outbox[receipt], client.outbox.send()
        for shown in (client.outbox, entry, report):
            assert pretty(shown) == str(shown)
        assert pretty([entry]) == f"[{entry}]"
        client.outbox.drop(receipt)


def test_notebook_shows_the_writes_as_a_table() -> None:
    with AlyxClient("http://127.0.0.1:9", token="x", cache_rest=None) as client:
        outbox = client.outbox
        assert cells_of(outbox) == ["Outbox of http://127.0.0.1:9: empty"]
        subject = outbox.write(client.subjects.create, Subject(nickname="SWC_001", lab="cortexlab"))
        session = outbox.write(
            client.sessions.create, Session(subject=subject, start_time="2024-05-01T10:00:00", number=1)
        )
        outbox.write(client.sessions.partial_update, session, narrative="at the rig")
        cells = cells_of(outbox)
        headings = ["", "state", "write", "record", "fields", "reason", "created (UTC)"]
        first, second, third = (cells[7 * row : 7 * row + 7] for row in (1, 2, 3))
        assert cells[:7] == headings
        assert first[:4] == ["1", "queued", "subjects.create()", ""]
        assert "cannot be reached" in first[5]
        # A record that is not created yet is named by the write that creates it.
        assert '"subject": "write 1"' in second[4]
        assert third[2:5] == ["sessions.partial_update()", "write 2", '{"narrative": "at the rig"}']
        assert cells[-1] == "Outbox of http://127.0.0.1:9: 3 entries"
        for number in range(9):
            outbox.write(client.weighings.create, Weighing(subject=str(number), weight=1, date_time="2024-05-01"))
        assert Page(outbox._repr_html_()).tags.count("tr") == 11
        assert cells_of(outbox)[-1] == "Outbox of http://127.0.0.1:9: 10 of 12 entries"


def test_text_of_writes_and_names_of_damaged_files_are_escaped() -> None:
    with AlyxClient("http://127.0.0.1:9", token="x", cache_rest=None) as client:
        client.outbox.write(client.subjects.create, Subject(nickname="SWC_001", lab="cortexlab", description=HOSTILE))
        damaged = client.outbox.folder / "outbox-damaged-&<img>.sqlite"
        with contextlib.suppress(OSError):  # on Windows, no file has such a name
            damaged.touch()
        page = Page(client.outbox._repr_html_())
        assert not {"script", "img", "b"} & set(page.tags)
        assert "alert(1)" in page.cells[page.cells.index("1") + 3]


def test_asynchronous_outbox_is_shown_alike() -> None:
    outbox = AsyncAlyxClient("http://127.0.0.1:9", token="x", cache_rest=None).outbox
    assert cells_of(outbox) == ["AsyncOutbox of http://127.0.0.1:9: empty"]
