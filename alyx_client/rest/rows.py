"""Calls in plain Python: the steps they take, the pages of lists, and what tells one row from another."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit
from uuid import UUID

from alyx_client.errors import AlyxError
from alyx_client.http.json_body import decode
from alyx_client.http.log import logger
from alyx_client.http.message import Params, Request, Response
from alyx_client.runtime.paging import Page, key_of, repeats

__all__ = ["Call", "Expires", "Rows", "Steps", "is_page", "page_call", "page_of", "read_json", "row_key", "run"]

T = TypeVar("T")
Expires = timedelta | bool | None

_PAGE = frozenset({"count", "next", "previous", "results"})


@dataclass(frozen=True, slots=True)
class Call:
    """A request, and how the cache may answer it.

    Parameters
    ----------
    request
        What to send.
    expires
        How long the answer may be given again; True: not at all; None or False: the default.
    clobber
        Whether the server is asked in any case.
    """

    request: Request
    expires: Expires = None
    clobber: bool = False


Steps = Generator[Call, Response, T]
"""Yields what to send, is sent the answers, and returns the result."""


def run(steps: Steps[T], send: Callable[[Call], Response]) -> T:
    """Take the steps, sending what they ask for, and return their result.

    Parameters
    ----------
    steps
        The steps; they are told when sending fails.
    send
        Sends one call and returns its answer, or raises an `AlyxError`.
    """
    answer, error = None, None
    while True:
        try:
            call = steps.throw(error) if error else steps.send(answer)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        except StopIteration as end:
            return cast("T", end.value)
        answer, error = None, None
        try:
            answer = send(call)
        except AlyxError as problem:
            error = problem


@dataclass(frozen=True, slots=True)
class Rows:
    """A list whose first page is there, and how the others are fetched.

    Parameters
    ----------
    call
        The call for the list, without its query.
    queries
        The query parameters, without paging; several where a long list of keys was split.
    first
        The first page of the first query.
    page_size
        Rows to ask for at a time; the server's own number by default.
    by_uuid
        Whether the server can be asked for ranges of UUIDs.
    """

    call: Call
    queries: Sequence[Params]
    first: Page[Any]
    page_size: int | None
    by_uuid: bool

    @property
    def whole(self) -> list[Any] | None:
        """All rows, where the first page has them."""
        rows = self.first.rows
        if len(self.queries) != 1 or len(rows) < self.first.count:
            return None
        keys = [row_key(row) for row in rows]
        return list(dict(zip(keys, rows, strict=True)).values()) if repeats(keys) else rows

    @property
    def by_ranges(self) -> bool:
        """Whether the rows that paging leaves out can be fetched by ranges of their UUIDs."""
        return self.by_uuid and any(_has_uuid(row) for row in self.first.rows[:1])


def page_call(call: Call, params: Params, offset: int, limit: int | None) -> Call:
    """Return the call for one page of a list; `limit` is the page's size, in rows."""
    paging = [] if limit is None else [("limit", str(limit))]
    paging += [("offset", str(offset))] if offset else []
    return replace(call, request=replace(call.request, params=(*params, *paging)))


def read_json(response: Response) -> Any:
    """Return an answer as plain Python; None where there is none."""
    return decode(response, urlsplit(response.url).path) if response.content.strip() else None


def is_page(content: object) -> bool:
    """Return whether an answer is one page of a list."""
    return isinstance(content, dict) and cast("dict[str, Any]", content).keys() >= _PAGE


def page_of(content: Any) -> Page[Any]:
    """Return an answer as one page of a list."""
    if detail := content.get("detail"):
        logger.warning("The server says of this list: %s", detail)
    return Page(content["count"], content["results"], content["next"] is not None)


def row_key(row: Any) -> object:
    """Return what tells one row of a list from another; None for rows that have no key."""
    return key_of(cast("dict[str, object]", row)) if isinstance(row, dict) else None


def _has_uuid(row: Any) -> bool:
    try:
        UUID(str(row_key(row)).rstrip("/").rpartition("/")[2])
    except ValueError:
        return False
    return True
