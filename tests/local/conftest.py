from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from alyx_client.testing import LocalAlyx


@pytest.fixture
def http(local_alyx: LocalAlyx) -> Iterator[httpx2.Client]:
    headers = {"Authorization": f"Token {local_alyx.token()}"}
    with httpx2.Client(base_url=local_alyx.url, headers=headers, timeout=60) as client:
        yield client
