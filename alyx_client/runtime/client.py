"""The part of a client that endpoints rely on; the clients themselves are a layer above."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar, Unpack

from alyx_client.http.flow import Flow
from alyx_client.runtime.closed_sets import ClosedSets
from alyx_client.runtime.drift import DriftLog

if TYPE_CHECKING:
    from alyx_client.runtime.action import Action
    from alyx_client.runtime.bulk_options import BulkArguments
    from alyx_client.runtime.bulk_results import BulkResults

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

    def run_many(self, action: Action[Any], items: object, **options: Unpack[BulkArguments]) -> BulkResults[Any]:
        """Carry out an action for many records."""
        ...


class AsyncClient(ClientContext, Protocol):
    """A client that runs flows in the calling task."""

    async def run(self, flow: Flow[T], timeout: float | None = None) -> T:
        """Run a flow, within a time limit in seconds; its requests go through the cache."""
        ...

    async def run_many(self, action: Action[Any], items: object, **options: Unpack[BulkArguments]) -> BulkResults[Any]:
        """Carry out an action for many records."""
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
