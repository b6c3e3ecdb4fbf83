"""The public names are those of the list: a change of one is seen in the list, and belongs in the changelog."""

from __future__ import annotations

import difflib

import pytest

from tests.public_api import LIST, public_api


def test_public_names_are_those_of_the_list() -> None:
    pytest.importorskip("typer")
    listed = LIST.read_text(encoding="utf-8").splitlines()
    changes = [line for line in difflib.unified_diff(listed, public_api(), lineterm="", n=0) if line[:2] != "@@"]
    assert not changes, "\n".join(["Run `make public-api`, and say in CHANGELOG.md what changed:", *changes])
