"""What IPython shows of the outbox: its entries and reports as text for people."""

from __future__ import annotations

import datetime as dt

import pytest

from alyx_client import AlyxClient
from alyx_client.models import Weighing


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
