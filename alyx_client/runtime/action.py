"""What an endpoint can do, as values: the path, how filters and bodies are sent, and how the answer is read.

Generated modules declare their actions with these classes; nothing here does I/O, so that the synchronous and the
asynchronous client share all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Generic, Self, TypeVar, cast
from uuid import UUID

from alyx_client.errors import InvalidFieldError
from alyx_client.http.message import FilePart, Params, Request, Response
from alyx_client.runtime.bodies import Upload, file_part, form_fields, json_text
from alyx_client.runtime.drift import Answer, DriftLog, PageAnswer
from alyx_client.runtime.filters import FilterStyle, encode
from alyx_client.runtime.keys import LookupKey, LookupKind, fill_path
from alyx_client.runtime.models import Resource
from alyx_client.runtime.paging import Page, page_params

__all__ = ["Action", "KeyRanges", "ListAction", "Upload"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Action(Generic[T]):
    """One action that answers one thing.

    Parameters
    ----------
    endpoint, name
        The endpoint as on the client, and the action: ``"subjects"``, ``"read"``.
    method, path
        The HTTP method, and the path with its lookup key in braces: ``"/subjects/{nickname}"``.
    answer
        How the answer is read.
    lookup
        What the key is: a UUID, an integer, text, or a path with slashes; ``None`` where there is no key.
    shape
        The shape that keywords of ``partial_update`` are checked against.
    filters
        Query parameters and how each is sent.
    accept
        The media type asked for.
    bare_path
        The path without a key, where the key may be left out.
    keeps
        Fields that the server loses, or misses, when ``partial_update`` leaves them out.
    parents
        What the keys before the path's last one are, in order.
    """

    endpoint: str
    name: str
    method: str
    path: str
    answer: Answer[T]
    lookup: LookupKind | None = None
    shape: type[Resource] | None = None
    filters: Mapping[str, FilterStyle] = field(default_factory=dict[str, FilterStyle])
    accept: str = "application/json"
    bare_path: str = ""
    keeps: tuple[str, ...] = ()
    parents: tuple[LookupKind, ...] = ()

    def within(self, base_url: str, *keys: LookupKey) -> Self:
        """Return the action with the keys before the path's last one filled in.

        Raises
        ------
        InvalidKeyError, ForeignURLError
            A key is empty, of another form, or another server's.
        """
        path, bare_path = (
            _filled(each, kinds=self.parents, keys=keys, base_url=base_url, endpoint=self.endpoint) if each else ""
            for each in (self.path, self.bare_path)
        )
        return replace(self, path=path, bare_path=bare_path)

    def request(
        self,
        base_url: str,
        *,
        key: LookupKey | None = None,
        body: Resource | Sequence[Resource] | None = None,
        changes: Mapping[str, Any] | None = None,
        files: Mapping[str, Upload | FilePart | None] | None = None,
        filters: Mapping[str, object] | None = None,
    ) -> Request:
        """Build the request.

        Raises
        ------
        InvalidKeyError, InvalidFieldError, ForeignURLError
            Something given cannot be sent; nothing was.
        """
        if key is None and self.bare_path:
            path = self.bare_path
        else:
            path = self.path if self.lookup is None else self._path(base_url, key)
        payload = self._payload(body, changes, bool(files and any(f is not None for f in files.values())))
        parts = tuple(file_part(name, upload) for name, upload in (files or {}).items() if upload is not None)
        params = encode(filters, self.filters, endpoint=self.endpoint)[0] if filters else ()
        what = f"{self.endpoint}.{self.name}()"
        shape = type(body) if isinstance(body, Resource) else self.shape
        return Request(
            self.method,
            path,
            params=params,
            json=None if parts or payload is None else json_text(payload, what).encode(),
            form=form_fields(payload or {}, what, lists=shape.list_fields() if shape else None) if parts else (),
            files=parts,
            accept=self.accept,
            endpoint=self.endpoint,
            action=self.name,
        )

    def forgets(self, changes: Mapping[str, Any]) -> bool:
        """Return whether the server would lose a field that `changes` leaves out."""
        return any(name not in changes for name in self.keeps)

    def kept(self, changes: Mapping[str, Any], record: object) -> dict[str, Any]:
        """Return the changes, and what the record has in the fields that the server would lose."""
        return {name: getattr(record, name) for name in self.keeps} | dict(changes)

    def parse(self, response: Response, log: DriftLog) -> T:
        """Read the answer; differences from its declaration go to `log`."""
        return self.answer.parse(response, self.endpoint, log)

    def _path(self, base_url: str, key: LookupKey | None) -> str:
        assert self.lookup is not None
        return fill_path(self.path, key, self.lookup, base_url=base_url, endpoint=self.endpoint)

    def _payload(
        self, body: Resource | Sequence[Resource] | None, changes: Mapping[str, Any] | None, with_files: bool
    ) -> Any:
        if changes is not None:
            if not changes and with_files:
                return {}
            assert self.shape is not None
            return self.shape.changes_to_wire(changes)
        if body is None or isinstance(body, Resource):
            return None if body is None else body.to_wire()
        given, kind = cast("Any", body), type(body).__name__  # a notebook has no type checker
        items = list(cast("Iterable[object]", given)) if isinstance(given, Iterable) else [given]
        resources = [each for each in items if isinstance(each, Resource)]
        if isinstance(given, Mapping | str | bytes) or len(resources) < len(items):
            wanted = self.shape.__name__ if self.shape else "the resource"
            raise InvalidFieldError(
                f"{self.endpoint}.{self.name}() takes {wanted}(...), not {kind}; from a dictionary: {wanted}(**values)"
            )
        return [each.to_wire() for each in resources]


@dataclass(frozen=True, slots=True)
class ListAction(Generic[T]):
    """The action that lists an endpoint's records.

    Parameters
    ----------
    endpoint
        The endpoint as on the client.
    path
        Its path.
    answer
        How a page is read.
    filters
        The filters and how each is sent.
    by_uuid
        Whether rows can be fetched by ranges of their UUIDs, for those that paging leaves out.
    parents
        What the keys in the path are, in order.
    """

    endpoint: str
    path: str
    answer: PageAnswer[T]
    filters: Mapping[str, FilterStyle]
    by_uuid: bool = False
    parents: tuple[LookupKind, ...] = ()

    def within(self, base_url: str, *keys: LookupKey) -> Self:
        """Return the action with the keys in the path filled in; errors as for `Action.within`."""
        path = _filled(self.path, kinds=self.parents, keys=keys, base_url=base_url, endpoint=self.endpoint)
        return replace(self, path=path)

    def queries(self, filters: Mapping[str, object], extra_params: Mapping[str, object] | None) -> list[Params]:
        """Return the query parameters; more than one set where a long ``__in`` list was split.

        Raises
        ------
        ValueError
            A filter's value cannot be sent.
        """
        if "offset" in (extra_params or {}):
            raise ValueError(f"{self.endpoint}: rows are counted by the client; for some of them, slice the results")
        return encode(filters, self.filters, endpoint=self.endpoint, extra_params=extra_params)

    def request(self, params: Params, offset: int, limit: int | None) -> Request:
        """Build the request for one page; `limit` is the page size, in rows."""
        params = page_params(params, offset, limit)
        return Request("GET", self.path, params=params, endpoint=self.endpoint, action="list")

    def parse(self, response: Response, log: DriftLog) -> Page[T]:
        """Read one page."""
        return self.answer.parse(response, self.endpoint, log)


def _filled(path: str, *, kinds: Sequence[LookupKind], keys: Sequence[LookupKey], base_url: str, endpoint: str) -> str:
    for kind, key in zip(kinds, keys, strict=True):
        path = fill_path(path, key, kind, base_url=base_url, endpoint=endpoint)
    return path


class KeyRanges:
    """Splits a query into ranges of UUIDs that each fit in one page; without any I/O.

    Parameters
    ----------
    params
        The query.
    """

    LIMIT = 1000  # the most rows that Alyx sends at once

    def __init__(self, params: Params) -> None:
        self._params = params
        self._ranges = [(0, 2**128 - 1)]

    @staticmethod
    def fit(params: Params) -> bool:
        """Return whether the query leaves room for a range: Alyx refuses a field that is given twice."""
        return not any(name == "django" and ("id__gte" in value or "id__lte" in value) for name, value in params)

    @property
    def want(self) -> Params | None:
        """The next range's query, or None at the end."""
        if not self._ranges:
            return None
        low, high = (str(UUID(int=end)) for end in self._ranges[-1])
        bounds = f"id__gte,{low},id__lte,{high}"
        own = [value for name, value in self._params if name == "django"]
        others = [pair for pair in self._params if pair[0] != "django"]
        return (*others, ("django", ",".join([*own, bounds])))

    def accept(self, page: Page[T]) -> list[T]:
        """Take the page of the wanted range; one that did not fit is divided, and gives no rows yet."""
        low, high = self._ranges.pop()
        if page.count <= len(page.rows) or low == high:
            return page.rows
        # UUIDs are spread evenly, as a rule, so that so many parts leave room in each page.
        parts = min(max(2, -(-page.count // (self.LIMIT // 2))), high - low + 1)
        bounds = [low + (high - low + 1) * part // parts for part in range(parts + 1)]
        self._ranges += [(start, end - 1) for start, end in pairwise(bounds)][::-1]
        return []
