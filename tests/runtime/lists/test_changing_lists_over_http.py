"""Lists that change while they are read over HTTP, typed and by name, by both clients.

A server on loopback deletes and creates records between any two requests, in every order of events up to a bound, and
in random ones. Of the records that were there all the time, none is missing and none is returned twice, or there is a
warning.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import warnings
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid5

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.errors import IncompleteResultsWarning
from tests.faults import FaultServer, Received, json_response

Change = tuple[str, int]
"""Deletes or creates a record at a position, counted from the front, or, if negative, from the end."""

NAMESPACE = UUID(int=11)


class Lab:
    """Answers the list of one endpoint; `changes` holds what happens before each request.

    Parameters
    ----------
    endpoint
        The endpoint: ``weighings`` (with ranges of keys), ``tags`` (without), or ``locations`` (without keys).
    size
        The number of records in the beginning.
    ties
        The number of neighbouring rows of equal rank, which come in another order for each offset and limit.
    cap
        The most rows of a page.
    """

    def __init__(self, endpoint: str, size: int, *, ties: int = 1, cap: int = 1000, default: int = 3) -> None:
        self.endpoint, self.ties, self.cap, self.default = endpoint, ties, cap, default
        self.keys = [uuid5(NAMESPACE, str(number)) for number in range(size)]
        self.lasting = set(self.keys)
        self.created = 0
        self.changes: list[list[Change]] = []
        self.requests = 0

    def change(self, kind: str, position: int) -> None:
        position = position if position >= 0 else len(self.keys) + 1 + position
        if kind == "create":
            self.created += 1
            self.keys.insert(max(0, position), uuid5(NAMESPACE, f"new {self.created}"))
        elif self.keys:
            self.lasting.discard(self.keys.pop(max(0, min(position, len(self.keys) - 1))))

    def __call__(self, received: Received, connection: Any) -> bool:
        self.requests += 1
        for change in self.changes.pop(0) if self.changes else ():
            self.change(*change)
        query = {name: values[-1] for name, values in parse_qs(urlsplit(received.target).query).items()}
        offset, limit = int(query.get("offset", 0)), min(self.cap, int(query.get("limit", self.default)))
        keys = self.ordered(f"{offset} {limit}")
        # Alyx ignores parameters that a list does not know.
        if "id__gte" in query.get("django", "") and self.endpoint == "weighings":
            low, high = (UUID(bound) for bound in query["django"].split(",")[1::2])
            keys = [key for key in keys if low <= key <= high]
        following = f"http://elsewhere/?offset={offset + limit}" if offset + limit < len(keys) else None
        rows = [self.row(key) for key in keys[offset : offset + limit]]
        body = {"count": len(keys), "next": following, "previous": None, "results": rows}
        return json_response(body)(received, connection)

    def ordered(self, seed: str) -> list[UUID]:
        groups = [self.keys[start : start + self.ties] for start in range(0, len(self.keys), self.ties)]
        for group in groups:
            if self.ties > 1:
                random.Random(seed).shuffle(group)
        return list(itertools.chain.from_iterable(groups))

    def row(self, key: UUID) -> dict[str, object]:
        if self.endpoint == "weighings":
            url = f"https://alyx.example.org/weighings/{key}"
            return {"date_time": "2020-01-01T12:00:00", "subject": "flowers", "url": url, "user": None, "weight": 20.5}
        if self.endpoint == "tags":
            fields = {"id": str(key), "name": str(key), "description": "", "protected": False, "public": False}
            return {**fields, "json": None, "hash": None}
        return {"name": str(key), "lab": "cortexlab", "json": None}

    def key_of(self, row: Any) -> UUID:
        if isinstance(row, dict):
            return UUID(str(row.get("id") or row.get("url") or row["name"]).rpartition("/")[2])
        return row.id if hasattr(row, "id") else UUID(row.name)

    def check(self, rows: Sequence[Any], has_warned: bool) -> None:
        keys = [self.key_of(row) for row in rows]
        if not has_warned:
            missing = self.lasting - set(keys)
            assert not missing, f"{len(missing)} of {len(self.lasting)} records are missing"
            assert len(set(keys)) == len(keys)


def typed(url: str, endpoint: str) -> list[Any]:
    with AlyxClient(url, token="t", cache_rest=None, silent=True) as client:
        return list(iter(getattr(client, endpoint).list()))


def by_name(url: str, endpoint: str) -> list[Any]:
    with AlyxClient(url, token="t", cache_rest=None, silent=True) as client:
        return list(iter(client.get(f"/{endpoint}")))


def typed_async(url: str, endpoint: str) -> list[Any]:
    async def read() -> list[Any]:
        async with AsyncAlyxClient(url, token="t", cache_rest=None, silent=True) as client:
            return await getattr(client, endpoint).list().all()

    return asyncio.run(read())


def by_name_async(url: str, endpoint: str) -> list[Any]:
    async def read() -> list[Any]:
        async with AsyncAlyxClient(url, token="t", cache_rest=None, silent=True) as client:
            rows = await client.get(f"/{endpoint}")
            return list(rows) if isinstance(rows, list) else await rows.all()

    return asyncio.run(read())


WAYS: dict[str, Callable[[str, str], list[Any]]] = {
    "typed": typed,
    "by name": by_name,
    "typed, asyncio": typed_async,
    "by name, asyncio": by_name_async,
}


@contextmanager
def catching() -> Any:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("error")
        warnings.simplefilter("always", IncompleteResultsWarning)
        yield caught


EVENTS: list[list[Change]] = [
    [],
    [("delete", 0)],
    [("delete", -1)],
    [("create", 0)],
    [("create", -1)],
    [("delete", 0), ("create", -1)],
    [("delete", 1), ("delete", 1), ("create", 0), ("create", 5)],
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("endpoint", "ties", "cap", "may_warn"),
    [
        ("weighings", 1, 1000, False),
        ("weighings", 1, 5, False),
        ("weighings", 20, 1000, False),
        ("weighings", 20, 5, False),
        ("tags", 1, 1000, False),
        ("tags", 20, 1000, False),
        ("tags", 1, 5, True),
        ("locations", 1, 1000, False),
        ("locations", 20, 1000, False),
        ("locations", 1, 5, True),
    ],
)
def test_every_order_of_changes_between_pages(endpoint: str, ties: int, cap: int, may_warn: bool, way: str) -> None:
    """Before the second, the third, and the fourth request."""
    with FaultServer() as server:
        # All ways share what decides on it, of which the tests of the pager try every order.
        events = EVENTS[1::2]
        for number, (first, second) in enumerate(itertools.product(events, repeat=2)):
            lab = Lab(endpoint, 11, ties=ties, cap=cap)
            server.then = lab
            lab.changes = [[], first, second, EVENTS[number % len(EVENTS)]]
            with catching() as caught:
                rows = WAYS[way](server.url, endpoint)
            lab.check(rows, bool(caught))
            if not may_warn:
                assert not caught, (first, second)


class ChangingList(RuleBasedStateMachine):
    """Reads a list a few rows at a time, while records are deleted and created before any of its requests."""

    endpoint: ClassVar[str] = "weighings"

    @initialize(
        size=st.integers(0, 40),
        ties=st.sampled_from([1, 3, 40]),
        cap=st.sampled_from([5, 1000]),
        page_size=st.none() | st.integers(1, 9),
    )
    def start(self, size: int, ties: int, cap: int, page_size: int | None) -> None:
        # Only one page, or ranges of keys, show the rows of a list without an order.
        self.lab = Lab(self.endpoint, size, ties=ties if cap == 1000 else 1, cap=cap)
        self.server = FaultServer(then=self.lab)
        self.client = AlyxClient(self.server.url, token="t", cache_rest=None, silent=True)
        self.iterator = iter(getattr(self.client, self.endpoint).list(page_size=page_size))
        self.rows: list[Any] = []
        self.has_warned = False

    @rule(changes=st.lists(st.tuples(st.sampled_from(["delete", "create"]), st.integers(-6, 40)), max_size=6))
    def change_before_a_request(self, changes: list[Change]) -> None:
        self.lab.changes.append(changes)

    @rule(count=st.integers(1, 12))
    def read(self, count: int) -> None:
        with catching() as caught:
            self.rows += itertools.islice(self.iterator, count)
        self.has_warned = self.has_warned or bool(caught)

    def teardown(self) -> None:
        if not hasattr(self, "lab"):
            return
        with catching() as caught:
            self.rows += self.iterator
        self.client.close()
        self.server.close()
        self.lab.check(self.rows, self.has_warned or bool(caught))
        assert self.lab.requests < 200


class ChangingListWithoutRanges(ChangingList):
    endpoint = "tags"


class ChangingListWithoutKeys(ChangingList):
    endpoint = "locations"


_SETTINGS = settings(max_examples=25, stateful_step_count=12, deadline=None)
TestChangingList = ChangingList.TestCase
TestChangingListWithoutRanges = ChangingListWithoutRanges.TestCase
TestChangingListWithoutKeys = ChangingListWithoutKeys.TestCase
for _case in (TestChangingList, TestChangingListWithoutRanges, TestChangingListWithoutKeys):
    _case.settings = _SETTINGS
