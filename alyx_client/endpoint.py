"""The bases of the generated endpoint classes: they send what an action builds, and read what comes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from alyx_client.actions import Action, KeyRanges, ListAction, Upload, file_part
from alyx_client.messages import FilePart, Params
from alyx_client.pages import AsyncResults, Results
from alyx_client.walk import Page, first_limit

if TYPE_CHECKING:
    from alyx_client.client import AsyncBaseClient, BaseClient

__all__ = ["AsyncEndpoint", "Endpoint"]

T = TypeVar("T")


def _identity(row: Any) -> object:
    """What tells one row of a list from another; None for rows that have no key."""
    fields: dict[str, object] = row.__dict__
    for name in ("id", "url", "name"):
        value = fields.get(name)
        if isinstance(value, str | int | UUID):
            # Two labs may have a location of the same name.
            return (value, fields["lab"]) if name == "name" and isinstance(fields.get("lab"), str) else value
    return None


def _read_files(files: Mapping[str, Upload | None] | None) -> dict[str, FilePart]:
    return {name: file_part(name, upload) for name, upload in (files or {}).items() if upload is not None}


class _Named:
    __slots__ = ()

    def __repr__(self) -> str:
        actions = [name for name in dir(self) if not name.startswith("_")]
        return f"<{type(self).__name__}: {', '.join(actions)}>"


class Endpoint(_Named):
    """One endpoint of a client.

    Parameters
    ----------
    client
        The client that sends.
    """

    __slots__ = ("_client",)

    def __init__(self, client: BaseClient) -> None:
        self._client = client

    def _send(self, action: Action[T], *, current: Action[Any] | None = None, **parts: Any) -> T:
        parts["files"] = _read_files(parts.get("files"))
        request = action.request(self._client.base_url, **parts)
        if current is not None and action.forgets(parts["changes"]):
            record = self._send(current, key=parts["key"])
            parts["changes"] = action.kept(parts["changes"], record)
            request = action.request(self._client.base_url, **parts)
        return action.parse(self._client.send(request), self._client.drift)

    def _list(
        self,
        action: ListAction[T],
        filters: Mapping[str, object],
        *,
        limit: int | None,
        max_items: int | None,
        extra_params: Mapping[str, object] | None,
    ) -> Results[T]:
        client = self._client
        queries = action.queries(filters, extra_params)

        def source(params: Params) -> Any:
            def fetch(offset: int, limit: int | None) -> Page[T]:
                return action.parse(client.send(action.request(params, offset, limit)), client.drift)

            return fetch

        def rest() -> Iterator[list[T]]:
            ranges = KeyRanges(queries[0])
            while (params := ranges.want) is not None:
                yield ranges.accept(source(params)(0, KeyRanges.LIMIT))

        sources = [source(params) for params in queries]
        size = first_limit(limit, max_items)
        return Results(
            sources,
            page_size=limit,
            max_items=max_items,
            key=_identity,
            # The first page is asked for here, so that a filter's fault shows where the call is written.
            first=sources[0](0, size) if sources else None,
            rest=rest if action.by_uuid and len(queries) == 1 and KeyRanges.fit(queries[0]) else None,
        )


class AsyncEndpoint(_Named):
    """One endpoint of an asynchronous client.

    Parameters
    ----------
    client
        The client that sends.
    """

    __slots__ = ("_client",)

    def __init__(self, client: AsyncBaseClient) -> None:
        self._client = client

    async def _send(self, action: Action[T], *, current: Action[Any] | None = None, **parts: Any) -> T:
        parts["files"] = _read_files(parts.get("files"))
        request = action.request(self._client.base_url, **parts)
        if current is not None and action.forgets(parts["changes"]):
            record = await self._send(current, key=parts["key"])
            parts["changes"] = action.kept(parts["changes"], record)
            request = action.request(self._client.base_url, **parts)
        return action.parse(await self._client.send(request), self._client.drift)

    def _list(
        self,
        action: ListAction[T],
        filters: Mapping[str, object],
        *,
        limit: int | None,
        max_items: int | None,
        extra_params: Mapping[str, object] | None,
    ) -> AsyncResults[T]:
        client = self._client
        queries = action.queries(filters, extra_params)

        def source(params: Params) -> Any:
            async def fetch(offset: int, limit: int | None) -> Page[T]:
                return action.parse(await client.send(action.request(params, offset, limit)), client.drift)

            return fetch

        async def rest() -> AsyncIterator[list[T]]:
            ranges = KeyRanges(queries[0])
            while (params := ranges.want) is not None:
                yield ranges.accept(await source(params)(0, KeyRanges.LIMIT))

        return AsyncResults(
            [source(params) for params in queries],
            page_size=limit,
            max_items=max_items,
            key=_identity,
            rest=rest if action.by_uuid and len(queries) == 1 and KeyRanges.fit(queries[0]) else None,
        )
