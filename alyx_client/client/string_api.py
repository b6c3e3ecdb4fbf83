"""What both clients do by name: ``rest``, ``get``, ``post`` and the others, for code written for ONE's client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from alyx_client.client.connection import AsyncConnection, SyncConnection
from alyx_client.http.flow import Expires, Flow
from alyx_client.rest.lists import LazyList
from alyx_client.rest.scheme import RestScheme

__all__ = ["AsyncStringApi", "StringApi"]

T = TypeVar("T")


class StringApi(SyncConnection):
    """The calls by name of a synchronous client."""

    @property
    def rest_schemes(self) -> RestScheme:
        """What the server's schema says of its endpoints; fetched when first needed, and kept for a week."""
        scheme: RestScheme = self._run(self._calls.scheme())
        return scheme

    def list_endpoints(self) -> list[str]:
        """Print the names of the server's endpoints, and return them."""
        names = self.rest_schemes.endpoints
        print("\n".join(names))
        return names

    def print_endpoint_info(self, endpoint: str, action: str | None = None) -> None:
        """Print an endpoint's actions, with their filters and fields.

        Parameters
        ----------
        endpoint
            Its name, as in ``"sessions"``.
        action
            Only this one, as in ``"list"``.

        Raises
        ------
        InvalidCallError
            The server has no such endpoint or action.
        """
        self.rest_schemes.print_endpoint_info(endpoint, action)

    def rest(
        self,
        url: str | None = None,
        action: str | None = None,
        id: Any = None,
        data: Any = None,
        files: Any = None,
        no_cache: bool = False,
        *,
        extra_params: Mapping[str, object] | None = None,
        **filters: Any,
    ) -> Any:
        """Do one action of an endpoint.

        Parameters
        ----------
        url
            The endpoint, as in ``"subjects"``, perhaps with filters, as in ``"subjects?alive=True"``; without it, the
            endpoints are printed.
        action
            ``"list"``, ``"read"``, ``"create"``, ``"update"``, ``"partial_update"`` or ``"delete"``; without it, the
            endpoint's actions are printed with their filters and fields.
        id
            The record's key (UUID, name, nickname, number) or URL. With ``"list"``: only the record with this UUID, or
            the records with these.
        data
            What to store: a dictionary, a list of them where the endpoint takes one, or JSON as text.
        files
            Files to upload by form field, as in ``{"image": Path("brain.png")}``.
        no_cache
            Whether the server is asked in any case, and its answer not given again.
        extra_params
            Query parameters that are sent without a check.
        **filters
            The filters of a list; values may be lists. ``limit`` is the number of rows fetched at a time, ``expires``
            (a timedelta) how long the answer may be given again from the cache.

        Returns
        -------
        dict, list, Results or None
            A record; a list's rows: a list where one page holds them all, else a sequence whose pages are fetched when
            they are needed; the names that were printed.

        Raises
        ------
        InvalidCallError
            The server has no such endpoint, action or filter, or the id or the data is missing; nothing was sent.
        AlyxError
            See `alyx_client.errors`.
        """
        if not url:
            return self.list_endpoints()
        if not action and "?" not in url:
            endpoint = url.strip("/")
            self.print_endpoint_info(endpoint)
            return self.rest_schemes.actions(endpoint)
        return self._run(
            self._calls.rest(url, action, id, data, files, no_cache=no_cache, extra_params=extra_params, **filters)
        )

    def get(
        self,
        rest_query: str,
        *,
        data: Any = None,
        files: Any = None,
        expires: Expires = None,
        clobber: bool = False,
    ) -> Any:
        """Send a GET.

        Parameters
        ----------
        rest_query
            Path and query, as in ``"/sessions?subject=flowers"``, or a URL of this server.
        data
            A body; few endpoints read one.
        files
            Files to send.
        expires
            How long the answer may be given again from the cache; True: not at all.
        clobber
            Whether the server is asked in any case.

        Returns
        -------
        dict, list or Results
            The answer; a list's rows as `rest` returns them.

        Raises
        ------
        ForeignURLError
            The URL is of another server; nothing was sent.
        AlyxError
            See `alyx_client.errors`.
        """
        return self._run(
            self._calls.send("GET", rest_query, data=data, files=files, expires=expires, bypass_cache=clobber)
        )

    def post(self, rest_query: str, data: Any = None, files: Any = None) -> Any:
        """Send a POST.

        Parameters
        ----------
        rest_query
            A path, or a URL of this server.
        data
            A dictionary, a list, or JSON as text. UUIDs, dates and NumPy's values are understood.
        files
            Files by form field; the data then goes as form fields beside them.

        Returns
        -------
        dict, list or None
            The answer.

        Raises
        ------
        InvalidFieldError
            The data cannot be sent as JSON; nothing was sent.
        AlyxError
            See `alyx_client.errors`.
        """
        return self._run(self._calls.send("POST", rest_query, data=data, files=files))

    def put(self, rest_query: str, data: Any = None, files: Any = None) -> Any:
        """Send a PUT; parameters, answer and errors as for `post`."""
        return self._run(self._calls.send("PUT", rest_query, data=data, files=files))

    def patch(self, rest_query: str, data: Any = None, files: Any = None) -> Any:
        """Send a PATCH; parameters, answer and errors as for `post`."""
        return self._run(self._calls.send("PATCH", rest_query, data=data, files=files))

    def delete(self, rest_query: str) -> Any:
        """Send a DELETE; parameters, answer and errors as for `post`."""
        return self._run(self._calls.send("DELETE", rest_query))

    def json_field_write(self, endpoint: str, uuid: Any, field_name: str, data: Any = None) -> Any:
        """Replace what a JSON field holds.

        Parameters
        ----------
        endpoint
            Its name, as in ``"sessions"``.
        uuid
            The record's key.
        field_name
            The field, as in ``"extended_qc"``.
        data
            What it is to hold.

        Returns
        -------
        Any
            What the server then has.

        Raises
        ------
        AlyxError
            See `alyx_client.errors`.
        """
        return self._run(self._calls.json_field(endpoint, uuid, field_name).write(data))

    def json_field_update(self, endpoint: str, uuid: Any, field_name: str = "json", data: Any = None) -> Any:
        """Set some keys of a JSON field; the others stay as they are.

        The field is read from the server, past the cache, and written as a whole: of two programs that do so at the
        same time, the last one wins.

        Parameters
        ----------
        endpoint, uuid
            The record.
        field_name
            The field.
        data
            A dictionary of the keys to set.

        Returns
        -------
        dict
            What the server then has.

        Raises
        ------
        NotAnObjectError
            The field holds something else than an object; nothing was written.
        InvalidCallError
            The record has no such field.
        """
        return self._run(self._calls.json_field(endpoint, uuid, field_name).update(data))

    def json_field_remove_key(self, endpoint: str, uuid: Any, field_name: str = "json", key: str = "") -> Any:
        """Remove a key from a JSON field.

        Parameters
        ----------
        endpoint, uuid, field_name
            As for `json_field_update`.
        key
            The key to remove; where the field does not have it, nothing is written.

        Returns
        -------
        dict or None
            What the server then has.

        Raises
        ------
        NotAnObjectError
            The field holds something else than an object; nothing was written.
        """
        return self._run(self._calls.json_field(endpoint, uuid, field_name).remove_key(key))

    def json_field_delete(self, endpoint: str, uuid: Any, field_name: str) -> Any:
        """Set a field to null.

        Parameters
        ----------
        endpoint, uuid, field_name
            As for `json_field_update`.

        Returns
        -------
        None
            What the server then has.
        """
        return self._run(self._calls.json_field(endpoint, uuid, field_name).write(None))

    def _run(self, flow: Flow[T]) -> Any:
        result = self.run(flow)
        return result.to_results(self.run) if isinstance(result, LazyList) else result


class AsyncStringApi(AsyncConnection):
    """The calls by name of an asynchronous client: as `StringApi` has them, awaited."""

    @property
    async def rest_schemes(self) -> RestScheme:
        """As `StringApi.rest_schemes`: ``await client.rest_schemes``."""
        scheme: RestScheme = await self._run(self._calls.scheme())
        return scheme

    async def list_endpoints(self) -> list[str]:
        """As `StringApi.list_endpoints`."""
        names = (await self.rest_schemes).endpoints
        print("\n".join(names))
        return names

    async def print_endpoint_info(self, endpoint: str, action: str | None = None) -> None:
        """As `StringApi.print_endpoint_info`."""
        (await self.rest_schemes).print_endpoint_info(endpoint, action)

    async def rest(
        self,
        url: str | None = None,
        action: str | None = None,
        id: Any = None,
        data: Any = None,
        files: Any = None,
        no_cache: bool = False,
        *,
        extra_params: Mapping[str, object] | None = None,
        **filters: Any,
    ) -> Any:
        """As `StringApi.rest`; a list of several pages is an `AsyncResults`."""
        if not url:
            return await self.list_endpoints()
        if not action and "?" not in url:
            endpoint = url.strip("/")
            await self.print_endpoint_info(endpoint)
            return (await self.rest_schemes).actions(endpoint)
        return await self._run(
            self._calls.rest(url, action, id, data, files, no_cache=no_cache, extra_params=extra_params, **filters)
        )

    async def get(
        self,
        rest_query: str,
        *,
        data: Any = None,
        files: Any = None,
        expires: Expires = None,
        clobber: bool = False,
    ) -> Any:
        """As `StringApi.get`; a list of several pages is an `AsyncResults`."""
        return await self._run(
            self._calls.send("GET", rest_query, data=data, files=files, expires=expires, bypass_cache=clobber)
        )

    async def post(self, rest_query: str, data: Any = None, files: Any = None) -> Any:
        """As `StringApi.post`."""
        return await self._run(self._calls.send("POST", rest_query, data=data, files=files))

    async def put(self, rest_query: str, data: Any = None, files: Any = None) -> Any:
        """As `StringApi.put`."""
        return await self._run(self._calls.send("PUT", rest_query, data=data, files=files))

    async def patch(self, rest_query: str, data: Any = None, files: Any = None) -> Any:
        """As `StringApi.patch`."""
        return await self._run(self._calls.send("PATCH", rest_query, data=data, files=files))

    async def delete(self, rest_query: str) -> Any:
        """As `StringApi.delete`."""
        return await self._run(self._calls.send("DELETE", rest_query))

    async def json_field_write(self, endpoint: str, uuid: Any, field_name: str, data: Any = None) -> Any:
        """As `StringApi.json_field_write`."""
        return await self._run(self._calls.json_field(endpoint, uuid, field_name).write(data))

    async def json_field_update(self, endpoint: str, uuid: Any, field_name: str = "json", data: Any = None) -> Any:
        """As `StringApi.json_field_update`."""
        return await self._run(self._calls.json_field(endpoint, uuid, field_name).update(data))

    async def json_field_remove_key(self, endpoint: str, uuid: Any, field_name: str = "json", key: str = "") -> Any:
        """As `StringApi.json_field_remove_key`."""
        return await self._run(self._calls.json_field(endpoint, uuid, field_name).remove_key(key))

    async def json_field_delete(self, endpoint: str, uuid: Any, field_name: str) -> Any:
        """As `StringApi.json_field_delete`."""
        return await self._run(self._calls.json_field(endpoint, uuid, field_name).write(None))

    async def _run(self, flow: Flow[T]) -> Any:
        result = await self.run(flow)
        return await result.to_async_results(self.run) if isinstance(result, LazyList) else result
