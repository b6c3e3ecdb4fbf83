"""Fixtures for pytest: a local Alyx for each test, or one for the whole run.

The plugin is registered when this package is installed; web server and framework are imported only by a test that
asks for a fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from alyx_client.testing.server.local import LocalAlyx


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option that names another schema document."""
    parser.addini("local_alyx_schema", "schema document that the local Alyx of the fixtures serves", default="")


def new_local_alyx(config: pytest.Config) -> LocalAlyx:
    """Make a local Alyx, or fail with a message that names the missing extra."""
    try:
        from alyx_client.testing.server.local import LocalAlyx
    except ModuleNotFoundError as missing:
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
    """Give a local Alyx in its first state: seeded records, no faults, an empty log of requests."""
    _local_alyx_server.reset()
    return _local_alyx_server


@pytest.fixture(scope="session")
def local_alyx_session(pytestconfig: pytest.Config) -> Iterator[LocalAlyx]:
    """Give a local Alyx that keeps what is written to it until the run ends; `local_alyx` is another one."""
    with new_local_alyx(pytestconfig) as local:
        yield local
