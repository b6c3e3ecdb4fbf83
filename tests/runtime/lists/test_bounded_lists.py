"""Lists of servers whose counts and pages contradict each other: reading ends, and warns that rows may be missing."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid5

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.errors import IncompleteResultsWarning
from alyx_client.runtime.lists.key_ranges import KeyRanges
from alyx_client.runtime.lists.paging import Page
from tests.faults import FaultServer, Received, json_response

NAMESPACE = UUID(int=7)
MOST_REQUESTS = 40


class Lying:
    """Answers lists of 20 rows, with another count than that, or with pages that are not those requested."""

    def __init__(
        self,
        count: Callable[[int], int],
        *,
        has_offset: bool = True,
        has_bounds: bool = True,
        is_keyed: bool = True,
        size: int = 10,
        next_url: str | None = "same",
    ) -> None:
        self.count, self.size, self.next_url = count, size, next_url
        self.has_offset, self.has_bounds = has_offset, has_bounds
        keys = sorted(uuid5(NAMESPACE, str(number)) for number in range(20))
        url = "https://alyx.example.org/weighings/{}"
        self.rows = [(key.int, {"url": url.format(key)} if is_keyed else {"name": f"rig-{key}"}) for key in keys]

    def __call__(self, received: Received, connection: Any) -> bool:
        query = {name: values[-1] for name, values in parse_qs(urlsplit(received.target).query).items()}
        rows = self.rows
        if self.has_bounds and "id__gte" in query.get("django", ""):
            low, high = (UUID(bound).int for bound in query["django"].split(",")[1::2])
            rows = [row for row in rows if low <= row[0] <= high]
        offset = int(query.get("offset", 0)) if self.has_offset else 0
        page = [fields for _, fields in rows[offset : offset + min(self.size, int(query.get("limit", self.size)))]]
        url = f"http://{received.headers.get('host')}{received.target}" if self.next_url == "same" else self.next_url
        body = {"count": self.count(len(rows)), "next": url, "previous": None, "results": page}
        return json_response(body)(received, connection)


COUNTS: dict[str, Callable[[int], int]] = {
    "100": lambda number: 100,
    "10**12": lambda number: 10**12,
    "80 too many": lambda number: number + 80,
    "five times": lambda number: number * 5,
}


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("has_offset", [True, False])
@pytest.mark.parametrize("has_bounds", [True, False])
@pytest.mark.parametrize("endpoint", ["weighings", "locations"])
def test_reading_ends_and_warns(count: str, has_offset: bool, has_bounds: bool, endpoint: str) -> None:
    server = Lying(COUNTS[count], has_offset=has_offset, has_bounds=has_bounds, is_keyed=endpoint == "weighings")
    with FaultServer(then=server) as running, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        rows = list(getattr(AlyxClient(running.url, token="t"), endpoint).list())
        request_count = len(running.requests)
    kinds = [warning.category for warning in caught]
    assert IncompleteResultsWarning in kinds
    assert request_count <= MOST_REQUESTS
    if has_offset and endpoint == "weighings":
        assert sorted(row.url for row in rows) == [fields["url"] for _, fields in server.rows]


@pytest.mark.parametrize("count", COUNTS)
async def test_reading_ends_and_warns_by_asyncio_and_by_name(count: str) -> None:
    with FaultServer(then=Lying(COUNTS[count], has_offset=False, has_bounds=False)) as server:
        with pytest.warns(IncompleteResultsWarning):
            async with AsyncAlyxClient(server.url, token="t") as client:
                rows: Sequence[Any] = await client.weighings.list().all()
        assert len(rows) == 10
        with pytest.warns(IncompleteResultsWarning):
            assert len(list(AlyxClient(server.url, token="t").get("/weighings"))) == 10
        assert len(server.requests) <= 2 * MOST_REQUESTS


def read_ranges(fetch: Callable[[int, int], Page[int]]) -> tuple[list[int], int, bool]:
    ranges = KeyRanges(())
    rows: list[int] = []
    request_count = 0
    while (params := ranges.next_params) is not None:
        request_count += 1
        low, high = (UUID(bound).int for bound in params[0][1].split(",")[1::2])
        rows += ranges.add_page(fetch(low, high))
    return rows, request_count, ranges.is_complete


@pytest.mark.parametrize("number", [0, 1, 1000, 20_000])
def test_ranges_of_random_keys_are_read_whole(number: int) -> None:
    keys = sorted(uuid5(NAMESPACE, str(part)).int for part in range(number))

    def fetch(low: int, high: int) -> Page[int]:
        rows = [key for key in keys if low <= key <= high]
        return Page(len(rows), rows[: KeyRanges.LIMIT], False)

    rows, request_count, is_complete = read_ranges(fetch)
    assert (rows, is_complete) == (keys, True)
    assert request_count <= 1 + -(-number // 500)


@pytest.mark.parametrize("count", [5, 10**6, 10**12, 10**100])
def test_ranges_that_the_server_does_not_apply_end(count: int) -> None:
    _, request_count, is_complete = read_ranges(lambda low, high: Page(count, [1, 2, 3], False))
    assert not is_complete
    assert request_count < 10


def test_ranges_that_always_have_one_more_row_end() -> None:
    _, request_count, is_complete = read_ranges(lambda low, high: Page(1 if low <= 5 <= high else 0, [], False))
    assert request_count < 400
    assert is_complete or request_count > 250


def test_count_far_too_high_on_a_page_that_is_empty_ends() -> None:
    body = json.loads('{"count": 1000000, "next": null, "previous": null, "results": []}')
    with FaultServer(then=json_response(body)) as server:
        with pytest.warns(IncompleteResultsWarning):
            assert list(AlyxClient(server.url, token="t").weighings.list()) == []
        assert len(server.requests) <= MOST_REQUESTS
