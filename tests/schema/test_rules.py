"""The table of `docs/reference/diff-rules.md`: rules said to be reported are, in their groups and under their names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from alyx_client.schema.report import GROUPS, Change

from .edits import compare
from .rule_cases import all_cases
from .rule_documents import Case
from .rule_edits import own_cases

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "diff-rules.md"
CASES = all_cases()
OWN = own_cases()
NOT_REPORTED = "—"


def cells() -> Iterator[list[str]]:
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        if line.startswith("|"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def expanded(pattern: str) -> list[str]:
    """Return the names that a pattern with braces stands for."""
    parts = [part[1:-1].split(",") if part.startswith("{") else [part] for part in re.split(r"(\{[^}]*\})", pattern)]
    return ["".join(choice) for choice in product(*parts)]


def rules() -> dict[str, tuple[str, str, str]]:
    """Return the level, the group and the explanation of each rule."""
    named: list[tuple[str, tuple[str, str, str]]] = []
    for row in cells():
        if len(row) == 4 and row[1] in ("ERR", "WARN", "INFO"):
            patterns = re.findall(r"`([^`]+)`", row[0])
            named += [(rule, (row[1], row[2], row[3])) for one in patterns for rule in expanded(one)]
    assert len(named) == len(dict(named)), "a rule has two rows"
    return dict(named)


RULES = rules()
REPORTED = sorted(rule for rule, (_, group, _) in RULES.items() if group != NOT_REPORTED)


def changes_at(case: Case) -> list[Change]:
    return [change for change in compare(case.old, case.new).changes if change.name == case.name]


def worst(changes: list[Change]) -> str | None:
    return next((group for group in GROUPS if any(change.group == group for change in changes)), None)


def test_table_has_every_rule_with_a_group_and_a_reason() -> None:
    assert len(RULES) == 509
    assert {group for _, group, _ in RULES.values()} == {*GROUPS, NOT_REPORTED}
    assert all(explanation for _, _, explanation in RULES.values())


@pytest.mark.parametrize("rule", REPORTED)
def test_rule_is_reported_in_its_group(rule: str) -> None:
    assert worst(changes_at(CASES[rule])) == RULES[rule][1]


@pytest.mark.parametrize("rule", sorted(RULES.keys() & CASES.keys() - set(REPORTED)))
def test_rule_that_is_not_reported_has_no_change(rule: str) -> None:
    assert changes_at(CASES[rule]) == []


def test_changes_without_a_rule_are_those_of_the_table() -> None:
    table = {row[0]: row[1] for row in cells() if len(row) == 2 and row[1] in GROUPS}

    assert table == {name: worst(changes_at(case)) for name, case in OWN.items()}


@pytest.mark.parametrize("case", [*CASES.values(), *OWN.values()], ids=[*CASES, *OWN])
def test_equal_documents_have_no_changes(case: Case) -> None:
    assert not compare(case.old, case.old)
    assert not compare(case.new, case.new)
