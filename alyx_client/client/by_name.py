"""Calls by name of a synchronous client: ``rest``, ``get``, ``post`` and the others, as ONE's client has them."""

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

__all__ = ["CallsByName"]

T = TypeVar("T")


@with_checked_calls
class CallsByName(ServerFacts):
    """The calls by name; a part of the client, which runs their flows."""

    def run(self, flow: Flow[T], timeout: float | None = None) -> T:
        """Run a flow; the client does."""
        raise NotImplementedError

    @property
    def rest_schemes(self) -> RestScheme:
        """The endpoints, actions and fields in the server's schema; fetched when needed, and cached for a week."""
        return self.run(self._calls.scheme())

    def list_endpoints(self) -> list[str]:
        """Print the names of the server's endpoints, and return them."""
        names = self.rest_schemes.endpoints
        print("\n".join(map(printable, names)))
        return names

    def print_endpoint_info(self, endpoint: str, action: str | None = None) -> None:
        """Print an endpoint's actions with their filters and fields.

        Parameters
        ----------
        endpoint
            The endpoint, as in ``"sessions"``.
        action
            Print only this action, as in ``"list"``.

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
        id: object = None,
        data: object = None,
        files: object = None,
        no_cache: bool = False,
        *,
        extra_params: Mapping[str, object] | None = None,
        timeout: float | None = None,
        **filters: object,
    ) -> Any:
        """Perform one action of an endpoint.

        Parameters
        ----------
        url
            The endpoint, as in ``"subjects"``, optionally with filters, as in ``"subjects?alive=True"``; without it,
            the endpoints are printed.
        action
            ``"list"``, ``"read"``, ``"create"``, ``"update"``, ``"partial_update"`` or ``"delete"``; without it, the
            endpoint's actions are printed with their filters and fields.
        id
            The record's key (UUID, name, nickname, number) or URL. With ``"list"``: a UUID, or a list of UUIDs, to
            restrict the list to.
        data
            The record: a dictionary, a list of them where the endpoint accepts one, or JSON as text.
        files
            Files to upload by form field, as in ``{"image": Path("brain.png")}``.
        no_cache
            Ask the server even if the response is cached, and do not cache its response.
        extra_params
            Query parameters that are sent without being checked.
        timeout
            Time limit for the call, in seconds, its retries and its login included; of a list, for each page. By
            default that of the client. A filter of this name is sent through `extra_params`.
        **filters
            The filters of a list; values may be lists. ``limit`` is the number of rows per page, ``expires``
            (a timedelta) how long the response may be served from the cache.

        Returns
        -------
        dict, list, Results or None
            A record; the rows of a list, as a list where one page holds them all and otherwise as a sequence that
            fetches its pages when they are needed; or the names that were printed.

        Raises
        ------
        InvalidCallError
            The server has no such endpoint, action or filter, or the id or the data is missing; nothing was sent.
        AlyxError
            See `alyx_client.errors`.
        """
        from alyx_client.rest.calls import check_names

        check_names(url=url, action=action)
        if not url:
            return self.list_endpoints()
        if not action and "?" not in url:
            endpoint = url.strip("/")
            self.print_endpoint_info(endpoint)
            return self.rest_schemes.actions(endpoint)
        return self._run(
            self._calls.rest(url, action, id, data, files, filters, extra_params=extra_params, bypass_cache=no_cache),
            timeout,
        )

    def get(
        self,
        rest_query: str,
        *,
        data: object = None,
        files: object = None,
        expires: Expires = None,
        clobber: bool = False,
        timeout: float | None = None,
    ) -> Any:
        """Send a GET request.

        Parameters
        ----------
        rest_query
            A path with its query, as in ``"/sessions?subject=flowers"``, or a URL of this server.
        data
            A body; few endpoints read one.
        files
            Files to send.
        expires
            How long the response may be served from the cache; True bypasses the cache.
        clobber
            Ask the server even if the response is cached.
        timeout
            As for `rest`.

        Returns
        -------
        dict, list or Results
            The content of the response; the rows of a list as `rest` returns them.

        Raises
        ------
        ForeignURLError
            The URL belongs to another server; nothing was sent.
        AlyxError
            See `alyx_client.errors`.
        """
        return self._run(
            self._calls.send("GET", rest_query, data=data, files=files, expires=expires, bypass_cache=clobber),
            timeout,
        )

    def post(self, rest_query: str, data: object = None, files: object = None, *, timeout: float | None = None) -> Any:
        """Send a POST request.

        Parameters
        ----------
        rest_query
            A path, or a URL of this server.
        data
            A dictionary, a list, or JSON as text. UUIDs, dates and NumPy values are converted.
        files
            Files by form field; the data is then sent as the other fields of the form.
        timeout
            As for `rest`.

        Returns
        -------
        dict, list or None
            The content of the response.

        Raises
        ------
        InvalidFieldError
            The data cannot be sent as JSON; nothing was sent.
        AlyxError
            See `alyx_client.errors`.
        """
        return self._run(self._calls.send("POST", rest_query, data=data, files=files), timeout)

    def put(self, rest_query: str, data: object = None, files: object = None, *, timeout: float | None = None) -> Any:
        """Send a PUT request; parameters, result and errors as for `post`."""
        return self._run(self._calls.send("PUT", rest_query, data=data, files=files), timeout)

    def patch(self, rest_query: str, data: object = None, files: object = None, *, timeout: float | None = None) -> Any:
        """Send a PATCH request; parameters, result and errors as for `post`."""
        return self._run(self._calls.send("PATCH", rest_query, data=data, files=files), timeout)

    def delete(self, rest_query: str, *, timeout: float | None = None) -> Any:
        """Send a DELETE request; parameters, result and errors as for `post`."""
        return self._run(self._calls.send("DELETE", rest_query), timeout)

    def json_field_write(
        self, endpoint: str, uuid: object, field_name: str, data: object = None, *, timeout: float | None = None
    ) -> Any:
        """Replace the value of a JSON field.

        Parameters
        ----------
        endpoint
            The endpoint, as in ``"sessions"``.
        uuid
            The record's key.
        field_name
            The field, as in ``"extended_qc"``.
        data
            The new value.
        timeout
            As for `rest`, for reading and writing together.

        Returns
        -------
        Any
            The value that the server then has.

        Raises
        ------
        AlyxError
            See `alyx_client.errors`.
        """
        return self.run(self._calls.json_field(endpoint, uuid, field_name).write(data), timeout)

    def json_field_update(
        self,
        endpoint: str,
        uuid: object,
        field_name: str = "json",
        data: object = None,
        *,
        timeout: float | None = None,
    ) -> Any:
        """Set some keys of a JSON field; the others stay as they are.

        The field is read from the server, past the cache, and written as a whole: if two programs do so at the same
        time, the last one wins.

        Parameters
        ----------
        endpoint, uuid
            The record.
        field_name
            The field.
        data
            A dictionary of the keys to set.
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
        InvalidCallError
            The record has no such field.
        """
        return self.run(self._calls.json_field(endpoint, uuid, field_name).update(data), timeout)

    def json_field_remove_key(
        self, endpoint: str, uuid: object, field_name: str = "json", key: str = "", *, timeout: float | None = None
    ) -> Any:
        """Remove a key from a JSON field.

        Parameters
        ----------
        endpoint, uuid, field_name
            As for `json_field_update`.
        key
            The key to remove; if the field does not have it, nothing is written.
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
        """
        return self.run(self._calls.json_field(endpoint, uuid, field_name).remove_key(key), timeout)

    def json_field_delete(self, endpoint: str, uuid: object, field_name: str, *, timeout: float | None = None) -> Any:
        """Set a field to null.

        Parameters
        ----------
        endpoint, uuid, field_name, timeout
            As for `json_field_update`.

        Returns
        -------
        None
            The value that the server then has.
        """
        return self.run(self._calls.json_field(endpoint, uuid, field_name).write(None), timeout)

    def _run(self, flow: Flow[object], timeout: float | None) -> Any:
        from alyx_client.rest.lists import LazyList

        run = self.run if timeout is None else partial(self.run, timeout=timeout)
        result = run(flow)
        return result.to_results(run) if isinstance(result, LazyList) else result
