"""Lists fetched by name: pages as plain Python, and a list whose further pages are fetched when they are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from alyx_client.http.flow import Flow, Send
from alyx_client.http.json_body import is_array, is_count, is_object, read_json, unexpected
from alyx_client.http.log import logger
from alyx_client.http.message import Params, Response
from alyx_client.runtime.async_results import AsyncResults
from alyx_client.runtime.client import AsyncRunner, Runner
from alyx_client.runtime.list_query import ListQuery
from alyx_client.runtime.paging import Page, page_params
from alyx_client.runtime.results import Results
from alyx_client.runtime.row_keys import RowKey, as_uuid, distinct_rows, key_reader

__all__ = ["LazyList", "is_page", "page_request", "read_page"]

_PAGE_KEYS = frozenset({"count", "next", "previous", "results"})


@dataclass(frozen=True, slots=True)
class LazyList:
    """A list whose first page has been fetched, and the way to fetch the others.

    Parameters
    ----------
    send
        The step that requests the list, without its query.
    param_sets
        The query parameters, without paging; several sets if a long list of keys was split.
    first_page
        The first page of the first set.
    page_size
        Rows per page; the server's default if None.
    row_key
        The fields that may hold a row's key, the first choice first; none if no field certainly does.
    has_lookups
        Whether the list takes Django lookups, so that ranges of UUIDs can be requested.
    """

    send: Send
    param_sets: Sequence[Params]
    first_page: Page[Any]
    page_size: int | None
    row_key: Sequence[str]
    has_lookups: bool

    @property
    def complete_rows(self) -> list[Any] | None:
        """All rows if the first page holds them all, else None."""
        rows = self.first_page.rows
        if len(self.param_sets) != 1 or len(rows) < self.first_page.count:
            return None
        # Alyx repeats rows whose filter joins another table.
        return distinct_rows(rows, self._row_key())

    def to_results(self, run: Runner) -> list[Any] | Results[Any]:
        """Return the rows: a list if the first page holds them all, else a sequence that fetches the other pages.

        Parameters
        ----------
        run
            Runs flows.
        """
        rows = self.complete_rows
        return Results.from_query(self.query(), run) if rows is None else rows

    async def to_async_results(self, run: AsyncRunner) -> list[Any] | AsyncResults[Any]:
        """Return the rows as `to_results` does; a sequence of several pages is an `AsyncResults`."""
        rows = self.complete_rows
        return await AsyncResults.from_query(self.query(), run) if rows is None else rows

    def _row_key(self) -> RowKey | None:
        if not self.row_key:
            return None
        read_key = key_reader(self.row_key, self.send.request.path)
        return lambda row: read_key(row) if is_object(row) else None

    def query(self) -> ListQuery[Any]:
        """Return the query for the list, with its first page."""

        def fetch_page(params: Params, offset: int, limit: int | None) -> Flow[Page[Any]]:
            response = yield page_request(self.send, params, offset, limit)
            return read_page(read_json(response), response)

        row_key = self._row_key()
        has_uuids = row_key is not None and any(as_uuid(row_key(row)) for row in self.first_page.rows[:1])
        return ListQuery(
            fetch_page,
            self.param_sets,
            row_key,
            has_uuids=self.has_lookups and has_uuids,
            page_size=self.page_size,
            first_page=self.first_page,
        )


def page_request(send: Send, params: Params, offset: int, limit: int | None) -> Send:
    """Return the step for one page of a list.

    Parameters
    ----------
    send
        The step that requests the list, without its query.
    params
        The query parameters, without paging.
    offset
        Rows before the page.
    limit
        Rows per page; the server's default if None.
    """
    return replace(send, request=replace(send.request, params=page_params(params, offset, limit)))


def is_page(content: object) -> TypeGuard[dict[str, Any]]:
    """Return whether a response's content is one page of a list."""
    return is_object(content) and content.keys() >= _PAGE_KEYS


def read_page(content: object, response: Response) -> Page[Any]:
    """Return a response's content as one page of a list.

    Parameters
    ----------
    content
        The decoded content.
    response
        The response, for errors.

    Raises
    ------
    UnexpectedAnswerError
        It is none, or its count is not the number of rows.
    """
    if not is_page(content) or not is_count(content["count"]) or not is_array(content["results"]):
        raise unexpected(response, urlsplit(response.url).path, "a page with count, next and results")
    if detail := content.get("detail"):
        logger.warning("The server's remark on this list: %s", detail)
    return Page(content["count"], content["results"], content["next"] is not None)
