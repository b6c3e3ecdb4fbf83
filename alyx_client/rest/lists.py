"""Lists fetched by name: pages as plain Python, and a list whose further pages are fetched when they are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeGuard
from urllib.parse import parse_qsl, urljoin, urlsplit

from alyx_client.http.flow import Send
from alyx_client.http.json_body import is_array, is_count, is_object, read_json, unexpected
from alyx_client.http.log import logger
from alyx_client.http.message import Params, Request, Response
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.runtime.client import AsyncRunner, Runner
from alyx_client.runtime.lists.async_results import AsyncResults
from alyx_client.runtime.lists.list_query import ListQuery
from alyx_client.runtime.lists.next_pager import with_next_url
from alyx_client.runtime.lists.paging import ALYX_PAGING, Page, Paging, page_params
from alyx_client.runtime.lists.results import Results
from alyx_client.runtime.lists.row_keys import KeyReader, RowKey, as_uuid, distinct_rows

__all__ = ["LazyList", "is_chosen_page", "is_page", "page_request", "paging_of", "read_page"]

_PAGE_KEYS = frozenset({"next", "previous", "results"})  # cursor pages have no count
_POSITIONS = frozenset({"page", "cursor"})
_BY_NEXT = Paging("next", size="", position="", counted=False)


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
    base_url
        The server.
    paging
        How the list is divided into pages.
    parallel
        How many pages are fetched at a time.
    longest_page
        Rows of the pages after the first one if `page_size` is None; None for as many as the first one has.
    """

    send: Send
    param_sets: Sequence[Params]
    first_page: Page[Any]
    page_size: int | None
    row_key: Sequence[str]
    has_lookups: bool
    base_url: str
    paging: Paging = ALYX_PAGING
    parallel: int = 1
    longest_page: int | None = None

    @property
    def complete_rows(self) -> list[Any] | None:
        """All rows if the first page holds them all, else None."""
        if len(self.param_sets) != 1 or not self.first_page.is_whole:
            return None
        # Alyx repeats rows whose filter joins another table.
        return distinct_rows(self.first_page.rows, self._row_key())

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
        return KeyReader(self.row_key, self.send.request.path) if self.row_key else None

    def query(self) -> ListQuery[Any]:
        """Return the query for the list, with its first page."""

        def page_step(params: Params, offset: int, limit: int | None) -> Send:
            return page_request(self.send, params, offset, limit, self.paging)

        def url_step(url: str) -> Send:
            request = Request("GET", url, endpoint=self.send.request.endpoint, action=self.send.request.action)
            return replace(self.send, request=request)

        def read(response: Response) -> Page[Any]:
            return read_page(read_json(response), response, self.base_url, self.paging)

        row_key = self._row_key()
        has_uuids = row_key is not None and any(as_uuid(row_key(row)) for row in self.first_page.rows[:1])
        return ListQuery(
            page_step,
            read,
            self.param_sets,
            row_key,
            has_uuids=self.has_lookups and has_uuids,
            page_size=self.page_size,
            first_page=self.first_page,
            paging=self.paging,
            url_step=url_step,
            parallel=self.parallel,
            longest_page=self.longest_page,
        )


def page_request(send: Send, params: Params, offset: int, limit: int | None, paging: Paging = ALYX_PAGING) -> Send:
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
    paging
        How the list is divided into pages.
    """
    return replace(send, request=replace(send.request, params=page_params(params, offset, limit, paging)))


def is_page(content: object, paging: Paging = ALYX_PAGING) -> TypeGuard[dict[str, Any]]:
    """Return whether a response's content is one page of a list, which is divided as `paging` says."""
    keys = {"count", "results"} if paging.style == "number" else _PAGE_KEYS
    return is_object(content) and content.keys() >= keys and (paging.style != "offset" or "count" in content)


def paging_of(content: object, response: Response) -> Paging | None:
    """Return how a list is divided into pages, by one of them; None if the content is none.

    It is taken for one of Alyx's unless it has no count, or the URLs of its neighbours have no offset.
    """
    if not is_page(content, _BY_NEXT):
        return None
    if "count" not in content:
        return _BY_NEXT
    following, previous = _query_of_page(content["next"], response), _query_of_page(content["previous"], response)
    # The page before Alyx's second one has no offset, so that of a last page must say more.
    by_url = "offset" not in following if following else not _POSITIONS.isdisjoint(previous)
    return _BY_NEXT if by_url else ALYX_PAGING


def is_chosen_page(paging: Paging, params: Params) -> bool:
    """Return whether the query of a list selects one page of it."""
    positions = {"offset"} if paging.style == "offset" else {"offset", *_POSITIONS}
    return any(name in positions for name, _ in params)


def _query_of_page(url: object, response: Response) -> set[str]:
    """Return the names in the query of the URL of another page of the same list; none for any other URL."""
    if not isinstance(url, str):
        return set()
    try:
        other, own = urlsplit(urljoin(response.url, url)), urlsplit(response.url)
    except ValueError:
        return set()
    is_other = (other.netloc, other.path) == (own.netloc, own.path) and other.query != own.query
    return {name for name, _ in parse_qsl(other.query)} if is_other else set()


def read_page(content: object, response: Response, base_url: str, paging: Paging = ALYX_PAGING) -> Page[Any]:
    """Return a response's content as one page of a list.

    Parameters
    ----------
    content
        The decoded content.
    response
        The response, for errors.
    base_url
        The server.
    paging
        How the list is divided into pages.

    Raises
    ------
    UnexpectedAnswerError
        It is none, or its count is not the number of rows.
    ForeignURLError
        The next page is that of another server.
    """
    if not is_page(content, paging) or not is_array(content["results"]):
        raise unexpected(response, urlsplit(response.url).path, "a page with count, next and results")
    rows, following, count = content["results"], content.get("next"), content.get("count")
    is_by_url = paging.style != "offset" and (following is None or isinstance(following, str))
    if not is_count(count) and not (is_by_url and count is None):
        raise unexpected(response, urlsplit(response.url).path, "a page with count, next and results")
    if detail := content.get("detail"):
        logger.warning("The server's remark on this list: %s", detail)
    if not is_by_url:
        return Page(count if is_count(count) else len(rows), rows, following is not None)
    page = Page(count if is_count(count) else len(rows), rows, following is not None, following, is_count(count))
    return with_next_url(page, response, base_url)
