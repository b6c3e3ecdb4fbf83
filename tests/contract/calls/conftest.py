"""Fixtures of the calls: one subject with a lab and a session per module."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import vcr
from vcr.record_mode import RecordMode

from alyx_client.http.message import Request
from alyx_client.rest.scheme import RestScheme
from alyx_client.rest.scheme_reader import read_scheme

from ..bench import PREFIX, Bench
from ..cassettes import FOLDER
from ..package import AlyxClient, AsyncAlyxClient, models
from ..targets import Target, recording
from .helpers import (
    another_day,
    change,
)

_SCHEMA = Path(__file__).parents[3] / "schemas" / "alyx-3.6.1.json"


@functools.cache
def _scheme() -> RestScheme:
    return read_scheme(json.loads(_SCHEMA.read_text("utf-8")))


@pytest.fixture
def client(client: AlyxClient, target: Target) -> AlyxClient:
    """A client that knows the schema already where exchanges are recorded: it is longer than all of them."""
    if target.name in ("recorded", "record"):
        client._calls.known_scheme = _scheme()
    return client


@pytest.fixture
def async_client(async_client: AsyncAlyxClient, target: Target) -> AsyncAlyxClient:
    """The asynchronous client, likewise."""
    if target.name in ("recorded", "record"):
        async_client._calls.known_scheme = _scheme()
    return async_client


@contextmanager
def _cassette(target: Target, path: Path) -> Iterator[None]:
    """Record or replay exchanges outside of any single test."""
    if target.name not in ("recorded", "record"):
        yield
        return
    if target.name == "record":
        path.unlink(missing_ok=True)
    mode = RecordMode.NEW_EPISODES if target.name == "record" else RecordMode.NONE
    with vcr.VCR(**_brief(recording(target.url))).use_cassette(str(path), record_mode=mode):
        yield


def _brief(settings: dict[str, Any]) -> dict[str, Any]:
    """Record only those headers that these tests need."""
    request, response = settings["before_record_request"], settings["before_record_response"]

    def brief_request(sent: Any) -> Any:
        recorded = request(sent)
        recorded.headers = {}
        return recorded

    def brief_response(received: dict[str, Any]) -> dict[str, Any]:
        recorded = response(received)
        names = {"content-type", "location"} if 300 <= recorded["status"]["code"] < 400 else {"content-type"}
        headers = {name: value for name, value in recorded["headers"].items() if name.lower() in names}
        return {**recorded, "headers": headers}

    return {**settings, "before_record_request": brief_request, "before_record_response": brief_response}


@pytest.fixture(scope="module")
def vcr_cassette_dir(request: pytest.FixtureRequest) -> str:
    return str(FOLDER / request.path.stem)


@pytest.fixture
def vcr_config(vcr_config: dict[str, Any]) -> dict[str, Any]:
    return _brief(vcr_config)


@pytest.fixture(scope="module")
def mouse(_client: AlyxClient, target: Target, writable: None, vcr_cassette_dir: str) -> Iterator[Bench]:
    """The subject of all tests of a module, its lab and a session."""
    bench = Bench(_client)
    with _cassette(target, Path(vcr_cassette_dir, "mouse_created.yaml")):
        bench.session  # noqa: B018
    yield bench
    with _cassette(target, Path(vcr_cassette_dir, "mouse_removed.yaml")):
        bench.clear()


@pytest.fixture
def bench(bench: Bench, mouse: Bench) -> Bench:
    """A bench that has the subject and its session already."""
    bench.lab, bench.subject, bench.session = mouse.lab, mouse.subject, mouse.session
    return bench


@pytest.fixture
def sent(client: AlyxClient, monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """The requests that the client sends."""
    requests: list[Request] = []
    send = client.send

    def record(request: Request, **options: Any) -> Any:
        requests.append(request)
        return send(request, **options)

    monkeypatch.setattr(client, "send", record)
    return requests


@pytest.fixture
def sessions(bench: Bench) -> tuple[str, str]:
    """The keys of two sessions of one subject, two days apart; the first has a project and a quality check."""
    project = bench.create("projects", models.Project(name=f"{PREFIX}-project", users=[]))
    change(
        bench,
        projects=[project.name],
        task_protocol="alyx_client_test_protocol_6.4",
        n_trials=200,
        n_correct_trials=190,
        extended_qc={"dlc": 0.9},
    )
    return str(bench.session.id), str(another_day(bench).id)
