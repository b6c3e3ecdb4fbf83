"""Typed conditions: every comparison of every field is one that the server knows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from alyx_client.errors import AlyxError

from .bench import PREFIX, Bench
from .conditions import every_comparison, every_field
from .package import AlyxClient
from .targets import Target
from .test_filters import days as days  # a fixture

CASES: dict[str, tuple[Callable[[Any], Any], set[int]]] = {
    "date": (lambda s: s.start_time.date >= dt.date(2020, 1, 14), {2, 3}),
    "date-time": (lambda s: s.start_time < dt.datetime(2020, 1, 13, 10), {0}),
    "dates": (lambda s: s.start_time.date.range(dt.date(2020, 1, 13), dt.date(2020, 1, 14)), {1, 2}),
    "year": (lambda s: s.start_time.year == 2020, {0, 1, 2, 3}),
    "null": (lambda s: s.end_time.is_null(), {0, 1, 3}),
    "closed set": (lambda s: s.qc >= "FAIL", {1}),
    "closed sets": (lambda s: s.qc.in_(["FAIL", "NOT_SET"]), {1, 3}),
    "numbers": (lambda s: (s.n_trials == 200) & (s.n_correct_trials > 100), {1}),
    "excluded numbers": (lambda s: ~(s.n_correct_trials > 100), {0, 2, 3}),
    "text": (lambda s: s.narrative.icontains("A B"), {3}),
    "unequal text": (lambda s: s.narrative.ne(""), {3}),
    "text with a comma": (lambda s: s.task_protocol == "alyx-client-test-protocol, second", {3}),
    "several related records": (lambda s: s.projects.name.startswith(PREFIX), {1}),
    "no related record": (lambda s: s.projects.is_null(), {0, 2, 3}),
    "JSON": (lambda s: s.json["qc"] == "PASS", {2}),
    "JSON, unequal": (lambda s: (s.json["qc"] != "CRITICAL") & s.json.is_null(False), {2}),
    "JSON number": (lambda s: s.extended_qc["dlc"] >= 0.5, {2}),
    "JSON boolean": (lambda s: s.extended_qc["ok"] == True, {2}),  # noqa: E712
    "JSON key": (lambda s: s.extended_qc.has_key("dlc"), {2}),
    "and": (lambda s: (s.qc == "PASS") & (s.start_time.date > dt.date(2020, 1, 13)), {2}),
}


def test_conditions_select_the_rows_that_match(client: AlyxClient, bench: Bench, days: list[Any]) -> None:
    s = client.sessions.fields
    selected = {
        case: {row.id for row in client.sessions.list(where=(s.subject == bench.subject) & condition(s))}
        for case, (condition, _) in CASES.items()
    }
    assert selected == {case: {days[place].id for place in expected} for case, (_, expected) in CASES.items()}


def test_every_comparison_of_every_field(client: AlyxClient, target: Target, pytestconfig: pytest.Config) -> None:
    if target.name != "live":
        pytest.skip("hundreds of requests, on a live server alone")
    every = [
        (endpoint, condition)
        for endpoint, field, annotation in every_field(client)
        for condition in every_comparison(field, annotation)
    ]
    refused: list[str] = []
    for endpoint, condition in every[:: 1 if pytestconfig.getoption("--every-comparison") else 20]:
        try:
            getattr(client, endpoint).list(where=condition, page_size=1, max_items=1)
        except AlyxError as error:
            refused.append(f"{endpoint}: {condition}: {error}")
    assert not refused, "\n".join(refused)
