from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

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
