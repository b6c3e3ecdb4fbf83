"""Lists whose pages name the next one or have numbers, and ranges of keys, without I/O."""

from __future__ import annotations

import warnings
from dataclasses import replace
from itertools import pairwise
from uuid import UUID

import pytest

from alyx_client.errors import ForeignURLError, IncompleteResultsWarning, UnexpectedAnswerError
from alyx_client.http.message import Response
from alyx_client.runtime.lists.key_ranges import KeyRanges
from alyx_client.runtime.lists.next_pager import NextPager, with_next_url
from alyx_client.runtime.lists.page_window import PageWindow
from alyx_client.runtime.lists.paging import ALYX_PAGING, Page, PageRequest
from alyx_client.runtime.lists.query_pager import QueryPager
from alyx_client.runtime.lists.row_keys import SeenRows, as_uuid

URL = "https://alyx.example.org/sessions"
NUMBERS = replace(ALYX_PAGING, style="number")
LINKS = ALYX_PAGING


def read(pager: NextPager[int], pages: list[Page[int]]) -> tuple[list[int], list[PageRequest], str]:
    """Return the rows of a list, the requests for its pages, and the warning if rows may be missing."""
    rows, requests = [], []
    for page in pages:
        request = pager.next_page
        assert request is not None
        assert pager.upcoming(5) == [request]
        requests.append(request)
        rows += pager.add_page(page)
    assert pager.next_page is None
    assert pager.upcoming(5) == []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pager.warn_of_missing_rows()
    assert all(warning.category is IncompleteResultsWarning for warning in caught)
    return rows, requests, "".join(str(warning.message) for warning in caught)


def linked(*parts: list[int], count: int) -> list[Page[int]]:
    last = len(parts) - 1
    return [Page(count, rows, n < last, f"{URL}?page={n + 1}" if n < last else None) for n, rows in enumerate(parts)]


def numbered(*parts: list[int], count: int) -> list[Page[int]]:
    return [Page(count, rows, has_next=False) for rows in parts]


@pytest.mark.parametrize(
    ("pages", "rows", "doubt"),
    [
        (linked([1, 2], [3], count=3), [1, 2, 3], ""),
        (linked([1, 2], [2, 3], count=3), [1, 2, 3], ""),
        (linked([1, 2], [2, 3], count=4), [1, 2, 3], "counted 4 rows and sent 3"),
        (linked([1, 2], [], [3], count=3), [1, 2, 3], ""),
        (linked([], count=0), [], ""),
        (linked([1, 2], count=5), [1, 2], "counted 5 rows and sent 2"),
        ([*linked([1, 2], [3], count=4)[:1], Page(3, [3], has_next=False)], [1, 2, 3], "Rows were deleted"),
        ([*linked([1, 2], [3], count=2)[:1], Page(3, [3], has_next=False)], [1, 2, 3], ""),
        ([replace(page, is_counted=False) for page in linked([1, 2], [3], count=9)], [1, 2, 3], ""),
        (linked(*([[1]] * 14), count=1)[:13], [1], "have no end"),
    ],
)
def test_pages_that_name_the_next_one(pages: list[Page[int]], rows: list[int], doubt: str) -> None:
    read_rows, requests, warning = read(NextPager(1, LINKS, 2, None, lambda row: row), pages)
    assert read_rows == rows
    urls = [None, *(f"{URL}?page={number}" for number in range(1, len(requests)))]
    assert requests == [PageRequest(0, 0, 2, url) for url in urls]
    assert doubt in warning
    assert bool(doubt) == bool(warning)


@pytest.mark.parametrize(
    ("pages", "rows", "doubt"),
    [
        (numbered([1, 2], [3], count=3), [1, 2, 3], ""),
        (numbered([1, 2], [3, 4], count=4), [1, 2, 3, 4], ""),
        (numbered([1, 2], [2, 3], [3], count=5), [1, 2, 3], "counted 5 rows and sent 3"),
        (numbered([1, 2], [], count=3), [1, 2], "counted 3 rows and sent 2"),
        (numbered([], count=0), [], ""),
    ],
)
def test_pages_that_have_numbers(pages: list[Page[int]], rows: list[int], doubt: str) -> None:
    read_rows, requests, warning = read(NextPager(1, NUMBERS, 2, None, lambda row: row), pages)
    assert read_rows == rows
    assert requests == [PageRequest(0, number, 2) for number in range(len(pages))]
    assert doubt in warning
    assert bool(doubt) == bool(warning)


@pytest.mark.parametrize(
    ("most", "rows", "requests"), [(0, [], 0), (1, [1], 1), (2, [1, 2], 1), (3, [1, 2, 3], 2), (9, [1, 2, 3, 4], 2)]
)
def test_no_more_rows_and_pages_than_requested(most: int, rows: list[int], requests: int) -> None:
    pages = linked([1, 2], [3, 4], count=4)
    read_rows, sent, warning = read(NextPager(1, LINKS, 2, most, lambda row: row), pages[:requests])
    assert (read_rows, len(sent), warning) == (rows, requests, "")


def test_queries_follow_one_another_and_are_counted_separately() -> None:
    pages = [*numbered([1, 2], [3], count=3), *numbered([3, 4], count=2)]
    rows, requests, warning = read(NextPager(2, NUMBERS, None, None, lambda row: row), pages)
    assert rows == [1, 2, 3, 4]
    assert [(request.query, request.offset) for request in requests] == [(0, 0), (0, 1), (1, 0)]
    assert "counted 2 rows and sent 1" in warning
    assert NextPager(0, NUMBERS, None, None, None).next_page is None


def test_pages_in_a_circle_are_an_error() -> None:
    pager = NextPager[int](1, LINKS, 2, None, lambda row: row)
    first, second, *_ = linked([1], [2], [3], count=3)
    pager.add_page(first)
    pager.add_page(second)
    with pytest.raises(UnexpectedAnswerError, match="after 3 pages, with 3 rows"):
        pager.add_page(Page(3, [3], has_next=True, next_url=first.next_url))


@pytest.mark.parametrize(
    ("link", "url"),
    [
        (None, None),
        ("?page=2", f"{URL}?page=2"),
        ("/sessions?page=2", f"{URL}?page=2"),
        (f"{URL}?page=2", f"{URL}?page=2"),
    ],
)
def test_link_to_the_next_page_is_completed(link: str | None, url: str | None) -> None:
    page = Page(9, [1], has_next=True, next_url=link)
    response = Response(200, {}, b"", "GET", f"{URL}?page=1")
    assert with_next_url(page, response, "https://alyx.example.org") == replace(page, next_url=url)


@pytest.mark.parametrize(
    ("link", "error"),
    [
        ("https://evil.example.org/sessions?page=2", ForeignURLError),
        ("//evil.example.org/sessions?page=2", ForeignURLError),
        ("http://alyx.example.org/sessions?page=2", ForeignURLError),
        ("https://[alyx.example.org/", ForeignURLError),
        ("ftp://alyx.example.org/sessions", ForeignURLError),
        ("?page=1", UnexpectedAnswerError),
    ],
)
def test_link_to_another_server_or_to_the_page_itself_is_an_error(link: str, error: type[Exception]) -> None:
    response = Response(200, {}, b"", "GET", f"{URL}?page=1")
    with pytest.raises(error, match="next page") as caught:
        with_next_url(Page(9, [1], has_next=True, next_url=link), response, "https://alyx.example.org")
    assert (caught.value.method, bool(caught.value.url)) == ("GET", True)


@pytest.mark.parametrize(
    ("own", "key"),
    [
        ("", "id"),
        ("number,1", "id"),
        ("id__gte,1", "pk"),
        ("id__lte,1", "pk"),
        ("id__gte,1,id__lte,2", "pk"),
        ("pk__gte,1", "id"),
        ("id__gte,1,pk__lte,2", ""),
        ("id__lte,1,pk__gte,2", ""),
    ],
)
def test_ranges_use_the_key_that_the_users_lookups_leave_free(own: str, key: str) -> None:
    params = (("lab", "x"), *((("django", own),) if own else ()))
    assert KeyRanges.can_split(params) == bool(key)
    if key:
        name, value = (KeyRanges(params).next_params or ())[-1]
        bounds = f"{key}__gte,{UUID(int=0)},{key}__lte,{UUID(int=2**128 - 1)}"
        assert (name, value) == ("django", f"{own},{bounds}" if own else bounds)


def test_range_with_too_many_rows_is_divided_into_parts_that_cover_it() -> None:
    ranges = KeyRanges(())
    assert ranges.add_page(Page(5000, list(range(1000)), has_next=True)) == []
    bounds = [params[-1][1].split(",")[1::2] for params in ranges.upcoming(100)]
    assert len(bounds) == 6
    assert (bounds[0][0], bounds[-1][1]) == (str(UUID(int=0)), str(UUID(int=2**128 - 1)))
    assert all(UUID(low).int == UUID(high).int + 1 for (_, high), (low, _) in pairwise(bounds))
    rows = list(range(800))
    while ranges.next_params is not None:
        assert ranges.add_page(Page(800, rows, has_next=False)) == rows
    assert ranges.is_complete


@pytest.mark.parametrize(("rows", "requests"), [([], 300), ([1], 1177)])
def test_ranges_without_rows_come_to_an_end(rows: list[int], requests: int) -> None:
    ranges = KeyRanges(())
    ranges.add_page(Page(10**6, [1] * 1000, has_next=True))
    sent = 0
    while ranges.next_params is not None:
        ranges.add_page(Page(len(rows), rows, has_next=False))
        sent += 1
    assert (sent, ranges.is_complete) == (requests, bool(rows))


@pytest.mark.parametrize(
    ("key", "uuid"),
    [
        ("8f3a1c52-6f0b-4d7e-9d5e-0123456789ab", UUID("8f3a1c52-6f0b-4d7e-9d5e-0123456789ab")),
        ("8f3a1c526f0b4d7e9d5e0123456789ab", UUID("8f3a1c52-6f0b-4d7e-9d5e-0123456789ab")),
        (UUID(int=1), UUID(int=1)),
        ("12345678901234567890", None),
        (5, None),
        (None, None),
    ],
)
def test_keys_that_are_uuids(key: object, uuid: UUID | None) -> None:
    assert as_uuid(key) == uuid


@pytest.mark.parametrize(
    ("cap", "deleted", "is_first", "overlap", "margin"),
    [
        (None, 3, True, 4, 2),  # as many more as were deleted
        (None, 3, False, 100, 2),  # that was not enough: a whole page
        (None, -3, True, 100, 2),
        (None, 0, True, 100, 2),
        (40, 3, True, 4, 2),
    ],
)
def test_steps_back_to_rows_that_moved_to_the_front(
    cap: int | None, deleted: int, is_first: bool, overlap: int, margin: int
) -> None:
    window = PageWindow(100, None, 1000)
    window.advance(100, 100, is_back=False)
    window.advance(500, 400, is_back=False)
    window.overlap = window.margin
    if cap:
        window.note_cap(cap)
    window.step_back(deleted, is_first=is_first)
    assert (window.overlap, window.margin) == (overlap, margin)
    offset, limit = window.next_page(None)
    assert (offset, limit) == (500 - overlap, min(100 + overlap + 1, max(100, cap or 1000)))
    window.step_back(0, is_first=False)
    assert (window.overlap, window.margin) == (max(100, 2 * overlap), 4)


@pytest.mark.parametrize(
    ("count", "remaining", "most", "pages"),
    [
        (100, None, 2, [(20, 12), (31, 12)]),
        (100, 20, 9, [(20, 10)]),
        (100, 12, 9, [(20, 2)]),
        (100, 11, 9, []),
        (22, None, 9, [(20, 12)]),
        (21, None, 9, []),
        (100, None, 0, []),
    ],
)
def test_pages_ahead_end_with_the_last_row_that_is_wanted(
    count: int, remaining: int | None, most: int, pages: list[tuple[int, int]]
) -> None:
    window = PageWindow(10, None, 1000)
    window.advance(10, 10, is_back=False)
    window.overlap = window.margin
    assert window.following(window.next_page(remaining), count, remaining, most) == pages


def test_ranges_that_were_read_dispel_doubts_about_the_pages_before() -> None:
    pager = QueryPager(SeenRows[int](lambda row: row, None), 10, has_ranges=True)
    while not pager.is_finished:
        pager.add_page(Page(40, [1, 2], has_next=False))
    assert pager.may_miss_rows
    assert pager.doubts
    assert pager.add_range([1, 2, 3]) == [3]
    pager.confirm()
    assert not pager.may_miss_rows
    assert pager.doubts == []


@pytest.mark.parametrize(("cap", "margin"), [(1, 1), (39, 1), (40, 2), (100, 5), (1000, 8)])
def test_overlap_fits_into_the_pages_that_the_server_sends(cap: int, margin: int) -> None:
    window = PageWindow(100, None, 1000)
    window.margin = 8
    window.note_cap(cap)
    assert (window.longest, window.margin) == (cap, margin)
    window.note_cap(500)
    assert window.longest == min(cap, 500)
