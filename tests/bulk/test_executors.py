"""Executors: threads, processes that may die, and what travels to them."""

from __future__ import annotations

import _thread
import gc
import os
import pickle
import signal
import socket
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

from alyx_client import (
    AlyxClient,
    AsyncAlyxClient,
    BulkError,
    MissingCredentialsError,
    NotCompletedError,
    NotFoundError,
)
from alyx_client.bulk.executors import Chunk, Job, _chunks, run_chunk
from alyx_client.bulk.plan import make_plan
from alyx_client.config import servers_file
from alyx_client.endpoints.tags import _DELETE
from alyx_client.errors import AlyxError
from alyx_client.models import Subject, Tag
from alyx_client.testing import LocalAlyx
from tests import faults
from tests.bulk.conftest import QUICK, Many
from tests.bulk.test_failures import named, names
from tests.faults import FaultServer, Received

LOGIN = {"token": None, "username": "olivier", "password": "olivier"}


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield pool


def test_records_are_read_and_written_in_other_processes(
    alyx: LocalAlyx, client: AlyxClient, processes: Executor, many: Many
) -> None:
    keys = [row.id for row in client.sessions.list()[:20]]
    assert [one.id for one in many(alyx.url, "sessions.read_many", keys, executor=processes, _settings=LOGIN)] == keys
    labs = [row.name for row in client.labs.list()]
    assert [one.name for one in many(alyx.url, "labs.read_many", labs, executor=processes, _settings=LOGIN)] == labs
    nicknames = [f"pool-{many.is_async}-{number}" for number in range(10)]
    subjects = [Subject(nickname=name, lab="cortexlab") for name in nicknames]
    made = many(alyx.url, "subjects.create_many", subjects, executor=processes, _settings=LOGIN)
    assert [one.nickname for one in made] == nicknames
    with pytest.raises(BulkError) as caught:
        many(alyx.url, "subjects.delete_many", ["gone", *nicknames], executor=processes, _settings=LOGIN)
    assert caught.value.failures.keys == ["gone"]
    assert isinstance(caught.value.failures[0].error, NotFoundError)


def test_threads_use_the_client_itself(alyx: LocalAlyx, client: AlyxClient, many: Many) -> None:
    keys = [row.id for row in client.sessions.list()[:20]]
    logins = len([one for one in alyx.requests if one.path == "/auth-token"])
    with ThreadPoolExecutor(3) as pool:
        assert [one.id for one in many(alyx.url, "sessions.read_many", keys, executor=pool, _settings=LOGIN)] == keys
    assert len([one for one in alyx.requests if one.path == "/auth-token"]) == logins + 1


def test_cached_responses_are_stale_after_writes_elsewhere(alyx: LocalAlyx, processes: Executor, tmp_path: Any) -> None:
    with AlyxClient(alyx.url, "olivier", "olivier", cache_dir=tmp_path, cache_rest="GET") as client:
        key = client.sessions.list()[0].id
        client.sessions.partial_update(key, narrative="old")
        assert client.sessions.read(key).narrative == "old"

        class Elsewhere(Executor):
            """Another computer, whose client has a cache of its own."""

            def submit(self, function: Any, /, *args: Any, **options: Any) -> Future[Any]:
                (chunk,) = pickle.loads(pickle.dumps(args))
                chunk.job.client._cache = type(client._cache)(tmp_path / "other", alyx.url)
                done: Future[Any] = Future()
                done.set_result(function(chunk))
                return done

        client.sessions.partial_update_many({key: {"narrative": "new"}}, executor=Elsewhere())
        assert client.sessions.read(key).narrative == "new"


class Dying(Executor):
    """A pool of one process, which dies after it has carried out its second task."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))

    def submit(self, function: Any, /, *args: Any, **options: Any) -> Future[Any]:
        return self._pool.submit(_die_at_second, function, *args)


def _die_at_second(function: Any, chunk: Chunk) -> Any:
    outcomes = function(chunk)
    if chunk.number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return outcomes


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes are killed otherwise on Windows")
def test_death_of_a_process_is_reported() -> None:
    executor = Dying()
    with FaultServer(then=named) as server, AlyxClient(server.url, token="t", retries=QUICK) as client:
        tags = [Tag(name=name) for name in names(40)]
        done = client.tags.create_many(tags, executor=executor, max_workers=1, on_error="return")
        sent = [request.json()["name"] for request in server.requests]  # type: ignore[index, call-overload]
        assert len(sent) == len(set(sent))
        certain = {failure.input.name for failure in done.failures.certain}
        uncertain = {failure.input.name for failure in done.failures.uncertain}
        assert done
        assert uncertain
        assert certain.isdisjoint(sent)
        assert {one.name for one in done} | uncertain == set(sent)
        assert "lost this (BrokenProcessPool" in str(done.failures[0].error)
        assert all(isinstance(error, NotCompletedError) for error in done.failures.errors)
        assert client.tags.create_many(done.failures.certain.inputs)


def test_ctrl_c_leaves_what_has_not_begun_unsent() -> None:
    release = threading.Event()

    def step(request: Received, connection: socket.socket) -> bool:
        if request.json()["name"] == "n005":  # type: ignore[index, call-overload]
            _thread.interrupt_main()
            release.wait(20)
        return named(request, connection)

    with (
        FaultServer(then=step) as server,
        AlyxClient(server.url, token="t", retries=QUICK) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        tags = [Tag(name=name) for name in names(64)]
        with pytest.raises(KeyboardInterrupt) as caught:
            client.tags.create_many(tags, executor=pool)
        results = caught.value.results  # type: ignore[attr-defined]
        sent = {request.json()["name"] for request in server.requests}  # type: ignore[index, call-overload]
        assert sent <= {one.name for one in results} | {one.input.name for one in results.failures.uncertain}
        assert "before the call ended: it was interrupted" in str(results.failures[-1].error)
        assert results.failures.certain.inputs == tags[-len(results.failures.certain) :]
        release.set()


def test_what_an_executor_runs_twice_is_not_sent_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alyx_client.bulk.executors.is_claimed", lambda name: True)
    with FaultServer(then=named) as server, AlyxClient(server.url, token="t") as client:
        with ThreadPoolExecutor(1) as pool:
            done = client.tags.create_many([Tag(name="a")], executor=pool, on_error="return")
            assert len(done.failures.uncertain) == 1
            assert [one.name for one in client.tags.read_many(["a"], executor=pool)] == ["a"]
        assert server.paths == ["/tags/a"]


def test_executor_that_was_shut_down_leaves_everything_unsent(many: Many) -> None:
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with FaultServer(then=named) as server:
        done = many(server.url, "tags.create_many", [Tag(name="a")], executor=pool, on_error="return")
        assert done.failures.certain.keys == [None]
        assert server.requests == []


def test_refused_token_stops_the_call() -> None:
    with FaultServer(then=faults.stale_token(401)) as server, ThreadPoolExecutor(2) as pool:
        client = AlyxClient(server.url, token="t", retries=QUICK)
        done = client.tags.delete_many(names(200), executor=pool, on_error="return")
        assert len(done.failures.certain) == 200
        assert len(server.requests) <= 10


class UnpicklableError(Exception):
    def __init__(self, one: object, other: object) -> None:
        super().__init__("odd")
        self.lock = threading.Lock()


def test_errors_that_cannot_be_pickled_are_told_in_words() -> None:
    class Client:
        def run(self, flow: Any, timeout: Any) -> Any:
            raise UnpicklableError(1, 2)

    with AlyxClient("http://127.0.0.1:1", token="t") as real:
        plan = make_plan(real, _DELETE, ["a"], workers=1)
        ((index, outcome),) = run_chunk(Chunk(Job(Client(), plan.work, None), 0, tuple(plan.tasks)))
        assert (index, str(outcome), type(outcome)) == (0, "UnpicklableError: odd", AlyxError)


# --- what travels


def test_client_travels_without_its_password(alyx: LocalAlyx) -> None:
    for kind in (AlyxClient, AsyncAlyxClient):
        client = kind(alyx.url, "olivier", "secret-password", token=None, silent=True)
        assert b"secret-password" not in pickle.dumps(client)
    blocking = AlyxClient(alyx.url, "olivier", "olivier", cache_rest=None, silent=True)
    with pytest.raises(MissingCredentialsError, match=r"without its password: call authenticate\(\)"):
        pickle.loads(pickle.dumps(blocking)).labs.list()
    blocking.authenticate()
    assert pickle.loads(pickle.dumps(blocking)).labs.list()


@pytest.mark.parametrize("source", ["argument", "environment", "file"])
def test_client_travels_without_its_token_where_the_worker_has_its_own(
    source: str, alyx: LocalAlyx, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, Any] = {}
    if source == "argument":
        settings["pickle_token"] = False
    elif source == "environment":
        monkeypatch.setenv("ALYX_PICKLE_TOKEN", "0")
    else:
        servers_file().parent.mkdir(parents=True)
        servers_file().write_text(f'[servers."{alyx.url}"]\npickle_token = false\n')
    client = AlyxClient(alyx.url, "olivier", "olivier", cache_rest=None, silent=True, stay_logged_in=False, **settings)
    client.labs.list()
    pickled = pickle.dumps(client)
    token = client._auth.token
    assert token
    assert token.encode() not in pickled
    with pytest.raises(MissingCredentialsError):
        pickle.loads(pickled).labs.list()
    monkeypatch.setenv("ALYX_TOKEN", alyx.token("admin"))
    assert pickle.loads(pickled).labs.list()


def test_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TypeError, match="pickle_token"):
        AlyxClient("http://127.0.0.1:1", pickle_token="no")  # type: ignore[arg-type]
    monkeypatch.setenv("ALYX_PICKLE_TOKEN", "perhaps")
    with pytest.raises(ValueError, match="ALYX_PICKLE_TOKEN"):
        AlyxClient("http://127.0.0.1:1")


def test_job_does_not_show_the_token() -> None:
    client = AlyxClient("http://127.0.0.1:1", token="secret-token")
    job = Job(client, None, None)  # type: ignore[arg-type]
    shown = [repr(part) for part in job.__reduce__()]
    assert "secret" not in str(shown)


def test_job_is_pickled_once_and_the_same_in_each_process() -> None:
    client = AlyxClient("http://127.0.0.1:1", token="t")
    plan = make_plan(client, _DELETE, names(5), workers=1)
    job = Job(client, plan.work, 2.5)
    first, second = (pickle.dumps(Chunk(job, number, tuple(plan.tasks[number:]))) for number in range(2))
    assert len(job.pickled) == 1
    chunks = [pickle.loads(first), pickle.loads(second)]
    assert [(chunk.number, chunk.indices) for chunk in chunks] == [(0, (0, 1, 2, 3, 4)), (1, (1, 2, 3, 4))]
    # A process makes one client of all chunks.
    assert chunks[0].job is chunks[1].job
    assert (chunks[0].job.key, chunks[0].job.timeout) == (job.key, 2.5)
    assert chunks[0].job.client.base_url == client.base_url


@pytest.mark.parametrize(
    ("tasks", "workers", "sizes"),
    [(1, 4, [1]), (8, 4, [1] * 8), (9, 4, [2, 2, 2, 2, 1]), (40, 1, [16, 16, 8]), (0, 4, [])],
)
def test_tasks_are_divided_among_the_workers_in_their_order(tasks: int, workers: int, sizes: list[int]) -> None:
    client = AlyxClient("http://127.0.0.1:1", token="t")
    plan = make_plan(client, _DELETE, names(tasks), workers=1)
    chunks = list(_chunks(Job(client, plan.work, None), plan.tasks, workers))
    assert [len(chunk.tasks) for chunk in chunks] == sizes
    assert [chunk.number for chunk in chunks] == list(range(len(sizes)))
    assert [index for chunk in chunks for index in chunk.indices] == list(range(tasks))


class Scripted(Executor):
    """Runs each chunk at once, and then ends it as its script says."""

    def __init__(self, ends: list[BaseException | None]) -> None:
        self._ends = iter(ends)

    def submit(self, function: Any, /, *args: Any, **options: Any) -> Future[Any]:
        future: Future[Any] = Future()
        error = next(self._ends, None)
        outcomes = function(*args, **options)
        if error is None:
            future.set_result(outcomes)
        else:
            future.set_exception(error)
        return future


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), SystemExit(1), GeneratorExit()], ids=lambda one: type(one).__name__
)
def test_chunks_that_a_signal_ends_leave_the_outcomes_of_the_others(error: BaseException, place: int) -> None:
    ends: list[BaseException | None] = [None] * 4
    ends[place] = error
    with FaultServer(then=named) as server, AlyxClient(server.url, token="t", retries=QUICK) as client:
        with pytest.raises(type(error)) as caught:
            client.tags.create_many([Tag(name=name) for name in names(4)], executor=Scripted(ends), max_workers=4)
        results = caught.value.results  # type: ignore[attr-defined]
    assert [one.name for one in results] == [name for number, name in enumerate(names(4)) if number != place]
    assert [failure.index for failure in results.failures.uncertain] == [place]
    assert f"lost this ({type(error).__name__}: " in str(results.failures[0].error)
    assert not results.failures.certain


def test_several_chunks_that_a_signal_ends_are_all_uncertain() -> None:
    executor = Scripted([KeyboardInterrupt(), None, KeyboardInterrupt(), None])
    tags = [Tag(name=name) for name in names(4)]
    with (
        FaultServer(then=named) as server,
        AlyxClient(server.url, token="t", retries=QUICK) as client,
        pytest.raises(KeyboardInterrupt) as caught,
    ):
        client.tags.create_many(tags, executor=executor, max_workers=4)
    results = caught.value.results  # type: ignore[attr-defined]
    assert [failure.index for failure in results.failures.uncertain] == [0, 2]


def test_client_is_not_held_after_a_call(processes: Executor) -> None:
    with FaultServer(then=named) as server:
        client = AlyxClient(server.url, token="t", retries=QUICK)
        client.tags.create_many([Tag(name=name) for name in names(2)], executor=processes)
        client.close()
        held = weakref.ref(client)
        del client
        gc.collect()
        assert held() is None
