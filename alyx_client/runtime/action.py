"""Actions of endpoints, as values: the path, how filters and bodies are sent, and how responses are parsed.

Generated modules declare their actions with these classes. Nothing here performs I/O, so that the synchronous and the
asynchronous client share all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Generic, Literal, Self, TypeVar

from alyx_client.errors import InvalidFieldError
from alyx_client.http.arguments import require_count, require_mapping
from alyx_client.http.flow import Flow, Send
from alyx_client.http.message import Params, Request, Response
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.runtime.arguments import Arguments
from alyx_client.runtime.bodies import form_fields, json_text
from alyx_client.runtime.client import ClientContext
from alyx_client.runtime.closed_filters import ClosedFilters
from alyx_client.runtime.closed_sets import ClosedSets
from alyx_client.runtime.drift import DriftLog
from alyx_client.runtime.filter_values import FilterType
from alyx_client.runtime.filters import FilterStyle, encode
from alyx_client.runtime.keys import Finder, LookupKey, LookupKind, fill_path, slash_hint, split_path
from alyx_client.runtime.lists.list_query import ListQuery
from alyx_client.runtime.lists.next_pager import with_next_url
from alyx_client.runtime.lists.paging import ALYX_PAGING, Page, Paging, page_params
from alyx_client.runtime.lists.row_keys import KeyReader
from alyx_client.runtime.models import Resource
from alyx_client.runtime.references import Reference, filters_with_keys, is_record
from alyx_client.runtime.response import PageParser, ResponseParser

__all__ = ["Action", "ListAction"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Action(Generic[T_co]):
    """An action that sends one request.

    Parameters
    ----------
    endpoint, name
        The endpoint's name on the client, and the action's: ``"subjects"``, ``"read"``.
    method, path
        The HTTP method, and the path with its lookup key in braces: ``"/subjects/{nickname}"``.
    parser
        The parser of responses.
    lookup
        The kind of the lookup key; None if the path has none.
    model
        The resource that is sent, which the keywords of ``partial_update`` are checked against.
    filters
        Query parameters, and the style in which each is sent.
    accept
        The media type requested.
    bare_path
        The path without a key, if the key may be left out.
    preserved_fields
        Fields that the server loses, or requires, when ``partial_update`` leaves them out.
    parents
        The kinds of the keys before the path's last one, in order.
    finder
        The filter by which the endpoint's list finds records of this key; empty if it has none; None if there is no
        list.
    record
        The record that the path's last key is of; by default one of the endpoint's own.
    references
        The records that query parameters refer to.
    zones
        Whether date-times in filters and JSON fields may have a time zone.
    encoding
        The encoding of the body.
    json_type
        The media type of a body that is JSON.
    types
        The declared types of query parameters, of those that are checked.
    """

    endpoint: str
    name: str
    method: str
    path: str
    parser: ResponseParser[T_co]
    lookup: LookupKind | None = None
    model: type[Resource] | None = None
    filters: Mapping[str, FilterStyle] = field(default_factory=dict[str, FilterStyle])
    accept: str = "application/json"
    bare_path: str = ""
    preserved_fields: tuple[str, ...] = ()
    parents: tuple[LookupKind, ...] = ()
    finder: str | None = None
    record: Reference | None = None
    references: Mapping[str, Reference] = field(default_factory=dict[str, Reference])
    zones: bool = False
    encoding: Literal["json", "multipart", "urlencoded"] = "json"
    json_type: str = "application/json"
    types: Mapping[str, FilterType] = field(default_factory=dict[str, FilterType])

    def within(self, base_url: str, *keys: LookupKey) -> Self:
        """Return the action with the keys before the path's last one filled in.

        Raises
        ------
        InvalidKeyError, ForeignURLError
            A key is empty, of another kind, or of another server.
        """
        return replace(
            self,
            path=_fill_parents(self.path, self.parents, keys, base_url, self.endpoint),
            bare_path=self.bare_path and _fill_parents(self.bare_path, self.parents, keys, base_url, self.endpoint),
        )

    def request(self, base_url: str, arguments: Arguments, closed_sets: ClosedSets | None = None) -> Request:
        """Build the request.

        Parameters
        ----------
        base_url
            The server.
        arguments
            The arguments of the call.
        closed_sets
            The sets that values of filters must be from.

        Raises
        ------
        InvalidKeyError, InvalidFieldError, ForeignURLError
            An argument cannot be sent.
        ValueError, TypeError
            A filter's value cannot be sent.
        """
        label = f"{self.endpoint}.{self.name}()"
        path = self._path(base_url, arguments.key)
        payload = arguments.payload(self.model, label, base_url)
        files = arguments.file_parts()
        # Django reads files from multipart forms alone, so that the fields are sent as a form beside them.
        is_form = bool(files) or (self.encoding != "json" and payload is not None)
        if is_form and isinstance(payload, list):
            raise InvalidFieldError(f"{label} was not sent: a form holds one record; call it once for each of them")
        # The body may be another of the models that the action takes.
        model = type(arguments.body) if isinstance(arguments.body, Resource) else self.model
        return Request(
            self.method,
            path,
            params=self._params(base_url, arguments.filters, closed_sets),
            json=None if is_form or payload is None else json_text(payload, label).encode(),
            form=form_fields(payload or {}, label, lists=model.list_fields() if model else None) if is_form else (),
            files=files,
            form_type="urlencoded" if self.encoding == "urlencoded" and not files else "multipart",
            accept=self.accept,
            json_type=self.json_type,
            endpoint=self.endpoint,
            action=self.name,
            hint=slash_hint(path, split_path(self.path)[1], self._finder) if "%2F" in path else "",
        )

    def _params(self, base_url: str, values: Mapping[str, object], closed_sets: ClosedSets | None) -> Params:
        if not values:
            return ()
        filters = filters_with_keys(values, self.references, base_url, self.endpoint)
        if self.zones:
            from alyx_client.runtime.zones import with_zones  # Alyx's own date-times have none

            filters = with_zones(filters, self.filters)
        closed = ClosedFilters(self.endpoint, closed_sets) if closed_sets else None
        # The first set is the only one: keys and lookups, whose lists are split, are filters of lists alone.
        return encode(filters, self.filters, endpoint=self.endpoint, closed=closed, types=self.types)[0]

    def loses_fields(self, changes: Mapping[str, object]) -> bool:
        """Return whether the server would lose a field that the changes leave out."""
        return any(name not in changes for name in self.preserved_fields)

    def with_preserved_fields(self, changes: Mapping[str, object], record: object) -> dict[str, object]:
        """Return the changes, and the record's values of the fields that the server would lose."""
        return {name: getattr(record, name) for name in self.preserved_fields} | dict(changes)

    def parse(self, response: Response, log: DriftLog) -> T_co:
        """Parse a response; differences from the declared type go to `log`."""
        return self.parser.parse(response, self.endpoint, log)

    def call(
        self,
        client: ClientContext,
        arguments: Arguments,
        *,
        current: Action[object] | None = None,
        bypass_cache: bool = False,
    ) -> Flow[T_co]:
        """Build the request, send it and parse the response.

        Parameters
        ----------
        client
            The client.
        arguments
            The arguments of the call.
        current
            The action that reads the record, for ``partial_update`` with `preserved_fields`.
        bypass_cache
            Whether to send the request even if the response is cached.
        """
        arguments = arguments.read_files()
        # Built before the record is read: if an argument is wrong, nothing is sent at all.
        request = self.request(client.base_url, arguments, client.closed_sets)
        changes = arguments.changes
        if current is not None and changes is not None and self.loses_fields(changes):
            # Past the cache: values of an old record would undo what others have written since.
            record = yield from current.call(client, Arguments(key=arguments.key), bypass_cache=True)
            arguments = replace(arguments, changes=self.with_preserved_fields(changes, record))
            request = self.request(client.base_url, arguments, client.closed_sets)
        response: Response = yield Send(request, bypass_cache=bypass_cache)
        return self.parse(response, client.drift)

    def _path(self, base_url: str, key: LookupKey | None) -> str:
        # Without a key, fill_path raises, unless the server has a route without one.
        if key is None and self.bare_path:
            return self.bare_path
        if self.lookup is None:
            return self.path
        record = (self.record or Reference(self.endpoint, split_path(self.path)[1])) if is_record(key) else None
        endpoint, find = self.endpoint, self._finder
        return fill_path(self.path, key, self.lookup, base_url=base_url, endpoint=endpoint, find=find, record=record)

    @property
    def _finder(self) -> Finder | None:
        return None if self.finder is None else Finder(self.endpoint, self.finder)


@dataclass(frozen=True, slots=True)
class ListAction(Generic[T]):
    """An action that lists an endpoint's records.

    Parameters
    ----------
    endpoint
        The endpoint's name on the client.
    path
        Its path.
    parser
        The parser of pages.
    filters
        The filters, and the style in which each is sent.
    row_key
        The fields that may hold a row's key, the first choice first; none if no field certainly does.
    by_uuid
        Whether rows can be fetched by ranges of their UUIDs, for those that paging leaves out.
    parents
        The kinds of the keys in the path, in order.
    references
        The records that filters refer to.
    zones
        Whether date-times in filters may have a time zone.
    paging
        How the list is divided into pages.
    accept
        The media type requested.
    model
        The model of the rows, by which conditions name it.
    types
        The declared types of filters, of those that are checked.
    """

    endpoint: str
    path: str
    parser: PageParser[T]
    filters: Mapping[str, FilterStyle]
    row_key: tuple[str, ...] = ()
    by_uuid: bool = False
    parents: tuple[LookupKind, ...] = ()
    references: Mapping[str, Reference] = field(default_factory=dict[str, Reference])
    zones: bool = False
    paging: Paging = ALYX_PAGING
    accept: str = "application/json"
    model: str = ""
    types: Mapping[str, FilterType] = field(default_factory=dict[str, FilterType])

    def within(self, base_url: str, *keys: LookupKey) -> Self:
        """Return the action with the keys in the path filled in; errors as for `Action.within`."""
        return replace(self, path=_fill_parents(self.path, self.parents, keys, base_url, self.endpoint))

    def query(
        self,
        client: ClientContext,
        filters: Mapping[str, object],
        *,
        limit: int | None = None,
        max_items: int | None = None,
        extra_params: Mapping[str, object] | None = None,
    ) -> ListQuery[T]:
        """Return the query for the records that match filters.

        Parameters
        ----------
        client
            The client.
        filters
            Values by filter; None for a filter that was left out.
        limit
            Rows per page; the server's default if None.
        max_items
            The most rows to return.
        extra_params
            Query parameters that are sent without a check.

        Raises
        ------
        ValueError
            A filter's value cannot be sent.
        """

        def read_page(response: Response) -> Page[Any]:
            return with_next_url(self.parse(response, client.drift), response, client.base_url)

        limit, max_items = require_count("page_size", limit), require_count("max_items", max_items)
        filters = filters_with_keys(filters, self.references, client.base_url, self.endpoint)
        if (where := filters.get("where")) is not None:
            filters = {**filters, "where": self._lookups(where, client.base_url)}
        param_sets = self.param_sets(filters, extra_params, client.closed_sets)
        return ListQuery(
            lambda params, offset, limit: Send(self.request(params, offset, limit)),
            read_page,
            param_sets,
            KeyReader(self.row_key, self.path) if self.row_key else None,
            self.by_uuid,
            limit,
            max_items,
            paging=self.paging,
            url_step=lambda url: Send(self._request(url)),
            make=self.parser.record,
            parallel=client.parallel_pages,
            longest_page=client.longest_page,
        )

    def _lookups(self, where: object, base_url: str) -> Mapping[str, object]:
        # Typed queries are loaded by those who use them.
        from alyx_client.runtime.query.condition import lookups_of

        return lookups_of(where, self.model, self.endpoint, base_url)

    def param_sets(
        self,
        filters: Mapping[str, object],
        extra_params: Mapping[str, object] | None,
        closed_sets: ClosedSets | None = None,
    ) -> list[Params]:
        """Return the query parameters, without paging; several sets if a long ``__in`` list was split.

        Raises
        ------
        ValueError
            A filter's value cannot be sent.
        """
        require_mapping("extra_params", extra_params)
        # Every page is requested by its position, and this one would be added to each of them.
        if self.paging.position in (extra_params or {}):
            raise ValueError(f"{self.endpoint}: rows are counted by the client; for some of them, slice the results")
        closed = ClosedFilters(self.endpoint, closed_sets) if closed_sets else None
        if self.zones:
            from alyx_client.runtime.zones import with_zones  # Alyx's own date-times have none

            filters, extra_params = with_zones(filters, self.filters), with_zones(extra_params or {}, self.filters)
        return encode(
            filters,
            self.filters,
            endpoint=self.endpoint,
            extra_params=extra_params,
            closed=closed,
            types=self.types,
        )

    def request(self, params: Params, offset: int, limit: int | None) -> Request:
        """Build the request for one page; `limit` is the page size, in rows."""
        params = page_params(params, offset, limit, self.paging)
        return self._request(self.path, params)

    def _request(self, path: str, params: Params = ()) -> Request:
        return Request("GET", path, params=params, accept=self.accept, endpoint=self.endpoint, action="list")

    def parse(self, response: Response, log: DriftLog) -> Page[Any]:
        """Parse one page, whose rows are no records yet; differences from the declared type go to `log`."""
        return self.parser.parse(response, self.endpoint, log, self.paging)


def _fill_parents(
    path: str, kinds: Sequence[LookupKind], keys: Sequence[LookupKey], base_url: str, endpoint: str
) -> str:
    for kind, key in zip(kinds, keys, strict=True):
        path = fill_path(path, key, kind, base_url=base_url, endpoint=endpoint)
    return path
