"""Connections: as many as are used at once, which stay open between bursts of requests."""

from __future__ import annotations

import pytest

from tests.faults import FaultServer, json_response
from tests.http.transports import LIST, TransportFactory


@pytest.mark.parametrize("at_once", [1, 16, 64])
def test_bursts_of_requests_use_the_same_connections(connect: TransportFactory, at_once: int) -> None:
    with FaultServer(then=json_response([], delay=0.02)) as server:
        client = connect(server.url, max_requests=at_once)
        for _ in range(4):
            responses = client.send_many(LIST, at_once)
            assert [getattr(response, "status", response) for response in responses] == [200] * at_once
        assert server.connections <= at_once
