"""A server of a page of subjects or datasets, and both clients behind one blocking interface."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.testing import LocalAlyx
from tests.faults import FaultServer, json_response

KEYS = [f"0b12ba9e-01e3-4784-8c35-d7bb1bab414{n}" for n in range(9)]
FILE = {
    "data_repository": "flatiron",
    "data_repository_path": "/public/",
    "data_url": None,
    "exists": True,
    "id": KEYS[8],
    "relative_path": "a/b.npy",
}


def dataset(n: int = 0, **changes: Any) -> dict[str, Any]:
    """Return a dataset as the server sends it in a list."""
    return {
        "auto_datetime": "2026-11-23T06:43:00.888236",
        "collection": "alf",
        "created_by": None,
        "created_datetime": None,
        "data_format": "npy",
        "dataset_type": "spikes.times",
        "default_dataset": None,
        "experiment_number": None,
        "file_records": [FILE],
        "file_size": 2**53 + 1,
        "hash": None,
        "json": {"a": [1, None]},
        "name": f"spikes.{n}.npy",
        "protected": 0,
        "public": 1,
        "qc": "PASS",
        "revision": None,
        "session": None,
        "tags": ["a", "b"],
        "url": f"http://127.0.0.1/datasets/{KEYS[n]}",
        "version": None,
        **changes,
    }


@pytest.fixture(params=["sync", "async"])
def table(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Call ``table(rows, "to_pandas", columns=…)`` on a list of datasets that a server sends."""

    def blocking(url: str, method: str, **options: Any) -> Any:
        with AlyxClient(url, token="t", cache_rest=None) as client:
            return getattr(client.datasets.list(), method)(**options)

    async def awaited(url: str, method: str, **options: Any) -> Any:
        async with AsyncAlyxClient(url, token="t", cache_rest=None) as client:
            return await getattr(client.datasets.list(), method)(**options)

    def call(rows: Sequence[Any], method: str, **options: Any) -> Any:
        page = {"count": len(rows), "next": None, "previous": None, "results": rows}
        with FaultServer(then=json_response(page)) as server:
            if request.param == "sync":
                return blocking(server.url, method, **options)
            return asyncio.run(awaited(server.url, method, **options))

    return call


@pytest.fixture(scope="module")
def alyx() -> Iterator[LocalAlyx]:
    with LocalAlyx() as server:
        yield server


@pytest.fixture
def client(alyx: LocalAlyx) -> Iterator[AlyxClient]:
    with AlyxClient(alyx.url, "olivier", "olivier", cache_rest=None) as client:
        yield client
