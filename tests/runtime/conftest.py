from __future__ import annotations

from typing import Any

import pytest

from tests.runtime.lists.support import ReadRows, Server


@pytest.fixture(params=["sync", "async"])
def read_rows(request: pytest.FixtureRequest) -> ReadRows:
    """Read a list to its end, with either kind of result."""

    async def read(server: Server, **settings: Any) -> list[int]:
        if request.param == "sync":
            return list(iter(server.results(**settings)))
        return [row async for row in server.async_results(**settings)]

    return read
