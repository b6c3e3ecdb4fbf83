"""Paging of lists whose pages name the next one, or have numbers, sans-I/O."""

from __future__ import annotations

from dataclasses import replace
from typing import Generic, TypeVar
from urllib.parse import urljoin, urlsplit, urlunsplit

from alyx_client.errors import ForeignURLError, IncompleteResultsWarning, UnexpectedAnswerError
from alyx_client.http.log import warn
from alyx_client.http.message import Response
from alyx_client.http.url import redact_url, same_origin, same_server
from alyx_client.runtime.lists.paging import Page, PageRequest, Paging, first_limit
from alyx_client.runtime.lists.row_keys import RowKey, SeenRows

__all__ = ["NextPager", "with_next_url"]

T = TypeVar("T")

_PAGES_WITHOUT_ROWS = 10


class NextPager(Generic[T]):
    """The pages of a list in their order, each named by the one before it, and their new rows; sans-I/O.

    Parameters
    ----------
    query_count
        The number of queries: several if a long list of keys was split.
    paging
        How the list is divided into pages.
    page_size
        Rows per page; the server's default if None.
    max_items
        The most rows to return.
    row_key
        Returns the key of a row; None if rows have none.
    """

    def __init__(
        self, query_count: int, paging: Paging, page_size: int | None, max_items: int | None, row_key: RowKey | None
    ) -> None:
        self._query_count = query_count
        self._paging = paging
        # The same for each page: numbers count pages of one size.
        self._limit = first_limit(page_size, max_items)
        self._seen = SeenRows[T](row_key, max_items)
        self._next = PageRequest(0, 0, self._limit) if query_count else None
        self._followed: set[str] = set()
        self._budget = _PAGES_WITHOUT_ROWS
        self._doubts: list[str] = []
        self._begin_query()

    def _begin_query(self) -> None:
        self._pages = 0
        self._row_count = 0  # the rows of the query's pages, repeated ones among them
        self._lowest_count: int | None = None
        self._repeats = 0

    @property
    def next_page(self) -> PageRequest | None:
        """The page to fetch next, or None at the end."""
        return None if self._seen.remaining == 0 else self._next

    def upcoming(self, most: int) -> list[PageRequest]:
        """Return the page to fetch next; only it names the one that follows."""
        request = self.next_page
        return [] if request is None else [request]

    def add_page(self, page: Page[T]) -> list[T]:
        """Take the page requested last, and return its new rows.

        Raises
        ------
        UnexpectedAnswerError
            The page after it is one that was read before.
        """
        assert self._next is not None
        rows = self._seen.new_rows(page.rows)
        self._pages += 1
        self._row_count += len(page.rows)
        self._repeats += len(page.rows) - len(rows) if self._seen.remaining is None else 0
        self._note_count(page)
        self._budget += 1 if rows else -1
        self._next = self._following(page, self._next.query)
        return rows

    def _note_count(self, page: Page[T]) -> None:
        if not page.is_counted:
            return
        if self._lowest_count is not None and page.count < self._lowest_count:
            self._doubts.append(
                "Rows were deleted on the server while the list was read, so that others may have moved to pages that "
                "were read before: rows may be missing."
            )
        self._lowest_count = page.count if self._lowest_count is None else min(self._lowest_count, page.count)

    def _following(self, page: Page[T], query: int) -> PageRequest | None:
        has_more = page.next_url is not None or (
            self._paging.style == "number" and bool(page.rows) and self._row_count < page.count
        )
        if has_more and self._budget < 0:
            self._doubts.append("The pages of the list have no end, and bring no new rows: rows may be missing.")
        elif page.next_url is not None:
            if page.next_url in self._followed:
                raise UnexpectedAnswerError(
                    f"The pages of the list go round in a circle: {redact_url(page.next_url)} follows itself after "
                    f"{self._pages} pages, with {self._row_count} rows. The list cannot be read to its end.",
                    method="GET",
                    url=redact_url(page.next_url),
                )
            self._followed.add(page.next_url)
            return PageRequest(query, 0, self._limit, page.next_url)
        elif has_more:
            return PageRequest(query, self._pages, self._limit)
        self._end_query()
        return PageRequest(query + 1, 0, self._limit) if query + 1 < self._query_count else None

    def _end_query(self) -> None:
        distinct = self._row_count - self._repeats
        if self._lowest_count is not None and self._lowest_count > distinct and self._seen.remaining is None:
            self._doubts.append(
                f"The server counted {self._lowest_count} rows and sent {distinct} different ones: rows may be missing."
            )
        self._begin_query()

    def warn_of_missing_rows(self) -> None:
        """Warn if rows may be missing."""
        for doubt in self._doubts[:1]:
            warn(
                f"{doubt} Narrow the query down, or fetch larger pages if the list has them.", IncompleteResultsWarning
            )


def with_next_url(page: Page[T], response: Response, base_url: str) -> Page[T]:
    """Return a page with the URL of the next one complete, and checked.

    Parameters
    ----------
    page
        The page, with the URL as the server sent it.
    response
        The response that holds the page.
    base_url
        The server.

    Raises
    ------
    ForeignURLError
        The next page would be fetched from another server, or without encryption.
    UnexpectedAnswerError
        The page names itself as the next one.
    """
    if page.next_url is None:
        return page
    try:
        url = urljoin(response.url, page.next_url)
        parts = urlsplit(url)
    except ValueError:
        url = page.next_url
        parts = None
    if parts is None or not same_server(url, base_url):
        raise ForeignURLError(
            f"{redact_url(response.url)} names {redact_url(url)!r} as its next page, which is not on the configured "
            f"server {base_url}; it was not fetched, since the token would go there. A server behind a proxy has to be "
            "told its own address (in Django: USE_X_FORWARDED_HOST, SECURE_PROXY_SSL_HEADER).",
            method="GET",
            url=redact_url(url),
        )
    if not same_origin(url, base_url):
        url = urlunsplit((*urlsplit(base_url)[:2], *parts[2:]))
    if redact_url(url) == response.url:
        raise UnexpectedAnswerError(
            f"{redact_url(url)} names itself as its next page. The list cannot be read to its end.",
            method="GET",
            url=redact_url(url),
        )
    return replace(page, next_url=url)
