"""The base classes of the generated endpoint classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from inspect import isfunction
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, Unpack

from alyx_client.errors import InvalidFieldError
from alyx_client.http.arguments import require, shown
from alyx_client.http.flow import Flow
from alyx_client.http.suggestions import missing_attribute, suggest
from alyx_client.runtime.action import Action, ListAction
from alyx_client.runtime.arguments import Arguments, Files
from alyx_client.runtime.checked_calls import with_checked_calls
from alyx_client.runtime.client import AsyncClient, ClientContext, SyncClient
from alyx_client.runtime.completion import evaluate_results
from alyx_client.runtime.keys import LookupKey
from alyx_client.runtime.lists.results import Results
from alyx_client.runtime.models import Resource
from alyx_client.runtime.signatures import show_annotations

if TYPE_CHECKING:
    from alyx_client.runtime.bulk_options import BulkArguments
    from alyx_client.runtime.bulk_results import BulkResults
    from alyx_client.runtime.json_fields import JSONField
    from alyx_client.runtime.lists.async_results import AsyncResults

__all__ = ["AsyncEndpoint", "AsyncJsonFields", "Endpoint", "JsonFields"]

T = TypeVar("T")
KeyT = TypeVar("KeyT", bound=LookupKey)
NameT = TypeVar("NameT", bound=str)


class _ActionsInRepr:
    __slots__ = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        with_checked_calls(cls)
        methods = [method for name, method in vars(cls).items() if isfunction(method) and name[0] != "_"]
        show_annotations(methods)
        evaluate_results(methods)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(self._actions())}>"

    def _actions(self) -> list[str]:
        return [name for name in dir(type(self)) if not name.startswith("_") and name != "fields"]

    if not TYPE_CHECKING:  # a type checker finds these mistakes by itself

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise missing_attribute(self, name)
            from alyx_client.schema.routes import ACTIONS

            # An action that other endpoints have is not misspelled.
            names = self._actions()
            raise missing_attribute(self, name, suggest("" if name.removesuffix("_many") in ACTIONS else name, names))


class Endpoint(_ActionsInRepr):
    """One endpoint of a client.

    Parameters
    ----------
    client
        The client that sends the requests.
    """

    __slots__ = ("_client",)

    def __init__(self, client: SyncClient) -> None:
        self._client = client

    def _send(
        self,
        action: Action[T],
        *,
        key: LookupKey | None = None,
        body: Resource | Sequence[Resource] | None = None,
        changes: Mapping[str, object] | None = None,
        files: Mapping[str, Files] | None = None,
        filters: Mapping[str, object] | None = None,
        current: Action[object] | None = None,
        timeout: float | None = None,
    ) -> T:
        arguments = Arguments(key, body, changes, files or {}, filters or {})
        return self._client.run(action.call(self._client, arguments, current=current), timeout)

    def _list(
        self,
        action: ListAction[T],
        filters: Mapping[str, object],
        *,
        limit: int | None,
        max_items: int | None,
        extra_params: Mapping[str, object] | None,
        timeout: float | None = None,
    ) -> Results[T]:
        run = self._client.run if timeout is None else partial(self._client.run, timeout=timeout)
        query = action.query(self._client, filters, limit=limit, max_items=max_items, extra_params=extra_params)
        # The first page is fetched here, so that a wrong filter raises where the call is written.
        return Results.from_query(replace(query, first_page=run(query.fetch_first_page())), run)

    def _many(self, action: Action[Any], items: object, **options: Unpack[BulkArguments]) -> BulkResults[Any]:
        return self._client.run_many(action, items, **options)


class AsyncEndpoint(_ActionsInRepr):
    """One endpoint of an asynchronous client.

    Parameters
    ----------
    client
        The client that sends the requests.
    """

    __slots__ = ("_client",)

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def _send(
        self,
        action: Action[T],
        *,
        key: LookupKey | None = None,
        body: Resource | Sequence[Resource] | None = None,
        changes: Mapping[str, object] | None = None,
        files: Mapping[str, Files] | None = None,
        filters: Mapping[str, object] | None = None,
        current: Action[object] | None = None,
        timeout: float | None = None,
    ) -> T:
        arguments = Arguments(key, body, changes, files or {}, filters or {})
        return await self._client.run(action.call(self._client, arguments, current=current), timeout)

    def _list(
        self,
        action: ListAction[T],
        filters: Mapping[str, object],
        *,
        limit: int | None,
        max_items: int | None,
        extra_params: Mapping[str, object] | None,
        timeout: float | None = None,
    ) -> AsyncResults[T]:
        from alyx_client.runtime.lists.async_results import AsyncResults

        query = action.query(self._client, filters, limit=limit, max_items=max_items, extra_params=extra_params)
        run = self._client.run if timeout is None else partial(self._client.run, timeout=timeout)
        return AsyncResults.from_query(query, run)

    async def _many(self, action: Action[Any], items: object, **options: Unpack[BulkArguments]) -> BulkResults[Any]:
        return await self._client.run_many(action, items, **options)


class JsonFields(Endpoint, Generic[KeyT, NameT]):
    """An endpoint whose records have JSON fields, such as ``extended_qc``.

    A field is read from the server, past the cache, and written as a whole: of two programs that change different keys
    at the same time, the last one wins.
    """

    __slots__ = ()
    _read: ClassVar[Action[object]]
    _partial_update: ClassVar[Action[object]]

    def json_field_write(self, uuid: KeyT, field_name: NameT, data: object, *, timeout: float | None = None) -> Any:
        """Replace the value of a JSON field.

        Parameters
        ----------
        uuid
            The record's key, or its URL.
        field_name
            The field.
        data
            The new value.
        timeout
            Time limit in seconds, for reading and writing together; by default that of the client.

        Returns
        -------
        Any
            The value that the server then has.

        Raises
        ------
        NotFoundError
            There is no such record.
        InvalidFieldError
            There is no such field; nothing was sent.
        """
        return self._client.run(self._json_field(uuid, field_name).write(data), timeout)

    def json_field_update(
        self, uuid: KeyT, field_name: NameT, data: Mapping[str, Any], *, timeout: float | None = None
    ) -> Any:
        """Set some keys of a JSON field; the others are left unchanged.

        Parameters
        ----------
        uuid, field_name
            The record's key, or its URL, and the field.
        data
            The keys to set.
        timeout
            As for `json_field_write`.

        Returns
        -------
        dict
            The value that the server then has.

        Raises
        ------
        NotAnObjectError
            The value of the field is not an object; nothing was written.
        NotFoundError, InvalidFieldError
            There is no such record, or field.
        """
        return self._client.run(self._json_field(uuid, field_name).update(data), timeout)

    def json_field_remove_key(self, uuid: KeyT, field_name: NameT, key: str, *, timeout: float | None = None) -> Any:
        """Remove a key from a JSON field; if the field does not have it, nothing is written.

        Parameters
        ----------
        uuid, field_name
            The record's key, or its URL, and the field.
        key
            The key to remove.
        timeout
            As for `json_field_write`.

        Returns
        -------
        dict or None
            The value that the server then has.

        Raises
        ------
        NotAnObjectError
            The value of the field is not an object; nothing was written.
        NotFoundError, InvalidFieldError
            There is no such record, or field.
        """
        return self._client.run(self._json_field(uuid, field_name).remove_key(key), timeout)

    def json_field_delete(self, uuid: KeyT, field_name: NameT, *, timeout: float | None = None) -> None:
        """Set a JSON field to null; parameters and errors as for `json_field_write`."""
        self.json_field_write(uuid, field_name, None, timeout=timeout)

    def _json_field(self, key: LookupKey, name: str) -> JSONField:
        return _json_field(self._client, self._read, self._partial_update, key, name)


class AsyncJsonFields(AsyncEndpoint, Generic[KeyT, NameT]):
    """Asynchronous version of `JsonFields`."""

    __slots__ = ()
    _read: ClassVar[Action[object]]
    _partial_update: ClassVar[Action[object]]

    async def json_field_write(
        self, uuid: KeyT, field_name: NameT, data: object, *, timeout: float | None = None
    ) -> Any:
        """Asynchronous version of `JsonFields.json_field_write`."""
        return await self._client.run(self._json_field(uuid, field_name).write(data), timeout)

    async def json_field_update(
        self, uuid: KeyT, field_name: NameT, data: Mapping[str, Any], *, timeout: float | None = None
    ) -> Any:
        """Asynchronous version of `JsonFields.json_field_update`."""
        return await self._client.run(self._json_field(uuid, field_name).update(data), timeout)

    async def json_field_remove_key(
        self, uuid: KeyT, field_name: NameT, key: str, *, timeout: float | None = None
    ) -> Any:
        """Asynchronous version of `JsonFields.json_field_remove_key`."""
        return await self._client.run(self._json_field(uuid, field_name).remove_key(key), timeout)

    async def json_field_delete(self, uuid: KeyT, field_name: NameT, *, timeout: float | None = None) -> None:
        """Asynchronous version of `JsonFields.json_field_delete`."""
        await self.json_field_write(uuid, field_name, None, timeout=timeout)

    def _json_field(self, key: LookupKey, name: str) -> JSONField:
        return _json_field(self._client, self._read, self._partial_update, key, name)


def _json_field(
    client: ClientContext, read: Action[object], partial_update: Action[object], key: LookupKey, name: str
) -> JSONField:
    from alyx_client.runtime.json_fields import JSONField

    require("field_name", name, str, "the name of a field")
    name = str.__str__(name)

    def read_field() -> Flow[object]:
        record = yield from read.call(client, Arguments(key), bypass_cache=True)
        fields = vars(record)
        # The type checker knows the names; this is for notebooks, and for names that are computed.
        if name not in fields:
            message = f"{read.endpoint} has no field {name!r}. {suggest(name, fields)}"
            raise InvalidFieldError(message, fields={name: ["no such field"]})
        return fields[name]

    def write_field(data: object) -> Flow[Any]:
        # Most records lose no field by a PATCH, and need not be read for it.
        current = read if partial_update.preserved_fields else None
        record = yield from partial_update.call(client, Arguments(key, changes={name: data}), current=current)
        return getattr(record, name)

    label = f"{read.endpoint} {key if type(key) is str else shown(key)}: {name}"
    return JSONField(label, read_field, write_field, partial_update.zones)
