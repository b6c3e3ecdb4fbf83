"""Reports of changes: text, Markdown and JSON."""

from __future__ import annotations

import json

import pytest

from alyx_client.schema.report import Report

from .changes import EVERY
from .edits import (
    SIZE,
    Edit,
    compare,
    edited,
    field,
    filters,
    server,
)


def test_nothing_changed() -> None:
    report = compare(server(), server())

    assert report.text() == "old -> new: nothing changed"
    assert report.markdown() == "`old` → `new`: nothing changed.\n"
    assert json.loads(report.json()) == {
        "form": 1,
        "old": "old",
        "new": "new",
        "worst": None,
        "counts": {"breaking": 0, "type-checks": 0, "harmless": 0},
        "changes": [],
        "notes": [],
    }
    assert not report
    assert not any(report.fails(group) for group in ("breaking", "type-checks", "any"))


def three() -> Report:
    edits = filters(SIZE), field("url", nullable=True), field("extra", type="integer", readOnly=True)
    return compare(server(), edited(*edits)).with_names("3.3.1", "3.6.1")


def test_report_as_text() -> None:
    assert three().text().splitlines() == [
        "3.3.1 -> 3.6.1: 1 break callers, 1 break type checks, 1 harmless",
        "",
        "Breaks callers (1)",
        "  client.labs.list(city=)  removed: the server silently ignores it and returns every row",
        "",
        "Breaks type checks (1)",
        "  LabRecord.url  may now be null",
        "",
        "Harmless (1)",
        "  LabRecord.extra  new",
    ]
    assert repr(three()) == three().text()


def test_report_in_markdown() -> None:
    assert three().markdown() == (
        "`3.3.1` → `3.6.1`: 1 break callers, 1 break type checks, 1 harmless.\n"
        "\n### Breaks callers (1)\n\n| What | Change |\n|---|---|\n"
        "| `client.labs.list(city=)` | removed: the server silently ignores it and returns every row |\n"
        "\n### Breaks type checks (1)\n\n| What | Change |\n|---|---|\n| `LabRecord.url` | may now be null |\n"
        "\n### Harmless (1)\n\n| What | Change |\n|---|---|\n| `LabRecord.extra` | new |\n"
    )


def test_report_in_json() -> None:
    read = json.loads(three().json())

    assert read["worst"] == "breaking"
    assert read["counts"] == {"breaking": 1, "type-checks": 1, "harmless": 1}
    assert read["changes"][0] == {
        "group": "breaking",
        "kind": "filter",
        "what": "removed",
        "endpoint": "labs",
        "actions": ["list"],
        "name": "client.labs.list(city=)",
        "words": EVERY,
    }


@pytest.mark.parametrize(
    ("edit", "worst", "failing"),
    [
        (filters(SIZE), "breaking", {"breaking", "type-checks", "any"}),
        (field("url", nullable=True), "type-checks", {"type-checks", "any"}),
        (field("extra", type="string", readOnly=True), "harmless", {"any"}),
    ],
)
def test_worst_change_decides_whether_the_report_fails(edit: Edit, worst: str, failing: set[str]) -> None:
    report = compare(server(), edited(edit))

    assert report.worst == worst
    assert {group for group in ("breaking", "type-checks", "any") if report.fails(group)} == failing
