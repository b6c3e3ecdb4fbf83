"""Packages for older generations of Alyx, and exchanges recorded from a server of each.

Without an option, the exchanges are replayed. To record those of one generation again, with a server of it::

    ALYX_URL=… ALYX_USERNAME=… ALYX_PASSWORD=… python -m pytest tests/generations --server=record -k 2.1.1
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from alyx_generator.package.pipeline import generate_client
from alyx_generator.source.overlay import shipped_corrections
from alyx_generator.source.paths import snapshots

from ..contract.targets import RECORDED_URL, Target, live_target, recorded_target, recording
from ..generator.inline import ImportedPackage

GENERATIONS = ("3.3.1", "2.1.1", "1.17.0")
_DOCUMENTS = Path(__file__).parent / "documents"
# Enough to create a session and what belongs to it; a package of a whole schema takes seconds.
_ENDPOINTS = (
    "datasets",
    "fields-of-view",
    "fov-location",
    "insertions",
    "labs",
    "projects",
    "register-file",
    "sessions",
    "subjects",
    "surgeries",
    "tasks",
    "trajectories",
    "weighings",
)


@cache
def schema_of(generation: str) -> dict[str, Any]:
    """Return the schema of a generation as its server published it, with the endpoints of these tests."""
    if generation in snapshots():
        document: dict[str, Any] = json.loads(snapshots()[generation].read_text("utf-8"))
        paths = {path: item for path, item in document["paths"].items() if path.split("/")[1] in _ENDPOINTS}
        return {**document, "paths": paths}
    read: dict[str, Any] = json.loads((_DOCUMENTS / f"alyx-{generation}.coreapi.json").read_text("utf-8"))
    return read


@pytest.fixture(scope="session", params=GENERATIONS)
def generation(request: pytest.FixtureRequest) -> str:
    """The version of the server."""
    version: str = request.param
    return version


@pytest.fixture(scope="session")
def package(generation: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImportedPackage]:
    """The package for the generation, without a correction that does not fit."""
    before = list(sys.path)
    schema = schema_of(generation)
    generated = generate_client(schema, shipped_corrections(), strict=False)
    yield ImportedPackage(tmp_path_factory.mktemp("generation"), schema, generated=generated)
    sys.path[:] = before


@pytest.fixture(scope="session")
def models(package: ImportedPackage) -> Any:
    return package.module("models")


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> Target:
    option = request.config.getoption("--server")
    return live_target(option) if option in ("live", "record") else recorded_target()


@pytest.fixture
def client(package: ImportedPackage, target: Target) -> Iterator[Any]:
    """A client that raises an error for any difference from the declared types."""
    made = package.module("client").AlyxClient(
        target.url, token=target.token, silent=True, strict=True, cache_rest=None
    )
    with made:
        yield made


@pytest.fixture
def vcr_config(pytestconfig: pytest.Config, target: Target) -> dict[str, Any]:
    if pytestconfig.getoption("--server") != "record":
        return {**recording(RECORDED_URL), "record_mode": "none"}
    return {**recording(target.url), "record_mode": "rewrite"}


@pytest.fixture
def default_cassette_name(request: pytest.FixtureRequest) -> str:
    node: Any = request.node
    return f"{node.originalname}[{node.callspec.id}]"
