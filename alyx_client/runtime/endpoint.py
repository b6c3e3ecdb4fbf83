"""The bases of the generated endpoint classes: they send what an action builds, and read what comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from alyx_client.errors import InvalidFieldError
from alyx_client.http.message import FilePart, Params
from alyx_client.runtime.action import Action, ListAction
from alyx_client.runtime.bodies import Upload, file_part
from alyx_client.runtime.json_fields import updated, without
from alyx_client.runtime.listing import async_results, results
from alyx_client.runtime.paging import Page, first_limit, key_of
from alyx_client.runtime.results import AsyncResults, Results

if TYPE_CHECKING:
    from alyx_client.client.base import AsyncBaseClient, BaseClient

__all__ = ["AsyncEndpoint", "AsyncJsonFields", "Endpoint", "JsonFields"]

T = TypeVar("T")
Key = TypeVar("Key")
Name = TypeVar("Name", bound=str)


def _row_key(row: Any) -> object:
    return key_of(getattr(row, "__dict__", {}))


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

    def _send(
        self, action: Action[T], *, current: Action[Any] | None = None, past_cache: bool = False, **parts: Any
    ) -> T:
        parts["files"] = _read_files(parts.get("files"))
        request = action.request(self._client.base_url, **parts)
        if current is not None and action.forgets(parts["changes"]):
            record = self._send(current, past_cache=True, key=parts["key"])
            parts["changes"] = action.kept(parts["changes"], record)
            request = action.request(self._client.base_url, **parts)
        return action.parse(self._client.send(request, clobber=past_cache), self._client.drift)

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

        def fetch(params: Params, offset: int, limit: int | None) -> Page[T]:
            return action.parse(client.send(action.request(params, offset, limit)), client.drift)

        size = first_limit(limit, max_items)
        return results(
            fetch,
            queries,
            key=_row_key,
            by_uuid=action.by_uuid,
            page_size=limit,
            max_items=max_items,
            # The first page is asked for here, so that a filter's fault shows where the call is written.
            first=fetch(queries[0], 0, size) if queries else None,
        )


class JsonFields(Endpoint, Generic[Key, Name]):
    """An endpoint whose records have JSON fields, such as ``extended_qc``.

    A field is read from the server, past the cache, and written as a whole: of two programs that change different keys
    at the same time, the last one wins.
    """

    __slots__ = ()
    _read: ClassVar[Action[Any]]
    _partial_update: ClassVar[Action[Any]]

    def json_field_write(self, uuid: Key, field_name: Name, data: Any) -> Any:
        """Replace what a JSON field holds.

        Parameters
        ----------
        uuid
            The record's key, or its URL.
        field_name
            The field.
        data
            What it is to hold.

        Returns
        -------
        Any
            What the server then has.

        Raises
        ------
        NotFoundError
            There is no such record.
        InvalidFieldError
            There is no such field; nothing was sent.
        """
        action = self._partial_update
        current = self._read if action.keeps else None
        record = self._send(action, current=current, key=uuid, changes={field_name: data})
        return getattr(record, field_name)

    def json_field_update(self, uuid: Key, field_name: Name, data: Mapping[str, Any]) -> Any:
        """Set some keys of a JSON field; the others stay as they are.

        Parameters
        ----------
        uuid, field_name
            The record's key, or its URL, and the field.
        data
            The keys to set.

        Returns
        -------
        dict
            What the server then has.

        Raises
        ------
        NotAnObjectError
            The field holds something else than an object; nothing was written.
        NotFoundError, InvalidFieldError
            There is no such record, or field.
        """
        current = self._json_field(uuid, field_name)
        return self.json_field_write(uuid, field_name, updated(current, data, _where(self._read, uuid, field_name)))

    def json_field_remove_key(self, uuid: Key, field_name: Name, key: str) -> Any:
        """Remove a key from a JSON field; where the field does not have it, nothing is written.

        Parameters
        ----------
        uuid, field_name
            The record's key, or its URL, and the field.
        key
            The key to remove.

        Returns
        -------
        dict or None
            What the server then has.

        Raises
        ------
        NotAnObjectError
            The field holds something else than an object; nothing was written.
        NotFoundError, InvalidFieldError
            There is no such record, or field.
        """
        current = self._json_field(uuid, field_name)
        left = without(current, key, _where(self._read, uuid, field_name))
        return current if left is None else self.json_field_write(uuid, field_name, left)

    def json_field_delete(self, uuid: Key, field_name: Name) -> None:
        """Set a JSON field to null; parameters and errors as for `json_field_write`."""
        self.json_field_write(uuid, field_name, None)

    def _json_field(self, uuid: Key, field_name: str) -> Any:
        return _field(self._read, self._send(self._read, past_cache=True, key=uuid), field_name)


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

    async def _send(
        self, action: Action[T], *, current: Action[Any] | None = None, past_cache: bool = False, **parts: Any
    ) -> T:
        parts["files"] = _read_files(parts.get("files"))
        request = action.request(self._client.base_url, **parts)
        if current is not None and action.forgets(parts["changes"]):
            record = await self._send(current, past_cache=True, key=parts["key"])
            parts["changes"] = action.kept(parts["changes"], record)
            request = action.request(self._client.base_url, **parts)
        return action.parse(await self._client.send(request, clobber=past_cache), self._client.drift)

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

        async def fetch(params: Params, offset: int, limit: int | None) -> Page[T]:
            return action.parse(await client.send(action.request(params, offset, limit)), client.drift)

        return async_results(fetch, queries, key=_row_key, by_uuid=action.by_uuid, page_size=limit, max_items=max_items)


class AsyncJsonFields(AsyncEndpoint, Generic[Key, Name]):
    """As `JsonFields`, awaited."""

    __slots__ = ()
    _read: ClassVar[Action[Any]]
    _partial_update: ClassVar[Action[Any]]

    async def json_field_write(self, uuid: Key, field_name: Name, data: Any) -> Any:
        """As `JsonFields.json_field_write`."""
        action = self._partial_update
        current = self._read if action.keeps else None
        record = await self._send(action, current=current, key=uuid, changes={field_name: data})
        return getattr(record, field_name)

    async def json_field_update(self, uuid: Key, field_name: Name, data: Mapping[str, Any]) -> Any:
        """As `JsonFields.json_field_update`."""
        current = await self._json_field(uuid, field_name)
        return await self.json_field_write(
            uuid, field_name, updated(current, data, _where(self._read, uuid, field_name))
        )

    async def json_field_remove_key(self, uuid: Key, field_name: Name, key: str) -> Any:
        """As `JsonFields.json_field_remove_key`."""
        current = await self._json_field(uuid, field_name)
        left = without(current, key, _where(self._read, uuid, field_name))
        return current if left is None else await self.json_field_write(uuid, field_name, left)

    async def json_field_delete(self, uuid: Key, field_name: Name) -> None:
        """As `JsonFields.json_field_delete`."""
        await self.json_field_write(uuid, field_name, None)

    async def _json_field(self, uuid: Key, field_name: str) -> Any:
        return _field(self._read, await self._send(self._read, past_cache=True, key=uuid), field_name)


def _field(action: Action[Any], record: Any, name: str) -> Any:
    if name not in vars(record):
        raise InvalidFieldError(f"{action.endpoint} has no field {name!r}", fields={name: ["no such field"]})
    return getattr(record, name)


def _where(action: Action[Any], key: object, name: str) -> str:
    return f"{action.endpoint} {key}: {name}"
