"""Lists that are searched for a record whose creation was not confirmed: only a whole one says that it is not there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from alyx_client.http.message import Response
from alyx_client.outbox.natural_keys import matches

SENT = {"subject": "KS001", "date_time": "2024-05-01T10:00:00", "weight": 20.5}
ROW = {"subject": "KS001", "date_time": "2024-05-01T10:00:00", "weight": 20.5, "url": "x"}


def found(content: object, sent: dict[str, Any] = SENT) -> list[dict[str, Any]] | None:
    body = json.dumps(content).encode()
    return matches("weighings", sent, Response(200, {"content-type": "application/json"}, body, "GET", "http://x/"))


def page(*rows: object, following: str | None = None) -> dict[str, Any]:
    return {"count": len(rows), "next": following, "previous": None, "results": list(rows)}


ANSWERS: dict[str, tuple[object, list[dict[str, Any]] | None]] = {
    "one": (page(ROW), [ROW]),
    "a list without pages": ([ROW], [ROW]),
    "weight as text": (page({**ROW, "weight": "20.50"}), [{**ROW, "weight": "20.50"}]),
    "none": (page(), []),
    "another weight": (page({**ROW, "weight": 21}), []),
    "weight unknown": (page({**ROW, "weight": "heavy"}), []),
    "time unknown": (page({**ROW, "date_time": "in spring"}), []),
    "perhaps on the next page": (page(following="http://x/?offset=1000"), None),
    "no rows": ({**page(), "results": None}, None),
    "no list": ("weighings", None),
    "rows without weight": (page({"subject": "KS001", "date_time": SENT["date_time"]}), None),
}


@pytest.mark.parametrize(("content", "records"), ANSWERS.values(), ids=ANSWERS)
def test_record_is_recognised_or_its_absence_proven(content: object, records: list[dict[str, Any]] | None) -> None:
    assert found(content) == records


@pytest.mark.parametrize("name", ["date_time", "weight"])
def test_what_was_sent_in_another_form_is_like_no_row(name: str) -> None:
    assert found(page(ROW), {**SENT, name: "x"}) == []
    assert found(page({**ROW, name: "x"}), {**SENT, name: "x"}) == []
