"""Calls by name of an asynchronous client: as `CallsByName` has them, awaited."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from alyx_client.client.server_facts import ServerFacts
from alyx_client.errors import printable
from alyx_client.http.flow import Expires, Flow
from alyx_client.runtime.checked_calls import with_checked_calls

if TYPE_CHECKING:
    from alyx_client.rest.scheme import RestScheme

__all__ = ["AsyncCallsByName"]

T = TypeVar("T")


@with_checked_calls
class AsyncCallsByName(ServerFacts):
    """The calls by name; a part of the client, which runs their flows."""

    async def run(self, flow: Flow[T], timeout: float | None = None) -> T:
        """Run a flow; the client does."""
        raise NotImplementedError

    @property
    async def rest_schemes(self) -> RestScheme:
        """Asynchronous version of `CallsByName.rest_schemes`: ``await client.rest_schemes``."""
        return await self.run(self._calls.scheme())

    async def list_endpoints(self) -> list[str]:
        """Asynchronous version of `CallsByName.list_endpoints`."""
        names = (await self.rest_schemes).endpoints
        print("\n".join(map(printable, names)))
        return names

    async def print_endpoint_info(self, endpoint: str, action: str | None = None) -> None:
        """Asynchronous version of `CallsByName.print_endpoint_info`."""
        (await self.rest_schemes).print_endpoint_info(endpoint, action)

    async def rest(
        self,
        url: str | None = None,
        action: str | None = None,
        id: object = None,
        data: object = None,
        files: object = None,
        no_cache: bool = False,
        *,
        extra_params: Mapping[str, object] | None = None,
        timeout: float | None = None,
        **filters: object,
    ) -> Any:
        """Asynchronous version of `CallsByName.rest`; a list of several pages is an `AsyncResults`."""
        from alyx_client.rest.calls import check_names

        check_names(url=url, action=action)
        if not url:
            return await self.list_endpoints()
        if not action and "?" not in url:
            endpoint = url.strip("/")
            await self.print_endpoint_info(endpoint)
            return (await self.rest_schemes).actions(endpoint)
        return await self._run(
            self._calls.rest(url, action, id, data, files, filters, extra_params=extra_params, bypass_cache=no_cache),
            timeout,
        )

    async def get(
        self,
        rest_query: str,
        *,
        data: object = None,
        files: object = None,
        expires: Expires = None,
        clobber: bool = False,
        timeout: float | None = None,
    ) -> Any:
        """Asynchronous version of `CallsByName.get`; a list of several pages is an `AsyncResults`."""
        return await self._run(
            self._calls.send("GET", rest_query, data=data, files=files, expires=expires, bypass_cache=clobber),
            timeout,
        )

    async def post(
        self, rest_query: str, data: object = None, files: object = None, *, timeout: float | None = None
    ) -> Any:
        """Asynchronous version of `CallsByName.post`."""
        return await self._run(self._calls.send("POST", rest_query, data=data, files=files), timeout)

    async def put(
        self, rest_query: str, data: object = None, files: object = None, *, timeout: float | None = None
    ) -> Any:
        """Asynchronous version of `CallsByName.put`."""
        return await self._run(self._calls.send("PUT", rest_query, data=data, files=files), timeout)

    async def patch(
        self, rest_query: str, data: object = None, files: object = None, *, timeout: float | None = None
    ) -> Any:
        """Asynchronous version of `CallsByName.patch`."""
        return await self._run(self._calls.send("PATCH", rest_query, data=data, files=files), timeout)

    async def delete(self, rest_query: str, *, timeout: float | None = None) -> Any:
        """Asynchronous version of `CallsByName.delete`."""
        return await self._run(self._calls.send("DELETE", rest_query), timeout)

    async def json_field_write(
        self, endpoint: str, uuid: object, field_name: str, data: object = None, *, timeout: float | None = None
    ) -> Any:
        """Asynchronous version of `CallsByName.json_field_write`."""
        return await self.run(self._calls.json_field(endpoint, uuid, field_name).write(data), timeout)

    async def json_field_update(
        self,
        endpoint: str,
        uuid: object,
        field_name: str = "json",
        data: object = None,
        *,
        timeout: float | None = None,
    ) -> Any:
        """Asynchronous version of `CallsByName.json_field_update`."""
        return await self.run(self._calls.json_field(endpoint, uuid, field_name).update(data), timeout)

    async def json_field_remove_key(
        self, endpoint: str, uuid: object, field_name: str = "json", key: str = "", *, timeout: float | None = None
    ) -> Any:
        """Asynchronous version of `CallsByName.json_field_remove_key`."""
        return await self.run(self._calls.json_field(endpoint, uuid, field_name).remove_key(key), timeout)

    async def json_field_delete(
        self, endpoint: str, uuid: object, field_name: str, *, timeout: float | None = None
    ) -> Any:
        """Asynchronous version of `CallsByName.json_field_delete`."""
        return await self.run(self._calls.json_field(endpoint, uuid, field_name).write(None), timeout)

    async def _run(self, flow: Flow[object], timeout: float | None) -> Any:
        from alyx_client.rest.lists import LazyList

        run = self.run if timeout is None else partial(self.run, timeout=timeout)
        result = await run(flow)
        return await result.to_async_results(run) if isinstance(result, LazyList) else result
