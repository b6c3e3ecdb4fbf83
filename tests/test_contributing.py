"""The names in CONTRIBUTING.md exist."""

from __future__ import annotations

import importlib
import re
from operator import attrgetter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
GENERATOR = {"cli", "model", "package", "probe", "render", "source"}


@pytest.mark.parametrize("station", sorted(set(re.findall(r"`([a-z_.]+:[A-Za-z_.]+)`", TEXT))))
def test_stations_exist(station: str) -> None:
    module, _, name = station.partition(":")
    package = "alyx_generator" if module.partition(".")[0] in GENERATOR else "alyx_client"
    assert callable(attrgetter(name)(importlib.import_module(f"{package}.{module}")))


def test_diagram_shows_every_room() -> None:
    rooms = {
        path.parent.name
        for package in ("alyx_client", "generator/alyx_generator")
        for path in (ROOT / package).glob("*/__init__.py")
    }
    diagram = TEXT.partition("```text\n")[2].partition("```")[0]
    assert rooms - set(re.findall(r"\w+", diagram)) == set()


def test_paths_exist() -> None:
    paths = re.findall(r"`((?:schemas|alyx_client|templates|tests)/[\w./]+)`", TEXT)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []
