from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from alyx_client.testing import LocalAlyx

from .commands import OVERLAY, few_endpoints, schema
from .foreign_packages import SCHEMAS, Foreign, built
from .inline import ImportedPackage

Generate = Callable[..., ImportedPackage]


@pytest.fixture
def generate(tmp_path: Path) -> Iterator[Generate]:
    before = list(sys.path)

    def make(schema: Mapping[str, Any], **options: Any) -> ImportedPackage:
        return ImportedPackage(tmp_path, schema, **options)

    yield make
    sys.path[:] = before


@pytest.fixture
def foreign(generate: Generate) -> Foreign:
    """Return a maker of packages for the schemas of `foreign`."""
    return lambda name: generate(SCHEMAS[name], generated=built(name))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a project, which is also the working directory."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("")
    (folder / "schema.json").write_text(json.dumps(schema()))
    (folder / "lab.overlay.yaml").write_text(OVERLAY)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAlyx]:
    with LocalAlyx(few_endpoints(tmp_path_factory.mktemp("schema") / "few.json"), seed=False) as alyx:
        yield alyx


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALYX_USERNAME", "admin")
    monkeypatch.setenv("ALYX_PASSWORD", "admin")
