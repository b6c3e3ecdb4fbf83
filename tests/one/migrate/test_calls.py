"""What becomes of single calls."""

from __future__ import annotations

import pytest

from alyx_client.one.migrate.module import Migration, migrate
from alyx_client.one.migrate.surface import read_surface

from .cases import LEFT, MOVED

SURFACE = read_surface()


def moved(code: str, **options: frozenset[str]) -> Migration:
    return migrate(code, SURFACE, **options)


@pytest.mark.parametrize("name", MOVED)
def test_moved(name: str) -> None:
    before, after = MOVED[name]
    result = moved(before)
    assert result.code == after
    assert len(moved(after).left) == len(result.left)
    assert moved(after).code == after


@pytest.mark.parametrize("name", LEFT)
def test_left(name: str) -> None:
    case = LEFT[name]
    result = moved(case.code)
    assert result.code == case.code
    assert {left.reason.name for left in result.left} == set(case.reason.split(","))
    assert all(case.detail in left.detail for left in result.left)
