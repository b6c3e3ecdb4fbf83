"""A cluster of Dask, with two processes on the loopback interface."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from alyx_client import AlyxClient, NotCompletedError
from alyx_client.bulk.executors import Chunk, Job, run_chunk
from alyx_client.bulk.plan import make_plan
from alyx_client.bulk.tasks import Done
from alyx_client.endpoints.tags import _CREATE
from alyx_client.models import Tag
from alyx_client.testing import LocalAlyx
from tests.bulk.conftest import QUICK, Many
from tests.bulk.test_failures import named, names
from tests.faults import FaultServer
from tests.test_examples import blocks

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def dask() -> Iterator[Any]:
    options = {"n_workers": 2, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        yield client


def test_records_are_read_and_written_on_a_cluster(
    alyx: LocalAlyx, client: AlyxClient, dask: Any, many: Many, capfd: pytest.CaptureFixture[str]
) -> None:
    keys = [row.id for row in client.sessions.list()[:8]]
    login = {"token": None, "username": "olivier", "password": "olivier"}
    read = many(alyx.url, "sessions.read_many", keys, executor=dask.get_executor(), _settings=login)
    assert [one.id for one in read] == keys
    # The same call is made anew, and not taken for the one before.
    for text in ("a", "b", "a"):
        changes = {key: {"narrative": text} for key in keys}
        many(alyx.url, "sessions.partial_update_many", changes, executor=dask.get_executor(), _settings=login)
        assert client.sessions.read(keys[0]).narrative == text
    printed = capfd.readouterr()
    assert alyx.token("olivier") not in printed.out + printed.err


def test_chunk_that_dask_runs_again_is_not_sent_again(dask: Any) -> None:
    with FaultServer(then=named) as server, AlyxClient(server.url, token="t", retries=QUICK) as client:
        plan = make_plan(client, _CREATE, [Tag(name=name) for name in names(3)], workers=1)
        chunk = Chunk(Job(client, plan.work, None), 0, tuple(plan.tasks))
        assert all(isinstance(outcome, Done) for _, outcome in dask.submit(run_chunk, chunk, key="first").result(60))
        again = dask.submit(run_chunk, chunk, key="second").result(60)
        assert all(isinstance(outcome, NotCompletedError) and outcome.may_have_acted for _, outcome in again)
        assert len(server.requests) == 3


class _Dying(Executor):
    """Dask's executor; the worker that carries out the second chunk dies after it."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def submit(self, function: Any, /, *args: Any, **options: Any) -> Future[Any]:
        return self._executor.submit(_die_once, function, *args)


def _die_once(function: Any, chunk: Chunk) -> Any:
    outcomes = function(chunk)
    if chunk.number == 1 and any(isinstance(outcome, Done) for _, outcome in outcomes):
        os._exit(1)
    return outcomes


def test_death_of_a_worker_doubles_nothing(dask: Any) -> None:
    with FaultServer(then=named) as server, AlyxClient(server.url, token="t", retries=QUICK) as client:
        tags = [Tag(name=name) for name in names(40)]
        executor = _Dying(dask.get_executor())
        done = client.tags.create_many(tags, executor=executor, max_workers=2, on_error="return")
        sent = [request.json()["name"] for request in server.requests]  # type: ignore[index, call-overload]
        uncertain = [failure.input.name for failure in done.failures.uncertain]
        assert len(sent) == len(set(sent)) == 40
        assert uncertain
        assert sorted([*(one.name for one in done), *uncertain]) == names(40)


def test_example_of_the_page_runs(alyx: LocalAlyx, capsys: pytest.CaptureFixture[str]) -> None:
    code, _ray = blocks("docs/guides/on-a-cluster.md")
    assert "http://127.0.0.1:8000" in code
    exec(
        compile(code.replace("http://127.0.0.1:8000", alyx.url), "on-a-cluster.md", "exec"),
        {"__name__": "__main__"},
    )
    assert re.fullmatch(r"\d+ sessions, \d+ trials\n", capsys.readouterr().out)
