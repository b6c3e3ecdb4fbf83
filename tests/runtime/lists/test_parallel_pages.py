"""Pages and ranges of keys that are fetched several at a time: with failures, with a cap, and when reading is left."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient, Retries
from alyx_client.errors import ServerError
from alyx_client.runtime.lists.key_ranges import KeyRanges
from alyx_client.runtime.lists.paging import Page
from tests.faults import (
    FaultServer,
    Received,
    Step,
    json_response,
    reset_before_headers,
    reset_mid_body,
    silent,
    too_many,
    unavailable,
)
from tests.runtime.lists.support import no_logged_errors, no_warnings
from tests.runtime.lists.test_lists_over_http import Weighings, weighing

ROWS = range(1, 4200)
URLS = [weighing(number)["url"] for number in ROWS]
QUICK = Retries(tries=3, base=0.001, cap=0.001)


def offset_of(received: Received) -> int:
    return int(dict(pair.split("=") for pair in received.target.partition("?")[2].split("&") if pair).get("offset", 0))


class Failing(Weighings):
    """Fails the first time that the third page is requested, and counts the requests for each."""

    def __init__(self, failure: Step) -> None:
        super().__init__(ROWS)
        self.failure = failure
        self.requests: Counter[int] = Counter()

    def __call__(self, received: Received, connection: Any) -> bool:
        offset = offset_of(received)
        self.requests[offset] += 1
        if offset == 1150 and self.requests[offset] == 1:
            return self.failure(received, connection)
        return super().__call__(received, connection)


def typed(url: str, **settings: Any) -> list[str]:
    with AlyxClient(url, token="t", cache_rest=None, retries=QUICK, **settings) as client:
        return [str(row.url) for row in client.weighings.list()]


def by_name(url: str, **settings: Any) -> list[str]:
    with AlyxClient(url, token="t", cache_rest=None, retries=QUICK, **settings) as client:
        return [row["url"] for row in client.get("/weighings")]


def typed_async(url: str, **settings: Any) -> list[str]:
    async def read() -> list[str]:
        async with AsyncAlyxClient(url, token="t", cache_rest=None, retries=QUICK, **settings) as client:
            return [str(row.url) for row in await client.weighings.list().all()]

    return asyncio.run(read())


WAYS = [typed, by_name, typed_async]


@pytest.mark.parametrize("read", WAYS)
@pytest.mark.parametrize(
    "failure",
    [
        unavailable(503, "0"),
        too_many(),
        reset_before_headers(),
        reset_mid_body([1]),
    ],
    ids=["503", "429", "no response", "broken off"],
)
def test_failure_of_a_page_in_the_middle_is_retried(read: Callable[..., list[str]], failure: Step) -> None:
    answers = Failing(failure)
    with FaultServer(then=answers) as server, no_warnings():
        assert read(server.url) == URLS
    assert answers.requests == {0: 1, 200: 1, 1150: 2, 2100: 1, 3050: 1, 4000: 1}


@pytest.mark.parametrize("read", WAYS)
def test_page_that_does_not_come_in_time_is_requested_again(read: Callable[..., list[str]]) -> None:
    answers = Failing(silent(20))
    with FaultServer(then=answers) as server, no_warnings():
        assert read(server.url, read_timeout=0.5) == URLS
    assert answers.requests[1150] == 2


class Capped(Weighings):
    """Sends 250 rows at most."""

    def __call__(self, received: Received, connection: Any) -> bool:
        offset = offset_of(received)
        rows = [weighing(number) for number in self.listed[offset : offset + 250]]
        following = "http://elsewhere.example.org/" if offset + 250 < len(self.listed) else None
        body = {"count": len(self.listed), "next": following, "previous": None, "results": rows}
        return json_response(body)(received, connection)


@pytest.mark.parametrize("read", WAYS)
def test_server_that_sends_shorter_pages(read: Callable[..., list[str]]) -> None:
    with FaultServer(then=Capped(ROWS)) as server, no_warnings():
        assert read(server.url) == URLS
    # 17 of 250 rows each, those that overlap, and those under way when the first one was shorter than requested.
    assert len(server.requests) <= 24


KEYS = sorted(random.Random(number).getrandbits(128) for number in range(3300))
"""Read in four ranges."""


class Unordered(Weighings):
    """Omits rows from its pages, and repeats others; of the ranges of keys, the parts are sent together."""

    def __init__(self, parties: int = 1) -> None:
        super().__init__([*KEYS[:2000], *KEYS[1000:]][: len(KEYS)], KEYS)
        self.barrier = threading.Barrier(parties)
        self.ranges: list[str] = []

    def __call__(self, received: Received, connection: Any) -> bool:
        if "id__gte" in received.target:
            self.ranges.append(received.target)
            if len(self.ranges) > 1:
                self.barrier.wait(30)
        return super().__call__(received, connection)


def ids(urls: Sequence[str]) -> list[int]:
    return [UUID(url.rpartition("/")[2]).int for url in urls]


@pytest.mark.parametrize("read", WAYS)
def test_ranges_of_keys_are_fetched_several_at_a_time(read: Callable[..., list[str]]) -> None:
    answers = Unordered(parties=4)
    with FaultServer(then=answers) as server, no_warnings():
        numbers = ids(read(server.url))
        assert numbers[:2000] == KEYS[:2000]
        assert sorted(numbers) == KEYS
        # The pages, the whole range, and its four parts.
        assert len(answers.ranges) == 5
        assert len(server.requests) <= 5 + 5 + 2


def test_ranges_that_are_not_needed_are_not_fetched() -> None:
    answers = Unordered()
    with FaultServer(then=answers) as server, no_warnings():
        client = AlyxClient(server.url, token="t", cache_rest=None)
        assert len([*client.weighings.list(max_items=2500)]) == 2500
    assert len(answers.ranges) <= 5


def test_upcoming_ranges_are_those_that_are_read() -> None:
    ranges = KeyRanges(())
    assert ranges.upcoming(4) == [ranges.next_params]
    ranges.add_page(_page(4000, 1000))
    upcoming = ranges.upcoming(10)
    assert len(upcoming) == 5
    for number, params in enumerate(upcoming):
        assert ranges.next_params == params
        assert ranges.upcoming(2) == upcoming[number : number + 2]
        ranges.add_page(_page(800, 800))
    assert (ranges.upcoming(4), ranges.next_params, ranges.is_complete) == ([], None, True)


def _page(count: int, rows: int) -> Page[int]:
    return Page(count, list(range(rows)), False)


class Holding(Weighings):
    """Does not respond to pages after the second one, nor to ranges, until it is released."""

    def __init__(self) -> None:
        super().__init__(ROWS)
        self.release = threading.Event()
        self.held = threading.Semaphore(0)

    def __call__(self, received: Received, connection: Any) -> bool:
        if offset_of(received) > 200:
            self.held.release()
            self.release.wait(30)
        return super().__call__(received, connection)


@pytest.fixture
def holding() -> Iterator[Holding]:
    answers = Holding()
    yield answers
    answers.release.set()


async def until_held(answers: Holding) -> None:
    for _ in range(3):
        await asyncio.to_thread(answers.held.acquire, timeout=30)


@pytest.mark.parametrize("way", ["close", "cancel", "break"])
async def test_leaving_an_asynchronous_list_leaves_no_task(way: str, holding: Holding) -> None:
    with FaultServer(then=holding) as server, no_logged_errors(asyncio.get_running_loop()):
        async with AsyncAlyxClient(server.url, token="t", cache_rest=None) as client:
            reached = asyncio.Event()

            async def read() -> None:
                number = 0
                rows: Any = aiter(client.weighings.list())
                async for _ in rows:
                    number += 1
                    if number == 260:
                        await until_held(holding)
                        reached.set()
                        if way == "break":
                            break
                        if way == "close":
                            await rows.aclose()
                            break

            task = asyncio.create_task(read())
            await asyncio.wait_for(reached.wait(), 30)
            if way == "cancel":
                await asyncio.sleep(0)
                task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            del task
            for _ in range(10):
                await asyncio.sleep(0)
            assert asyncio.all_tasks() == {asyncio.current_task()}
        assert len(server.requests) <= 6


def test_leaving_a_list_sends_nothing_more(holding: Holding) -> None:
    with FaultServer(then=holding) as server:
        rows: Any = iter(AlyxClient(server.url, token="t", cache_rest=None).weighings.list())
        for _ in range(260):
            next(rows)
        for _ in range(4):
            assert holding.held.acquire(timeout=30)
        sent = len(server.requests)
        rows.close()
        holding.release.set()
        for thread in threading.enumerate():
            if thread.name.startswith("alyx-client"):
                thread.join(30)
        assert len(server.requests) == sent <= 6


@pytest.mark.parametrize("read", WAYS)
def test_error_of_a_page_is_raised_whatever_the_others_bring(read: Callable[..., list[str]]) -> None:
    answers = Weighings(ROWS)
    answers.refuse_from = 3000
    with FaultServer(then=answers) as server, pytest.raises(ServerError, match="broken"):
        read(server.url)
