"""The part of a client that endpoints rely on; the clients themselves are a layer above."""

from __future__ import annotations

from typing import Protocol, TypeVar

from alyx_client.http.flow import Flow
from alyx_client.runtime.closed_sets import ClosedSets
from alyx_client.runtime.drift import DriftLog

__all__ = ["AsyncClient", "AsyncRunner", "ClientContext", "Runner", "SyncClient"]

T = TypeVar("T")


class ClientContext(Protocol):
    """The part of a client that building requests and parsing responses rely on."""

    drift: DriftLog

    @property
    def base_url(self) -> str:
        """The server's address."""
        ...

    @property
    def parallel_pages(self) -> int:
        """How many pages of a list are fetched at a time."""
        ...

    @property
    def longest_page(self) -> int | None:
        """The most rows that the server sends at once; None if it is unknown."""
        ...

    @property
    def closed_sets(self) -> ClosedSets:
        """The sets of values that filters, fields and lookups can have."""
        ...


class SyncClient(ClientContext, Protocol):
    """A client that runs flows in the calling thread."""

    def run(self, flow: Flow[T], timeout: float | None = None) -> T:
        """Run a flow, within a time limit in seconds; its requests go through the cache."""
        ...


class AsyncClient(ClientContext, Protocol):
    """A client that runs flows in the calling task."""

    async def run(self, flow: Flow[T], timeout: float | None = None) -> T:
        """Run a flow, within a time limit in seconds; its requests go through the cache."""
        ...


class Runner(Protocol):
    """The `run` of a `SyncClient`."""

    def __call__(self, flow: Flow[T], /) -> T:
        """Run a flow."""
        ...


class AsyncRunner(Protocol):
    """The `run` of an `AsyncClient`."""

    async def __call__(self, flow: Flow[T], /) -> T:
        """Run a flow."""
        ...
