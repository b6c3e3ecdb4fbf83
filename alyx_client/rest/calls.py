"""Calls by name, such as ``rest("subjects", "list", alive=True)``, with plain Python in and out.

Every call is a sans-I/O flow, which the synchronous and the asynchronous client share.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal, cast
from urllib.parse import parse_qsl, quote, urlsplit

from alyx_client.errors import InvalidCallError, InvalidFieldError, InvalidKeyError
from alyx_client.http.flow import Expires, Flow, Send
from alyx_client.http.message import Request
from alyx_client.http.url import refuse_foreign, same_origin
from alyx_client.rest.lists import LazyList, is_page, page_request, read_json, read_page
from alyx_client.rest.scheme import RestOperation, RestScheme, suggest
from alyx_client.rest.scheme_reader import read_scheme
from alyx_client.runtime.bodies import file_parts, form_fields, json_text, plain_json
from alyx_client.runtime.coerce import is_list
from alyx_client.runtime.filters import FilterStyle, Repeated, encode
from alyx_client.runtime.json_fields import JSONField
from alyx_client.runtime.keys import fill_path, split_path
from alyx_client.schema.location import fetch_schema

__all__ = ["RestCalls"]

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

_A_WEEK = timedelta(weeks=1)
_PAGING = ("limit", "offset")
_WITH_DATA = frozenset({"create", "update", "partial_update"})


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
    """

    def __init__(self, base_url: str, *, strict_filters: bool, preserved_fields: Mapping[str, Sequence[str]]) -> None:
        self.base_url = base_url
        self.strict_filters = strict_filters
        self.known: RestScheme | None = None
        self._preserved_fields = preserved_fields

    def scheme(self) -> Flow[RestScheme]:
        """Return what the server's schema says; fetched when it is first needed, and kept for a week.

        Raises
        ------
        AlyxError
            The server gave none.
        """
        if self.known is None:
            self.known = read_scheme(read_json((yield from fetch_schema(_A_WEEK))))
        return self.known

    def document(self) -> Flow[Any]:
        """Return the schema as the server has it now; calls by name follow it from then on.

        Raises
        ------
        AlyxError
            The server gave none.
        """
        answer = yield from fetch_schema(_A_WEEK, bypass_cache=True)
        self.known = None
        return read_json(answer)

    def send(
        self,
        method: Method,
        rest_query: str,
        *,
        data: object = None,
        files: object = None,
        expires: Expires = None,
        bypass_cache: bool = False,
    ) -> Flow[Any]:
        """Send a request to a path and query, or a URL of the server; return plain Python, or a `LazyList`."""
        request = self._request(method, rest_query, data, files)
        refuse_foreign(request, self.base_url)
        names = {name for name, _ in request.params}
        sizes = [value for name, value in request.params if name == "limit"]
        size = int(sizes[-1]) if sizes and sizes[-1].isdecimal() and int(sizes[-1]) > 0 else None
        send = Send(request, expires=expires, bypass_cache=bypass_cache)
        content = read_json((yield send))
        if method != "GET" or not is_page(content):
            return content
        page = read_page(content)
        if "offset" in names:  # some page of a list, and no more
            return page.rows
        bare = tuple(pair for pair in request.params if pair[0] != "limit")
        return LazyList(replace(send, request=replace(request, params=())), [bare], page, size, True)

    def rest(
        self,
        url: str,
        action: str | None,
        key: Any,
        data: object,
        files: object,
        *,
        no_cache: bool = False,
        extra_params: Mapping[str, object] | None = None,
        **filters: Any,
    ) -> Flow[Any]:
        """Do what an endpoint's action says; see `AlyxClient.rest`."""
        path, mark, query = url.strip().lstrip("/").partition("?")
        endpoint = path.split("/")[0]
        scheme = yield from self.scheme()
        action = "list" if mark else str(action).replace("-", "_")
        operation = scheme.operation(endpoint, action)
        expires: Expires = filters.pop("expires", None) or no_cache or None
        if f"/{path.strip('/')}" not in (f"/{endpoint}", operation.path.rstrip("/")):
            if action == "list" and key is None and not filters:  # a path of its own, such as one record's
                return (yield from self.send("GET", url, expires=expires, bypass_cache=no_cache))
            raise InvalidCallError(f"{url!r} is more than an endpoint's name; pass {endpoint!r}, and the key as id=")
        if action == "list":
            given = {name: value for name, value in filters.items() if value is not None}
            given = _of_url(query) | given
            if key is not None and key != "":
                given["id"] = key
            request = Request("GET", operation.path, endpoint=endpoint, action="list")
            send = Send(request, expires=expires, bypass_cache=no_cache)
            return (yield from self._list(endpoint, operation, _joined(given), extra_params, send))
        if filters or extra_params:
            names = ", ".join([*filters, *(extra_params or {})])
            raise InvalidCallError(f"{endpoint}: {action} takes no filters, and here are: {names}. {_how(action)}")
        target = self._path(endpoint, action, operation, key)
        if action in _WITH_DATA:
            self._require_data(scheme, endpoint, action, data, files)
        if action == "partial_update":
            data = yield from self._with_preserved_fields(endpoint, target, data)
        method = cast("Method", operation.method)
        return (yield from self.send(method, target, data=data, files=files, expires=expires, bypass_cache=no_cache))

    def json_field(self, endpoint: str, key: Any, field: str) -> JSONField:
        """Return a JSON field of a record, to write it or change its keys."""

        def read() -> Flow[Any]:
            record = yield from self.rest(endpoint, "read", key, None, None, no_cache=True)
            if not isinstance(record, dict) or field not in record:
                names = sorted(cast("dict[str, Any]", record)) if isinstance(record, dict) else []
                raise InvalidCallError(f"{endpoint} has no field {field!r}. {suggest(str(field), names)}")
            return cast("dict[str, Any]", record)[field]

        def write(data: object) -> Flow[Any]:
            record = yield from self.rest(endpoint, "partial_update", key, {field: data}, None)
            return cast("dict[str, Any]", record).get(field, data) if isinstance(record, dict) else data

        return JSONField(f"{endpoint} {key}: {field}", read, write)

    def _list(
        self,
        endpoint: str,
        operation: RestOperation,
        given: dict[str, Any],
        extra_params: Mapping[str, object] | None,
        send: Send,
    ) -> Flow[Any]:
        offset, size = (_number(endpoint, name, given.pop(name, None)) for name in ("offset", "limit"))
        styles = _styles(operation)
        unknown = [name for name in given if name not in styles]
        if unknown and self.strict_filters:
            raise InvalidCallError(
                f"{endpoint} has no filter {unknown[0]!r}, and Alyx would return everything. "
                f"{suggest(unknown[0], styles)} extra_params={{...}} or strict_filters=False passes anything."
            )
        others: dict[str, FilterStyle] = dict.fromkeys(unknown, "comma")
        try:
            queries = encode(given, others | styles, endpoint=endpoint, extra_params=extra_params)
        except (TypeError, ValueError) as error:
            raise InvalidCallError(str(error)) from None
        if not queries:
            return []
        content = read_json((yield page_request(send, queries[0], offset or 0, size)))
        if not is_page(content):
            return content
        page = read_page(content)
        return page.rows if offset is not None else LazyList(send, queries, page, size, "django" in styles)

    def _path(self, endpoint: str, action: str, operation: RestOperation, key: Any) -> str:
        start, lookup, _ = split_path(operation.path)
        if not lookup:
            return operation.path
        if key is None or key == "":
            raise InvalidCallError(
                f"{endpoint}: {action} needs an id, the record's {lookup}: rest({endpoint!r}, {action!r}, id=...)"
            )
        if isinstance(key, str) and key.strip("/").startswith(start.lstrip("/")):
            key = key.strip("/").removeprefix(start.lstrip("/"))
        return fill_path(operation.path, key, None, base_url=self.base_url, endpoint=endpoint)

    def _require_data(self, scheme: RestScheme, endpoint: str, action: str, data: object, files: object) -> None:
        if data is None or (isinstance(data, dict | list | str) and not data and not files):
            fields = [field for field in scheme.fields(endpoint, action) if field["in"] == "body"]
            named = [field["name"] + (" (required)" if field["required"] else "") for field in fields]
            raise InvalidCallError(
                f"{endpoint}: {action} needs data, a dictionary of: {', '.join(named) or 'the fields to send'}"
            )

    def _with_preserved_fields(self, endpoint: str, target: str, data: object) -> Flow[Any]:
        """Return the changes, and what the record has in the fields that the server would lose."""
        preserved = self._preserved_fields.get(endpoint, ())
        changes = _plain(data, f"{endpoint}: partial_update") if preserved else data
        if not isinstance(changes, dict) or all(name in changes for name in preserved):
            return cast("Any", data)
        record = yield from self.send("GET", target, expires=True, bypass_cache=True)
        return {name: record[name] for name in preserved if name in record} | cast("dict[str, Any]", changes)

    def _request(self, method: Method, rest_query: str, data: object, files: object) -> Request:
        path, _, query = rest_query.strip().partition("?")
        if same_origin(path, self.base_url):
            path = urlsplit(path).path.removeprefix(urlsplit(self.base_url).path)
        if not re.match(r"https?://", path, re.IGNORECASE):
            path = f"/{path.lstrip('/')}"
            if any(segment in (".", "..") for segment in path.split("/")):
                raise InvalidKeyError(f"{rest_query!r} leads out of its path")
            path = quote(path, safe="/%:@!$&'()*+,;=~")
        what = f"{method} {path}"
        parts = () if files is None else file_parts(files)
        return Request(
            method,
            path,
            params=tuple(parse_qsl(query, keep_blank_values=True)),
            json=None if parts or data is None else json_text(_plain(data, what), what).encode(),
            form=form_fields(_fields(data, what), what) if parts and data is not None else (),
            files=parts,
            endpoint=path.split("/")[1] if path.startswith("/") else "",
        )


def _of_url(query: str) -> dict[str, Any]:
    """Return the filters of a URL's query; those that stand there several times keep all their values."""
    values: dict[str, list[str]] = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        values.setdefault(name, []).append(text)
    return {
        name: texts[-1] if len(texts) == 1 or name in _PAGING else Repeated(texts) for name, texts in values.items()
    }


def _styles(operation: RestOperation) -> dict[str, FilterStyle]:
    styles: dict[str, FilterStyle] = {
        field["name"]: "repeat" if _is_repeated(field, operation) else "comma"
        for field in operation.fields
        if field["in"] == "query" and field["name"] not in _PAGING
    }
    if "django" in styles:
        styles |= {"django": "django", "id": "id"}
    return styles


def _is_repeated(field: Mapping[str, Any], operation: RestOperation) -> bool:
    return field["schema"].get("type") == "array" and field["name"] not in operation.joined


def _joined(filters: dict[str, Any]) -> dict[str, Any]:
    """Return the filters with lookups that were given in parts as one."""
    lookups = filters.get("django")
    if is_list(lookups):
        filters["django"] = ",".join(map(str, cast("Sequence[object]", lookups)))
    key = filters.get("id")
    if isinstance(key, str) and key.startswith(("http://", "https://")):
        filters["id"] = key.rstrip("/").rpartition("/")[2]
    return filters


def _plain(data: object, what: str) -> Any:
    """Return data as plain JSON, from a text of it or from Python's values."""
    if not isinstance(data, str | bytes):
        return plain_json(data)
    try:
        return json.loads(data)
    except ValueError as error:
        raise InvalidFieldError(f"{what} was not sent: data is text, but no JSON ({error})") from None


def _fields(data: object, what: str) -> dict[str, Any]:
    content = _plain(data, what)
    if not isinstance(content, dict):
        raise InvalidFieldError("With files, data is a dictionary of the other fields")
    return cast("dict[str, Any]", content)


def _number(endpoint: str, name: str, value: object) -> int | None:
    if value is None:
        return None
    if not str(value).isdecimal() or (name == "limit" and int(str(value)) == 0):
        what = "the number of rows fetched at a time, at least 1" if name == "limit" else "the first row's place"
        raise InvalidCallError(f"{endpoint}: {name} is {what}; not {value!r}")
    return int(str(value))


def _how(action: str) -> str:
    return "What is to be stored goes into data={...}." if action in _WITH_DATA else "A list takes them."
