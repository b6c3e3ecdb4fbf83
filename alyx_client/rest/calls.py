"""Calls by name, such as ``rest("subjects", "list", alive=True)``, with plain Python in and out.

Every call is a sans-I/O flow, which the synchronous and the asynchronous client share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from types import MappingProxyType, NoneType
from typing import Any, cast

from alyx_client.errors import AlyxHTTPError, AlyxWarning, InvalidCallError, UnexpectedAnswerError
from alyx_client.http.arguments import require, require_mapping, shown
from alyx_client.http.flow import Blocking, Expires, Flow, Send
from alyx_client.http.headers import whole_number
from alyx_client.http.json_body import as_object, is_object, read_json
from alyx_client.http.log import warn
from alyx_client.http.message import Params, Request
from alyx_client.http.suggestions import suggest
from alyx_client.http.url import refuse_foreign
from alyx_client.rest.closed_values import check_fields
from alyx_client.rest.filters import encode_filters, parse_query, with_lookups
from alyx_client.rest.lists import LazyList, is_chosen_page, is_page, page_request, paging_of, read_page
from alyx_client.rest.named_call import ACTIONS_WITH_DATA, NamedCall, missing_data, unexpected_filters
from alyx_client.rest.records import body_with_keys, filters_with_keys
from alyx_client.rest.requests import build_request, join_lists, parse_data, zoned_data
from alyx_client.rest.scheme import RestOperation, RestScheme
from alyx_client.rest.scheme_reader import read_scheme
from alyx_client.runtime.closed_sets import ClosedSets
from alyx_client.runtime.json_fields import JSONField
from alyx_client.runtime.keys import Finder, LookupKind, fill_path, slash_hint, split_path
from alyx_client.schema.location import fetch_schema

__all__ = ["RestCalls", "check_names"]

# Servers change their schema with a release at most.
_SCHEMA_LIFETIME = timedelta(weeks=1)


class RestCalls:
    """The calls by name of one client.

    Parameters
    ----------
    base_url
        The server.
    strict_filters
        Whether an unknown filter is an error.
    preserved_fields
        The fields that the server loses when a PATCH leaves them out, by endpoint.
    joined_fields
        The lists that are sent as one text, joined by commas, by endpoint.
    closed_sets
        The sets of values that filters, fields and lookups can have; the server's schema may add others.
    row_keys
        The fields that tell the rows of a list apart, by its path; for requests that name no endpoint.
    package
        The package whose schema stands in for that of a server that fails on its own.
    zones
        Whether date-times may have a time zone.
    parallel_pages
        How many pages of a list are fetched at a time.
    longest_page
        The most rows that the server sends at once; None if it is unknown.
    models
        The model of each list's rows, by endpoint.
    """

    def __init__(
        self,
        base_url: str,
        *,
        strict_filters: bool,
        preserved_fields: Mapping[str, Sequence[str]],
        joined_fields: Mapping[str, Sequence[str]],
        closed_sets: ClosedSets,
        row_keys: Mapping[str, Sequence[str]] = MappingProxyType({}),
        package: str | None = None,
        zones: bool = False,
        parallel_pages: int = 1,
        longest_page: int | None = None,
        models: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.base_url = base_url
        self.strict_filters = strict_filters
        self.known_scheme: RestScheme | None = None
        self._preserved_fields = preserved_fields
        self._joined_fields = joined_fields
        self._closed_sets = closed_sets
        self._row_keys = row_keys
        self._package = package
        self._zones = zones
        self._parallel_pages = parallel_pages
        self._longest_page = longest_page
        self._models = models

    def scheme(self) -> Flow[RestScheme]:
        """Return the endpoints that the server's schema declares; fetched when first needed, and cached for a week.

        If the server fails on its schema, or publishes none, those of the package's own schema, with a warning.

        Raises
        ------
        AlyxError
            The server did not respond, or publishes no schema.
        """
        scheme = self.known_scheme
        if scheme is None:
            try:
                scheme = read_scheme(read_json((yield from fetch_schema(_SCHEMA_LIFETIME))))
            except AlyxHTTPError as error:
                # Of other statuses, 503 passes; without a package, there is no other schema.
                if error.status_code not in (404, 406, 500) or self._package is None:
                    raise
                scheme = yield from self._own_scheme(self._package, error)
            self.known_scheme = scheme
        return scheme

    def _own_scheme(self, package: str, error: AlyxHTTPError) -> Flow[RestScheme]:
        # Rarely needed, and slow to import.
        from alyx_client.rest.package_scheme import package_scheme

        scheme: RestScheme = yield Blocking(partial(package_scheme, package))
        hint = f"Calls by name follow the schema of {package}; the server may be of another version."
        warn(f"{error} {hint}", AlyxWarning)
        return scheme

    def document(self) -> Flow[Any]:
        """Return the server's current schema, decoded; later calls by name follow it.

        Raises
        ------
        AlyxError
            The server did not respond, or publishes no schema.
        """
        response = yield from fetch_schema(_SCHEMA_LIFETIME, bypass_cache=True)
        self.known_scheme = None
        return read_json(response)

    def send(
        self,
        method: str,
        rest_query: str,
        *,
        data: object = None,
        files: object = None,
        expires: Expires = None,
        bypass_cache: bool = False,
        hint: str = "",
    ) -> Flow[Any]:
        """Send a request to a path and query, or a URL of the server; return plain Python, or a `LazyList`.

        Parameters
        ----------
        method, rest_query, data, files
            The request, as for `build_request`.
        expires
            How long the response may be served from the cache.
        bypass_cache
            Whether to ask the server even if the response is cached.
        hint
            What to do if there is no such record.
        """
        require("rest_query", rest_query, str, "a path or a URL")
        data = zoned_data(data) if self._zones else data
        request = build_request(method, rest_query, base_url=self.base_url, data=data, files=files)
        refuse_foreign(request, self.base_url)
        send = Send(replace(request, hint=hint) if hint else request, expires=expires, bypass_cache=bypass_cache)
        response = yield send
        content = read_json(response)
        paging = paging_of(content, response)
        if method != "GET" or paging is None:
            return content
        page = read_page(content, response, self.base_url, paging)
        # A URL with an offset is that of a page, such as a page's "next"; any other is that of a whole list.
        if is_chosen_page(paging, request.params):
            return page.rows
        params = tuple(pair for pair in request.params if pair[0] != "limit")
        return LazyList(
            replace(send, request=replace(request, params=())),
            [params],
            page,
            _last_limit(request.params),
            row_key=self._row_keys.get(request.path.rstrip("/"), ()),
            has_lookups=True,
            base_url=self.base_url,
            paging=paging,
            parallel=self._parallel_pages,
            longest_page=self._longest_page,
        )

    def rest(
        self,
        url: str,
        action: str | None,
        key: object,
        data: object,
        files: object,
        filters: Mapping[str, object] = MappingProxyType({}),
        *,
        extra_params: Mapping[str, object] | None = None,
        bypass_cache: bool = False,
    ) -> Flow[Any]:
        """Call an endpoint's action.

        Parameters
        ----------
        url, action, key, data, files, extra_params
            As for `AlyxClient.rest`.
        filters
            The filters of a list, and perhaps ``expires``.
        bypass_cache
            Whether to ask the server even if the response is cached, and not to store the response.
        """
        check_names(url=url, action=action)
        require_mapping("extra_params", extra_params)
        path, has_query, query = url.strip().lstrip("/").partition("?")
        endpoint = path.split("/")[0]
        scheme = yield from self.scheme()
        action = "list" if has_query else str(action).replace("-", "_")
        operation = scheme.operation(endpoint, action)
        filters = dict(filters)
        # A response that nobody wants from the cache is not worth storing there.
        expires = cast("Expires", filters.pop("expires", None)) or bypass_cache or None
        if f"/{path.strip('/')}" not in (f"/{endpoint}", operation.path.rstrip("/")):
            # ONE's users pass the path of a record, or another one below an endpoint.
            if action == "list" and key is None and not filters:
                return (yield from self.send("GET", url, expires=expires, bypass_cache=bypass_cache))
            raise InvalidCallError(f"{url!r} is more than an endpoint's name; pass {endpoint!r}, and the key as id=")
        call = NamedCall(endpoint, action, operation, expires, bypass_cache)
        if action == "list":
            key_filter = {} if key is None or key == "" else {"id": key}
            filters = parse_query(query) | filters | key_filter
            filters = filters_with_keys(filters, endpoint, operation, scheme, self.base_url)
            filters = with_lookups(filters, self._models, endpoint, self.base_url)
            return (yield from self._list(call, filters, extra_params))
        if filters or extra_params:
            raise unexpected_filters(call, [*filters, *(extra_params or {})])
        return (yield from self._act(call, scheme, key, data, files))

    def json_field(self, endpoint: str, key: object, field: str) -> JSONField:
        """Return a JSON field of a record, to write it or change its keys.

        Parameters
        ----------
        endpoint, key
            The record.
        field
            The field's name.
        """
        require("endpoint", endpoint, str, "the name of an endpoint")
        require("field_name", field, str, "the name of a field")
        field = str.__str__(field)

        def read() -> Flow[Any]:
            fields = as_object((yield from self.rest(endpoint, "read", key, None, None, bypass_cache=True)))
            if field not in fields:
                raise InvalidCallError(f"{endpoint} has no field {field!r}. {suggest(str(field), sorted(fields))}")
            return fields[field]

        def write(data: object) -> Flow[Any]:
            fields = as_object((yield from self.rest(endpoint, "partial_update", key, {field: data}, None)))
            return fields.get(field, data)

        return JSONField(f"{endpoint} {key if type(key) is str else shown(key)}: {field}", read, write, self._zones)

    def _list(
        self, call: NamedCall, filters: Mapping[str, object], extra_params: Mapping[str, object] | None
    ) -> Flow[Any]:
        encoded = encode_filters(
            call.endpoint,
            call.operation,
            filters,
            extra_params=extra_params,
            strict=self.strict_filters,
            closed_sets=self._closed_sets,
            zones=self._zones,
        )
        if not encoded.param_sets:
            return []
        request = Request("GET", call.operation.path, endpoint=call.endpoint, action="list")
        send = Send(request, expires=call.expires, bypass_cache=call.bypass_cache)
        paging = call.operation.paging
        first_page = page_request(send, encoded.param_sets[0], encoded.offset or 0, encoded.limit, paging)
        response = yield first_page
        content = read_json(response)
        if not is_page(content, paging):
            return content
        page = read_page(content, response, self.base_url, paging)
        # A page that was chosen is returned alone, as ONE does.
        if encoded.offset is not None or (paging.position and filters.get(paging.position) is not None):
            return page.rows
        return LazyList(
            send,
            encoded.param_sets,
            page,
            encoded.limit,
            row_key=call.operation.row_key,
            has_lookups=encoded.has_lookups,
            base_url=self.base_url,
            paging=paging,
            parallel=self._parallel_pages,
            longest_page=self._longest_page,
        )

    def _act(self, call: NamedCall, scheme: RestScheme, key: object, data: object, files: object) -> Flow[Any]:
        lookup, find = split_path(call.operation.path)[1], _finder(call.endpoint, scheme, call.operation)
        path = self._path(call, key, find)
        # Django REST framework responds with 200 to an empty PATCH, which stores nothing.
        if call.action in ACTIONS_WITH_DATA and _is_empty(data, files):
            raise missing_data(call, scheme)
        data = body_with_keys(data, call.endpoint, call.operation.fields, scheme, self.base_url)
        data = zoned_data(data) if self._zones else data
        if call.action in ACTIONS_WITH_DATA:
            check_fields(call.endpoint, call.operation, data, self._closed_sets)
            data = join_lists(data, self._joined_fields.get(call.endpoint, ()), f"{call.endpoint}: {call.action}")
        if call.action == "partial_update":
            data = yield from self._with_preserved_fields(call, path, data)
        return (
            yield from self.send(
                call.operation.method,
                path,
                data=data,
                files=files,
                expires=call.expires,
                bypass_cache=call.bypass_cache,
                hint=slash_hint(path, lookup, find),
            )
        )

    def _path(self, call: NamedCall, key: object, find: Finder | None) -> str:
        template = call.operation.path
        collection, lookup, _ = split_path(template)
        if not lookup:
            return template
        is_empty = isinstance(key, str) and not key
        if key is None or is_empty:
            hint = f". {find.call(lookup, '')} finds records whose {lookup} is empty" if find and is_empty else ""
            raise InvalidCallError(
                f"{call.endpoint}: {call.action} needs an id, the record's {lookup}: "
                f"rest({call.endpoint!r}, {call.action!r}, id=...){hint}"
            )
        # ONE's users pass the path of a record, as in "/sessions/<id>", in place of its key.
        if isinstance(key, str) and key.strip("/").startswith(collection.lstrip("/")):
            key = key.strip("/").removeprefix(collection.lstrip("/"))
        declared = call.operation.types.get(lookup)
        kind: LookupKind | None = declared if declared in ("uuid", "integer") else None
        return fill_path(template, key, kind, base_url=self.base_url, endpoint=call.endpoint, find=find, by_name=True)

    def _with_preserved_fields(self, call: NamedCall, path: str, data: object) -> Flow[Any]:
        """Return the changes, with the record's values of the fields that the server would lose."""
        # Some endpoints lose a field, or refuse the request, if a PATCH leaves the field out.
        names = self._preserved_fields.get(call.endpoint, ())
        changes: object = parse_data(data, f"{call.endpoint}: partial_update") if names else data
        if not is_object(changes) or all(name in changes for name in names):
            return data
        record: object = yield from self.send("GET", path, expires=True, bypass_cache=True)
        if not is_object(record):
            raise UnexpectedAnswerError(
                f"{call.endpoint}: the server did not send the record to change ({path}); nothing was changed.",
                method="GET",
                url=f"{self.base_url}{path}",
            )
        return {name: record[name] for name in names if name in record} | changes


def check_names(*, url: object, action: object) -> None:
    """Check the endpoint and the action of a call by name, which may be None.

    Raises
    ------
    TypeError
        One is not text.
    """
    require("url", url, (str, NoneType), "the name of an endpoint")
    require("action", action, (str, NoneType), "the name of an action")


def _finder(endpoint: str, scheme: RestScheme, operation: RestOperation) -> Finder | None:
    """Return the call that finds records of an endpoint without their key, if it has a list."""
    lookup = split_path(operation.path)[1]
    if lookup == "id" or "list" not in scheme.actions(endpoint):
        return None
    return Finder(endpoint, lookup if lookup in scheme.field_names(endpoint, "list") else "", by_name=True)


def _last_limit(params: Params) -> int | None:
    """Return the page size that a query requests; None if it requests none, or not a positive number."""
    limits = [value for name, value in params if name == "limit"]
    return (whole_number(limits[-1]) or None) if limits else None


def _is_empty(data: object, files: object) -> bool:
    return data is None or (isinstance(data, dict | list | str) and not data and not files)
