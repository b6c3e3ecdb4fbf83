"""Typed conditions in calls by name, over HTTP; both clients."""

from __future__ import annotations

from typing import Any

import pytest

from alyx_client.errors import ForeignURLError, InvalidCallError
from alyx_client.models import SubjectSummary
from alyx_client.testing import LocalAlyx
from tests.runtime.query.models import SESSION

from .clients import sent


def test_conditions_are_sent_with_the_other_lookups(alyx: Any, local_alyx: LocalAlyx) -> None:
    where = (SESSION.qc >= "FAIL") & (SESSION.number > 0)
    rows = alyx.rest("sessions", "list", where=where, django="lab__name__icontains,lab", task_protocol="x")
    assert sent(local_alyx) == {"django": "qc__gte,40,number__gt,0,lab__name__icontains,lab", "task_protocol": "x"} or (
        sent(local_alyx)["django"] == "lab__name__icontains,lab,qc__gte,40,number__gt,0"
    )
    assert list(rows) == []


def test_a_condition_selects_rows(alyx: Any) -> None:
    rows = alyx.rest("sessions", "list")
    number = rows[0]["number"]
    assert len(alyx.rest("sessions", "list", where=SESSION.number == number)) == sum(
        row["number"] == number for row in rows
    )


def test_a_condition_that_nothing_matches_sends_nothing(alyx: Any, local_alyx: LocalAlyx) -> None:
    alyx.rest("sessions", "list", limit=1)
    count = len(local_alyx.requests)
    assert alyx.rest("sessions", "list", where=SESSION.number.in_([])) == []
    assert len(local_alyx.requests) == count


REFUSED: dict[str, tuple[object, str]] = {
    "text": ("number,1", "where takes a condition on client.sessions.fields"),
    "comparison of Python": (False, "so that Python made it"),
    "value of a closed set": (SESSION.qc == "PAS", "Did you mean 'PASS'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_before_anything_is_sent(case: str, alyx: Any, local_alyx: LocalAlyx) -> None:
    where, message = REFUSED[case]
    alyx.rest("sessions", "list", limit=1)
    count = len(local_alyx.requests)
    with pytest.raises(InvalidCallError, match=message):
        alyx.rest("sessions", "list", where=where)
    assert len(local_alyx.requests) == count


def test_the_same_comparison_in_two_filters_is_refused(alyx: Any) -> None:
    with pytest.raises(InvalidCallError, match="two of its filters compare 'number'"):
        alyx.rest("sessions", "list", where=SESSION.number == 1, django={"number": 2})


def test_records_of_another_server_are_refused(alyx: Any) -> None:
    key = "8f3a1c52-6f0b-4d7e-9d5e-0123456789ab"
    subject = SubjectSummary.model_construct(id=key, url="https://other.example.org/subjects/KS005")
    with pytest.raises(ForeignURLError, match="subject =="):
        alyx.rest("sessions", "list", where=SESSION.subject == subject)
