from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from alyx_client.errors import NotFoundError, ServerError

from .bench import Bench
from .package import AlyxClient, AsyncAlyxClient
from .stock import UNLISTABLE, stocked
from .targets import RECORDED_URL, Target, live_target, recorded_target, recording
from .walks import BESIDE_WRITERS, WALKS, table, table_beside_writers

_TARGETS = {
    "local": pytest.param("local", id="local"),
    "recorded": pytest.param("recorded", id="recorded", marks=[pytest.mark.vcr, pytest.mark.block_network]),
    "live": pytest.param("live", id="live"),
    "record": pytest.param("record", id="recorded", marks=pytest.mark.vcr),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "target" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--server")
        names = [chosen] if chosen else ["local", "recorded"]
        metafunc.parametrize("target", [_TARGETS[name] for name in names], indirect=True, scope="session")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if WALKS:
        terminalreporter.section("lists read to their end")
        for line in table():
            terminalreporter.write_line(line)
    if BESIDE_WRITERS:
        terminalreporter.section("lists read beside writers")
        for line in table_beside_writers():
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> Target:
    """The server of this test."""
    if request.param == "local":
        local = request.getfixturevalue("local_alyx_session")
        return Target("local", local.url, local.token(), "admin", "admin")
    return recorded_target() if request.param == "recorded" else live_target(request.param)


@pytest.fixture(scope="session")
def _client(target: Target) -> Iterator[AlyxClient]:
    with AlyxClient(target.url, token=target.token, silent=True, strict=True, cache_rest=None) as client:
        if target.name != "live":
            yield client
            return
        with stocked(client, may_write=target.may_write):
            yield client


@pytest.fixture
def client(_client: AlyxClient) -> AlyxClient:
    """A client that raises an error for any difference from the declared types."""
    return _client


@pytest.fixture
async def async_client(target: Target) -> AsyncIterator[AsyncAlyxClient]:
    """An asynchronous client, equally strict."""
    async with AsyncAlyxClient(target.url, token=target.token, silent=True, strict=True, cache_rest=None) as client:
        yield client


@pytest.fixture(scope="session")
def writable(target: Target) -> None:
    """Skip tests that write if this user may only read."""
    if not target.may_write:
        pytest.skip("the user of these tests may not write on this server")


@pytest.fixture
def bench(client: AlyxClient, writable: None) -> Iterator[Bench]:
    """A bench whose records are removed when the test ends."""
    bench = Bench(client)
    yield bench
    bench.clear()


@pytest.fixture
def cache_tables(client: AlyxClient, target: Target) -> None:
    """Skip tests of the cache tables if a live server has none."""
    if target.name == "live":
        try:
            client.cache_info.read()
        except (NotFoundError, ServerError) as error:
            pytest.skip(f"the server has no cache tables: {error.detail}")


@pytest.fixture(autouse=True)
def _listable(request: pytest.FixtureRequest) -> None:
    """Skip tests of a list on which a live server itself fails."""
    parameters = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    if parameters.get("target") == "live":
        request.getfixturevalue("client")
        if parameters.get("name") in UNLISTABLE:
            pytest.skip(f"the server fails to list these records: {UNLISTABLE[parameters['name']]}")


@pytest.fixture
def vcr_config(pytestconfig: pytest.Config, request: pytest.FixtureRequest) -> dict[str, Any]:
    if pytestconfig.getoption("--server") != "record":
        return {**recording(RECORDED_URL), "record_mode": "none"}
    target: Target = request.getfixturevalue("target")
    return {**recording(target.url), "record_mode": "rewrite"}


@pytest.fixture
def default_cassette_name(request: pytest.FixtureRequest) -> str:
    node: Any = request.node
    parts = [part for part in node.callspec.id.split("-") if part != "recorded"]
    return f"{node.originalname}[{'-'.join(parts)}]" if parts else node.originalname
