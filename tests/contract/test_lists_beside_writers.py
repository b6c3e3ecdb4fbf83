"""Lists of a live server are whole while others create and delete records.

``--server=live --beside-writers=600`` reads and writes for ten minutes. Writers create and delete sessions, datasets
and files, many or few at a time, at all places of the lists, which are read with pages of all sizes. Of the records
that were there during the whole of a reading, none may be missing and none may come twice.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from alyx_client.errors import AlyxError, IncompleteResultsWarning, NotFoundError

from .bench import Bench
from .package import AlyxClient, AsyncAlyxClient, models, new_session
from .targets import Target
from .walks import BESIDE_WRITERS

_PAGE_SIZES = (None, 7, 40, 99, 250, 1000)
_MOST_OWN = 120  # of each kind, so that the lists keep about their length


class Records:
    """The records of one endpoint: those that are there, and from when to when."""

    def __init__(self, rows: Any) -> None:
        self._lock = threading.Lock()
        self.others = {row.id for row in rows}
        self._created: dict[UUID, float] = {}
        self._deleted: dict[UUID, float] = {}

    def created(self, key: UUID) -> None:
        with self._lock:
            self._created[key] = time.monotonic()

    def deleting(self, key: UUID) -> None:
        with self._lock:
            self._deleted[key] = time.monotonic()

    @property
    def written(self) -> int:
        with self._lock:
            return len(self._created)

    def own(self) -> list[UUID]:
        with self._lock:
            return [key for key in self._created if key not in self._deleted]

    def during(self, start: float, end: float) -> set[UUID]:
        """Return the records that were there all the time."""
        with self._lock:
            own = [key for key, time in self._created.items() if time < start]
            return self.others | {key for key in own if self._deleted.get(key, end) >= end}


class Writers:
    """Create and delete records until they are stopped; ``clear`` deletes the rest."""

    def __init__(self, target: Target, bench: Bench, records: dict[str, Records]) -> None:
        self._client = AlyxClient(target.url, token=target.token, silent=True, cache_rest=None)
        self._bench, self._records = bench, records
        self._stop = threading.Event()
        self.failures: list[Exception] = []
        self._threads = [
            threading.Thread(target=self._write, args=(endpoint, create), daemon=True)
            for endpoint, create in (("sessions", self._session), ("datasets", self._dataset), ("files", self._file))
        ]

    @contextmanager
    def running(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()
            for endpoint in ("files", "datasets", "sessions"):
                for key in self._records[endpoint].own():
                    self._delete(endpoint, key)
            self._client.close()

    def _write(self, endpoint: str, create: Callable[[random.Random], Any]) -> None:
        chance = random.Random(endpoint)
        records = self._records[endpoint]
        while not self._stop.is_set():
            try:
                own = records.own()
                burst = chance.choice((1, 1, 3, 10, 30))
                kind = chance.choice(("create", "delete", "both"))
                if kind != "create" or len(own) > _MOST_OWN:
                    for key in chance.sample(own, min(burst, len(own))):
                        self._delete(endpoint, key)
                if kind != "delete" and len(own) <= _MOST_OWN:
                    for _ in range(burst):
                        records.created(create(chance).id)
            except AlyxError as error:  # reported in the end, so that the records are deleted
                self.failures.append(error)
                return

    def _delete(self, endpoint: str, key: UUID) -> None:
        self._records[endpoint].deleting(key)
        with suppress(NotFoundError):
            getattr(self._client, endpoint).delete(key)

    def _session(self, chance: random.Random) -> Any:
        start = datetime(2012, 1, 1) + timedelta(minutes=chance.randrange(8_000_000))
        return self._client.sessions.create(
            new_session(subject=self._bench.subject.nickname, start_time=start, number=chance.randrange(1, 900))
        )

    def _dataset(self, chance: random.Random) -> Any:
        return self._client.datasets.create(
            models.Dataset(
                name=f"alyxClientTest.times.{chance.randrange(10**9)}.npy",
                dataset_type=self._bench.dataset_type.name,
                data_format="npy",
                session=self._bench.session.url,
                collection="alf",
            )
        )

    def _file(self, chance: random.Random) -> Any:
        return self._client.files.create(
            models.File(
                dataset=self._bench.dataset.url,
                data_repository=self._bench.repository.name,
                relative_path=f"alyx-client-test-mouse/2020-01-12/001/alf/{chance.randrange(10**12)}.npy",
                exists=True,
            )
        )


def read(target: Target, endpoint: str, way: str, limit: int | None) -> list[UUID]:
    settings: dict[str, Any] = {"token": target.token, "silent": True, "cache_rest": None}
    if way == "typed, asyncio":

        async def all_rows() -> list[Any]:
            async with AsyncAlyxClient(target.url, **settings) as client:
                return await getattr(client, endpoint).list(limit=limit).all()

        return [row.id for row in asyncio.run(all_rows())]
    with AlyxClient(target.url, **settings) as client:
        if way == "typed":
            return [row.id for row in getattr(client, endpoint).list(limit=limit)]
        return [UUID(row["url"].rpartition("/")[2]) for row in client.rest(endpoint, "list", limit=limit)]


def check(target: Target, endpoint: str, records: Records, chance: random.Random) -> None:
    """Read a list once, and count what is wrong with it."""
    way, limit = chance.choice(("typed", "typed, asyncio", "by name")), chance.choice(_PAGE_SIZES)
    start = time.monotonic()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", IncompleteResultsWarning)
        keys = read(target, endpoint, way, limit)
    lasting = records.during(start, time.monotonic())
    has_warned = any(warning.category is IncompleteResultsWarning for warning in caught)
    BESIDE_WRITERS[endpoint, "lists read"] += 1
    BESIDE_WRITERS[endpoint, "lasting rows"] += len(lasting)
    BESIDE_WRITERS[endpoint, "missing"] += len(lasting - set(keys))
    BESIDE_WRITERS[endpoint, "twice"] += len(keys) - len(set(keys))
    BESIDE_WRITERS[endpoint, "warnings"] += has_warned
    assert has_warned or (lasting <= set(keys) and len(set(keys)) == len(keys)), (endpoint, way, limit)


def test_no_lasting_record_is_missing_or_repeated(
    client: AlyxClient, bench: Bench, target: Target, pytestconfig: pytest.Config
) -> None:
    if target.name != "live":
        pytest.skip("only with --server=live")
    # What the writers' records refer to is created, and read, before they start.
    _ = bench.session, bench.dataset, bench.dataset_type, bench.repository
    records = {name: Records(getattr(client, name).list(limit=1000)) for name in ("sessions", "datasets", "files")}
    chance = random.Random(1)
    writers = Writers(target, bench, records)
    end = time.monotonic() + pytestconfig.getoption("--beside-writers")
    with writers.running():
        while time.monotonic() < end:
            for endpoint, its_records in records.items():
                check(target, endpoint, its_records, chance)
    for endpoint, its_records in records.items():
        BESIDE_WRITERS[endpoint, "written"] = its_records.written
        assert its_records.others <= {row.id for row in getattr(client, endpoint).list(limit=1000)}
    assert writers.failures == []
