from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.soak.ledger import Ledger, check_records, possible_states

pytest.importorskip("resource", reason="memory is measured on POSIX systems")

from benchmarks.soak import __main__ as soak
from benchmarks.soak.resources import growth


@pytest.fixture
def states(tmp_path: Path) -> dict[tuple[str, str], set[str | None]]:
    """The possible states after some writes."""
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.write("tags", "a", "1", is_certain=True)
    ledger.write("tags", "a", "2", is_certain=True)
    ledger.write("tags", "b", "1", is_certain=False)
    ledger.write("tags", "c", "1", is_certain=True)
    ledger.write("tags", "c", "2", is_certain=False)
    ledger.write("tags", "d", "1", is_certain=True)
    ledger.write("tags", "d", None, is_certain=True)
    ledger.close()
    return possible_states(tmp_path / "ledger.jsonl")


def test_writes_lead_to_states(states: dict[tuple[str, str], set[str | None]]) -> None:
    assert {name: possible for (_, name), possible in states.items()} == {
        "a": {"2"},
        "b": {None, "1"},
        "c": {"1", "2"},
        "d": {None},
    }


@pytest.mark.parametrize("records", [[("a", "2"), ("c", "1")], [("a", "2"), ("b", "1"), ("c", "2"), ("other", "1")]])
def test_possible_states_are_accepted(
    states: dict[tuple[str, str], set[str | None]], records: list[tuple[str, str]]
) -> None:
    assert check_records(states, {"tags": records}) == []


@pytest.mark.parametrize(
    ("records", "violation"),
    [
        ([("c", "1")], "tags a: is None, should be '2'"),
        ([("a", "1"), ("c", "1")], "tags a: is '1', should be '2'"),
        ([("a", "2"), ("c", "1"), ("d", "1")], "tags d: is '1', should be None"),
        ([("a", "2"), ("b", "1"), ("b", "1"), ("c", "1")], "tags b: written 2 times"),
    ],
)
def test_violations_are_found(
    states: dict[tuple[str, str], set[str | None]], records: list[tuple[str, str]], violation: str
) -> None:
    assert check_records(states, {"tags": records}) == [violation]


def test_growth_is_that_after_the_start() -> None:
    assert growth([*range(100), *[100.0] * 300, *[103.0] * 100]) == 3.0
    assert growth([1.0] * 49) is None


def test_clients_on_a_failing_server() -> None:
    processes = [("threads", False), ("tasks", True)]
    outcome = soak.soak(3, 11, 0.15, processes)
    lines = list(soak.report(outcome, 3, processes))
    assert outcome.violations == [], "\n".join(lines)
    assert soak.sum_of(outcome, "done")["finish"] == soak.WORKERS * len(processes)
    assert sum(outcome.server["faults"].values()) > 0
    assert "0 violations" in "\n".join(lines)
