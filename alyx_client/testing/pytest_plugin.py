"""Fixtures for pytest: a local Alyx that is reset for every test, or one for the whole run.

The plugin is registered when this package is installed; the web server and the framework are imported only when a test
uses a fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from alyx_client.testing.server.local import LocalAlyx


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option for another schema document."""
    parser.addini("local_alyx_schema", "schema document that the fixtures' local Alyx publishes", default="")


def new_local_alyx(config: pytest.Config) -> LocalAlyx:
    """Return a local Alyx, or fail with a message that names the missing extra."""
    try:
        from alyx_client.testing.server.local import LocalAlyx
    except ModuleNotFoundError as missing:
        # Any other missing module is a mistake in this package, not a missing extra.
        if missing.name and missing.name.split(".")[0] not in ("starlette", "uvicorn", "h11", "python_multipart"):
            raise
        pytest.fail(
            f'the local Alyx needs {missing.name}: install it with `pip install "alyx-client[local]"`', pytrace=False
        )
    return LocalAlyx(config.getini("local_alyx_schema") or None)


@pytest.fixture(scope="session")
def _local_alyx_server(pytestconfig: pytest.Config) -> Iterator[LocalAlyx]:
    with new_local_alyx(pytestconfig) as local:
        yield local


@pytest.fixture
def local_alyx(_local_alyx_server: LocalAlyx) -> LocalAlyx:
    """Provide a local Alyx in its initial state: seeded records, no faults, an empty log of requests."""
    _local_alyx_server.reset()
    return _local_alyx_server


@pytest.fixture(scope="session")
def local_alyx_session(pytestconfig: pytest.Config) -> Iterator[LocalAlyx]:
    """Provide a local Alyx that is never reset during the run; a different server from that of `local_alyx`."""
    with new_local_alyx(pytestconfig) as local:
        yield local
