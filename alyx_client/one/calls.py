"""Calls by name with ONE's return values: what cannot be sent is printed or logged, and the result is None."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from pprint import pprint
from typing import Any, Protocol, TypeVar

from alyx_client.client.by_name import CallsByName
from alyx_client.errors import AlyxWarning, NotAnObjectError
from alyx_client.http.flow import Expires, Flow, Send, drive
from alyx_client.http.json_body import read_json
from alyx_client.http.log import warn
from alyx_client.http.message import Response
from alyx_client.one.replaced import replaced_caller
from alyx_client.one.results import paginated
from alyx_client.rest.calls import check_names
from alyx_client.rest.lists import LazyList
from alyx_client.rest.requests import build_request

__all__ = ["OneCallsByName"]

T = TypeVar("T")

# ONE's own logger: its users have set its level.
_logger = logging.getLogger("one.webclient")
_ACTIONS_WITH_KEY = frozenset({"read", "update", "partial_update", "delete"})
_ACTIONS_WITH_DATA = frozenset({"create", "update", "partial_update"})


class RequestFunction(Protocol):
    """A function of requests, such as ``requests.get``."""

    __name__: str


class OneCallsByName(CallsByName):
    """The calls by name; a part of the client, which runs their flows."""

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
        """Perform one action of an endpoint, as `AlyxClient.rest` does.

        Parameters
        ----------
        url, action, id, data, files, no_cache, extra_params, timeout
            As for `AlyxClient.rest`.
        **filters
            As for `AlyxClient.rest`.

        Returns
        -------
        dict, list, PaginatedResponse or None
            As of `AlyxClient.rest`, with ONE's lists of several pages. None without an endpoint or an action, whose
            names are printed then; and None without the id or the data that the action needs, which is logged.

        Raises
        ------
        InvalidCallError
            The server has no such endpoint, action or filter; nothing was sent.
        AlyxError
            See `alyx_client.errors`. The errors are those of requests, too.
        """
        if not url:
            pprint(self.rest_schemes.endpoints)
            return None
        if "?" not in url and not self._is_complete(url, action, id, data, files):
            return None
        if action == "list" and not self._calls.strict_filters:
            self._warn_of_unknown(url, filters)
        replaced = replaced_caller(self, OneCallsByName)
        if replaced is None:
            return super().rest(
                url, action, id, data, files, no_cache, extra_params=extra_params, timeout=timeout, **filters
            )
        check_names(url=url, action=action)
        flow = self._calls.rest(url, action, id, data, files, filters, extra_params=extra_params, bypass_cache=no_cache)
        result = drive(flow, lambda step: replaced(step) or self.run(_only(step)))
        return paginated(self, result) if isinstance(result, LazyList) else result

    def _is_complete(self, url: str, action: str | None, key: object, data: object, files: object) -> bool:
        """Return whether a call has all that it needs; print or log what is missing."""
        scheme, endpoint = self.rest_schemes, url.strip("/ ").split("/")[0]
        actions = sorted(scheme.actions(endpoint))
        if not action:
            pprint(actions)
            scheme.print_endpoint_info(endpoint)
            return False
        action = action.replace("-", "_")
        if action not in actions:
            return True  # which is an error of the call itself
        if action in _ACTIONS_WITH_KEY and not key:
            _logger.warning("%s: %s needs an id: %s", endpoint, action, scheme.url(endpoint, action))
            return False
        if action in _ACTIONS_WITH_DATA and not data and not files:
            fields = [field["name"] for field in scheme.fields(endpoint, action) if field["in"] == "body"]
            pprint(fields)
            _logger.warning("%s: %s needs data, a dictionary of the fields above", endpoint, action)
            return False
        return True

    def _warn_of_unknown(self, url: str, filters: Mapping[str, object]) -> None:
        scheme, endpoint = self.rest_schemes, url.strip("/ ").split("/")[0].split("?")[0]
        known = {"expires", "limit", "offset", *scheme.field_names(endpoint, "list")}
        if unknown := sorted(filters.keys() - known):
            warn(
                f"{endpoint} has no filter {', '.join(unknown)}; Alyx ignores it, and returns everything.", AlyxWarning
            )

    def json_field_write(
        self,
        endpoint: str = "",
        uuid: object = None,
        field_name: str = "",
        data: object = None,
        *,
        timeout: float | None = None,
    ) -> Any:
        """Replace the value of a JSON field, as `AlyxClient.json_field_write` does."""
        return super().json_field_write(endpoint, uuid, field_name, data, timeout=timeout)

    def json_field_update(
        self,
        endpoint: str = "",
        uuid: object = None,
        field_name: str = "json",
        data: object = None,
        *,
        timeout: float | None = None,
    ) -> Any:
        """Set some keys of a JSON field, as `AlyxClient.json_field_update` does.

        A field that holds no object is left alone, which is logged; its value is returned.
        """
        try:
            return super().json_field_update(endpoint, uuid, field_name, data, timeout=timeout)
        except NotAnObjectError as error:
            _logger.warning("%s", error)
            return self.rest(endpoint, "read", id=uuid, no_cache=True, timeout=timeout)[field_name]

    def json_field_remove_key(
        self,
        endpoint: str = "",
        uuid: object = None,
        field_name: str = "json",
        key: str = "",
        *,
        timeout: float | None = None,
    ) -> Any:
        """Remove a key from a JSON field, as `AlyxClient.json_field_remove_key` does.

        If the field holds no object, this is logged, and the result is None.
        """
        try:
            return super().json_field_remove_key(endpoint, uuid, field_name, key, timeout=timeout)
        except NotAnObjectError as error:
            _logger.warning("%s", error)
            return None

    def json_field_delete(
        self, endpoint: str = "", uuid: object = None, field_name: str = "", *, timeout: float | None = None
    ) -> Any:
        """Set a field to null, as `AlyxClient.json_field_delete` does."""
        return super().json_field_delete(endpoint, uuid, field_name, timeout=timeout)

    def _generic_request(
        self,
        reqfunction: RequestFunction,
        rest_query: str,
        data: object = None,
        files: object = None,
        expires: Expires = None,
        clobber: bool = False,
    ) -> Any:
        def send() -> Flow[Any]:
            method = reqfunction.__name__.upper()
            request = build_request(method, rest_query, base_url=self._calls.base_url, data=data, files=files)
            return read_json((yield Send(request, expires=expires, bypass_cache=clobber)))

        return self.run(send())

    def _run(self, flow: Flow[object], timeout: float | None) -> Any:
        run = self.run if timeout is None else partial(self.run, timeout=timeout)
        result = run(flow)
        return paginated(self, result) if isinstance(result, LazyList) else result


def _only(step: Send) -> Flow[Response]:
    response: Response = yield step
    return response
